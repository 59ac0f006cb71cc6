"""The automations there are, and the webhooks that run them."""

from __future__ import annotations

from simulators.levelio.models import Automation, Trigger


def default_automations() -> dict[str, Automation]:
    """By id. Two have one name; the last one has no webhook."""
    rows = [
        Automation(11, "Restart print spooler", "Restarts the spooler – Drucker"),
        Automation(12, "Clean up disk", "Empties the usual folders"),
        Automation(13, "Clean up disk", "The careful one"),
        Automation(14, "Restart device"),
        Automation(15, "Onboard device", "Runs when a device is new"),
    ]
    return {one.id: one for one in rows}


def default_triggers(automations: list[Automation]) -> list[Trigger]:
    """Webhooks of all but the last automation; that of the fourth wants a key that may write."""
    return [
        Trigger(
            token=f"simtok{one.number}{'ab' * 12}",
            automation_id=one.id,
            requires_authorization=place == 3,
            parameters=("device_ids", "folder") if place == 1 else ("device_ids",),
        )
        for place, one in enumerate(automations[:-1])
    ]
