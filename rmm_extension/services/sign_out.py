"""Ending at the vendor what is left there: by a disconnect, another sign-in, or other credentials.

That is the session, and before it the webhook, where the vendor was told of one by a call. The vendor is
asked by a run. What that needs, the token above all, is set aside in the vault under the run's id, in the
transaction that forgets everything else; it goes with the run, however that ends, and after :data:`KEPT` in
any case.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import (
    AuthFailed,
    ConfigError,
    NotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.logline import line
from rmm_extension.domain.sessions import MemorySessions, Sessions, SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import Integration, JobRun, Secret
from rmm_extension.providers.capabilities import EndsSessions, RegistersWebhooks
from rmm_extension.providers.contract import Provider

from . import audit, kinds, registration, runs, sign_in
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
    """What ending it takes: the connection as it was, without the secrets that this does not need.

    ``token`` is ``None`` where there is no session to end, ``webhook`` where there is no webhook to remove;
    else it is the scope in which the vendor keeps it.
    """

    instance_url: str
    auth_mode: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    token: SessionToken | None = None
    webhook: str | None = None

    def __repr__(self) -> str:
        return "LeftSession(•••)"


def left(rmm: Rmm, session: Session, row: Integration) -> LeftSession | None:
    """What the vendor has of a connection that is about to be left; ``None`` where there is nothing to end.

    What cannot be read (any more) keeps nobody from leaving.
    """
    try:
        provider = rmm.providers.get(row.provider)
        stored = rmm.vault.read(session, row.tenant_id, row.id)
        webhook = registration.read(row).scope if isinstance(provider, RegistersWebhooks) else None
        needed = _needed(provider, row.auth_mode, has_webhook=webhook is not None)
    except ConfigError:
        return None
    token = sign_in.decoded(stored.get(sign_in.SESSION)) if _signs_out(provider, webhook) else None
    if token is None and webhook is None:
        return None
    return LeftSession(
        instance_url=row.instance_url,
        auth_mode=row.auth_mode,
        settings=dict(row.settings),
        secrets={name: value for name, value in stored.items() if name in needed},
        token=token,
        webhook=webhook,
    )


def begin(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    row: Integration,
    found: LeftSession | None,
    now: Sessions | None = None,
    *,
    scope: str | None = None,
) -> None:
    """Queue the end of what :func:`left` found, but for what the connection goes on with.

    That is the session ``now`` and a webhook in this ``scope``. A webhook that is to be removed is the run's
    from here on: the row knows nothing of it any more.
    """
    if found is None:
        return
    current = now.current() if now else None
    goes_on = found.token is None or (current is not None and current.value == found.token.value)
    keeps = found.webhook is None or found.webhook == scope
    if goes_on and keeps:
        return
    if keeps:
        found = replace(found, webhook=None)
    else:
        registration.forget(row)
    subject = {"scope": found.webhook} if found.webhook else {}
    run_id = runs.start(rmm, session, actor, KIND, integration_id=row.id, subject=subject)
    _store(rmm, session, row.tenant_id, row.id, run_id, found)


def end_session(rmm: Rmm, run: Run) -> dict[str, int]:
    """Ask the vendor to end what was set aside for this run; whether it did, or it was over."""
    with unit(rmm) as session:
        found = _found(rmm, session, run)
        connection = _connection(session, run, found) if found else None
    if found is None or connection is None:
        return {}  # done by an attempt before this one, or too old
    provider, counts = rmm.providers.get(connection.provider), dict[str, int]()
    if found.webhook is not None:
        counts |= _end_webhook(rmm, run, provider, connection, found)
    if _token(connection) is not None:
        counts |= _end_token(rmm, run, provider, connection)
    with unit(rmm) as session:
        _forget(session, run.tenant_id, run.id)
    return counts


def _end_webhook(
    rmm: Rmm, run: Run, provider: Provider, connection: Connection, found: LeftSession
) -> dict[str, int]:
    """Have the webhook removed; what cannot be removed is told, and the session ends all the same."""
    if not isinstance(provider, RegistersWebhooks):
        raise ConfigError(f"{provider.manifest.label} is told of no webhook.")
    _wait_for_registration(rmm, run)
    counts, words = {"webhooks": 1}, f"removed at {provider.manifest.label}"
    try:
        provider.unregister_webhook(connection)
    except NotFound:
        pass  # there is none
    except ProviderError as error:
        if isinstance(error, (Unavailable, RateLimited)) and not _is_last(run):
            # Signing in may have been part of it, and what was stored before is worth nothing then.
            with unit(rmm) as session:
                _set_aside(rmm, session, run, replace(found, token=_token(connection)))
            raise
        counts, words = {"left_behind": 1}, f"not removed at {provider.manifest.label}: {error}"
    with unit(rmm) as session:
        _say(session, run, words, of="webhook")
        _set_aside(rmm, session, run, replace(found, token=_token(connection), webhook=None))
    return counts


def _wait_for_registration(rmm: Rmm, run: Run) -> None:
    """A registration that is under way may still reach the vendor: let it end, or it comes behind the end."""
    key = kinds.get("webhook_register").exclusive_key(run.integration_id)
    going_on = select(JobRun.id).where(
        JobRun.tenant_id == run.tenant_id, JobRun.exclusive_key == key, JobRun.status == "running"
    )
    with unit(rmm) as session:
        is_going_on = session.execute(going_on.limit(1)).first() is not None
    if is_going_on and not _is_last(run):
        raise Unavailable("The webhook is being registered just now; it is removed when that is over.")


def _end_token(rmm: Rmm, run: Run, provider: Provider, connection: Connection) -> dict[str, int]:
    if not isinstance(provider, EndsSessions):
        return {}
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
    label = provider_label(session.scalar(select(Integration.provider).where(*_of(run))) or "")
    try:
        found = _found(rmm, session, run)
    except ConfigError:
        found = None
    if found is not None and found.webhook is not None:
        _say(session, run, f"not removed at {label}: {message}", of="webhook")
    _say(session, run, f"not ended at {label}: {message}")
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


def _needed(provider: Provider, mode: str, *, has_webhook: bool) -> tuple[str, ...]:
    """The secrets that are set aside: to remove a webhook one has to be able to sign in."""
    found = auth_mode(provider, mode)
    return tuple(field.name for field in found.fields if field.secret) if has_webhook else found.ends_with


def _set_aside(rmm: Rmm, session: Session, run: Run, found: LeftSession) -> None:
    """Keep what a later attempt goes on with, unless the run's end has taken it all."""
    assert run.integration_id is not None
    if _found(rmm, session, run) is not None:
        _store(rmm, session, run.tenant_id, run.integration_id, run.id, found)


