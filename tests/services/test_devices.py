"""Doing something with several devices: what is started, what is left, what it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rmm_extension.models import utc_now
from rmm_extension.services import runs
from rmm_extension.services.devices import Refreshing, keep_devices, refresh_devices
from rmm_extension.services.inventory import refresh
from rmm_extension.testing.statements import StatementCounter
from tests.conftest import world
from tests.harness.world import World

__all__ = ["world"]

AN_HOUR = timedelta(hours=1)


class TestRefresh:
    def test_each_device_has_a_run_of_its_own(self, world: World) -> None:
        ids = [world.device(f"agent-{at}", f"PC-{at}") for at in range(3)]
        with world.unit() as session:
            found = refresh_devices(world.rmm, session, world.admin, ids)
        assert found == Refreshing(started=3, under_way=0, left=0)
        rows = world.rows(
            "SELECT * FROM rmm_job_runs WHERE kind = 'device_refresh' ORDER BY subject->>'external_id'"
        )
        assert [row["subject"] for row in rows] == [{"external_id": f"agent-{at}"} for at in range(3)]
        assert {row["integration_id"] for row in rows} == {world.integration_id}
        assert {row["actor_name"] for row in rows} == {"Ada Admin"}

    def test_one_that_is_under_way_is_not_started_again(self, world: World) -> None:
        first, second = world.device("a"), world.device("b")
        with world.unit() as session:
            refresh_devices(world.rmm, session, world.admin, [first])
        with world.unit() as session:
            found = refresh_devices(world.rmm, session, world.admin, [first, second])
        assert found == Refreshing(started=1, under_way=1, left=0)

    def test_one_that_waits_for_its_time_is_had_now(self, world: World) -> None:
        """As after a signal: a person does not want to wait for whatever else the vendor may tell."""
        ids = [world.device("a"), world.device("b"), world.device("c")]
        with world.unit() as session:
            later = [
                replace(refresh.refresh_work(world.integration_id, name), due_at=utc_now() + AN_HOUR)
                for name in ("a", "b")
            ]
            runs.try_start_all(session, world.admin, refresh.KIND, later)
        # One that the vendor has put off is not for us to hurry.
        world.do("UPDATE rmm_job_runs SET attempt = 1 WHERE subject->>'external_id' = 'b'")
        with world.unit() as session:
            found = refresh_devices(world.rmm, session, world.admin, ids)
        assert found == Refreshing(started=1, under_way=2, left=0)
        due = world.rows("SELECT subject->>'external_id' AS name FROM rmm_job_runs WHERE due_at <= now()")
        assert sorted(row["name"] for row in due) == ["a", "c"]

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE rmm_devices SET deleted_at = now()",
            "UPDATE rmm_integrations SET state = 'paused'",
            "UPDATE rmm_integrations SET provider = 'acme'",
        ],
    )
    def test_what_cannot_be_synced_is_left(self, world: World, change: str) -> None:
        ids = [world.device()]
        world.do(change)
        with world.unit() as session:
            assert refresh_devices(world.rmm, session, world.admin, ids) == Refreshing(0, 0, 1)

    def test_many_cost_what_one_costs(self, world: World) -> None:
        ids = [world.device(f"agent-{at}") for at in range(40)]
        with world.unit() as session, StatementCounter() as one:
            refresh_devices(world.rmm, session, world.admin, ids[:1])
        with world.unit() as session, StatementCounter() as many:
            assert refresh_devices(world.rmm, session, world.admin, ids).started == 39
        assert many.count <= one.count


class TestKeep:
    def test_kept_and_no_longer(self, world: World) -> None:
        ids = [world.device(f"agent-{at}", f"PC-{at}") for at in range(3)]
        with world.unit() as session:
            assert keep_devices(session, world.admin, ids[:2], True) == 2
        with world.unit() as session:
            assert keep_devices(session, world.admin, ids, True) == 1, "those that were kept already stay"
        with world.unit() as session:
            assert keep_devices(session, world.admin, ids[:1], False) == 1
        assert [row["kept"] for row in world.rows("SELECT kept FROM rmm_devices ORDER BY name")] == [
            False,
            True,
            True,
        ]
        lines = world.rows(
            "SELECT action, subject_name FROM rmm_audit WHERE subject_type = 'device' ORDER BY id"
        )
        assert [(line["action"], line["subject_name"]) for line in lines] == [
            ("device.kept", "PC-0"),
            ("device.kept", "PC-1"),
            ("device.kept", "PC-2"),
            ("device.not_kept", "PC-0"),
        ]

    def test_another_tenants_devices_are_left(self, world: World) -> None:
        ids = [world.device()]
        stranger = type(world.admin)(id="x", name="X", tenant_id="another")
        with world.unit() as session:
            assert keep_devices(session, stranger, ids, True) == 0
            assert refresh_devices(world.rmm, session, stranger, ids).started == 0
