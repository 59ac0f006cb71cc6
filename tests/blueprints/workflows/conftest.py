"""A workflow to be changed by its pages, and the forms of these as a browser sends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from reference_psa.seed import demo_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.host import Actor
from rmm_extension.models import ScriptRow, new_id
from rmm_extension.workflows import definitions
from tests.blueprints.conftest import said
from tests.blueprints.test_alert_actions import browser
from tests.conftest import world
from tests.harness.world import World

__all__ = ["world"]

ALERT_FIRES: dict[str, Any] = {"event": "RMM_ALERT_TRIGGERED"}


def step(step_id: str, action: str = "tickets.add_note", **more: Any) -> dict[str, Any]:
    """A step of a document; inputs that are texts are templates."""
    inputs = more.pop("inputs", {})
    bound = {name: {"template": one} if isinstance(one, str) else one for name, one in inputs.items()}
    return {
        "id": step_id,
        "name": step_id.capitalize(),
        "action": action,
        "version": 1,
        "inputs": bound,
        **more,
    }


NOTE = {"ticket_id": "{{ ticket.id }}", "note": "Seen"}


@dataclass
class Pages:
    """One workflow as its administrator sees it."""

    world: World
    client: FlaskClient
    id: UUID

    @property
    def url(self) -> str:
        """Its designer."""
        return f"/rmm/workflows/{self.id}"

    @property
    def draft(self) -> dict[str, Any]:
        """What is stored."""
        found: dict[str, Any] = self.row["draft"]
        return found

    @property
    def row(self) -> dict[str, Any]:
        """Its row."""
        (found,) = self.world.rows("SELECT * FROM rmm_workflows WHERE id = :id", id=self.id)
        return found

    @property
    def names(self) -> list[str]:
        """The steps in their order."""
        return [one["id"] for one in self.draft["steps"]]

    def text(self, path: str = "") -> str:
        """The words of a page."""
        answer = self.client.get(self.url + path)
        assert answer.status_code == 200, answer.status
        return said(answer)

    def send(self, path: str, **data: Any) -> TestResponse:
        """Send a form of a page made just now, unless ``revision`` says another one."""
        return self.client.post(self.url + path, data={"revision": self.row["revision"], **data})

    def sent(self, path: str, **data: Any) -> str:
        """The words of the page that the form leads to."""
        answer = self.send(path, **data)
        assert answer.status_code == 303, said(answer)
        return said(self.client.get(answer.location))


@pytest.fixture
def admin(world: World) -> FlaskClient:
    """Who manages workflows."""
    return browser(world, "admin")


@pytest.fixture
def pages(world: World, admin: FlaskClient) -> Pages:
    """A draft of two notes."""
    return make(world, admin, step("first", inputs=NOTE), step("second", inputs=NOTE))


def make(world: World, client: FlaskClient, *steps: dict[str, Any], **trigger: Any) -> Pages:
    """A draft."""
    document = {"trigger": trigger or ALERT_FIRES, "steps": list(steps)}
    with world.unit() as session:
        row = definitions.create(session, world.admin, "Notes", document)
        workflow_id = row.id
    return Pages(world, client, workflow_id)


def administrator(world: World) -> Actor:
    """Who signs in as “admin”, as services know them."""
    id_ = str(demo_id(NORTHBEAM, "users", "admin@northbeam.example"))
    return Actor(id=id_, name="Ada Admin", tenant_id=world.tenant)


def script(world: World, name: str = "Empty the bin", external_id: str = "7") -> None:
    """One script of the connection's library."""
    row = ScriptRow(
        tenant_id=world.tenant,
        id=new_id(),
        integration_id=world.integration_id,
        external_id=external_id,
        name=name,
        description="",
        category="",
        shell="powershell",
        run_as_user=False,
        favorite=False,
    )
    with world.unit() as session:
        session.add(row)
