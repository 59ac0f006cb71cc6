"""One request for each address that is read, with a row that has something to tell."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from simulators.levelio.rows import INCLUDES
from tests.harness.levelio import Level

EVERYTHING = "&".join(f"include_{name}=true" for name in INCLUDES)
QUERIES = {
    "/devices": f"?limit=100&{EVERYTHING}",
    "/devices/{id}": f"?{EVERYTHING}",
    "/automation-runs/{id}": "?include_steps=true",
}


def busy(level: Level) -> Level:
    """The server with alerts of each severity, one of them resolved, and with a run."""
    devices = [one for one in level.lab.devices() if not one.maintenance]
    for name, device in zip(level.ask("monitors"), devices, strict=False):
        alert = level.raise_alert(device.id, name)
    level.control(f"alerts/{alert}/resolve")
    token = level.lab.triggers[0].token
    body = {"device_ids": [devices[0].id]}
    assert level.call("POST", f"/v2/automations/webhooks/{token}", json=body).status_code == 200
    return level


def answer(level: Level, path: str) -> Any:
    """What the address answers, with every block that can be asked for."""
    lab = level.lab
    rows = {"devices": lab.fleet.devices, "groups": lab.fleet.groups, "updates": lab.fleet.updates}
    rows |= {"alerts": lab.alerts, "automation-runs": lab.runs}
    one = next(iter(rows.get(path.split("/")[1], {"": None})))
    reply = level.get(f"/v2{path.replace('{id}', quote(one, safe=''))}{QUERIES.get(path, '')}")
    assert reply.status_code == 200, reply.text
    return reply.json()


def webhooks(level: Level) -> None:
    """One event of each kind of thing, sent."""
    device = level.lab.device(online=True, maintenance=False)
    alert = level.raise_alert(device.id)
    level.control(f"alerts/{alert}/resolve")
    level.control("groups", name="New")
    level.control(f"devices/{device.id}/delete")
    level.deliver()
