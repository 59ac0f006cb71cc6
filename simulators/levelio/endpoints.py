"""How an address of the API is served: key, rate, then the view under the lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from flask import Flask, Response, current_app, request

from simulators.levelio.lab import Lab
from simulators.levelio.models import ApiKey
from simulators.levelio.replies import (
    ApiError,
    denied,
    error_reply,
    forbidden,
    json_reply,
    malformed,
    missing,
    unfit,
)

T = TypeVar("T")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Action:
    """What one method of an address does; `writes` needs a key that may, `open` checks keys itself."""

    view: Callable[..., Any]
    writes: bool = False
    open: bool = False


@dataclass(frozen=True)
class Endpoint:
    """An address below the API's prefix with its methods."""

    rule: str
    actions: Mapping[str, Action]


def reads(rule: str, view: Callable[..., Any]) -> Endpoint:
    """An address that is only read."""
    return Endpoint(rule, {"GET": Action(view)})


def lab() -> Lab:
    """The server this request is for."""
    found: Lab = current_app.extensions["levelio_lab"]
    return found


def add_endpoint(app: Flask, endpoint: Endpoint) -> None:
    """Route an address."""

    def serve(**params: Any) -> Response:
        try:
            with lab().lock:
                return _answer(endpoint, params)
        except ApiError as error:
            return error_reply(error)

    rule = f"/v2{endpoint.rule}"
    app.add_url_rule(rule, rule, serve, methods=METHODS, provide_automatic_options=False)


def _answer(endpoint: Endpoint, params: dict[str, Any]) -> Response:
    action = endpoint.actions.get(request.method)
    if action is None or not action.open:
        check_key(writes=action is not None and action.writes)
    if action is None:
        raise ApiError(405, {"error": "Method not allowed"})
    result = action.view(**params)
    return result if isinstance(result, Response) else json_reply(result)


def check_key(*, writes: bool) -> None:
    """The request carries a key, raw and without a scheme, that may do this now."""
    key = lab().key_of(request.headers.get("Authorization", ""))
    if key is None:
        raise denied()
    _throttle(key)
    if writes and not key.may_write:
        raise forbidden()


def _throttle(key: ApiKey) -> None:
    """Count a call of this key, or refuse it; refused calls are not counted."""
    settings, now = lab().settings, lab().clock.timestamp()
    if settings.rate_limit is None:
        return
    recent = [at for at in lab().calls.get(key.name, []) if now - at < 60]
    if len(recent) >= settings.rate_limit:
        headers = {"Retry-After": settings.retry_after} if settings.retry_after else {}
        raise ApiError(429, {"error": "Too many requests"}, headers)
    lab().calls[key.name] = [*recent, now]


def known(rows: Mapping[str, T], row_id: str, what: str) -> T:
    """The row of that id, or a 404."""
    if row_id not in rows:
        raise missing(what)
    return rows[row_id]


def body() -> dict[str, Any]:
    """The JSON object of the request; no body is an empty object."""
    try:
        data = msgspec.json.decode(request.get_data() or b"{}")
    except msgspec.DecodeError as error:
        raise malformed("The body is not JSON") from error
    if not isinstance(data, dict):
        raise malformed("The body must be an object")
    return data


def choice(name: str, values: tuple[str, ...]) -> str | None:
    """A word of the query that is one of some."""
    given = request.args.get(name)
    if given is not None and given not in values:
        raise unfit(f"{name} must be one of {', '.join(values)}")
    return given


def switched_on(name: str) -> bool:
    """A boolean of the query."""
    return choice(name, ("true", "false")) == "true"
