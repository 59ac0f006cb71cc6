"""Pasting the secret that a vendor made, as wide as the window and in both colours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.blueprints.conftest import World, world
from tests.blueprints.test_webhook_secret import FIRST, SECOND
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.browser.test_pages import base

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["base", "world"]


def look(page: Page, name: str) -> None:
    """Nothing sticks out."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}-{page.viewport_size['width']}.png", full_page=True)


@pytest.mark.parametrize("viewport, scheme", [(WIDE, "light"), (NARROW, "dark")])
@pytest.mark.parametrize("place", ["webhook", "setup/webhook"])
def test_the_secret_is_pasted_and_never_comes_back(
    world: World, page: Page, base: str, place: str, scheme: str
) -> None:
    connection = world.connect("Sealed", provider="sealed")
    page.on("dialog", lambda dialog: dialog.accept())
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{base}/rmm/connections/{connection}/{place}")
    page.click("button:has-text('Switch on')")
    see(page.get_by_text("Waiting for the secret")).to_be_visible()
    look(page, f"waiting-{place.replace('/', '-')}")
    field = page.get_by_label("Secret that Sealed RMM made")
    page.click("button:has-text('Save the secret')")
    assert field.evaluate("(one) => one.validity.valueMissing"), "nothing was sent"
    field.fill(FIRST)
    field.press("Enter")
    see(page.get_by_text("On: deliveries are taken")).to_be_visible()
    see(page.get_by_label("Secret that Sealed RMM made")).to_have_value("")
    page.get_by_label("Secret that Sealed RMM made").fill(SECOND)
    page.click("button:has-text('Save the secret')")
    see(page.get_by_text("Two secrets are taken now")).to_be_visible()
    look(page, f"two-{place.replace('/', '-')}")
    assert not any(secret in page.content() for secret in (FIRST, SECOND))
    page.click("button:has-text('Drop the old secret')")
    see(page.get_by_text("Two secrets are taken now")).to_have_count(0)
    assert page.url.endswith(place)
