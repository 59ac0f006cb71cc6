"""Connections to an account of Level that does not exist, its answers, and its bodies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses

from rmm_extension.domain.types import Connection, WebhookRequest
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.levelio import Level

BASE = "https://93.184.216.34"
KEY = "SECRET-key-of-the-account"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def level() -> Level:
    """The provider as it runs in production, but for the address."""
    return Level(Runtime(base_urls={"levelio": BASE}))


def connection(**more: Any) -> Connection:
    """A connection with a key."""
    given: dict[str, Any] = {
        "tenant_id": "t",
        "integration_id": "1",
        "provider": "levelio",
        "instance_url": "",
        "secrets": {"api_key": KEY},
    }
    return Connection(**(given | more))


def says(path: str, body: Any, status: int = 200, *, method: str = "GET", **headers: str) -> None:
    """Answer this address so, whatever is asked of it."""
    is_page = isinstance(body, str) and body.startswith("<")
    responses.add(
        method,
        BASE + path,
        body=body if isinstance(body, str) else json.dumps(body),
        status=status,
        content_type="text/html" if is_page else "application/json",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def lists(path: str, *pages: list[Any]) -> None:
    """Answer this address with pages, one after the other."""
    for number, rows in enumerate(pages or ([],), 1):
        says(path, {"data": rows, "has_more": number < len(pages)})


def queries(path: str) -> list[dict[str, str]]:
    """What was asked of the address, request by request."""
    urls = [urlsplit(call.request.url or "") for call in responses.calls]
    return [{k: v[0] for k, v in parse_qs(url.query).items()} for url in urls if url.path == path]


def alert(**changes: Any) -> dict[str, Any]:
    """An alert as the API tells it."""
    return {
        "id": "al_123",
        "device_id": "dev_456",
        "device_hostname": "WS-014",
        "name": "Disk space low",
        "description": "C: below 10%",
        "payload": None,
        "severity": "critical",
        "is_resolved": False,
        "started_at": "2026-11-21T11:59:58.000Z",
        "resolved_at": None,
        **changes,
    }


def event(event_type: str, data: Any, **changes: Any) -> WebhookRequest:
    """A delivery of Level's own webhook."""
    body = {
        "event_type": event_type,
        "event_id": "8f14e45f-ceea-467f-a1d5-2f2a0b7f8a11",
        "occurred_at": "2026-11-21T12:00:00.000Z",
        "data": data,
        **changes,
    }
    return posted({key: value for key, value in body.items() if value is not None})


def posted(body: Any, **headers: str) -> WebhookRequest:
    """A delivery with this body."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebhookRequest(headers=named, body=sent, received_at=NOON)
