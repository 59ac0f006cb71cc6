"""The pages about software in a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from rmm_extension.models import utc_now
from tests.blueprints.conftest import World, world
from tests.blueprints.test_software import HOUR, fleet, put
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.browser.test_pages import base
from tests.harness.programs import LONG_AGO, Program, product_id

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

__all__ = ["base", "world"]


def test_a_version_narrows_the_devices_and_a_selection_offers_actions(
    world: World, page: Page, base: str
) -> None:
    fleet(world)
    page.goto(f"{base}/rmm/software")
    page.fill("#who-q", "chrome")
    page.click("text=Find devices")
    rows = page.locator("#rmm-results tr[data-rmm-row]")
    see(rows).to_have_count(4)
    page.wait_for_load_state()
    page.fill("[name=below]", "119")
    page.keyboard.press("Enter")
    see(rows).to_have_count(2)
    see(page.locator("#rmm-bulk")).to_be_hidden()
    page.keyboard.press("Tab")
    page.check("#rmm-results tr[data-rmm-row] [name=ids] >> nth=0")
    see(page.locator("[data-rmm-chosen]")).to_have_text("1 selected", use_inner_text=True)
    page.click("text=Run an action…")
    page.wait_for_url("**/rmm/run?*")


def test_a_word_typed_before_the_script_is_there_narrows_the_list(
    world: World, page: Page, base: str
) -> None:
    fleet(world)
    held: list[Route] = []
    page.route("**/rmm.js*", lambda route: held.append(route))
    page.goto(f"{base}/rmm/devices", wait_until="commit")
    page.fill("#filter-q", "no such device")
    held[0].continue_()
    see(page.locator("#rmm-results tr[data-rmm-row]")).to_have_count(0)


def test_a_choice_made_before_the_script_is_there_narrows_the_list(
    world: World, page: Page, base: str
) -> None:
    fleet(world)
    held: list[Route] = []
    page.route("**/rmm.js*", lambda route: held.append(route))
    page.goto(f"{base}/rmm/devices", wait_until="commit")
    page.select_option("#filter-status", "overdue")
    held[0].continue_()
    see(page.locator("#rmm-results tr[data-rmm-row]")).to_have_count(0)
    see(page.locator(".rmm-chip")).to_have_count(1)


def test_an_older_version_is_one_click_away(world: World, page: Page, base: str) -> None:
    fleet(world)
    page.goto(f"{base}/rmm/software/{product_id('one', 'Google Chrome', 'Google LLC')}")
    page.click("text=Who has an older one >> nth=0")
    see(page.locator("#rmm-results tr[data-rmm-row]")).to_have_count(2)
    see(page.locator(".rmm-chip")).to_have_text("Below version: 120.0.6099 × (remove this filter)")


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_no_page_is_wider_than_the_window(world: World, page: Page, base: str) -> None:
    connection, ids = fleet(world)
    long = Program("Tool-" + "X" * 90, "1." + "2" * 60, "Publisher" + "Y" * 60)
    put(world, ids[0], long, Program("Chrome Old", "1", since=LONG_AGO, gone=utc_now() - HOUR))
    put(world, ids[0], Program("Fresh", "8", since=utc_now() - timedelta(days=2)))
    world.devices(connection, 1, asset_id="a1")
    device = world.devices(connection, 1, asset_id="a1", name="LAPTOP-" + "X" * 60)[0]
    put(world, device, long)
    chrome = product_id("one", "Google Chrome", "Google LLC")
    wide = product_id("one", long.name, long.publisher)
    for path in (
        "software",
        f"software/{chrome}",
        f"software/{wide}",
        "software/devices",
        "software/devices?q=chrome&below=latest",
        f"devices/{ids[0]}/software",
        f"devices/{ids[0]}/software?show=removed",
        f"devices/{ids[0]}",
        "assets/a1/software",
    ):
        page.goto(f"{base}/rmm/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        see(page.locator("main h1"), path).to_have_count(1)
