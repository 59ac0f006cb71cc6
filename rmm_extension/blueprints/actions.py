"""Actions on devices: the list of all that were asked for, and one with what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import abort, render_template, url_for
from flask import request as http
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.action_words import STATES
from rmm_extension.domain.actions import ActionState
from rmm_extension.domain.contracts.actions import ActionSpec, form_fields
from rmm_extension.forms.actions import hides, shown
from rmm_extension.services.actions import cancel, registry
from rmm_extension.services.queries import actions as queries
from rmm_extension.services.queries.actions import ActionFilter
from rmm_extension.services.queries.paging import AnyRow

from .access import requires
from .action_titles import script_of, titles
from .choices import connection_options
from .context import act, actor, allows, current_rmm, session
from .device_actions import recent
from .export import answer
from .listing import tickets_of
from .narrowing import Chip, Options, argument, chips, read_uuids, uuid_argument, word
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
    """The newest actions on a device, or asked for from a ticket, alone, as their page asks again."""
    device_id, ticket_id = uuid_argument("device"), argument("ticket")
    if device_id is None and ticket_id is None:
        abort(404)
    found = recent(device_id=device_id, ticket_id=ticket_id)
    return render_template("rmm/actions/_recent.html", recent=found)


@routes.get("/actions/<uuid:invocation_id>")
@requires("rmm.execute")
def action_page(invocation_id: UUID) -> ResponseReturnValue:
    """One action: what was asked of which device, how it goes, what came of it."""
    return render_template("rmm/actions/detail.html", **_values(invocation_id))


@routes.get("/actions/<uuid:invocation_id>/state")
@requires("rmm.execute")
def action_state(invocation_id: UUID) -> ResponseReturnValue:
    """The part of an action's page that changes, alone."""
    return render_template("rmm/actions/_state.html", **_values(invocation_id))


@routes.post("/actions/<uuid:invocation_id>/cancel")
@requires("rmm.execute")
def action_cancel(invocation_id: UUID) -> ResponseReturnValue:
    """Call an action off that was not begun."""

    def work(opened: Session) -> str:
        cancel(current_rmm(), opened, actor(), invocation_id)
        return "Called off before it began."

    return act(work, url_for("rmm.action_page", invocation_id=invocation_id))


def _values(invocation_id: UUID) -> dict[str, Any]:
    row = queries.invocation(session(), actor().tenant_id, invocation_id)
    if row is None:
        abort(404)
    output = dict(row.output or {})
    return {
        "row": row,
        "title": titles([row])[row.id],
        "over": ActionState(row.state).is_over,
        "ticket": tickets_of([row]).get(row.ticket_id or ""),
        "text": output.pop("output", None),
        "facts": _facts(output),
        "is_cut": output.get("output_is_cut") is True,
        "inputs": _inputs(row),
        "again": _again(row),
        "may_see_run": row.run_id is not None and (row.actor_id == actor().id or allows("rmm.jobs.view")),
    }


def _inputs(row: AnyRow) -> list[tuple[str, str]]:
    """What was given, named as the form names it; secrets were never kept."""
    spec = _spec(row)
    if spec is None:
        return [(name, _said(value)) for name, value in row.input.items()]
    fields = form_fields(spec.input)
    given = [(field, row.input.get(field.name)) for field in fields if field.kind != "script"]
    return [(field.label, shown(field, value)) for field, value in given if value]


_FACTS = {"exit_code": "Exit code", "seconds": "Seconds on the device"}


def _facts(output: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What else came back that the message does not say."""
    return [(words, str(output[name])) for name, words in _FACTS.items() if output.get(name) is not None]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(str(one) for one in value)
    return str(value)


def _again(row: AnyRow) -> dict[str, Any] | None:
    """The address of the form to ask for the same once more; ``None`` where there is no device."""
    if row.device_id is None:
        return None
    return {
        "action_id": row.action,
        "ids": row.device_id,
        "script": script_of(_spec(row), row),
        "ticket": row.ticket_id,
        "again": row.id,
        "retype": hides(row.input),
    }


def _spec(row: AnyRow) -> ActionSpec | None:
    """The action, where an installed provider still has it."""
    try:
        return registry.get(current_rmm(), row.action)
    except registry.UnknownAction:
        return None


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
