"""Compliance and patches in a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.blueprints.conftest import World, world
from tests.blueprints.patching import TELLS, fleet, put
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.browser.test_pages import base
from tests.harness.patches import Listed

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["base", "world"]


def test_a_tile_narrows_the_clients_and_a_filter_the_numbers(world: World, page: Page, base: str) -> None:
    fleet(world)
    page.goto(f"{base}/rmm/compliance")
    rows = page.locator("#rmm-results tr[data-rmm-row]")
    see(rows).to_have_count(3)
    page.get_by_role("list", name="All of these clients").get_by_role("link", name="Failed patches").click()
    see(rows).to_have_count(1)
    see(page.locator(".rmm-chip")).to_contain_text("Clients with: Failed patches")
    page.select_option("#filter-provider", "single")
    see(page.locator("#rmm-count")).to_have_text("0 clients")
    page.click("text=Clients with: Failed patches")
    see(rows).to_have_count(1)
    see(rows).to_contain_text("Beta Ltd.")
    see(rows).to_contain_text("not available")


def test_a_number_leads_to_its_devices_by_key(world: World, page: Page, base: str) -> None:
    fleet(world)
    page.goto(f"{base}/rmm/compliance")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rmm/devices?client=one-c0")
    see(page.locator("#rmm-results tr[data-rmm-row]")).to_have_count(2)


def test_who_lacks_a_patch_is_asked_and_worked_on(world: World, page: Page, base: str) -> None:
    fleet(world)
    page.goto(f"{base}/rmm/patches")
    page.fill("#who-q", "KB503")
    page.click("text=Find devices")
    rows = page.locator("#rmm-results tr[data-rmm-row]")
    see(rows).to_have_count(2)
    page.select_option("#filter-severity", "important")
    see(rows).to_have_count(1)
    page.check("#rmm-results tr[data-rmm-row] [name=ids] >> nth=0")
    see(page.locator("[data-rmm-chosen]")).to_have_text("1 selected")
    page.click("text=Run an action…")
    page.wait_for_url("**/rmm/run?*")


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_the_numbers_of_a_large_fleet_have_their_room(world: World, page: Page, base: str) -> None:
    fleet(world)
    page.goto(f"{base}/rmm/compliance")
    page.evaluate(
        """document.querySelectorAll(".rmm-many td").forEach((cell) => {
            cell.innerHTML = '<a href="#">66,666</a> <span class="rmm-sub">of 100,000</span>'; })"""
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_no_page_is_wider_than_the_window(world: World, page: Page, base: str) -> None:
    connection, ids = fleet(world)
    long = Listed("Update-" + "X" * 120, kb="KB" + "9" * 40, severity="S" * 60, category="C" * 80)
    (wide,) = world.devices(connection, 1, name="LAPTOP-" + "X" * 60, asset_id="a-PC-A", facts=TELLS)
    put(world, wide, long, Listed("Failed " + "Y" * 90, "failed"), age=timedelta(days=40))
    for path in (
        "compliance",
        "compliance?with=failed&sort=failed",
        "patches",
        "patches?q=no+such+patch",
        "patches/devices",
        "patches/devices?q=update",
        f"devices/{ids[0]}/patches",
        f"devices/{wide}/patches",
        f"devices/{wide}",
        "assets/a-PC-A/patches",
        "devices?antivirus=at_risk&patches=failed&threats=1&scan=old&approval=1",
    ):
        page.goto(f"{base}/rmm/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        see(page.locator("main h1"), path).to_have_count(1)
