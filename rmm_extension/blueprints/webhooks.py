"""The addresses vendors send to. They carry their own secret and see neither session nor CSRF token."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from rmm_extension.domain.types import WebhookRequest
from rmm_extension.services.context import Rmm
from rmm_extension.services.webhooks import Answer, receive, receive_for_tenant

_TOO_BIG = "The body is too big."
_NO_TENANT = "The address needs ?tenant=."


def register_webhooks(app: Flask) -> frozenset[str]:
    """Add the routes; returns their endpoints, which the host's request hooks must not see."""
    blueprint = Blueprint("rmm_webhooks", __name__, url_prefix="/api/webhooks")
    blueprint.add_url_rule("/<provider>/<token>", "token", by_token, methods=["POST"])
    blueprint.add_url_rule("/<provider>", "tenant", by_tenant, methods=["POST"])
    app.register_blueprint(blueprint)
    return frozenset({"rmm_webhooks.token", "rmm_webhooks.tenant"})


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
    request.max_content_length = limit
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        return None


def _delivery(body: bytes) -> WebhookRequest:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return WebhookRequest(headers=headers, body=body, received_at=datetime.now(UTC))


def _reply(answer: Answer) -> Response:
    body = msgspec.json.encode(answer.body)
    return Response(body, answer.status, answer.headers, content_type="application/json")
