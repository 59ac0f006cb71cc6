"""Alerts that wait: for a client, a routing, a ticket the host would not make, or out their rule's hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from rmm_extension.domain.types import Channel
from rmm_extension.models import OPEN_SQL, Alert, DeviceRow, Integration, OrganizationMapping

from . import place
from .alert_routing import is_whole
from .context import Rmm
from .decisions import decide_or_log
from .followups import start_decisions
from .ingest.stored import ATTENTION, HOLD
from .ingest.ticket import NO_CLIENT, ROUTING_INCOMPLETE, TICKET_FAILED
from .runs import Run
from .tenants import active
from .unit import unit

RETRY_TICKET_AFTER = text("interval '5 minutes'")
BATCH = 500
_STEPS: dict[str, tuple[dict[str, Any], ...]] = {ATTENTION: (), HOLD: ({"code": "hold_over"},)}


class _Waiting(NamedTuple):
    id: UUID
    waiting_for: str
    triggered_at: datetime


def retry_due(rmm: Rmm) -> int:
    """For the tick: start a run for each connection that has something to decide."""
    columns = (Alert.tenant_id, Alert.integration_id)
    # Two looks, each by its own small index.
    due = union_all(select(*columns).where(_decidable(rmm)), select(*columns).where(_held_out())).subquery()
    with unit(rmm) as session:
        connections = select(due.c.tenant_id, due.c.integration_id).distinct()
        # What waits in a suspended tenant waits until it is active again.
        found = session.execute(connections.where(due.c.tenant_id == active(rmm, session))).all()
        started = [start_decisions(session, row.tenant_id, row.integration_id) for row in found]
    return sum(run_id is not None for run_id in started)


def decide_waiting(rmm: Rmm, run: Run) -> dict[str, Any]:
    """Decide every alert of the connection that has waited enough, each in its own transaction.

    All of them, oldest first: those that fail again and again keep no later one from its turn.
    """
    counts, last = {"decided": 0, "still_waiting": 0, **run.counts}, place.read(run.cursor)
    more = True
    while more:
        with unit(rmm) as session:
            page = [_Waiting(*row) for row in session.execute(_next(rmm, run, last))]
        for alert in page:
            counts[_decided(rmm, run, alert)] += 1
            last = (alert.triggered_at, alert.id)
            with unit(rmm) as session:
                run.report(session, done=sum(counts.values()), counts=counts, cursor=place.written(last))
        more = len(page) == BATCH
    return counts


def _decided(rmm: Rmm, run: Run, alert: _Waiting) -> str:
    """Decide one alert; the name under which it is counted."""
    done = decide_or_log(
        rmm,
        run.tenant_id,
        alert.id,
        channel=Channel.TICK,
        waiting_for=alert.waiting_for,
        steps=_STEPS[alert.waiting_for],
    )
    # An alert whose hold is over is decided, whatever becomes of it.
    is_decided = done is not None and (done.ticket_id is not None or alert.waiting_for == HOLD)
    return "decided" if is_decided else "still_waiting"


def _next(rmm: Rmm, run: Run, last: place.Place | None) -> Select[UUID, str, datetime]:
    """The run's next alerts with what they wait for, oldest first."""

    def waiting(why: str, condition: ColumnElement[bool]) -> Select[UUID, str, datetime]:
        ours = (Alert.tenant_id == run.tenant_id, Alert.integration_id == run.integration_id)
        later = () if last is None else (tuple_(Alert.triggered_at, Alert.id) > last,)
        return select(Alert.id, literal(why).label("why"), Alert.triggered_at).where(*ours, *later, condition)

    both = union_all(waiting(ATTENTION, _decidable(rmm)), waiting(HOLD, _held_out())).subquery()
    columns = (both.c.id, both.c.why, both.c.triggered_at)
    return select(*columns).order_by(both.c.triggered_at, both.c.id).limit(BATCH)


def _held_out() -> ColumnElement[bool]:
    """Alerts that are still open when their rule's hold ends."""
    return and_(Alert.hold_until <= func.now(), _is_open())


def _decidable(rmm: Rmm) -> ColumnElement[bool]:
    """Alerts whose client or routing is known by now, or whose ticket may be tried again."""
    # An alert that came without an organization is in that of its device, which may have come later.
    by_device = and_(Alert.external_organization_id.is_(None), _is_mapped(DeviceRow.external_organization_id))
    owned = exists().where(
        DeviceRow.tenant_id == Alert.tenant_id,
        DeviceRow.integration_id == Alert.integration_id,
        DeviceRow.external_id == Alert.external_device_id,
        or_(DeviceRow.client_id.is_not(None), by_device),
    )
    rested = Alert.attention_at < func.now() - RETRY_TICKET_AFTER
    return and_(
        Alert.attention.is_not(None),
        _is_open(),
        or_(
            and_(Alert.attention == NO_CLIENT, or_(_is_mapped(Alert.external_organization_id), owned)),
            and_(Alert.attention == ROUTING_INCOMPLETE, _is_routed(rmm)),
            and_(Alert.attention == TICKET_FAILED, rested),
        ),
    )


def _is_mapped(organization: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    """Whether this organization of the alert's connection has a client."""
    return exists().where(
        OrganizationMapping.tenant_id == Alert.tenant_id,
        OrganizationMapping.integration_id == Alert.integration_id,
        OrganizationMapping.external_id == organization,
        OrganizationMapping.client_id.is_not(None),
    )


def _is_routed(rmm: Rmm) -> ColumnElement[bool]:
    """Whether the routing of the alert's connection is whole by now."""
    return exists().where(
        Integration.tenant_id == Alert.tenant_id, Integration.id == Alert.integration_id, is_whole(rmm)
    )


def _is_open() -> ColumnElement[bool]:
    return text(OPEN_SQL.replace("status", "rmm_alerts.status"))  # type: ignore[return-value]
