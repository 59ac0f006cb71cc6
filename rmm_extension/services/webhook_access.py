"""A connection's webhook: its address, its secret, switching it on and off, rotation."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.host import Actor
from rmm_extension.models import Integration, utc_now

from . import audit
from .connections import get
from .context import Rmm

SECRET, PREVIOUS, TOKEN = "webhook_secret", "webhook_secret_previous", "webhook_token"


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """Where the vendor sends to. ``secret`` in clear only right after it was made, else ``None``.

    ``hint`` is what may be shown of the secret; ``url`` is a path alone while ``RMM_PUBLIC_URL`` is not set.
    """

    url: str
    hint: str
    secret: str | None
    is_public: bool
    is_rotating: bool


def switch_on(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> WebhookAddress:
    """Accept deliveries; makes the address and the secret the first time and shows the secret once."""
    row = get(session, actor.tenant_id, integration_id, lock=True)
    if row.state == "not_connected":
        raise Conflict("Connect first, then switch the webhook on.")
    fresh = None
    if row.webhook_token_hash is None:
        fresh = _new_credentials(rmm, session, row)
    if not row.webhook_enabled:
        row.webhook_enabled, row.webhook_since = True, utc_now()
    _changed(session, actor, row, "webhook.switched_on")
    return address(rmm, session, row, secret=fresh)


def switch_off(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> None:
    """Refuse deliveries; address and secret are kept."""
    row = get(session, actor.tenant_id, integration_id, lock=True)
    row.webhook_enabled = False
    _changed(session, actor, row, "webhook.switched_off")


def rotate(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> WebhookAddress:
    """Make a new secret; the old one is accepted too until :func:`drop_previous`."""
    row = _with_webhook(session, actor, integration_id)
    current = rmm.vault.read(session, row.tenant_id, row.id)[SECRET]
    rmm.vault.store(session, row.tenant_id, row.id, PREVIOUS, current)
    fresh = secrets.token_hex(24)
    rmm.vault.store(session, row.tenant_id, row.id, SECRET, fresh)
    _changed(session, actor, row, "webhook.secret_rotated")
    return address(rmm, session, row, secret=fresh)


def drop_previous(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> None:
    """Refuse the secret that was replaced."""
    row = _with_webhook(session, actor, integration_id)
    rmm.vault.drop(session, row.tenant_id, row.id, [PREVIOUS])
    _changed(session, actor, row, "webhook.previous_secret_dropped")


def address(rmm: Rmm, session: Session, row: Integration, *, secret: str | None = None) -> WebhookAddress:
    """The webhook's address for display; raises ``ConfigError`` when it was never switched on."""
    stored = rmm.vault.read(session, row.tenant_id, row.id)
    if TOKEN not in stored:
        raise ConfigError("The webhook of this connection was never switched on.")
    path = f"/api/webhooks/{row.provider}/{stored[TOKEN]}"
    return WebhookAddress(
        url=f"{rmm.settings.public_url or ''}{path}",
        hint=f"•••• {stored[SECRET][-4:]}",
        secret=secret,
        is_public=rmm.settings.public_url is not None,
        is_rotating=PREVIOUS in stored,
    )


def token_hash(token: str) -> bytes:
    """What the database keeps of a token, to find its connection."""
    return hashlib.sha256(token.encode()).digest()


def _with_webhook(session: Session, actor: Actor, integration_id: UUID) -> Integration:
    row = get(session, actor.tenant_id, integration_id, lock=True)
    if row.webhook_token_hash is None:
        raise Conflict("Switch the webhook on first.")
    return row


def _new_credentials(rmm: Rmm, session: Session, row: Integration) -> str:
    token = f"{row.tenant_id}.{secrets.token_urlsafe(32)}"
    fresh = secrets.token_hex(24)
    rmm.vault.store(session, row.tenant_id, row.id, TOKEN, token)
    rmm.vault.store(session, row.tenant_id, row.id, SECRET, fresh)
    row.webhook_token_hash = token_hash(token)
    return fresh


def _changed(session: Session, actor: Actor, row: Integration, action: str) -> None:
    row.config_version += 1
    audit.record(
        session,
        actor,
        action,
        subject_type="connection",
        subject_id=row.id,
        subject_name=row.name,
        integration_id=row.id,
    )
