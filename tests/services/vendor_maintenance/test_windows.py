"""Maintenance at the vendor that follows windows of ours: what is told, taken back and shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rmm_extension.domain.errors import (
    InvalidRequest,
)
from rmm_extension.models import Integration, new_id, utc_now
from rmm_extension.services import maintenance
from rmm_extension.services.queries import vendor_maintenance as queries
from rmm_extension.services.schedule import TICK_HOOKS
from rmm_extension.services.vendor_maintenance import telling
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World
from tests.services.working import queued, work

from .vendor import HOUR, KIND, Vendor, activity, edit, end, go, stands, tick, window


def test_the_tick_looks() -> None:
    assert "rmm_extension.services.vendor_maintenance:follow_windows" in TICK_HOOKS


def test_a_window_that_asks_for_it_sets_its_devices_once(known: World, vendor: Vendor) -> None:
    found = window(known)
    assert go(known) == [{"set": 3, "ended": 0, "failed": 0}]
    assert sorted(vendor.calls("set")) == ["d1", "d2", "d3"]
    assert vendor.held["d1"] == (end(known, found), "Patch night")
    assert stands(known) == dict.fromkeys(("d1", "d2", "d3"), "set")
    assert tick(known) == 0
    assert queued(known, KIND) == []


def test_it_is_in_the_audit_of_each_device_and_one_line_of_the_window(known: World, vendor: Vendor) -> None:
    found = window(known)
    go(known)
    devices = activity(known, "device.maintenance_set")
    assert {row["subject_name"] for row in devices} == {"SRV-1", "SRV-2", "SRV-3"}
    assert {row["changes"]["window"] for row in devices} == {"Patch night"}
    (told,) = activity(known, "window.at_vendor")
    assert (told["subject_id"], told["changes"]) == (str(found), {"at the vendor": "3 set"})


@pytest.mark.parametrize(
    "value, devices",
    [
        ({}, ["d1", "d2", "d3"]),
        ({"clientId": "theirs"}, ["d1", "d2"]),
        ({"integrationId": "this"}, ["d1", "d2", "d3"]),
        ({"atVendor": False}, []),
        ({"isActive": False}, []),
    ],
)
def test_only_devices_in_scope_of_a_window_that_holds_and_asks(
    known: World, vendor: Vendor, value: dict[str, Any], devices: list[str]
) -> None:
    ids = {"theirs": known.client_id, "this": str(known.integration_id)}
    window(known, **{name: ids.get(str(one), one) for name, one in value.items()})
    go(known)
    assert sorted(vendor.calls("set")) == devices


def test_an_asset_s_window_takes_its_device_alone(known: World, vendor: Vendor) -> None:
    known.do("UPDATE rmm_devices SET asset_id = 'a1' WHERE external_id = 'd2'")
    found = window(known)
    known.do("UPDATE rmm_maintenance_windows SET asset_id = 'a1' WHERE id = :id", id=found)
    go(known)
    assert vendor.calls("set") == ["d2"]


def test_neither_deleted_devices_nor_windows_to_come_nor_those_that_are_nearly_over(
    known: World, vendor: Vendor
) -> None:
    known.do("UPDATE rmm_devices SET deleted_at = now() WHERE external_id = 'd1'")
    now = utc_now()
    window(known, startsAt=(now + HOUR).isoformat())
    window(known, endsAt=(now + timedelta(seconds=20)).isoformat())
    assert go(known) == []
    window(known)
    go(known)
    assert sorted(vendor.calls("set")) == ["d2", "d3"]


def test_a_weekly_window_sets_until_the_end_of_its_running_time(known: World, vendor: Vendor) -> None:
    now = utc_now()
    start, stop = now - timedelta(hours=1), now + timedelta(hours=3)
    window(
        known,
        startsAt=None,
        endsAt=None,
        recurrence={
            "type": "weekly",
            "days": list(range(7)),
            "startTime": f"{start:%H:%M}",
            "endTime": f"{stop:%H:%M}",
            "timezone": "UTC",
        },
    )
    go(known)
    assert vendor.held["d1"][0] == stop.replace(second=0, microsecond=0)


def test_of_two_windows_the_latest_end_counts_and_the_other_follows(known: World, vendor: Vendor) -> None:
    short, long = window(known, "Short", 1), window(known, "Long", 3)
    go(known)
    assert vendor.held["d1"] == (end(known, long), "Long")
    assert len(vendor.told) == 3
    with known.unit() as session:
        maintenance.end_now(session, known.admin, long)
    go(known)
    assert vendor.held["d1"] == (end(known, short), "Short")
    assert vendor.calls("end") == []


@pytest.mark.parametrize("how", ["ended", "deleted", "switched off", "unticked", "moved", "device moved"])
def test_what_a_change_takes_back_is_taken_out_at_the_vendor(known: World, vendor: Vendor, how: str) -> None:
    found = window(known, clientId=known.client_id)
    go(known)
    with known.unit() as session:
        if how == "ended":
            maintenance.end_now(session, known.admin, found)
        elif how == "deleted":
            maintenance.delete(known.rmm, session, known.admin, found)
        elif how == "switched off":
            maintenance.set_active(session, known.admin, found, False)
    if how == "unticked":
        edit(known, found, atVendor=False)
    elif how == "moved":
        known.do("UPDATE rmm_maintenance_windows SET client_id = 'another' WHERE id = :id", id=found)
    elif how == "device moved":
        known.do("UPDATE rmm_devices SET client_id = 'another'")
    assert go(known) == [{"set": 0, "ended": 2, "failed": 0}]
    assert vendor.held == {}
    assert stands(known) == {}
    assert len(activity(known, "device.maintenance_ended")) == 2


def test_one_that_ends_in_time_ends_by_itself(known: World, vendor: Vendor) -> None:
    window(known)
    go(known)
    known.do("UPDATE rmm_maintenance_windows SET ends_at = now() - interval '1 second'")
    known.do("UPDATE rmm_vendor_maintenance SET until = now() - interval '1 second'")
    known.do("UPDATE rmm_vendor_maintenance SET told_until = until")
    assert go(known) == []
    assert stands(known) == {}
    assert vendor.calls("end") == []


def test_another_end_is_told_again(known: World, vendor: Vendor) -> None:
    found = window(known)
    go(known)
    later = (utc_now() + 5 * HOUR).replace(microsecond=0)
    edit(known, found, endsAt=later.isoformat())
    go(known)
    assert vendor.held["d1"][0] == later
    assert len(vendor.calls("set")) == 6


def test_what_was_never_told_needs_no_end(known: World, vendor: Vendor) -> None:
    found = window(known)
    tick(known)
    edit(known, found, atVendor=False)
    go(known)
    assert vendor.told == []
    assert stands(known) == {}


def test_long_lists_are_told_in_slices(known: World, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "SLICE", 2)
    window(known)
    assert go(known) == [{"set": 2, "ended": 0, "failed": 0}]
    row = known.rows("SELECT done_count, total_count FROM rmm_job_runs WHERE kind = :kind", kind=KIND)[0]
    assert (row["done_count"], row["total_count"]) == (2, 2)
    assert go(known) == [{"set": 1, "ended": 0, "failed": 0}]


def test_a_tick_costs_the_same_however_many_devices_change(known: World, vendor: Vendor) -> None:
    def cost() -> int:
        with StatementCounter() as sent:
            tick(known)
        return sent.count

    idle = cost()
    found = window(known)
    three = cost()
    for number in range(40):
        known.device(f"more{number}", f"M-{number}")
    forty = cost()
    work(known, KIND)
    steady = cost()
    edit(known, found, atVendor=False)
    out = cost()
    assert (idle <= 1, steady <= 7, forty <= three <= 9, out <= 10) == (True, True, True, True)


def test_another_tenant_s_windows_and_devices_are_apart(known: World, vendor: Vendor) -> None:
    window(known)
    known.do("UPDATE rmm_maintenance_windows SET tenant_id = 'another'")
    assert go(known) == []
    assert vendor.told == []


def test_other_vendors_connections_are_left_alone(known: World, vendor: Vendor) -> None:
    with known.unit() as session:
        other = Integration(
            tenant_id=known.tenant,
            id=new_id(),
            provider="levelio",
            name="Level",
            state="connected",
            instance_url="",
        )
        session.add(other)
        other_id = other.id
    device_id = known.device("theirs", "T-1")
    known.do("UPDATE rmm_devices SET integration_id = :other WHERE id = :id", other=other_id, id=device_id)
    window(known)
    go(known)
    assert "theirs" not in vendor.calls("set")


def test_a_window_without_a_vendor_that_can_be_told_is_refused(world: World) -> None:
    with pytest.raises(maintenance.WindowInvalid) as refused:
        window(world)
    assert list(refused.value.errors) == ["atVendor"]


def test_how_devices_stand_is_told_by_window_and_by_device(known: World, vendor: Vendor) -> None:
    vendor.fails["d1"] = InvalidRequest("Not this one.")
    found = window(known)
    go(known)
    with known.unit() as session:
        told = queries.of_window(session, known.tenant, found)
        assert told.states == {"set": 2, "failed": 1}
        assert [(row.name, row.error) for row in told.troubles] == [("SRV-1", "Not this one.")]
        (device_id,) = (row.device_id for row in told.troubles)
        one = queries.of_device(session, known.tenant, device_id)
        assert one is not None
        assert one.window_name == "Patch night"
