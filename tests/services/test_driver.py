"""The driver's connection under the session: what one unit does to it must not reach the next one."""

from __future__ import annotations

import pytest
from psycopg.pq import TransactionStatus

from rmm_extension.services.driver import autocommitted, run
from rmm_extension.services.unit import unit
from tests.harness.world import World


def is_transactional(world: World) -> bool:
    """Whether a unit's statements form one transaction on the connection that the pool gives out now."""
    with unit(world.rmm) as session:
        run(session, "SELECT 1", {})
        connection = session.connection().connection.driver_connection
        assert connection is not None
        return bool(connection.info.transaction_status == TransactionStatus.INTRANS)


def interrupted(world: World) -> None:
    with unit(world.rmm) as session, autocommitted(session):
        run(session, "BEGIN", {})
        raise TimeoutError


def undone(world: World) -> None:
    with unit(world.rmm) as session:
        run(session, "SELECT 1", {})
        with autocommitted(session):
            run(session, "UPDATE rmm_integrations SET name = 'Changed'", {})
        raise TimeoutError


def test_the_next_unit_is_one_transaction_again(world: World) -> None:
    with world.app.app_context():
        with unit(world.rmm) as session, autocommitted(session):
            run(session, "SELECT 1", {})
        assert is_transactional(world)


def test_one_that_fails_leaves_nothing_behind(world: World) -> None:
    with world.app.app_context():
        with pytest.raises(Exception, match="division"), unit(world.rmm) as session, autocommitted(session):
            run(session, "SELECT 1/0", {})
        assert is_transactional(world)


def test_one_that_is_interrupted_in_the_midst_of_a_statement_neither(world: World) -> None:
    """As a time-out leaves it that strikes while PostgreSQL still works: the connection is not idle."""
    with world.app.app_context():
        with pytest.raises(TimeoutError):
            interrupted(world)
        assert is_transactional(world)


def test_within_a_transaction_the_statements_belong_to_it(world: World) -> None:
    with world.app.app_context():
        with pytest.raises(TimeoutError):
            undone(world)
        assert world.one("SELECT count(*) FROM rmm_integrations WHERE name = 'Changed'") == 0
