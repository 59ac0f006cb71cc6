"""The pages of a chat service, as wide as the window and in both colours, and linking one's own account."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from rmm_extension.services.messaging import conversations
from tests.blueprints.messaging.conftest import Pages, pages
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.harness.bot import COLLEAGUE, PERSON, Bot, channel, personal
from tests.services.working import work

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from playwright.sync_api import Page

__all__ = ["pages"]


@pytest.fixture
def base(pages: Pages, page: Page, live_server: Callable[[WSGIApplication], str]) -> str:
    """Address of the connection's pages, with an administrator signed in."""
    address = live_server(pages.bot.world.app)
    cookie = pages.browser().get_cookie("psa_session")
    assert cookie is not None
    page.context.add_cookies([{"name": "psa_session", "value": cookie.value, "url": address}])
    return f"{address}{pages.root}"


def look(page: Page, name: str) -> None:
    """Nothing sticks out."""
    if folder := os.environ.get("SHOTS"):
        width = page.evaluate("innerWidth")
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


def settle(bot: Bot) -> None:
    """A bot in a team and with two people, one of whom has blocked it."""
    work(bot.world, "signing_keys")
    bot.say(channel(), installed=True)
    bot.say(personal(), installed=True)
    bot.say(personal(COLLEAGUE, person_name="Alex Wilber"), installed=True)
    with bot.world.unit() as session:
        reason = "The person has blocked the bot (403 ConversationBlockedByUser)."
        conversations.mark_dead(session, bot.world.tenant, bot.integration_id, personal(COLLEAGUE), reason)


each_width = pytest.mark.parametrize("viewport, scheme", [(WIDE, "light"), (NARROW, "dark")])


@each_width
def test_the_pages_fit(pages: Pages, page: Page, base: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{base}/bot")
    see(page.get_by_text("Not installed anywhere yet")).to_be_visible()
    look(page, "bot-empty")
    settle(pages.bot)
    page.reload()
    see(page.get_by_text("The person has blocked the bot")).to_be_visible()
    look(page, "bot")
    page.goto(base)
    see(page.get_by_role("link", name="Users linked")).to_be_visible()
    look(page, "overview")
    page.goto(f"{base}/users")
    see(page.get_by_role("button", name="Link").first).to_be_visible()
    look(page, "users")
    root = urlsplit(base)
    page.goto(f"{root.scheme}://{root.netloc}/settings/integrations/communication")
    see(page.get_by_text("A chat service.")).to_be_visible()
    look(page, "settings")
    page.goto(f"{root.scheme}://{root.netloc}/rmm/settings")
    see(page.get_by_role("heading", name="Communication")).to_be_visible()
    look(page, "connections")


@each_width
def test_somebody_links_their_own_account(pages: Pages, page: Page, base: str, scheme: str) -> None:
    settle(pages.bot)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(base)
    page.get_by_role("link", name="Your account in").click()
    page.get_by_role("button", name="Make a code").click()
    code = page.locator(".rmm-copy-text")
    see(code).to_be_visible()
    look(page, "account-code")
    pages.bot.say(personal(PERSON), text=code.inner_text())
    page.get_by_role("link", name="Look here again").click()
    see(page.get_by_text("Workflows reach you as")).to_contain_text("Megan Bowen")
    look(page, "account")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Unlink").click()
    see(page.get_by_text("Your account is not linked any more.")).to_be_visible()


def test_an_administrator_links_without_script(pages: Pages, page: Page, base: str) -> None:
    settle(pages.bot)
    page.route("**/*.js", lambda route: route.abort())
    page.goto(f"{base}/users")
    row = page.locator("tbody tr").first
    row.get_by_role("combobox").select_option(label="Megan Bowen")
    row.get_by_role("button", name="Link").click()
    see(page.get_by_text("Linked with Megan Bowen.")).to_be_visible()
    see(page.locator("tbody tr").first.get_by_text("Linked", exact=True)).to_be_visible()
