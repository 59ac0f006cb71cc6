"""Signing in at a vendor in the browser: sending a person there, and knowing them again when they come back.

What was typed waits sealed in a row that the ``state`` finds, for ten minutes. It is taken once, by the same
person in the same browser: ``state`` alone, which the vendor and the address bar have seen, is not enough.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, func
from sqlalchemy.orm import Session

from rmm_extension.domain.authorization import CODE, CODE_VERIFIER, REDIRECT_URI, AuthorizationRequest
from rmm_extension.domain.errors import ConfigError, RMMError
from rmm_extension.domain.logline import line
from rmm_extension.domain.sessions import MemorySessions
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import PendingSignIn, new_id
from rmm_extension.providers.capabilities import AuthorizesInBrowser, EndsSessions
from rmm_extension.providers.contract import Provider

from .context import Rmm
from .lease import PLAIN
from .unit import unit

LASTS = timedelta(minutes=10)
"""How long a person may take at the vendor."""
_SEALED = "sign_in"
_UNKNOWN = (
    "This sign-in is not known (any more): it was finished already, or begun too long ago. If the connection"
    " is not there, begin again."
)
_EXPIRED = "This sign-in was begun more than ten minutes ago, which is too long. Begin again."
_FOREIGN = "This sign-in was begun by somebody else. Begin your own."
_ELSEWHERE = (
    "This sign-in was begun in another browser, or at another address of this application. Begin again, and"
    " stay in one browser."
)

log = logging.getLogger("rmm_extension")


class SignInLost(RMMError):
    """Who came back cannot go on. ``provider`` and ``integration_id`` are what was begun, if by them."""

    def __init__(self, message: str, provider: str | None = None, integration_id: UUID | None = None) -> None:
        super().__init__(message)
        self.provider = provider
        self.integration_id = integration_id


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed, and what the vendor's code is exchanged with. ``extras`` are the form's own values."""

    provider: str
    integration_id: UUID | None
    auth_mode: str
    instance_url: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    redirect_uri: str
    code_verifier: str
    extras: dict[str, str]

    def __repr__(self) -> str:
        return f"Typed({self.provider})"

    def connection(self, tenant_id: str, code: str) -> Connection:
        """The connection to be tested, with the code that the vendor gave."""
        return Connection(
            tenant_id=tenant_id,
            integration_id=str(self.integration_id or ""),
            provider=self.provider,
            instance_url=self.instance_url,
            auth_mode=self.auth_mode,
            secrets=self.secrets,
            settings=self.settings,
            once={CODE: code, REDIRECT_URI: self.redirect_uri, CODE_VERIFIER: self.code_verifier},
            sessions=MemorySessions(),
        )


def begin(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    provider: Provider,
    connection: Connection,
    *,
    redirect_uri: str,
    browser_nonce: str,
    integration_id: UUID | None = None,
    extras: dict[str, str] | None = None,
) -> str:
    """The vendor's page to send the person to; ``browser_nonce`` is what only their browser holds.

    ``integration_id`` is the connection that signs in again; ``None`` will make a new one. Raises
    ``ConfigError`` for what the vendor cannot be asked with.
    """
    if not isinstance(provider, AuthorizesInBrowser):
        raise ConfigError(f"{provider.manifest.label} has no sign-in in the browser.")
    if not browser_nonce:
        raise ConfigError("This browser cannot be known again. Allow cookies and begin again.")
    state = f"{actor.tenant_id}.{secrets.token_urlsafe(32)}"
    typed = Typed(
        provider=connection.provider,
        integration_id=integration_id,
        auth_mode=connection.auth_mode,
        instance_url=connection.instance_url,
        settings=connection.settings,
        secrets=connection.secrets,
        redirect_uri=redirect_uri,
        code_verifier=secrets.token_urlsafe(48),
        extras=extras or {},
    )
    request = AuthorizationRequest(
        redirect_uri=redirect_uri, state=state, code_challenge=_challenge(typed.code_verifier)
    )
    url = provider.authorization_url(connection, request)
    _keep(rmm, session, actor, typed, _hash(state), _hash(browser_nonce))
    return url


def take(rmm: Rmm, actor: Actor, state: str, browser_nonce: str) -> Typed:
    """What was typed before the person left, once. Raises :class:`SignInLost` in words.

    A transaction of its own: whoever shows a ``state`` has used it up, also where they are refused.
    """
    if state.rpartition(".")[0] != actor.tenant_id:
        raise SignInLost(_FOREIGN if "." in state else _UNKNOWN)
    row = PendingSignIn
    with unit(rmm) as session:
        statement = (
            delete(row)
            .where(row.tenant_id == actor.tenant_id, row.state_hash == _hash(state))
            .returning(
                *(row.id, row.browser_hash, row.actor_id, row.provider, row.integration_id),
                *(row.key_id, row.ciphertext, (row.expires_at > func.now()).label("in_time")),
            )
        )
        found = session.execute(statement, execution_options=PLAIN).first()
    if found is None:
        raise SignInLost(_UNKNOWN)
    if found.actor_id != actor.id:
        raise SignInLost(_FOREIGN)
    if not hmac.compare_digest(bytes(found.browser_hash), _hash(browser_nonce)):
        raise SignInLost(_ELSEWHERE, found.provider, found.integration_id)
    if not found.in_time:
        raise SignInLost(_EXPIRED, found.provider, found.integration_id)
    text = rmm.vault.open(actor.tenant_id, found.id, _SEALED, found.key_id, bytes(found.ciphertext))
    return msgspec.json.decode(text, type=Typed)


def abandon(provider: Provider, connection: Connection) -> None:
    """End the session of a sign-in that is not kept, as far as that goes: it would end by itself, too.

    Speaks to the vendor: no transaction may be open.
    """
    token = connection.sessions.current() if connection.sessions else None
    if token is None or not isinstance(provider, EndsSessions):
        return
    try:
        provider.end_session(connection)
    except RMMError as error:
        log.info("%s", line("sign_in.not_ended", provider=connection.provider, error=type(error).__name__))


def forget_expired(rmm: Rmm) -> int:
    """For the tick: delete what waited for people who did not come back; how many."""
    with unit(rmm) as session:
        gone = delete(PendingSignIn).where(PendingSignIn.expires_at < func.now())
        number: int = session.execute(gone, execution_options=PLAIN).rowcount  # type: ignore[attr-defined]
    return number


def _keep(
    rmm: Rmm, session: Session, actor: Actor, typed: Typed, state_hash: bytes, browser_hash: bytes
) -> None:
    row_id = new_id()
    key_id, ciphertext = rmm.vault.seal(actor.tenant_id, row_id, _SEALED, msgspec.json.encode(typed).decode())
    session.add(
        PendingSignIn(
            tenant_id=actor.tenant_id,
            id=row_id,
            state_hash=state_hash,
            browser_hash=browser_hash,
            actor_id=actor.id,
            provider=typed.provider,
            auth_mode=typed.auth_mode,
            integration_id=typed.integration_id,
            key_id=key_id,
            ciphertext=ciphertext,
            expires_at=func.now() + LASTS,
        )
    )
    session.flush()


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode(errors="replace")).digest()


def _challenge(verifier: str) -> str:
    """RFC 7636, S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
