"""The page a person drives the simulator with: plain HTML forms, no script."""

from __future__ import annotations

from simulators.common.control import SHOWN, searched
from simulators.huntress import enums
from simulators.huntress.control.blueprint import control_blueprint, lab, show
from simulators.huntress.control.escalation_commands import TYPES, list_escalations
from simulators.huntress.control.fleet_commands import list_organizations, search_agents
from simulators.huntress.control.incident_commands import list_incidents
from simulators.huntress.control.server_commands import list_keys, state
from simulators.huntress.control.webhook_commands import list_webhooks
from simulators.huntress.misbehaviour import EMPTY
from simulators.huntress.settings import CHOICES


@control_blueprint.get("/")
def page() -> str:
    """Everything on one page."""
    with lab().lock:
        return show(
            "huntress_control.html",
            agents=search_agents(searched(), SHOWN),
            organizations=list_organizations(),
            incidents=list_incidents()[::-1][:SHOWN],
            escalations=list_escalations()[::-1][:SHOWN],
            state=state(),
            keys=list_keys(),
            endpoints=list_webhooks(),
            waiting=lab().courier.waiting(),
            words=enums,
            escalation_types=TYPES,
            notices=enums.CATEGORIES["Platform Actions"] + enums.CATEGORIES["Account Notices"],
            choices=CHOICES,
            prefix="/v1",
            empty=EMPTY,
        )
