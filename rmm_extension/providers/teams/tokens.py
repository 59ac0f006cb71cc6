"""The tokens of the app: one for Bot Connector, one for Microsoft Graph, kept together as one session.

``POST {login}/{directory}/oauth2/v2.0/token`` with ``client_credentials``, by Microsoft's description of the
authentication of bots. Bot Connector's comes from the directory ``botframework.com`` for a multi-tenant bot
and from the bot's own directory for a single-tenant one; Graph's always from that of the people. A token
lives for about an hour and is renewed ahead of its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import quote

import jwt
import msgspec

from rmm_extension.domain.errors import AuthFailed, PermissionMissing, ProviderError
from rmm_extension.domain.sessions import MemorySessions, SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.http import HttpClient
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.session import VendorSession
from rmm_extension.providers.teams import address, errors
from rmm_extension.providers.teams.errors import KEY, DirectoryUnknown
from rmm_extension.providers.teams.manifest import MULTI_TENANT
from rmm_extension.providers.values import printable

BOT_DIRECTORY = "botframework.com"
AHEAD = timedelta(minutes=5)
"""How long before its end a token is renewed."""
_LIFETIME = 3600
_TRIES = 3
_NO_CONSENT = (
    "Microsoft Entra does not know the app in the directory of the people: the Directory ID is wrong, or no"
    " administrator of it has granted consent yet. Without it nobody can be notified in the activity feed."
)


class Service(StrEnum):
    """What a token is for, by its scope."""

    BOT = "https://api.botframework.com/.default"
    GRAPH = "https://graph.microsoft.com/.default"


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A token of one service. Never logged."""

    value: str
    renew_at: datetime

    def __repr__(self) -> str:
        return "Ticket(•••)"


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: float | None = None


class TokenClient(HttpClient):
    """Microsoft Entra's token endpoint: it takes no token."""

    provider = KEY

    def explain(self, reply: Reply) -> ProviderError | None:
        """Entra's refusals in words."""
        return errors.of_sign_in(reply, self.redact(errors.said(reply)[1]))


@dataclass(frozen=True, slots=True, repr=False)
class App:
    """The app registration that the connection works by."""

    runtime: Runtime
    app_id: str
    client_secret: str
    directory_id: str
    is_multi_tenant: bool

    def directory_of(self, service: Service) -> str:
        """The directory that gives the token of this service."""
        return BOT_DIRECTORY if service is Service.BOT and self.is_multi_tenant else self.directory_id

    def ask(self, service: Service) -> Ticket:
        """A new token; raises ``AuthFailed`` with what the refusal can mean.

        A multi-tenant bot that the people's directory does not know still writes messages: that is a
        ``PermissionMissing`` of Graph alone.
        """
        try:
            return self._ask(service)
        except DirectoryUnknown as error:
            if service is Service.BOT or not self.is_multi_tenant:
                raise
            raise PermissionMissing(
                _NO_CONSENT, provider=KEY, status=error.status, request_id=error.request_id
            ) from None

    def _ask(self, service: Service) -> Ticket:
        # Our own clock, from before the request: it is the one that looks whether the token has ended.
        asked_at = datetime.now(UTC)
        form = {
            "grant_type": "client_credentials",
            "client_id": self.app_id,
            "client_secret": self.client_secret,
            "scope": service.value,
        }
        path = f"/{quote(self.directory_of(service), safe='')}/oauth2/v2.0/token"
        base = address.base_of(self.runtime, address.LOGIN)
        with TokenClient(self.runtime, base, secrets=(self.client_secret,), retries=0) as client:
            reply = client.write("POST", path, form=form)
            return _ticket(reply, asked_at)


def app_of(runtime: Runtime, connection: Connection) -> App:
    """The app of the connection; raises ``ConfigError`` where something is missing."""
    given = {name: str(connection.settings.get(name) or "").strip() for name in ("app_id", "directory_id")}
    return App(
        runtime,
        app_id=printable(given["app_id"], "Microsoft App ID"),
        client_secret=printable(connection.secrets.get("client_secret", "").strip(), "client secret"),
        directory_id=printable(given["directory_id"], "Directory (tenant) ID"),
        is_multi_tenant=connection.auth_mode == MULTI_TENANT,
    )


class TokenSession(VendorSession):
    """Signs requests to one service. The connection's session holds the tokens of both, by their scopes."""

    def __init__(self, connection: Connection, app: App, service: Service) -> None:
        self._kept = connection.sessions or MemorySessions()
        super().__init__(self._kept, self._with_new)
        self._app, self._service = app, service
        self._ticket: Ticket | None = None

    def headers(self) -> dict[str, str]:
        """What signs a request; asks for a token where none is kept that lasts."""
        if self._ticket is None or self._ticket.renew_at <= datetime.now(UTC):
            self._ticket = self._lasting(self._kept.current(), refused=None)
        return {"Authorization": f"Bearer {self._ticket.value}"}

    def renew(self) -> None:
        """The service has refused the token: have another one."""
        self._ticket = self._lasting(self._kept.current(), refused=self._ticket)

    def secrets(self) -> tuple[str, ...]:
        """What no text may hold."""
        return (self._ticket.value,) if self._ticket else ()

    def _lasting(self, token: SessionToken | None, refused: Ticket | None) -> Ticket:
        """A token of the service that was not refused and is not near its end, kept or new.

        Somebody else may have renewed the session in between, for the other service: then once more.
        """
        for _ in range(_TRIES):
            found = _opened(token).get(self._service)
            if found and found.renew_at > datetime.now(UTC) and (not refused or found.value != refused.value):
                return found
            token = self._kept.renew(token.value if token else None, self._with_new)
        found = _opened(token).get(self._service)
        if found is None:
            raise AuthFailed("Microsoft Entra gave no token that lasts. Try again.", provider=KEY)
        return found

    def _with_new(self, ended: SessionToken | None) -> SessionToken:
        tickets = {**_opened(ended), self._service: self._app.ask(self._service)}
        return SessionToken(value=msgspec.json.encode(tickets).decode())


def granted(ticket: Ticket) -> tuple[str, ...] | None:
    """The application permissions that a token of Graph holds; ``None`` where it does not tell.

    Entra writes them into the claim ``roles``. The token comes from Entra itself, so nothing is verified.
    """
    try:
        claims = jwt.decode(ticket.value, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        return None
    roles = claims.get("roles", [])
    return tuple(str(role) for role in roles) if isinstance(roles, list) else None


def _opened(token: SessionToken | None) -> dict[str, Ticket]:
    if token is None:
        return {}
    try:
        return msgspec.json.decode(token.value, type=dict[str, Ticket])
    except msgspec.MsgspecError:
        return {}


def _ticket(reply: Reply, asked_at: datetime) -> Ticket:
    answer = reply.decode(_TokenAnswer)
    value = answer.access_token
    if not value or not value.isascii() or not value.isprintable():
        raise reply.misshapen("the token - at `$.access_token`")
    seconds = answer.expires_in if answer.expires_in and answer.expires_in > 0 else _LIFETIME
    lifetime = timedelta(seconds=min(seconds, 86_400))
    # One that lives for minutes only is not renewed before half of them are over.
    return Ticket(value=value, renew_at=asked_at + lifetime - min(AHEAD, lifetime / 2))
