"""The keys of a bot's vendor: fetched by runs, kept through trouble, asked for no more often than needed."""

from __future__ import annotations

from rmm_extension.domain.errors import Unavailable
from rmm_extension.services import connections, schedule
from rmm_extension.services.messaging.keys import start_due
from tests.harness.bot import Bot, ChatService
from tests.harness.scene import Scene
from tests.harness.world import World
from tests.services.working import queued, work

AGE = "UPDATE rmm_signing_keys SET fetched_at = now() - :age * interval '1 minute'"


def tick(bot: Bot) -> int:
    with bot.world.app.app_context():
        return start_due(bot.world.rmm)


def aged(bot: Bot, minutes: int, wanted: int | None = None) -> None:
    bot.world.do(AGE, age=minutes)
    bot.world.do(
        "UPDATE rmm_signing_keys SET wanted_at = now() - :age * interval '1 minute'", age=wanted or minutes
    )


def test_they_are_fetched_when_the_address_is_opened(world: World) -> None:
    bot = Bot.connect(world)
    assert (bot.keys()["keys"], bot.keys()["fetched_at"]) == ([], None)
    assert bot.say().status_code == 503
    assert work(world, "signing_keys") == [{"keys": 1}]
    assert bot.keys()["keys"] == [{"kid": "k1"}]
    assert bot.say().status_code == 200


def test_a_key_that_is_not_known_has_them_fetched_once_a_minute(bot: Bot) -> None:
    ChatService.vendor_keys = [{"kid": "k1"}, {"kid": "k2"}]
    aged(bot, minutes=2)
    answers = [bot.say(kid="k2", installed=True) for _ in range(4)]
    assert {(one.status_code, one.headers.get("Retry-After")) for one in answers} == {(503, "5")}
    assert answers[0].json == {
        "error": "The key of the message is not known yet; send it again.",
        "reason": "unknown_key",
    }
    assert len(queued(bot.world, "signing_keys")) == 1
    assert work(bot.world, "signing_keys") == [{"keys": 2}]
    assert bot.say(kid="k2", installed=True).status_code == 200
    assert bot.say(kid="k3").status_code == 403, "they were just fetched, and it is none of them"
    assert queued(bot.world, "signing_keys") == []


def test_one_asked_for_within_the_minute_is_not_asked_for_again(bot: Bot) -> None:
    aged(bot, minutes=2)
    bot.say(kid="k2")
    assert len(work(bot.world, "signing_keys")) == 1
    bot.world.do(AGE, age=2)
    assert bot.say(kid="k2").status_code == 503
    assert queued(bot.world, "signing_keys") == []


def test_those_before_stay_while_the_vendor_is_in_trouble(bot: Bot) -> None:
    ChatService.trouble = Unavailable("It does not answer.", provider="chat")
    aged(bot, minutes=2)
    bot.say(kid="k2")
    (run_id,) = queued(bot.world, "signing_keys")
    assert Scene(bot.world).perform(run_id)["status"] == "queued", "put off, and tried again"
    assert bot.say().status_code == 200
    with bot.world.unit() as session:
        assert connections.get(session, bot.world.tenant, bot.integration_id).state == "connected"


def test_the_tick_renews_them_daily_and_not_before(bot: Bot) -> None:
    assert tick(bot) == 0
    aged(bot, minutes=23 * 60)
    assert tick(bot) == 0
    aged(bot, minutes=25 * 60)
    assert (tick(bot), tick(bot)) == (1, 0)
    assert work(bot.world, "signing_keys") == [{"keys": 1}]
    assert tick(bot) == 0


def test_what_failed_is_not_asked_for_with_every_tick(bot: Bot) -> None:
    aged(bot, minutes=25 * 60, wanted=30)
    assert tick(bot) == 0
    aged(bot, minutes=25 * 60, wanted=61)
    assert tick(bot) == 1


def test_the_tick_leaves_alone_what_is_paused_not_booked_or_suspended(bot: Bot) -> None:
    aged(bot, minutes=25 * 60)
    bot.world.do("DELETE FROM addons")
    assert tick(bot) == 0
    bot.world.do("INSERT INTO addons (tenant_id, name) VALUES (:tenant, 'teams')", tenant=bot.world.tenant)
    bot.world.do("UPDATE tenants SET is_active = false")
    assert tick(bot) == 0
    bot.world.do("UPDATE tenants SET is_active = true")
    with bot.world.unit() as session:
        connections.pause(session, bot.world.admin, bot.integration_id)
    assert tick(bot) == 0
    with bot.world.unit() as session:
        connections.resume(session, bot.world.admin, bot.integration_id)
    assert tick(bot) == 1


def test_expired_credentials_do_not_stop_it(bot: Bot) -> None:
    bot.world.do("UPDATE rmm_integrations SET state = 'needs_reauth' WHERE provider = 'chat'")
    aged(bot, minutes=25 * 60)
    assert tick(bot) == 1
    assert work(bot.world, "signing_keys") == [{"keys": 1}]


def test_the_hook_is_one_of_the_tick() -> None:
    assert "rmm_extension.services.messaging.keys:start_due" in schedule.TICK_HOOKS
