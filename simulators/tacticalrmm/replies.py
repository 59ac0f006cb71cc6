"""Answers in the server's own forms: compact JSON, bare-string errors, HTML error pages."""

from __future__ import annotations

from typing import Any

from flask import Response

from simulators.common.replies import ApiError, html_reply, json_reply
from simulators.tacticalrmm import pages

__all__ = [
    "ApiError",
    "Crash",
    "denied",
    "html_reply",
    "json_reply",
    "missing",
    "need",
    "not_routed",
    "server_error",
]


class Crash(Exception):
    """The real view fails with an unhandled exception here: a 500 HTML page."""


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
