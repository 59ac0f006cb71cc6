"""When the vendor is to be told: what the tick finds, and what a person does not want to wait for."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import WORKING_STATES
from rmm_extension.domain.errors import ConfigError
from rmm_extension.host import SYSTEM_ACTOR, Actor
from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import RegistersWebhooks
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.tenants import active
from rmm_extension.services.unit import unit

from .wanted import basis_of
from .work import KIND

BATCH = 200


def start_due(rmm: Rmm) -> int:
    """For the tick: start what is due; how many.

    Due is what was wished, what failed long enough ago, and what an earlier release or another address of
    this installation told. The due time stays until a run has come to an end, so that nothing is locked here.
    """
    wishes = [_due(rmm, one) for one in rmm.providers.all() if isinstance(one, RegistersWebhooks)]
    if not wishes:
        return 0
    columns = (Integration.tenant_id, Integration.id, Integration.provider)
    with unit(rmm) as session:
        statement = select(*columns).where(
            Integration.tenant_id == active(rmm, session), Integration.state.in_(WORKING_STATES), or_(*wishes)
        )
        rows = session.execute(statement.order_by(Integration.registration_due_at).limit(BATCH)).all()
        return sum(_start(rmm, session, row.tenant_id, row.provider, row.id) for row in rows)


def start(rmm: Rmm, actor: Actor, integration_id: UUID) -> None:
    """Start what a person has just wished, without waiting for the tick; in a unit of its own.

    One that is under way is enough: it finds the wish at its end, or the next tick does.
    """
    with unit(rmm) as session:
        row = connections.get(session, actor.tenant_id, integration_id)
        try:
            provider = rmm.providers.get(row.provider)
        except ConfigError:
            return
        if isinstance(provider, RegistersWebhooks) and row.state in WORKING_STATES:
            runs.try_start(session, actor, KIND, integration_id=integration_id)


def _due(rmm: Rmm, provider: Provider) -> ColumnElement[bool]:
    due: ColumnElement[bool] = Integration.registration_due_at <= func.now()
    if rmm.settings.public_url is not None:
        assert isinstance(provider, RegistersWebhooks)
        known = func.coalesce(Integration.registration["basis"].astext, "")
        due = or_(due, and_(Integration.webhook_enabled, known != basis_of(rmm, provider)))
    return and_(Integration.provider == provider.manifest.key, due)


def _start(rmm: Rmm, session: Session, tenant_id: str, provider: str, integration_id: UUID) -> bool:
    if not connections.entitled(rmm, session, tenant_id, rmm.providers.get(provider)):
        return False
    started = runs.try_start(session, SYSTEM_ACTOR(tenant_id), KIND, integration_id=integration_id)
    return started is not None
