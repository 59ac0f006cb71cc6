"""A Tactical RMM server with a few agents, its connection, and the work that pages ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from rmm_extension.providers import http
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app, lab_of
from simulators.tacticalrmm.fleet import FleetOptions
from simulators.tacticalrmm.lab import Lab
from simulators.testing import serve_in_thread
from tests.harness.world import World
from tests.services.working import work

SCRIPT, COMMAND, REBOOT, PING = (
    f"tacticalrmm.agents.{name}" for name in ("run_script", "run_command", "reboot", "ping")
)
HIDDEN = re.compile(r'name="key" value="([^"]+)"')


@dataclass
class Vendor:
    """The running server and the world that is connected to it."""

    world: World
    lab: Lab

    def device(self, plat: str = "windows", at: int = 0, **columns: Any) -> UUID:
        """One of the server's agents as a device of ours, online."""
        agent = [one for one in self.lab.agents() if one.plat == plat][at]
        facts = {"platform": plat, "os_type": plat.capitalize(), "current_user": "anna"}
        return self.world.device(agent.agent_id, agent.hostname, **{"facts": facts, **columns})

    def scripts(self) -> None:
        """List the library."""
        with self.world.unit() as session:
            from rmm_extension.services.actions import refresh_scripts

            refresh_scripts(session, self.world.admin, self.world.integration_id)
        work(self.world, "script_list")

    def script(self, name: str) -> dict[str, Any]:
        """A script of the library as we know it."""
        (row,) = self.world.rows("SELECT * FROM rmm_scripts WHERE name = :name", name=name)
        return row

    def work(self) -> list[Any]:
        """Do what was asked for."""
        return work(self.world, "device_action")

    def invocations(self) -> list[dict[str, Any]]:
        """What was asked for, oldest first."""
        return self.world.rows("SELECT * FROM rmm_action_invocations ORDER BY created_at, id")


@pytest.fixture
def vendor(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """A server of thirty agents, connected."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    app = create_app(FleetOptions(30, 2, 7, 1), alerts_at_start=0)
    url, stop = serve_in_thread(app)
    with world.unit() as session:
        world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", keys.INTEGRATION_KEY)
    world.do("UPDATE rmm_integrations SET instance_url = :url", url=url)
    yield Vendor(world, lab_of(app))
    stop()


def form(client: FlaskClient, action: str, *ids: UUID, **more: Any) -> TestResponse:
    """The page on which an action is asked for."""
    return client.get(f"/rmm/run/{action}", query_string={"ids": ids, **more})


def ask(client: FlaskClient, action: str, *ids: UUID, key: str | None = None, **more: Any) -> TestResponse:
    """Send that page's form; inputs are named ``in_…``."""
    given = key or HIDDEN.search(form(client, action, *ids, **_kept(more)).text)[1]  # type: ignore[index]
    return client.post(f"/rmm/run/{action}", data={"ids": [str(id_) for id_ in ids], "key": given, **more})


def asked_here(page: str) -> str:
    """What a page shows in place of the action that its address opens; empty where it shows none."""
    part = re.search(r'<div id="rmm-asked">\s*(<section class="rmm-asked".*?)</section>\s*</div>', page, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", part[1]).split()) if part else ""


def _kept(more: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in more.items() if not name.startswith("in_")}
