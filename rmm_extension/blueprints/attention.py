"""What failed or waits for a decision, each with what to do."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from rmm_extension.domain.deliveries import reason_in_words
from rmm_extension.services.queries import attention as queries
from rmm_extension.services.queries.health import vanish_guards
from rmm_extension.services.queries.paths import named

from .access import requires
from .choices import connection_options
from .context import actor, allows, session
from .listing import tickets_of
from .needs import attention_counts
from .routing import Routes
from .run_access import may_see

routes = Routes()

RETRIES = {"device_sync": "devices", "organization_sync": "organizations", "alert_reconcile": "alerts"}
"""What a sync button asks for so that a failed run is tried again; other kinds are tried by the tick."""


@routes.get("/attention")
@requires("rmm.view")
def attention() -> ResponseReturnValue:
    """Alerts, connections, organizations, deliveries and runs that need somebody."""
    tenant_id = actor().tenant_id
    alerts = queries.needy_alerts(session(), tenant_id)
    unmapped = queries.waiting_for_client(session(), tenant_id)
    organizations = queries.needy_organizations(session(), tenant_id)
    ids = {row.mapping_id for row in unmapped if row.mapping_id} | {row.id for row in organizations}
    return render_template(
        "rmm/attention.html",
        counts=attention_counts(),
        shown=queries.SHOWN,
        alerts=alerts,
        tickets=tickets_of(alerts),
        unmapped=unmapped,
        set_aside=queries.set_aside_alerts(session(), tenant_id),
        guards=vanish_guards(session(), tenant_id),
        connections=queries.needy_connections(session(), tenant_id),
        organizations=organizations,
        organization_names=named(session(), tenant_id, ids),
        deliveries=queries.needy_deliveries(session(), tenant_id),
        reason_in_words=reason_in_words,
        runs=queries.failed_runs(session(), tenant_id),
        retries=RETRIES,
        undecided=queries.undecided_runs(session(), tenant_id),
        may_see_run=may_see,
        connection_names=dict(connection_options()),
        may_manage=allows("rmm.alerts.manage"),
    )
