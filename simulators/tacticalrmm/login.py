"""Password login in two steps, with TOTP, and logout."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pyotp
from flask import Response, request

from simulators.tacticalrmm.auth import SESSION
from simulators.tacticalrmm.clock import iso
from simulators.tacticalrmm.endpoints import Action, Endpoint, body, lab
from simulators.tacticalrmm.lab import Token
from simulators.tacticalrmm.replies import ApiError, Crash, json_reply, need
from simulators.tacticalrmm.roles import User
from simulators.tacticalrmm.throttle import throttle

FIRST_STEP = timedelta(seconds=180)
TOTP_WINDOW = 10
"""Steps of 30 s accepted to either side: five minutes."""

BAD = "Bad credentials"


def _user(name: str, password: Any) -> User | None:
    user = lab().users.get(name)
    return user if user and user.active and user.password == password else None


def _may_use_password(user: User) -> bool:
    """Not with the dashboard blocked, not by SSO, and only superusers where local log-ins are off."""
    if user.block_dashboard_login or user.is_sso:
        return False
    return not lab().block_local_user_logon or bool(user.role and user.role.is_superuser)


def _issue(user: User, lifetime: timedelta) -> tuple[str, str | None]:
    token = secrets.token_hex(32)
    expires = lab().clock.now() + lifetime
    lab().tokens[token] = Token(user.name, expires)
    return token, iso(expires)


def _with_cookies(payload: dict[str, Any]) -> Response:
    reply = json_reply(payload)
    reply.set_cookie("csrftoken", secrets.token_hex(16), max_age=31449600, samesite="Lax")
    reply.set_cookie("sessionid", secrets.token_hex(16), max_age=1209600, httponly=True, samesite="Lax")
    return reply


def check_credentials() -> Response:
    """First step: says whether a TOTP code is needed, or already gives a token (180 s until first used)."""
    throttle(lab(), "checkcreds", request.remote_addr or "")
    data = body()
    user = _user(need(data, "username"), data.get("password"))
    if user is None or not _may_use_password(user):
        raise ApiError(400, BAD)
    if user.totp_secret:
        return json_reply({"totp": True})
    token, expiry = _issue(user, FIRST_STEP)
    return _with_cookies({"expiry": expiry, "token": token, "totp": False})


def login() -> Response:
    """Second step. A wrong password and a wrong code answer in different shapes."""
    throttle(lab(), "login", request.remote_addr or "")
    data = body()
    user = _user(need(data, "username"), data.get("password"))
    if user is None:
        raise ApiError(400, {"non_field_errors": ["Unable to log in with provided credentials."]})
    if not _may_use_password(user):
        raise ApiError(400, BAD)
    code = need(data, "twofactor")
    if not user.totp_secret:
        raise Crash("the user has no TOTP key")
    if not _code_fits(user.totp_secret, str(code)):
        raise ApiError(400, BAD)
    token, expiry = _issue(user, SESSION)
    return _with_cookies({"expiry": expiry, "token": token, "username": user.name, "name": None})


def _code_fits(secret: str, code: str) -> bool:
    """Codes are reusable within the window."""
    return pyotp.TOTP(secret).verify(code, for_time=lab().clock.now(), valid_window=TOTP_WINDOW)


def logout() -> Response:
    """Forget the token of this request."""
    lab().tokens.pop(request.headers.get("Authorization", "").partition(" ")[2], None)
    return Response(status=204)


ENDPOINTS = [
    Endpoint("/v2/checkcreds/", "POST, OPTIONS", {"POST": Action(check_credentials)}, public=True),
    Endpoint("/v2/login/", "POST, OPTIONS", {"POST": Action(login)}, public=True),
    Endpoint("/logout/", "POST, OPTIONS", {"POST": Action(logout)}),
]
