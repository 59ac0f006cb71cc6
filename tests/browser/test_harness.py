"""The browser fixtures themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from tests.browser.seeing import see

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.parametrize("viewport", [(1280, 800), (390, 844)])
def test_page_of_a_live_server(page: Page, live_server: Callable[..., str]) -> None:
    app = Flask(__name__)
    app.add_url_rule(
        "/", view_func=lambda: "<title>here</title><body><script>document.body.append(innerWidth)</script>"
    )
    page.goto(live_server(app))
    assert page.title() == "here"
    see(page.locator("body")).to_have_text(
        str(page.viewport_size["width"] if page.viewport_size else 0), use_inner_text=True
    )
