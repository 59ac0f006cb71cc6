"""The rows of a connection's rules, and what a change of them leaves behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.host import Actor
from rmm_extension.models import AlertRule, Integration
from rmm_extension.services import audit, connections

from .check import UnknownRule

COLUMNS = ("name", "description", "is_active", "conditions", "actions")


def in_order(session: Session, row: Integration) -> list[AlertRule]:
    """The connection's rules in the order they are asked, read anew."""
    statement = select(AlertRule).where(
        AlertRule.tenant_id == row.tenant_id, AlertRule.integration_id == row.id
    )
    ordered = statement.order_by(AlertRule.priority_order, AlertRule.id)
    return list(session.scalars(ordered.execution_options(populate_existing=True)))


def locked(session: Session, actor: Actor, rule_id: UUID) -> tuple[Integration, AlertRule]:
    """The rule and its connection, whose lock is held: nobody else changes its rules meanwhile."""
    where = (AlertRule.tenant_id == actor.tenant_id, AlertRule.id == rule_id)
    integration_id = session.scalar(select(AlertRule.integration_id).where(*where))
    if integration_id is None:
        raise UnknownRule("This rule does not exist (any more).")
    row = connections.get(session, actor.tenant_id, integration_id, lock=True)
    rule = session.scalar(select(AlertRule).where(*where).execution_options(populate_existing=True))
    if rule is None:
        raise UnknownRule("This rule was deleted meanwhile.")
    return row, rule


def columns_of(rule: AlertRule) -> dict[str, Any]:
    """What an administrator gives of a rule."""
    return {name: getattr(rule, name) for name in COLUMNS}


def renumber(rules: Sequence[AlertRule]) -> None:
    """Make the places what the sequence says; a rule that keeps its place is not written."""
    for place, rule in enumerate(rules):
        if rule.priority_order != place:
            rule.priority_order = place


def changed(
    session: Session,
    actor: Actor,
    row: Integration,
    action: str,
    rule: AlertRule | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Let the next event see the change, and write down who made it; without a rule, of them all."""
    row.config_version += 1
    session.flush()
    audit.record(
        session,
        actor,
        action,
        subject_type="rule" if rule else "connection",
        subject_id=rule.id if rule else row.id,
        subject_name=rule.name if rule else row.name,
        integration_id=row.id,
        changes=changes,
    )


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, Any]:
    """Old and new of every setting that is not the same; ``None`` is a rule that is not there."""
    old, new = _settings(before), _settings(after)
    names = [*old, *(name for name in new if name not in old)]
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}


def _settings(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a rule says, one entry per setting; no two settings of its parts have the same name."""
    flat: dict[str, Any] = {}
    for name, value in (values or {}).items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat
