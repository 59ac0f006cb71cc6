"""How an address of the services is served: under the lock, with errors as answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from flask import Response, current_app, request

from simulators.teams.lab import Lab
from simulators.teams.models import Bot, Token
from simulators.teams.replies import ApiError, error_reply, refused


def lab() -> Lab:
    """The services this request is for."""
    found: Lab = current_app.extensions["teams_lab"]
    return found


def served(view: Callable[..., Response]) -> Callable[..., Response]:
    """The view, under the lock; an error raised in it is its answer."""

    @wraps(view)
    def serve(**params: Any) -> Response:
        try:
            with lab().lock:
                return view(**params)
        except ApiError as error:
            return error_reply(error)

    return serve


def caller(scope: str) -> tuple[Bot, Token]:
    """The bot whose token the request carries, if the token is for this service."""
    token = lab().token_of(request.headers.get("Authorization", ""))
    if token is None or token.scope != scope:
        raise refused(401, "BotNotRegistered", "Authorization has been denied for this request.")
    bot = lab().bots.get(token.app_id)
    if bot is None or not bot.is_registered:
        raise refused(401, "BotNotRegistered", "The bot is not registered.")
    return bot, token


def body() -> dict[str, Any]:
    """The JSON object of the request."""
    try:
        data = msgspec.json.decode(request.get_data() or b"{}")
    except msgspec.DecodeError as error:
        raise refused(400, "BadSyntax", "The request is no JSON.") from error
    if not isinstance(data, dict):
        raise refused(400, "BadSyntax", "The request is no JSON object.")
    return data
