"""Alerts set aside, on a phone: nothing runs over the edge, and dismissing asks first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from rmm_extension.models import utc_now
from tests.blueprints.conftest import World, world
from tests.blueprints.test_set_aside import set_aside
from tests.browser.conftest import NARROW
from tests.browser.seeing import see
from tests.browser.test_pages import base

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["base", "world"]

LONG = "escalation:" + "0123456789" * 8


@pytest.mark.parametrize("viewport", [NARROW])
def test_on_a_phone_it_is_read_and_dismissed(world: World, page: Page, base: str) -> None:
    connection = world.connect("Security operations", provider="followed")
    soon = utc_now() + timedelta(minutes=12)
    set_aside(world, connection, "4711", due_at=soon)
    set_aside(world, connection, LONG, reason="Its severity is " + "purple" * 30)
    page.emulate_media(color_scheme="dark")
    page.goto(f"{base}/rmm/attention")
    rows = page.locator("[aria-labelledby=a-set-aside] li")
    see(rows).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dismiss = rows.filter(has_text="4711").get_by_role("button", name="Dismiss")
    page.once("dialog", lambda dialog: dialog.dismiss())
    dismiss.click()
    see(rows).to_have_count(2)
    page.once("dialog", lambda dialog: dialog.accept())
    dismiss.click()
    see(rows).to_have_count(1)
    see(page.get_by_text("Alert 4711 is left alone until it changes.")).to_be_visible()
