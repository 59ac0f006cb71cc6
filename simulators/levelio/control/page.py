"""The page a person drives the simulator with: plain HTML forms, no script."""

from __future__ import annotations

from simulators.common.control import SHOWN, searched
from simulators.levelio.control.alert_commands import list_alerts, list_runs
from simulators.levelio.control.blueprint import control_blueprint, lab, show
from simulators.levelio.control.fleet_commands import search_devices
from simulators.levelio.control.group_commands import list_groups
from simulators.levelio.control.server_commands import list_keys, state
from simulators.levelio.control.webhook_commands import list_steps, list_webhooks
from simulators.levelio.events import EVENT_TYPES, STEP_BODY, STEP_EVENTS
from simulators.levelio.misbehaviour import EMPTY
from simulators.levelio.monitors import MONITORS, SEVERITIES
from simulators.levelio.settings import CHOICES


@control_blueprint.get("/")
def page() -> str:
    """Everything on one page."""
    with lab().lock:
        return show(
            "levelio_control.html",
            devices=search_devices(searched(), SHOWN),
            groups=list_groups(),
            alerts=list_alerts()[-SHOWN:][::-1],
            runs=list_runs()[-SHOWN:][::-1],
            state=state(),
            keys=list_keys(),
            webhooks=list_webhooks(),
            steps=list_steps(),
            waiting=lab().courier.waiting(),
            monitors=list(MONITORS),
            severities=SEVERITIES,
            event_types=EVENT_TYPES,
            step_events=list(STEP_EVENTS.values()),
            step_body=STEP_BODY,
            empty=EMPTY,
            prefix="/v2",
            choices=CHOICES,
        )
