"""The address that a bot's vendor sends messages to: it bears a token of ours, as a webhook's does."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.errors import Conflict
from rmm_extension.host import Actor
from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import ReceivesBotMessages
from rmm_extension.services import audit, connections
from rmm_extension.services.context import Rmm
from rmm_extension.services.webhook_access import TOKEN, token_hash

from .keys import want_keys

PREFIX = "/api/messages"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the vendor sends to. ``url`` is a path alone while ``RMM_PUBLIC_URL`` is not set."""

    url: str
    is_public: bool


def open_endpoint(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> None:
    """Have the vendor's messages taken from now on, and its keys fetched; nothing for a vendor without a bot.

    An address that is there stays, so that nothing is to be changed at the vendor.
    """
    row = connections.get(session, actor.tenant_id, integration_id, lock=True)
    if not isinstance(rmm.providers.get(row.provider), ReceivesBotMessages):
        return
    if row.state == "not_connected":
        raise Conflict("Connect first: the address for messages is made with the connection.")
    if row.webhook_token_hash is None:
        token = f"{row.tenant_id}.{secrets.token_urlsafe(32)}"
        rmm.vault.store(session, row.tenant_id, row.id, TOKEN, token)
        row.webhook_token_hash = token_hash(token)
        audit.record(
            session,
            actor,
            "messaging.endpoint_made",
            subject_type="connection",
            subject_id=row.id,
            subject_name=row.name,
            integration_id=row.id,
        )
    want_keys(session, actor, row.id)


def endpoint(rmm: Rmm, session: Session, row: Integration) -> Endpoint | None:
    """The connection's address; ``None`` while it is not connected."""
    token = rmm.vault.take(session, row.tenant_id, row.id, TOKEN) if row.webhook_token_hash else None
    if token is None:
        return None
    public = rmm.settings.public_url
    return Endpoint(f"{public or ''}{PREFIX}/{token}", public is not None)
