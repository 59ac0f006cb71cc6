"""Maintenance windows as an administrator changes them: checks, the very next event, locks, audit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from reference_psa.models import Asset, Client
from reference_psa.seed import tenant_id
from reference_psa.seed_data import TENANTS
from rmm_extension.domain.errors import Conflict
from rmm_extension.domain.windows import holds
from rmm_extension.host import Actor
from rmm_extension.models import Integration, new_id, utc_now
from rmm_extension.services import maintenance
from rmm_extension.services.maintenance import UnknownWindow, WindowInvalid
from rmm_extension.services.schedule import TICK_HOOKS
from tests.harness.world import World
from tests.services.working import work

ONCE = {"name": "Move", "startsAt": "2026-11-21T02:00:00Z", "endsAt": "2026-11-21T03:00:00Z"}
"""The test deliveries are of 2026-11-21, 02:06."""
WEEKLY = {"type": "weekly", "days": [6], "startTime": "02:00", "endTime": "03:00", "timezone": "UTC"}
GONE = "does not exist (any more). Choose another one."


@pytest.fixture
def second(world: World) -> UUID:
    """A second connection of the tenant, that no delivery comes to."""
    with world.unit() as session:
        row = Integration(tenant_id=world.tenant, id=new_id(), provider="tacticalrmm", name="Second")
        session.add(row)
        return row.id


def add(world: World, value: dict[str, Any] | None = None, **more: Any) -> UUID:
    with world.unit() as session:
        return maintenance.create(world.rmm, session, world.admin, {**(value or ONCE), **more}).id


def change(world: World, window_id: UUID, **value: Any) -> None:
    with world.unit() as session:
        maintenance.update(world.rmm, session, world.admin, window_id, value)


def refusal(world: World, **value: Any) -> dict[str, list[str]]:
    with pytest.raises(WindowInvalid) as refused:
        add(world, value)
    return refused.value.errors


def running(**more: Any) -> dict[str, Any]:
    """A one-off window that holds now."""
    now = utc_now()
    times = {"startsAt": now - timedelta(hours=1), "endsAt": now + timedelta(hours=1)}
    return {"name": "Now", **{key: moment.isoformat() for key, moment in times.items()}, **more}


def every_night(**more: Any) -> dict[str, Any]:
    """A weekly window that holds now, whatever the time."""
    now = utc_now()
    start, end = (f"{now + timedelta(minutes=step):%H:%M}" for step in (-30, 30))
    recurrence = {**WEEKLY, "days": list(range(7)), "startTime": start, "endTime": end}
    return {"name": "Every night", "recurrence": recurrence, **more}


def stored(world: World, window_id: UUID) -> dict[str, Any]:
    (row,) = world.rows("SELECT * FROM rmm_maintenance_windows WHERE id = :id", id=window_id)
    return row


def versions(world: World) -> dict[UUID, int]:
    return {
        row["id"]: row["config_version"]
        for row in world.rows("SELECT id, config_version FROM rmm_integrations")
    }


def moved(world: World, before: dict[UUID, int]) -> set[UUID]:
    return {key for key, version in versions(world).items() if version != before[key]}


def audit(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM rmm_audit WHERE subject_type = 'window' ORDER BY at, id")


def asset(world: World, client_id: str) -> tuple[str, str]:
    with world.unit() as session:
        found = session.execute(
            select(Asset.id, Asset.name)
            .where(Asset.tenant_id == world.tenant, Asset.client_id == client_id)
            .limit(1)
        ).one()
        return found[0], found[1]


def other_client(world: World) -> str:
    with world.unit() as session:
        return session.scalars(
            select(Client.id).where(Client.tenant_id == world.tenant, Client.id != world.client_id).limit(1)
        ).one()


# --- Keeping


def test_a_window_is_kept_as_it_was_given(world: World) -> None:
    asset_id, name = asset(world, world.client_id)
    scopes = {"integrationId": str(world.integration_id), "clientId": world.client_id, "assetId": asset_id}
    row = stored(world, add(world, {"name": " Patch  night ", "recurrence": WEEKLY, **scopes}))
    assert (row["name"], row["recurrence"], row["is_active"]) == ("Patch night", WEEKLY, True)
    assert (row["integration_id"], row["client_id"], row["asset_id"]) == (
        world.integration_id,
        world.client_id,
        asset_id,
    )
    (line,) = audit(world)
    assert (line["action"], line["actor_name"], line["integration_id"]) == (
        "window.created",
        "Ada Admin",
        world.integration_id,
    )
    assert line["changes"]["asset"] == [None, name]
    assert line["changes"]["time"] == [None, "Every Saturday, 02:00 to 03:00, UTC"]


def test_what_it_names_must_be_the_tenants(world: World) -> None:
    other = next(tenant_id(name) for name, _ in TENANTS if tenant_id(name) != world.tenant)
    with world.unit() as session:
        foreign = session.scalars(select(Client.id).where(Client.tenant_id == other).limit(1)).one()
        owned = Asset(tenant_id=other, client_id=foreign, name="THEIR-PC", asset_type="workstation")
        session.add(owned)
        session.flush()
        foreign_asset = owned.id
        theirs = Integration(tenant_id=other, id=new_id(), provider="tacticalrmm", name="Theirs")
        session.add(theirs)
        foreign_connection = str(theirs.id)
    assert refusal(
        world, **ONCE, integrationId=foreign_connection, clientId=foreign, assetId=foreign_asset
    ) == {
        "integrationId": [f"This connection {GONE}"],
        "clientId": [f"This client {GONE}"],
        "assetId": [f"This asset {GONE}"],
    }
    assert world.rows("SELECT 1 FROM rmm_maintenance_windows") == []


def test_an_asset_of_another_client_would_never_match(world: World) -> None:
    asset_id, name = asset(world, world.client_id)
    errors = refusal(world, **ONCE, clientId=other_client(world), assetId=asset_id)
    assert errors["assetId"][0].startswith(f"{name} belongs to another client.")


def test_a_form_error_is_told_with_its_place(world: World) -> None:
    assert refusal(world, name="", recurrence={**WEEKLY, "days": []}) == {
        "name": ["This is empty. Fill it in."],
        "recurrence.days": ["Choose at least one day."],
    }


def test_an_update_replaces_everything(world: World) -> None:
    window_id = add(world, {"name": "Old", "recurrence": WEEKLY, "clientId": world.client_id})
    change(world, window_id, **{**ONCE, "isActive": False})
    row = stored(world, window_id)
    assert (row["name"], row["recurrence"], row["client_id"], row["is_active"]) == ("Move", None, None, False)
    changes = audit(world)[-1]["changes"]
    assert changes["time"][1] == "Sat 21 Nov 2026, 02:00 to 03:00 UTC"
    assert changes["client"][1] is None
    assert "connection" not in changes


def test_what_changes_nothing_leaves_no_trace(world: World) -> None:
    window_id = add(world)
    before, lines = versions(world), len(audit(world))
    change(world, window_id, **ONCE)
    with world.unit() as session:
        maintenance.set_active(session, world.admin, window_id, True)
    assert (moved(world, before), len(audit(world))) == (set(), lines)


def test_another_tenants_window_is_unknown(world: World) -> None:
    window_id = add(world)
    other = Actor("x", "X", "another")
    for call in (
        lambda session: maintenance.update(world.rmm, session, other, window_id, ONCE),
        lambda session: maintenance.delete(world.rmm, session, other, window_id),
        lambda session: maintenance.set_active(session, other, window_id, False),
        lambda session: maintenance.end_now(session, other, window_id),
    ):
        with pytest.raises(UnknownWindow), world.unit() as session:
            call(session)
    assert stored(world, window_id)["is_active"]


# --- The pipeline sees it


def test_only_the_connections_it_concerns_read_their_windows_anew(world: World, second: UUID) -> None:
    first, both = world.integration_id, {world.integration_id, second}
    before = versions(world)
    window_id = add(world, integrationId=str(second))
    assert moved(world, before) == {second}
    before = versions(world)
    change(world, window_id, **ONCE, integrationId=str(first))
    assert moved(world, before) == both, "where it held before, and where it holds now"
    before = versions(world)
    change(world, window_id, **ONCE)
    assert moved(world, before) == both
    before = versions(world)
    with world.unit() as session:
        maintenance.delete(world.rmm, session, world.admin, window_id)
    assert moved(world, before) == both
    assert [line["action"] for line in audit(world)] == [
        "window.created",
        "window.updated",
        "window.updated",
        "window.deleted",
    ]


def test_another_tenants_connections_are_left_alone(world: World) -> None:
    other = next(tenant_id(name) for name, _ in TENANTS if tenant_id(name) != world.tenant)
    with world.unit() as session:
        session.add(Integration(tenant_id=other, id=new_id(), provider="tacticalrmm", name="Theirs"))
    before = versions(world)
    add(world)
    assert moved(world, before) == {world.integration_id}


def test_every_change_holds_for_the_very_next_event(world: World) -> None:
    def outcome(number: int) -> str:
        answer = world.post(world.body(number, check_id=str(number)))
        return str(answer.json["outcome"])

    assert outcome(1) == "ticket_created"
    window_id = add(world)
    assert outcome(2) == "suppressed"
    with world.unit() as session:
        maintenance.set_active(session, world.admin, window_id, False)
    assert outcome(3) == "ticket_created"
    with world.unit() as session:
        maintenance.set_active(session, world.admin, window_id, True)
    assert outcome(4) == "suppressed"
    change(world, window_id, **ONCE, clientId=other_client(world))
    assert outcome(5) == "ticket_created"
    change(world, window_id, name="Night", recurrence=WEEKLY)
    assert outcome(6) == "suppressed"
    with world.unit() as session:
        maintenance.delete(world.rmm, session, world.admin, window_id)
    assert outcome(7) == "ticket_created"


# --- Ending


def test_ending_a_one_off_window_is_its_end(world: World) -> None:
    window_id = add(world, running())
    with world.unit() as session:
        maintenance.end_now(session, world.admin, window_id)
    row = stored(world, window_id)
    assert row["starts_at"] < row["ends_at"] <= datetime.now(UTC)
    with pytest.raises(Conflict, match="is not running now"), world.unit() as session:
        maintenance.end_now(session, world.admin, window_id)
    made, ended = audit(world)
    assert (made["action"], ended["action"]) == ("window.created", "window.ended_early")
    assert all(moment.endswith(" UTC") and "T" not in moment[:-3] for moment in ended["changes"]["end"])


def test_ending_a_weekly_window_leaves_the_next_time(world: World) -> None:
    window_id = add(world, every_night())
    with world.unit() as session:
        row = maintenance.end_now(session, world.admin, window_id)
        found, now = maintenance.window_of(row), utc_now()
    assert not holds(found, now)
    assert holds(found, now - timedelta(minutes=10)), "what fired while it held is still in it"
    assert holds(found, now + timedelta(days=1))
    with pytest.raises(Conflict), world.unit() as session:
        maintenance.end_now(session, world.admin, window_id)


def test_an_early_end_lasts_until_the_times_are_changed(world: World) -> None:
    value = every_night()
    window_id = add(world, value)
    with world.unit() as session:
        maintenance.end_now(session, world.admin, window_id)
    change(world, window_id, **{**value, "name": "Renamed"})
    assert "skip" in stored(world, window_id)["recurrence"]
    change(world, window_id, **{**value, "recurrence": {**value["recurrence"], "days": [0, 1, 2, 3, 4, 5]}})
    assert "skip" not in stored(world, window_id)["recurrence"]


@pytest.mark.parametrize(
    "value",
    [
        running(isActive=False),
        {**ONCE, "startsAt": "2020-01-01T00:00Z", "endsAt": "2020-01-02T00:00Z"},
        {**ONCE, "startsAt": "2090-01-01T00:00Z", "endsAt": "2090-01-02T00:00Z"},
    ],
)
def test_what_is_not_running_cannot_be_ended(world: World, value: dict[str, Any]) -> None:
    window_id = add(world, value)
    with pytest.raises(Conflict), world.unit() as session:
        maintenance.end_now(session, world.admin, window_id)


def _tick(world: World) -> None:
    """The tick's step that ends windows, and the runs it starts."""
    from rmm_extension.services import kinds

    hook = next(name for name in TICK_HOOKS if "window_end" in name)
    with world.app.app_context():
        kinds.resolve(hook)(world.rmm)
    work(world, "window_end")


