"""Having something done on devices: choosing what, saying how, asking for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import works
from rmm_extension.domain.contracts.actions import (
    ActionSpec,
    FormField,
    form_fields,
    runs_without_script,
    script_field,
)
from rmm_extension.domain.errors import Conflict, Invalid, RMMError
from rmm_extension.domain.platforms import suits
from rmm_extension.forms.actions import PREFIX, by_field, filled, hides, labelled, typed
from rmm_extension.models import JobRun, ScriptRow
from rmm_extension.services.actions import refresh_scripts, scripts_due
from rmm_extension.services.actions.bulk import Asked, request_each
from rmm_extension.services.queries import actions as queries
from rmm_extension.services.queries.targets import TargetRow
from rmm_extension.services.unit import unit

from .access import requires
from .context import act, actor, current_rmm, end_reading, session
from .device_actions import for_people, library_noun, scripted
from .device_bulk import nothing_selected
from .jobs import progress_values
from .narrowing import argument, uuid_argument
from .opened import opened_url
from .routing import Routes
from .targets import Targets, read_targets
from .wishes import form_key, wish

routes = Routes()


@dataclass(frozen=True, slots=True)
class Offered:
    """A script of the library and the devices it is made for."""

    script: ScriptRow
    devices: Sequence[TargetRow]


@routes.get("/run")
@requires("rmm.execute")
def run_choose() -> ResponseReturnValue:
    """What can be done on these devices: the vendor's actions, and the scripts of its library."""
    wanted = read_targets()
    if not wanted.devices:
        return nothing_selected()
    groups = wanted.by_connection
    if len(groups) > 1:
        return render_template("rmm/actions/connections.html", wanted=wanted, groups=groups)
    specs = for_people(wanted.devices[0].provider)
    runs_script = scripted(specs)
    return render_template(
        "rmm/actions/choose.html",
        wanted=wanted,
        actions=[spec for spec in specs if runs_without_script(spec)],
        scripted=runs_script,
        noun=library_noun(runs_script) if runs_script else "",
        **(_library(wanted) if runs_script else {}),
    )


@routes.form("/run/<action_id>")
@requires("rmm.execute")
def run_action(action_id: str) -> ResponseReturnValue:
    """One action: what it will do on which devices, its inputs, and the asking."""
    wanted = read_targets()
    if not wanted.devices:
        return nothing_selected()
    spec = _spec(wanted, action_id)
    script = _script(wanted, spec)
    devices = _made_for(script, wanted.devices) if script else wanted.devices
    platforms = {device.platform for device in devices}
    fields = [field.on(platforms) for field in form_fields(spec.input) if _is_asked(field, script)]
    again = _again(spec) if request.method == "GET" else {}
    values: Mapping[str, Any] = {**_defaults(fields, script), **again}
    problems: dict[str, list[str]] = {}
    if request.method == "POST":
        values = typed(fields, request.form)
        try:
            return _ask(wanted, spec, devices, {**values, **_chosen(spec, script)})
        except Invalid as error:
            problems = by_field(error.errors, fields)
        except RMMError as error:
            problems = {"": [str(error)]}
    page = render_template(
        "rmm/actions/ask.html",
        wanted=wanted,
        spec=spec,
        script=script,
        devices=devices,
        left=[device for device in wanted.devices if device not in devices],
        clients=wanted.clients,
        fields=fields,
        prefix=PREFIX,
        values=filled(fields, values),
        retype=hides(again),
        problems=problems,
        told=labelled(fields, problems),
        key=form_key(),
    )
    return page, 400 if problems else 200


@routes.post("/connections/<uuid:integration_id>/scripts")
@requires("rmm.execute")
def scripts_refresh(integration_id: UUID) -> ResponseReturnValue:
    """List the library of scripts anew."""
    wanted = read_targets()
    if integration_id not in wanted.by_connection:
        abort(404)

    def work(opened: Session) -> str:
        started = refresh_scripts(opened, actor(), integration_id)
        return "The scripts are being listed." if started else "The scripts are being listed already."

    return act(work, wanted.url("rmm.run_choose"))


def _spec(wanted: Targets, action_id: str) -> ActionSpec:
    if len(wanted.by_connection) > 1:
        raise Conflict("These devices are of several connections. Choose those of one.")
    found = next((spec for spec in for_people(wanted.devices[0].provider) if spec.id == action_id), None)
    return found or abort(404)


