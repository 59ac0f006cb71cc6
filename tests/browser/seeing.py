"""What a page shows, once it shows it: a browser does in its own time what a key or a click asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, LocatorAssertions


def see(what: Locator, why: str | None = None) -> LocatorAssertions:
    """Playwright's assertions, which wait: ``see(page.locator("dialog")).to_be_hidden()``."""
    from playwright.sync_api import expect  # here, for a machine without playwright collects the tests too

    return expect(what, why)
