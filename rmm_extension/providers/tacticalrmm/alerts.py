"""Alerts of Tactical RMM as events: one table for webhook, poll and single alert."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from rmm_extension.domain.severity import severity_from_word
from rmm_extension.domain.types import AlertEvent, AlertKind, Severity
from rmm_extension.domain.values import moment, text
from rmm_extension.providers.tacticalrmm.schemas import Alert

SOURCE_TYPE = "tacticalrmm_alert"
"""Activity type and source type of every alert, whichever way it came."""
ALERT_TYPES = frozenset({"availability", "check", "task", "custom"})

# Output of webhook actions can hold the address of our own webhook, token included: it stays out.
_RAW_KEYS = frozenset(Alert.__struct_fields__)
_NOT_DELIVERED = range(300, 600)
"""The code of a webhook that nobody took: the answer's status, or 500 where there was no answer."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the channels know of an alert, in one form; absent is ``None``."""

    alert_id: str | None = None
    alert_type: str | None = None
    severity: str | None = None
    agent_id: str | None = None
    organization_id: str | None = None
    device_name: str | None = None
    check_id: str | None = None
    task_id: str | None = None
    event: str | None = None
    message: str | None = None
    delivery_failed: bool = False
    silenced: bool = False


def build_event(facts: Facts, kind: AlertKind, occurred_at: datetime, raw: dict[str, Any]) -> AlertEvent:
    """The one table of identity, condition, class and severity."""
    return AlertEvent(
        kind=kind,
        external_id=facts.alert_id or synthesized_ids(facts)[0],
        occurred_at=occurred_at,
        severity=severity_from_word(facts.severity) if facts.severity else Severity.NONE,
        external_device_id=facts.agent_id,
        external_organization_id=facts.organization_id,
        device_name=facts.device_name,
        condition=condition(facts),
        alert_class=facts.alert_type,
        activity_type=SOURCE_TYPE,
        source_type=SOURCE_TYPE,
        message=facts.message,
        synthesized=facts.alert_id is None,
        adopts=synthesized_ids(facts) if facts.alert_id and facts.agent_id else (),
        delivery_failed=facts.delivery_failed,
        silenced=facts.silenced,
        raw=raw,
    )


def condition(facts: Facts) -> str | None:
    """``check:<id>`` or ``task:<id>``, else the alert type, else the event."""
    if facts.check_id:
        return f"check:{facts.check_id}"
    if facts.task_id:
        return f"task:{facts.task_id}"
    return facts.alert_type or facts.event


def synthesized_ids(facts: Facts) -> tuple[str, ...]:
    """The ids that deliveries without one get, most specific first: from agent, check or task, alert type.

    No event name and no time in them, so that trigger and resolve meet. The first is the id of such a
    delivery itself; an alert with an id of its own may be stored under any of them already.
    """
    exact = (
        f"check:{facts.check_id}" if facts.check_id else f"task:{facts.task_id}" if facts.task_id else None
    )
    known = dict.fromkeys(found for found in (exact, facts.alert_type, "alert") if found)
    return tuple(f"agent:{facts.agent_id}:{found}" for found in known)


def event_from_row(
    row: dict[str, Any], clients: Mapping[str, str], agents: Mapping[str, str], now: datetime
) -> AlertEvent:
    """The event of an alert as the API gives it; raises ``msgspec.ValidationError`` for another shape.

    The API tells the client by name only: ``clients`` (name to id) and ``agents`` (agent id to client name)
    resolve it where they can.
    """
    alert = msgspec.convert(row, Alert)
    name = text(alert.client) or agents.get(alert.agent_id or "")
    kind = AlertKind.RESET if alert.resolved else AlertKind.TRIGGERED
    raised = moment(alert.alert_time) or now
    occurred = (moment(alert.resolved_on) or now) if alert.resolved else raised
    facts = Facts(
        alert_id=str(alert.id),
        alert_type=text(alert.alert_type),
        severity=text(alert.severity),
        agent_id=text(alert.agent_id),
        organization_id=clients.get(name) if name else None,
        device_name=text(alert.hostname),
        check_id=_number(alert.assigned_check),
        task_id=_number(alert.assigned_task),
        message=text(alert.message),
        delivery_failed=_retcode(alert) in _NOT_DELIVERED,
        silenced=_is_silenced(alert, now),
    )
    return build_event(facts, kind, occurred, {key: row[key] for key in row.keys() & _RAW_KEYS})


def _retcode(alert: Alert) -> int | None:
    """What came of the alert's newest webhook: it has one for its beginning and one for its end."""
    return alert.resolved_action_retcode if alert.resolved else alert.action_retcode


def _is_silenced(alert: Alert, now: datetime) -> bool:
    """Whether it is snoozed: the server takes the mark away only some time after the snooze has ended."""
    until = moment(alert.snooze_until)
    return alert.snoozed and (until is None or until > now)


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)
