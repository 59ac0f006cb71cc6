"""Which features a connection's credentials allow: the table, and asking for it anew."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.connection_states import refusal, works
from rmm_extension.domain.errors import Conflict
from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import TellsPermissions
from rmm_extension.services.permissions import KIND, counts, start_check
from rmm_extension.services.queries import connections as queries
from rmm_extension.services.queries.permissions import Table, permission_table
from rmm_extension.services.unit import unit

from .abilities import needs
from .access import requires
from .connection import found_with
from .context import actor, current_rmm, session
from .jobs import progress_values
from .routing import Routes
from .tabs import tabs

routes = Routes()


@routes.get("/connections/<uuid:integration_id>/permissions")
@requires("rmm.configure")
@needs("permissions")
def connection_permissions(integration_id: UUID) -> ResponseReturnValue:
    """What the last check found; while one runs, its progress."""
    row, provider = found_with(integration_id, TellsPermissions)
    table = permission_table(session(), row.tenant_id, row.id)
    latest = queries.latest_run(session(), row.tenant_id, row.id, KIND)
    return render_template(
        "rmm/connections/permissions.html",
        row=row,
        manifest=provider.manifest,
        tabs=tabs(row, provider),
        table=table,
        counts=counts(table.lines) if table else {},
        is_outdated=_is_outdated(row, table),
        reload_after=True,
        **progress_values(latest),
    )


@routes.post("/connections/<uuid:integration_id>/permissions")
@requires("rmm.configure")
@needs("permissions")
def connection_permissions_check(integration_id: UUID) -> ResponseReturnValue:
    """Ask the vendor, by a run; one that is under way is enough."""
    row, provider = found_with(integration_id, TellsPermissions)
    if not works(row.state):
        raise Conflict(refusal(row.name, row.state))
    with unit(current_rmm()) as opened:
        start_check(opened, actor(), provider, integration_id)
    return redirect(url_for("rmm.connection_permissions", integration_id=integration_id), 303)


def _is_outdated(row: Integration, table: Table | None) -> bool:
    """Whether the credentials were changed since the vendor was asked."""
    return table is not None and row.connected_at is not None and table.asked_at < row.connected_at
