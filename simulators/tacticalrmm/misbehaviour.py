"""What the server answers while a fault is in force."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from simulators.common.misbehaviour import MODES, Canned, Fault, Misbehaviours
from simulators.tacticalrmm import pages, replies

__all__ = ["CANNED", "MODES", "Fault", "Misbehaviours"]


def _json(body: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return replies.json_reply(body, status, headers)


def _throttled(fault: Fault) -> Response:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    return _json(
        {"detail": f"Request was throttled. Expected available in {fault.retry_after} seconds."}, 429, headers
    )


def _wrong_shape(fault: Fault) -> Response:
    if fault.body is not None:
        return Response(fault.body, 200, content_type="application/json")
    return _json({"count": "many", "next": 7, "results": {"unexpected": [None, 1]}}, 200)


CANNED: Canned = {
    "unauthorized": lambda _: _json({"detail": "Invalid token."}, 401, {"WWW-Authenticate": "Token"}),
    "forbidden": lambda _: _json(replies.denied().body, 403),
    "not_found_html": lambda _: replies.html_reply(pages.NOT_FOUND, 404),
    "throttled": _throttled,
    "server_error": lambda fault: replies.html_reply(fault.body or pages.SERVER_ERROR, fault.status),
    "dashboard_html": lambda fault: replies.html_reply(fault.body or pages.DASHBOARD, 200),
    "wrong_shape": _wrong_shape,
}
