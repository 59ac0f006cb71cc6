"""Acting on devices in a browser, from the list and from a ticket to what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.blueprints.acting import SCRIPT, Vendor, ask, vendor
from tests.blueprints.test_alert_actions import browser as signed_in
from tests.blueprints.test_workflow_start import FIELDS, manual, prefix
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.conftest import world
from tests.harness.world import World
from tests.workflows.engine.conftest import studio
from tests.workflows.engine.studio import Studio, document, step

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from playwright.sync_api import Page

__all__ = ["studio", "vendor", "world"]

DASHBOARD = "https://rmm.example.com"


@pytest.fixture
def base(world: World, page: Page, live_server: Callable[[WSGIApplication], str]) -> Iterator[str]:
    """Address of the reference PSA with its technician signed in; a refusal by its policy fails the test."""
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    cookie = signed_in(world).get_cookie("psa_session")
    assert cookie is not None
    address = live_server(world.app)
    page.context.add_cookies([{"name": "psa_session", "value": cookie.value, "url": address}])
    yield address
    assert [line for line in said if "400 (BAD REQUEST)" not in line] == []  # a form that was refused


@pytest.fixture
def ticket(world: World, vendor: Vendor) -> dict[str, Any]:
    """A ticket about a device of the vendor."""
    device = vendor.device()
    external = world.one("SELECT external_id FROM rmm_devices WHERE id = :id", id=device)
    world.post(world.body(agent_id=external))
    (found,) = world.tickets()
    return {"device": device, **found}


def test_a_script_from_a_ticket_to_its_output_and_note(
    world: World, vendor: Vendor, page: Page, base: str, ticket: dict[str, Any]
) -> None:
    vendor.scripts()
    page.goto(f"{base}/tickets/{ticket['id']}")
    page.click("summary:has-text('Run…')")
    page.click("a:has-text('Scripts…')")
    page.fill("#filter-q", "disk")
    page.wait_for_url(re.compile("q=disk"))
    page.click("text=Disk Usage Report")
    page.fill("[name=in_args]", "-Drive\nC:")
    page.click("button:has-text('Run it on')")
    page.wait_for_url(f"{base}/tickets/{ticket['id']}?rmm_asked=*")
    asked = page.locator("#rmm-asked")
    see(asked).to_contain_text("Waiting for a worker.")
    see(asked).to_be_in_viewport()
    vendor.work()
    page.wait_for_selector("#rmm-asked .rmm-copy-text")
    # To the letter, line by line: what waits compares without regard to blanks.
    assert asked.locator(".rmm-copy-text").inner_text().strip() == vendor.lab.script_output.stdout.strip()
    assert vendor.invocations()[0]["input"]["args"] == ["-Drive", "C:"]
    see(page.locator("#rmm-recent-actions")).to_contain_text("Actions from this ticket")
    page.goto(f"{base}/tickets/{ticket['id']}")
    assert page.locator("text=Run script on").count() >= 1, "the note"


def test_a_form_unfolds_on_the_ticket_and_nothing_else_there_is_lost(
    world: World, vendor: Vendor, page: Page, base: str, ticket: dict[str, Any]
) -> None:
    page.goto(f"{base}/tickets/{ticket['id']}")
    comment = page.locator("[name$=body]").first
    comment.fill("I am looking at it.")
    page.click("summary:has-text('Run…')")
    page.click("a:has-text('Run command…')")
    asked = page.locator("#rmm-asked")
    see(asked.locator("h2").first).to_be_focused()
    see(asked.locator("h2").first).to_contain_text("Run command on")
    asked.locator("button:has-text('Run command on')").click()
    see(asked.locator("#errors")).to_be_focused()
    see(asked.locator("#errors")).to_contain_text("Nothing was run")
    page.fill("#in_command", "whoami")
    asked.locator("button:has-text('Run command on')").click()
    see(asked).to_contain_text("Waiting for a worker.")
    see(page.locator("#rmm-recent-actions")).to_contain_text("Run command")
    vendor.work()
    see(asked.locator(".rmm-copy-text")).to_contain_text(vendor.lab.script_output.stdout.strip()[:20])
    see(page.locator("#rmm-recent-actions")).to_contain_text("Done")
    see(comment).to_have_value("I am looking at it.")
    assert len(vendor.invocations()) == 1
    assert "rmm_asked=" in page.url, "read again when the page is loaded again"
    asked.locator("a:has-text('Run again…')").click()
    see(page.locator("#in_command")).to_have_value("whoami")
    asked.locator("a:has-text('Cancel')").click()
    see(asked.locator("form")).to_have_count(0)
    page.click("#rmm-recent-actions a:has-text('Run command')")
    see(asked.locator(".rmm-copy-text")).to_be_visible()
    see(comment).to_have_value("I am looking at it.")


def test_all_of_it_without_script(
    world: World, vendor: Vendor, page: Page, base: str, ticket: dict[str, Any]
) -> None:
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    context.add_cookies([one for one in page.context.cookies() if one["name"] == "psa_session"])  # type: ignore[misc]
    plain = context.new_page()
    alert = world.one("SELECT id FROM rmm_alerts")
    for address in (f"tickets/{ticket['id']}", f"rmm/alerts/{alert}", f"rmm/devices/{ticket['device']}"):
        plain.goto(f"{base}/{address}")
        plain.click("summary:has-text('Run…')")
        plain.click("a:has-text('Ping…')")
        plain.click("button:has-text('Ping')")
        plain.wait_for_url(f"{base}/{address}?rmm_asked=*")
        see(plain.locator("#rmm-asked")).to_contain_text("Waiting for a worker.")
        vendor.work()
        plain.click("text=Look again")
        see(plain.locator("#rmm-asked")).to_contain_text("Done")
    context.close()


def test_an_alert_is_shown_anew_when_an_action_is_over(
    world: World, vendor: Vendor, page: Page, base: str, ticket: dict[str, Any]
) -> None:
    alert = world.one("SELECT id FROM rmm_alerts")
    _ping(page, f"{base}/rmm/alerts/{alert}")
    with page.expect_event("load"):
        vendor.work()
    see(page.locator("#rmm-asked")).to_contain_text("Done")


def test_a_form_that_somebody_fills_in_meanwhile_stays(
    studio: Studio, world: World, vendor: Vendor, page: Page, base: str, ticket: dict[str, Any]
) -> None:
    workflow = studio.publish(document(step("one"), **manual("alert", fields=FIELDS)), name="Escalate")
    alert = world.one("SELECT id FROM rmm_alerts")
    _ping(page, f"{base}/rmm/alerts/{alert}")
    page.click("summary:has-text('Escalate…')")
    field = page.locator(f"#{prefix(workflow)}why")
    field.fill("The customer calls")
    page.evaluate("window.kept = true")
    vendor.work()
    see(page.locator("#rmm-asked")).to_contain_text("Done")
    see(field).to_have_value("The customer calls")
    assert page.evaluate("window.kept"), "the page was not loaded anew"


def _ping(page: Page, address: str) -> None:
    page.goto(address)
    page.click("summary:has-text('Run…')")
    page.click("a:has-text('Ping…')")
    page.click("#rmm-asked button:has-text('Ping')")
    see(page.locator("#rmm-asked")).to_contain_text("Waiting for a worker.")


def test_the_selected_devices_are_acted_on_together(
    world: World, vendor: Vendor, page: Page, base: str
) -> None:
    for at in range(3):
        vendor.device(at=at)
    page.goto(f"{base}/rmm/devices")
    see(page.locator("#rmm-bulk")).to_be_hidden()
    page.check("[data-rmm-all]")
    see(page.locator("[data-rmm-chosen]")).to_have_text("3 selected", use_inner_text=True)
    page.click("#rmm-bulk >> text=Run…")
    page.wait_for_selector("h1:has-text('Run on 3 devices')")
    assert "csrf_token" not in page.url
    page.click("a:has-text('Reboot…')")
    page.wait_for_selector("text=It is done on 3 devices")
    page.click("button:has-text('Reboot 3 devices')")
    page.wait_for_selector("text=Some are not over yet.")
    vendor.work()
    page.click("text=Look again")
    page.wait_for_selector("text=Handed over")
    see(page.locator("#rmm-results tbody tr")).to_have_count(3)


def test_remote_access_opens_in_a_tab_of_its_own(world: World, vendor: Vendor, page: Page, base: str) -> None:
    device = vendor.device()
    world.do(f"""UPDATE rmm_integrations SET settings = '{{"dashboard_url": "{DASHBOARD}"}}'""")
    page.context.route(f"{DASHBOARD}/**", lambda route: route.fulfill(body="the dashboard"))
    page.goto(f"{base}/rmm/devices/{device}")
    for _ in range(2):
        with page.context.expect_page() as opened:
            page.click("button:has-text('Remote access')")
        opened.value.wait_for_url(f"{DASHBOARD}/agents/**")
        assert opened.value.evaluate("window.opener") is None
        assert opened.value.evaluate("document.referrer") == ""
    assert page.url.endswith(str(device)), "the page stays, and its button works again"


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_no_page_of_actions_is_wider_than_the_window(
    world: World, vendor: Vendor, page: Page, base: str
) -> None:
    ids = [vendor.device(), vendor.device("linux")]
    world.do("UPDATE rmm_devices SET name = 'LAPTOP-' || repeat('X', 80)")
    vendor.lab.script_output.stdout = "W" * 400 + "\n" + "line of output\n" * 200
    vendor.scripts()
    script = vendor.script("Disk Usage Report")["external_id"]
    done = ask(signed_in(world), SCRIPT, ids[0], script=script, in_timeout="9", in_wait_for_output="1")
    vendor.work()
    both = "&".join(f"ids={id_}" for id_ in ids)
    for path in (
        f"run?{both}",
        f"run?ids={ids[1]}",
        f"run/{SCRIPT}?ids={ids[0]}&script={script}",
        f"run/tacticalrmm.agents.run_command?{both}",
        f"devices/open?{both}",
        f"devices/{ids[0]}",
        f"devices/{ids[0]}?rmm_asked={done.location.rpartition('/')[2]}",
        "actions",
        done.location.removeprefix("/rmm/"),
    ):
        page.goto(f"{base}/rmm/{path}")
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        see(page.locator("main h1"), path).to_have_count(1)
