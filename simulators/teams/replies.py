"""Errors of the services: an object with code and message; the token endpoint's are OAuth's."""

from __future__ import annotations

from flask import Response

from simulators.common.replies import ApiError, json_reply

__all__ = ["ApiError", "error_reply", "json_reply", "oauth_error", "refused"]


def refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> ApiError:
    """An error of Bot Connector or Graph."""
    return ApiError(status, {"error": {"code": code, "message": message}}, headers)


def oauth_error(status: int, error: str, number: int, message: str) -> ApiError:
    """An error of the token endpoint, with Entra's number."""
    description = f"AADSTS{number}: {message}"
    return ApiError(status, {"error": error, "error_description": description, "error_codes": [number]})


def error_reply(error: ApiError) -> Response:
    """The answer of an error."""
    return json_reply(error.body, error.status, error.headers)
