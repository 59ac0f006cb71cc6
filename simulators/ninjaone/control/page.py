"""The page a person drives the simulator with: plain HTML forms, no script."""

from __future__ import annotations

from simulators.common.control import SHOWN, searched
from simulators.ninjaone.conditions import CONDITIONS
from simulators.ninjaone.control.alert_commands import alert_summary
from simulators.ninjaone.control.blueprint import control_blueprint, lab, show
from simulators.ninjaone.control.fleet_commands import list_organizations, search_devices
from simulators.ninjaone.control.job_commands import list_jobs
from simulators.ninjaone.control.server_commands import state
from simulators.ninjaone.control.sign_in_commands import list_applications, list_tokens, list_users
from simulators.ninjaone.control.webhook_commands import list_webhooks
from simulators.ninjaone.enums import SEVERITIES
from simulators.ninjaone.settings import CHOICES


@control_blueprint.get("/")
def page() -> str:
    """Everything on one page."""
    with lab().lock:
        return show(
            "ninjaone_control.html",
            devices=search_devices(searched(), SHOWN),
            organizations=list_organizations(),
            alerts=[alert_summary(one) for one in lab().active_alerts()][-SHOWN:][::-1],
            jobs=list_jobs(),
            state=state(),
            webhooks=list_webhooks(),
            waiting=lab().courier.waiting(),
            users=list_users(),
            applications=list_applications(),
            tokens=list_tokens(),
            activities=[one.row for one in lab().journal.newest_first()][:SHOWN],
            conditions=list(CONDITIONS),
            severities=SEVERITIES,
            choices=CHOICES,
            prefix="/v2",
        )
