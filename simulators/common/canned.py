"""The answers to faults that do not depend on the request, in a vendor's own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from simulators.common.misbehaviour import Canned, Fault
from simulators.common.replies import html_reply, json_reply

PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def canned_answers(vendor: str, error: Callable[[int], Any], wrong: Any) -> Canned:
    """`error` makes the body of a status, `wrong` is a good answer of the wrong shape."""

    def throttled(fault: Fault) -> Response:
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return json_reply(error(429), 429, headers)

    def server_error(fault: Fault) -> Response:
        if fault.body is not None:
            return html_reply(fault.body, fault.status)
        return json_reply(error(fault.status), fault.status)

    def wrong_shape(fault: Fault) -> Response:
        if fault.body is not None:
            return Response(fault.body, 200, content_type="application/json")
        return json_reply(wrong, 200)

    return {
        "unauthorized": lambda _: json_reply(error(401), 401),
        "forbidden": lambda _: json_reply(error(403), 403),
        "not_found_html": lambda _: html_reply(PAGE.format("404 Not Found"), 404),
        "throttled": throttled,
        "server_error": server_error,
        "dashboard_html": lambda fault: html_reply(fault.body or PAGE.format(vendor), 200),
        "wrong_shape": wrong_shape,
    }
