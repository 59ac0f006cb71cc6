"""The bot's page: the address to copy, the package, where the bot is; and the wizard's step."""

from __future__ import annotations

import pytest

from rmm_extension.services.messaging import conversations
from tests.blueprints.conftest import said
from tests.harness.bot import CHANNEL, ChatService, channel, personal
from tests.harness.signing import BodySigner, Sealed, install
from tests.services.working import work

from .conftest import Pages


def test_it_shows_the_address_and_is_kept_in_no_cache(pages: Pages) -> None:
    page = pages.get("bot")
    assert pages.bot.url in page.text
    assert page.headers["Cache-Control"] == "no-store"
    words = pages.words("bot")
    assert "Fetching the signing keys" in words
    assert "Not installed anywhere yet" in words
    work(pages.bot.world, "signing_keys")
    assert "Messages are verified with 1 signing key of Chat service" in pages.words("bot")


def test_it_lists_where_the_bot_is(pages: Pages) -> None:
    work(pages.bot.world, "signing_keys")
    pages.bot.say(channel(channel_name="<b>Escalations</b>"), installed=True)
    pages.bot.say(personal(), installed=True)
    with pages.bot.world.unit() as session:
        conversations.mark_dead(
            session,
            pages.bot.world.tenant,
            pages.bot.integration_id,
            personal(),
            "403 Blocked",
        )
    page, words = pages.get("bot").text, pages.words("bot")
    assert "&lt;b&gt;Escalations&lt;/b&gt;" in page
    assert CHANNEL in page
    assert "Not reachable Megan Bowen" in words
    assert "403 Blocked" in words


@pytest.mark.parametrize("part", ["bot", "bot/package", "users"])
@pytest.mark.parametrize("role", ["dispatcher", "technician", "read_only"])
def test_the_address_is_for_those_who_configure(pages: Pages, part: str, role: str) -> None:
    assert pages.get(part, role).status_code == 403


@pytest.mark.parametrize("part", ["bot", "users", "account", "bot/package"])
def test_another_tenants_connection_is_none(pages: Pages, part: str) -> None:
    pages.bot.world.do(
        "UPDATE users SET role = 'admin', is_enabled = true WHERE tenant_id <> :tenant",
        tenant=pages.bot.world.tenant,
    )
    other = pages.bot.world.rows(
        "SELECT tenant_id, id FROM users WHERE tenant_id <> :tenant LIMIT 1", tenant=pages.bot.world.tenant
    )[0]
    browser = pages.bot.world.app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = f"{other['tenant_id']}/{other['id']}", True
    assert browser.get(f"{pages.root}/{part}").status_code == 404


def test_a_vendor_without_a_bot_has_no_such_page(pages: Pages) -> None:
    install(pages.bot.world.app, ChatService, BodySigner)
    sealed = Sealed.connect(pages.bot.world, BodySigner)
    root = f"/rmm/connections/{sealed.integration_id}"
    browser = pages.browser()
    for part in ("bot", "users", "account"):
        assert browser.get(f"{root}/{part}").status_code == 404, part
    assert f"{root}/bot" not in browser.get(root).text


def test_a_vendor_without_a_package_offers_none(pages: Pages) -> None:
    assert "App package" not in pages.words("bot")
    assert pages.get("bot/package").status_code == 404


def test_the_overview_says_that_nobody_can_be_reached_yet(pages: Pages) -> None:
    assert "The bot was not put anywhere yet: nobody can be reached. Install it" in pages.words("")
    assert "An administrator can install it." in pages.words("", "technician")
    work(pages.bot.world, "signing_keys")
    pages.bot.say(installed=True)
    words = pages.words("")
    assert "was not put anywhere" not in words
    assert "People 1 Channels 0 Users linked 0" in words
    assert "Your account in" in pages.words("", "technician")


def test_the_wizard_has_a_step_for_it(pages: Pages) -> None:
    pages.bot.world.do("UPDATE rmm_integrations SET setup_step = 'bot' WHERE provider = 'chat'")
    words = pages.words("setup/bot")
    assert "Messaging endpoint" in words
    assert "Finish; install it later" in words
    assert "The set-up is finished." in pages.press("setup/bot")


def test_connecting_makes_the_address_and_asks_for_the_keys(pages: Pages) -> None:
    browser = pages.browser()
    answer = browser.post(
        "/rmm/connect/chat/app",
        data={"name": "Second", "field_app_id": "app-2", "field_key": "secret-0123456789"},
        follow_redirects=True,
    )
    assert "Messaging endpoint" in answer.text, answer.text
    runs = pages.bot.world.rows("SELECT integration_id FROM rmm_job_runs WHERE kind = 'signing_keys'")
    assert len({row["integration_id"] for row in runs}) == 2


def test_its_card_stands_under_communication(pages: Pages) -> None:
    browser = pages.browser()
    words = said(browser.get("/rmm/settings"))
    assert words.index("Communication") < words.index("A chat service.")
    assert "A chat service." in said(browser.get("/settings/integrations/communication"))
    assert "A chat service." not in said(browser.get("/settings/integrations/rmm"))


def test_the_health_page_tells_of_bot_and_keys(pages: Pages) -> None:
    words = pages.words("health")
    assert "It was not put anywhere yet, so nobody can be reached" in words
    assert "Not fetched yet, so the bot's messages are not taken" in words
    work(pages.bot.world, "signing_keys")
    pages.bot.say(personal(), installed=True)
    words = pages.words("health", "technician")
    assert "It reaches 1 person and 0 channels; heard of just now" in words
    assert "The bot's messages are verified with keys fetched just now" in words
    pages.bot.world.do("UPDATE rmm_signing_keys SET fetched_at = now() - interval '3 days'")
    assert "They could not be renewed since they were fetched" in pages.words("health")
