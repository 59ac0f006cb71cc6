"""What the vendor of an alert can be asked to do with it, from the alert's own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from rmm_extension.domain.connection_states import works
from rmm_extension.domain.contracts.actions import ActionSpec, FormField, alert_field, form_fields
from rmm_extension.domain.errors import Invalid, RMMError
from rmm_extension.domain.types import AlertStatus
from rmm_extension.forms.actions import PREFIX, by_field, filled, typed
from rmm_extension.models import Alert
from rmm_extension.services.actions import registry
from rmm_extension.services.actions.request import request as ask_for
from rmm_extension.services.queries.alert_detail import AlertDetail, alert_detail
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.services.unit import unit

from .access import check, requires
from .context import actor, allows, current_rmm, end_reading, session
from .opened import opened_url
from .routing import Routes
from .wishes import form_key, wish

routes = Routes()


@routes.form("/alerts/<uuid:alert_id>/run/<action_id>")
@requires("rmm.view")
def alert_run(alert_id: UUID, action_id: str) -> ResponseReturnValue:
    """One action on an alert: what it will do, its further inputs, and the asking. It leads back to the
    alert, where what comes of it is shown."""
    found = _found(alert_id)
    spec = next((one for one in _able(found) if one.id == action_id), None) or abort(404)
    check(spec.permission)
    name = alert_field(spec)
    fields = [one for one in form_fields(spec.input) if one.name != name and one.required]
    values: Mapping[str, Any] = {}
    problems: dict[str, list[str]] = {}
    if request.method == "POST":
        values = typed(fields, request.form)
        try:
            return _ask(found.alert, spec, {**values, str(name): found.alert.external_id})
        except Invalid as error:
            problems = by_field(error.errors, fields)
        except RMMError as error:
            problems = {"": [str(error)]}
    page = render_template("rmm/alerts/run.html", **_form(found, spec, fields, values, problems))
    return page, 400 if problems else 200


def vendor_actions(found: AlertDetail) -> Sequence[ActionSpec]:
    """What the signed-in person may ask the vendor to do with this alert now."""
    return [one for one in _able(found) if allows(one.permission)]


def is_about(alert: Alert, row: AnyRow) -> bool:
    """Whether an action was done with this alert, or on its device."""
    if row.device_id is not None:
        return bool(row.device_id == alert.device_id)
    spec = next((one for one in registry.all_actions(current_rmm()) if one.id == row.action), None)
    name = alert_field(spec) if spec else None
    return bool(
        name and row.integration_id == alert.integration_id and str(row.input.get(name)) == alert.external_id
    )


def _able(found: AlertDetail) -> Sequence[ActionSpec]:
    """The vendor's actions on an alert, while it is open, known to the vendor by its id, and the connection
    works."""
    alert, connection = found.alert, found.connection
    is_open = AlertStatus(alert.status).is_open and not alert.synthesized
    if connection is None or not is_open or not works(connection.state):
        return ()
    of_vendor = registry.for_provider(current_rmm(), connection.provider)
    return [one for one in of_vendor if one.side_effects and alert_field(one)]


def _ask(alert: Alert, spec: ActionSpec, value: Mapping[str, Any]) -> ResponseReturnValue:
    end_reading()
    with unit(current_rmm()) as opened:
        invocation_id = ask_for(
            current_rmm(),
            opened,
            actor(),
            spec.id,
            integration_id=alert.integration_id,
            input=value,
            idempotency_key=wish(spec.id, value),
        )
    return redirect(opened_url(f"alert:{alert.id}", invocation_id), 303)


def _form(
    found: AlertDetail,
    spec: ActionSpec,
    fields: Sequence[FormField],
    values: Mapping[str, Any],
    problems: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    return {
        "alert": found.alert,
        "spec": spec,
        "fields": fields,
        "values": filled(fields, values),
        "prefix": PREFIX,
        "problems": problems,
        "key": form_key(),
    }


def _found(alert_id: UUID) -> AlertDetail:
    return alert_detail(session(), actor().tenant_id, alert_id) or abort(404)
