"""Which user is whom at a chat service: linked by an administrator, or by oneself with a one-time code."""

from __future__ import annotations

from uuid import UUID

from flask import after_this_request, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import refusal, sleeps
from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.providers.capabilities import ReceivesBotMessages
from rmm_extension.services.messaging import links
from rmm_extension.services.queries import messaging as queries
from rmm_extension.services.unit import unit

from .abilities import needs
from .access import requires
from .connection import found_with
from .context import act, actor, current_rmm, session
from .routing import Routes
from .tabs import tabs
from .webhook_access import not_kept

routes = Routes()


@routes.get("/connections/<uuid:integration_id>/users")
@requires("rmm.configure")
@needs("bot_messages")
def connection_users(integration_id: UUID) -> ResponseReturnValue:
    """Every user with the account that is theirs."""
    row, provider = found_with(integration_id, ReceivesBotMessages)
    accounts = links.people(session(), row.tenant_id, row.id)
    taken = {one.person_id for one in links.all_of(session(), row.tenant_id, row.id)}
    return render_template(
        "rmm/connections/users.html",
        row=row,
        manifest=provider.manifest,
        tabs=tabs(row, provider),
        people=queries.people(current_rmm(), session(), row.tenant_id, row.id),
        free=[one for one in accounts if one.person_id not in taken],
        has_accounts=bool(accounts),
    )


@routes.post("/connections/<uuid:integration_id>/users/link")
@requires("rmm.configure")
@needs("bot_messages")
def connection_user_link(integration_id: UUID) -> ResponseReturnValue:
    """Link a user with the account that was chosen."""
    found_with(integration_id, ReceivesBotMessages)
    user_id, person_id = _chosen("user"), _chosen("account")

    def work(opened: Session) -> str:
        if not person_id:
            raise ConfigError("Choose an account.")
        linked = links.link(current_rmm(), opened, actor(), integration_id, user_id, person_id)
        return f"Linked with {linked.person_name or linked.person_id}."

    return act(work, url_for("rmm.connection_users", integration_id=integration_id))


@routes.post("/connections/<uuid:integration_id>/users/unlink")
@requires("rmm.configure")
@needs("bot_messages")
def connection_user_unlink(integration_id: UUID) -> ResponseReturnValue:
    """Forget whom a user is there."""
    found_with(integration_id, ReceivesBotMessages)
    user_id = _chosen("user")

    def work(opened: Session) -> str:
        name = links.unlink(current_rmm(), opened, actor(), integration_id, user_id)
        return f"{name} is not linked any more."

    return act(work, url_for("rmm.connection_users", integration_id=integration_id))


@routes.form("/connections/<uuid:integration_id>/account")
@requires("rmm.view")
@needs("bot_messages")
def connection_account(integration_id: UUID) -> ResponseReturnValue:
    """The person's own account; sent, it makes a code, which only this answer shows."""
    row, provider = found_with(integration_id, ReceivesBotMessages)
    code = None
    if request.method == "POST":
        if sleeps(row.state):
            raise Conflict(refusal(row.name, row.state))
        with unit(current_rmm()) as opened:
            code = links.make_code(opened, actor(), integration_id)
        after_this_request(not_kept)
        row, provider = found_with(integration_id, ReceivesBotMessages)
    mine = links.of_user(session(), row.tenant_id, row.id, actor().id)
    return render_template(
        "rmm/connections/account.html", row=row, manifest=provider.manifest, mine=mine, code=code
    )


@routes.post("/connections/<uuid:integration_id>/account/unlink")
@requires("rmm.view")
@needs("bot_messages")
def connection_account_unlink(integration_id: UUID) -> ResponseReturnValue:
    """Forget the person's own account."""
    found_with(integration_id, ReceivesBotMessages)

    def work(opened: Session) -> str:
        links.unlink(current_rmm(), opened, actor(), integration_id, actor().id)
        return "Your account is not linked any more."

    return act(work, url_for("rmm.connection_account", integration_id=integration_id))


def _chosen(field: str) -> str:
    """What was chosen, without what no database takes."""
    return request.form.get(field, "").replace("\x00", "")
