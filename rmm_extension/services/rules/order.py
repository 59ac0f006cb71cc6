"""The order in which rules are asked."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.errors import Conflict
from rmm_extension.host import Actor
from rmm_extension.models import AlertRule, Integration
from rmm_extension.services import connections
from rmm_extension.services.context import Rmm

from .rows import changed, in_order, locked, renumber


def move(rmm: Rmm, session: Session, actor: Actor, rule_id: UUID, *, up: bool) -> None:
    """Let the rule and its neighbour change places; the first cannot go up, nor the last down."""
    row, rule = locked(session, actor, rule_id)
    rules = in_order(session, row)
    place = rules.index(rule)
    other = place - 1 if up else place + 1
    if 0 <= other < len(rules):
        rules[place], rules[other] = rules[other], rules[place]
        _placed(session, actor, row, rules)


def reorder(
    rmm: Rmm, session: Session, actor: Actor, integration_id: UUID, ordered_ids: Sequence[UUID]
) -> None:
    """Put the connection's rules into this order; raises ``Conflict`` unless it names each of them once."""
    row = connections.get(session, actor.tenant_id, integration_id, lock=True)
    rules = {rule.id: rule for rule in in_order(session, row)}
    if len(set(ordered_ids)) != len(ordered_ids):
        raise Conflict("The new order names a rule twice. Load the page again and order the rules anew.")
    if set(ordered_ids) - rules.keys():
        raise Conflict(
            "The new order names a rule that this connection does not have (any more). Load the page again"
            " and order the rules anew."
        )
    if missing := [rule.name for rule in rules.values() if rule.id not in set(ordered_ids)]:
        raise Conflict(
            f"The new order leaves out {_named(missing)}. Load the page again and order the rules anew."
        )
    wanted = [rules[rule_id] for rule_id in ordered_ids]
    if wanted != list(rules.values()):
        _placed(session, actor, row, wanted)


def _placed(session: Session, actor: Actor, row: Integration, rules: Sequence[AlertRule]) -> None:
    renumber(rules)
    changed(session, actor, row, "rules.reordered", changes={"order": ", ".join(rule.name for rule in rules)})


def _named(names: Sequence[str]) -> str:
    first = f"“{names[0]}”"
    return first if len(names) == 1 else f"{first} and {len(names) - 1} more"
