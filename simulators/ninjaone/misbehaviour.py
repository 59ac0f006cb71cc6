"""What the server answers while a fault is in force."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from simulators.common.misbehaviour import MODES, Canned, Fault, Misbehaviours
from simulators.common.replies import html_reply, json_reply

__all__ = ["CANNED", "MODES", "Fault", "Misbehaviours"]

PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def _json(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return json_reply({"resultCode": code, "errorMessage": message}, status, headers)


def _throttled(fault: Fault) -> Response:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    return _json(429, "TOO_MANY_REQUESTS", "Rate limit exceeded", headers)


def _server_error(fault: Fault) -> Response:
    if fault.body is not None:
        return html_reply(fault.body, fault.status)
    return _json(fault.status, "FAILURE", "Internal server error")


def _wrong_shape(fault: Fault) -> Response:
    if fault.body is not None:
        return Response(fault.body, 200, content_type="application/json")
    body: Any = {"cursor": 7, "results": {"unexpected": [None, 1]}}
    return json_reply(body, 200)


CANNED: Canned = {
    "unauthorized": lambda _: _json(401, "UNAUTHORIZED", "Access token is invalid or expired"),
    "forbidden": lambda _: _json(403, "FORBIDDEN", "Forbidden"),
    "not_found_html": lambda _: html_reply(PAGE.format("404 Not Found"), 404),
    "throttled": _throttled,
    "server_error": _server_error,
    "dashboard_html": lambda fault: html_reply(fault.body or PAGE.format("NinjaOne"), 200),
    "wrong_shape": _wrong_shape,
}
