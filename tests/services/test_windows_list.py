"""Maintenance windows as pages read them: states, names, counts, pages of the list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rmm_extension.services import maintenance
from rmm_extension.services.queries import windows as queries
from rmm_extension.services.queries.windows import WindowFilter
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World

from .test_maintenance import ONCE, WEEKLY, add, asset, second

__all__ = ["second"]


def test_the_list_newest_first_with_states_names_and_counts(world: World, second: UUID) -> None:
    asset_id, asset_name = asset(world, world.client_id)
    noon, later = _friday().isoformat(), (_friday() + timedelta(minutes=1)).isoformat()
    ids = [
        add(world, {**ONCE, "name": "Over", "startsAt": "2020-01-01T00:00Z", "endsAt": "2020-01-02T00:00Z"}),
        add(world, {"name": "Now", "startsAt": noon, "endsAt": later, "assetId": asset_id}),
        add(world, {"name": "Elsewhere", "recurrence": WEEKLY, "integrationId": str(second)}),
        add(world, {**ONCE, "startsAt": "2090-01-01T00:00Z", "endsAt": "2090-01-02T00:00Z"}),
        add(world, {"name": "Off", "recurrence": WEEKLY, "isActive": False}),
    ]
    with world.unit() as session:
        found = queries.window_page(world.rmm, session, world.tenant, WindowFilter(), _friday())
        here = WindowFilter(integration_id=world.integration_id)
        mine = queries.window_page(world.rmm, session, world.tenant, here, _friday())
        planned = queries.window_page(
            world.rmm, session, world.tenant, WindowFilter(state="planned"), _friday()
        )
        other = queries.window_page(world.rmm, session, "another", WindowFilter(), _friday())
    assert [line.row.id for line in found.lines.rows] == ids[::-1]
    assert [line.state for line in found.lines.rows] == ["off", "planned", "planned", "running", "over"]
    assert found.counts == {"off": 1, "planned": 2, "running": 1, "over": 1}
    assert found.names.assets == {asset_id: asset_name}
    assert found.names.connections == {second: "Second"}
    assert ids[2] not in {line.row.id for line in mine.lines.rows}
    assert len(mine.lines.rows) == 4
    assert [line.row.name for line in planned.lines.rows] == ["Move", "Elsewhere"]
    assert (other.lines.rows, other.counts["running"]) == ([], 0)


def test_it_counts_what_each_window_suppresses(world: World) -> None:
    window_id = add(world)
    for number in range(3):
        world.post(world.body(number, check_id=str(number)))
    world.post(world.resolved(0, check_id="0"))
    with world.unit() as session:
        line = queries.window_line(session, world.tenant, window_id, _friday())
        assert queries.window_line(session, "another", window_id, _friday()) is None
    assert line is not None
    assert line.suppressed == 2


def test_the_list_costs_the_same_however_long_it_is(world: World) -> None:
    asset_id, _ = asset(world, world.client_id)
    scopes = {"integrationId": str(world.integration_id), "clientId": world.client_id, "assetId": asset_id}

    def cost() -> int:
        with world.unit() as session:
            with StatementCounter() as counter:
                queries.window_page(world.rmm, session, world.tenant, WindowFilter(), _friday())
            return counter.count

    add(world, {"name": "First", "recurrence": WEEKLY, **scopes})
    one = cost()
    for number in range(20):
        add(world, {"name": f"W{number}", "recurrence": WEEKLY, **scopes})
    assert cost() == one <= 6


def test_pages_of_the_list_meet(world: World) -> None:
    ids = [add(world, {**ONCE, "name": str(number)}) for number in range(5)][::-1]

    def page(**cursor: Any) -> Any:
        with world.unit() as session:
            found = queries.window_page(
                world.rmm, session, world.tenant, WindowFilter(), _friday(), limit=2, **cursor
            )
            assert found.total == 5
            return found.lines

    first = page()
    second = page(after=first.after)
    third = page(after=second.after)
    back = page(before=third.before)
    shown = [[line.row.id for line in found.rows] for found in (first, second, third, back)]
    assert shown == [ids[:2], ids[2:4], ids[4:], ids[2:4]]
    assert (first.before, third.after) == (None, None)


def test_the_zone_used_last(world: World) -> None:
    with world.unit() as session:
        assert queries.last_zone(session, world.tenant) is None
    first = add(world, {"name": "Berlin", "recurrence": {**WEEKLY, "timezone": "Europe/Berlin"}})
    add(world, {"name": "New York", "recurrence": {**WEEKLY, "timezone": "America/New_York"}})
    add(world)
    with world.unit() as session:
        assert queries.last_zone(session, world.tenant) == "America/New_York"
    with world.unit() as session:
        maintenance.set_active(session, world.admin, first, False)
    with world.unit() as session:
        assert queries.last_zone(session, world.tenant) == "Europe/Berlin"


def test_devices_that_stand_behind_an_asset_are_found_by_part_of_their_name(world: World) -> None:
    world.device("d1", "SERVER-01", asset_id="a1")
    world.device("d2", "SERVER-02")
    world.device("d3", "server-03", asset_id="a3")
    world.device("d4", "100%", asset_id="a4")
    with world.unit() as session:
        found = queries.devices_with_asset(session, world.tenant, "server", 10)
        assert [row.asset_id for row in found] == ["a1", "a3"]
        assert [row.name for row in queries.devices_with_asset(session, world.tenant, "%", 10)] == ["100%"]
        assert queries.devices_with_asset(session, "another", "server", 10) == []


def _friday() -> datetime:
    return datetime(2026, 11, 20, 12, tzinfo=UTC)
