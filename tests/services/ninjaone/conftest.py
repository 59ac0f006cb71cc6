"""The world's connection to a simulated NinjaOne over HTTP, which sends its webhooks to the running host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import TestResponse

from rmm_extension.providers import http
from rmm_extension.providers.ninjaone import webhooks
from simulators.ninjaone.models import Device
from simulators.testing import serve_in_thread
from tests.harness.ninjaone import Ninja
from tests.harness.ninjaone import ninja as ninja
from tests.harness.scene import Scene as Connected
from tests.harness.world import World


@dataclass
class Scene(Connected):
    """The simulated server behind the world's connection; its first organization is mapped here."""

    ninja: Ninja
    hook: str = ""

    provider = "ninjaone"

    @property
    def organization(self) -> str:
        """The organization that is mapped."""
        return str(min(self.ninja.lab.fleet.organizations))

    @property
    def machines(self) -> list[Device]:
        """Devices of the organization that is mapped."""
        return [one for one in self.ninja.lab.devices() if str(one.organization_id) == self.organization]

    def known(self, number: int = 0, **columns: Any) -> str:
        """One of these devices, as it is known here; its id at the vendor."""
        external_id = str(self.machines[number].id)
        self.world.device(external_id, f"PC-{number}", **columns)
        self.world.do("UPDATE rmm_devices SET external_organization_id = :id", id=self.organization)
        return external_id

    def subscribe(self) -> None:
        """Have webhooks sent to the running host, as a registration does."""
        body = {
            "url": self.hook,
            "activities": {kind: list(codes) for kind, codes in webhooks.activity_map().items()},
            "expand": ["device", "organization", "location"],
            "headers": [{"name": webhooks.HEADER, "value": self.world.secret}],
        }
        assert self.ninja.call("PUT", "/v2/webhook", json=body).status_code == 204

    def deliver(self, **how: Any) -> list[dict[str, Any]]:
        """Have the webhooks sent that wait; the answers' bodies."""
        sent = self.ninja.deliver(**how)
        assert {one["status"] for one in sent} <= {200}, sent
        return [json.loads(one["answer"]) for one in sent]

    def trigger(self, device_id: str, condition: str = "Disk almost full", **more: Any) -> str:
        """Have a condition trigger; the alert's uid."""
        told = self.ninja.control("conditions/trigger", device_id=int(device_id), condition=condition, **more)
        return str(told["uid"])

    def post(self, body: Any, **options: Any) -> TestResponse:
        """A delivery without the server."""
        url = f"/api/webhooks/ninjaone/{self.world.token}"
        return self.world.post(body, **{"url": url, **options})

    def read_log(self) -> dict[str, Any]:
        """Read the activity log on; the run's row."""
        return self.run("activity_sync")

    def signals(self) -> list[dict[str, Any]]:
        """What was told of devices, in the order of its arrival."""
        return self.world.rows("SELECT * FROM rmm_signals ORDER BY received_at, id")


@pytest.fixture
def scene(world: World, ninja: Ninja, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The world's connection is one to NinjaOne, signed in with client credentials."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    world.do(
        "UPDATE rmm_integrations SET provider = 'ninjaone', instance_url = :url, auth_mode = :mode,"
        " settings = jsonb_build_object('client_id', CAST(:client AS text))",
        url=ninja.url,
        mode="client_credentials",
        client=ninja.client_id,
    )
    with world.unit() as session:
        vault = world.rmm.vault
        vault.store(session, world.tenant, world.integration_id, "client_secret", ninja.client_secret)
    url, stop = serve_in_thread(world.app)
    found = Scene(world, ninja, f"{url}/api/webhooks/ninjaone/{world.token}")
    world.do("UPDATE rmm_organization_mappings SET external_id = :id", id=found.organization)
    yield found
    stop()
