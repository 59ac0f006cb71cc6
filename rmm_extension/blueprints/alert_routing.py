"""The routing of a connection: where the tickets of its alerts go."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.routing import SETTING
from rmm_extension.forms.alert_routing import RoutingChoices, RoutingForm, routing_form
from rmm_extension.models import Integration
from rmm_extension.services.alert_routing import RoutingInvalid, save_routing
from rmm_extension.services.queries.attention import waiting_for_routing
from rmm_extension.services.unit import unit

from .abilities import needs_routing, routing_lacks
from .access import requires
from .connection import found
from .context import actor, current_rmm, end_reading, session
from .routing import Routes
from .tabs import tabs

routes = Routes()


@routes.form("/connections/<uuid:integration_id>/routing")
@requires("rmm.configure")
@needs_routing
def connection_routing(integration_id: UUID) -> ResponseReturnValue:
    """Board, categories and priorities of mapped clients' tickets, client and board of all others'."""
    row, _ = found(integration_id)
    form = _form(row)
    if not form.is_submitted():
        return _page(row, form)
    changes = form.changes()
    end_reading()
    try:
        with unit(current_rmm()) as opened:
            lacks = save_routing(current_rmm(), opened, actor(), integration_id, changes)
    except RoutingInvalid as error:
        row, _ = found(integration_id)
        form = _form(row)
        return _page(row, form, form.refuse(error.errors)), 422
    flash(_said(lacks), "success")
    return redirect(url_for("rmm.connection_routing", integration_id=integration_id), 303)


def _form(row: Integration) -> RoutingForm:
    return routing_form(_choices(row), row.settings.get(SETTING) or {})


def _choices(row: Integration) -> RoutingChoices:
    host, tenant_id, provider = current_rmm().host, row.tenant_id, found(row.id)[1]
    catalog, categories = host.catalog, host.categories
    return RoutingChoices(
        clients=[(one.id, one.name) for one in host.clients.search(session(), tenant_id)],
        boards=[(one.id, one.name) for one in catalog.boards(session(), tenant_id)] if catalog else None,
        priorities=[(one.id, one.name) for one in catalog.priorities(session(), tenant_id)]
        if catalog
        else None,
        severities=provider.manifest.routed_severities if provider else (),
        categories=categories.active(session(), tenant_id) if categories else None,
    )


def _page(row: Integration, form: RoutingForm, general: Sequence[str] = ()) -> str:
    provider = found(row.id)[1]
    return render_template(
        "rmm/connections/routing.html",
        row=row,
        tabs=tabs(row, provider),
        form=form,
        general=general,
        lacks=routing_lacks(row, provider),
        waiting=waiting_for_routing(session(), row.tenant_id, row.id),
    )


def _said(lacks: Sequence[str]) -> str:
    if lacks:
        return f"The routing is saved. It is not complete yet: {', '.join(lacks)}."
    return "The routing is saved. Alerts that waited for it get their tickets now."
