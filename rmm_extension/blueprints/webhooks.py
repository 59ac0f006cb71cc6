"""The addresses vendors send to. They carry their own secret and see neither session nor CSRF token."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Blueprint, Flask, Response, current_app, request
from flask.ctx import RequestContext
from flask.sessions import NullSession
from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed, RequestEntityTooLarge

from rmm_extension.domain.types import WebhookRequest
from rmm_extension.services.context import Rmm
from rmm_extension.services.webhooks import Answer, receive, receive_for_tenant

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/api/webhooks"
_TOO_BIG = "The body is too big."
_NO_TENANT = "The address needs ?tenant=."


def register_webhooks(app: Flask) -> None:
    """Add the routes, and answer them before the host's request hooks.

    A vendor passes neither a CSRF check nor a log-in wall, and needs no session. So deliveries are taken at
    the door of the app: routed as ever, but without the host's hooks. Nothing else goes this way.
    """
    blueprint = Blueprint("rmm_webhooks", __name__, url_prefix=PREFIX)
    blueprint.add_url_rule("/<provider>/<token>", "token", by_token, methods=["POST"])
    blueprint.add_url_rule("/<provider>", "tenant", by_tenant, methods=["POST"])
    app.register_blueprint(blueprint)
    app.wsgi_app = _Door(app, app.wsgi_app)  # type: ignore[method-assign]


class _Door:
    """The WSGI application that takes deliveries and lets everything else through."""

    def __init__(self, app: Flask, inner: WSGIApplication) -> None:
        self._app, self._inner = app, inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(f"{PREFIX}/"):
            return self._inner(environ, start_response)
        with RequestContext(self._app, environ, session=NullSession()):
            return self._answer()(environ, start_response)

    def _answer(self) -> Response:
        problem = request.routing_exception
        if problem is not None or request.endpoint is None:
            return _refusal(problem)
        if request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": "OPTIONS, POST"})
        view: Callable[..., Any] = self._app.view_functions[request.endpoint]
        return self._app.make_response(view(**(request.view_args or {})))


def _refusal(problem: HTTPException | None) -> Response:
    if isinstance(problem, MethodNotAllowed):
        return _reply(Answer(405, {"error": "Send deliveries with POST."}, {"Allow": "POST"}))
    return _reply(Answer(404, {"error": "There is no such webhook."}))


def by_token(provider: str, token: str) -> Response:
    """A delivery to a connection's own address."""
    body = _body()
    if body is None:
        return _reply(Answer(413, {"error": _TOO_BIG}))
    return _reply(receive(_rmm(), provider, token, _delivery(body)))


def by_tenant(provider: str) -> Response:
    """A delivery to the tenant's address, where the secret picks the connection."""
    tenant_id = request.args.get("tenant", "").strip()
    if not tenant_id:
        return _reply(Answer(400, {"error": _NO_TENANT, "reason": "tenant_missing"}))
    body = _body()
    if body is None:
        return _reply(Answer(413, {"error": _TOO_BIG}))
    return _reply(receive_for_tenant(_rmm(), provider, tenant_id, _delivery(body)))


def _rmm() -> Rmm:
    return current_app.extensions["rmm"].services  # type: ignore[no-any-return]


def _body() -> bytes | None:
    """The body as it came; ``None`` when it is longer than allowed, whatever its headers say."""
    limit = _rmm().settings.webhook_max_bytes
    if (request.content_length or 0) > limit:
        return None
    # One byte more: a body without a length is cut off at the limit without a word.
    request.max_content_length = limit + 1
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return None
    except ClientDisconnected:
        return b""
    return None if len(body) > limit else body


def _delivery(body: bytes) -> WebhookRequest:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return WebhookRequest(headers=headers, body=body, received_at=datetime.now(UTC))


def _reply(answer: Answer) -> Response:
    body = msgspec.json.encode(answer.body)
    return Response(body, answer.status, answer.headers, content_type="application/json")
