"""The addresses vendors send to. They carry their own secret and see neither session nor CSRF token."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import msgspec
from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from rmm_extension.domain.types import WebhookRequest
from rmm_extension.services.context import Rmm
from rmm_extension.services.messaging.endpoint import PREFIX as MESSAGES
from rmm_extension.services.messaging.inbound import receive_message
from rmm_extension.services.webhooks import Answer, receive, receive_for_tenant

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/api/webhooks"
_JSON = "application/json"
_TOO_BIG = Answer(413, {"error": "The body is too big."})
_NO_TENANT = Answer(400, {"error": "The address needs ?tenant=.", "reason": "tenant_missing"})
_NO_ROUTE = Answer(404, {"error": "There is no such webhook."})
_NO_BOT = Answer(404, {"error": "There is no bot at this address."})
_NO_METHOD = Answer(405, {"error": "Send deliveries with POST."}, {"Allow": "OPTIONS, POST"})
_METHODS = Answer(204, {}, {"Allow": "OPTIONS, POST"})


def register_webhooks(app: Flask) -> None:
    """Answer deliveries, and messages to a bot, before the host's request hooks.

    A vendor passes neither a CSRF check nor a log-in wall, and needs no session. So deliveries are taken at
    the door of the app, in an app context but without a request of Flask. Nothing else goes this way. The
    routes stand in the app's map for those who build or list addresses.
    """
    blueprint = Blueprint("rmm_webhooks", __name__, url_prefix=PREFIX)
    blueprint.add_url_rule("/<provider>/<token>", "token", _routed, methods=["POST"])
    blueprint.add_url_rule("/<provider>", "tenant", _routed, methods=["POST"])
    app.register_blueprint(blueprint)
    app.add_url_rule(f"{MESSAGES}/<token>", "rmm_messages", _routed_message, methods=["POST"])
    app.wsgi_app = _Door(app, app.wsgi_app)  # type: ignore[method-assign]


def _routed(**place: str) -> Response:
    """A delivery that came past the door: a host may call its routes without its WSGI application."""
    return _response(_answer(_rmm(current_app), list(place.values()), request.environ))


def _routed_message(token: str) -> Response:
    """As :func:`_routed`, for a message to a bot."""
    return _response(_answer_message(_rmm(current_app), token, request.environ))


def _response(answer: Answer) -> Response:
    return Response(msgspec.json.encode(answer.body), answer.status, answer.headers, content_type=_JSON)


def _rmm(app: Flask) -> Rmm:
    found: Rmm = app.extensions["rmm"].services
    return found


class _Door:
    """The WSGI application that takes deliveries and lets everything else through."""

    def __init__(self, app: Flask, inner: WSGIApplication) -> None:
        self._app, self._inner = app, inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(f"{PREFIX}/"):
            with self._app.app_context():
                place = path[len(PREFIX) + 1 :].split("/")
                return _send(_answer(_rmm(self._app), place, environ), start_response)
        if path.startswith(f"{MESSAGES}/"):
            with self._app.app_context():
                token = path[len(MESSAGES) + 1 :]
                return _send(_answer_message(_rmm(self._app), token, environ), start_response)
        return self._inner(environ, start_response)


def _answer(rmm: Rmm, place: list[str], environ: WSGIEnvironment) -> Answer:
    """``place`` is the provider and, at a connection's own address, its token."""
    if len(place) > 2 or not all(place):
        return _NO_ROUTE
    if (other := _no_post(environ)) is not None:
        return other
    tenant_id = "" if len(place) == 2 else _tenant(environ)
    if len(place) == 1 and not tenant_id:
        return _NO_TENANT
    delivery = _delivery(rmm, environ)
    if delivery is None:
        return _TOO_BIG
    if len(place) == 2:
        return receive(rmm, place[0], place[1], delivery)
    return receive_for_tenant(rmm, place[0], tenant_id, delivery)


def _answer_message(rmm: Rmm, token: str, environ: WSGIEnvironment) -> Answer:
    """``token`` is that of the connection's address for messages."""
    if not token or "/" in token:
        return _NO_BOT
    if (other := _no_post(environ)) is not None:
        return other
    message = _delivery(rmm, environ)
    return _TOO_BIG if message is None else receive_message(rmm, token, message)


def _no_post(environ: WSGIEnvironment) -> Answer | None:
    """What another method than POST is answered."""
    if environ["REQUEST_METHOD"] == "POST":
        return None
    return _METHODS if environ["REQUEST_METHOD"] == "OPTIONS" else _NO_METHOD


def _delivery(rmm: Rmm, environ: WSGIEnvironment) -> WebhookRequest | None:
    """The request as it came; ``None`` where its body is too big."""
    body = _body(environ, rmm.settings.webhook_max_bytes)
    if body is None:
        return None
    return WebhookRequest(headers=_headers(environ), body=body, received_at=datetime.now(UTC))


def _tenant(environ: WSGIEnvironment) -> str:
    given: str = environ.get("QUERY_STRING", "")
    return parse_qs(given).get("tenant", [""])[0].strip()


def _body(environ: WSGIEnvironment, limit: int) -> bytes | None:
    """The body as it came; ``None`` when it is longer than allowed, whatever its headers say."""
    try:
        # One byte more: a body without a length is cut off at the limit without a word.
        body = get_input_stream(environ, max_content_length=limit + 1).read()
    except RequestEntityTooLarge:
        return None
    except ClientDisconnected:
        return b""
    return None if len(body) > limit else body


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    found = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        found["content-type"] = environ["CONTENT_TYPE"]
    return found


def _send(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    body = msgspec.json.encode(answer.body) if answer.body else b""
    headers = [*answer.headers.items(), ("Content-Length", str(len(body)))]
    if body:
        headers.append(("Content-Type", _JSON))
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [body]
