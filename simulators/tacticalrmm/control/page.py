"""The page a person drives the simulator with: plain HTML forms, no script."""

from __future__ import annotations

from simulators.common.control import SHOWN, searched
from simulators.tacticalrmm.alerting import KINDS, SEVERITIES
from simulators.tacticalrmm.control.alert_commands import alert_summary
from simulators.tacticalrmm.control.blueprint import control_blueprint, lab, show
from simulators.tacticalrmm.control.fleet_commands import list_clients, search_agents
from simulators.tacticalrmm.control.server_commands import list_keys, list_users, state
from simulators.tacticalrmm.control.webhook_commands import SHAPES, show_webhook
from simulators.tacticalrmm.nats import STATES


@control_blueprint.get("/")
def page() -> str:
    """Everything on one page."""
    with lab().lock:
        return show(
            "control.html",
            agents=search_agents(searched(), SHOWN),
            clients=list_clients(),
            alerts=[alert_summary(a) for a in reversed(lab().alerts.values()) if not a.resolved][:SHOWN],
            state=state(),
            webhook=show_webhook(),
            keys=list_keys(),
            users=list_users(),
            kinds=KINDS,
            severities=SEVERITIES[::-1],
            shapes=SHAPES,
            nats_states=STATES,
        )
