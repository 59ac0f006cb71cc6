"""Who is asking: API keys (`X-API-KEY`, exact match) and session tokens (`Authorization: Token …`)."""

from __future__ import annotations

from datetime import timedelta

from flask import Request

from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.replies import ApiError, denied
from simulators.tacticalrmm.roles import User

CHALLENGE = {"WWW-Authenticate": "Token"}
SESSION = timedelta(hours=5)
REFRESH_EVERY = timedelta(seconds=600)


def _refuse(detail: str) -> ApiError:
    return ApiError(401, {"detail": detail}, CHALLENGE)


def authenticate(lab: Lab, request: Request) -> User:
    """The user of the request, or the 401 that fits."""
    key = request.headers.get("X-API-KEY")
    if key is not None:
        return _by_api_key(lab, key)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "token" and token:
        return _by_token(lab, token)
    raise _refuse("Authentication credentials were not provided.")


def _by_api_key(lab: Lab, key: str) -> User:
    entry = lab.api_keys.get(key)
    if entry is None:
        raise _refuse("Invalid token.")
    if not entry.user.active:
        raise _refuse("User inactive or deleted.")
    if entry.expires is not None and entry.expires < lab.clock.now():
        raise _refuse("The token has expired.")
    return entry.user


def _by_token(lab: Lab, token: str) -> User:
    """Use slides the expiry to five hours from now, at most every 600 s."""
    session = lab.tokens.get(token)
    now = lab.clock.now()
    if session is None or session.expires < now:
        lab.tokens.pop(token, None)
        raise _refuse("Invalid token.")
    if now + SESSION - session.expires >= REFRESH_EVERY:
        session.expires = now + SESSION
    return lab.users[session.user_name]


def require(user: User, permission: str | None) -> None:
    """403 unless the user's role carries the permission; null asks for nothing."""
    if permission is not None and not (user.role and user.role.allows(permission)):
        raise denied()
