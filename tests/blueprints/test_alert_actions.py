"""What people do with alerts in pages: what is said before, what is done, what is said after."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from reference_psa.seed import demo_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.blueprints.returning import back_url
from rmm_extension.models import new_id
from rmm_extension.testing.statements import StatementCounter
from tests.conftest import world
from tests.harness.world import World

from .conftest import said

__all__ = ["world"]


def browser(world: World, name: str = "tech") -> FlaskClient:
    """Somebody of the demonstration tenant: admin, dispatch, tech or viewer."""
    world.app.config["WTF_CSRF_ENABLED"] = False
    client = world.app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = f"{world.tenant}/{demo_id(NORTHBEAM, 'users', f'{name}@northbeam.example')}"
        cookie["_fresh"] = True
    return client


@pytest.fixture
def recording(world: World) -> World:
    """No rule makes tickets."""
    world.do("UPDATE rmm_alert_rules SET is_active = FALSE")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    return world


def alert_id(world: World, external: int = 524) -> UUID:
    return UUID(str(world.alert(external)["id"]))


def last(world: World, table: str) -> dict[str, Any]:
    """One of what the host offers."""
    return world.rows(f"SELECT id, name FROM {table} WHERE tenant_id = :t ORDER BY id", t=world.tenant)[-1]


def sent(client: FlaskClient, path: str, ids: list[UUID], **form: Any) -> str:
    """What the page says that a form leads back to."""
    answer = client.post(f"/rmm/alerts/{path}", data={"ids": ids, **form})
    assert answer.status_code == 303
    return said(client.get(answer.location))


def before(client: FlaskClient, do: str, *ids: UUID, **more: str) -> TestResponse:
    return client.get("/rmm/alerts/selected", query_string={"do": do, "ids": ids, **more})


class TestPermission:
    def test_who_may_not_sees_no_buttons_and_is_refused(self, world: World) -> None:
        world.post()
        viewer, technician = browser(world, "viewer"), browser(world)
        for path in ("/rmm/alerts", f"/rmm/alerts/{alert_id(world)}"):
            assert ">Acknowledge</button>" not in viewer.get(path).text
            assert ">Acknowledge</button>" in technician.get(path).text
        assert "data-rmm-select" not in viewer.get("/rmm/alerts").text
        for path in ("acknowledge", "resolve", "tickets", "retry"):
            assert viewer.post(f"/rmm/alerts/{path}", data={"ids": alert_id(world)}).status_code == 403
        assert before(viewer, "resolve", alert_id(world)).status_code == 403
        assert world.alert()["status"] == "active"

    def test_a_form_needs_its_token(self, world: World) -> None:
        world.post()
        client = browser(world)
        world.app.config["WTF_CSRF_ENABLED"] = True
        assert client.post("/rmm/alerts/acknowledge", data={"ids": alert_id(world)}).status_code == 400
        assert world.alert()["status"] == "active"


class TestAcknowledge:
    def test_several_at_once(self, world: World) -> None:
        for number in (1, 2, 3):
            world.post(world.body(number, check_id=str(number)))
        ids = [alert_id(world, number) for number in (1, 2, 3)]
        page = sent(browser(world), "acknowledge", ids, back="list:state=open&q=server")
        assert "3 alerts acknowledged." in page
        assert "State: Open" in page, "back to the list as it was narrowed"
        assert [world.alert(number)["status"] for number in (1, 2, 3)] == ["acknowledged"] * 3

    def test_each_refusal_is_named_with_its_reason(self, world: World) -> None:
        for number in (1, 2, 3):
            world.post(world.body(number, check_id=str(number)))
        for number in (2, 3):
            world.post(world.resolved(number, check_id=str(number)))
        world.do("UPDATE rmm_alerts SET message = 'Disk ' || external_id, device_name = 'SERVER-01'")
        page = sent(browser(world), "acknowledge", [alert_id(world, number) for number in (1, 2, 3)])
        assert "1 alert acknowledged." in page
        assert "2 alerts left alone: Only an active or suppressed alert can be acknowledged" in page
        assert "SERVER-01, Disk 2" in page
        assert "SERVER-01, Disk 3" in page

    def test_nothing_selected_is_said(self, world: World) -> None:
        assert "Select the alerts first." in sent(browser(world), "acknowledge", [])
        answer = browser(world).get("/rmm/alerts/selected?do=ticket", follow_redirects=True)
        assert "Select the alerts first." in said(answer)

    def test_another_tenants_alert_is_not_found(self, world: World) -> None:
        world.post()
        page = sent(browser(world), "acknowledge", [new_id()])
        assert "Nothing was done: Alert not found." in page

    def test_what_is_no_id_is_passed_over(self, world: World) -> None:
        client = browser(world)
        answer = client.post("/rmm/alerts/acknowledge", data={"ids": ["nonsense", "' OR 1=1"]})
        assert answer.status_code == 303


class TestResolve:
    def test_what_will_happen_is_said_and_then_done(self, world: World) -> None:
        world.post()
        client, one = browser(world), alert_id(world)
        page = said(before(client, "resolve", one, back=f"alert:{one}"))
        assert "stays resolved while the vendor goes on listing it" in page
        assert "Its ticket is closed where the rule says so" in page
        assert "Also resolve it in Tactical RMM" in page
        assert "1 alert resolved." in sent(client, "resolve", [one], back=f"alert:{one}")
        assert world.alert()["status"] in ("resolved", "auto_resolved")
        assert world.alert()["resolved_here"]
        assert world.rows("SELECT 1 FROM rmm_job_runs WHERE kind = 'alert_reset'") == []

    def test_by_choice_the_vendor_is_asked_too(self, world: World) -> None:
        world.post()
        page = sent(browser(world), "resolve", [alert_id(world)], at_vendor="1")
        assert "the vendor is being asked" in page
        assert len(world.rows("SELECT 1 FROM rmm_job_runs WHERE kind = 'alert_reset'")) == 1

    def test_a_resolved_one_is_told_before(self, world: World) -> None:
        world.post()
        world.post(world.resolved())
        page = said(before(browser(world), "resolve", alert_id(world)))
        assert "It is resolved already and left alone." in page
        assert "Also resolve" not in page

    def test_an_alert_of_a_vendor_that_is_gone_can_be_resolved_here(self, world: World) -> None:
        world.post()
        world.do("UPDATE rmm_integrations SET provider = 'goneco'")
        assert "Also resolve" not in said(before(browser(world), "resolve", alert_id(world)))
        refused = sent(browser(world), "resolve", [alert_id(world)], at_vendor="1")
        assert "Nothing was done: There is no provider “goneco”." in refused
        assert "1 alert resolved." in sent(browser(world), "resolve", [alert_id(world)])


class TestTickets:
    def test_the_plan_is_told(self, recording: World) -> None:
        world = recording
        for number, check in ((1, 1), (2, 1), (3, 2)):
            world.post(world.body(number, check_id=str(check)))
        client = browser(world)
        sent(client, "tickets", [alert_id(world, 1)])
        number = f"T-{world.tickets()[0]['number']}"
        page = said(before(client, "ticket", *(alert_id(world, one) for one in (1, 2, 3))))
        assert f"1 joins the open ticket {number} of the same condition" in page
        assert "1 gets a new ticket." in page
        assert "1 has a ticket already and is left alone." in page
        assert f"Join ticket {number}" in said(client.get(f"/rmm/alerts/{alert_id(world, 2)}"))

    def test_what_was_chosen_is_on_the_ticket(self, recording: World) -> None:
        world = recording
        world.post()
        client = browser(world)
        board, priority, user = (last(world, table) for table in ("boards", "priorities", "users"))
        page = before(client, "ticket", alert_id(world)).text
        assert f'<option value="{board["id"]}">{board["name"]}</option>' in page
        message = sent(
            client,
            "tickets",
            [alert_id(world)],
            title="Look at {{device}}",
            board=board["id"],
            priority=priority["id"],
            assignee=user["id"],
        )
        (ticket,) = world.tickets()
        assert f"1 alert put on T-{ticket['number']}." in message
        assert ticket["title"].startswith("Look at ")
        assert [ticket["board_id"], ticket["priority_id"]] == [board["id"], priority["id"]]
        assert ticket["assignee_id"] == user["id"]

    def test_a_choice_that_is_not_offered_is_as_if_not_made(self, recording: World) -> None:
        recording.post()
        reader = recording.one(
            "SELECT id FROM users WHERE tenant_id = :t AND role = 'read_only'", t=recording.tenant
        )
        choice = {"board": "nonsense", "assignee": reader}
        message = sent(browser(recording), "tickets", [alert_id(recording)], **choice)
        assert "1 alert put on T-" in message
        assert recording.tickets()[0]["assignee_id"] is None

    def test_without_a_client_the_remedy_is_said(self, recording: World) -> None:
        recording.post(recording.body(client_id="9"))
        page = said(before(browser(recording), "ticket", alert_id(recording)))
        assert "It belongs to no client: map its organization first." in page
        assert "No client resolvable" in sent(browser(recording), "tickets", [alert_id(recording)])


class TestRetry:
    def test_a_ticket_that_can_be_made_now(self, world: World) -> None:
        world.do("UPDATE boards SET is_active = FALSE WHERE tenant_id = :tenant", tenant=world.tenant)
        world.post()
        assert world.alert()["attention"] == "ticket_failed"
        client = browser(world)
        page = said(client.get("/rmm/attention"))
        assert "No ticket could be made: No board available" in page
        world.do("UPDATE boards SET is_active = TRUE WHERE tenant_id = :tenant", tenant=world.tenant)
        page = sent(client, "retry", [alert_id(world)], back="attention:")
        assert f"1 alert now on T-{world.tickets()[0]['number']}." in page
        assert "All is well" in page

    def test_a_ticket_that_still_cannot_be_made(self, world: World) -> None:
        world.post(world.body(client_id="9"))
        page = sent(browser(world), "retry", [alert_id(world)], back=f"alert:{alert_id(world)}")
        assert "Nothing was done: Its organization is not mapped to a client" in page

    def test_a_reset_the_vendor_refused(self, world: World) -> None:
        world.post()
        world.do("UPDATE rmm_alerts SET attention = 'reset_failed', attention_at = now()")
        page = sent(browser(world), "retry", [alert_id(world)], back="attention:")
        assert "The vendor is being asked again to resolve 1 alert." in page
        assert len(world.rows("SELECT 1 FROM rmm_job_runs WHERE kind = 'alert_reset'")) == 1


@pytest.mark.parametrize(
    "came_from, expected",
    [
        ("list:state=open&q=a%26b", "/rmm/alerts?state=open&q=a%26b"),
        ("list:", "/rmm/alerts"),
        ("attention:", "/rmm/attention"),
        ("alert:00000000-0000-0000-0000-000000000001", "/rmm/alerts/00000000-0000-0000-0000-000000000001"),
        ("device:00000000-0000-0000-0000-000000000001", "/rmm/devices/00000000-0000-0000-0000-000000000001"),
        ("ticket:7", "/tickets/7"),
        ("asset:../../x", "/assets/../../x"),
        ("alert:nonsense", "/rmm/alerts"),
        ("https://evil.example/", "/rmm/alerts"),
        ("//evil.example", "/rmm/alerts"),
        ("javascript:alert(1)", "/rmm/alerts"),
        ("", "/rmm/alerts"),
    ],
)
def test_the_way_back_stays_in_this_app(world: World, came_from: str, expected: str) -> None:
    with world.app.test_request_context("/"):
        assert back_url(came_from) == expected


def test_a_page_of_many_costs_as_much_as_a_page_of_one(recording: World) -> None:
    for number in range(10):
        recording.post(recording.body(number, check_id=str(number)))
    client = browser(recording)
    ids = [alert_id(recording, number) for number in range(10)]
    for do in ("resolve", "ticket"):
        counts = []
        for chosen in (ids[:1], ids):
            with StatementCounter() as counter:
                before(client, do, *chosen)
            counts.append(counter.count)
        assert counts[0] == counts[1], do
