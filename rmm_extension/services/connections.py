"""Connecting to vendor accounts: create, test, store, pause, disconnect."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import troubles
from rmm_extension.domain.errors import ConfigError, Conflict, Forbidden
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import Integration, new_id, utc_now
from rmm_extension.providers.contract import Provider

from . import audit, events, registration, sign_in, sign_out
from .catch_all import add_catch_all, propose_routing
from .connection_health import tell_health
from .context import Rmm
from .credentials import auth_mode
from .pace import DatabasePace
from .registration.scope import scope_of

FOLLOWED_AT_FIRST = timedelta(days=7)
"""So far back the changes of alerts are followed with another sign-in, where the vendor tells these."""


class UnknownConnection(LookupError):
    """No such connection in this tenant."""


def entitled(rmm: Rmm, session: Session, tenant_id: str, provider: Provider) -> bool:
    """Whether the tenant's edition includes the provider, and the add-on that it needs is booked."""
    port = rmm.host.entitlements
    if port is None:
        return True
    manifest = provider.manifest
    if not port.provider_enabled(session, tenant_id, manifest.key, manifest.editions):
        return False
    return not manifest.addon or port.addon_active(session, tenant_id, manifest.addon)


def entitled_provider(rmm: Rmm, session: Session, tenant_id: str, key: str) -> Provider:
    """The provider, if the tenant may use it; ``Forbidden`` or ``ConfigError`` otherwise."""
    provider = rmm.providers.get(key)
    if not entitled(rmm, session, tenant_id, provider):
        raise Forbidden(f"{provider.manifest.label} is not part of this tenant's edition and add-ons.")
    return provider


def all_of(session: Session, tenant_id: str) -> Sequence[Integration]:
    """The tenant's connections, by vendor and name."""
    statement = select(Integration).where(Integration.tenant_id == tenant_id)
    return session.scalars(statement.order_by(Integration.provider, Integration.name)).all()


def get(session: Session, tenant_id: str, integration_id: UUID, *, lock: bool = False) -> Integration:
    """One connection; ``lock`` holds its row so that concurrent saves do not wipe each other."""
    statement = select(Integration).where(
        Integration.tenant_id == tenant_id, Integration.id == integration_id
    )
    if lock:
        # Anew, also where the session knows the row already; NO KEY, so that arriving alerts do not wait.
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = session.scalar(statement)
    if found is None:
        raise UnknownConnection("This connection does not exist (any more).")
    return found


def build(rmm: Rmm, session: Session, integration: Integration, *, waits: bool = False) -> Connection:
    """The connection as its provider wants it, secrets in clear.

    ``waits``: somebody else's signing in is waited for; only in a job, for no request may wait so long.
    """
    row, secrets = _together(rmm, session, integration)
    return Connection(
        tenant_id=row.tenant_id,
        integration_id=str(row.id),
        provider=row.provider,
        instance_url=row.instance_url,
        auth_mode=row.auth_mode,
        sessions=sign_in.sessions_of(rmm, row, secrets.pop(sign_in.SESSION, None), waits=waits),
        secrets=secrets,
        settings=dict(row.settings),
        pace=DatabasePace(rmm.db.engine, row.tenant_id),
    )


def _together(rmm: Rmm, session: Session, row: Integration) -> tuple[Integration, dict[str, str]]:
    """The row and the secrets that belong to it: a save may come between the looks at one and the other."""
    while True:
        secrets, saved_at = rmm.vault.read_beside(session, row.tenant_id, row.id)
        if row.connected_at == saved_at:
            return row, secrets
        row = session.get_one(Integration, (row.tenant_id, row.id), populate_existing=True)


def create(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    name: str,
    connection: Connection,
    *,
    catch_all: bool,
    learned: Mapping[str, str] | None = None,
) -> Integration:
    """Keep a tested connection under a name; ``catch_all`` adds the rule that tickets every alert.

    ``learned`` are settings that the vendor told during the test (:func:`~.credentials.learned`).
    """
    provider = entitled_provider(rmm, session, actor.tenant_id, connection.provider)
    row = Integration(
        tenant_id=actor.tenant_id,
        id=new_id(),
        provider=connection.provider,
        name=_clean_name(name),
        setup_step="organizations",
    )
    _apply(row, connection, connection.settings.keys(), learned)
    _mark_connected(row)
    session.add(row)
    _flush_named(session, row)
    _store_secrets(rmm, session, row, connection)
    _begin_rules(rmm, session, actor, row, catch_all=catch_all)
    audit.record(
        session,
        actor,
        "connection.created",
        subject_type="connection",
        subject_id=row.id,
        subject_name=row.name,
        integration_id=row.id,
        changes={"provider": provider.manifest.label, "address": row.instance_url},
    )
    _tell(session, row, "integration_connected")
    return row


