"""Patches of the fleet: two ways to find them that must agree, pages, caps, and who has which."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

import pytest

from rmm_extension.domain.patches import WAITING
from rmm_extension.models import utc_now
from rmm_extension.services.queries import paging, patches
from rmm_extension.services.queries.patch_devices import PatchDevicesFilter, device_count, device_page
from rmm_extension.services.queries.patches import PatchesFilter, patch_count, patch_names, patch_page
from rmm_extension.services.queries.whose import Whose
from rmm_extension.testing.statements import StatementCounter
from tests.harness.patches import Listed, give
from tests.harness.world import World

STATES = ("pending", "approved", "failed", "installed")
WAIT = sorted(WAITING)


def fill(world: World, devices: int = 6, patches_each: int = 8) -> list[UUID]:
    """Devices of clients c0 to c2, each with some of ten patches in some state and kind."""
    found = []
    for at in range(devices):
        device = world.device(f"d{at}", f"PC-{at}", client_id=f"c{at % 3}")
        listed = [
            Listed(
                f"Patch {(at + place) % 10} (KB50{(at + place) % 10})",
                STATES[(at * place) % 4],
                kind="software" if place % 3 == 0 else "os",
                severity=("Critical", "low", None)[place % 3],
                kb=f"KB50{(at + place) % 10}",
            )
            for place in range(patches_each)
        ]
        with world.unit() as session:
            give(session, world.tenant, device, listed)
        found.append(device)
    world.device("gone", "GONE", client_id="c0", deleted_at=utc_now())
    return found


FILTERS = [
    PatchesFilter(statuses=WAIT),
    PatchesFilter(statuses=["installed"]),
    PatchesFilter(statuses=WAIT, kind="software"),
    PatchesFilter(statuses=WAIT, severity="critical"),
    PatchesFilter(statuses=["failed"], text="kb503"),
    PatchesFilter(statuses=WAIT, text="no such patch"),
    PatchesFilter(statuses=["rejected"]),
]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("wanted", FILTERS)
def test_by_device_and_from_name_to_name_find_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, wanted: PatchesFilter, turned: bool
) -> None:
    fill(world)
    for client in ("c0", "c2", "nobody"):
        of_client = PatchesFilter(
            statuses=wanted.statuses,
            kind=wanted.kind,
            severity=wanted.severity,
            text=wanted.text,
            whose=Whose(client_id=client),
        )
        found = []
        for few in (500, -1):
            monkeypatch.setattr("rmm_extension.services.queries.whose.FEW", few)
            with world.unit() as session:
                page = patch_page(session, world.tenant, of_client, turned=turned)
                assert patch_count(session, world.tenant, of_client) == page.count
            found.append([(row.name, row.devices, row.kb) for row in page.rows])
        assert found[0] == found[1], client


@pytest.mark.parametrize("wanted", FILTERS)
def test_the_numbers_are_those_of_the_rows(world: World, wanted: PatchesFilter) -> None:
    fill(world)
    with world.unit() as session:
        page = patch_page(session, world.tenant, wanted)
        for row in page.rows:
            one = PatchDevicesFilter(names=[row.name], wanted=wanted)
            devices = {each.device_id for each in device_page(session, world.tenant, one).rows}
            assert row.devices == len(devices), row
        assert patch_names(session, world.tenant, wanted, 50) == [row.name for row in page.rows]
        assert patch_page(session, "another", wanted).rows == []
        assert device_count(session, "another", PatchDevicesFilter(names=["x"], wanted=wanted)).number == 0


def test_pages_hold_each_name_once_in_both_directions(world: World) -> None:
    fill(world)
    wanted = PatchesFilter(statuses=STATES)
    for turned in (False, True):
        seen: list[str] = []
        backwards: list[str] = []
        after = before = None
        with world.unit() as session:
            while True:
                page = patch_page(session, world.tenant, wanted, after=after, limit=3, turned=turned)
                seen += [row.name for row in page.rows]
                before = page.before or before
                if page.after is None:
                    break
                after = page.after
            while before:
                page = patch_page(session, world.tenant, wanted, before=before, limit=3, turned=turned)
                backwards = [row.name for row in page.rows] + backwards
                before = page.before
        assert len(seen) == 10
        assert all((one < next_) is not turned for one, next_ in pairwise(seen))
        assert backwards == seen[: len(backwards)] != []


def test_counts_stop_at_the_cap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    for module in (patches, paging):
        monkeypatch.setattr(module, "CAP", 4)
    with world.unit() as session:
        page = patch_page(session, world.tenant, PatchesFilter(statuses=STATES), limit=3)
        assert page.count == paging.Count(4, more=True)
        assert {row.devices for row in page.rows} <= {1, 2, 3, 4, 5}
        # A text is looked for behind the cap too.
        assert patch_names(session, world.tenant, PatchesFilter(statuses=STATES, text="kb509"), 5) == [
            "Patch 9 (KB509)"
        ]


def test_what_a_deleted_device_has_is_nobodys(world: World) -> None:
    fill(world)
    world.do("UPDATE rmm_devices SET deleted_at = now() WHERE client_id <> 'c1'")
    with world.unit() as session:
        names = patch_names(session, world.tenant, PatchesFilter(statuses=STATES), 50)
        theirs = patch_names(
            session, world.tenant, PatchesFilter(statuses=STATES, whose=Whose(client_id="c1")), 50
        )
    assert names == theirs


def test_a_page_costs_one_statement(world: World) -> None:
    fill(world)
    with world.unit() as session, StatementCounter() as sent:
        patch_page(session, world.tenant, PatchesFilter(statuses=WAIT))
    assert sent.count == 1, sent