def _library(wanted: Targets) -> dict[str, Any]:
    """The scripts that fit the search, what each is made for, and how old the list is."""
    tenant_id, integration_id = actor().tenant_id, wanted.devices[0].integration_id
    text = argument("q")
    run = queries.listing_run(session(), tenant_id, integration_id) or _list_if_due(wanted)
    found = queries.scripts(session(), tenant_id, integration_id, text)
    return {
        "text": text,
        "scripts": [Offered(one, _made_for(one, wanted.devices)) for one in found],
        "most": queries.MOST_SCRIPTS,
        "listed_at": queries.scripts_listed_at(session(), tenant_id, integration_id),
        "listing": progress_values(run) if run else None,
        "integration_id": integration_id,
    }


def _list_if_due(wanted: Targets) -> JobRun | None:
    """The run that lists the library, begun here where the list is old. After one that failed a person has to
    ask: a page that is looked at again and again would try as often."""
    device, tenant_id = wanted.devices[0], actor().tenant_id
    working = works(device.connection_state)
    if not working or not scripts_due(session(), tenant_id, device.integration_id):
        return None
    end_reading()
    with unit(current_rmm()) as opened:
        refresh_scripts(opened, actor(), device.integration_id)
    return queries.listing_run(session(), tenant_id, device.integration_id)


def _script(wanted: Targets, spec: ActionSpec) -> ScriptRow | None:
    """The script that was chosen, for an action that runs one."""
    if script_field(spec) is None or (runs_without_script(spec) and not request.values.get("script")):
        return None
    found = queries.script(
        session(),
        actor().tenant_id,
        wanted.devices[0].integration_id,
        request.values.get("script", "").replace("\x00", ""),
    )
    if found is None:
        abort(404, description="This script is not in the library (any more). List the scripts anew.")
    return found


def _is_asked(field: FormField, script: ScriptRow | None) -> bool:
    return field.kind != "script" and not (field.instead_of_script and script is not None)


def _chosen(spec: ActionSpec, script: ScriptRow | None) -> dict[str, Any]:
    """The script, as the action's contract takes it."""
    name = script_field(spec)
    return {name: script.external_id} if name and script else {}


def _made_for(script: ScriptRow, devices: Sequence[TargetRow]) -> Sequence[TargetRow]:
    """The devices the script is made for; one whose platform nobody knows may be any."""
    return [device for device in devices if suits(device.platform, script.platforms)]


def _defaults(fields: Sequence[FormField], script: ScriptRow | None) -> dict[str, Any]:
    """What the script itself says: how long it may take, as whom it runs."""
    if script is None:
        return {}
    names = {field.name for field in fields}
    own = {"timeout": script.default_timeout, "run_as_user": script.run_as_user}
    return {name: value for name, value in own.items() if name in names and value is not None}


def _again(spec: ActionSpec) -> dict[str, Any]:
    """The inputs of an earlier time, to be asked for once more."""
    earlier = uuid_argument("again")
    row = queries.invocation(session(), actor().tenant_id, earlier) if earlier else None
    return dict(row.input) if row is not None and row.action == spec.id else {}


def _ask(
    wanted: Targets, spec: ActionSpec, devices: Sequence[TargetRow], value: Mapping[str, Any]
) -> ResponseReturnValue:
    """Ask for the action and lead to what comes of it, on the page the person came from if that shows it.

    Raises what is wrong with it.
    """
    end_reading()
    asked = request_each(
        current_rmm(),
        actor(),
        spec.id,
        integration_id=wanted.devices[0].integration_id,
        device_ids=[device.id for device in devices],
        input=value,
        ticket_id=wanted.ticket.id if wanted.ticket else None,
        idempotency_key=wish(spec.id, value),
    )
    _tell_refusals(asked, devices)
    if len(asked.ids) == 1:
        return redirect(opened_url(wanted.came_from, asked.ids[0]), 303)
    return redirect(url_for("rmm.action_list", only=",".join(str(id_) for id_ in asked.ids)), 303)


def _tell_refusals(asked: Asked, devices: Sequence[TargetRow]) -> None:
    """What was left alone and why; where that is everything, nothing was begun."""
    names = {device.id: device.name for device in devices}
    reasons: dict[str, list[str]] = {}
    for one in asked.refused:
        reasons.setdefault(one.reason, []).append(names[one.device_id])
    if not asked.ids:
        raise Conflict(" ".join(reasons) or "There is no device it could be done on.")
    for reason, which in reasons.items():
        flash(f"Nothing is done on {', '.join(which)}: {reason}", "warning")
