"""The world's connection to a simulated Level over HTTP, which sends its webhooks to the running host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from rmm_extension.providers import http
from rmm_extension.services.webhook_access import keep_secret
from simulators.levelio.models import Device
from simulators.testing import serve_in_thread
from tests.harness.levelio import Level
from tests.harness.levelio import level as level
from tests.harness.scene import Scene as Connected
from tests.harness.world import World


@dataclass
class Scene(Connected):
    """The simulated account behind the world's connection; the group of a device is mapped here."""

    level: Level
    hook: str = ""

    provider = "levelio"

    @property
    def group(self) -> str:
        """The group that is mapped: one with devices of its own."""
        return str(min(one.group_id for one in self.level.lab.devices() if one.group_id))

    @property
    def machines(self) -> list[Device]:
        """Devices of the group that is mapped."""
        return [one for one in self.level.lab.devices() if one.group_id == self.group]

    def known(self, number: int = 0, **columns: Any) -> str:
        """One of these devices, as it is known here; its id at the vendor."""
        external_id = self.machines[number].id
        self.world.device(external_id, f"PC-{number}", **columns)
        self.world.do("UPDATE rmm_devices SET external_organization_id = :id", id=self.group)
        return external_id

    def subscribe(self) -> str:
        """Have webhooks sent to the running host, signed with the secret that was copied from there; it."""
        secret = self.level.add_webhook(self.hook)
        self.keep(secret)
        return secret

    def keep(self, secret: str) -> None:
        """Enter the secret of a webhook."""
        world = self.world
        with world.unit() as session:
            keep_secret(world.rmm, session, world.admin, world.integration_id, secret)

    def deliver(self, **how: Any) -> list[dict[str, Any]]:
        """Have the webhooks sent that wait; the answers' bodies."""
        sent = self.level.deliver(**how)
        assert {one["status"] for one in sent} <= {200}, sent
        return [json.loads(one["answer"]) for one in sent]

    def signals(self) -> list[dict[str, Any]]:
        """What was told of devices, in the order of its arrival."""
        return self.world.rows("SELECT * FROM rmm_signals ORDER BY received_at, id")


@pytest.fixture
def scene(world: World, level: Level, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The world's connection is one to Level."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    provider = world.rmm.providers.get("levelio")
    monkeypatch.setattr(provider, "runtime", replace(provider.runtime, base_urls={"levelio": level.url}))
    world.do("UPDATE rmm_integrations SET provider = 'levelio', instance_url = ''")
    with world.unit() as session:
        world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", level.key)
    url, stop = serve_in_thread(world.app)
    found = Scene(world, level, f"{url}/api/webhooks/levelio/{world.token}")
    world.do("UPDATE rmm_organization_mappings SET external_id = :id", id=found.group)
    yield found
    stop()
