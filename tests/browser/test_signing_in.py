"""Connecting by user, password and code in a browser: what is asked, where an error leads, what remains."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from simulators.tacticalrmm import keys
from tests.blueprints.conftest import world
from tests.blueprints.test_signing_in import Pages, pages
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.browser.test_pages import base

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["base", "pages", "world"]


def fill(page: Page, pages: Pages, **more: str) -> None:
    """Type into the form of step two."""
    values = {"instance_url": pages.url, "username": keys.TOTP_USER, "password": keys.PASSWORD, **more}
    for name, value in values.items():
        page.fill(f"[name=field_{name}]", value)


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_a_user_with_two_step_log_in_connects(pages: Pages, page: Page, base: str) -> None:
    page.goto(f"{base}/rmm/connect/tacticalrmm")
    page.click("text=Use this: User and password")
    page.wait_for_url(lambda url: url.endswith("/connect/tacticalrmm/password"))
    fill(page, pages)
    page.click("text=Test and connect")
    page.wait_for_selector("#errors")
    page.click("#errors a")
    see(page.locator("[name=field_code]"), "the summary leads to the field").to_be_focused()
    see(page.locator("[name=field_password]"), "a password is never sent back").to_have_value("")
    see(page.locator("[name=field_username]"), "all else stays").to_have_value(keys.TOTP_USER)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"
    fill(page, pages, code=pages.code())
    page.click("text=Test and connect")
    page.wait_for_url(re.compile("/setup/organizations"))
    page.click("summary:has-text('The connection was tested')")
    see(page.locator("text=Server and sign-in")).to_be_visible()
    see(page.locator(".rmm-steps li:first-child")).to_have_text("Sign-in", use_inner_text=True)
    assert pages.row().auth_mode == "password"
