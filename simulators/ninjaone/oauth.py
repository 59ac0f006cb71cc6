"""/ws/oauth/token and /ws/oauth/revoke."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, request

from simulators.ninjaone.applications import Application, Grant
from simulators.ninjaone.endpoints import lab
from simulators.ninjaone.enums import SCOPES
from simulators.ninjaone.replies import ApiError, error_reply, json_reply

oauth_blueprint = Blueprint("oauth", __name__)

Answer = dict[str, Any]
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def refused(error: str, description: str, status: int = 400) -> ApiError:
    """An error of the token endpoint."""
    return ApiError(status, {"error": error, "error_description": description}, NO_STORE)


def client() -> Application:
    """The application that calls, by Basic credentials or by those of the form."""
    client_id, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
    header = request.headers.get("Authorization", "")
    if header.startswith("Basic "):
        try:
            text = base64.b64decode(header[6:], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise refused("invalid_client", "Malformed client credentials", 401) from error
        client_id, secret = map(unquote, text.partition(":")[::2])
    found = lab().applications.get(client_id)
    if found is None or not hmac.compare_digest(found.client_secret.encode(), secret.encode()):
        raise refused("invalid_client", "Client authentication failed", 401)
    return found


@oauth_blueprint.post("/ws/oauth/token", endpoint="token")
@oauth_blueprint.post("/oauth/token", endpoint="token_alias")
def token() -> Response:
    """Give an access token for a code, a refresh token or the client's own credentials."""
    kind = request.form.get("grant_type", "")
    try:
        with lab().lock:
            lab().token_calls[kind] += 1
            answer = _given(kind, client())
    except ApiError as error:
        return error_reply(error)
    return json_reply(answer, headers=NO_STORE)


def _given(kind: str, application: Application) -> Answer:
    if kind not in GRANTS:
        raise refused("unsupported_grant_type", f"Grant type {kind or 'is missing'}")
    if kind not in application.grants:
        raise refused("unauthorized_client", "Grant type is not allowed for this application")
    return GRANTS[kind](application)


def scopes_asked(application: Application, text: str) -> tuple[str, ...]:
    """The scopes of a request, `monitoring` without any; one that is not the application's is an error."""
    asked = tuple(dict.fromkeys(text.split())) or ("monitoring",)
    if not set(asked) <= application.scopes or not set(asked) <= set(SCOPES):
        raise refused("invalid_scope", "Requested scope is not allowed for this application")
    return asked


def _by_client(application: Application) -> Answer:
    asked = scopes_asked(application, request.form.get("scope", ""))
    scopes = tuple(one for one in asked if one not in lab().settings.declined_scopes)
    return _answer(application, None, scopes)


def _by_code(application: Application) -> Answer:
    code = lab().codes.get(request.form.get("code", ""))
    if code is None or code.client_id != application.client_id:
        raise refused("invalid_grant", "Authorization code is invalid")
    spent, code.used = code.used, True
    if spent or code.expires <= lab().clock.timestamp():
        raise refused("invalid_grant", "Authorization code is used or expired")
    if request.form.get("redirect_uri") != code.redirect_uri:
        raise refused("invalid_client", "Redirect URI does not match")
    if code.challenge is not None and challenge_of(request.form.get("code_verifier", "")) != code.challenge:
        raise refused("invalid_grant", "Code verifier does not match")
    answer = _answer(application, code.user_id, code.scopes)
    if "offline_access" in code.scopes:
        answer["refresh_token"] = _new_refresh(Grant(application.client_id, code.user_id, code.scopes, None))
    return answer


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _by_refresh(application: Application) -> Answer:
    text = request.form.get("refresh_token", "")
    found = lab().refresh_tokens.get(text)
    if found is None or found.revoked or found.client_id != application.client_id:
        raise refused("invalid_grant", "Refresh token is invalid")
    person = lab().users.get(found.user_id or 0)
    if person is not None and not person.enabled:
        raise refused("invalid_grant", "User is disabled")
    answer = _answer(application, found.user_id, found.scopes)
    if lab().settings.refresh_answer == "same":
        answer["refresh_token"] = text
    if lab().settings.refresh_answer == "rotate":
        found.revoked = True
        answer["refresh_token"] = _new_refresh(Grant(found.client_id, found.user_id, found.scopes, None))
    return answer


def _answer(application: Application, user_id: int | None, scopes: tuple[str, ...]) -> Answer:
    return {
        "access_token": lab().issue(application.client_id, user_id, scopes),
        "token_type": "Bearer",
        "expires_in": lab().settings.expires_in,
        "scope": " ".join(scopes),
    }


def _new_refresh(grant: Grant) -> str:
    text = f"sim-refresh-{secrets.token_hex(24)}"
    lab().refresh_tokens[text] = grant
    return text


GRANTS: dict[str, Callable[[Application], Answer]] = {
    "authorization_code": _by_code,
    "client_credentials": _by_client,
    "refresh_token": _by_refresh,
}


@oauth_blueprint.post("/ws/oauth/revoke")
def revoke() -> Response:
    """End a token of the caller; an unknown one is fine. A refresh token takes its access tokens along."""
    try:
        with lab().lock:
            application = client()
            lab().token_calls["revoke"] += 1
            _end(application, request.form.get("token", ""))
    except ApiError as error:
        return error_reply(error)
    return Response(status=200)


def _end(application: Application, text: str) -> None:
    access, refresh = lab().tokens.get(text), lab().refresh_tokens.get(text)
    for found in (access, refresh):
        if found is not None and found.client_id == application.client_id:
            found.revoked = True
    if refresh is not None and refresh.revoked:
        same = [one for one in lab().tokens.values() if one.client_id == refresh.client_id]
        for one in same:
            one.revoked = one.revoked or one.user_id == refresh.user_id


@oauth_blueprint.get("/.well-known/oauth-authorization-server")
def description() -> Response:
    """What there is, below whatever host one asks."""
    base = request.host_url.rstrip("/")
    return json_reply(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/ws/oauth/authorize",
            "token_endpoint": f"{base}/ws/oauth/token",
            "revocation_endpoint": f"{base}/ws/oauth/revoke",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": list(SCOPES),
        }
    )
