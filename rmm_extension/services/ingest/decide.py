"""The decision on an alert that is new or waits for one: window, rules, then the ticket."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain.rules import Rule, evaluate
from rmm_extension.domain.types import AlertEvent, AlertStatus, Channel, Outcome
from rmm_extension.domain.windows import matching
from rmm_extension.models import utc_now
from rmm_extension.providers.capabilities import capabilities
from rmm_extension.providers.contract import Provider
from rmm_extension.services.context import Rmm

from .config import PipelineConfig
from .facts import Facts
from .ticket import open_ticket
from .write import Record

DETAILS_WISHES = ("fetch_details", "fetch_whole")
"""What the history's follow-ups are called that ask the vendor for an alert."""


def decide(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: AlertEvent,
    record: Record,
    config: PipelineConfig,
    *,
    at: datetime,
    ticket_failure: str | None = None,
    again: bool = False,
) -> None:
    """Fill ``record`` with status, rule, ticket, history and follow-ups; makes or joins the ticket.

    ``at`` is the instant the windows are asked for: the alert's own time at first arrival, now later.
    ``again`` decides on a stored alert that waited for it: it does not wait for its text a second time.
    """
    provider = rmm.providers.get(facts.provider)
    record.followups |= _followups(event, record, provider)
    if _suppressed(facts, record, config, at):
        record.followups.pop("webhook_received", None)
        return
    waits = not again and _text_can_come(event, provider) and rmm.settings.detail_wait > 0
    if waits and event.is_partial:
        # What is told so far is no ground for any rule.
        _await_details(rmm, record)
        return
    verdict = evaluate(config.rules, event, text_may_come=waits)
    record.steps.extend(verdict.steps)
    if verdict.needs_text:
        _await_details(rmm, record)
        return
    record.followups["signals"] = ["alert_triggered"]
    if verdict.rule is None or not _makes_ticket(facts, verdict.rule, record):
        record.outcome = Outcome.RECORDED_ONLY
        return
    routing = config.routing
    open_ticket(rmm, session, facts, event, record, verdict.rule, routing, ticket_failure, again=again)


def _suppressed(facts: Facts, record: Record, config: PipelineConfig, at: datetime) -> bool:
    found = matching(
        config.windows,
        at,
        integration_id=facts.integration_id,
        client_id=facts.client_id,
        asset_id=facts.row["asset_id"],
    )
    if not found:
        if config.windows:
            record.steps.append({"code": "no_window"})
        return False
    record.steps.extend(
        {"code": "suppressed", "window": window.name, "window_id": str(window.id)} for window in found
    )
    # What a person has taken on stays so; the window alone says that it is still to be decided.
    if record.values["status"] != AlertStatus.ACKNOWLEDGED:
        record.values["status"] = AlertStatus.SUPPRESSED
    record.values["suppressed_by_window_id"] = found[0].id
    record.outcome = Outcome.SUPPRESSED
    return True


def _await_details(rmm: Rmm, record: Record) -> None:
    seconds = rmm.settings.detail_wait
    record.values["details_due_at"] = utc_now() + timedelta(seconds=seconds)
    record.steps.append({"code": "awaiting_details", "seconds": seconds})
    record.outcome = Outcome.AWAITING_DETAILS


def _makes_ticket(facts: Facts, rule: Rule, record: Record) -> bool:
    record.rule_id = rule.id
    record.values["matched_rule_id"] = rule.id
    record.values["rule_actions"] = rule.actions
    if rule.actions is None:
        reason = f"The actions of rule {rule.name} ({rule.id}) cannot be read: treated as record-only."
        record.steps.append({"code": "warning", "message": reason})
        return False
    if not rule.actions["createTicket"]:
        record.steps.append({"code": "record_only", "reason": f"rule {rule.name} makes no ticket"})
        return False
    if facts.row["auto_tickets"] is False:
        record.steps.append({"code": "opted_out", "organization": facts.organization})
        return False
    return True


def _text_can_come(event: AlertEvent, provider: Provider) -> bool:
    return event.message is None and not event.synthesized and "alert" in capabilities(provider)


def _followups(event: AlertEvent, record: Record, provider: Provider) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if _text_can_come(event, provider):
        found["fetch_details"] = True
    if event.is_partial and "alert" in capabilities(provider):
        found["fetch_whole"] = True
    if record.channel == Channel.WEBHOOK:
        found["webhook_received"] = True
        if event.external_device_id and "device" in capabilities(provider):
            found["refresh_device"] = event.external_device_id
    return found
