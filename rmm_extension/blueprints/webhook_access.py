"""A connection's webhook page: switch on and off, address and steps to copy, rotation of the secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response, after_this_request, flash, redirect, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import RMMError
from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import ReceivesWebhooks, SignsWebhooks, WebhookStep
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections, webhook_access
from rmm_extension.services.unit import unit
from rmm_extension.services.webhook_access import WebhookAddress

from .abilities import needs
from .access import requires
from .context import act, actor, current_rmm, session
from .deliveries import latest
from .registration import back, registration_values, tell_soon
from .routing import Routes
from .tabs import tabs

routes = Routes()

SHOW = "rmm_show_secret"
"""Cookie entry that lets the next page show a secret that was just made, once."""
_BESIDE = "There is a new secret. The old one is taken too until you drop it."


@routes.get("/connections/<uuid:integration_id>/webhook")
@requires("rmm.configure")
@needs("webhook")
def connection_webhook(integration_id: UUID) -> ResponseReturnValue:
    """The webhook's state, its address and the steps at the vendor."""
    row = connections.get(session(), actor().tenant_id, integration_id)
    provider = current_rmm().providers.get(row.provider)
    return render_template(
        "rmm/connections/webhook.html",
        row=row,
        manifest=provider.manifest,
        tabs=tabs(row, provider),
        **webhook_values(row, provider),
        **latest(row.id),
    )


@routes.post("/connections/<uuid:integration_id>/webhook/on")
@requires("rmm.configure")
@needs("webhook")
def connection_webhook_on(integration_id: UUID) -> ResponseReturnValue:
    """Accept deliveries."""

    def work(opened: Session) -> str:
        address = webhook_access.switch_on(current_rmm(), opened, actor(), integration_id)
        if address.is_waiting:
            return "The webhook is on. Deliveries are refused until the vendor's secret is pasted below."
        return "The webhook is on: deliveries are taken from now on."

    return _change(integration_id, work)


@routes.post("/connections/<uuid:integration_id>/webhook/off")
@requires("rmm.configure")
@needs("webhook")
def connection_webhook_off(integration_id: UUID) -> ResponseReturnValue:
    """Refuse deliveries."""

    def work(opened: Session) -> str:
        webhook_access.switch_off(current_rmm(), opened, actor(), integration_id)
        return "The webhook is off. Its address and secret are kept."

    answer = act(work, back(integration_id))
    tell_soon(integration_id)
    return answer


@routes.post("/connections/<uuid:integration_id>/webhook/rotate")
@requires("rmm.configure")
@needs("webhook")
def connection_webhook_rotate(integration_id: UUID) -> ResponseReturnValue:
    """Make a new secret, unless the page was sent twice."""

    def work(opened: Session) -> str:
        row = connections.get(opened, actor().tenant_id, integration_id, lock=True)
        hint = webhook_access.address(current_rmm(), opened, row).hint
        if request.form.get("hint") != hint:
            return "The secret had been replaced already; nothing was changed."
        webhook_access.rotate(current_rmm(), opened, actor(), integration_id)
        return _BESIDE

    return _change(integration_id, work)


@routes.post("/connections/<uuid:integration_id>/webhook/secret")
@requires("rmm.configure")
@needs("signed_webhook")
def connection_webhook_secret(integration_id: UUID) -> ResponseReturnValue:
    """Take the secret that the vendor made; a blank field keeps the one that is stored."""
    pasted = request.form.get("secret", "")

    def work(opened: Session) -> str:
        row = connections.get(opened, actor().tenant_id, integration_id, lock=True)
        is_first = webhook_access.address(current_rmm(), opened, row).is_waiting
        if not pasted.strip() and not is_first:
            return "The secret was left blank; nothing was changed."
        if not webhook_access.keep_secret(current_rmm(), opened, actor(), integration_id, pasted):
            return "This is the secret that was stored already; nothing was changed."
        return "The secret is stored." if is_first else _BESIDE

    return act(work, back(integration_id))


@routes.post("/connections/<uuid:integration_id>/webhook/drop-previous")
@requires("rmm.configure")
@needs("webhook")
def connection_webhook_drop(integration_id: UUID) -> ResponseReturnValue:
    """Refuse the secret that was replaced."""

    def work(opened: Session) -> str:
        webhook_access.drop_previous(current_rmm(), opened, actor(), integration_id)
        return "The old secret is refused from now on."

    return act(work, back(integration_id))


def webhook_values(row: Integration, provider: Provider) -> Mapping[str, Any]:
    """What the webhook's page and the wizard's step show."""
    values: dict[str, Any] = {
        "receives": isinstance(provider, ReceivesWebhooks),
        "signs": isinstance(provider, SignsWebhooks),
        "address": None,
        "guide": (),
        **registration_values(row, provider),
    }
    if row.webhook_token_hash is None:
        return values
    after_this_request(not_kept)
    address = webhook_access.address(current_rmm(), session(), row, in_clear=_is_to_be_shown(row))
    return {**values, "address": address, "guide": _guide(provider, address)}


def not_kept(answer: Response) -> Response:
    """For a page with an address that opens a door, or a secret: no browser is to find it in its cache."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _guide(provider: Provider, address: WebhookAddress) -> Sequence[WebhookStep]:
    """The vendor's steps; one whose text holds a secret that is no longer shown comes without it."""
    if not isinstance(provider, ReceivesWebhooks):
        return ()
    if isinstance(provider, SignsWebhooks):
        return provider.webhook_steps(address.url, "")
    steps = provider.webhook_steps(address.url, address.secret or address.hint)
    return [_without_secret(step) if step.is_secret and not address.secret else step for step in steps]


def _without_secret(step: WebhookStep) -> WebhookStep:
    return WebhookStep(title=step.title, text=step.text, paste=None, is_secret=True)


def _change(integration_id: UUID, work: Callable[[Session], str]) -> ResponseReturnValue:
    """Do the work; when a secret has just been made, the next page may show it."""
    try:
        with unit(current_rmm()) as opened:
            message = work(opened)
            fresh = webhook_access.is_just_made(opened, actor().tenant_id, integration_id)
    except RMMError as error:
        flash(str(error), "danger")
        return redirect(back(integration_id), 303)
    tell_soon(integration_id)
    if fresh:
        cookie[SHOW] = str(integration_id)
    flash(message, "success")
    return redirect(back(integration_id), 303)


def _is_to_be_shown(row: Integration) -> bool:
    """Whether this person has just had the secret made, and has not seen it yet."""
    if cookie.get(SHOW) != str(row.id):
        return False
    cookie.pop(SHOW)
    return True
