"""The designer's page: what it shows, and what its buttons do."""

from __future__ import annotations

from flask.testing import FlaskClient

from rmm_extension.testing.statements import StatementCounter
from tests.blueprints.conftest import said
from tests.blueprints.test_alert_actions import browser
from tests.harness.world import World

from .conftest import NOTE, Pages, make, step


def test_the_page_says_what_starts_it_and_what_follows(pages: Pages) -> None:
    words = pages.text()
    assert "When an alert fires" in words
    assert "1. First Tickets · Note on a ticket · steps.first" in words
    assert "Ticket : {{ ticket.id }}" in words or "Ticket {{ ticket.id }}" in words
    assert "It was never published: nothing starts it yet." in words


def test_steps_are_moved_copied_and_taken_out(pages: Pages) -> None:
    pages.sent("/steps/second/move", way="up")
    assert pages.names == ["second", "first"]
    pages.sent("/steps/first/move", way="down")
    assert pages.names == ["second", "first"], "the last one stays the last one"
    pages.sent("/steps/second/duplicate")
    assert pages.names == ["second", "second_2", "first"]
    pages.sent("/steps/second/remove")
    assert pages.names == ["second_2", "first"]


def test_the_order_is_saved_whole(pages: Pages) -> None:
    pages.sent("/order", ids=["second", "first"])
    assert pages.names == ["second", "first"]
    assert "were changed meanwhile" in pages.sent("/order", ids=["first"])
    assert pages.names == ["second", "first"]


def test_of_two_who_change_it_at_once_one_is_told(pages: Pages) -> None:
    old = pages.row["revision"]
    pages.sent("/steps/second/move", way="up")
    answer = pages.send("/steps/first/remove", revision=old)
    assert "has saved this workflow meanwhile" in said(pages.client.get(answer.location))
    assert pages.names == ["second", "first"]


def test_a_step_that_is_gone_is_not_found(pages: Pages) -> None:
    assert pages.send("/steps/third/move", way="up").status_code == 404
    assert pages.client.get(f"{pages.url}/steps/third").status_code == 404


def test_who_may_only_look_changes_nothing(world: World, pages: Pages) -> None:
    viewer = browser(world, "viewer")
    page = viewer.get(pages.url)
    assert page.status_code == 200
    assert "1. First" in said(page)
    assert "Publish…" not in page.text
    assert "/move" not in page.text
    assert "rmm-card-wrong" not in page.text, "what their role may not do is no fault of the workflow"
    for path in ("/palette", "/trigger", "/publish", "/steps/first", "/details", "/delete"):
        assert viewer.get(pages.url + path).status_code == 403, path
    assert viewer.post(f"{pages.url}/steps/first/remove", data={"revision": 1}).status_code == 403
    assert pages.names == ["first", "second"]


def test_another_tenants_workflow_is_not_there(world: World, pages: Pages) -> None:
    world.do("UPDATE rmm_workflows SET tenant_id = 'other'")
    assert pages.client.get(pages.url).status_code == 404
    assert pages.client.post(f"{pages.url}/copy").status_code == 404


def test_what_is_wrong_stands_on_its_step(world: World, admin: FlaskClient) -> None:
    wrong = make(
        world,
        admin,
        step("first", inputs={"ticket_id": "{{ ticket.id }}"}),
        step("second", inputs={**NOTE, "note": "{{ steps.third.output.x }}"}),
        step("third", when="alert.severity ==", inputs=NOTE),
    )
    words = wrong.text()
    assert "Note: Fill this in." in words
    assert "Only if:" in words
    assert f"{wrong.url}/steps/first?check=1" in wrong.client.get(wrong.url).text


class TestDisconnected:
    def test_its_steps_are_marked_and_keep_their_context(self, world: World, admin: FlaskClient) -> None:
        reboot = make(world, admin, step("restart", "tacticalrmm.agents.reboot"))
        assert "Disconnected" not in reboot.text()
        world.do("UPDATE rmm_integrations SET state = 'not_connected'")
        words = reboot.text()
        assert "Disconnected" in words
        assert "Tactical RMM is not connected." in words
        form = reboot.text("/steps/restart")
        assert "Tactical RMM is not connected. Everything here can be filled in and saved." in form
        assert "What expressions can name here" in form
        reboot.sent("/steps/restart", name="Again")
        assert reboot.draft["steps"][0]["name"] == "Again"

    def test_it_is_not_in_the_palette(self, pages: Pages) -> None:
        assert "Reboot" in pages.text("/palette")
        pages.world.do("UPDATE rmm_integrations SET state = 'paused'")
        words = pages.text("/palette")
        assert "Reboot" not in words
        assert "Not connected here: Huntress" in words
        answer = pages.send("/steps", action="tacticalrmm.agents.reboot")
        assert answer.status_code == 404
        assert pages.names == ["first", "second"]

    def test_it_can_be_published_with_a_warning(self, world: World, admin: FlaskClient) -> None:
        world.do("UPDATE rmm_integrations SET state = 'paused'")
        reboot = make(world, admin, step("restart", "tacticalrmm.agents.reboot"))
        assert "Ready, with warnings" in reboot.text("/publish")
        reboot.sent("/publish")
        assert reboot.row["state"] == "published"


def test_the_page_costs_the_same_however_many_steps_there_are(
    world: World, admin: FlaskClient, statement_counter: type[StatementCounter]
) -> None:
    counts = []
    for number in (1, 12):
        flow = make(world, admin, *(step(f"s{at}", inputs=NOTE) for at in range(number)))
        with world.app.app_context(), statement_counter() as sent:
            admin.get(flow.url)
        counts.append(sent.count)
    assert counts[0] == counts[1]
