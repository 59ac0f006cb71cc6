"""The page a person drives the simulator with: plain HTML forms, no script."""

from __future__ import annotations

from flask import render_template, request

from simulators.tacticalrmm.alerting import KINDS, SEVERITIES
from simulators.tacticalrmm.control.alert_commands import alert_summary
from simulators.tacticalrmm.control.blueprint import control_blueprint, lab
from simulators.tacticalrmm.control.fleet_commands import list_clients, search_agents
from simulators.tacticalrmm.control.server_commands import list_keys, list_users, state
from simulators.tacticalrmm.control.webhook_commands import SHAPES, show_webhook
from simulators.tacticalrmm.misbehaviour import MODES
from simulators.tacticalrmm.nats import STATES

SHOWN_AGENTS = 25


@control_blueprint.get("/")
def page() -> str:
    """Everything on one page."""
    search = request.args.get("search", "")
    with lab().lock:
        return render_template(
            "control.html",
            note=request.args.get("note", ""),
            search=search,
            agents=search_agents(search, SHOWN_AGENTS),
            clients=list_clients(),
            alerts=[alert_summary(a) for a in reversed(lab().alerts.values()) if not a.resolved][
                :SHOWN_AGENTS
            ],
            state=state(),
            webhook=show_webhook(),
            keys=list_keys(),
            users=list_users(),
            deliveries=list(reversed(lab().deliveries))[:SHOWN_AGENTS],
            requests=list(reversed(lab().requests))[:50],
            counters=lab().counters.most_common(30),
            kinds=KINDS,
            severities=SEVERITIES[::-1],
            shapes=SHAPES,
            modes=MODES,
            nats_states=STATES,
        )
