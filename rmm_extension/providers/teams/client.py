"""The HTTP calls of Bot Connector, Microsoft Graph and the bots' OpenID document."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from rmm_extension.domain.errors import BadResponse, ProviderError
from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.http import HttpClient
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.teams import address, errors
from rmm_extension.providers.teams.errors import KEY
from rmm_extension.providers.teams.tokens import App, Service, TokenSession, app_of

OPENID_PATH = "/v1/.well-known/openidconfiguration"


class Said(msgspec.Struct):
    """What Bot Connector tells of what was sent; a sent reply may tell nothing."""

    id: str | None = None
    activityId: str | None = None  # noqa: N815 - its own spelling


class ConnectorClient(HttpClient):
    """Bot Connector at one service URL."""

    provider = KEY

    def send(self, conversation_id: str, activity: dict[str, Any]) -> Said:
        """Write into a conversation that there is."""
        path = f"/v3/conversations/{quote(conversation_id, safe='')}/activities"
        return _told(self.write("POST", path, json=activity))

    def start_thread(self, channel_id: str, directory_id: str, activity: dict[str, Any]) -> Said:
        """Begin a thread in a channel. Its first message must come with it, and the directory be named."""
        wish = {
            "isGroup": True,
            "channelData": {"channel": {"id": channel_id}},
            "tenantId": directory_id,
            "activity": activity,
        }
        return _told(self.write("POST", "/v3/conversations", json=wish))

    def explain(self, reply: Reply) -> ProviderError | None:
        """Bot Connector's refusals in words; a web page is of somebody else."""
        return None if reply.is_html else errors.of_connector(reply, self.redact(errors.said(reply)[1]))


class GraphClient(HttpClient):
    """Microsoft Graph."""

    provider = KEY

    def notify(self, person_id: str, notification: dict[str, Any]) -> None:
        """Put a notification into a person's activity feed; answered with nothing."""
        path = f"/v1.0/users/{quote(person_id, safe='')}/teamwork/sendActivityNotification"
        reply = self.write("POST", path, json=notification)
        if reply.body:
            reply.require_json()

    def explain(self, reply: Reply) -> ProviderError | None:
        """Graph's refusals in words; a web page is of somebody else."""
        return None if reply.is_html else errors.of_graph(reply, self.redact(errors.said(reply)[1]))


class OpenIdClient(HttpClient):
    """The document that says with which keys messages to bots are signed; it takes no token."""

    provider = KEY

    def keys(self) -> list[dict[str, Any]]:
        """The signing keys as JSON Web Keys. They are only taken from the host that names them."""
        reply = self.read(OPENID_PATH)
        found = reply.decode(dict[str, Any]).get("jwks_uri")
        if not isinstance(found, str) or not found.startswith(f"{self.base_url}/"):
            raise reply.misshapen("no address of the keys - at `$.jwks_uri`")
        reply = self.read(urlsplit(found).path.removeprefix(urlsplit(self.base_url).path))
        return _usable(reply)


def open_connector(runtime: Runtime, connection: Connection, service_url: str) -> ConnectorClient:
    """A client for this service URL; raises ``ConfigError`` where it is not trusted or something lacks."""
    app = app_of(runtime, connection)
    base = address.service_base(service_url, runtime)
    return ConnectorClient(
        runtime, base, secrets=(app.client_secret,), session=TokenSession(connection, app, Service.BOT)
    )


def open_graph(runtime: Runtime, connection: Connection) -> GraphClient:
    """A client for Graph; raises ``ConfigError`` where something is missing."""
    app: App = app_of(runtime, connection)
    base = address.base_of(runtime, address.GRAPH)
    return GraphClient(
        runtime, base, secrets=(app.client_secret,), session=TokenSession(connection, app, Service.GRAPH)
    )


def open_openid(runtime: Runtime) -> OpenIdClient:
    """A client for the OpenID document."""
    return OpenIdClient(runtime, address.base_of(runtime, address.OPENID))


def _told(reply: Reply) -> Said:
    """What it told. Any success counts, for not every one has a documented body."""
    reply.require_json()
    try:
        return msgspec.json.decode(reply.body, type=Said)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Said()


def _usable(reply: Reply) -> list[dict[str, Any]]:
    """The keys that sign; without any it is no list of keys."""
    found = reply.decode(dict[str, Any]).get("keys")
    keys = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    usable = [one for one in keys if one.get("kty") == "RSA" and isinstance(one.get("kid"), str)]
    if not usable:
        raise BadResponse(
            "Microsoft's list of signing keys has no key that can be used.",
            provider=KEY,
            status=reply.status,
            request_id=reply.request_id,
        )
    return usable
