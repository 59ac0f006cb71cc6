"""The run that tells the vendor: what is to be told, the call with no transaction open, and what came of it.

Before the call it is written down that the vendor may have a webhook of ours from now on, so that a worker
that dies in between leaves one that is known: the next attempt tells it once more, which is safe, and whoever
leaves the connection removes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import works
from rmm_extension.domain.errors import ConfigError, InvalidRequest, NotFound, PermissionMissing
from rmm_extension.domain.registrations import RegistrationState, WebhookRegistration
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import Integration, JobRun, utc_now
from rmm_extension.providers.capabilities import RegistersWebhooks
from rmm_extension.services import audit, connections
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory.load import open_connection
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from .claim import claim
from .scope import scope_of
from .state import GAPS, Registration, read, write
from .wanted import basis_of, digest_of, wanted

KIND = "webhook_register"


@dataclass(frozen=True, slots=True)
class Telling:
    """What the vendor is to be told; ``None`` is to have it send nothing any more."""

    provider: RegistersWebhooks
    label: str
    connection: Connection
    registration: WebhookRegistration | None
    known: Registration


def register(rmm: Rmm, run: Run) -> dict[str, int]:
    """Tell the vendor what it has not been told yet; whether it was told, or has nothing of ours any more."""
    with unit(rmm) as session:
        telling = _begin(rmm, session, run)
    if telling is None:
        return {}
    if telling.registration is None:
        return _remove(rmm, run, telling)
    telling.provider.register_webhook(telling.connection, telling.registration)
    with unit(rmm) as session:
        is_current = _registered(rmm, session, run, telling)
    return {"registered": 1} if is_current else {"outdated": 1}


def tell_failure(rmm: Rmm, session: Session, run: Run, message: str) -> None:
    """It failed: say why, and when it is tried again."""
    row = _row(session, run.tenant_id, run.integration_id)
    if row is None or not works(row.state):
        # What is to be told is looked at anew as soon as the connection works again.
        return
    known, at = read(row), utc_now()
    failed = replace(
        known,
        state=RegistrationState.FAILED,
        at=at,
        error=message,
        basis=_basis(rmm, row),
        attempts=known.attempts + 1,
    )
    if failed.attempts == 1:
        _say(session, run.actor, row, "webhook.not_registered", message)
    if not row.webhook_enabled and failed.attempts >= len(GAPS):
        _left_behind(session, run.actor, row, message)
        return
    write(row, failed, at + failed.gap)


def cancelled(rmm: Rmm, session: Session, tenant_id: str, run_id: UUID) -> None:
    """A person stopped it: nothing is tried before somebody wants it again."""
    stopped = session.get_one(JobRun, (tenant_id, run_id))
    row = _row(session, tenant_id, stopped.integration_id)
    if row is None or not works(row.state):
        return
    words = "It was cancelled before the vendor had answered."
    failed = replace(read(row), state=RegistrationState.FAILED, at=utc_now(), error=words)
    write(row, replace(failed, basis=_basis(rmm, row)))


def _begin(rmm: Rmm, session: Session, run: Run) -> Telling | None:
    """What there is to tell, written down; ``None`` where there is nothing."""
    found = _row(session, run.tenant_id, run.integration_id)
    if found is None or not works(found.state):
        return None
    _, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
    label = provider.manifest.label
    if not isinstance(provider, RegistersWebhooks):
        raise ConfigError(f"{label} is told of no webhook.")
    row = connections.get(session, run.tenant_id, found.id, lock=True)
    if row.webhook_enabled and rmm.settings.public_url is None:
        row.registration_due_at = None  # it becomes due when there is an address to tell
        return None
    known = replace(read(row), basis=basis_of(rmm, provider))
    registration = wanted(rmm, session, row, connection.secrets)
    if registration is None:
        return _begin_removal(row, known, Telling(provider, label, connection, None, known))
    scope = scope_of(provider, connection) or ""
    if known.digest == digest_of(registration, scope, basis_of(rmm, provider)):
        write(row, replace(known, state=RegistrationState.REGISTERED, error=None, attempts=0))
        return None
    claim(session, row, scope)
    waiting = replace(known, state=RegistrationState.WAITING, digest=None, scope=scope)
    write(row, waiting, row.registration_due_at)
    return Telling(provider, label, connection, registration, waiting)


def _begin_removal(row: Integration, known: Registration, telling: Telling) -> Telling | None:
    if known.scope is None:
        write(row, Registration(basis=known.basis))
        return None
    write(row, replace(known, state=RegistrationState.WAITING, digest=None), row.registration_due_at)
    return telling


def _registered(rmm: Rmm, session: Session, run: Run, telling: Telling) -> bool:
    """Write down what the vendor has now; whether that is what it is to have by now."""
    row = _still(session, run, telling)
    if row is None:
        return False
    assert telling.registration is not None
    scope, basis = telling.known.scope or "", telling.known.basis or ""
    told = digest_of(telling.registration, scope, basis)
    now = connections.build(rmm, session, row)
    wish = wanted(rmm, session, row, now.secrets)
    present = scope_of(rmm.providers.get(row.provider), now) or ""
    is_current = wish is not None and digest_of(wish, present, basis) == told
    organizations = telling.registration.organization_ids
    known = replace(
        telling.known,
        state=RegistrationState.REGISTERED if is_current else RegistrationState.WAITING,
        at=utc_now(),
        told_at=utc_now(),
        digest=told,
        organizations=None if organizations is None else len(organizations),
        error=None,
        attempts=0,
    )
    write(row, known, None if is_current else utc_now())
    _say(session, run.actor, row, "webhook.registered", f"at {telling.label}")
    return is_current


def _remove(rmm: Rmm, run: Run, telling: Telling) -> dict[str, int]:
    """Have the vendor send nothing any more. A refusal is told: asking again would be in vain."""
    refusal: str | None = None
    try:
        telling.provider.unregister_webhook(telling.connection)
    except NotFound:
        pass  # there is none
    except (PermissionMissing, InvalidRequest) as error:
        refusal = str(error)
    with unit(rmm) as session:
        row = _still(session, run, telling)
        if row is None:
            return {}
        if refusal:
            _left_behind(session, run.actor, row, refusal)
            return {"left_behind": 1}
        now = connections.build(rmm, session, row)
        is_wanted = wanted(rmm, session, row, now.secrets) is not None  # by now, again
        gone = Registration(basis=telling.known.basis, at=utc_now())
        write(row, gone, utc_now() if is_wanted else None)
        _say(session, run.actor, row, "webhook.unregistered", f"at {telling.label}")
    return {"removed": 1}


def _left_behind(session: Session, actor: Actor, row: Integration, message: str) -> None:
    """The vendor keeps the webhook: nothing more is tried, and deliveries are refused here."""
    due_at = utc_now() if row.webhook_enabled else None
    write(row, Registration(at=utc_now(), error=message, basis=read(row).basis), due_at)
    _say(session, actor, row, "webhook.left_behind", message)


def _still(session: Session, run: Run, telling: Telling) -> Integration | None:
    """The connection, while what the vendor has is its own; it may have been left during the call."""
    row = _row(session, run.tenant_id, run.integration_id, lock=True)
    return row if row is not None and read(row).scope == telling.known.scope else None


def _row(
    session: Session, tenant_id: str, integration_id: UUID | None, *, lock: bool = False
) -> Integration | None:
    if integration_id is None:
        return None
    try:
        return connections.get(session, tenant_id, integration_id, lock=lock)
    except connections.UnknownConnection:
        return None


def _basis(rmm: Rmm, row: Integration) -> str | None:
    """As :func:`basis_of`; what was known of a provider that is not there any more."""
    try:
        provider = rmm.providers.get(row.provider)
    except ConfigError:
        return read(row).basis
    return basis_of(rmm, provider) if isinstance(provider, RegistersWebhooks) else read(row).basis


def _say(session: Session, actor: Actor, row: Integration, action: str, words: str) -> None:
    audit.record(
        session,
        actor,
        action,
        subject_type="connection",
        subject_id=row.id,
        subject_name=row.name,
        integration_id=row.id,
        changes={"webhook": words},
    )
