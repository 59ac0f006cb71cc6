"""Working through alerts in a browser: by keys, several at once, and back to the list as it was."""

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


def test_selected_by_keys_and_acknowledged_together(world: World, page: Page, base: str) -> None:
    world.alerts(world.connect(), 3)
    page.goto(f"{base}/rmm/alerts?state=active")
    see(page.locator("#rmm-bulk")).to_be_hidden()
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    see(page.locator("[data-rmm-chosen]")).to_have_text("2 selected", use_inner_text=True)
    page.click("#rmm-bulk >> text=Acknowledge")
    page.wait_for_selector("text=2 alerts acknowledged.")
    # Back to the list as it was narrowed.
    page.wait_for_url(lambda url: url.endswith("/rmm/alerts?state=active"))
    see(page.locator("#rmm-results tbody tr")).to_have_count(1)


def test_a_swapped_table_keeps_the_way_back_true(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    world.alerts(connection, 2)
    world.alerts(connection, 1, severity="minor")
    page.goto(f"{base}/rmm/alerts")
    page.select_option("[name=severity]", "minor")
    page.wait_for_url("**/alerts?severity=minor")
    page.check("[data-rmm-all]")
    see(page.locator("[data-rmm-chosen]")).to_have_text("1 selected", use_inner_text=True)
    page.click("#rmm-bulk >> text=Resolve…")
    page.wait_for_selector("h1:has-text('Resolve 1 alert')")
    assert "csrf_token" not in page.url
    page.click("text=Cancel")
    page.wait_for_url("**/alerts?severity=minor")


def test_resolving_says_what_will_happen_and_does_it(world: World, page: Page, base: str) -> None:
    world.alerts(world.connect(), 2)
    page.goto(f"{base}/rmm/alerts")
    page.check("[data-rmm-all]")
    page.click("#rmm-bulk >> text=Resolve…")
    page.wait_for_selector("text=2 end here")
    page.click("button:has-text('Resolve 2 alerts')")
    page.wait_for_selector("text=2 alerts resolved.")
    page.wait_for_url("**/rmm/alerts")


def test_rarer_filters_are_behind_a_button_and_open_while_active(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    world.alerts(connection, 2)
    world.alerts(connection, 1, webhook_lost=True)
    page.goto(f"{base}/rmm/alerts")
    see(page.locator("[name=lost]")).to_be_hidden()
    page.click("summary:has-text('More')")
    page.select_option("[name=lost]", "1")
    page.wait_for_url(re.compile("lost=1"))
    see(page.locator("#rmm-results tbody tr")).to_have_count(1)
    page.reload()
    see(page.locator("[name=lost]")).to_be_visible()


def test_what_needs_attention_is_tried_again_together(world: World, page: Page, base: str) -> None:
    world.alerts(world.connect(), 2, attention="ticket_failed", client_id="one-c0")
    page.goto(f"{base}/rmm/attention")
    see(page.locator("#rmm-bulk")).to_be_hidden()
    page.check("[data-rmm-all]")
    see(page.locator("[data-rmm-chosen]")).to_have_text("2 selected", use_inner_text=True)
    page.click("#rmm-bulk >> text=Try again")
    page.wait_for_selector("main [role=status], main [role=alert]")
    page.wait_for_url(lambda url: url.endswith("/rmm/attention"))


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_no_page_of_an_alert_is_wider_than_the_window(world: World, page: Page, base: str) -> None:
    connection = world.connect("A connection with a long name, as people like to give them")
    long = "LAPTOP-" + "X" * 80
    (device,) = world.devices(connection, 1, name=long, asset_id="a1")
    ids = world.alerts(
        connection, 3, device_name=long, message="M" * 200, device_id=device, attention="ticket_failed"
    )
    chosen = "&".join(f"ids={alert}" for alert in ids)
    for path in (
        "alerts",
        "alerts?lost=1",
        "attention",
        f"alerts/{ids[0]}",
        f"alerts/selected?do=resolve&{chosen}",
        f"alerts/selected?do=ticket&{chosen}",
    ):
        page.goto(f"{base}/rmm/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        see(page.locator("main h1"), path).to_have_count(1)


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_what_can_be_done_with_a_selection_is_in_sight(world: World, page: Page, base: str) -> None:
    world.alerts(world.connect(), 30)
    page.goto(f"{base}/rmm/alerts")
    page.locator("[data-rmm-select]").nth(15).check()
    see(page.locator("#rmm-bulk >> text=Acknowledge")).to_be_in_viewport(ratio=1)


def test_the_head_of_a_table_stays_below_that_of_the_host(world: World, page: Page, base: str) -> None:
    world.alerts(world.connect(), 30)
    page.goto(f"{base}/rmm/alerts")
    page.locator("#rmm-results tbody tr").nth(25).scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 0
    top, head = (page.locator(one).bounding_box() for one in (".psa-top", "#rmm-results th >> nth=1"))
    assert top is not None
    assert head is not None
    assert head["y"] >= top["y"] + top["height"]
