"""Workflows in a browser: started where people work, followed step by step, decided about, tested."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.blueprints.test_alert_actions import browser as signed_in
from tests.blueprints.test_workflow_runs import alert, unknown
from tests.blueprints.test_workflow_start import FIELDS, manual, prefix
from tests.blueprints.test_workflow_test import draft
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.conftest import world
from tests.harness.world import World
from tests.workflows.engine.acme import FAIL
from tests.workflows.engine.conftest import studio
from tests.workflows.engine.studio import Studio, document, step

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from playwright.sync_api import Page

__all__ = ["studio", "world"]


@pytest.fixture
def base(world: World, page: Page, live_server: Callable[[WSGIApplication], str]) -> Iterator[str]:
    """Address of the reference PSA with its administrator signed in; a refusal by its policy is a failure."""
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.on("dialog", lambda dialog: dialog.accept())
    cookie = signed_in(world, "admin").get_cookie("psa_session")
    assert cookie is not None
    address = live_server(world.app)
    page.context.add_cookies([{"name": "psa_session", "value": cookie.value, "url": address}])
    yield address
    assert [line for line in said if "400 (BAD REQUEST)" not in line] == []  # a form that was refused


def test_from_a_ticket_by_its_form_to_what_came_of_it(
    studio: Studio, world: World, page: Page, base: str
) -> None:
    words = {"text": {"template": "{{ fields.why }}, {{ fields.how }}"}}
    workflow = studio.publish(
        document(step("one", inputs=words), **manual("ticket", fields=FIELDS)), name="Escalate"
    )
    alert(world)
    (ticket,) = world.tickets()
    page.goto(f"{base}/tickets/{ticket['id']}")
    field = page.locator(f"#{prefix(workflow)}why")
    see(field).to_be_hidden()
    page.click("summary:has-text('Escalate…')")
    field.fill("The customer calls")
    page.select_option(f"#{prefix(workflow)}how", "hard")
    page.click("button:has-text('Start “Escalate”')")
    page.wait_for_url(re.compile(f"/tickets/{ticket['id']}$"))
    recent = page.locator(".rmm-recent-runs")
    see(recent).to_contain_text("Escalate")
    see(recent).not_to_contain_text("Done")
    studio.work()
    see(recent).to_contain_text("Done")
    recent.locator("a").click()
    see(page.locator(".rmm-run-step")).to_contain_text("1. One")
    page.click("summary:has-text('What it was given')")
    see(page.locator(".rmm-given").last).to_contain_text("The customer calls, hard")


def test_what_is_wrong_is_told_at_the_form_and_can_be_mended(
    studio: Studio, world: World, page: Page, base: str
) -> None:
    workflow = studio.publish(document(step("one"), **manual("device", fields=FIELDS)), name="Escalate")
    page.goto(f"{base}/rmm/devices/{world.device()}")
    page.click("summary:has-text('Escalate…')")
    page.fill(f"#{prefix(workflow)}often", "3")
    page.click("button:has-text('Start “Escalate”')")
    see(page.locator("#errors")).to_contain_text("Nothing was started")
    see(page.locator(f"#{prefix(workflow)}often")).to_have_value("3")
    page.fill(f"#{prefix(workflow)}why", "Again")
    page.click("button:text-is('Start')")
    see(page.locator(".rmm-recent-runs")).to_contain_text("Escalate")
    assert len(studio.runs()) == 1


def test_a_run_is_followed_step_by_step_and_what_was_opened_stays_open(
    studio: Studio, world: World, page: Page, base: str
) -> None:
    workflow = studio.publish(document(step("one"), step("two"), step("three", FAIL), **manual("alert")))
    run_id = studio.start(workflow, "alert", str(alert(world)))
    page.goto(f"{base}/rmm/workflows/runs/{run_id}")
    steps = page.locator(".rmm-run-step")
    see(steps).to_have_count(3)
    see(steps.first).to_contain_text("Still to come")
    studio.do(studio.jobs("workflow_step")[0])
    see(steps.first).to_contain_text("Done")
    page.click("#in-one-1 summary")
    studio.work()
    see(steps.last).to_contain_text("It stood in the way.")
    see(page.locator("#in-one-1 .rmm-given")).to_be_visible()
    see(page.locator(".rmm-run progress")).to_have_count(0)


def test_a_decision_from_needs_attention_lets_the_run_go_on(
    studio: Studio, world: World, page: Page, base: str
) -> None:
    run_id = unknown(studio)
    page.goto(f"{base}/rmm/attention")
    page.click("a:has-text('Decide')")
    page.wait_for_url(f"{base}/rmm/workflows/runs/{run_id}")
    page.click("button:has-text('do it again')")
    see(page.locator(".rmm-run-step").first).to_contain_text("Attempt 2")
    studio.work()
    see(page.locator(".rmm-run > p").first).to_contain_text("Done")
    page.goto(f"{base}/rmm/attention")
    see(page.locator("main, body").first).not_to_contain_text("wait for a decision")


def test_a_draft_is_tested_with_an_alert_that_is_found(
    studio: Studio, world: World, page: Page, base: str
) -> None:
    for at in range(3):
        world.post(world.body(at + 1))
    world.do("UPDATE rmm_alerts SET message = 'Disk is full' WHERE external_id = '2'")
    workflow = draft(studio, document(step("one", inputs={"text": {"template": "{{ alert.message }}"}})))
    page.goto(f"{base}/rmm/workflows/{workflow}/test")
    see(page.locator("[name=about]")).to_have_count(3)
    page.fill("#filter-q", "disk")
    see(page.locator("[name=about]")).to_have_count(1)
    page.click("button:has-text('Test it')")
    see(page.locator("h1")).to_contain_text("Mend")
    studio.work()
    see(page.locator(".rmm-run-step").first).to_contain_text("Simulated")
    page.click("#in-one-1 summary")
    see(page.locator("#in-one-1")).to_contain_text("Disk is full")
    assert studio.written() == []


def test_all_of_it_without_script(
    studio: Studio, world: World, page: Page, base: str, live_server: Callable[[WSGIApplication], str]
) -> None:
    workflow = studio.publish(document(step("one"), **manual("device", fields=FIELDS)), name="Escalate")
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    context.add_cookies([one for one in page.context.cookies() if one["name"] == "psa_session"])  # type: ignore[misc]
    plain = context.new_page()
    plain.goto(f"{base}/rmm/devices/{world.device()}")
    plain.click("summary:has-text('Escalate…')")
    plain.fill(f"#{prefix(workflow)}why", "No script")
    plain.click("button:has-text('Start “Escalate”')")
    see(plain.locator(".rmm-recent-runs")).to_contain_text("Running")
    studio.work()
    plain.reload()
    see(plain.locator(".rmm-recent-runs")).to_contain_text("Done")
    plain.click(".rmm-recent-runs a")
    see(plain.locator(".rmm-run-step")).to_contain_text("Done")
    context.close()


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_nothing_is_wider_than_the_screen(
    studio: Studio, world: World, page: Page, base: str, viewport: tuple[int, int]
) -> None:
    long = {"text": {"value": "x" * 900}}
    workflow = studio.publish(
        document(step("one", inputs=long), step("two", FAIL), **manual("alert", fields=FIELDS)), name="N" * 80
    )
    about = alert(world)
    run_id = studio.start(workflow, "alert", str(about), fields={"why": "y" * 300})
    studio.work()
    paths = (
        f"workflows/runs/{run_id}",
        "workflows/runs",
        f"workflows/{workflow}/runs",
        f"workflows/{workflow}/test",
        f"workflows/{workflow}/start?subject=alert:{about}",
        f"alerts/{about}",
    )
    for path in paths:
        page.goto(f"{base}/rmm/{path}")
        see(page.locator("h1")).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
