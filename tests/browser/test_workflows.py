"""The designer in a browser: with script, without it, and when it comes late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.blueprints.workflows.conftest import NOTE, Pages, admin, make, pages, script, step
from tests.blueprints.workflows.test_steps import past
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.conftest import world
from tests.harness.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser, Page, Route

__all__ = ["admin", "pages", "world"]


@pytest.fixture
def base(
    world: World, admin: FlaskClient, page: Page, live_server: Callable[[WSGIApplication], str]
) -> Iterator[str]:
    """Address of the PSA with its administrator signed in; a message on the console fails the test."""
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    address = live_server(world.app)
    _sign_in(page, admin, address)
    yield address
    assert [line for line in said if "422" not in line] == []


def _sign_in(page: Page, client: FlaskClient, address: str) -> None:
    cookie = client.get_cookie("psa_session")
    assert cookie is not None
    page.context.add_cookies([{"name": "psa_session", "value": cookie.value, "url": address}])


def _shown(page: Page) -> list[str]:
    return page.locator("[data-rmm-item] [data-rmm-open]").all_inner_texts()


def test_a_workflow_is_made_and_published(world: World, page: Page, base: str) -> None:
    script(world)
    page.goto(f"{base}/rmm/workflows")
    page.click("text=New workflow")
    page.fill("#name", "Look after disks")
    page.select_option("#event", "RMM_ALERT_TRIGGERED")
    page.click("text=Make it")
    page.wait_for_selector("text=“Look after disks” was made.")
    page.click("text=Add a step")
    page.wait_for_load_state()
    page.fill("#palette-find", "run scr")
    see(page.locator("#rmm-said")).to_have_text("1 action")
    see(page.locator("[data-rmm-module]:visible")).to_have_count(1)
    page.click("button:has-text('Run script')")
    page.wait_for_selector("text=“Run script” is added.")
    page.select_option("[name=in_script_id]", "7")
    page.click("text=Save the step")
    page.wait_for_selector("text=“Run script” is saved.")
    page.click("text=Add a step")
    page.click("button:has-text('Note on a ticket')")
    page.wait_for_load_state()
    see(page.locator("[name=ex_ticket_id]")).to_have_value("{{ ticket.id }}")
    page.focus("[name=in_note]")
    page.click("button[data-rmm-insert='steps.run_script.output.output']")
    field = page.locator("[name=ex_note]")
    see(field, "an input that gets a name becomes an expression").to_have_value(
        "{{ steps.run_script.output.output }}"
    )
    see(field).to_be_focused()
    page.click("text=Save the step")
    page.wait_for_selector("text=“Note on a ticket” is saved.")
    page.click("text=Publish…")
    page.click("text=Publish as version 1")
    page.wait_for_selector("text=is published as version 1")
    (row,) = world.rows("SELECT * FROM rmm_workflows")
    assert row["state"] == "published"
    note = row["draft"]["steps"][1]["inputs"]["note"]
    assert note == {"template": "{{ steps.run_script.output.output }}"}


def test_an_expression_is_read_while_it_is_typed(pages: Pages, page: Page, base: str) -> None:
    page.goto(f"{base}{pages.url}/steps/first")
    page.wait_for_load_state()
    page.fill("#when", "alert.severity ==")
    tried = page.locator("[data-rmm-tried=when]")
    see(tried).not_to_be_empty()
    page.fill("#when", 'alert.severity == "critical"')
    see(tried).to_be_empty()


def test_an_expression_shows_what_it_gives_with_the_values_of_a_run(
    pages: Pages, page: Page, base: str
) -> None:
    first, last = past(pages, severity="minor"), past(pages, severity="critical")
    page.goto(f"{base}{pages.url}/steps/second")
    page.wait_for_load_state()
    page.fill("#when", "alert.severity")
    tried = page.locator("[data-rmm-tried=when]")
    see(tried).to_contain_text("With the values of the run: critical, which counts as true")
    page.fill("#when", 'alert.severity == "minor"')
    see(tried).to_contain_text("With the values of the run: false")
    page.select_option("#values-of", str(first))
    see(tried, "what was typed stays, and is tried anew").to_contain_text("With the values of the run: true")
    see(page.locator("#when")).to_have_value('alert.severity == "minor"')
    see(page.locator("#values-of")).to_be_focused()
    page.click("button[data-rmm-insert='alert.severity']")
    see(page.locator("#when")).to_have_value('alert.severity == "minor"alert.severity')
    see(tried).to_contain_text("There is something behind its end")
    page.fill("#when", "device.name")
    see(tried).to_contain_text("it cannot be worked out")
    assert str(last) not in page.url


def test_a_move_that_is_refused_says_why_and_shows_the_list_as_it_is(
    pages: Pages, page: Page, base: str
) -> None:
    pages.send("/steps", action="email.send")
    page.goto(f"{base}{pages.url}")
    page.wait_for_load_state()
    pages.send("/steps/first/remove")
    page.evaluate("window.kept = true")
    page.click("[aria-label='Move Second up']")
    refused = page.locator("#rmm-results [role=alert]")
    see(refused).to_contain_text("has saved this workflow meanwhile")
    see(refused).to_be_focused()
    assert _shown(page) == ["Second", "Send an e-mail"]
    page.click("[aria-label='Move Send an e-mail up']")
    see(page.locator("#rmm-said")).to_have_text("Send an e-mail is number 1 of 2.")
    see(refused).to_have_count(0)
    pages.send("/steps/second/remove")
    cards = page.locator("[data-rmm-item]")
    cards.nth(1).locator("[data-rmm-grip]").drag_to(cards.nth(0), target_position={"x": 60, "y": 4})
    see(refused).to_contain_text("The steps were changed meanwhile.")
    assert page.evaluate("window.kept"), "the page was not loaded anew"


def test_an_expression_typed_before_the_script_is_there_is_read(pages: Pages, page: Page, base: str) -> None:
    held: list[Route] = []
    page.route("**/workflows.js*", lambda route: held.append(route))
    page.goto(f"{base}{pages.url}/steps/first", wait_until="commit")
    page.fill("#when", "alert.severity ==")
    held[0].continue_()
    see(page.locator("[data-rmm-tried=when]")).not_to_be_empty()


def test_braces_in_a_value_are_pointed_out(world: World, admin: FlaskClient, page: Page, base: str) -> None:
    note = make(world, admin, step("note", inputs={"ticket_id": "{{ ticket.id }}"}))
    page.goto(f"{base}{note.url}/steps/note")
    page.wait_for_load_state()
    page.fill("[name=in_note]", "On {{ device.name }}")
    page.click("text=Make it an expression")
    see(page.locator("[name=ex_note]"), "nothing typed is lost").to_have_value("On {{ device.name }}")
    see(page.locator("[name=in_note]")).to_be_hidden()
    page.click("button[data-rmm-insert='alert.severity']")
    see(page.locator("[name=ex_note]")).to_have_value("On {{ device.name }}{{ alert.severity }}")
    page.click("text=Save the step")
    page.wait_for_selector("text=is saved")
    assert note.draft["steps"][0]["inputs"]["note"] == {
        "template": "On {{ device.name }}{{ alert.severity }}"
    }


def test_a_name_is_found_among_many(pages: Pages, page: Page, base: str) -> None:
    page.goto(f"{base}{pages.url}/steps/second")
    page.wait_for_load_state()
    page.fill("#names-find", "severity")
    see(page.locator("button[data-rmm-insert='alert.severity']")).to_be_visible()
    see(page.locator("button[data-rmm-insert='device.name']")).to_be_hidden()


def test_steps_are_moved_by_keys_and_dragged(pages: Pages, page: Page, base: str) -> None:
    pages.send("/steps", action="email.send")
    page.goto(f"{base}{pages.url}")
    page.wait_for_load_state()
    page.evaluate("window.kept = true")
    page.focus("[aria-label='Move Second up']")
    page.keyboard.press("Enter")
    see(page.locator("#rmm-said")).to_have_text("Second is number 1 of 3.")
    assert pages.names == ["second", "first", "send_an_e_mail"]
    cards = page.locator("[data-rmm-item]")
    cards.nth(2).locator("[data-rmm-grip]").drag_to(cards.nth(0), target_position={"x": 60, "y": 4})
    see(page.locator("#rmm-said")).to_have_text("Send an e-mail is number 1 of 3.")
    assert _shown(page) == ["Send an e-mail", "Second", "First"]
    assert pages.names == ["send_an_e_mail", "second", "first"]
    assert page.evaluate("window.kept"), "the page was not loaded anew"


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_no_page_is_wider_than_its_window(
    world: World, admin: FlaskClient, page: Page, base: str, viewport: tuple[int, int]
) -> None:
    steps = (
        step("script", "tacticalrmm.agents.run_script"),
        step("incident", "huntress.incidents.get", inputs={"incident_id": "{{ alert.external_id }}"}),
        step("book", "scheduling.create_entry", inputs={"title": "{{ " + "alert.message ~ " * 20 + "1 }}"}),
    )
    wide = make(world, admin, *steps)
    paths = [
        "",
        "/palette",
        "/steps/script",
        "/steps/book?check=1",
        "/trigger",
        "/publish",
        "/details",
        "/delete",
    ]
    for path in ("/rmm/workflows", "/rmm/workflows/new", *(wide.url + path for path in paths)):
        page.goto(base + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_without_script_everything_works(
    world: World, admin: FlaskClient, browser: Browser, live_server: Callable[[WSGIApplication], str]
) -> None:
    flow = make(world, admin, step("first", inputs=NOTE))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(10_000)
    address = live_server(world.app)
    _sign_in(page, admin, address)
    page.goto(address + flow.url)
    page.click("text=Add a step")
    page.click("button:has-text('Note on a ticket')")
    see(page.locator("[name=ex_note]"), "only the way that is chosen is shown").to_be_hidden()
    page.locator("[name=mode_note][value=template]").check()
    page.fill("[name=ex_note]", "On {{ device.name }}")
    see(page.locator("[name=in_note]")).to_be_hidden()
    page.click("text=Save the step")
    page.click("[aria-label='Move Note on a ticket up']")
    page.wait_for_selector("text=The step is done earlier now.")
    assert flow.names == ["note_on_a_ticket", "first"]
    page.click("text=Publish…")
    page.click("text=Publish as version 1")
    page.wait_for_selector("text=is published as version 1")
    context.close()
