"""The address for a bot's messages: who is let in, and what is answered."""

from __future__ import annotations

import logging

import msgspec
import pytest

from rmm_extension.domain.messaging import BotActivity
from rmm_extension.services import connections
from tests.harness.bot import Bot, ChatService, personal
from tests.services.working import queued, work


def test_an_unknown_address_is_none(bot: Bot) -> None:
    token = bot.path.rpartition("/")[2]
    for path in ("/api/messages/nothing", f"/api/messages/x{token}", f"/api/messages/{token}/more"):
        assert bot.say(path=path).status_code == 404, path
    assert bot.say(path=f"/api/webhooks/chat/{token}").status_code == 404
    assert bot.rows() == []


def test_only_post_is_taken(bot: Bot) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert bot.world.http.open(bot.path, method=method).status_code == 405
    assert bot.world.http.options(bot.path).status_code == 204


def test_a_body_without_end_is_refused(bot: Bot) -> None:
    assert bot.send(b" " * 300_000).status_code == 413


def test_what_is_not_verified_is_refused_and_not_kept(bot: Bot) -> None:
    answer = bot.say(kid="forged", installed=True)
    assert answer.status_code == 403
    assert answer.json == {"error": "The signature does not fit.", "reason": "signature"}
    assert bot.rows() == []
    assert queued(bot.world, "signing_keys") == []


def test_what_is_genuine_and_not_used_is_taken_note_of(bot: Bot) -> None:
    answer = bot.send(b"{}")
    assert (answer.status_code, answer.json) == (200, {"recorded": False, "reason": "message_not_used"})


def test_an_id_without_end_is_refused(bot: Bot) -> None:
    answer = bot.say(personal(conversation_id="a" * 5000))
    assert (answer.status_code, answer.json["reason"]) == (403, "too_long")  # type: ignore[index]


def test_what_no_database_takes_is_left_out(bot: Bot) -> None:
    assert bot.say(personal(person_name="Me\x00gan")).status_code == 200
    assert [row["person_name"] for row in bot.rows()] == ["Megan"]


def test_a_paused_connection_still_learns_where_its_bot_is(bot: Bot) -> None:
    with bot.world.unit() as session:
        connections.pause(session, bot.world.admin, bot.integration_id)
    assert bot.say(installed=True).json == {"recorded": True, "outcome": "installed"}


def test_a_disconnected_one_has_no_address(bot: Bot) -> None:
    with bot.world.unit() as session:
        connections.disconnect(bot.world.rmm, session, bot.world.admin, bot.integration_id)
    assert bot.say(installed=True).status_code == 404


def test_without_the_add_on_nothing_is_taken(bot: Bot) -> None:
    bot.world.do("DELETE FROM addons")
    answer = bot.say(installed=True)
    assert (answer.status_code, answer.json) == (200, {"recorded": False, "reason": "not_in_edition"})
    assert bot.rows() == []


def test_a_suspended_tenant_is_left_alone(bot: Bot) -> None:
    bot.world.do("UPDATE tenants SET is_active = false")
    assert bot.say(installed=True).json == {"recorded": False, "reason": "tenant_suspended"}
    assert bot.rows() == []


def test_two_connections_have_addresses_and_keys_of_their_own(bot: Bot) -> None:
    other = Bot.connect(bot.world, "Second", kid="k2")
    assert work(bot.world, "signing_keys") == [{"keys": 1}]
    assert bot.say(kid="k2").status_code == 403
    assert other.say(kid="k2").status_code == 200
    assert {row["integration_id"] for row in bot.rows()} == {other.integration_id}


def test_no_request_asks_the_vendor(bot: Bot) -> None:
    before = ChatService.asked
    bot.say()
    bot.say(kid="unknown")
    assert ChatService.asked == before


def test_no_secret_and_no_text_is_logged(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        bot.say(personal(person_name="Nobody Else"), text="the words")
    (line,) = [one for one in caplog.messages if one.startswith("bot_message")]
    assert f"connection={bot.integration_id}" in line
    for secret in (bot.path.rpartition("/")[2], "the words", "Nobody Else"):
        assert secret not in caplog.text


def test_an_activity_reads_as_it_was_made() -> None:
    told = BotActivity(conversation=personal(), text="hello")
    assert msgspec.json.decode(msgspec.json.encode(told), type=BotActivity) == told
