"""The reference PSA's dispatch board and calendar page in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.host.conftest import SignIn, app, sign_in

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from playwright.sync_api import Page

__all__ = ["app", "sign_in"]
DAY = "2030-05-06"


@pytest.fixture
def base(
    app: Flask, sign_in: SignIn, page: Page, live_server: Callable[[WSGIApplication], str]
) -> Iterator[str]:
    """Address of the app, with a dispatcher signed in; a message on the console fails the test."""
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    address = live_server(app)
    cookie = sign_in("dispatcher").get_cookie("psa_session")
    assert cookie is not None
    page.context.add_cookies([{"name": "psa_session", "value": cookie.value, "url": address}])
    yield address
    assert [line for line in said if "422" not in line] == []


def book(page: Page, what: str, start: str, *people: str) -> None:
    """Fill the form in and send it; the board was open."""
    for name in people:
        page.get_by_label(name).check()
    page.get_by_label("What").fill(what)
    page.get_by_label("From (UTC)").fill(start)
    page.get_by_role("button", name="Book", exact=True).click()


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_two_are_booked_then_one_of_them_twice_and_it_is_called_off(page: Page, base: str) -> None:
    page.goto(f"{base}/dispatch?day={DAY}")
    book(page, "On site", "09:30", "Elif Aydin", "Priya Raman")
    slots = page.locator(".psa-slot")
    see(slots).to_have_count(2)
    book(page, "Another", "10:00", "Elif Aydin")
    see(page.locator(".alert-danger")).to_contain_text("Elif Aydin has “On site” then (09:30–10:30).")
    see(page.get_by_label("Elif Aydin")).to_be_checked()
    page.get_by_label("Book it although they have something then").check()
    page.get_by_role("button", name="Book", exact=True).click()
    see(page.get_by_text("Overlaps")).to_have_count(1)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Call off On site").first.click()
    see(page.locator(".psa-slot.off")).to_have_count(2)
    see(page.get_by_text("Overlaps")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_a_calendars_address_is_made_and_shown_once(page: Page, base: str) -> None:
    page.goto(f"{base}/dispatch")
    page.get_by_role("link", name="Your calendar").click()
    see(page.get_by_text("You have no address yet.")).to_be_visible()
    page.get_by_role("button", name="Make an address").click()
    address = page.get_by_label("Address").input_value()
    path = address.removeprefix("http://psa.example.com")
    assert page.request.get(base + path).text().startswith("BEGIN:VCALENDAR")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{base}/calendar")
    see(page.get_by_text("It is not shown again")).to_be_visible()
    see(page.get_by_label("Address")).to_have_count(0)