def _begin_rules(rmm: Rmm, session: Session, actor: Actor, row: Integration, *, catch_all: bool) -> None:
    routed = rmm.providers.get(row.provider).manifest.routes_alerts
    if routed:
        propose_routing(rmm, session, row)
    if catch_all:
        add_catch_all(session, actor, row, routed=routed)


def reconnect(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    integration_id: UUID,
    connection: Connection,
    *,
    learned: Mapping[str, str] | None = None,
) -> Integration:
    """Keep tested credentials for an existing connection; settings and schedules stay.

    ``learned`` as for :func:`create`.
    """
    row = get(session, actor.tenant_id, integration_id, lock=True)
    left = sign_out.left(rmm, session, row)
    before = {"address": row.instance_url, "sign-in": row.auth_mode, "state": row.state}
    was_in_trouble = troubles(row.state)
    if row.auth_mode != connection.auth_mode:
        old = auth_mode(rmm.providers.get(row.provider), row.auth_mode)
        rmm.vault.drop(session, row.tenant_id, row.id, [f.name for f in old.fields if f.secret])
    _apply(row, connection, _stored_fields(rmm, connection), learned)
    if row.last_sync_at is None:
        row.setup_step = "organizations"
    _mark_connected(row)
    _follow_from_before(row)
    row.config_version += 1
    _store_secrets(rmm, session, row, connection)
    scope = scope_of(rmm.providers.get(row.provider), connection)
    sign_out.begin(rmm, session, actor, row, left, connection.sessions, scope=scope)
    # Told anew in any case: another account, or somebody who looks after a webhook that went missing.
    registration.again(row)
    after = {"address": row.instance_url, "sign-in": row.auth_mode, "state": row.state}
    _audit_change(session, actor, row, "connection.credentials_saved", before, after)
    _tell(session, row, "integration_connected")
    if was_in_trouble:
        tell_health(session, row.tenant_id, "connection_up", row.id, row.name, "")
    return row


def rename(session: Session, actor: Actor, integration_id: UUID, name: str) -> Integration:
    """Give the connection another name, unique among those of its vendor."""
    row = get(session, actor.tenant_id, integration_id, lock=True)
    before = {"name": row.name}
    row.name = _clean_name(name)
    _flush_named(session, row)
    _audit_change(session, actor, row, "connection.renamed", before, {"name": row.name})
    return row


def save_settings(
    session: Session, actor: Actor, integration_id: UUID, changes: Mapping[str, Any]
) -> Integration:
    """Merge settings under the row's lock: saving one never wipes another. ``None`` removes a key."""
    row = get(session, actor.tenant_id, integration_id, lock=True)
    before = {key: row.settings.get(key) for key in changes}
    merged = {**row.settings, **changes}
    row.settings = {key: value for key, value in merged.items() if value is not None}
    row.config_version += 1
    _audit_change(session, actor, row, "connection.settings_saved", before, dict(changes))
    return row


def set_setup_step(session: Session, tenant_id: str, integration_id: UUID, step: str | None) -> None:
    """Remember where the connect wizard was left; ``None`` when it is finished."""
    get(session, tenant_id, integration_id, lock=True).setup_step = step


def pause(session: Session, actor: Actor, integration_id: UUID) -> Integration:
    """Stop polling, webhooks and actions until resumed."""
    if get(session, actor.tenant_id, integration_id, lock=True).state == "not_connected":
        raise Conflict("This connection is not connected.")
    return _set_state(session, actor, integration_id, "paused", "connection.paused")


