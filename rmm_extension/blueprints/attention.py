"""What failed or waits for a decision, each with what to do."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from rmm_extension.services.queries import panels

from .access import requires
from .choices import connection_options
from .context import actor, session
from .routing import Routes

routes = Routes()


@routes.get("/attention")
@requires("rmm.view")
def attention() -> ResponseReturnValue:
    """Alerts, connections, organizations, deliveries and runs that need somebody."""
    tenant_id = actor().tenant_id
    return render_template(
        "rmm/attention.html",
        alerts=panels.needy_alerts(session(), tenant_id),
        unmapped=panels.waiting_for_client(session(), tenant_id),
        connections=panels.needy_connections(session(), tenant_id),
        organizations=panels.needy_organizations(session(), tenant_id),
        deliveries=panels.needy_deliveries(session(), tenant_id),
        runs=panels.failed_runs(session(), tenant_id),
        connection_names=dict(connection_options()),
    )
