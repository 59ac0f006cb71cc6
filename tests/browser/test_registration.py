"""The webhook's page of a vendor that is told by a call: live, and as wide as the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from simulators.ninjaone.misbehaviour import Fault
from tests.blueprints.test_alert_actions import browser as signed_in
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.conftest import world
from tests.harness.ninjaone_connection import NinjaConnection, ninja, server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from playwright.sync_api import Page

__all__ = ["ninja", "server", "world"]


@pytest.fixture
def base(ninja: NinjaConnection, page: Page, live_server: Callable[[WSGIApplication], str]) -> Iterator[str]:
    """Address of the connection's pages with an administrator signed in; a refusal by the host's policy fails
    the test."""
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    cookie = signed_in(ninja.world, "admin").get_cookie("psa_session")
    assert cookie is not None
    address = live_server(ninja.world.app)
    page.context.add_cookies([{"name": "psa_session", "value": cookie.value, "url": address}])
    yield f"{address}/rmm/connections/{ninja.integration_id}"
    assert said == []


def test_the_page_follows_the_registration(ninja: NinjaConnection, page: Page, base: str) -> None:
    page.goto(f"{base}/webhook")
    page.wait_for_selector("text=Being registered")
    ninja.settle()
    page.wait_for_selector("text=NinjaOne knows where to send")
    ninja.lab.misbehaviours.add(Fault(mode="forbidden", prefix="/v2/webhook", count=1))
    page.click("button:has-text('Register again')")
    page.wait_for_selector("text=Being registered")
    ninja.work()
    page.wait_for_selector("text=only a System Administrator")
    page.click("button:has-text('Register again')")
    ninja.work()
    page.wait_for_selector("text=NinjaOne knows where to send")


def test_the_organizations_are_saved(ninja: NinjaConnection, page: Page, base: str) -> None:
    ninja.map("1", ninja.world.client_id)
    ninja.settle()
    page.goto(f"{base}/webhook")
    mapped = page.get_by_label("Mapped ones only")
    assert not mapped.is_checked()
    mapped.check()
    page.click("button:has-text('Save the organizations')")
    ninja.work()
    page.wait_for_selector("text=Of 1 mapped organization.")
    assert mapped.is_checked()


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_no_state_is_wider_than_the_window(ninja: NinjaConnection, page: Page, base: str) -> None:
    paths = ("webhook", "setup/webhook", "health")

    def look() -> None:
        for path in paths:
            page.goto(f"{base}/{path}")
            page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            see(page.locator("main h1"), path).to_have_count(1)

    look()
    ninja.lab.misbehaviours.add(Fault(mode="forbidden", prefix="/v2/webhook", count=1))
    ninja.settle()
    look()
    ninja.later()
    ninja.settle()
    look()
