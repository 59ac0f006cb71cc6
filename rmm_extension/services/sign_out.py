"""Ending at the vendor a session that is left: by a disconnect, another sign-in, or other credentials.

The vendor is asked by a run. What that needs, the token above all, is set aside in the vault under the run's
id, in the transaction that forgets everything else; it goes with the run, however that ends, and after
:data:`KEPT` in any case.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import AuthFailed, ConfigError
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.logline import line
from rmm_extension.domain.sessions import MemorySessions, Sessions, SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import Integration, Secret
from rmm_extension.providers.contract import EndsSessions, Provider

from . import audit, runs, sign_in
from .context import Rmm
from .credentials import auth_mode
from .lease import PLAIN
from .runs import Run
from .unit import unit
from .vault import ASIDE

KIND = "session_end"
KEPT = timedelta(days=1)
"""Nothing is set aside for longer, whatever became of its run."""

log = logging.getLogger("rmm_extension")


class LeftSession(msgspec.Struct, frozen=True, kw_only=True):
    """What ending a session takes: the connection as it was, without the secrets that this does not need."""

    instance_url: str
    auth_mode: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    token: SessionToken

    def __repr__(self) -> str:
        return "LeftSession(•••)"


def left(rmm: Rmm, session: Session, row: Integration) -> LeftSession | None:
    """The stored session of a connection that is about to be left; ``None`` where there is none to end.

    What cannot be read (any more) keeps nobody from leaving.
    """
    try:
        provider = rmm.providers.get(row.provider)
        if not isinstance(provider, EndsSessions):
            return None
        stored = rmm.vault.read(session, row.tenant_id, row.id)
        needed = _named(provider, row.auth_mode)
    except ConfigError:
        return None
    token = sign_in.decoded(stored.get(sign_in.SESSION))
    if token is None:
        return None
    return LeftSession(
        instance_url=row.instance_url,
        auth_mode=row.auth_mode,
        settings=dict(row.settings),
        secrets={name: value for name, value in stored.items() if name in needed},
        token=token,
    )


def begin(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    row: Integration,
    found: LeftSession | None,
    now: Sessions | None = None,
) -> None:
    """Queue the end of what :func:`left` found, unless the connection goes on with it (``now``)."""
    current = now.current() if now else None
    if found is None or (current is not None and current.value == found.token.value):
        return
    run_id = runs.start(rmm, session, actor, KIND, integration_id=row.id)
    sealed = msgspec.json.encode(found).decode()
    rmm.vault.store(session, row.tenant_id, row.id, _name(run_id), sealed, hinted=False)


def end_session(rmm: Rmm, run: Run) -> dict[str, int]:
    """Ask the vendor to end the session that was set aside for this run; whether it did, or it was over."""
    with unit(rmm) as session:
        connection = _connection(rmm, session, run)
    if connection is None:
        return {}  # done by an attempt before this one, or too old
    provider = rmm.providers.get(connection.provider)
    if not isinstance(provider, EndsSessions):
        raise ConfigError(f"{provider.manifest.label} ends no sessions.")
    try:
        provider.end_session(connection)
        done, words = "ended", "ended at"
    except AuthFailed:
        # The token is worth nothing any more. It says nothing of the credentials that the connection has now.
        done, words = "over", "was over at"
    with unit(rmm) as session:
        already = " already" if done == "over" else ""
        _say(session, run, f"{words} {provider.manifest.label}{already}")
        _forget(session, run.tenant_id, run.id)
    return {done: 1}


def tell_failure(rmm: Rmm, session: Session, run: Run, message: str) -> None:
    """The run was given up: say so, and keep nothing."""
    provider = session.scalar(select(Integration.provider).where(*_of(run)))
    _say(session, run, f"not ended at {provider_label(provider or '')}: {message}")
    _forget(session, run.tenant_id, run.id)


def cancelled(rmm: Rmm, session: Session, tenant_id: str, run_id: UUID) -> None:
    """The run was cancelled: keep nothing."""
    _forget(session, tenant_id, run_id)


def forget_left(rmm: Rmm) -> int:
    """For the tick: delete what has been set aside for too long; how many."""
    old = Secret.updated_at < func.now() - KEPT
    with unit(rmm) as session:
        gone = delete(Secret).where(Secret.name.startswith(ASIDE, autoescape=True), old)
        number: int = session.execute(gone, execution_options=PLAIN).rowcount  # type: ignore[attr-defined]
    if number:
        log.warning("%s", line("sessions.forgotten", sessions=number))
    return number


def _named(provider: Provider, mode: str) -> tuple[str, ...]:
    return auth_mode(provider, mode).ends_with


def _connection(rmm: Rmm, session: Session, run: Run) -> Connection | None:
    """The connection as it was left."""
    assert run.integration_id is not None
    sealed = rmm.vault.take(session, run.tenant_id, run.integration_id, _name(run.id))
    provider = session.scalar(select(Integration.provider).where(*_of(run)))
    if sealed is None or provider is None:
        return None
    found = msgspec.json.decode(sealed, type=LeftSession)
    return Connection(
        tenant_id=run.tenant_id,
        integration_id=str(run.integration_id),
        provider=provider,
        instance_url=found.instance_url,
        auth_mode=found.auth_mode,
        secrets=found.secrets,
        settings=found.settings,
        sessions=MemorySessions(found.token),
    )


def _say(session: Session, run: Run, words: str) -> None:
    name = session.scalar(select(Integration.name).where(*_of(run)))
    audit.record(
        session,
        run.actor,
        "connection.session_end",
        subject_type="connection",
        subject_id=run.integration_id,
        subject_name=name or "",
        integration_id=run.integration_id,
        changes={"session": words},
    )


def _forget(session: Session, tenant_id: str, run_id: UUID) -> None:
    gone = delete(Secret).where(Secret.tenant_id == tenant_id, Secret.name == _name(run_id))
    session.execute(gone, execution_options=PLAIN)


def _of(run: Run) -> tuple[Any, ...]:
    return Integration.tenant_id == run.tenant_id, Integration.id == run.integration_id


def _name(run_id: UUID) -> str:
    return f"{ASIDE}{run_id}"
