"""Answers in forms that every vendor uses: compact JSON, HTML pages, errors raised from inside a view."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response


class ApiError(Exception):
    """An answer other than success, raised from inside a view."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


def json_reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON without spaces and with non-ASCII characters as they are."""
    reply = Response(msgspec.json.encode(body), status=status, content_type="application/json")
    reply.headers.update(headers or {})
    return reply


def html_reply(page: str, status: int) -> Response:
    """One of the HTML pages."""
    return Response(page, status=status, content_type="text/html; charset=utf-8")
