"""Escalations, platform actions and notices."""

from __future__ import annotations

from typing import Any

from simulators.huntress import enums, names, soc
from simulators.huntress.control.blueprint import (
    BadCommand,
    command,
    fields,
    flag,
    lab,
    mapping,
    one_of,
    organization_of,
    query,
    row_of,
)
from simulators.huntress.events import announce, escalation_payload, notice_payload
from simulators.huntress.models import Escalation
from simulators.huntress.rows import organizations_of, status_of

TYPES = tuple(one[0] for one in names.ESCALATIONS)


def escalation_summary(one: Escalation) -> dict[str, Any]:
    """The escalation as the control page shows it."""
    return {
        "id": one.id,
        "type": one.type,
        "subject": one.subject,
        "severity": one.severity,
        "status": status_of(lab(), one),
        "overdue": one.overdue,
        "organizations": [each["name"] for each in organizations_of(lab(), one)],
    }


@query("/api/escalations")
def list_escalations() -> Any:
    """All, oldest first."""
    return [escalation_summary(one) for one in lab().escalations.values()]


@command("/api/escalations/raise")
def raise_escalation() -> Any:
    """{"organization_id"? or "organization_ids"?, "type"?, "severity"?, "subject"?, "by_api"?,
    "announced"?: whether by webhook}."""
    data = fields()
    with lab().lock:
        ids = data.get("organization_ids") or [data["organization_id"]] if _is_of_one(data) else []
        made = soc.raise_escalation(
            lab(),
            [organization_of(one) for one in ids],
            number=TYPES.index(one_of(data, "type", TYPES) or TYPES[0]),
            severity=one_of(data, "severity", enums.SEVERITIES) or "high",
            subject=data.get("subject"),
            announced=flag(data.get("announced", True)),
        )
        made.by_api = flag(data.get("by_api", True))
        return {"id": made.id}


def _is_of_one(data: dict[str, Any]) -> bool:
    return bool(data.get("organization_ids") or data.get("organization_id"))


def _escalation(escalation_id: int) -> Escalation:
    return row_of(lab().escalations, escalation_id, "escalation")


@command("/api/escalations/<int:escalation_id>/resolve")
def resolve(escalation_id: int) -> Any:
    """Somebody resolved it in the portal."""
    with lab().lock:
        soc.resolve_escalation(lab(), _escalation(escalation_id))
        return escalation_summary(_escalation(escalation_id))


@command("/api/escalations/<int:escalation_id>/overdue")
def let_pass(escalation_id: int) -> Any:
    """Its time is over."""
    with lab().lock:
        soc.let_escalation_pass(lab(), _escalation(escalation_id))
        return escalation_summary(_escalation(escalation_id))


@command("/api/escalations/<int:escalation_id>/poison")
def poison_escalation(escalation_id: int) -> Any:
    """{"fields"?: object}: what its row tells otherwise than it is; an empty object heals it."""
    data = fields()
    with lab().lock:
        found = _escalation(escalation_id)
        default = {"organizations": "none", "severity": 3, "status": 1, "subject": [None]}
        found.poison = mapping(data["fields"]) if "fields" in data else default
        found.updated = lab().now()
        return {"poisoned": sorted(found.poison)}


@command("/api/events/send")
def send_event() -> Any:
    """{"event_type": platform_action.… or account_notice.notification, "subject"?, "organization_id"?}."""
    data = fields()
    kind = one_of(data, "event_type", enums.EVENT_TYPES)
    if kind is None or kind.startswith(("incident_report.", "escalation.")):
        raise BadCommand("event_type is one of a platform action or notice; the others come by themselves")
    with lab().lock:
        return {"svix_id": announce(lab(), _other_payload(kind, data))}


def _other_payload(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    subject = data.get("subject", "Reconnect the Microsoft 365 integration")
    if kind.endswith(".notification"):
        return notice_payload(lab(), kind, subject, f"<p>{subject}</p>")
    now = lab().now()
    about = [organization_of(data["organization_id"]).id] if data.get("organization_id") else []
    action = Escalation(9100, "Integration Issue", subject, "low", about, now, now)
    action.resolved = now if kind.endswith(".closed") else None
    more = {"message": f"{subject} is overdue."} if kind.endswith(".overdue") else {}
    return escalation_payload(lab(), kind, action, **more)
