"""The alerts a person selected, and what an action would do with each: told before it is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.host import TicketState
from rmm_extension.models import Alert, AlertCondition, Integration
from rmm_extension.services.context import Rmm

from .paging import AnyRow

_COLUMNS = (
    Alert.id,
    Alert.integration_id,
    Alert.status,
    Alert.severity,
    Alert.device_name,
    Alert.title,
    Alert.message,
    Alert.alert_class,
    Alert.client_id,
    Alert.ticket_id,
    Alert.dedup_key,
    Alert.synthesized,
    Alert.triggered_at,
    Integration.provider,
    AlertCondition.ticket_id.label("condition_ticket_id"),
)


def selected(session: Session, tenant_id: str, alert_ids: Collection[UUID]) -> Sequence[AnyRow]:
    """These alerts with the last ticket of their condition, newest first."""
    if not alert_ids:
        return []
    of_connection = (Integration.tenant_id == Alert.tenant_id) & (Integration.id == Alert.integration_id)
    of_condition = (
        (AlertCondition.tenant_id == Alert.tenant_id)
        & (AlertCondition.integration_id == Alert.integration_id)
        & (AlertCondition.dedup_key == Alert.dedup_key)
    )
    statement = (
        select(*_COLUMNS)
        .join(Integration, of_connection)
        .outerjoin(AlertCondition, of_condition)
        .where(Alert.tenant_id == tenant_id, Alert.id.in_(list(alert_ids)))
    )
    return session.execute(statement.order_by(Alert.triggered_at.desc(), Alert.id)).all()


@dataclass(frozen=True, slots=True)
class TicketPlan:
    """What asking for tickets would do: how many get a new one, which open tickets others join, and who is
    left alone because of a ticket it has or a client it lacks."""

    created: int
    together: int
    joined: Mapping[str, int]
    linked: int
    unmapped: int


def ticket_plan(rmm: Rmm, session: Session, tenant_id: str, rows: Sequence[AnyRow]) -> TicketPlan:
    """The plan for these alerts: one call to the host, however many they are."""
    free = [row for row in rows if row.ticket_id is None and row.client_id is not None]
    asked = {row.condition_ticket_id for row in free if row.condition_ticket_id}
    port = rmm.host.tickets
    states = port.get_many(session, tenant_id, asked) if port and asked else {}
    joined: dict[str, int] = {}
    new: set[tuple[UUID, str, str]] = set()
    together = 0
    for row in free:
        state = states.get(row.condition_ticket_id)
        if state is not None and _fits(state, row):
            joined[state.number] = joined.get(state.number, 0) + 1
        elif (key := (row.integration_id, row.dedup_key, row.client_id)) in new:
            together += 1
        else:
            new.add(key)
    linked = sum(row.ticket_id is not None for row in rows)
    return TicketPlan(len(new), together, joined, linked, len(rows) - len(free) - linked)


def _fits(state: TicketState, row: AnyRow) -> bool:
    return state.is_open and state.client_id == row.client_id
