"""The pages in a browser: script, keys, no errors under the host's content security policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from rmm_extension.models import MaintenanceWindow
from tests.blueprints.conftest import World, world
from tests.blueprints.vendor import SECRET
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from playwright.sync_api import Page

__all__ = ["world"]


@pytest.fixture
def base(world: World, page: Page, live_server: Callable[[WSGIApplication], str]) -> Iterator[str]:
    """Address of the app, with an administrator signed in; a message on the console fails the test."""
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    address = live_server(world.app)
    cookie = world.client().get_cookie("psa_session")
    assert cookie is not None
    page.context.add_cookies([{"name": "psa_session", "value": cookie.value, "url": address}])
    yield address
    assert [line for line in said if "422" not in line] == []


def _rows(page: Page, number: int) -> None:
    """Wait until the table has so many rows."""
    see(page.locator("#rmm-results tbody tr")).to_have_count(number)


def test_a_filter_swaps_the_table_and_announces_the_count(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    world.alerts(connection, 3)
    world.alerts(connection, 2, severity="minor")
    page.goto(f"{base}/rmm/alerts")
    page.evaluate("window.kept = true")
    page.select_option("[name=severity]", "minor")
    _rows(page, 2)
    assert page.evaluate("window.kept"), "the page was not loaded anew"
    see(page.locator("#rmm-count")).to_have_text("2", use_inner_text=True)
    see(page.locator("#rmm-count")).to_have_attribute("aria-live", "polite")
    page.wait_for_url(lambda url: url.endswith("?severity=minor"))
    assert "severity=minor" in (page.get_attribute("a[data-rmm-follow]", "href") or "")
    page.click(".rmm-chip")
    _rows(page, 5)


def test_typing_searches(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    world.alerts(connection, 3)
    world.alerts(connection, 1, message="Backup failed")
    page.goto(f"{base}/rmm/alerts")
    page.keyboard.press("/")
    page.keyboard.type("backup")
    _rows(page, 1)
    see(page.locator("#filter-q"), "the focus stays where one types").to_be_focused()


def test_keys_move_open_and_help(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    world.alerts(connection, 3)
    page.goto(f"{base}/rmm/alerts")
    page.keyboard.press("?")
    see(page.locator("dialog.rmm-help")).to_be_visible()
    page.keyboard.press("Escape")
    see(page.locator("dialog.rmm-help")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    see(page.locator("tr.rmm-current")).to_have_count(1)
    see(page.locator("tr.rmm-current")).to_contain_text("Disk 1", use_inner_text=True)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/rmm/alerts/[0-9a-f-]{36}"))


def test_rows_are_selected_by_key_and_changed_together(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    world.organizations(connection, ["One", "Three", "Two"], client_id="one-c0")
    page.goto(f"{base}/rmm/connections/{connection}/organizations")
    see(page.locator("#rmm-bulk")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    see(page.locator("#rmm-bulk")).to_be_visible()
    see(page.locator("[data-rmm-chosen]")).to_have_text("1 selected", use_inner_text=True)
    page.check("[data-rmm-all]")
    see(page.locator("[data-rmm-chosen]")).to_have_text("3 selected", use_inner_text=True)
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.click("#rmm-bulk >> text=Unmap")
    see(page.locator("td .rmm-badge >> text=Mapped"), "a dismissed question changes nothing").to_have_count(3)
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#rmm-bulk >> text=Unmap")
    page.wait_for_selector("text=3 organizations unmapped")


def test_a_run_is_followed_to_its_end(world: World, page: Page, base: str) -> None:
    from rmm_extension.models import JobRun, utc_now
    from rmm_extension.services.unit import unit

    run = world.run(world.connect(), heartbeat_at=utc_now(), done_count=1, total_count=4, doing="Reading")
    page.goto(f"{base}/rmm/jobs/{run}")
    see(page.locator("progress")).to_have_attribute("value", "1")
    with world.app.app_context(), unit(world.rmm) as session:
        found = session.get(JobRun, ("one", run))
        assert found is not None
        found.status, found.finished_at, found.done_count = "succeeded", utc_now(), 4
    page.wait_for_selector("text=Succeeded")
    see(page.locator("[data-rmm-poll]")).to_have_count(0)


def test_the_wizard_with_a_secret_to_copy(world: World, page: Page, base: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{base}/rmm/connect/acme/api_key")
    page.fill("[name=field_instance_url]", "https://refused.invalid")
    page.fill("[name=field_api_key]", SECRET)
    page.click("text=Test and connect")
    page.wait_for_selector("text=Make a new key.")
    see(page.locator("#errors")).to_be_focused()
    see(page.locator("[name=field_api_key]")).to_have_value("")
    page.fill("[name=field_instance_url]", "https://1.1.1.1")
    page.fill("[name=field_api_key]", SECRET)
    page.click("text=Test and connect")
    page.wait_for_url("**/setup/organizations")
    page.click("button:has-text('Continue')")
    page.click("button:has-text('Switch on')")
    page.click(".rmm-secret [data-rmm-copy]")
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.inner_text(".rmm-secret .rmm-copy-text")


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_no_page_is_wider_than_the_window(world: World, page: Page, base: str) -> None:
    connection = world.connect("A connection with a long name, as people like to give them")
    long = "LAPTOP-" + "X" * 80
    world.organizations(connection, ["Organization " + "Y" * 60, "Beta"], client_id=None)
    (device,) = world.devices(connection, 1, name=long, client_id="one-c0", facts={"cpu_model": "Z" * 90})
    (alert,) = world.alerts(connection, 1, device_name=long, message="M" * 200, device_id=device)
    world.alerts(connection, 1, attention="ticket_failed", device_name=long)
    world.alerts(connection, 1, attention="no_client", external_organization_id="o0")
    run = world.run(connection, doing="D" * 120, errors=["E" * 150])
    paths = ["", "settings", "alerts", "devices", "jobs", "attention", f"alerts/{alert}", f"devices/{device}"]
    paths += [f"jobs/{run}", f"connections/{connection}", "connect/acme", "connect/acme/api_key"]
    (window,) = world.insert(
        MaintenanceWindow, [{"name": "W" * 90, "is_active": True, "client_id": "one-c0"}]
    )
    paths += ["maintenance", "maintenance/new", f"maintenance/{window}", f"maintenance/{window}/delete"]
    parts = (
        "maintenance",
        "organizations",
        "webhook",
        "settings",
        "activity",
        "credentials",
        "disconnect",
        "proposals",
    )
    paths += [f"connections/{connection}/{part}" for part in parts]
    for path in paths:
        page.goto(f"{base}/rmm/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        see(page.locator("main h1"), path).to_have_count(1)


def test_times_tell_the_clock_of_the_reader(world: World, page: Page, base: str) -> None:
    from datetime import UTC, datetime

    when = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
    world.alerts(world.connect(), 1, triggered_at=when)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    devtools.send("Emulation.setLocaleOverride", {"locale": "en-GB"})
    page.goto(f"{base}/rmm/alerts")
    ago = page.locator("#rmm-results time").first
    see(ago).to_have_attribute("title", re.compile(r"6 Jan 2026.* 08:30:00 .*\(05 Jan 2026, 23:30 UTC\)"))
    page.click("#rmm-results a[data-rmm-open]")
    exact = page.locator("dd time", has_text="05 Jan 2026, 23:30 UTC").first
    see(exact).to_have_attribute("title", re.compile("^6 Jan 2026"))
