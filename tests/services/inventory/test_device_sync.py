"""Device syncs: what is written, and what costs nothing."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from rmm_extension.domain.errors import AuthFailed, ConfigError, Conflict, Unavailable
from rmm_extension.domain.types import AgentStatus, DeviceKind, DevicePage, Disk, Hardware
from rmm_extension.models import utc_now
from rmm_extension.services import runs
from rmm_extension.services.inventory import sql, sync_devices
from rmm_extension.services.unit import unit

from .conftest import NOON, World, device
from .fakes import FakeProvider

LATER = NOON + timedelta(minutes=5)
HARDWARE = Hardware(
    memory_gb=15.74, disks=(Disk(name="C:", total_gb=100, free_gb=25.333),), macs=("00:11:22:33:44:55",)
)


def fleet(world: World, count: int, organization: str = "1") -> None:
    world.script.devices += [device(f"d{number}", organization) for number in range(count)]


def test_first_sync_makes_assets_and_rows(world: World) -> None:
    world.map()
    fleet(world, 3)
    assert world.sync() == {"processed": 3, "created": 3}
    assert [row.client_id for row in world.devices().values()] == ["acme"] * 3
    assert world.asset_of("d1").name == "D1"
    assert world.asset_of("d1").client_id == "acme"


def test_unchanged_devices_cost_no_write(world: World) -> None:
    world.map()
    fleet(world, 3)
    world.sync()
    before = world.versions()
    assert world.sync() == {"processed": 3, "unchanged": 3}
    assert world.versions() == before
    assert world.asset_of("d1").writes == 1


def test_moved_last_seen_stays_out_of_the_host(world: World) -> None:
    world.map()
    fleet(world, 3)
    world.sync()
    before = world.versions()
    world.script.replace("d1", last_seen_at=LATER)
    assert world.sync() == {"processed": 3, "unchanged": 3}
    assert world.device("d1").last_seen_at == LATER
    assert [key for key, version in world.versions().items() if before[key] != version] == ["d1"]
    assert world.asset_of("d1").writes == 1


@pytest.mark.parametrize(
    "change",
    [
        {"status": AgentStatus.OFFLINE},
        {"name": "renamed"},
        {"lan_ip": "10.0.0.1"},
        {"custom_fields": {"Rack": "A1"}},
        {"kind": DeviceKind.SERVER},
        {"needs_reboot": True},
        {"hardware": HARDWARE},
    ],
)
def test_every_mapped_field_is_a_change(world: World, change: dict[str, Any]) -> None:
    world.map()
    fleet(world, 2)
    world.sync()
    world.script.replace("d1", **change)
    assert world.sync() == {"processed": 2, "unchanged": 1, "updated": 1}
    assert (world.asset_of("d0").writes, world.asset_of("d1").writes) == (1, 2)
    assert world.sync() == {"processed": 2, "unchanged": 2}


def test_offline_is_a_status_not_an_inactive_asset(world: World) -> None:
    world.map()
    world.script.devices = [device("d1", status=AgentStatus.OVERDUE)]
    world.sync()
    assert (world.asset_of("d1").agent_status, world.asset_of("d1").active) == ("overdue", True)


def test_absent_fields_keep_what_is_known(world: World) -> None:
    world.map()
    world.script.devices = [device("d1", lan_ip="10.0.0.1", location="Oslo", hardware=HARDWARE)]
    world.sync()
    world.script.replace("d1", lan_ip=None, location=None, serial=None, hardware=None, last_seen_at=None)
    assert world.sync()["updated"] == 1
    row, asset = world.device("d1"), world.asset_of("d1")
    assert (row.serial, row.macs, row.last_seen_at) == ("SN-d1", ["00:11:22:33:44:55"], NOON)
    assert row.facts["location"] == "Oslo"
    assert row.facts["hardware"]["memory_gb"] == 15.74
    assert (asset.serial, asset.vitals["lan_ip"], asset.vitals["ram_gb"]) == ("SN-d1", "10.0.0.1", 16)


def test_hardware_stays_where_only_something_else_changed(world: World) -> None:
    world.map()
    told = device("d1", hardware=HARDWARE, offline_after_minutes=4, overdue_after_minutes=30)
    world.script.devices = [told]
    world.sync()
    before = world.device("d1")
    hardware, digest, macs = before.facts["hardware"], before.hardware_hash, before.macs
    world.script.replace("d1", name="renamed")
    assert world.sync()["updated"] == 1
    row = world.device("d1")
    assert (row.name, row.facts["hardware"], row.hardware_hash, row.macs) == (
        "renamed",
        hardware,
        digest,
        macs,
    )
    assert (row.offline_after_minutes, row.overdue_after_minutes) == (4, 30)
    changed = msgspec.structs.replace(HARDWARE, memory_gb=32.0)
    world.script.replace("d1", name="again", hardware=changed)
    assert world.sync()["updated"] == 1
    assert world.device("d1").facts["hardware"]["memory_gb"] == 32.0


def test_a_routine_listing_is_not_a_change_after_a_full_one(world: World) -> None:
    world.map()
    world.script.devices = [
        device("d1", hardware=HARDWARE, offline_after_minutes=4, overdue_after_minutes=30)
    ]
    world.sync(full=True)
    world.script.replace("d1", hardware=None, offline_after_minutes=None, overdue_after_minutes=None)
    assert world.sync(full=False) == {"processed": 1, "unchanged": 1}
    assert world.device("d1").offline_after_minutes == 4


def test_statements_do_not_grow_with_the_page(world: World, statement_counter: Any) -> None:
    def cost(**subject: Any) -> int:
        with statement_counter() as sent:
            world.sync(**subject)
        return int(sent.count)

    def round_of_syncs() -> list[int]:
        world.script.page_size = 10_000
        first, unchanged = cost(), cost()
        world.script.devices = [device(d.external_id, name=d.name + "!") for d in world.script.devices]
        changed = cost()
        for one in world.script.devices:
            world.script.replace(one.external_id, last_seen_at=LATER)
        return [first, unchanged, changed, cost()]

    world.map()
    # The very first sync takes devices for new without a look.
    world.sync()
    fleet(world, 10)
    few = round_of_syncs()
    world.script.devices = [device(f"e{number}") for number in range(300)]
    assert round_of_syncs() == few


def test_seeing_devices_again_writes_no_index(world: World) -> None:
    """A sync sees nearly all of them again: their rows find room where they are."""
    world.map()
    world.script.devices = [device(f"d{number}", location="Room " * 60) for number in range(300)]
    world.script.page_size = 300
    world.sync()
    seen = LATER.isoformat()
    moved = [{"id": str(row.id), "seen": seen} for row in world.devices().values()]
    with unit(world.rmm) as session:
        values = {"tenant": world.tenant, "moved": json.dumps(moved)}
        assert sql.execute(session, sql.MOVE_LAST_SEEN, values) == 300
        table = "'rmm_devices'::regclass"
        counted = text(
            f"SELECT pg_stat_get_xact_tuples_updated({table}), pg_stat_get_xact_tuples_hot_updated({table})"
        )
        assert tuple(session.execute(counted).one()) == (300, 300)


def test_unmapped_and_switched_off_organizations_are_left_out(world: World) -> None:
    world.map("1")
    world.map("2", None)
    world.map("3", auto_sync=False)
    world.map("4", missing_since=utc_now())
    world.script.devices = [device(f"d{number}", str(number)) for number in range(1, 6)]
    assert world.sync() == {"processed": 1, "created": 1, "skipped_organizations": 3}
    assert world.script.asked == [(("1",), True)]


def test_a_client_that_is_gone_is_said(world: World) -> None:
    world.map("1", "nobody")
    world.map("2")
    world.script.devices = [device("d1", "1"), device("d2", "2")]
    assert world.sync()["created"] == 1
    assert "does not exist" in (world.mappings()["1"].last_error or "")


def test_strangers_in_the_stream_are_skipped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def devices(*_: Any, **__: Any) -> Any:
        yield DevicePage(devices=(device("d9", "9"), device("d1")), completed_organizations=("1",))

    monkeypatch.setattr(FakeProvider, "devices", devices)
    world.map("1")
    assert world.sync() == {"processed": 1, "created": 1, "skipped": 1}
    assert set(world.devices()) == {"d1"}


def test_the_last_of_a_repeated_device_counts(world: World) -> None:
    world.map()
    world.script.devices = [device("d1", name="old"), device("d1", name="new")]
    assert world.sync() == {"processed": 1, "created": 1}
    assert world.device("d1").name == "new"


def test_full_once_a_day_unless_asked(world: World) -> None:
    world.map()
    world.sync()
    world.sync()
    world.sync(full=True)
    world.sync(full=False)
    assert [full for _, full in world.script.asked] == [True, False, True, False]


def test_times_are_the_start_of_the_run(world: World) -> None:
    world.map()
    started = utc_now()
    during: list[Any] = []
    world.script.on_page = lambda _: during.append(utc_now())
    world.sync()
    row = world.connection()
    assert row.last_sync_at == row.last_incremental_sync_at == row.last_full_sync_at
    assert row.last_sync_at is not None
    assert started <= row.last_sync_at <= during[0]
    assert world.mappings()["1"].last_synced_at is not None


def test_an_error_keeps_the_pages_written_and_nothing_else(world: World) -> None:
    world.map("1")
    world.map("2")
    world.script.devices = [device("a1", "1"), device("a2", "1"), device("b1", "2")]
    world.sync()
    before = world.connection()
    world.script.page_size = 1
    world.script.devices = [device("a1", "1", name="new"), device("b1", "2", name="new")]
    world.script.error, world.script.fails_after = Unavailable("No answer from the vendor."), 1
    run = world.run()
    with pytest.raises(Unavailable):
        sync_devices(world.rmm, run)
    rows = world.devices()
    assert (rows["a1"].name, rows["b1"].name) == ("new", "B1")
    assert all(row.missing_since is None for row in rows.values())
    after = world.connection()
    assert after.last_error == "No answer from the vendor."
    assert after.last_sync_at == before.last_sync_at
    assert [event["name"] for event in world.events()][-2:] == ["sync_started", "sync_failed"]
    assert world.events()[-1]["payload"]["error"] == {"message": "No answer from the vendor."}


def test_refused_credentials_stop_the_connection(world: World) -> None:
    world.map()
    world.script.error = AuthFailed("The key was refused.")
    with pytest.raises(AuthFailed):
        sync_devices(world.rmm, world.run())
    assert world.connection().state == "needs_reauth"


def test_success_clears_the_error(world: World) -> None:
    troubled = world.connect(state="error", last_error="No answer.")
    troubled.map()
    troubled.sync()
    assert (troubled.connection().state, troubled.connection().last_error) == ("connected", None)


@pytest.mark.parametrize("state", ["paused", "not_connected", "needs_reauth"])
def test_a_connection_that_rests_is_not_synced(world: World, state: str) -> None:
    resting = world.connect(state=state)
    with pytest.raises(ConfigError):
        sync_devices(world.rmm, resting.run())
    assert resting.script.asked == []


def test_a_suspended_tenant_is_not_synced(world: World) -> None:
    world.tenants.suspended.add(world.tenant)
    with pytest.raises(ConfigError, match="suspended"):
        sync_devices(world.rmm, world.run())


def test_a_device_the_host_refuses_does_not_stop_the_others(world: World) -> None:
    world.map()
    fleet(world, 9)
    world.assets.refused = {"D3", "D7"}
    run = world.run()
    counts = sync_devices(world.rmm, run)
    world.finish(run)
    assert (counts["processed"], counts["created"], counts["failed"]) == (7, 7, 2)
    assert world.stored_run(run).errors == ["D3: The PSA refuses D3.", "D7: The PSA refuses D7."]
    assert "2 devices" in (world.mappings()["1"].last_error or "")
    world.assets.refused.clear()
    assert world.sync() == {"processed": 9, "created": 2, "unchanged": 7}
    assert world.mappings()["1"].last_error is None


def test_a_value_the_database_refuses_is_one_devices_error(world: World) -> None:
    world.map()
    world.script.devices = [device("d1", offline_after_minutes=2**40, hardware=HARDWARE), device("d2")]
    counts = world.sync()
    assert (counts["created"], counts["failed"]) == (1, 1)


def test_rows_the_provider_could_not_read_are_told(world: World) -> None:
    world.map()
    fleet(world, 2)
    world.script.row_errors = ("Row 7 has no id.",)
    run = world.run()
    assert sync_devices(world.rmm, run)["failed"] == 1
    assert world.stored_run(run).errors == ["Row 7 has no id."]


def test_progress_is_reported_page_by_page(world: World) -> None:
    world.map()
    fleet(world, 5)
    world.script.page_size = 2
    run = world.run()
    seen: list[tuple[int, int | None]] = []

    def look(_: int) -> None:
        row = world.stored_run(run)
        seen.append((row.done_count, row.total_count))

    world.script.on_page = look
    sync_devices(world.rmm, run)
    assert seen == [(0, None), (2, 5), (4, 5)]
    assert world.stored_run(run).counts["created"] == 5


def test_a_cancelled_run_stops_between_pages(world: World) -> None:
    world.map()
    fleet(world, 4)
    world.script.page_size = 2
    run = world.run()

    def cancel_at_second(number: int) -> None:
        if number == 1:
            with unit(world.rmm) as session:
                runs.cancel(world.rmm, session, run.actor, run.id)

    world.script.on_page = cancel_at_second
    with pytest.raises(runs.Cancelled):
        sync_devices(world.rmm, run)
    assert len(world.devices()) == 2
    assert world.connection().last_sync_at is None


def test_a_run_that_was_taken_over_writes_nothing_more(world: World) -> None:
    world.map()
    fleet(world, 4)
    world.script.page_size = 2
    run = world.run()

    def lose_at_second(number: int) -> None:
        if number == 1:
            with unit(world.rmm) as session:
                session.get_one(type(world.stored_run(run)), (run.tenant_id, run.id)).attempt += 1

    world.script.on_page = lose_at_second
    with pytest.raises(runs.LeaseLost):
        sync_devices(world.rmm, run)
    assert len(world.devices()) == 2
    assert len(world.assets.of(world.tenant)) >= 2


def test_a_resumed_run_goes_on_behind_what_was_completed(world: World) -> None:
    world.map("1")
    world.map("2")
    world.script.devices = [device("a1", "1"), device("b1", "2"), device("b2", "2")]
    world.script.page_size = 1
    world.script.error, world.script.fails_after = Unavailable("No answer."), 2
    run = world.run()
    with pytest.raises(Unavailable):
        sync_devices(world.rmm, run)
    world.script.error = None
    stored = world.stored_run(run)
    assert stored.cursor["done"] == ["1"]
    with unit(world.rmm) as session:
        session.execute(text("UPDATE rmm_organization_mappings SET last_error = 'Look at ' || external_id"))
    again = dataclasses.replace(run, cursor=stored.cursor)
    counts = sync_devices(world.rmm, again)
    assert [organizations for organizations, _ in world.script.asked] == [("1", "2"), ("2",)]
    assert (counts["processed"], counts["created"], counts["unchanged"]) == (3, 2, 1)
    assert world.connection().last_sync_at is not None
    told = {name: one.last_error for name, one in world.mappings().items()}
    assert told == {"1": "Look at 1", "2": None}, "what the first attempt found is not known to the second"


def test_two_runs_at_once_are_refused(world: World) -> None:
    world.run()
    with pytest.raises(Conflict, match="is under way"):
        world.run()


def test_events_carry_the_counts(world: World) -> None:
    world.map()
    fleet(world, 2)
    world.sync()
    started, finished = world.events()
    assert (started["name"], finished["name"]) == ("sync_started", "sync_finished")
    assert finished["payload"] == {
        "tenantId": "t1",
        "integrationId": str(world.integration_id),
        "provider": "fake",
        "syncType": "full",
        "actorType": "SYSTEM",
        "itemsProcessed": 2,
        "itemsCreated": 2,
        "itemsUpdated": 0,
        "itemsFailed": 0,
    }


def test_tenants_do_not_meet(world: World) -> None:
    other = world.connect(tenant="t2")
    other.clients.add("t2", "Acme")
    for one in (world, other):
        one.map()
        one.script.devices = [device("d1")]
        one.sync()
    assert len(world.assets.of("t1")) == len(world.assets.of("t2")) == 1
    world.script.drop("d1")
    world.sync()
    assert other.device("d1").missing_since is None


def test_a_host_without_assets_still_gets_devices(world: World) -> None:
    bare = dataclasses.replace(world.rmm, host=dataclasses.replace(world.rmm.host, assets=None))
    world.rmm = bare
    world.map()
    fleet(world, 1)
    assert world.sync() == {"processed": 1, "created": 1}
    assert world.sync() == {"processed": 1, "unchanged": 1}
    assert world.device("d0").asset_id is None
