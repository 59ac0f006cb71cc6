"""The software of a device: what is there, what was, what changed and since when that is known."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from rmm_extension.models import utc_now
from rmm_extension.services.queries.device_software import (
    SoftwareFilter,
    known_of,
    newest_changes,
    software_count,
    software_of_devices,
)
from rmm_extension.services.queries.paging import Count
from rmm_extension.testing.statements import StatementCounter
from tests.harness.programs import LONG_AGO, Program, install
from tests.harness.world import World

DAY = timedelta(days=1)


def put(world: World, device: UUID, *programs: Program) -> None:
    with world.unit() as session:
        install(session, world.tenant, device, programs)


def walk(world: World, wanted: SoftwareFilter, *, turned: bool = False) -> list[str]:
    found: list[str] = []
    after = None
    with world.unit() as session:
        while True:
            page = software_of_devices(session, world.tenant, wanted, after=after, limit=2, turned=turned)
            found += [f"{row.name} {row.version}".strip() for row in page.rows]
            after = page.after
            if after is None:
                return found


def test_what_is_there_and_what_was(world: World) -> None:
    one, two, other = (world.device(f"d{at}", f"PC-{at}") for at in range(3))
    put(
        world,
        one,
        Program("Zoom", "5"),
        Program("adobe", "1", "Adobe Inc."),
        Program("Old", "3", gone=utc_now()),
    )
    put(world, two, Program("Zoom", "6"), Program("Chrome", "9"))
    put(world, other, Program("Elsewhere"))
    expected = {
        SoftwareFilter(device_ids=(one,)): ["adobe 1", "Zoom 5"],
        SoftwareFilter(device_ids=(one,), removed=True): ["Old 3"],
        SoftwareFilter(device_ids=(one,), text="ADOBE inc"): ["adobe 1"],
        SoftwareFilter(device_ids=(one,), text="elsewhere"): [],
    }
    for wanted, names in expected.items():
        assert walk(world, wanted) == names
        with world.unit() as session:
            assert software_count(session, world.tenant, wanted) == Count(len(names))
            assert software_of_devices(session, world.tenant, wanted).count == Count(len(names))
            assert software_of_devices(session, "another", wanted).rows == []
    both = SoftwareFilter(device_ids=(one, two))
    assert walk(world, both) == ["adobe 1", "Chrome 9", "Zoom 5", "Zoom 6"]
    assert walk(world, both, turned=True) == [
        "Zoom 6",
        "Zoom 5",
        "Chrome 9",
        "adobe 1",
    ]


def test_what_the_first_list_told_is_no_change(world: World) -> None:
    device = world.device("d1", "PC")
    put(world, device, *[Program(f"Tool {at}", "1") for at in range(5)])
    with world.unit() as session:
        assert newest_changes(session, world.tenant, [device], 5) == []
        known = known_of(session, world.tenant, [device])[device]
    assert (known.programs, known.changed, known.told) == (5, 0, True)


def test_changes_newest_first_an_update_as_one(world: World) -> None:
    device, other = world.device("d1", "PC"), world.device("d2", "OTHER")
    now = utc_now()
    put(
        world,
        device,
        Program("Chrome", "118", since=LONG_AGO, gone=now - DAY),
        Program("Chrome", "119", since=now - DAY),
        Program("Game", "1", since=now - 3 * DAY, gone=now - 2 * DAY),
        Program("Office", "16"),
        Program("Fresh", "", since=now - 20 * DAY),
    )
    put(world, other, Program("Elsewhere", "1", since=LONG_AGO), Program("Elsewhere", "2", since=now))
    with world.unit() as session:
        changes = newest_changes(session, world.tenant, [device], 5)
        assert [(one.name, one.old, one.new) for one in changes] == [
            ("Chrome", "118", "119"),
            ("Game", "1", None),
            ("Fresh", None, ""),
        ]
        assert [one.name for one in newest_changes(session, world.tenant, [device], 1)] == ["Chrome"]
        assert newest_changes(session, "another", [device], 5) == []
        known = known_of(session, world.tenant, [device])[device]
    assert (known.programs, known.changed) == (3, 2), "a week back, each program once"


def test_what_is_known_of_several_devices_costs_one_statement(world: World) -> None:
    asked = utc_now() - DAY
    world.do("UPDATE rmm_integrations SET last_software_sync_at = :at", at=asked)
    ids = [world.device(f"d{at}", f"PC-{at}") for at in range(4)]
    put(world, ids[0], Program("Tool", "1"), Program("Tool", "2"))
    put(world, ids[1])
    with world.unit() as session, StatementCounter() as sent:
        known = known_of(session, world.tenant, ids[:3])
    assert sent.count == 1
    assert [known[id_].programs for id_ in ids[:3]] == [1, 0, 0], "two versions are one program"
    assert [known[id_].told for id_ in ids[:3]] == [True, True, False]
    assert {one.as_of for one in known.values()} == {asked}
    assert ids[3] not in known
    with world.unit() as session:
        assert known_of(session, "another", ids) == {}
        assert known_of(session, world.tenant, []) == {}
