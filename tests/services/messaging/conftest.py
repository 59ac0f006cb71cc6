"""A connection to a bot, with its vendor's keys fetched."""

from __future__ import annotations

import pytest

from tests.harness.bot import Bot
from tests.harness.world import World
from tests.services.working import work


@pytest.fixture
def bot(world: World) -> Bot:
    made = Bot.connect(world)
    assert work(world, "signing_keys") == [{"keys": 1}]
    return made
