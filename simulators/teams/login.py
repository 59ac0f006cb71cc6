"""Entra's token endpoint (client credentials), and the document and list of Bot Connector's signing keys."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

import jwt
from flask import Blueprint, Response, request

from simulators.teams import keys
from simulators.teams.endpoints import lab, served
from simulators.teams.models import Bot, Token
from simulators.teams.replies import json_reply, oauth_error
from simulators.teams.signing import ISSUER

BOT_SCOPE = "https://api.botframework.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
BOT_DIRECTORY = "botframework.com"
DIRECTORIES = (keys.DIRECTORY_ID, keys.OTHER_DIRECTORY_ID, BOT_DIRECTORY)

login_blueprint = Blueprint("login", __name__)


@login_blueprint.post("/<directory_id>/oauth2/v2.0/token")
@served
def token(directory_id: str) -> Response:
    """A token for a client id and its secret."""
    scope = request.form.get("scope", "")
    if directory_id not in DIRECTORIES:
        raise oauth_error(400, "invalid_request", 90002, f"Tenant '{directory_id}' not found.")
    if request.form.get("grant_type") != "client_credentials" or scope not in (BOT_SCOPE, GRAPH_SCOPE):
        raise oauth_error(400, "invalid_request", 900144, "The request body is not right.")
    bot = _bot(directory_id)
    lifetime = lab().settings.token_lifetime
    until = lab().clock.timestamp() + lifetime
    value = _value(bot, scope, directory_id, until)
    lab().tokens[value] = Token(bot.app_id, scope, directory_id, until)
    return json_reply(
        {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": value}
    )


def _bot(directory_id: str) -> Bot:
    """The bot of the form, if its app is in the directory."""
    bot = lab().bots.get(request.form.get("client_id", ""))
    home = keys.DIRECTORY_ID
    here = (home, keys.OTHER_DIRECTORY_ID, BOT_DIRECTORY) if bot and bot.is_multi_tenant else (home,)
    if bot is None or directory_id not in here:
        raise oauth_error(400, "unauthorized_client", 700016, "Application was not found in the directory.")
    given = request.form.get("client_secret", "").encode()
    if not any(hmac.compare_digest(one.encode(), given) for one in bot.secrets):
        raise oauth_error(401, "invalid_client", 7000215, "Invalid client secret provided.")
    return bot


def _value(bot: Bot, scope: str, directory_id: str, until: float) -> str:
    """A token that looks like Entra's: nobody but the services themselves can verify it."""
    claims: dict[str, Any] = {
        "aud": scope.removesuffix("/.default"),
        "appid": bot.app_id,
        "tid": directory_id,
        "exp": int(until),
        "uti": secrets.token_hex(8),
    }
    if scope == GRAPH_SCOPE:
        claims["roles"] = list(bot.roles)
    return jwt.encode(claims, secrets.token_hex(32), "HS256")


@login_blueprint.get("/v1/.well-known/openidconfiguration")
@served
def openid() -> Response:
    """Where the keys are."""
    return json_reply(
        {
            "issuer": ISSUER,
            "authorization_endpoint": "https://invalid.botframework.com",
            "jwks_uri": f"{lab().url}/v1/.well-known/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        }
    )


@login_blueprint.get("/v1/.well-known/keys")
@served
def signing_keys() -> Response:
    """The keys that count now."""
    return json_reply({"keys": [one.public() for one in lab().keys]})
