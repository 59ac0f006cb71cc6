"""A connection's webhook: its address, its secret, switching it on and off, rotation."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.host import Actor
from rmm_extension.models import Integration, Secret, utc_now
from rmm_extension.providers.capabilities import SignsWebhooks
from rmm_extension.providers.contract import Provider

from . import audit, registration
from .connections import get
from .context import Rmm

SECRET, PREVIOUS, TOKEN = "webhook_secret", "webhook_secret_previous", "webhook_token"
_JUST_MADE = timedelta(seconds=60)
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """Where the vendor sends to. ``secret`` in clear only right after it was made, else ``None``.

    ``hint`` is what may be shown of the secret; it is empty while the one that the vendor makes is still
    to be pasted, and deliveries are refused until then. ``url`` is a path alone while ``RMM_PUBLIC_URL`` is
    not set.
    """

    url: str
    hint: str
    secret: str | None
    is_public: bool
    is_rotating: bool

    @property
    def is_waiting(self) -> bool:
        """Whether the secret is still to be pasted."""
        return not self.hint


def switch_on(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> WebhookAddress:
    """Accept deliveries; makes the address and the secret the first time and shows the secret once.

    Of a vendor that makes the secret the address alone: see :func:`keep_secret`.
    """
    row = get(session, actor.tenant_id, integration_id, lock=True)
    if row.state == "not_connected":
        raise Conflict("Connect first, then switch the webhook on.")
    is_new = row.webhook_token_hash is None
    if is_new:
        _new_credentials(rmm, session, row, with_secret=_signer(rmm, row) is None)
    if not row.webhook_enabled:
        is_open = rmm.vault.take(session, row.tenant_id, row.id, SECRET) is not None
        row.webhook_enabled, row.webhook_since = True, utc_now() if is_open else None
    registration.wish(row)
    _changed(session, actor, row, "webhook.switched_on")
    return address(rmm, session, row, in_clear=is_new)


def switch_off(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> None:
    """Refuse deliveries; address and secret are kept."""
    row = get(session, actor.tenant_id, integration_id, lock=True)
    row.webhook_enabled = False
    registration.wish(row)
    _changed(session, actor, row, "webhook.switched_off")


def rotate(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> WebhookAddress:
    """Make a new secret; the old one is accepted too until :func:`drop_previous`.

    Raises ``Conflict`` where the vendor makes it.
    """
    row = _with_webhook(session, actor, integration_id)
    if _signer(rmm, row) is not None:
        raise Conflict("The vendor makes this secret: make a new one there and paste it here.")
    _replace(rmm, session, row, secrets.token_hex(24))
    registration.wish(row)
    _changed(session, actor, row, "webhook.secret_rotated")
    return address(rmm, session, row, in_clear=True)


def keep_secret(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID, value: str) -> bool:
    """Take the secret that the vendor made; the one before is accepted too until :func:`drop_previous`.

    Whether it is another one than was known. Raises ``ConfigError`` for what is no secret of this vendor,
    ``Conflict`` where the vendor makes none.
    """
    row = _with_webhook(session, actor, integration_id)
    signer = _signer(rmm, row)
    if signer is None:
        raise Conflict("The secret of this webhook is made here, and is given to the vendor.")
    if len(value) > _LONGEST:
        raise ConfigError(f"A webhook's secret has at most {_LONGEST} characters.")
    checked = signer.check_webhook_secret(value)
    if checked == rmm.vault.take(session, row.tenant_id, row.id, SECRET):
        return False
    _replace(rmm, session, row, checked)
    if row.webhook_enabled and row.webhook_since is None:
        # What was refused until now is no loss on the way.
        row.webhook_since = utc_now()
    _changed(session, actor, row, "webhook.secret_pasted")
    return True


def drop_previous(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> None:
    """Refuse the secret that was replaced."""
    row = _with_webhook(session, actor, integration_id)
    rmm.vault.drop(session, row.tenant_id, row.id, [PREVIOUS])
    _changed(session, actor, row, "webhook.previous_secret_dropped")


def address(rmm: Rmm, session: Session, row: Integration, *, in_clear: bool = False) -> WebhookAddress:
    """The webhook's address for display, ``in_clear`` for whoever has just had its secret made.

    A secret that the vendor made is never shown. Raises ``ConfigError`` when it was never switched on.
    """
    stored = rmm.vault.read(session, row.tenant_id, row.id)
    if TOKEN not in stored:
        raise ConfigError("The webhook of this connection was never switched on.")
    is_ours = in_clear and _signer(rmm, row) is None
    return WebhookAddress(
        url=f"{rmm.settings.public_url or ''}{webhook_path(row.provider, stored[TOKEN])}",
        hint=rmm.vault.hints(session, row.tenant_id, row.id).get(SECRET, ""),
        secret=stored.get(SECRET) if is_ours else None,
        is_public=rmm.settings.public_url is not None,
        is_rotating=PREVIOUS in stored,
    )


def webhook_path(provider: str, token: str) -> str:
    """The path of the address that the vendor sends to."""
    return f"/api/webhooks/{provider}/{token}"


def is_just_made(session: Session, tenant_id: str, integration_id: UUID) -> bool:
    """Whether the secret is so new that its maker may not have seen it: a form sent twice answers twice."""
    made = session.scalar(
        select(Secret.updated_at).where(
            Secret.tenant_id == tenant_id, Secret.integration_id == integration_id, Secret.name == SECRET
        )
    )
    return made is not None and made > utc_now() - _JUST_MADE


def token_hash(token: str) -> bytes:
    """What the database keeps of a token, to find its connection."""
    return hashlib.sha256(token.encode()).digest()


def _with_webhook(session: Session, actor: Actor, integration_id: UUID) -> Integration:
    row = get(session, actor.tenant_id, integration_id, lock=True)
    if row.webhook_token_hash is None:
        raise Conflict("Switch the webhook on first.")
    return row


def _signer(rmm: Rmm, row: Integration) -> SignsWebhooks | None:
    """The connection's provider, where its vendor makes the secret."""
    provider: Provider = rmm.providers.get(row.provider)
    return provider if isinstance(provider, SignsWebhooks) else None


def _new_credentials(rmm: Rmm, session: Session, row: Integration, *, with_secret: bool) -> None:
    token = f"{row.tenant_id}.{secrets.token_urlsafe(32)}"
    rmm.vault.store(session, row.tenant_id, row.id, TOKEN, token)
    if with_secret:
        rmm.vault.store(session, row.tenant_id, row.id, SECRET, secrets.token_hex(24))
    row.webhook_token_hash = token_hash(token)


def _replace(rmm: Rmm, session: Session, row: Integration, secret: str) -> None:
    """Keep this secret, and the one that it replaces beside it."""
    former = rmm.vault.take(session, row.tenant_id, row.id, SECRET)
    if former is not None:
        rmm.vault.store(session, row.tenant_id, row.id, PREVIOUS, former)
    rmm.vault.store(session, row.tenant_id, row.id, SECRET, secret)


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
