"""Messages that come at the same moment, in threads with connections of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from tests.harness.bot import COLLEAGUE, PERSON, Bot, channel, personal
from tests.services.messaging.test_links import code, linked, users
from tests.services.working import queued

AT_ONCE = 8


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each returned; all begin together."""
    start = Barrier(len(works))

    def begin(work: Callable[[], Any]) -> Any:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))


def test_an_installation_told_eight_times_is_one_conversation(bot: Bot) -> None:
    told = channel()
    answers = at_once(*[lambda: bot.say(told, installed=True).status_code] * AT_ONCE)
    assert answers == [200] * AT_ONCE
    assert len(bot.rows()) == 1


def test_an_unknown_key_seen_eight_times_is_asked_for_once(bot: Bot) -> None:
    bot.world.do("UPDATE rmm_signing_keys SET fetched_at = now() - interval '1 hour', wanted_at = NULL")
    answers = at_once(*[lambda: bot.say(kid="new").status_code] * AT_ONCE)
    assert answers == [503] * AT_ONCE
    assert len(queued(bot.world, "signing_keys")) == 1


def test_a_code_used_by_two_links_one_of_them(bot: Bot) -> None:
    ada = users(bot)[0]
    text = code(bot, ada)
    answers = at_once(
        lambda: bot.say(personal(), text=text).get_json()["outcome"],
        lambda: bot.say(personal(COLLEAGUE), text=text).get_json()["outcome"],
    )
    assert sorted(answers) == ["kept", "linked"]
    assert linked(bot, ada) in (PERSON, COLLEAGUE)


def test_two_codes_from_one_account_leave_one_link(bot: Bot) -> None:
    first, second = users(bot)[:2]
    one, other = code(bot, first), code(bot, second)
    answers = at_once(lambda: bot.say(text=one).status_code, lambda: bot.say(text=other).status_code)
    assert answers == [200, 200]
    assert [linked(bot, first), linked(bot, second)].count(PERSON) == 1
