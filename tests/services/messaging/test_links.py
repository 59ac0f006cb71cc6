"""Who is who: linked by an administrator, or by a code that the user sends to the bot."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.host import Actor
from rmm_extension.models import utc_now
from rmm_extension.services.messaging import links
from tests.harness.bot import CHANNEL, COLLEAGUE, PERSON, Bot, channel, personal


def users(bot: Bot) -> list[Actor]:
    """People of the tenant, as actors."""
    with bot.world.unit() as session:
        port = bot.world.rmm.host.users
        assert port is not None
        found = port.active(session, bot.world.tenant)
        return [Actor(id=one.id, name=one.name, tenant_id=bot.world.tenant) for one in found]


def link(bot: Bot, user: Actor, person_id: str = PERSON) -> None:
    with bot.world.unit() as session:
        links.link(bot.world.rmm, session, bot.world.admin, bot.integration_id, user.id, person_id)


def code(bot: Bot, user: Actor) -> str:
    with bot.world.unit() as session:
        return links.make_code(session, user, bot.integration_id).text


def linked(bot: Bot, user: Actor) -> str | None:
    with bot.world.app.app_context():
        found = bot.messaging.person(user.id)
    return found.person_id if found else None


def audited(bot: Bot) -> list[dict[str, Any]]:
    return bot.world.rows(
        "SELECT action, actor_name, subject_name, changes FROM rmm_audit"
        " WHERE action LIKE 'messaging.user%' ORDER BY at, id"
    )


def test_an_administrator_links_an_account_that_the_bot_has_met(bot: Bot) -> None:
    ada = users(bot)[0]
    with pytest.raises(ConfigError, match="has not met this account"):
        link(bot, ada)
    bot.say(personal(), installed=True)
    link(bot, ada)
    assert linked(bot, ada) == PERSON
    assert audited(bot) == [
        {
            "action": "messaging.user_linked",
            "actor_name": "Ada Admin",
            "subject_name": ada.name,
            "changes": {"account": "Megan Bowen"},
        }
    ]


def test_an_account_is_one_users(bot: Bot) -> None:
    first, second = users(bot)[:2]
    bot.say(personal(), installed=True)
    link(bot, first)
    with pytest.raises(Conflict, match="Megan Bowen is linked with another user"):
        link(bot, second)
    with bot.world.unit() as session:
        links.unlink(bot.world.rmm, session, bot.world.admin, bot.integration_id, first.id)
    link(bot, second)
    assert (linked(bot, first), linked(bot, second)) == (None, PERSON)


def test_who_has_left_is_written_nothing(bot: Bot) -> None:
    """The account may live on: it is its owner's, and what workflows tell is not."""
    ada = users(bot)[0]
    bot.say(personal(), installed=True)
    link(bot, ada)
    bot.world.do("UPDATE users SET is_enabled = false WHERE id = :id", id=ada.id)
    assert linked(bot, ada) is None
    bot.world.do("UPDATE users SET is_enabled = true WHERE id = :id", id=ada.id)
    assert linked(bot, ada) == PERSON


def test_a_user_can_be_linked_anew(bot: Bot) -> None:
    ada = users(bot)[0]
    bot.say(personal(), installed=True)
    bot.say(personal(COLLEAGUE), installed=True)
    link(bot, ada)
    link(bot, ada, COLLEAGUE)
    assert linked(bot, ada) == COLLEAGUE


def test_nobody_of_another_tenant_is_linked(bot: Bot) -> None:
    bot.say(personal(), installed=True)
    foreign = bot.world.rows("SELECT id FROM users WHERE tenant_id <> :tenant", tenant=bot.world.tenant)[0]
    with pytest.raises(ConfigError, match="does not exist"):
        link(bot, Actor(id=foreign["id"], name="", tenant_id=bot.world.tenant))


def test_what_is_not_linked_is_not_unlinked(bot: Bot) -> None:
    with pytest.raises(Conflict, match="not linked"), bot.world.unit() as session:
        links.unlink(bot.world.rmm, session, bot.world.admin, bot.integration_id, "nobody")


@pytest.mark.parametrize("words", ["{}", "  {} ", "my code is {}", "<b>{}</b>"])
def test_a_code_sent_to_the_bot_links_once(bot: Bot, words: str) -> None:
    ada = users(bot)[0]
    text = words.format(code(bot, ada))
    assert bot.say(text=text).json == {"recorded": True, "outcome": "linked"}
    assert linked(bot, ada) == PERSON
    assert audited(bot)[-1]["actor_name"] == ada.name
    assert bot.say(personal(COLLEAGUE), text=text).json == {"recorded": True, "outcome": "kept"}
    assert linked(bot, ada) == PERSON


@pytest.mark.parametrize("hyphen", ["", " ", "-"])
def test_however_it_is_typed(bot: Bot, hyphen: str) -> None:
    ada = users(bot)[0]
    bot.say(text=code(bot, ada).lower().replace("-", hyphen))
    assert linked(bot, ada) == PERSON


def test_a_code_proves_both_sides_so_an_earlier_link_of_the_account_gives_way(bot: Bot) -> None:
    first, second = users(bot)[:2]
    bot.say(text=code(bot, first))
    bot.say(text=code(bot, second))
    assert (linked(bot, first), linked(bot, second)) == (None, PERSON)


def test_a_code_that_ran_out_a_replaced_one_and_a_guess_link_nobody(bot: Bot) -> None:
    ada = users(bot)[0]
    old = code(bot, ada)
    bot.say(text="AAAAA-AAAAA")
    new = code(bot, ada)
    bot.say(text=old)
    assert linked(bot, ada) is None
    bot.world.do("UPDATE rmm_teams_user_links SET code_until = now() - interval '1 second'")
    bot.say(text=new)
    assert linked(bot, ada) is None


def test_a_code_in_a_channel_links_nobody(bot: Bot) -> None:
    ada = users(bot)[0]
    bot.say(channel(CHANNEL), text=code(bot, ada))
    assert linked(bot, ada) is None


def test_a_new_code_leaves_the_link_as_it_is(bot: Bot) -> None:
    ada = users(bot)[0]
    bot.say(text=code(bot, ada))
    code(bot, ada)
    assert linked(bot, ada) == PERSON


def test_only_the_hash_of_a_code_is_kept(bot: Bot) -> None:
    given = code(bot, users(bot)[0])
    (row,) = bot.world.rows("SELECT * FROM rmm_teams_user_links")
    assert given.replace("-", "") not in str(row)
    assert utc_now() < datetime.fromisoformat(str(row["code_until"]))


def test_people_are_those_of_personal_conversations_by_name(bot: Bot) -> None:
    bot.say(personal(), installed=True)
    bot.say(personal(COLLEAGUE, person_name="alex Wilber"), installed=True)
    bot.say(personal(COLLEAGUE, conversation_id="a:again", person_name="Alex Wilber"), text="hi")
    bot.say(channel(), installed=True)
    with bot.world.unit() as session:
        found = links.people(session, bot.world.tenant, bot.integration_id)
    assert [(one.person_id, one.person_name) for one in found] == [
        (COLLEAGUE, "Alex Wilber"),
        (PERSON, "Megan Bowen"),
    ]