def resume(session: Session, actor: Actor, integration_id: UUID) -> Integration:
    """Take up again what :func:`pause` stopped."""
    row = get(session, actor.tenant_id, integration_id, lock=True)
    if row.state != "paused":
        raise Conflict("This connection is not paused.")
    _poll_anew(row)
    # What was sent meanwhile was not taken, which is no loss on the way.
    row.webhook_since = utc_now() if row.webhook_enabled and row.webhook_since else None
    registration.wish(row)
    return _set_state(session, actor, integration_id, "connected", "connection.resumed")


def disconnect(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> Integration:
    """Delete the credentials and the webhook; mappings, rules, devices and alerts stay.

    The vendor is told to send nothing and to end the session by a run, and nothing waits for it.
    """
    row = _set_state(session, actor, integration_id, "not_connected", "connection.disconnected")
    left = sign_out.left(rmm, session, row)
    rmm.vault.drop(session, row.tenant_id, row.id)
    sign_out.begin(rmm, session, actor, row, left)
    registration.forget(row)
    sign_in.forget(row)
    row.connected_at = None
    row.webhook_enabled, row.webhook_token_hash = False, None
    _tell(session, row, "integration_disconnected")
    return row


def _set_state(session: Session, actor: Actor, integration_id: UUID, state: str, action: str) -> Integration:
    row = get(session, actor.tenant_id, integration_id, lock=True)
    before = {"state": row.state}
    row.state = state
    row.config_version += 1
    _audit_change(session, actor, row, action, before, {"state": state})
    return row


def _apply(
    row: Integration, connection: Connection, names: Collection[str], learned: Mapping[str, str] | None
) -> None:
    """Take address, sign-in and these settings; others may have been saved since they were read."""
    row.instance_url = connection.instance_url
    row.auth_mode = connection.auth_mode
    taken = {name: connection.settings[name] for name in names if name in connection.settings}
    row.settings = {**(row.settings or {}), **taken, **(learned or {})}


def _stored_fields(rmm: Rmm, connection: Connection) -> set[str]:
    mode = auth_mode(rmm.providers.get(connection.provider), connection.auth_mode)
    return {field.name for field in mode.fields if not field.secret and not field.once}


def _mark_connected(row: Integration) -> None:
    row.state = "connected"
    row.connected_at = utc_now()
    row.last_error = row.last_error_at = None
    _poll_anew(row)


def _poll_anew(row: Integration) -> None:
    """Have alerts polled at once; a second look that was waited for begins again with a first one."""
    row.next_reconcile_at, row.reconcile_state = None, {}


def _follow_from_before(row: Integration) -> None:
    """The account may be another one, whose changes of late nobody has read."""
    if row.alerts_followed_to is not None:
        row.alerts_followed_to = min(row.alerts_followed_to, utc_now() - FOLLOWED_AT_FIRST)


def _store_secrets(rmm: Rmm, session: Session, row: Integration, connection: Connection) -> None:
    """Keep the secrets of the sign-in, no others of it, and the session that its test began."""
    mode = auth_mode(rmm.providers.get(connection.provider), connection.auth_mode)
    if gone := [f.name for f in mode.fields if f.secret and f.name not in connection.secrets]:
        rmm.vault.drop(session, row.tenant_id, row.id, gone)
    for field in mode.fields:
        if field.secret and field.name in connection.secrets:
            value, shown = connection.secrets[field.name], field.kind != "password"
            rmm.vault.store(session, row.tenant_id, row.id, field.name, value, hinted=shown)
    sign_in.keep(rmm, session, row, connection)


def _clean_name(name: str) -> str:
    cleaned = " ".join(name.replace("\x00", "").split())
    if not 1 <= len(cleaned) <= 255:
        raise ConfigError("Give the connection a name of 1 to 255 characters.")
    return cleaned


def _flush_named(session: Session, row: Integration) -> None:
    name = row.name
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"There is a connection named “{name}” already; choose another name.") from error


def _audit_change(
    session: Session,
    actor: Actor,
    row: Integration,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    changes = {key: [before.get(key), after[key]] for key in after if before.get(key) != after[key]}
    audit.record(
        session,
        actor,
        action,
        subject_type="connection",
        subject_id=row.id,
        subject_name=row.name,
        integration_id=row.id,
        changes=changes,
    )


def _tell(session: Session, row: Integration, name: str) -> None:
    events.tell(session, row.tenant_id, name, {"integrationId": str(row.id), "provider": row.provider})
