"""Deciding on an alert that is stored already: its text came, its client became known, a retry is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.types import AlertEvent, AlertKind, AlertStatus, Channel, Outcome, Severity
from rmm_extension.models import utc_now
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import run

from . import config
from .announced import was_announced
from .decide import DETAILS_WISHES, decide
from .facts import Facts, by_id, placed
from .result import Ingested
from .ticket import NO_CLIENT
from .write import OVER, Record, change_as_seen

DETAILS, ATTENTION, HOLD, WINDOW = "details_due_at", "attention", "hold_until", "suppressed_by_window_id"
"""What an alert waits with: the column that is set meanwhile."""

UNPLACED_SQL = (
    f"(a.{ATTENTION} = '{NO_CLIENT}' AND a.external_device_id IS NULL AND a.external_organization_id IS NULL)"
)
"""That the alert ``a`` waits for somebody to tell whose it is."""

_ALERT = """
SELECT integration_id, external_id, external_device_id, external_organization_id, device_name, severity,
       alert_class, activity_type, source_type, dedup_key, message, title, report, vendor_status,
       triggered_at, synthesized, raw
FROM rmm_alerts WHERE tenant_id = %(tenant)s AND id = %(alert)s
"""
_LAST_TOLD = """
SELECT step FROM rmm_alert_events e, jsonb_array_elements(e.steps) AS step
WHERE e.tenant_id = %(tenant)s AND e.alert_id = %(alert)s AND step->>'code' = %(code)s
ORDER BY e.id DESC LIMIT 1
"""
_LOOKED_AT = """
UPDATE rmm_alerts SET attention_at = %(now)s
WHERE tenant_id = %(tenant)s AND id = %(alert)s AND attention = %(attention)s
"""


def load(
    session: Session, tenant_id: str, alert_id: UUID, changes: dict[str, Any] | None = None
) -> tuple[Facts, AlertEvent] | None:
    """The stored alert as the event it came with, ``changes`` known, and the facts of now."""
    row = run(session, _ALERT, {"tenant": tenant_id, "alert": alert_id}).fetchone()
    if row is None:
        return None
    event = _event({**row, **(changes or {})})
    facts = by_id(session, tenant_id, row["integration_id"], event)
    return None if facts is None else (facts, event)


def decide_again(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    alert_id: UUID,
    *,
    channel: Channel,
    waiting_for: str | None = None,
    changes: dict[str, Any] | None = None,
    steps: tuple[dict[str, Any], ...] = (),
    ticket_failure: str | None = None,
    actor: str | None = None,
    received_at: datetime | None = None,
) -> Ingested | None:
    """Ask windows and rules again for an open alert without a ticket; windows are asked for now.

    ``waiting_for`` (``DETAILS``, ``ATTENTION``, ``HOLD``, ``WINDOW``) leaves alone what does not wait for
    that. ``changes`` are columns that became known (:func:`~.text.told`), ``steps`` what the history says of
    them. ``None`` when there is nothing to decide any more. An obstacle that is still the
    same is looked at and not told again. Raises as :func:`~.pipeline.ingest` does.
    """
    found = load(session, tenant_id, alert_id, changes)
    if found is None or not _is_to_be_decided(found[0], waiting_for):
        return None
    facts = replace(found[0], received_at=received_at)
    event = placed(facts, found[1])
    values = {**undecided(facts, event), **(changes or {})}
    record = Record.of(facts, event, channel, values, *steps, actor=actor)
    decide(
        rmm,
        session,
        facts,
        event,
        record,
        config.load(rmm, session, facts),
        at=utc_now(),
        ticket_failure=ticket_failure,
        again=True,
    )
    for wish in DETAILS_WISHES:
        record.followups.pop(wish, None)
    tell_only_news(session, facts, record)
    _write(session, facts, record, brings_news=bool(changes))
    return Ingested(Outcome(record.outcome), alert_id, record.values.get("ticket_id"))


def awaited(waiting: Mapping[str, Any], event: AlertEvent) -> str | None:
    """What an open alert waits with for what this event brings: for its text, or for whose it is.

    ``waiting`` are the alert's columns. ``None`` where it waits for nothing, or for something else.
    """
    if waiting[DETAILS] is not None and event.message is not None:
        return DETAILS
    is_nowhere = waiting["external_device_id"] is None and waiting["external_organization_id"] is None
    return ATTENTION if waiting[ATTENTION] == NO_CLIENT and is_nowhere and is_placed(event) else None


def is_placed(event: AlertEvent) -> bool:
    """Whether the event tells whose the alert is."""
    return event.external_device_id is not None or event.external_organization_id is not None


def _is_to_be_decided(facts: Facts, waiting_for: str | None) -> bool:
    if not facts.is_open or facts.row["ticket_id"] is not None:
        return False
    return waiting_for is None or facts.row[waiting_for] is not None


def _write(session: Session, facts: Facts, record: Record, *, brings_news: bool) -> None:
    if not brings_news and _is_told(session, facts, record):
        parameters = {"tenant": facts.tenant_id, "alert": facts.alert_id, "now": utc_now()}
        run(session, _LOOKED_AT, {**parameters, "attention": record.values["attention"]})
    else:
        change_as_seen(session, record, facts.seen)


def undecided(facts: Facts, event: AlertEvent) -> dict[str, Any]:
    """The columns of an open alert that no decision was taken on."""
    status = facts.row["status"]
    return {
        **OVER,
        "status": AlertStatus.ACTIVE if status == AlertStatus.SUPPRESSED else status,
        "suppressed_by_window_id": None,
        "matched_rule_id": None,
        "rule_actions": None,
        "device_id": facts.row["device_id"],
        "asset_id": facts.row["asset_id"],
        "client_id": facts.client_id,
        "external_organization_id": event.external_organization_id,
        "dedup_key": facts.row["dedup_key"],
    }


def tell_only_news(session: Session, facts: Facts, record: Record) -> None:
    """An alert that was decided before has been announced, and its rule's hit counted."""
    if record.rule_id == facts.row["matched_rule_id"]:
        record.rule_id = None
    signals = record.followups.get("signals", [])
    if "alert_triggered" in signals and was_announced(session, facts):
        signals.remove("alert_triggered")
    if not signals:
        record.followups.pop("signals", None)


def _is_told(session: Session, facts: Facts, record: Record) -> bool:
    """Whether the same obstacle is in the way as before, in the same words."""
    reason, rule_id = record.values["attention"], record.values["matched_rule_id"]
    if reason is None or (reason, rule_id) != (facts.row["attention"], facts.row["matched_rule_id"]):
        return False
    parameters = {"tenant": facts.tenant_id, "alert": facts.alert_id, "code": reason}
    told = run(session, _LAST_TOLD, parameters).fetchone()
    return told is not None and told["step"] == record.steps[-1]


def _event(row: dict[str, Any]) -> AlertEvent:
    return AlertEvent(
        kind=AlertKind.TRIGGERED,
        external_id=row["external_id"],
        occurred_at=row["triggered_at"],
        severity=Severity(row["severity"]),
        external_device_id=row["external_device_id"],
        external_organization_id=row["external_organization_id"],
        device_name=row["device_name"],
        condition=_condition(row),
        alert_class=row["alert_class"],
        activity_type=row["activity_type"],
        source_type=row["source_type"],
        message=row["message"],
        title=row["title"],
        report=row["report"],
        vendor_status=row["vendor_status"],
        synthesized=row["synthesized"],
        raw=row["raw"],
    )


def _condition(row: dict[str, Any]) -> str:
    """The condition part of the stored key, so that the key comes out the same again."""
    return str(row["dedup_key"]).partition("|")[2]