@pytest.mark.parametrize("how", ["delete", "switch off", "end", "another client"])
def test_what_it_suppressed_is_decided_by_the_next_tick(world: World, how: str) -> None:
    value = every_night() if how == "end" else running()
    window_id = add(world, value)
    world.do('UPDATE rmm_integrations SET settings = \'{"alertPolling": {"enabled": false}}\'')
    now = utc_now().isoformat()
    assert world.post(world.body(alert_time=now)).json["outcome"] == "suppressed"
    _tick(world)
    assert world.alert()["status"] == "suppressed"
    with world.unit() as session:
        if how == "delete":
            maintenance.delete(world.rmm, session, world.admin, window_id)
        elif how == "switch off":
            maintenance.set_active(session, world.admin, window_id, False)
        elif how == "end":
            maintenance.end_now(session, world.admin, window_id)
        else:
            elsewhere = {**value, "clientId": other_client(world)}
            maintenance.update(world.rmm, session, world.admin, window_id, elsewhere)
    assert world.alert()["suppressed_by_window_id"] == window_id, "kept until it is decided"
    _tick(world)
    alert = world.alert()
    assert (alert["status"], alert["suppressed_by_window_id"]) == ("active", None)
    assert alert["ticket_id"] is not None


# --- At once


def test_changes_of_two_people_are_both_kept(world: World, second: UUID) -> None:
    """Each locks all connections of the tenant: without one order they would wait for each other."""
    ids = [add(world, {**ONCE, "name": f"W{at}"}) for at in range(4)]
    before = versions(world)
    start = threading.Barrier(len(ids))

    def rename(window_id: UUID) -> None:
        start.wait(10)
        for number in range(5):
            change(world, window_id, **{**ONCE, "name": f"{window_id} {number}"})

    with ThreadPoolExecutor(len(ids)) as pool:
        list(pool.map(rename, ids))
    after = versions(world)
    assert {after[key] - before[key] for key in (world.integration_id, second)} == {20}
