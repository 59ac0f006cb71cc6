"""Devices in a browser: filters, keys, the fleet's figures, at both widths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.blueprints.conftest import World, world
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.browser.test_pages import base

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["base", "world"]


def fill(world: World) -> None:
    connection = world.connect("A connection with a long name, as people like to give them")
    disk = {"name": "/var/lib/" + "x" * 60, "total_gb": 100.0, "free_gb": 4.5, "utilization_percent": 95.5}
    facts = {
        "needs_reboot": True,
        "has_pending_patches": True,
        "agent_version": "2.9.1-" + "y" * 40,
        "hardware": {"disks": [disk]},
        "custom_fields": {"F" * 50: "V" * 90},
    }
    world.devices(connection, 2, facts=facts, client_id="one-c0", asset_id="a1")
    world.devices(connection, 3, status="overdue", client_id="one-c1")


def test_a_filter_under_more_narrows_and_is_taken_away(world: World, page: Page, base: str) -> None:
    fill(world)
    page.goto(f"{base}/rmm/devices")
    rows = page.locator("#rmm-results tbody tr")
    page.select_option("[name=reboot]", "yes")
    see(rows).to_have_count(2)
    page.click("summary:has-text('More')")
    page.select_option("[name=managed]", "none")
    see(page.locator("#rmm-results")).to_contain_text("Nothing matches")
    page.click(".rmm-chip:has-text('Reboot')")
    see(rows).to_have_count(3)
    # The rows are there before the page's script is.
    page.wait_for_load_state()
    page.keyboard.press("j")
    see(page.locator("#rmm-results tr.rmm-current")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/rmm/devices/[0-9a-f-]{36}"))


def test_a_figure_of_the_fleet_leads_to_its_devices_by_keyboard(world: World, page: Page, base: str) -> None:
    fill(world)
    page.goto(f"{base}/rmm/fleet")
    page.get_by_role("link", name="Need a reboot").focus()
    page.keyboard.press("Enter")
    see(page.locator("#rmm-results tbody tr")).to_have_count(2)
    see(page.locator("#rmm-chips")).to_contain_text("Reboot: Needed", use_inner_text=True)


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_no_page_of_devices_is_wider_than_the_window(world: World, page: Page, base: str) -> None:
    fill(world)
    page.goto(f"{base}/rmm/devices?reboot=yes&version=&managed=asset")
    link = page.get_attribute("#rmm-results a[data-rmm-open]", "href")
    for path in (
        f"{base}/rmm/fleet",
        f"{base}{link}",
        f"{base}/rmm/devices?kind=workstation",
        f"{base}/assets",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        see(page.locator("main h1"), path).to_have_count(1)
