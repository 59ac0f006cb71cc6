"""Remote access by a vendor's link in a browser: the button, the tab that waits, and the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from simulators.ninjaone.misbehaviour import Fault
from tests.blueprints.test_alert_actions import browser as signed_in
from tests.blueprints.test_remote_links import fetch
from tests.browser.seeing import see
from tests.conftest import world
from tests.harness.ninjaone_connection import server
from tests.services.test_remote_links import Desk, desk

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from playwright.sync_api import Page

__all__ = ["desk", "server", "world"]


@pytest.fixture
def base(desk: Desk, page: Page, live_server: Callable[[WSGIApplication], str]) -> Iterator[str]:
    """Address of the reference PSA with its technician signed in; a refusal by its policy fails the test."""
    said: list[str] = []
    page.context.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    cookie = signed_in(desk.world).get_cookie("psa_session")
    assert cookie is not None
    address = live_server(desk.world.app)
    page.context.add_cookies([{"name": "psa_session", "value": cookie.value, "url": address}])
    yield address
    assert said == []


def test_the_tab_goes_on_to_the_device_by_itself(desk: Desk, page: Page, base: str) -> None:
    page.context.route(f"{desk.ninja.url}/**", lambda route: route.fulfill(body="the device"))
    page.goto(f"{base}/rmm/devices/{desk.device_id}")
    with page.context.expect_page() as opened:
        page.click("button:has-text('Remote access')")
    tab = opened.value
    tab.wait_for_selector("h1:has-text('Getting the link')")
    fetch(desk)
    tab.wait_for_url(f"{desk.ninja.url}/**")
    assert tab.inner_text("body") == "the device"
    assert tab.evaluate("window.opener") is None
    assert tab.evaluate("document.referrer") == ""
    page.wait_for_url(lambda url: url.endswith(str(desk.device_id)))  # the page stays


def test_a_failure_leads_back_or_on(desk: Desk, page: Page, base: str) -> None:
    desk.ninja.lab.misbehaviours.add(Fault(mode="forbidden", prefix="/v2/device", count=1))
    page.context.route(f"{desk.ninja.url}/**", lambda route: route.fulfill(body="the device"))
    page.goto(f"{base}/rmm/devices/{desk.device_id}")
    with page.context.expect_page() as opened:
        page.click("button:has-text('Remote access')")
    tab = opened.value
    tab.wait_for_selector("h1:has-text('Getting the link')")
    fetch(desk, "failed")
    tab.wait_for_selector("h1:has-text('No link')")
    assert "lacks the scope Control" in tab.inner_text("main")
    tab.click("button:has-text('Ask again')")
    tab.wait_for_selector("h1:has-text('Getting the link')")
    fetch(desk)
    tab.wait_for_url(f"{desk.ninja.url}/**")


def test_a_device_that_is_offline_has_a_button_that_says_why(desk: Desk, page: Page, base: str) -> None:
    desk.world.do("UPDATE rmm_devices SET status = 'offline'")
    page.goto(f"{base}/rmm/devices/{desk.device_id}")
    assert page.is_disabled("button:has-text('Remote access')")
    see(page.locator("text=No remote access: The device is offline.")).to_be_visible()
