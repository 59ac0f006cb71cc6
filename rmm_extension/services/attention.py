"""Alerts that wait under Needs attention: for a client, or for a ticket the host would not make."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select, text
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import HostError
from rmm_extension.domain.logline import line
from rmm_extension.domain.types import Channel
from rmm_extension.models import OPEN_SQL, Alert, DeviceRow, OrganizationMapping

from .context import Rmm
from .followups import start_decisions
from .ingest import decide_again
from .ingest.pipeline import SimultaneousDelivery
from .ingest.stored import ATTENTION
from .ingest.ticket import NO_CLIENT, TICKET_FAILED
from .runs import Run
from .unit import unit

RETRY_TICKET_AFTER = text("interval '5 minutes'")
BATCH = 500

log = logging.getLogger("rmm_extension")


def retry_due(rmm: Rmm) -> int:
    """For the tick: start a run for each connection that has something to decide."""
    with unit(rmm) as session:
        found = session.execute(
            select(Alert.tenant_id, Alert.integration_id).where(_decidable()).distinct()
        ).all()
        started = [start_decisions(session, row.tenant_id, row.integration_id) for row in found]
    return sum(run_id is not None for run_id in started)


def decide_waiting(rmm: Rmm, run: Run) -> dict[str, Any]:
    """Decide every alert of the connection whose obstacle may be gone, each in its own transaction."""
    decided = failed = 0
    with unit(rmm) as session:
        waiting = _waiting(session, run)
    for alert_id in waiting:
        if _decide_or_log(rmm, run.tenant_id, alert_id):
            decided += 1
        else:
            failed += 1
        with unit(rmm) as session:
            run.report(session, done=decided + failed, total=len(waiting))
    return {"decided": decided, "still_waiting": failed}


def _waiting(session: Session, run: Run) -> list[UUID]:
    return list(
        session.scalars(
            select(Alert.id)
            .where(Alert.tenant_id == run.tenant_id, Alert.integration_id == run.integration_id, _decidable())
            .order_by(Alert.triggered_at, Alert.id)
            .limit(BATCH)
        )
    )


def _decide_or_log(rmm: Rmm, tenant_id: str, alert_id: UUID) -> bool:
    """Decide one alert of many: one that cannot be decided must not keep the others waiting."""
    try:
        return _decide(rmm, tenant_id, alert_id)
    except Exception as error:
        log.exception("%s", line("alert.decide_failed", alert=alert_id, error=type(error).__name__))
        return False


def _decide(rmm: Rmm, tenant_id: str, alert_id: UUID) -> bool:
    """Whether the alert is settled now; a host that still refuses leaves it with the new reason."""
    try:
        return _decide_once(rmm, tenant_id, alert_id)
    except HostError as error:
        return _decide_once(rmm, tenant_id, alert_id, ticket_failure=str(error))


def _decide_once(rmm: Rmm, tenant_id: str, alert_id: UUID, ticket_failure: str | None = None) -> bool:
    try:
        with unit(rmm) as session:
            done = decide_again(
                rmm,
                session,
                tenant_id,
                alert_id,
                channel=Channel.TICK,
                waiting_for=ATTENTION,
                ticket_failure=ticket_failure,
            )
            return done is not None and done.ticket_id is not None
    except SimultaneousDelivery:
        return False


def _decidable() -> Any:
    """Waiting alerts whose client is known by now, or whose ticket may be tried again."""
    mapped = exists().where(
        OrganizationMapping.tenant_id == Alert.tenant_id,
        OrganizationMapping.integration_id == Alert.integration_id,
        OrganizationMapping.external_id == Alert.external_organization_id,
        OrganizationMapping.client_id.is_not(None),
    )
    owned = exists().where(
        DeviceRow.tenant_id == Alert.tenant_id,
        DeviceRow.integration_id == Alert.integration_id,
        DeviceRow.external_id == Alert.external_device_id,
        DeviceRow.client_id.is_not(None),
    )
    rested = Alert.attention_at < func.now() - RETRY_TICKET_AFTER
    return and_(
        Alert.attention.is_not(None),
        text(OPEN_SQL.replace("status", "rmm_alerts.status")),
        or_(
            and_(Alert.attention == NO_CLIENT, or_(mapped, owned)),
            and_(Alert.attention == TICKET_FAILED, rested),
        ),
    )