def _store(
    rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID, run_id: UUID, found: LeftSession
) -> None:
    sealed = msgspec.json.encode(found).decode()
    rmm.vault.store(session, tenant_id, integration_id, _name(run_id), sealed, hinted=False)


def _token(connection: Connection) -> SessionToken | None:
    return connection.sessions.current() if connection.sessions else None


def _signs_out(provider: Provider, webhook: str | None) -> bool:
    return isinstance(provider, EndsSessions) or webhook is not None


def _is_last(run: Run) -> bool:
    """Whether no other attempt follows this one."""
    return run.tries >= kinds.get(run.kind).max_attempts


def _found(rmm: Rmm, session: Session, run: Run) -> LeftSession | None:
    assert run.integration_id is not None
    sealed = rmm.vault.take(session, run.tenant_id, run.integration_id, _name(run.id))
    return msgspec.json.decode(sealed, type=LeftSession) if sealed else None


def _connection(session: Session, run: Run, found: LeftSession) -> Connection | None:
    """The connection as it was left."""
    provider = session.scalar(select(Integration.provider).where(*_of(run)))
    if provider is None:
        return None
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


def _say(session: Session, run: Run, words: str, *, of: str = "session") -> None:
    name = session.scalar(select(Integration.name).where(*_of(run)))
    audit.record(
        session,
        run.actor,
        "connection.session_end",
        subject_type="connection",
        subject_id=run.integration_id,
        subject_name=name or "",
        integration_id=run.integration_id,
        changes={of: words},
    )


def _forget(session: Session, tenant_id: str, run_id: UUID) -> None:
    gone = delete(Secret).where(Secret.tenant_id == tenant_id, Secret.name == _name(run_id))
    session.execute(gone, execution_options=PLAIN)


def _of(run: Run) -> tuple[Any, ...]:
    return Integration.tenant_id == run.tenant_id, Integration.id == run.integration_id


def _name(run_id: UUID) -> str:
    return f"{ASIDE}{run_id}"
