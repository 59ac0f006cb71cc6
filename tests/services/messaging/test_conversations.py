"""Where the bot is: kept from what the vendor tells, in whatever order it comes, and not used when gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rmm_extension.domain.messaging import ConversationKind
from rmm_extension.models import utc_now
from rmm_extension.testing.statements import StatementCounter
from tests.harness.bot import CHANNEL, COLLEAGUE, PERSON, SERVICE, TEAM, Bot, channel, personal

LATER = "https://smba.trafficmanager.net/emea/"
GENERAL = "19:general@thread.tacv2"


def test_an_installation_is_kept_with_all_that_it_tells(bot: Bot) -> None:
    answer = bot.say(channel(team_group_id="g1"), installed=True)
    assert (answer.status_code, answer.json) == (200, {"recorded": True, "outcome": "installed"})
    with bot.world.app.app_context():
        found = bot.messaging.channel(CHANNEL)
    assert found is not None
    assert (found.kind, found.service_url, found.team_id) == (ConversationKind.CHANNEL, SERVICE, TEAM)
    assert (found.team_group_id, found.team_name, found.channel_name) == ("g1", "Service desk", "Escalations")


def test_what_comes_twice_is_kept_once(bot: Bot) -> None:
    told = personal()
    for _ in range(3):
        assert bot.say(told, installed=True).status_code == 200
    assert [row["person_id"] for row in bot.rows()] == [PERSON]


def test_a_message_brings_the_service_url_of_now_and_keeps_names_that_it_does_not_tell(bot: Bot) -> None:
    bot.say(channel(), installed=True)
    bot.say(channel(service_url=LATER, team_name=None, channel_name=None), text="hello")
    (row,) = bot.rows()
    assert row["service_url"] == LATER
    assert (row["team_name"], row["channel_name"]) == ("Service desk", "Escalations")


def test_what_comes_late_changes_nothing(bot: Bot) -> None:
    now = utc_now()
    bot.say(personal(service_url=LATER, seen_at=now))
    bot.say(personal(service_url=SERVICE, seen_at=now - timedelta(hours=1)))
    bot.say(personal(seen_at=now - timedelta(minutes=5)), removed=True)
    assert [row["service_url"] for row in bot.rows()] == [LATER]


def test_a_clock_that_is_ahead_holds_nothing_up(bot: Bot) -> None:
    bot.say(personal(seen_at=utc_now() + timedelta(days=30)))
    bot.say(personal(service_url=LATER, seen_at=utc_now()))
    assert [row["service_url"] for row in bot.rows()] == [LATER]


def test_taken_out_of_a_team_all_of_its_channels_are_forgotten(bot: Bot) -> None:
    bot.say(channel(), installed=True)
    bot.say(channel(GENERAL), text="hi")
    bot.say(channel("19:other@thread.tacv2", team_id="19:other-team"), installed=True)
    bot.say(personal(), installed=True)
    bot.say(channel(TEAM), removed=True)
    assert [row["conversation_id"] for row in bot.rows()] == ["19:other@thread.tacv2", f"a:{PERSON}"]


def test_a_dead_one_is_not_used_until_the_bot_is_put_there_anew(bot: Bot) -> None:
    bot.say(personal(), installed=True)
    with bot.world.app.app_context():
        place = bot.messaging.personal_conversation(PERSON)
        assert place is not None
        bot.messaging.is_dead(place, "403 ConversationBlockedByUser")
        assert bot.messaging.personal_conversation(PERSON) is None
        assert bot.messaging.newest() is None
    assert [row["dead_reason"] for row in bot.rows()] == ["403 ConversationBlockedByUser"]
    bot.say(personal(seen_at=utc_now() - timedelta(minutes=1)), installed=True)
    with bot.world.app.app_context():
        assert bot.messaging.personal_conversation(PERSON) is None, "told before it died"
    bot.say(personal(seen_at=utc_now()), installed=True)
    with bot.world.app.app_context():
        assert bot.messaging.personal_conversation(PERSON) is not None


def test_one_that_is_heard_of_while_its_refusal_is_on_the_way_lives(bot: Bot) -> None:
    """The bot was put there anew between our message and its answer; that is not told a second time."""
    bot.say(personal(seen_at=utc_now() - timedelta(minutes=1)), installed=True)
    with bot.world.app.app_context():
        asked = bot.messaging.personal_conversation(PERSON)
    assert asked is not None
    bot.say(personal(service_url=LATER, seen_at=utc_now()), installed=True)
    with bot.world.app.app_context():
        bot.messaging.is_dead(asked, "403 ConversationBlockedByUser")
        found = bot.messaging.personal_conversation(PERSON)
    assert found is not None
    assert found.service_url == LATER


def test_the_newest_one_and_that_of_the_exact_channel_go_first(bot: Bot) -> None:
    now = utc_now()
    bot.say(channel(TEAM, seen_at=now - timedelta(minutes=1)), installed=True)
    bot.say(channel(CHANNEL, service_url=LATER, seen_at=now), installed=True)
    bot.say(personal(COLLEAGUE, seen_at=now - timedelta(minutes=2)), installed=True)
    with bot.world.app.app_context():
        exact, team = bot.messaging.channel(CHANNEL), bot.messaging.channel(TEAM)
        newest, nowhere = bot.messaging.newest(), bot.messaging.channel("19:unknown")
    assert exact is not None
    assert team is not None
    assert newest is not None
    assert (exact.conversation_id, team.conversation_id) == (CHANNEL, TEAM)
    assert (newest.conversation_id, nowhere) == (CHANNEL, None)


def test_a_team_of_which_only_another_channel_is_known_is_found_by_its_id(bot: Bot) -> None:
    bot.say(channel(CHANNEL), installed=True)
    with bot.world.app.app_context():
        found = bot.messaging.channel(TEAM)
    assert found is not None
    assert found.conversation_id == CHANNEL


@pytest.mark.parametrize("path, link", [("/tickets/1", "http://psa.example.com/tickets/1")])
def test_links_are_public(bot: Bot, path: str, link: str) -> None:
    assert bot.messaging.link(path) == link


def test_a_look_costs_one_statement(bot: Bot) -> None:
    bot.say(personal(), installed=True)
    with bot.world.app.app_context(), StatementCounter() as sent:
        bot.messaging.personal_conversation(PERSON)
    assert sent.count == 1, sent
