"""When a tenant has the module of a chat service: booked, connected, and its bot put somewhere."""

from __future__ import annotations

import pytest

from rmm_extension.domain.actions import Order
from rmm_extension.host import Actor
from rmm_extension.providers.capabilities import PerformsActions
from rmm_extension.services import connections
from rmm_extension.services.actions.context import Context
from rmm_extension.workflows import catalog
from tests.harness.bot import KEY, PERSON, Bot, personal
from tests.services.messaging.test_links import code, users

UNDO = {
    "the add-on": "DELETE FROM addons",
    "the edition": "UPDATE tenants SET edition = 'community'",
    "a connection that works": "UPDATE rmm_integrations SET state = 'needs_reauth' WHERE provider = 'chat'",
    "a conversation": "DELETE FROM rmm_teams_conversations",
    "a living conversation": "UPDATE rmm_teams_conversations SET dead_at = now()",
}


def available(bot: Bot) -> bool:
    with bot.world.unit() as session:
        found = catalog.offers(bot.world.rmm, session, bot.world.tenant)
        (offer,) = (one for one in found if one.entry.provider is not None)
        return offer.available


def test_it_needs_a_conversation(bot: Bot) -> None:
    assert not available(bot)
    bot.say(installed=True)
    assert available(bot)


@pytest.mark.parametrize("lacks", UNDO)
def test_it_needs(bot: Bot, lacks: str) -> None:
    bot.say(installed=True)
    bot.world.do(UNDO[lacks])
    assert not available(bot)


def test_taken_out_everywhere_it_is_gone(bot: Bot) -> None:
    bot.say(installed=True)
    bot.say(personal(PERSON), removed=True)
    assert not available(bot)


def test_the_conversation_of_a_paused_connection_is_none_of_another(bot: Bot) -> None:
    bot.say(installed=True)
    Bot.connect(bot.world, "Second")
    with bot.world.unit() as session:
        connections.pause(session, bot.world.admin, bot.integration_id)
    assert not available(bot)


def test_an_action_reaches_the_linked_user(bot: Bot) -> None:
    ada = users(bot)[0]
    bot.say(text="hello")
    assert greeted(bot, ada) == "USER_NOT_LINKED"
    bot.say(text=code(bot, ada))
    assert greeted(bot, ada) == {"conversation_id": f"a:{PERSON}"}
    bot.world.do("UPDATE rmm_teams_conversations SET dead_at = now()")
    assert greeted(bot, ada) == "NO_CONVERSATION"


def greeted(bot: Bot, user: Actor) -> object:
    """What came of the action: its output, or its error's code."""
    world = bot.world
    with world.unit() as session:
        row = connections.get(session, world.tenant, bot.integration_id)
        connection = connections.build(world.rmm, session, row)
        session.expunge(row)
    provider = world.rmm.providers.get(KEY)
    assert isinstance(provider, PerformsActions)
    with world.app.app_context():
        context = Context(world.rmm, connection, user)
        outcome = provider.perform_action(
            connection, Order(action="chat.greet", input={"user_id": user.id}), context
        )
    return outcome.error_code or outcome.output
