"""The ordinary rule that tickets every alert: without any rule there are no tickets."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmm_extension.host import Actor
from rmm_extension.models import AlertRule, Integration, new_id

from . import audit

CATCH_ALL = {
    "name": "Every alert opens a ticket",
    "conditions": {},
    "actions": {"createTicket": True, "autoResolveTicket": True},
}


def add_catch_all(session: Session, actor: Actor, row: Integration) -> None:
    """The ordinary rule without conditions, behind all others."""
    rule = AlertRule(
        tenant_id=row.tenant_id,
        id=new_id(),
        integration_id=row.id,
        priority_order=next_place(session, row),
        **CATCH_ALL,
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
