"""Commands of a simulator that has switches: settings, the clock, and webhooks that come on odd ways."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from simulators.common.control import Control, fields, flag
from simulators.common.courier import Courier
from simulators.common.switches import Switches


def add_switch_commands(control: Control) -> None:
    """Register those of switches and clock."""

    def lab() -> Any:
        return control.lab()

    @control.command("/api/settings")
    def change_settings() -> Any:
        """Any switches of the server, by name."""
        given = {name: value for name, value in fields().items() if name != "_search"}
        with lab().lock:
            settings: Switches = lab().settings
            settings.change_by_words(given)
            return asdict(settings)

    @control.command("/api/time")
    def move_time() -> Any:
        """{"shift_seconds"}: move the clock."""
        lab().clock.shift(float(fields()["shift_seconds"]))
        return {"now": lab().clock.now().isoformat()}


def add_courier_commands(control: Control, key: str) -> None:
    """Register those of the webhooks that wait; `key` names a webhook in the log."""

    def courier() -> Courier:
        found: Courier = control.lab().courier  # type: ignore[attr-defined]
        return found

    @control.query("/api/deliveries/waiting")
    def waiting() -> Any:
        """Ids of the webhooks that are not sent yet."""
        return courier().waiting()

    @control.command("/api/deliveries/now")
    def deliver_now() -> Any:
        """{"reverse"?, "count"?}: send what waits; what became of each."""
        data = fields()
        count = int(data["count"]) if data.get("count") else None
        sent = courier().deliver_now(reverse=flag(data.get("reverse", False)), count=count)
        return [{key: one[key], "status": one["status"]} for one in sent]

    @control.command("/api/deliveries/lose")
    def lose() -> Any:
        """{"count"}: the next webhooks get lost."""
        courier().losing = int(fields().get("count", 1))
        return {"losing": courier().losing}

    @control.command("/api/deliveries/double")
    def double() -> Any:
        """{"count"}: the next webhooks are sent twice."""
        courier().doubling = int(fields().get("count", 1))
        return {"doubling": courier().doubling}

    @control.command("/api/deliveries/forget")
    def forget() -> Any:
        """Throw away what waits."""
        courier().forget()
        return {}
