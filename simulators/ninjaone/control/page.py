"""The page a person drives the simulator with: plain HTML forms, no script."""

from __future__ import annotations

from flask import render_template, request

from simulators.ninjaone.conditions import CONDITIONS
from simulators.ninjaone.control.alert_commands import alert_summary
from simulators.ninjaone.control.blueprint import control_blueprint, lab
from simulators.ninjaone.control.fleet_commands import list_organizations, search_devices
from simulators.ninjaone.control.job_commands import list_jobs
from simulators.ninjaone.control.server_commands import state
from simulators.ninjaone.control.sign_in_commands import list_applications, list_tokens, list_users
from simulators.ninjaone.control.webhook_commands import list_webhooks
from simulators.ninjaone.enums import SEVERITIES
from simulators.ninjaone.misbehaviour import MODES
from simulators.ninjaone.settings import CHOICES

SHOWN = 25


@control_blueprint.get("/")
def page() -> str:
    """Everything on one page."""
    search = request.args.get("search", "")
    with lab().lock:
        return render_template(
            "ninjaone_control.html",
            note=request.args.get("note", ""),
            search=search,
            devices=search_devices(search, SHOWN),
            organizations=list_organizations(),
            alerts=[alert_summary(one) for one in lab().active_alerts()][-SHOWN:][::-1],
            jobs=list_jobs(),
            state=state(),
            webhooks=list_webhooks(),
            waiting=lab().courier.waiting(),
            users=list_users(),
            applications=list_applications(),
            tokens=list_tokens(),
            deliveries=list(reversed(lab().deliveries))[:SHOWN],
            requests=list(reversed(lab().requests))[:50],
            counters=lab().counters.most_common(30),
            activities=[one.row for one in lab().journal.newest_first()][:SHOWN],
            conditions=list(CONDITIONS),
            severities=SEVERITIES,
            modes=MODES,
            choices=CHOICES,
            prefix="/v2",
        )
