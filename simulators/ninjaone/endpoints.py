"""How an address of the API is served: token, scope, rate, then the view under the lock."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from flask import Flask, Response, current_app, g, request

from simulators.ninjaone.applications import ADMINISTRATOR, Grant, User
from simulators.ninjaone.lab import Lab
from simulators.ninjaone.models import Device
from simulators.ninjaone.replies import (
    ApiError,
    bad_request,
    denied,
    error_reply,
    json_reply,
    missing,
    refusal,
)

PREFIXES = ("/v2", "/api/v2")


@dataclass(frozen=True)
class Action:
    """What one method of an address does, and the scope it needs."""

    view: Callable[..., Any]
    scope: str = "monitoring"


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
    found: Lab = current_app.extensions["ninjaone_lab"]
    return found


def grant() -> Grant:
    """What this request's token stands for."""
    found: Grant = g.grant
    return found


def user() -> User | None:
    """The person behind the token; None for an application on its own."""
    return lab().users.get(grant().user_id or 0)


def is_administrator() -> bool:
    """Whether the caller passes for a System Administrator."""
    person = user()
    return person.role == ADMINISTRATOR if person else lab().settings.machine_registers_webhooks


def add_endpoint(app: Flask, endpoint: Endpoint) -> None:
    """Route an address below both prefixes."""

    def serve(**params: Any) -> Response:
        try:
            return _answer(endpoint, params)
        except ApiError as error:
            return error_reply(error)

    for prefix in PREFIXES:
        rule = prefix + endpoint.rule
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        app.add_url_rule(rule, rule, serve, methods=methods, provide_automatic_options=False)


def _answer(endpoint: Endpoint, params: dict[str, Any]) -> Response:
    with lab().lock:
        g.grant = _authenticate()
        _throttle()
        action = endpoint.actions.get(request.method)
        if action is None:
            raise refusal(405, "METHOD_NOT_ALLOWED", "Method not allowed")
        if action.scope not in grant().scopes:
            raise denied(f"The {action.scope} scope is missing")
        result = action.view(**params)
    return result if isinstance(result, Response) else json_reply(result)


def _authenticate() -> Grant:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    found = lab().tokens.get(token)
    expired = found is not None and (found.expires or 0) <= lab().clock.timestamp()
    person = lab().users.get(found.user_id or 0) if found else None
    if found is None or found.revoked or expired or (person is not None and not person.enabled):
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise refusal(401, "UNAUTHORIZED", "Access token is invalid or expired", headers)
    return found


def _throttle() -> None:
    """Count a call of this application, or refuse it; refused calls are not counted."""
    limit, now = lab().settings.rate_limit, lab().clock.timestamp()
    if limit is None:
        return
    recent = [at for at in lab().calls.get(grant().client_id, []) if now - at < 60]
    if len(recent) >= limit:
        headers = {"Retry-After": lab().settings.retry_after} if lab().settings.retry_after else {}
        raise refusal(
            429, "TOO_MANY_REQUESTS", "Rate limit exceeded", {k: str(v) for k, v in headers.items()}
        )
    lab().calls[grant().client_id] = [*recent, now]


def the_device(device_id: int) -> Device:
    """The device of that id, or a 404."""
    found = lab().fleet.devices.get(device_id)
    if found is None:
        raise missing("Device")
    return found


def body() -> dict[str, Any]:
    """The JSON object of the request; no body is an empty object."""
    try:
        data = msgspec.json.decode(request.get_data() or b"{}")
    except msgspec.DecodeError as error:
        raise bad_request("Malformed JSON") from error
    if not isinstance(data, dict):
        raise bad_request("The body must be an object")
    return data


def number(name: str, default: int | None = None) -> int | None:
    """An integer of the query."""
    text = request.args.get(name)
    if text is None or text == "":
        return default
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f"{name} must be an integer") from error


def page_size(default: int, most: int) -> int:
    """The pageSize of the query, cut to what is given at most."""
    wanted = number("pageSize", default) or default
    if wanted < 1:
        raise bad_request("pageSize must be positive")
    return min(wanted, most)


def moment(given: Any, *, milliseconds: bool = False) -> float | None:
    """A time of a query or body: ISO 8601, or a number since the epoch (seconds unless said otherwise)."""
    if given in (None, ""):
        return None
    try:
        value = float(given)
    except (TypeError, ValueError):
        try:
            found = datetime.fromisoformat(str(given))
        except ValueError as error:
            raise bad_request(f"{given} is no time") from error
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(value):
        raise bad_request(f"{given} is no time")
    return value / 1000 if milliseconds else value
