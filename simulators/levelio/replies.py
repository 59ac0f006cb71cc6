"""Errors of the API: an object with one text."""

from __future__ import annotations

from flask import Response

from simulators.common.replies import ApiError, json_reply

__all__ = ["ApiError", "denied", "error_reply", "forbidden", "json_reply", "malformed", "missing", "unfit"]


def denied() -> ApiError:
    """The 401 of a missing, unknown or dead key."""
    return ApiError(401, {"error": "Access denied"})


def forbidden() -> ApiError:
    """The 403 of a key that may only read."""
    return ApiError(403, {"error": "Forbidden"})


def missing(what: str) -> ApiError:
    """The 404 of something that does not exist, or does no longer."""
    return ApiError(404, {"error": f"{what} not found"})


def malformed(message: str) -> ApiError:
    """The 400 of what cannot be read."""
    return ApiError(400, {"error": message})


def unfit(message: str) -> ApiError:
    """The 422 of what can be read and makes no sense."""
    return ApiError(422, {"error": message})


def error_reply(error: ApiError) -> Response:
    """The answer of an error."""
    return json_reply(error.body, error.status, error.headers)
