"""Errors of the API. No document says what their bodies look like, so the form is a switch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, current_app

from simulators.common.replies import ApiError, json_reply

__all__ = ["ApiError", "error_reply", "iso", "json_reply", "refusal"]


def iso(moment: float | None) -> str | None:
    """A time as the API tells it: UTC with whole seconds."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shaped(style: str, message: str) -> Any:
    """The body of an error: plain data, a text, or None for no body."""
    bodies: dict[str, Any] = {
        "error": {"error": message},
        "errors": {"errors": [{"message": message}]},
        "text": message,
        "empty": None,
    }
    return bodies[style]


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> ApiError:
    """An error in the form that is switched on."""
    style = current_app.extensions["huntress_lab"].settings.error_style
    return ApiError(status, shaped(style, message), headers)


def error_reply(error: ApiError) -> Response:
    """The answer of an error."""
    if isinstance(error.body, dict):
        return json_reply(error.body, error.status, error.headers)
    return Response(error.body, error.status, error.headers, mimetype="text/plain")
