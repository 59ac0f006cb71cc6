"""A simulated Level for any test: `level` is a server of its own, `start_level` starts some with options.

    level.url, level.lab                         base address without a slash; the state: level.lab.device(…)
    level.key, level.readonly_key                values of the keys; a regenerated one is told by its answer
    level.get("/v2/devices"), level.call("POST", "/v2/alerts/…/resolve")     with the read/write key
    level.control("alerts/raise", device_id=…), level.ask("state")           the control API
    level.fault("throttled", prefix="/v2", count=1), level.empty("/v2/devices")
    level.lab.settings.change(rate_limit=5)
    level.add_webhook(url)                       an entry of Settings > Webhooks; its secret
    level.deliver()                              sends the webhooks that wait; nothing is sent by itself here
    level.paths("/v2")                           what was asked for so far: "GET /v2/devices"

Import them in a conftest: `from tests.harness.levelio import level as level`. No alert is on at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from simulators.levelio import keys
from simulators.levelio.app import create_app, lab_of
from simulators.levelio.fleet import FleetOptions
from simulators.levelio.lab import Lab
from simulators.levelio.misbehaviour import EMPTY
from simulators.ninjaone.fleet import Twin
from tests.harness.simulated import Simulated, serving


@dataclass
class Level(Simulated):
    """A running simulator, its state, and its keys."""

    lab: Lab
    key: str = keys.WRITE_KEY
    readonly_key: str = keys.READONLY_KEY

    def call(self, method: str, path: str, key: str | None = None, **options: Any) -> requests.Response:
        """A call of the API with the read/write key, or with the given one ("" for none)."""
        chosen = self.key if key is None else key
        headers = {"Authorization": chosen} if chosen else {}
        headers.update(options.pop("headers", {}))
        return self.send(method, path, headers=headers, **options)

    def get(self, path: str, key: str | None = None, **options: Any) -> requests.Response:
        """A GET of the API."""
        return self.call("GET", path, key, **options)

    def empty(self, prefix: str, **options: Any) -> None:
        """Let lists below the prefix be answered without a row."""
        self.fault("wrong_shape", prefix=prefix, body=EMPTY, **options)

    def add_webhook(self, url: str, **options: Any) -> str:
        """Set up a webhook as an administrator does; its secret, which signs what is sent."""
        made = self.control("webhooks", url=url, **options)
        return str(made["secret"])

    def raise_alert(self, device_id: str, name: str = "Disk space low", **options: Any) -> str:
        """Let a monitor find something; the id of the alert."""
        return str(self.control("alerts/raise", device_id=device_id, name=name, **options)["id"])


@contextmanager
def levels() -> Iterator[Callable[..., Level]]:
    """Starts simulators of any size; keywords beside the fleet's are switches and options of `create_app`."""
    with serving() as serve:

        def run(
            devices: int = 60, companies: int = 4, seed: int = 7, twins: tuple[Twin, ...] = (), **options: Any
        ) -> Level:
            options = {"deliveries": "manual", "alerts_at_start": 0, **options}
            app = create_app(FleetOptions(devices, companies, seed, twins), **options)
            return Level(serve(app, lab_of(app).courier), lab_of(app))

        yield run


@pytest.fixture
def level() -> Iterator[Level]:
    """A small simulated Level of this test alone; webhooks are sent by `deliver`."""
    with levels() as start:
        yield start()


@pytest.fixture
def start_level() -> Iterator[Callable[..., Level]]:
    """Starts simulated Levels with other options."""
    with levels() as start:
        yield start
