"""A decision that another transaction was in the way of is taken again, not given up."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from rmm_extension.domain.types import Channel
from rmm_extension.services import alert_acts, decisions, manual
from tests.harness.world import World

DEADLOCKS = [
    psycopg.errors.DeadlockDetected(),
    OperationalError("q", {}, psycopg.errors.DeadlockDetected()),
    psycopg.errors.SerializationFailure(),
]


@pytest.fixture
def waiting(world: World) -> World:
    """An alert that waits for its client, who is known by now."""
    world.do("UPDATE rmm_organization_mappings SET client_id = NULL")
    world.post()
    world.do("UPDATE rmm_organization_mappings SET client_id = :client", client=world.client_id)
    return world


def fails_first(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, error: Exception) -> None:
    original, errors = getattr(where, name), [error]

    def once(*args: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return original(*args, **options)

    monkeypatch.setattr(where, name, once)


@pytest.mark.parametrize("error", DEADLOCKS)
def test_after_a_deadlock_it_is_decided_all_the_same(
    waiting: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fails_first(monkeypatch, decisions, "decide_again", error)
    with waiting.app.app_context():
        done = decisions.decide_stored(
            waiting.rmm, waiting.tenant, waiting.alert()["id"], channel=Channel.TICK
        )
    assert done is not None
    assert len(waiting.tickets()) == 1


@pytest.mark.parametrize("error", DEADLOCKS)
def test_a_persons_wish_survives_a_deadlock(
    waiting: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fails_first(monkeypatch, alert_acts, "change_as_seen", error)
    with waiting.app.app_context():
        done = manual.acknowledge(waiting.rmm, waiting.admin, [waiting.alert()["id"]])
    assert (done.done, done.refused) == (1, ())
    assert waiting.alert()["status"] == "acknowledged"


def test_what_is_no_passing_trouble_is_raised(waiting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fails_first(monkeypatch, decisions, "decide_again", psycopg.errors.UndefinedColumn())
    with waiting.app.app_context(), pytest.raises(psycopg.errors.UndefinedColumn):
        decisions.decide_stored(waiting.rmm, waiting.tenant, waiting.alert()["id"], channel=Channel.TICK)
