# ruff: noqa: F811 - fixtures are imported by name
"""Schedules of connections: polling of alerts, beside the device syncs of test_schedule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from rmm_extension.domain.errors import ConfigError
from rmm_extension.models import Audit, Integration
from rmm_extension.services import recurring, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.recurring import PATCHES, POLLS, SOFTWARE, SYNCS
from rmm_extension.services.unit import unit
from tests.jobs.fixtures import app, people, redis, rmm  # noqa: F401
from tests.jobs.tiny import MARA, SUSPENDED, TENANT, add_integration
from tests.services.test_runs import in_threads


def connect(rmm: Rmm, **values: Any) -> UUID:
    with unit(rmm) as session:
        return add_integration(session, values.pop("tenant_id", TENANT), **values).id


def row(rmm: Rmm, connection: UUID) -> Integration:
    with unit(rmm) as session:
        found = session.scalars(select(Integration).where(Integration.id == connection)).one()
        session.expunge(found)
        return found


def polls(rmm: Rmm) -> int:
    with unit(rmm) as session:
        return len(runs.list_runs(session, TENANT, runs.RunFilter(kind="alert_reconcile")))


def test_polling_is_on_by_default_every_quarter_of_an_hour(rmm: Rmm) -> None:
    connection = connect(rmm)
    assert recurring.start_due_polls(rmm) == 1
    assert recurring.start_due_polls(rmm) == 0
    ahead = row(rmm, connection).next_reconcile_at
    assert ahead is not None
    assert timedelta(minutes=14) < ahead - datetime.now(UTC) <= timedelta(minutes=15)
    assert polls(rmm) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"settings": {"alertPolling": {"enabled": False}}},
        {"state": "paused"},
        {"state": "not_connected"},
        {"state": "needs_reauth"},
        {"next_reconcile_at": datetime.now(UTC) + timedelta(days=1)},
        {"tenant_id": SUSPENDED},
        {"provider": "nobody-knows"},
    ],
)
def test_what_is_not_due_is_left_alone(rmm: Rmm, values: dict[str, Any]) -> None:
    connect(rmm, **values)
    assert recurring.start_due_polls(rmm) == 0


@pytest.mark.parametrize(
    "stored", [None, "junk", 7, [], {"enabled": "false"}, {"enabled": 0}, {"enabled": None}]
)
def test_only_a_real_false_switches_it_off(rmm: Rmm, stored: object) -> None:
    connect(rmm, settings={"alertPolling": stored})
    assert POLLS.is_on({"alertPolling": stored})
    assert recurring.start_due_polls(rmm) == 1


@pytest.mark.parametrize(
    "wish, minutes",
    [(5, 5), (60, 60), (4, 5), (61, 60), (-3, 5), (7.6, 8), ("20", 15), (None, 15), (True, 15), ([], 15)],
)
def test_a_stored_interval_is_kept_in_bounds(wish: object, minutes: int) -> None:
    assert POLLS.interval({"alertPolling": {"intervalMinutes": wish}}) == timedelta(minutes=minutes)


def test_strange_settings_have_the_defaults() -> None:
    for stored in ("x", 5, None, []):
        assert POLLS.interval({"alertPolling": stored}) == timedelta(minutes=15)
        assert SYNCS.interval({"deviceSync": stored}) == timedelta(minutes=60)
        assert not SYNCS.is_on({"deviceSync": stored})


@pytest.mark.parametrize("minutes", [4, 61, 0, -5, True, 7.5, "15"])
def test_other_intervals_are_refused_at_save(rmm: Rmm, minutes: Any) -> None:
    connection = connect(rmm, settings={"deviceSync": {"enabled": True}})
    with unit(rmm) as session, pytest.raises(ConfigError, match="between 5 and 60 minutes"):
        recurring.save_polling(session, MARA, connection, enabled=True, minutes=minutes)
    assert row(rmm, connection).settings == {"deviceSync": {"enabled": True}}


@pytest.mark.parametrize("minutes", [5, 60])
def test_saving_polls_at_once_leaves_other_settings_and_is_audited(rmm: Rmm, minutes: int) -> None:
    other = {"deviceSync": {"enabled": True}}
    connection = connect(rmm, settings=other, next_reconcile_at=datetime.now(UTC) + timedelta(hours=1))
    with unit(rmm) as session:
        recurring.save_polling(session, MARA, connection, enabled=True, minutes=minutes)
    found = row(rmm, connection)
    assert found.settings == {**other, "alertPolling": {"enabled": True, "intervalMinutes": minutes}}
    assert found.next_reconcile_at is None
    assert found.config_version == 2
    with unit(rmm) as session:
        assert session.scalars(select(Audit.action)).all() == ["connection.settings_saved"]


def test_eight_ticks_at_once_start_one_poll_per_connection(app: Flask, rmm: Rmm) -> None:
    for _ in range(5):
        connect(rmm)
    assert sum(in_threads(app, 8, lambda: recurring.start_due_polls(rmm))) == 5
    assert polls(rmm) == 5


def test_what_the_edition_leaves_out_is_not_polled(rmm: Rmm, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connect(rmm)
    monkeypatch.setattr("rmm_extension.services.connections.entitled", lambda *_: False)
    assert recurring.start_due_polls(rmm) == 0
    assert row(rmm, connection).next_reconcile_at is not None, "it does not come with every tick"
    assert polls(rmm) == 0


# Software, beside the devices

SYNCED: dict[str, Any] = {"settings": {"deviceSync": {"enabled": True}}, "last_sync_at": datetime.now(UTC)}


def software_syncs(rmm: Rmm) -> int:
    with unit(rmm) as session:
        return len(runs.list_runs(session, TENANT, runs.RunFilter(kind="software_sync")))


def test_software_is_synced_daily_where_devices_are(rmm: Rmm) -> None:
    connection = connect(rmm, **SYNCED)
    assert recurring.start_due_software(rmm) == 1
    assert recurring.start_due_software(rmm) == 0
    ahead = row(rmm, connection).next_software_sync_at
    assert ahead is not None
    assert timedelta(hours=11, minutes=59) < ahead - datetime.now(UTC) <= timedelta(hours=36)
    assert software_syncs(rmm) == 1


DAY = timedelta(days=1)


@given(st.integers(0, 10**8), st.uuids(), st.integers(360, 10_080))
def test_a_connection_keeps_its_own_moment_of_the_interval(second: int, id_: UUID, minutes: int) -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC) + timedelta(seconds=second)
    settings, interval = {"softwareSync": {"intervalMinutes": minutes}}, timedelta(minutes=minutes)
    due = SOFTWARE.following(now, id_, settings)
    assert interval / 2 <= due - now < interval * 1.5
    assert SOFTWARE.following(due, id_, settings) == due + interval
    late = SOFTWARE.following(due + timedelta(minutes=2), id_, settings)
    assert late == due + interval, "what starts a little late is not late for ever"


def test_software_syncs_of_one_moment_part_over_the_interval() -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    due = [SOFTWARE.following(now, uuid4(), {}) - now for _ in range(400)]
    parts = [
        sum(DAY / 2 + DAY * part / 4 <= ahead < DAY / 2 + DAY * (part + 1) / 4 for ahead in due)
        for part in range(4)
    ]
    assert all(50 < number < 150 for number in parts)


def test_other_schedules_count_from_the_last_run() -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert SYNCS.following(now, uuid4(), {}) == now + timedelta(hours=1)


@pytest.mark.parametrize(
    "values",
    [
        {"last_sync_at": None},
        {"settings": {}},
        {"settings": {"deviceSync": {"enabled": False}, "softwareSync": {"enabled": True}}},
        {"settings": {"deviceSync": {"enabled": True}, "softwareSync": {"enabled": False}}},
        {"next_software_sync_at": datetime.now(UTC) + timedelta(hours=1)},
        {"state": "paused"},
        {"tenant_id": SUSPENDED},
    ],
)
def test_when_software_is_not_synced(rmm: Rmm, values: dict[str, Any]) -> None:
    connect(rmm, **{**SYNCED, **values})
    assert recurring.start_due_software(rmm) == 0


def test_whether_software_is_synced_as_pages_see_it() -> None:
    on: dict[str, Any] = {"deviceSync": {"enabled": True}}
    assert SOFTWARE.is_on(on)
    assert not SOFTWARE.is_on({})
    assert SOFTWARE.is_wished({})
    assert not SOFTWARE.is_on({**on, "softwareSync": {"enabled": False}})
    assert SOFTWARE.interval(on) == timedelta(hours=24)
    assert SOFTWARE.interval({"softwareSync": {"intervalMinutes": 5}}) == timedelta(hours=6)


def test_saving_the_software_sync(rmm: Rmm) -> None:
    connection = connect(rmm, **SYNCED, next_software_sync_at=datetime.now(UTC) + timedelta(hours=1))
    with unit(rmm) as session, pytest.raises(ConfigError, match="6 to 168 hours"):
        recurring.save_software(session, MARA, connection, enabled=True, minutes=359)
    with unit(rmm) as session:
        recurring.save_software(session, MARA, connection, enabled=True, minutes=720)
    found = row(rmm, connection)
    assert found.settings == {
        **SYNCED["settings"],
        "softwareSync": {"enabled": True, "intervalMinutes": 720},
    }
    assert found.next_software_sync_at is None


# Patches, beside the devices


def patch_syncs(rmm: Rmm) -> int:
    with unit(rmm) as session:
        return len(runs.list_runs(session, TENANT, runs.RunFilter(kind="patch_sync")))


@pytest.fixture
def patches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connections' vendor lists patches."""
    monkeypatch.setattr(recurring, "PATCHES", replace(PATCHES, capability=SOFTWARE.capability))


