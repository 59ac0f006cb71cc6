"""A database that is away, cut or crowded: the vendor is asked to send again, and nothing is half done."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from reference_psa import create_app, setup
from reference_psa.db import db
from reference_psa.local.postgres import PostgresServer
from tests.harness.bot import Bot
from tests.harness.schema import app_config
from tests.harness.world import World
from tests.services.working import work


@pytest.fixture
def fragile(postgres_server: PostgresServer) -> Iterator[Bot]:
    """A bot on a server of its own."""
    app = create_app(app_config(postgres_server.url("psa")))
    setup.seed_database(app)
    bot = Bot.connect(World(app))
    work(bot.world, "signing_keys")
    yield bot
    with app.app_context():
        db.engine.dispose()


@pytest.mark.faults
def test_while_it_is_away_the_vendor_is_asked_to_send_again(
    fragile: Bot, postgres_server: PostgresServer
) -> None:
    for end in (postgres_server.stop, postgres_server.kill):
        end()
        for kid in ("k1", "forged", "unknown"):
            answer = fragile.say(kid=kid, installed=True)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        postgres_server.start()
        assert fragile.say(installed=True).status_code == 200
    assert len(fragile.rows()) == 1


def test_a_connection_that_was_cut_is_replaced_within_the_request(bot: Bot) -> None:
    with bot.world.app.app_context():
        pooled = db.engine.raw_connection()
    bot.world.do(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    pooled.close()
    for _ in range(4):
        assert bot.say(installed=True).status_code == 200


def test_what_the_database_refuses_is_logged_without_its_words(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    rule = "ADD CONSTRAINT no_megan CHECK (person_name <> 'Megan Bowen')"
    bot.world.do(f"ALTER TABLE rmm_teams_conversations {rule}")
    with caplog.at_level(logging.INFO):
        assert bot.say(installed=True).status_code == 503
    assert "bot_message_failed" in caplog.text
    assert f"connection={bot.integration_id}" in caplog.text
    assert "Megan Bowen" not in caplog.text
    bot.world.do("ALTER TABLE rmm_teams_conversations DROP CONSTRAINT no_megan")
    assert bot.say(installed=True).status_code == 200
