"""What compliance counts, in words, and where the devices behind each number are listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import url_for

from rmm_extension.domain.types import AgentStatus
from rmm_extension.services.queries.compliance import Standing
from rmm_extension.services.queries.device_filter import UNTOLD

from . import charts
from .presentation import words


@dataclass(frozen=True, slots=True)
class Measure:
    """One number: its word in queries, its name, and the query that narrows the list of devices to it; active
    alerts (``alerts``) have a list of their own. ``head`` stands above its column where the name is too long.
    """

    key: str
    label: str
    query: str = ""
    head: str = ""


MEASURES = (
    Measure("offline", "Offline", "status=offline"),
    Measure("overdue", "Overdue", "status=overdue"),
    Measure("patches", "Patches pending", "patches=yes"),
    Measure("os", "OS patches", "patches=os"),
    Measure("software", "Software patches", "patches=software"),
    Measure("failed", "Failed patches", "patches=failed"),
    Measure("scan", "Scan over 14 days old", "scan=old", "Old scan"),
    Measure("at_risk", "Antivirus at risk", "antivirus=at_risk"),
    Measure("antivirus_unknown", "Antivirus unknown", "antivirus=unknown"),
    Measure("threats", "Active threats", "threats=1"),
    Measure("alerts", "Active alerts"),
    Measure("reboot", "Wait for a reboot", "reboot=yes", "Reboot needed"),
)
"""In the order of their columns."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose devices the numbers count, as parameters of the lists that show them."""

    narrowed: Mapping[str, str | None]
    # Written once: hundreds of numbers of a page lead to two lists.
    _query: str
    _devices: str
    _alerts: str

    @classmethod
    def of(cls, narrowed: Mapping[str, str | None]) -> Scope:
        """The devices that these parameters leave."""
        return cls(narrowed, _written(narrowed), url_for("rmm.device_list"), url_for("rmm.alert_list"))

    def of_client(self, client_id: str | None) -> Scope:
        """One client's, or those of devices whose client is not known."""
        mine = {"client": client_id} if client_id else {"client": None, "managed": "unmapped"}
        narrowed = {**self.narrowed, **mine}
        return replace(self, narrowed=narrowed, _query=_written(narrowed))

    def devices(self, query: str = "") -> str:
        """The list of these devices, narrowed further by a query."""
        return _address(self._devices, self._query, query)

    def listed(self, measure: Measure) -> str | None:
        """Where what is counted is listed; alerts know neither a kind nor that they have no client."""
        if measure.key != "alerts":
            return self.devices(measure.query)
        if self.narrowed.get("kind") or self.narrowed.get("managed"):
            return None
        return _address(self._alerts, self._query, "state=active")


def _written(narrowed: Mapping[str, str | None]) -> str:
    return urlencode({name: value for name, value in narrowed.items() if value})


def _address(path: str, *queries: str) -> str:
    query = "&".join(filter(None, queries))
    return f"{path}?{query}" if query else path


@dataclass(frozen=True, slots=True)
class Bar:
    """Devices divided by one of their facts: a chart with its name on the page."""

    name: str
    title: str
    shares: Sequence[charts.Share]


def bars(one: Standing, scope: Scope) -> list[Bar]:
    """By status, by patches and by antivirus; each device is in one part of each."""
    return [
        Bar("c-status", "Agents", status_shares(one, scope)),
        Bar("c-patches", "Patches", _patches(one, scope)),
        Bar("c-antivirus", "Antivirus", _antivirus(one, scope)),
    ]


def status_shares(one: Standing, scope: Scope | None = None) -> list[charts.Share]:
    """Devices by the status of their agent; without a scope they lead nowhere."""
    numbers = {status.value: one.numbers.get(status, 0) for status in AgentStatus}
    numbers["unknown"] = one.devices - sum(numbers.values())
    return charts.shares(
        (status, words(status), number, scope.devices(f"status={status}") if scope else None)
        for status, number in numbers.items()
    )


def _patches(one: Standing, scope: Scope) -> list[charts.Share]:
    known, pending = one.known.get("patches", 0), one.numbers.get("patches", 0)
    return charts.shares(
        (
            ("patched", "None pending", known - pending, scope.devices("patches=no")),
            ("patches", "Some pending", pending, scope.devices("patches=yes")),
            ("untold", "Not available", one.devices - known, scope.devices("patches=unknown")),
        )
    )


def _antivirus(one: Standing, scope: Scope) -> list[charts.Share]:
    known = one.known.get("at_risk", 0)
    risk, unknown = one.numbers.get("at_risk", 0), one.numbers.get("antivirus_unknown", 0)
    return charts.shares(
        (
            ("protected", "Protected", known - risk - unknown, scope.devices("antivirus=protected")),
            ("at_risk", "At risk", risk, scope.devices("antivirus=at_risk")),
            ("antivirus_unknown", "Unknown", unknown, scope.devices("antivirus=unknown")),
            ("untold", "Not available", one.devices - known, scope.devices(f"antivirus={UNTOLD}")),
        )
    )
