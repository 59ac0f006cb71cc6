"""The keys a bot's vendor signs its messages with: kept here, fetched by a run, never in a request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import SLEEPING_STATES, refusal, sleeps
from rmm_extension.domain.errors import ConfigError
from rmm_extension.host import SYSTEM_ACTOR, Actor
from rmm_extension.models import Integration, SigningKeys, new_id
from rmm_extension.providers.capabilities import ReceivesBotMessages
from rmm_extension.services import connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import json_text
from rmm_extension.services.driver import run as run_statement
from rmm_extension.services.lease import PLAIN
from rmm_extension.services.runs import Run
from rmm_extension.services.tenants import active
from rmm_extension.services.unit import unit

KIND = "signing_keys"
AGAIN = timedelta(minutes=1)
"""Keys are fetched for messages no more often than this, whoever sends them."""
FRESH = timedelta(days=1)
RETRY = timedelta(hours=1)
"""After this time keys that are old, or were never had, are asked for again."""
BATCH = 200


def want_keys(
    session: Session, actor: Actor, integration_id: UUID, *, within: timedelta | None = None
) -> bool:
    """Start a run that fetches the keys; with ``within``, only if none was asked for so lately."""
    statement = insert(SigningKeys).values(
        tenant_id=actor.tenant_id,
        id=new_id(),
        integration_id=integration_id,
        keys=[],
        wanted_at=func.clock_timestamp(),
    )
    # The row decides who asks: of two messages at once one waits for the other, and finds the time moved.
    long_ago = (
        or_(SigningKeys.wanted_at.is_(None), SigningKeys.wanted_at < func.clock_timestamp() - within)
        if within
        else None
    )
    wished = session.scalar(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "integration_id"],
            set_={"wanted_at": statement.excluded.wanted_at},
            where=long_ago,
        ).returning(SigningKeys.id),
        execution_options=PLAIN,
    )
    if wished is None:
        return False
    return runs.try_start(session, actor, KIND, integration_id=integration_id) is not None


def fetch_keys(rmm: Rmm, run: Run) -> dict[str, int]:
    """Ask the vendor for its keys and keep them in place of those before."""
    assert run.integration_id is not None
    with unit(rmm) as session:
        row = connections.get(session, run.tenant_id, run.integration_id)
        if sleeps(row.state):
            raise ConfigError(refusal(row.name, row.state))
        provider = connections.entitled_provider(rmm, session, run.tenant_id, row.provider)
    if not isinstance(provider, ReceivesBotMessages):
        raise ConfigError(f"{provider.manifest.label} sends no messages to a bot.")
    # They are public: whether the credentials still work makes no difference.
    keys = provider.signing_keys()
    with unit(rmm) as session:
        run.report(session, done=len(keys), doing="Keeping the keys.")
        _keep(session, run.tenant_id, run.integration_id, keys)
    return {"keys": len(keys)}


def start_due(rmm: Rmm) -> int:
    """For the tick: fetch keys that are a day old, or that a connection never got; how many were started."""
    bots = [one.manifest.key for one in rmm.providers.all() if isinstance(one, ReceivesBotMessages)]
    if not bots:
        return 0
    old = or_(SigningKeys.fetched_at.is_(None), SigningKeys.fetched_at < func.now() - FRESH)
    asked = and_(SigningKeys.wanted_at.is_not(None), SigningKeys.wanted_at >= func.now() - RETRY)
    joined = and_(
        SigningKeys.tenant_id == Integration.tenant_id, SigningKeys.integration_id == Integration.id
    )
    statement = (
        select(Integration.tenant_id, Integration.id, Integration.provider)
        .outerjoin(SigningKeys, joined)
        .where(
            Integration.provider.in_(bots),
            Integration.state.not_in(SLEEPING_STATES),
            Integration.webhook_token_hash.is_not(None),
            old,
            ~func.coalesce(asked, False),
        )
        .limit(BATCH)
    )
    with unit(rmm) as session:
        rows = session.execute(statement.where(Integration.tenant_id == active(rmm, session))).all()
        return sum(_start(rmm, session, row.tenant_id, row.provider, row.id) for row in rows)


def _start(rmm: Rmm, session: Session, tenant_id: str, provider: str, integration_id: UUID) -> bool:
    if not connections.entitled(rmm, session, tenant_id, rmm.providers.get(provider)):
        return False
    return want_keys(session, SYSTEM_ACTOR(tenant_id), integration_id, within=RETRY)


_KEEP = """
INSERT INTO rmm_signing_keys (tenant_id, id, integration_id, keys, fetched_at)
VALUES (%(tenant)s, %(id)s, %(integration)s, %(keys)s::jsonb, clock_timestamp())
ON CONFLICT (tenant_id, integration_id) DO UPDATE SET keys = EXCLUDED.keys, fetched_at = EXCLUDED.fetched_at
"""


def _keep(session: Session, tenant_id: str, integration_id: UUID, keys: Sequence[dict[str, Any]]) -> None:
    run_statement(
        session,
        _KEEP,
        {
            "tenant": tenant_id,
            "id": new_id(),
            "integration": integration_id,
            "keys": json_text(keys),
        },
    )
