"""What Level tells, as alerts and signals: one table for webhook, list of alerts and single alert.

That the data of a webhook about an alert is the alert as the API tells it is not published, only that it has
an id. What is missing there is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rmm_extension.domain.severity import severity_from_word
from rmm_extension.domain.signals import DeviceSignal, OrganizationSignal, SignalKind
from rmm_extension.domain.types import AlertEvent, AlertKind, Severity
from rmm_extension.domain.values import identifier, moment, storable, text
from rmm_extension.providers.levelio.organizations import UNGROUPED
from rmm_extension.providers.values import flag

SOURCE_TYPE = "levelio_alert"
"""Activity type and source type of every alert, whichever way it came."""
SYNTHESIZED = "device:"
"""What ids begin with that were made here; Level's have no colon."""
_SEVERITIES = {
    "emergency": Severity.CRITICAL,
    "critical": Severity.MAJOR,
    "warning": Severity.MODERATE,
    "information": Severity.MINOR,
}
_LONGEST = 200
"""Characters of a condition that stand in an id of ours."""

DEVICE_EVENTS = {
    "device_created": (SignalKind.CHANGED, "Added in Level"),
    "device_updated": (SignalKind.CHANGED, "Changed in Level"),
    "device_deleted": (SignalKind.DELETED, "Deleted in Level"),
}
GROUP_EVENTS = {
    "group_created": "Group created",
    "group_updated": "Group changed",
    "group_deleted": "Group deleted",
}


class Nameless(Exception):
    """Something that concerns us lacks the id it is known by; ``field`` is its name."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def of_alert(row: Mapping[str, Any], now: datetime, *, resolved: bool = False) -> AlertEvent:
    """The event of an alert as the API tells it. ``now`` stands for a missing time; ``resolved`` where it is
    said beside the row that it is over. Raises :class:`Nameless`."""
    external_id = identifier(row.get("id"))
    if external_id is None:
        raise Nameless("id")
    is_over = resolved or flag(row.get("is_resolved")) is True
    told = row.get("resolved_at" if is_over else "started_at")
    return build(
        row,
        external_id,
        AlertKind.RESET if is_over else AlertKind.TRIGGERED,
        moment(told) or now,
    )


def build(
    row: Mapping[str, Any], external_id: str | None, kind: AlertKind, occurred_at: datetime
) -> AlertEvent:
    """The one table of identity, condition, class and severity. Without an id it gets one of ours."""
    device, name = identifier(row.get("device_id")), text(row.get("name"))
    known_as = None if device is None or name is None else synthesized_id(device, name)
    return AlertEvent(
        kind=kind,
        external_id=external_id or known_as or "",
        occurred_at=occurred_at,
        severity=severity(row.get("severity")),
        external_device_id=device,
        external_organization_id=identifier(row.get("group_id")),
        device_name=text(row.get("device_hostname")),
        condition=normalized(name) if name else None,
        alert_class=name,
        activity_type=SOURCE_TYPE,
        source_type=SOURCE_TYPE,
        message=_message(name, text(row.get("description"))),
        synthesized=external_id is None,
        adopts=(known_as,) if external_id and known_as else (),
        is_partial=name is None or device is None,
        raw=storable(dict(row)),
    )


def severity(word: Any) -> Severity:
    """Level's four words, else what the word sounds like."""
    told = (text(word) or "").casefold()
    return _SEVERITIES.get(told) or severity_from_word(told)


def normalized(name: str) -> str:
    """An alert's name, the same however it is spaced and spelled: the condition that its firings share."""
    return " ".join(name.split()).casefold()


def synthesized_id(device: str, name: str) -> str:
    """The id of an alert that came without one: from device and condition, so that trigger and end meet."""
    return f"{SYNTHESIZED}{device}:{normalized(name)[:_LONGEST]}"


def of_device(event: str, data: Mapping[str, Any], message_id: str, at: datetime) -> DeviceSignal:
    """What a device event tells. Raises :class:`Nameless`."""
    kind, words = DEVICE_EVENTS[event]
    device = identifier(data.get("id"))
    if device is None:
        raise Nameless("device_id")
    return DeviceSignal(
        kind=kind,
        external_id=message_id,
        occurred_at=at,
        external_device_id=device,
        words=words,
        external_organization_id=_group(data),
        device_name=text(data.get("nickname")) or text(data.get("hostname")),
    )


def of_group(event: str, data: Mapping[str, Any], message_id: str, at: datetime) -> OrganizationSignal:
    """What a group event tells."""
    return OrganizationSignal(
        external_id=message_id,
        occurred_at=at,
        words=GROUP_EVENTS[event],
        external_organization_id=identifier(data.get("id")),
    )


def _group(data: Mapping[str, Any]) -> str | None:
    """The device's group. That it is in none is said by null, which is no silence."""
    return identifier(data["group_id"]) or UNGROUPED if "group_id" in data else None


def _message(name: str | None, description: str | None) -> str | None:
    if name is None or description is None:
        return name or description
    return f"{name}: {description}"
