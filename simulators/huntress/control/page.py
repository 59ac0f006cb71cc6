"""The page a person drives the simulator with: plain HTML forms, no script."""

from __future__ import annotations

from flask import render_template, request

from simulators.huntress import enums
from simulators.huntress.control.blueprint import control_blueprint, lab
from simulators.huntress.control.escalation_commands import TYPES, list_escalations
from simulators.huntress.control.fleet_commands import list_organizations, search_agents
from simulators.huntress.control.incident_commands import list_incidents
from simulators.huntress.control.server_commands import list_keys, state
from simulators.huntress.control.webhook_commands import endpoint_summary
from simulators.huntress.misbehaviour import EMPTY, MODES
from simulators.huntress.settings import CHOICES

SHOWN = 25


@control_blueprint.get("/")
def page() -> str:
    """Everything on one page."""
    search = request.args.get("search", "")
    with lab().lock:
        return render_template(
            "huntress_control.html",
            note=request.args.get("note", ""),
            search=search,
            agents=search_agents(search, SHOWN),
            organizations=list_organizations(),
            incidents=list_incidents()[::-1][:SHOWN],
            escalations=list_escalations()[::-1][:SHOWN],
            state=state(),
            keys=list_keys(),
            endpoints=[endpoint_summary(one) for one in lab().endpoints.values()],
            waiting=lab().courier.waiting(),
            deliveries=list(reversed(lab().deliveries))[:SHOWN],
            requests=list(reversed(lab().requests))[:50],
            counters=lab().counters.most_common(30),
            words=enums,
            escalation_types=TYPES,
            notices=enums.CATEGORIES["Platform Actions"] + enums.CATEGORIES["Account Notices"],
            modes=MODES,
            choices=CHOICES,
            prefix="/v1",
            empty=EMPTY,
        )
