"""Remote access: where it is offered, why not, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, Conflict, Forbidden
from rmm_extension.domain.types import RemoteLink
from rmm_extension.host import Actor
from rmm_extension.models import new_id
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services.inventory import UnknownDevice
from rmm_extension.services.remote_access import obstacles, open_remotely, with_connections
from rmm_extension.testing.statements import StatementCounter
from tests.conftest import world
from tests.harness.world import AGENT, World

from .conftest import said
from .test_alert_actions import browser

__all__ = ["world"]

LINK = f"https://rmm.example.com/agents/{AGENT}"


@pytest.fixture
def device(world: World) -> UUID:
    """An online device of a connection that knows its dashboard."""
    world.do("""UPDATE rmm_integrations SET settings = '{"dashboard_url": "https://rmm.example.com"}'""")
    return world.device(asset_id=asset(world))


def asset(world: World) -> str:
    return str(world.one("SELECT min(id) FROM assets WHERE tenant_id = :t", t=world.tenant))


def person(world: World) -> Actor:
    """The technician, as services know them."""
    rows = world.rows("SELECT id, name FROM users WHERE email = 'tech@northbeam.example'")
    return Actor(id=rows[0]["id"], name=rows[0]["name"], tenant_id=world.tenant)


def told(world: World, session: Session, ids: list[UUID], tenant: str | None = None) -> Mapping[UUID, Any]:
    """What stands in the way to each of the devices, as panels ask."""
    found = with_connections(session, tenant or world.tenant, ids)
    return obstacles(world.rmm, session, tenant or world.tenant, found)


def press(world: World, device: UUID, name: str = "tech") -> Any:
    return browser(world, name).post(f"/rmm/devices/{device}/remote")


class TestOpening:
    def test_the_tab_goes_on_to_the_agents_page(self, world: World, device: UUID) -> None:
        answer = press(world, device)
        assert answer.status_code == 200
        assert answer.headers["Refresh"] == f"0; url={LINK}"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert f'href="{LINK}" rel="noopener noreferrer"' in answer.text

    def test_it_is_audited_without_the_link(self, world: World, device: UUID) -> None:
        press(world, device)
        (line,) = world.rows("SELECT * FROM rmm_audit WHERE action = 'device.remote_access'")
        assert (line["subject_id"], line["subject_name"]) == (str(device), "SERVER-01")
        assert line["actor_name"] == person(world).name
        assert line["integration_id"] == world.integration_id
        assert line["changes"] == {"host": "rmm.example.com"}

    def test_who_may_not_is_refused_and_sees_no_button(self, world: World, device: UUID) -> None:
        assert press(world, device, "viewer").status_code == 403
        assert "Remote access" not in browser(world, "viewer").get(f"/rmm/devices/{device}").text
        assert not world.rows("SELECT 1 FROM rmm_audit WHERE action = 'device.remote_access'")

    def test_the_service_asks_for_the_permission_itself(self, world: World, device: UUID) -> None:
        viewer = world.rows("SELECT id FROM users WHERE email = 'viewer@northbeam.example'")[0]["id"]
        with world.app.app_context(), pytest.raises(Forbidden):
            open_remotely(world.rmm, Actor(id=viewer, name="V", tenant_id=world.tenant), device)

    def test_a_form_needs_its_token(self, world: World, device: UUID) -> None:
        client = browser(world)
        world.app.config["WTF_CSRF_ENABLED"] = True
        assert client.post(f"/rmm/devices/{device}/remote").status_code == 400

    def test_another_tenants_device_is_not_there(self, world: World, device: UUID) -> None:
        with world.unit() as session:
            assert told(world, session, [device], "another") == {}
        with world.app.app_context(), pytest.raises(UnknownDevice):
            open_remotely(world.rmm, person(world), new_id())
        assert press(world, new_id()).status_code == 404


@pytest.mark.parametrize(
    "change, words",
    [
        ("UPDATE rmm_devices SET status = 'offline'", "The device is offline."),
        ("UPDATE rmm_devices SET status = 'overdue'", "The device is overdue"),
        ("UPDATE rmm_devices SET status = 'unknown'", "It is not known whether the device is online."),
        ("UPDATE rmm_devices SET deleted_at = now()", "The device was deleted in Tactical RMM."),
        ("UPDATE rmm_integrations SET state = 'paused'", "The connection “Tactical” is paused: resume it"),
        ("UPDATE rmm_integrations SET state = 'needs_reauth'", "waits for new credentials"),
    ],
)
def test_why_it_cannot_be_opened_now(world: World, device: UUID, change: str, words: str) -> None:
    world.do(change)
    page = browser(world).get(f"/rmm/devices/{device}")
    assert words in said(page).partition("No remote access: ")[2]
    assert "/remote" not in page.text
    assert press(world, device).status_code == 409
    with world.app.app_context(), pytest.raises(Conflict):
        open_remotely(world.rmm, person(world), device)
    assert not world.rows("SELECT 1 FROM rmm_audit WHERE action = 'device.remote_access'")


def test_a_link_that_is_no_address_is_not_opened(
    world: World, device: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a vendor answers: the page that leads on is one of ours."""
    link = RemoteLink(url="javascript:alert(1)")
    monkeypatch.setattr(TacticalRmm, "remote_link", lambda *_: link)
    page = browser(world).get(f"/rmm/devices/{device}")
    assert "is no web address" in said(page)
    answer = press(world, device)
    assert answer.status_code == 400
    assert "javascript:" not in answer.text + page.text


class TestWithoutADashboard:
    @pytest.fixture(autouse=True)
    def unset(self, world: World, device: UUID) -> None:
        world.do("UPDATE rmm_integrations SET settings = '{}'")

    def test_who_may_configure_gets_there(self, world: World, device: UUID) -> None:
        page = browser(world, "admin").get(f"/rmm/devices/{device}")
        assert "does not say where the dashboard of Tactical RMM is" in said(page)
        assert f'href="/rmm/connections/{world.integration_id}/credentials"' in page.text

    def test_others_get_the_reason_alone(self, world: World, device: UUID) -> None:
        page = browser(world).get(f"/rmm/devices/{device}")
        assert "does not say where the dashboard of Tactical RMM is" in said(page)
        assert "/credentials" not in page.text
        with world.app.app_context(), pytest.raises(ConfigError):
            open_remotely(world.rmm, person(world), device)


class TestPanels:
    def test_on_the_assets_page(self, world: World, device: UUID) -> None:
        page = browser(world).get(f"/assets/{asset(world)}")
        assert f'action="/rmm/devices/{device}/remote" target="_blank" rel="noopener"' in page.text

    def test_on_the_tickets_page(self, world: World, device: UUID) -> None:
        world.post()
        (ticket,) = world.tickets()
        page = browser(world).get(f"/tickets/{ticket['id']}")
        assert f'action="/rmm/devices/{device}/remote"' in page.text

    def test_many_devices_cost_one_statement(self, world: World, device: UUID) -> None:
        ids = [device, *(world.device(f"agent-{at}", f"PC-{at}") for at in range(12))]
        with world.unit() as session:
            told(world, session, ids[:1])
            with StatementCounter() as one:
                told(world, session, ids[:1])
            with StatementCounter() as many:
                found = told(world, session, ids)
        assert set(found) == set(ids)
        assert many.count == one.count
