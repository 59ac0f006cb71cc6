"""The demonstration tenant, connected with simulated Microsoft services through the wizard's pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from reference_psa import create_app
from reference_psa.db import db
from rmm_extension.host import Actor
from rmm_extension.jobs.execute import perform
from rmm_extension.providers import http
from rmm_extension.services import connections
from rmm_extension.services.actions.request import request
from rmm_extension.services.messaging import endpoint
from simulators.testing import serve_in_thread
from tests.blueprints.conftest import said
from tests.harness.schema import app_config
from tests.harness.teams import SimulatedTeams
from tests.harness.teams import teams as teams
from tests.harness.world import World
from tests.services.working import work


@dataclass
class Connected:
    """The connection, its vendor, and the people of the tenant."""

    world: World
    teams: SimulatedTeams
    integration_id: UUID

    def user(self, mail: str) -> Actor:
        """A user of the host."""
        (row,) = self.world.rows(
            "SELECT id, name FROM users WHERE tenant_id = :tenant AND email = :mail",
            tenant=self.world.tenant,
            mail=mail,
        )
        return Actor(id=row["id"], name=row["name"], tenant_id=self.world.tenant)

    def ask(self, action: str, **given: Any) -> UUID:
        """Ask for an action of Teams as an administrator."""
        with self.world.unit() as session:
            return request(
                self.world.rmm,
                session,
                self.user("admin@northbeam.example"),
                f"teams.{action}",
                integration_id=self.integration_id,
                device_id=None,
                input=given,
            )

    def done(self, action: str, **given: Any) -> dict[str, Any]:
        """Ask, have a worker do it once, and the row after that."""
        asked = self.ask(action, **given)
        self.attempt(asked)
        return self.row(asked)

    def attempt(self, asked: UUID) -> None:
        """One attempt of a worker."""
        (run,) = self.world.rows(
            "SELECT r.id, r.attempt FROM rmm_job_runs r JOIN rmm_action_invocations i"
            " ON i.run_id = r.id AND i.tenant_id = r.tenant_id WHERE i.id = :id",
            id=asked,
        )
        with self.world.app.app_context():
            perform(self.world.rmm, self.world.tenant, run["id"], run["attempt"])

    def row(self, asked: UUID) -> dict[str, Any]:
        """The stored invocation."""
        (row,) = self.world.rows("SELECT * FROM rmm_action_invocations WHERE id = :id", id=asked)
        return row

    def deliver(self) -> list[tuple[int, dict[str, Any]]]:
        """Have the activities sent that wait; status and body of each answer."""
        return [(one["status"], json.loads(one["answer"])) for one in self.teams.deliver()]

    def places(self) -> list[dict[str, Any]]:
        """The conversations that are kept."""
        return self.world.rows("SELECT * FROM rmm_teams_conversations ORDER BY kind, conversation_id")

    def link(self, mail: str, person: str) -> str:
        """Link a user with an account on the page, and the user's id."""
        user = self.user(mail)
        fields = {"user": user.id, "account": self.teams.object_id(person)}
        answer = browser(self.world).post(
            f"/rmm/connections/{self.integration_id}/users/link", data=fields, follow_redirects=True
        )
        assert f"Linked with {person}" in said(answer)
        return user.id


def browser(world: World) -> FlaskClient:
    """A browser in which the administrator is signed in."""
    client = world.app.test_client()
    user = world.one(
        "SELECT id FROM users WHERE tenant_id = :tenant AND role = 'admin' LIMIT 1", tenant=world.tenant
    )
    with client.session_transaction() as cookie:
        cookie["_user_id"] = f"{world.tenant}/{user}"
        cookie["_fresh"] = True
    return client


def connect(world: World, teams: SimulatedTeams, mode: str = "single_tenant", **changes: str) -> TestResponse:
    """Send the wizard's form."""
    given = {f"field_{name}": value for name, value in {**teams.fields(), **changes}.items()}
    form = {"name": "Teams of Northbeam", "field_activity_feed": "on", **given}
    return browser(world).post(f"/rmm/connect/teams/{mode}", data=form)


@pytest.fixture
def world(populated_url: str, teams: SimulatedTeams, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The host, which finds the simulator in the place of Microsoft's hosts."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)
    app = create_app({**app_config(populated_url), "WTF_CSRF_ENABLED": False})
    world = World(app)
    provider = world.rmm.providers.get("teams")
    monkeypatch.setattr(provider, "runtime", replace(provider.runtime, base_urls={"teams": teams.url}))
    yield world
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def connected(world: World, teams: SimulatedTeams) -> Iterator[Connected]:
    """Connected by the wizard, with the keys fetched; the bot sends its messages to the running host."""
    answer = connect(world, teams)
    assert answer.status_code == 303, said(answer)
    (row,) = world.rows("SELECT id FROM rmm_integrations WHERE provider = 'teams'")
    world.do("UPDATE rmm_integrations SET setup_step = NULL WHERE id = :id", id=row["id"])
    assert work(world, "signing_keys") == [{"keys": 2}]
    with world.unit() as session:
        found = endpoint(world.rmm, session, connections.get(session, world.tenant, row["id"]))
        assert found is not None
        path = "/" + found.url.split("/", 3)[3]
    url, stop = serve_in_thread(world.app)
    teams.listen_at(f"{url}{path}")
    yield Connected(world, teams, row["id"])
    stop()
