"""/v2/automations, their webhooks, and what they run."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from simulators.levelio.endpoints import Action, Endpoint, body, check_key, known, lab, reads, switched_on
from simulators.levelio.paging import page
from simulators.levelio.replies import missing, unfit
from simulators.levelio.rows import automation_row, run_row, trigger_row
from simulators.levelio.runs import start


def automations() -> Any:
    """All automations."""
    return page(lab().automations, lambda one: automation_row(lab(), one))


def triggers() -> Any:
    """The webhooks of automations with their tokens; on one page."""
    base = request.host_url.rstrip("/")
    rows = [trigger_row(lab(), one, base) for one in lab().triggers]
    return rows if lab().settings.trigger_list == "array" else {"data": rows, "has_more": False}


def trigger(token: str) -> Response:
    """Run it on devices. The token alone is enough unless the webhook wants a key; nothing comes back."""
    found = next((one for one in lab().triggers if one.token == token), None)
    if found is None:
        raise missing("Webhook")
    if found.requires_authorization:
        check_key(writes=True)
    data = body()
    devices = data.pop("device_ids", [])
    if not isinstance(devices, list) or not all(one in lab().fleet.devices for one in devices):
        raise unfit("device_ids must be ids of devices")
    if not all(isinstance(value, str) for value in data.values()):
        raise unfit("Parameters must be strings")
    start(lab(), found.automation_id, devices, data)
    return Response(status=200)


def run(run_id: str) -> Any:
    """One run, with its steps if asked for."""
    return run_row(lab(), known(lab().runs, run_id, "Run"), steps=switched_on("include_steps"))


ENDPOINTS = [
    reads("/automations", automations),
    reads("/automations/webhooks", triggers),
    Endpoint("/automations/webhooks/<token>", {"POST": Action(trigger, open=True)}),
    reads("/automation-runs/<run_id>", run),
]
