"""How an address of the API is served: key, rate, right to write, then the view under the lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from flask import Flask, Response, current_app, g, request

from simulators.huntress.gateway import REFUSED
from simulators.huntress.lab import Lab
from simulators.huntress.models import Credential
from simulators.huntress.replies import ApiError, error_reply, json_reply, refusal

T = TypeVar("T")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Action:
    """What one method of an address does."""

    view: Callable[..., Any]
    writes: bool = False
    status: int = 200


@dataclass(frozen=True)
class Address:
    """An address below `/v1` with its methods."""

    rule: str
    actions: Mapping[str, Action]


def reads(rule: str, view: Callable[..., Any]) -> Address:
    """An address that is only read."""
    return Address(rule, {"GET": Action(view)})


def posts(rule: str, view: Callable[..., Any]) -> Address:
    """An address that is only posted to, with a key that may write."""
    return Address(rule, {"POST": Action(view, writes=True, status=201)})


def lab() -> Lab:
    """The server this request is for."""
    found: Lab = current_app.extensions["huntress_lab"]
    return found


def credential() -> Credential:
    """The key this request signs in with."""
    found: Credential = g.credential
    return found


def add_address(app: Flask, address: Address) -> None:
    """Route an address."""

    def serve(**params: Any) -> Response:
        try:
            return _answer(address, params)
        except ApiError as error:
            return error_reply(error)

    rule = f"/v1{address.rule}"
    app.add_url_rule(rule, rule, serve, methods=METHODS, provide_automatic_options=False)


def _answer(address: Address, params: dict[str, Any]) -> Response:
    with lab().lock:
        g.credential = authenticate()
        action = address.actions.get(request.method)
        if action is None:
            raise refusal(405, "Method Not Allowed")
        if action.writes and not credential().writes:
            raise refusal(403, "This API credential does not have permission to perform this action")
        result = action.view(**params)
    return result if isinstance(result, Response) else json_reply(result, action.status)


def authenticate() -> Credential:
    """The key of the request, unless it is one request too many."""
    found = lab().credential_of(request.environ)
    if found is None:
        raise refusal(401, "Unauthorized", {"WWW-Authenticate": 'Basic realm="Huntress API"'})
    if request.environ.get(REFUSED):
        switch = lab().settings.retry_after
        raise refusal(429, "Too Many Requests", {"Retry-After": switch} if switch else None)
    return found


def the(rows: Mapping[int, T], row_id: int, name: str) -> T:
    """The row of that id, or a 404."""
    if row_id not in rows:
        raise refusal(404, f"{name} not found")
    return rows[row_id]


def body() -> dict[str, Any]:
    """The JSON object of the request; no body is an empty object."""
    try:
        data = msgspec.json.decode(request.get_data() or b"{}")
    except msgspec.DecodeError as error:
        raise refusal(400, "The request body is not valid JSON") from error
    if not isinstance(data, dict):
        raise refusal(400, "The request body is not an object")
    return data


def number(name: str) -> int | None:
    """An integer of the query."""
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise refusal(400, f"{name} is invalid") from error


def word(name: str, allowed: Sequence[str]) -> str | None:
    """A word of the query that is one of a few."""
    return checked(name, request.args.get(name) or None, allowed)


def words(name: str, allowed: Sequence[str]) -> set[str]:
    """Words of the query, with commas between or repeated."""
    given = {part for text in request.args.getlist(name) for part in text.split(",") if part}
    for one in given:
        checked(name, one, allowed)
    return given


def checked(name: str, given: Any, allowed: Sequence[str]) -> Any:
    """A value that is absent or one of a few, or a 400."""
    if given is not None and given not in allowed:
        raise refusal(400, f"{name} does not have a valid value")
    return given
