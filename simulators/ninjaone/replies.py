"""Errors of the API in the three shapes that were seen, or with no body at all."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Response, current_app

from simulators.common.replies import ApiError, json_reply

__all__ = ["ApiError", "bad_request", "denied", "empty", "failed", "json_reply", "missing", "refusal"]


def shaped(style: str, code: str, message: str) -> Any:
    """The body of an error; None for none."""
    bodies: dict[str, Any] = {
        "resultCode": {"resultCode": code, "errorMessage": message, "incidentId": secrets.token_hex(8)},
        "error": {"error": message},
        "message": {"message": message},
        "empty": None,
    }
    return bodies[style]


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> ApiError:
    """An error in the shape that is switched on."""
    style = current_app.extensions["ninjaone_lab"].settings.error_style
    return ApiError(status, shaped(style, code, message), headers)


def bad_request(message: str) -> ApiError:
    """A 400."""
    return refusal(400, "BAD_REQUEST", message)


def denied(message: str = "Forbidden") -> ApiError:
    """A 403."""
    return refusal(403, "FORBIDDEN", message)


def missing(what: str) -> ApiError:
    """The 404 of something that does not exist, or does no longer."""
    return refusal(404, "NOT_FOUND", f"{what} not found")


def failed() -> ApiError:
    """The 500 of what the server cannot make sense of, such as some device filters."""
    return refusal(500, "FAILURE", "Internal server error")


def empty(status: int = 204) -> Response:
    """An answer without a body."""
    return Response(status=status)


def error_reply(error: ApiError) -> Response:
    """The answer of an error."""
    if error.body is None:
        return Response(status=error.status, headers=error.headers)
    return json_reply(error.body, error.status, error.headers)
