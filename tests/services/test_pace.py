"""The pace that all workers share: the arithmetic of the domain, in PostgreSQL and by its clock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rmm_extension.domain.errors import RateLimited
from rmm_extension.domain.pace import Rate, next_turn
from rmm_extension.domain.types import Connection
from rmm_extension.services import connections
from rmm_extension.services.pace import DatabasePace, paced
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World

ACCOUNT = "acme:1"
HOURLY = Rate(interval=3600, burst=2)


@pytest.fixture
def pace(world: World) -> DatabasePace:
    with world.app.app_context():
        return DatabasePace(world.rmm.db.engine, world.tenant)


def following(world: World) -> datetime | None:
    rows = world.rows("SELECT following_at FROM rmm_paces WHERE account = :account", account=ACCOUNT)
    return rows[0]["following_at"] if rows else None


def clock(world: World) -> datetime:
    found: datetime = world.one("SELECT clock_timestamp()")
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds(Rate, interval=st.floats(0.001, 100), burst=st.integers(1, 20)),
    st.floats(-500, 500),
    st.floats(0, 400),
)
def test_it_reckons_as_the_domain_does(
    world: World, pace: DatabasePace, rate: Rate, offset: float, patience: float
) -> None:
    """The clock goes on meanwhile, so the two are compared with the clock before and after."""
    start = clock(world)
    world.do("DELETE FROM rmm_paces")
    world.do(
        "INSERT INTO rmm_paces (tenant_id, id, account, following_at)"
        " VALUES (:tenant, gen_random_uuid(), :account, :at)",
        tenant=world.tenant,
        account=ACCOUNT,
        at=start + timedelta(seconds=offset),
    )
    before = (clock(world) - start).total_seconds()
    wait = turn(pace, rate, patience)
    after = (clock(world) - start).total_seconds()
    then = (following(world) - start).total_seconds()  # type: ignore[operator]
    (earliest, longest), (latest, shortest) = (next_turn(offset, now, rate) for now in (before, after))
    near = 1e-4
    if wait is None:
        assert longest > patience - near
        assert then == pytest.approx(offset, abs=near), "what is refused is not counted"
    else:
        assert shortest <= patience + near
        assert shortest - near <= wait <= longest + near
        assert earliest - near <= then <= latest + near


def turn(pace: DatabasePace, rate: Rate, patience: float) -> float | None:
    """The wait; ``None`` where the turn was refused."""
    try:
        return pace.turn(ACCOUNT, rate, patience)
    except RateLimited:
        return None


def test_one_statement_gives_a_turn(world: World, pace: DatabasePace, statement_counter: Any) -> None:
    sent: StatementCounter
    with statement_counter() as sent:
        pace.turn(ACCOUNT, HOURLY, 0)
    assert sent.count == 1


def test_a_turn_counts_whatever_becomes_of_the_callers_transaction(world: World, pace: DatabasePace) -> None:
    with world.unit() as session:
        pace.turn(ACCOUNT, HOURLY, 0)
        session.rollback()
    assert following(world) is not None


def test_the_refusal_says_how_long(world: World, pace: DatabasePace) -> None:
    assert [pace.turn(ACCOUNT, HOURLY, 5), pace.turn(ACCOUNT, HOURLY, 5)] == [0, 0]
    then = following(world)
    for _ in range(2):
        with pytest.raises(RateLimited) as refused:
            pace.turn(ACCOUNT, HOURLY, 5)
        assert (refused.value.status, 3000 < refused.value.retry_after <= 3600) == (None, True)
    assert following(world) == then


def test_of_many_that_come_first_only_the_burst_goes_at_once(world: World, pace: DatabasePace) -> None:
    """Each brings the row that is not there yet."""
    barrier = Barrier(8)

    def come(_: int) -> float | None:
        barrier.wait()
        return turn(pace, Rate(interval=3600, burst=3), 0)

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(come, range(8)))
    assert sorted(wait is None for wait in waits) == [False] * 3 + [True] * 5
    assert world.one("SELECT count(*) FROM rmm_paces") == 1


def test_tenants_and_accounts_do_not_wait_for_each_other(world: World, pace: DatabasePace) -> None:
    alone = Rate(interval=3600, burst=1)
    with world.app.app_context():
        elsewhere = DatabasePace(world.rmm.db.engine, "another-tenant")
    assert turn(pace, alone, 0) == 0
    assert turn(pace, alone, 0) is None
    assert elsewhere.turn(ACCOUNT, alone, 0) == 0
    assert pace.turn("acme:2", alone, 0) == 0


def test_a_connection_that_is_opened_has_the_tenants_pace(world: World, pace: DatabasePace) -> None:
    alone = Rate(interval=3600, burst=1)
    with world.unit() as session:
        row = connections.get(session, world.tenant, world.integration_id)
        opened = connections.build(world.rmm, session, row)
        tried = paced(
            world.rmm,
            world.tenant,
            Connection(tenant_id="", integration_id="", provider="x", instance_url=""),
        )
    assert opened.pace is not None
    assert tried.pace is not None
    assert opened.pace.turn(ACCOUNT, alone, 0) == 0
    for other in (tried.pace, pace):
        with pytest.raises(RateLimited):
            other.turn(ACCOUNT, alone, 0)
