"""Connections to an account of NinjaOne that does not exist, and its answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import responses

from rmm_extension.domain.sessions import MemorySessions, SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.ninjaone import NinjaOne
from rmm_extension.providers.ninjaone.session import TOKEN

BASE = "https://93.184.216.34"
CLIENT_SECRET = "SECRET-of-the-application-1"
ALL = "monitoring management control offline_access"


def ninjaone() -> NinjaOne:
    """The provider as it runs in production: no private networks."""
    return NinjaOne(Runtime(base_urls={}))


def connection(
    mode: str = "oauth", *, token: SessionToken | None = None, once: dict[str, str] | None = None, **more: Any
) -> Connection:
    """A connection, signed in where there is a token."""
    given: dict[str, Any] = {
        "tenant_id": "t",
        "integration_id": "1",
        "provider": "ninjaone",
        "instance_url": BASE,
        "auth_mode": mode,
        "secrets": {"client_secret": CLIENT_SECRET},
        "settings": {"client_id": "the-client"},
        "once": once or {},
        "sessions": MemorySessions(token),
    }
    return Connection(**(given | more))


def signed_in(scopes: str = ALL) -> Connection:
    """A connection that has signed in."""
    return connection(
        token=SessionToken(value="SECRET-access-0", refresh="SECRET-refresh-0", scopes=tuple(scopes.split()))
    )


def granted(number: int = 1, *, refresh: bool = True, scope: str | None = ALL, **more: Any) -> dict[str, Any]:
    """What the token endpoint gives."""
    answer = {"access_token": f"SECRET-access-{number}", "token_type": "Bearer", "expires_in": 3600, **more}
    if refresh:
        answer["refresh_token"] = f"SECRET-refresh-{number}"
    return answer | ({"scope": scope} if scope is not None else {})


def says(path: str, body: Any, status: int = 200, *, method: str = "", **headers: str) -> None:
    """Answer this address so."""
    is_page = isinstance(body, str) and body.startswith("<")
    responses.add(
        method or ("POST" if path.startswith("/ws/") else "GET"),
        BASE + path,
        body=body if is_page else json.dumps(body),
        status=status,
        content_type="text/html" if is_page else "application/json",
        headers=headers,
    )


def lists(path: str, rows: list[Any]) -> None:
    """Answer this address with a page of rows, and with nothing behind it."""
    says(path, rows)
    says(path, [])


def token_calls() -> list[dict[str, str]]:
    """The forms that were sent to the token endpoint."""
    return forms(TOKEN)


def forms(path: str) -> list[dict[str, str]]:
    """The forms that were sent to an address."""
    calls = [call.request for call in responses.calls if call.request.url == BASE + path]
    return [
        {key: values[0] for key, values in parse_qs(str(sent.body), keep_blank_values=True).items()}
        for sent in calls
    ]
