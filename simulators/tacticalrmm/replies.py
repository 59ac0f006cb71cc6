"""Answers in the server's own forms: compact JSON, bare-string errors, HTML error pages."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response

from simulators.tacticalrmm import pages


class ApiError(Exception):
    """An answer other than success, raised from inside a view."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


class Crash(Exception):
    """The real view fails with an unhandled exception here: a 500 HTML page."""


def json_reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON without spaces and with non-ASCII characters as they are."""
    reply = Response(msgspec.json.encode(body), status=status, content_type="application/json")
    reply.headers.update(headers or {})
    return reply


def html_reply(page: str, status: int) -> Response:
    """One of the HTML pages."""
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def server_error() -> Response:
    """The 500 page."""
    return html_reply(pages.SERVER_ERROR, 500)


def not_routed() -> Response:
    """The 404 page of an address the server does not know."""
    return html_reply(pages.NOT_FOUND, 404)


def denied() -> ApiError:
    """The 403 of a missing permission."""
    return ApiError(403, {"detail": "You do not have permission to perform this action."})


def missing(model: str) -> ApiError:
    """The 404 of an object that does not exist."""
    return ApiError(404, {"detail": f"No {model} matches the given query."})


def need(data: dict[str, Any], key: str) -> Any:
    """A key the real view reads without checking: absent means a 500."""
    if key not in data:
        raise Crash(key)
    return data[key]
