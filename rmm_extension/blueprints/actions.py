"""Actions on devices: the list of all that were asked for, and one with what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import abort, render_template
from flask import request as http
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.action_words import STATES
from rmm_extension.domain.actions import ActionState
from rmm_extension.services.actions import cancel, registry
from rmm_extension.services.queries import actions as queries
from rmm_extension.services.queries.actions import ActionFilter
from rmm_extension.services.queries.paging import AnyRow

from .access import check, requires
from .action_titles import titles
from .action_values import readable, values_of
from .choices import connection_options
from .context import act, actor, current_rmm, session
from .device_actions import recent
from .export import answer
from .listing import tickets_of
from .narrowing import Chip, Options, argument, chips, read_uuids, uuid_argument, word
from .opened import came_from, opened_url
from .routing import Routes
from .targets import MOST

routes = Routes()

ACTION_STATES: Options = [(state.value, STATES[state].capitalize()) for state in ActionState]
_COLUMNS = ("Asked", "State", "Action", "Device", "Connection", "Person", "Result", "Ticket")


@routes.get("/actions")
@requires("rmm.execute")
def action_list() -> ResponseReturnValue:
    """Actions, newest first, narrowed by the address's parameters."""
    tenant_id, wanted, options = actor().tenant_id, _filter(), _options()
    page = queries.list_page(session(), tenant_id, wanted, after=argument("after"))
    return render_template(
        "rmm/actions/list.html",
        page=page,
        titles=titles(page.rows),
        tickets=tickets_of(page.rows),
        options=options,
        waiting=any(not ActionState(row.state).is_over for row in page.rows),
        chips=_chips(wanted, options, page.rows),
    )


@routes.get("/actions.csv")
@requires("rmm.execute")
def action_export() -> ResponseReturnValue:
    """The actions of the filters, newest first; outputs stand on each action's own page."""
    return answer("actions.csv", _COLUMNS, queries.list_page, _filter(), _lines)


@routes.get("/actions/recent")
@requires("rmm.execute")
def actions_recent() -> ResponseReturnValue:
    """The newest actions on a device or an asset, or asked for from a ticket, alone, as the page that shows
    them asks again."""
    device_id, asset_id, ticket_id = uuid_argument("device"), argument("asset"), argument("ticket")
    if device_id is None and asset_id is None and ticket_id is None:
        abort(404)
    found = recent(came_from(), device_id=device_id, asset_id=asset_id, ticket_id=ticket_id)
    return render_template("rmm/actions/_recent.html", recent=found)


@routes.get("/actions/<uuid:invocation_id>")
@requires("rmm.execute")
def action_page(invocation_id: UUID) -> ResponseReturnValue:
    """One action: what was asked of which device, how it goes, what came of it."""
    row = _found(invocation_id)
    return render_template("rmm/actions/detail.html", action=values_of(row))


@routes.get("/actions/<uuid:invocation_id>/state")
@requires("rmm.view")
def action_state(invocation_id: UUID) -> ResponseReturnValue:
    """The part of an action that changes, alone, as the pages that show it ask for it again; for whoever may
    do the action."""
    row = _found(invocation_id)
    if not readable(row):
        check("rmm.execute")
    return render_template("rmm/actions/_state.html", action=values_of(row), came_from=came_from())


@routes.post("/actions/<uuid:invocation_id>/cancel")
@requires("rmm.execute")
def action_cancel(invocation_id: UUID) -> ResponseReturnValue:
    """Call an action off that was not begun."""

    def work(opened: Session) -> str:
        cancel(current_rmm(), opened, actor(), invocation_id)
        return "Called off before it began."

    return act(work, opened_url(came_from(), invocation_id))


def _found(invocation_id: UUID) -> AnyRow:
    return queries.invocation(session(), actor().tenant_id, invocation_id) or abort(404)


def _options() -> Mapping[str, Options]:
    return {
        "state": ACTION_STATES,
        "action": [(spec.id, spec.label) for spec in registry.all_actions(current_rmm())],
        "person": _people(),
        "connection": connection_options(),
    }


def _people() -> Options:
    users = current_rmm().host.users
    return [(user.id, user.name) for user in users.active(session(), actor().tenant_id)] if users else []


def _filter() -> ActionFilter:
    return ActionFilter(
        action=argument("action"),
        state=argument("state", ACTION_STATES),
        integration_id=uuid_argument("connection"),
        device_id=uuid_argument("device"),
        ticket_id=argument("ticket"),
        asset_id=argument("asset"),
        actor_id=argument("person"),
        only=read_uuids(http.args.get("only", "").split(","), MOST),
    )


def _chips(wanted: ActionFilter, options: Mapping[str, Options], rows: Sequence[AnyRow]) -> list[Chip]:
    labels = {"state": "State", "action": "Action", "person": "Person", "connection": "Connection"}
    active: dict[str, tuple[str, str | None]] = {
        name: (label, word(options[name], argument(name)) or argument(name)) for name, label in labels.items()
    }
    device = rows[0].device_name if rows and wanted.device_id else None
    active["device"] = ("Device", (device or "one that is gone") if wanted.device_id else None)
    active["asset"] = ("Asset", "one" if wanted.asset_id else None)
    active["ticket"] = ("Asked from", "one ticket" if wanted.ticket_id else None)
    active["only"] = ("Only", f"the {len(wanted.only)} that were asked for together" if wanted.only else None)
    return chips(active)


def _lines(rows: Sequence[AnyRow]) -> Iterator[Sequence[Any]]:
    named, tickets = titles(rows), tickets_of(rows)
    for row in rows:
        ticket = tickets.get(row.ticket_id)
        yield (
            row.created_at,
            STATES[ActionState(row.state)],
            named[row.id],
            row.device_name,
            row.connection_name,
            row.actor_name,
            row.message,
            ticket.number if ticket else None,
        )
