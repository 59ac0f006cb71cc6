"""The unit of work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rmm_extension.extension import Mounted
from rmm_extension.services import outbox
from tests.harness.world import World


@pytest.fixture
def woken(world: World) -> list[bool]:
    """Grows with every wake; each says whether the commit was visible by then."""
    calls: list[bool] = []

    def wake() -> None:
        with world.rmm.db.engine.connect() as other:
            calls.append(bool(other.exec_driver_sql("SELECT count(*) FROM rmm_outbox").scalar()))

    world.app.extensions["rmm"] = Mounted(replace(world.rmm, wake=wake))
    return calls


def test_the_workers_are_told_once_and_after_the_commit(world: World, woken: list[bool]) -> None:
    with world.unit() as session:
        outbox.put(session, world.tenant, "event", {"name": "x", "payload": {}})
        outbox.put(session, world.tenant, "event", {"name": "y", "payload": {}})
        assert woken == []
    assert woken == [True]


def test_without_an_outbox_row_nobody_is_told(world: World, woken: list[bool]) -> None:
    with world.unit() as session:
        session.connection().exec_driver_sql("SELECT 1")
    assert woken == []


def test_what_raises_is_undone_and_nobody_is_told(world: World, woken: list[bool]) -> None:
    def broken() -> None:
        with world.unit() as session:
            outbox.put(session, world.tenant, "event", {"name": "x", "payload": {}})
            raise ValueError("injected")

    with pytest.raises(ValueError, match="injected"):
        broken()
    assert world.one("SELECT count(*) FROM rmm_outbox") == 0
    assert woken == []


def test_a_unit_after_a_broken_one_starts_clean(world: World, woken: list[bool]) -> None:
    def broken() -> None:
        with world.unit() as session:
            outbox.put(session, world.tenant, "event", {"name": "x", "payload": {}})
            session.connection().exec_driver_sql("SELECT 1 / 0")

    with pytest.raises(Exception, match="division by zero"):
        broken()
    with world.unit() as session:
        assert session.connection().exec_driver_sql("SELECT 1").scalar() == 1
    assert woken == []
