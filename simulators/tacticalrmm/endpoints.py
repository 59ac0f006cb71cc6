"""How an address is served: authentication, permission, method check, lock, then the view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from flask import Flask, Response, current_app, g, request

from simulators.tacticalrmm.auth import authenticate, require
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.replies import ApiError, json_reply
from simulators.tacticalrmm.roles import Role, User

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True)
class Action:
    """What one method of an address does. `locked` views run under the server's lock."""

    view: Callable[..., Any]
    permission: str | None = None
    locked: bool = True


@dataclass(frozen=True)
class Endpoint:
    """An address with its methods. `allow` is the Allow header the real server sends."""

    rule: str
    allow: str
    actions: Mapping[str, Action] = field(default_factory=dict)
    public: bool = False


def lab() -> Lab:
    """The server this request is for."""
    found: Lab = current_app.extensions["tacticalrmm_lab"]
    return found


def current_user() -> User:
    """The authenticated user of this request."""
    user: User = g.user
    return user


def current_role() -> Role | None:
    """The role of this request's user."""
    return current_user().role


def add_endpoint(app: Flask, endpoint: Endpoint) -> None:
    """Route an address."""

    def serve(**params: Any) -> Response:
        reply = _serve(endpoint, params)
        reply.headers["Allow"] = endpoint.allow
        return reply

    app.add_url_rule(
        endpoint.rule, endpoint.rule, serve, methods=ALL_METHODS, provide_automatic_options=False
    )


def _serve(endpoint: Endpoint, params: dict[str, Any]) -> Response:
    try:
        return _answer(endpoint, params)
    except ApiError as error:
        return json_reply(error.body, error.status, error.headers)


def _answer(endpoint: Endpoint, params: dict[str, Any]) -> Response:
    """The order of the real server: credentials, permission, method, view."""
    action = endpoint.actions.get("GET" if request.method == "HEAD" else request.method)
    if not endpoint.public:
        with lab().lock:
            g.user = authenticate(lab(), request)
    if action is None:
        raise ApiError(405, {"detail": f'Method "{request.method}" not allowed.'})
    if not endpoint.public:
        require(current_user(), action.permission)
    if not action.locked:
        return _as_reply(action.view(**params))
    with lab().lock:
        return _as_reply(action.view(**params))


def _as_reply(result: Any) -> Response:
    return result if isinstance(result, Response) else json_reply(result)


def body() -> dict[str, Any]:
    """The JSON object of the request; no body is an empty object."""
    raw = request.get_data()
    if not raw:
        return {}
    if request.mimetype not in (
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ):
        raise ApiError(415, {"detail": f'Unsupported media type "{request.content_type}" in request.'})
    if request.mimetype != "application/json":
        return request.form.to_dict()
    try:
        data = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise ApiError(400, {"detail": f"JSON parse error - {error}"}) from error
    if not isinstance(data, dict):
        raise TypeError("the views expect an object")
    return data
