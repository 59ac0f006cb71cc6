"""A connection that was in trouble and is not any more: told once, and polled at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rmm_extension.models import utc_now
from rmm_extension.services import connection_health, connections, recurring
from tests.harness.world import World
from tests.services.test_connections import row, typed
from tests.services.working import queued


def topics(world: World) -> list[str]:
    found = world.rows("SELECT topic FROM rmm_outbox WHERE topic LIKE 'connection%' ORDER BY id")
    return [one["topic"] for one in found]


def later(world: World, **values: Any) -> None:
    """The next poll is an hour away."""
    world.do("UPDATE rmm_integrations SET next_reconcile_at = :at", at=utc_now() + timedelta(hours=1))
    for name, value in values.items():
        world.do(f"UPDATE rmm_integrations SET {name} = :value", value=value)


def due(world: World) -> int:
    with world.app.app_context():
        return recurring.start_due_polls(world.rmm)


@pytest.mark.parametrize("state", ["needs_reauth", "error"])
def test_new_credentials_end_the_trouble(world: World, state: str) -> None:
    later(world, state=state)
    assert due(world) == 0
    with world.unit() as session:
        connections.reconnect(world.rmm, session, world.admin, world.integration_id, typed(world))
    assert topics(world) == ["connection_up"]
    assert due(world) == 1


@pytest.mark.parametrize("state", ["needs_reauth", "error"])
def test_credentials_that_pass_a_test_end_the_trouble(world: World, state: str) -> None:
    later(world, state=state, last_error="The API key was refused.")
    version = row(world)["config_version"]
    for _ in range(2):
        with world.unit() as session:
            connection_health.mark_tested(session, world.tenant, world.integration_id)
    found = row(world)
    assert (found["state"], found["last_error"], found["config_version"]) == ("connected", None, version + 1)
    assert topics(world) == ["connection_up"]
    assert due(world) == 1


@pytest.mark.parametrize("state", ["connected", "not_connected", "paused"])
def test_a_test_that_passes_moves_nothing_else(world: World, state: str) -> None:
    later(world, state=state)
    with world.unit() as session:
        connection_health.mark_tested(session, world.tenant, world.integration_id)
    assert (row(world)["state"], topics(world)) == (state, [])


def test_a_talk_that_goes_well_does_not_end_an_expired_sign_in(world: World) -> None:
    """Its run may have begun before the credentials were refused."""
    later(world, state="needs_reauth")
    with world.unit() as session:
        connection_health.mark_well(session, world.tenant, world.integration_id)
    assert row(world)["state"] == "needs_reauth"


@pytest.mark.parametrize("state", ["connected", "not_connected", "paused"])
def test_where_there_was_no_trouble_nothing_is_told(world: World, state: str) -> None:
    later(world, state=state)
    with world.unit() as session:
        connections.reconnect(world.rmm, session, world.admin, world.integration_id, typed(world))
    assert topics(world) == []
    assert due(world) == 1


def test_trouble_and_its_end_are_told_once_each(world: World) -> None:
    later(world)
    for _ in range(3):
        with world.unit() as session:
            connection_health.mark_error(session, world.tenant, world.integration_id, "No answer.")
    assert due(world) == 0
    for _ in range(3):
        with world.unit() as session:
            connection_health.mark_well(session, world.tenant, world.integration_id)
    assert topics(world) == ["connection_down", "connection_up"]
    assert due(world) == 1


def test_a_disconnected_connection_is_not_polled_and_gets_its_schedule_back(world: World) -> None:
    with world.unit() as session:
        recurring.save_polling(session, world.admin, world.integration_id, enabled=True, minutes=30)
        connections.disconnect(world.rmm, session, world.admin, world.integration_id)
    assert due(world) == 0
    with world.unit() as session:
        connections.reconnect(world.rmm, session, world.admin, world.integration_id, typed(world))
    assert due(world) == 1
    assert row(world)["settings"]["alertPolling"] == {"enabled": True, "intervalMinutes": 30}
    assert len(queued(world, "alert_reconcile")) == 1


def test_deliveries_refused_during_a_pause_are_not_lost(world: World) -> None:
    world.do("UPDATE rmm_integrations SET webhook_since = now() - interval '1 day'")
    with world.unit() as session:
        connections.pause(session, world.admin, world.integration_id)
    before = utc_now()
    with world.unit() as session:
        connections.resume(session, world.admin, world.integration_id)
    assert row(world)["webhook_since"] >= before
    assert due(world) == 1
