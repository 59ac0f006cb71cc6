"""One rule: made, changed, copied, switched on and off, deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.rules import NAME_LENGTH
from rmm_extension.host import Actor
from rmm_extension.models import AlertRule, Integration, new_id
from rmm_extension.services import connections
from rmm_extension.services.catch_all import next_place
from rmm_extension.services.context import Rmm

from .check import RuleDraft, checked
from .rows import changed, columns_of, differences, in_order, locked, renumber


def create(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID, draft: RuleDraft) -> AlertRule:
    """Add a rule behind all others of the connection.

    Raises :class:`~.check.RuleInvalid`, and ``UnknownConnection`` when there is no such connection.
    """
    row = connections.get(session, actor.tenant_id, integration_id, lock=True)
    values = checked(rmm, session, row, draft)
    rule = _added(session, row, values, next_place(session, row))
    changed(session, actor, row, "rule.created", rule, differences(None, values))
    return rule


def update(rmm: Rmm, session: Session, actor: Actor, rule_id: UUID, draft: RuleDraft) -> AlertRule:
    """Make the rule what the draft says; its place stays. What changes nothing is no change."""
    row, rule = locked(session, actor, rule_id)
    values = checked(rmm, session, row, draft)
    before = columns_of(rule)
    if before == values:
        return rule
    for name, value in values.items():
        setattr(rule, name, value)
    changed(session, actor, row, "rule.updated", rule, differences(before, values))
    return rule


def delete(rmm: Rmm, session: Session, actor: Actor, rule_id: UUID) -> None:
    """Remove the rule; alerts that met it keep what it said."""
    row, rule = locked(session, actor, rule_id)
    said = columns_of(rule)
    session.delete(rule)
    changed(session, actor, row, "rule.deleted", rule, differences(said, None))


def duplicate(rmm: Rmm, session: Session, actor: Actor, rule_id: UUID) -> AlertRule:
    """Copy the rule to the place right behind it.

    The copy is switched off: it is made to be changed, and as it is it would never match, because the
    original takes every alert before it.
    """
    row, rule = locked(session, actor, rule_id)
    rules = in_order(session, row)
    copied = {**columns_of(rule), "name": f"Copy of {rule.name}"[:NAME_LENGTH], "is_active": False}
    place = rules.index(rule) + 1
    copy = _added(session, row, copied, place)
    renumber([*rules[:place], copy, *rules[place:]])
    changed(session, actor, row, "rule.duplicated", copy, {"copy of": rule.name})
    return copy


def set_active(rmm: Rmm, session: Session, actor: Actor, rule_id: UUID, active: bool) -> AlertRule:
    """Switch the rule on or off; no change when it is so already."""
    row, rule = locked(session, actor, rule_id)
    if rule.is_active != active:
        rule.is_active = active
        changed(session, actor, row, "rule.switched_on" if active else "rule.switched_off", rule)
    return rule


def _added(session: Session, row: Integration, values: dict[str, Any], place: int) -> AlertRule:
    rule = AlertRule(
        tenant_id=row.tenant_id, id=new_id(), integration_id=row.id, priority_order=place, **values
    )
    session.add(rule)
    return rule