@pytest.mark.usefixtures("patches")
def test_patches_are_synced_twice_a_day_where_devices_are(rmm: Rmm) -> None:
    connection = connect(rmm, **SYNCED)
    assert recurring.start_due_patches(rmm) == 1
    assert recurring.start_due_patches(rmm) == 0
    ahead = row(rmm, connection).next_patch_sync_at
    assert ahead is not None
    assert timedelta(hours=5, minutes=59) < ahead - datetime.now(UTC) <= timedelta(hours=18)
    assert patch_syncs(rmm) == 1


def test_a_vendor_without_patches_is_not_asked(rmm: Rmm) -> None:
    connect(rmm, **SYNCED)
    assert recurring.start_due_patches(rmm) == 0


@pytest.mark.usefixtures("patches")
@pytest.mark.parametrize(
    "values",
    [
        {"last_sync_at": None},
        {"settings": {}},
        {"settings": {"deviceSync": {"enabled": True}, "patchSync": {"enabled": False}}},
        {"next_patch_sync_at": datetime.now(UTC) + timedelta(hours=1)},
        {"state": "paused"},
        {"tenant_id": SUSPENDED},
    ],
)
def test_when_patches_are_not_synced(rmm: Rmm, values: dict[str, Any]) -> None:
    connect(rmm, **{**SYNCED, **values})
    assert recurring.start_due_patches(rmm) == 0


def test_saving_the_patch_sync(rmm: Rmm) -> None:
    connection = connect(rmm, **SYNCED, next_patch_sync_at=datetime.now(UTC) + timedelta(hours=1))
    with unit(rmm) as session, pytest.raises(ConfigError, match="4 to 168 hours"):
        recurring.save_patches(session, MARA, connection, enabled=True, minutes=239)
    with unit(rmm) as session:
        recurring.save_patches(session, MARA, connection, enabled=True, minutes=240)
    found = row(rmm, connection)
    assert found.settings == {**SYNCED["settings"], "patchSync": {"enabled": True, "intervalMinutes": 240}}
    assert found.next_patch_sync_at is None
