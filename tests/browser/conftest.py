"""A real browser, where there is one: Debian's chromium driven by playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.live import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from playwright.sync_api import Browser, Page

ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
WIDE, NARROW = (1280, 800), (390, 844)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses a page is a browser test."""
    for item in items:
        if "page" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Started chromium; skips when there is none (TEST_BROWSER names another program)."""
    program = os.environ.get("TEST_BROWSER") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium here (`apt-get install chromium`)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def viewport() -> tuple[int, int]:
    """Width and height of `page`; `@pytest.mark.parametrize("viewport", [WIDE, NARROW])` gives others."""
    return WIDE


@pytest.fixture
def page(browser: Browser, viewport: tuple[int, int]) -> Iterator[Page]:
    """An empty page with its own cookies; a script error on it fails the test."""
    context = browser.new_context(viewport={"width": viewport[0], "height": viewport[1]})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(10_000)
    yield page
    context.close()
    assert not errors, f"scripts failed on the page: {errors}"


@pytest.fixture
def live_server() -> Iterator[Callable[[WSGIApplication], str]]:
    """`live_server(app)` serves a WSGI application until the test ends and returns its address."""
    with ExitStack() as stack:

        def serve(app: WSGIApplication, **options: Any) -> str:
            return stack.enter_context(serving(app, **options))

        yield serve
