"""What the server answers while a fault is in force."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from simulators.common.misbehaviour import MODES, Canned, Fault
from simulators.common.replies import html_reply, json_reply

__all__ = ["CANNED", "MODES", "Fault"]

LISTS = ("organizations", "agents", "incident_reports", "escalations")
PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def _throttled(fault: Fault) -> Response:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    return json_reply({"error": "Too Many Requests"}, 429, headers)


def _server_error(fault: Fault) -> Response:
    if fault.body is not None:
        return html_reply(fault.body, fault.status)
    return json_reply({"error": "Internal Server Error"}, fault.status)


def _wrong_shape(fault: Fault) -> Response:
    if fault.body is not None:
        return Response(fault.body, 200, content_type="application/json")
    lists = {name: {"unexpected": [None]} for name in LISTS}
    body: Any = {"pagination": 7, "account": [], **lists}
    return json_reply(body, 200)


CANNED: Canned = {
    "unauthorized": lambda _: json_reply({"error": "Unauthorized"}, 401),
    "forbidden": lambda _: json_reply({"error": "Forbidden"}, 403),
    "not_found_html": lambda _: html_reply(PAGE.format("404 Not Found"), 404),
    "throttled": _throttled,
    "server_error": _server_error,
    "dashboard_html": lambda fault: html_reply(fault.body or PAGE.format("Huntress"), 200),
    "wrong_shape": _wrong_shape,
}
