"""The editor of maintenance windows in a browser: what is shown while one types, and what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.blueprints.conftest import World, world
from tests.blueprints.test_maintenance import add, add_asset, stored
from tests.browser.seeing import see
from tests.browser.test_pages import base

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

__all__ = ["base", "world"]


def test_a_weekly_window_from_the_empty_list_to_its_row(world: World, page: Page, base: str) -> None:
    connection, asset = world.connect(), add_asset(world)
    world.devices(connection, 1, name="SERVER-01", asset_id=asset)
    page.goto(f"{base}/rmm/maintenance")
    page.click("main >> text=New window >> nth=0")
    page.wait_for_selector("[name=starts]")
    page.wait_for_load_state()
    see(page.locator("[name=start_time]")).to_be_hidden()
    see(page.locator("text=Show the next times"), "it shows them by itself").to_be_hidden()
    page.check("[name=kind][value=weekly]")
    see(page.locator("[name=starts]")).to_be_hidden()
    page.wait_for_selector("[data-rmm-problems] >> text=Choose at least one day.")
    page.check("text=Tuesday")
    page.wait_for_selector("[data-rmm-next] li >> nth=2")
    page.fill("[name=timezone]", "Asia/Tokyo")
    page.wait_for_selector("[data-rmm-zone] >> text=Asia/Tokyo")
    see(page.locator("[data-rmm-problems]")).to_be_hidden()
    see(page.locator("[data-rmm-next] li >> nth=0 >> span >> nth=0")).to_contain_text(
        "Tue", use_inner_text=True
    )
    in_utc = page.locator("[data-rmm-next] li >> nth=0 >> span >> nth=1")
    see(in_utc, "22:00 there").to_contain_text("13:00", use_inner_text=True)
    page.fill("[name=asset]", "erver")
    page.wait_for_selector("#rmm-assets option", state="attached")
    assert page.locator("#rmm-assets option").all_text_contents() == ["SERVER-01"]
    page.fill("[name=asset]", "SERVER-01")
    page.click("text=Save the window")
    page.wait_for_selector("text=That was not saved")
    see(page.locator("#errors")).to_be_focused()
    see(page.locator("[name=kind][value=weekly]")).to_be_checked()
    page.fill("[name=name]", "Patch night")
    page.press("[name=name]", "Enter")
    page.wait_for_selector("text=“Patch night” was added. Next: Tue")
    (row,) = stored(world)
    assert (row.asset_id, row.recurrence["timezone"] if row.recurrence else None) == (asset, "Asia/Tokyo")
    # The words are there before the page's script is.
    page.wait_for_load_state()
    page.select_option("#filter-state", "off")
    page.wait_for_selector("text=No window matches")


def test_a_shortcut_ends_and_is_deleted_after_one_question(world: World, page: Page, base: str) -> None:
    page.goto(f"{base}/rmm/maintenance")
    page.click("text=until tomorrow 8:00")
    page.fill("[name=name]", "Repair")
    page.click("text=Save the window")
    page.wait_for_selector("text=It holds now, until")
    page.click("text=End now")
    page.wait_for_selector("text=“Repair” has ended.")
    page.click("text=Delete…")
    page.wait_for_selector("text=It suppresses nothing at the moment.")
    page.click("text=Delete the window")
    page.wait_for_selector("text=“Repair” is deleted.")
    assert stored(world) == []


def test_what_lets_alerts_through_asks_before(world: World, page: Page, base: str) -> None:
    window_id = add(world, "Move")
    world.alerts(world.connect(), 2, status="suppressed", suppressed_by_window_id=window_id)
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", refuse)
    page.goto(f"{base}/rmm/maintenance")
    page.click("text=End now")
    assert asked == ["End “Move” now? 2 suppressed alerts go through the rules within a minute."]
    see(page.locator("text=End now")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("text=Switch off")
    page.wait_for_selector("text=“Move” is off.")
