"""What a connection begins with: the rule that tickets every alert, for without a rule there are no tickets,
and the routing that it uses where the vendor's alerts have one."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmm_extension.domain.routing import SETTING, proposed_priorities
from rmm_extension.host import Actor
from rmm_extension.models import AlertRule, Integration, new_id

from . import audit
from .context import Rmm

CATCH_ALL = {
    "name": "Every alert opens a ticket",
    "conditions": {},
    "actions": {"createTicket": True, "autoResolveTicket": True},
}
ROUTED = {
    "name": "Every alert opens a ticket by the routing",
    "conditions": {},
    "actions": {"createTicket": True, "useRouting": True, "autoResolveTicket": False},
}


def propose_routing(rmm: Rmm, session: Session, row: Integration) -> None:
    """Give a new connection the priorities that fit its severities by name; all else is to be chosen."""
    if rmm.host.catalog is None:
        return
    known = [(found.id, found.name) for found in rmm.host.catalog.priorities(session, row.tenant_id)]
    severities = rmm.providers.get(row.provider).manifest.routed_severities
    proposed = {"priorityBySeverity": proposed_priorities(known, severities)}
    row.settings = {SETTING: proposed, **(row.settings or {})}


def add_catch_all(session: Session, actor: Actor, row: Integration, *, routed: bool = False) -> None:
    """The ordinary rule without conditions, behind all others; ``routed``: one that uses the routing."""
    rule = AlertRule(
        tenant_id=row.tenant_id,
        id=new_id(),
        integration_id=row.id,
        priority_order=next_place(session, row),
        **(ROUTED if routed else CATCH_ALL),
    )
    session.add(rule)
    row.config_version = (row.config_version or 1) + 1
    session.flush()
    audit.record(
        session,
        actor,
        "rule.created",
        subject_type="rule",
        subject_id=rule.id,
        subject_name=rule.name,
        integration_id=row.id,
    )


def next_place(session: Session, row: Integration) -> int:
    """The place behind all rules: 0 for the first one."""
    last = session.scalar(
        select(func.max(AlertRule.priority_order)).where(
            AlertRule.tenant_id == row.tenant_id, AlertRule.integration_id == row.id
        )
    )
    return 0 if last is None else last + 1
