"""Syncing a NinjaOne account over HTTP into the reference PSA: fleets that move, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from rmm_extension.domain.errors import AuthFailed, RateLimited, Unavailable
from rmm_extension.providers.ninjaone.classes import node_class
from rmm_extension.services import runs
from rmm_extension.services.inventory import confirm_missing, sync_devices
from rmm_extension.services.unit import unit
from simulators.ninjaone.drift import add_device, change_serial, move_device, take_offline
from simulators.ninjaone.models import Maintenance

from .fleet import ADA
from .ninja import DEVICES, NinjaFleet

Start = Callable[..., NinjaFleet]
JUNK = ("To Be Filled By O.E.M.", "Default string", "System Serial Number", "None", "0", "N/A")
ROUTINE = {
    "/v2/queries/computer-systems",
    "/v2/queries/operating-systems",
    "/v2/queries/device-health",
    "/v2/queries/antivirus-status",
}
HEAVY = {
    "/v2/queries/processors",
    "/v2/queries/volumes",
    "/v2/queries/logged-on-users",
    "/v2/queries/network-interfaces",
}
TYPES = {"virtual_host": "server", "virtual_guest": "server", "cloud": "network_device"}


def test_every_device_is_an_asset_of_its_client(start_ninja: Start) -> None:
    fleet = start_ninja()
    counts = fleet.sync(full=True)
    assert counts == {"processed": 80, "created": 80}
    assert fleet.errors() == []
    for device in fleet.lab.devices():
        asset, row = fleet.asset(device), fleet.device(device)
        kind = node_class(device.node_class).kind.value
        told_name = None if "displayName" in device.nulls else device.display_name
        assert row["name"] == asset["name"] == (told_name or device.system_name)
        assert asset["client_id"] == f"c{device.organization_id}"
        assert (row["kind"], asset["asset_type"]) == (kind, TYPES.get(kind, kind))
        assert asset["location"] == fleet.lab.fleet.locations[device.location_id].name
        assert row["status"] == asset["agent_status"] == ("offline" if device.offline else "online")
        assert row["facts"]["approval"] == device.approval.lower()


def test_routine_and_full_runs_alternate_without_a_write(start_ninja: Start) -> None:
    fleet = start_ninja()
    fleet.sync(full=True)
    before = fleet.versions()
    for full in (True, False, True, False):
        assert fleet.sync(full=full) == {"processed": 80, "unchanged": 80}
        assert fleet.versions() == before


def test_a_refresh_and_the_list_do_not_turn_each_other_round(start_ninja: Start) -> None:
    """Every class once: some tell more alone than in the list, all of them less."""
    fleet = start_ninja(devices=40)
    fleet.sync(full=True)
    for device in fleet.lab.devices():
        fleet.refresh(device)
    fleet.sync(full=True)
    before = fleet.versions()
    for device in fleet.lab.devices():
        assert fleet.refresh(device) == {"processed": 1, "unchanged": 1}, device.node_class
    assert fleet.sync() == {"processed": 40, "unchanged": 40}
    assert fleet.sync(full=True) == {"processed": 40, "unchanged": 40}
    assert fleet.versions() == before


def test_a_machine_of_an_agent_is_the_same_alone_and_in_the_list(start_ninja: Start) -> None:
    fleet = start_ninja()
    fleet.sync(full=True)
    before = fleet.versions()
    for device in fleet.lab.devices():
        if node_class(device.node_class).platform and device.node_class != "HYPERV_VMM_HOST":
            assert fleet.refresh(device) == {"processed": 1, "unchanged": 1}
    assert fleet.versions() == before


def test_what_a_host_tells_alone_stays(start_ninja: Start) -> None:
    fleet = start_ninja()
    host = fleet.lab.device(node_class="VMWARE_VM_HOST")
    fleet.sync(full=True)
    assert fleet.device(host)["serial"] is None
    assert fleet.refresh(host)["updated"] == 1
    fleet.sync(full=True)
    fleet.sync()
    row = fleet.device(host)
    assert row["serial"] == host.hardware.serial
    assert row["facts"]["os_type"] == "VMware ESXi"
    assert row["facts"]["hardware"]["memory_gb"] == 96.0


def test_a_refresh_sees_what_changed(start_ninja: Start) -> None:
    fleet = start_ninja()
    fleet.sync(full=True)
    device = fleet.devices_of(2, node_class="WINDOWS_WORKSTATION", approval="APPROVED", offline=False)[0]
    kept = fleet.device(device)["facts"]
    asset = fleet.device(device)["asset_id"]
    device.hardware.memory *= 2
    device.display_name = "Empfang 東京"
    move_device(fleet.lab, device, 3)
    assert fleet.refresh(device)["updated"] == 1
    row, told = fleet.device(device), fleet.device(device)["facts"]
    assert (row["asset_id"], row["name"], row["client_id"]) == (asset, "Empfang 東京", "c3")
    assert told["hardware"]["memory_gb"] == kept["hardware"]["memory_gb"] * 2
    assert told["hardware"]["interfaces"] == kept["hardware"]["interfaces"]
    assert told["os_patches_pending"] == kept["os_patches_pending"]


def test_a_device_that_is_gone_is_marked_missing_by_a_refresh(start_ninja: Start) -> None:
    fleet = start_ninja()
    fleet.sync()
    device = fleet.devices_of(2)[0]
    fleet.delete(device)
    assert fleet.refresh(device) == {"processed": 1, "missing": 1}
    assert fleet.asset(device)["status"] == "active"


def test_a_new_device_comes_by_a_refresh(start_ninja: Start) -> None:
    fleet = start_ninja()
    fleet.sync(full=True)
    device = add_device(fleet.lab, 2, "WINDOWS_SERVER", "SRV-NEW")
    assert fleet.refresh(device)["created"] == 1
    assert fleet.asset(device)["asset_type"] == "server"
    assert fleet.device(device)["facts"]["hardware"]["cpu_cores"] == device.hardware.cores


def test_devices_that_come_go_and_move_under_the_walk(
    start_ninja: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list goes on after an id: nothing slips between two pages."""
    small_pages(monkeypatch)
    fleet = start_ninja(deletionPolicy="mark_inactive")
    fleet.sync(full=True)
    gone = set()
    for _ in range(3):
        there = list(fleet.lab.devices())
        first, middle = there[0], there[40]
        fleet.plan("delete", 1, first)
        fleet.plan("delete", 1, middle)
        fleet.plan("move", 2, fleet.devices_of(3)[0], 4)
        fleet.plan("add", 2, organization=2)
        gone |= {first.id, middle.id}
        fleet.sync(full=True)
        assert fleet.missing() <= gone
    fleet.sync()
    assert fleet.missing() == gone
    assert len(fleet.rows("SELECT 1 FROM rmm_devices")) == 83
    fleet.sync()
    assert fleet.inactive() == len(gone)
    for device in fleet.lab.devices():
        assert fleet.device(device)["client_id"] == f"c{device.organization_id}"


def test_a_moved_device_keeps_its_asset(start_ninja: Start) -> None:
    fleet = start_ninja(deletionPolicy="mark_inactive")
    fleet.sync()
    device = fleet.devices_of(2)[0]
    asset = fleet.device(device)["asset_id"]
    move_device(fleet.lab, device, 3)
    assert fleet.sync()["moved"] == 1
    assert (fleet.device(device)["asset_id"], fleet.asset(device)["client_id"]) == (asset, "c3")


def test_a_device_in_an_organization_that_is_not_synced_is_not_missing(start_ninja: Start) -> None:
    fleet = start_ninja(deletionPolicy="mark_inactive")
    fleet.sync()
    fleet.execute("UPDATE rmm_organization_mappings SET auto_sync = false WHERE external_id = '3'")
    moved, deleted = fleet.devices_of(2)[:2]
    move_device(fleet.lab, moved, 3)
    fleet.delete(deleted)
    for _ in range(3):
        fleet.sync()
    assert fleet.missing() == {deleted.id}
    assert fleet.asset(moved)["status"] == "active"


def test_a_device_that_returns_is_active_again(start_ninja: Start) -> None:
    fleet = start_ninja(deletionPolicy="mark_inactive")
    fleet.sync()
    device = fleet.devices_of(2)[0]
    fleet.delete(device)
    for _ in range(2):
        fleet.sync()
    assert fleet.asset(device)["status"] == "inactive"
    fleet.lab.fleet.devices[device.id] = device
    fleet.lab.fleet.devices = dict(sorted(fleet.lab.fleet.devices.items()))
    assert fleet.sync()["returned"] == 1
    assert (fleet.missing(), fleet.asset(device)["status"]) == (set(), "active")


def test_more_than_a_fifth_waits_for_a_person(start_ninja: Start) -> None:
    fleet = start_ninja(deletionPolicy="mark_inactive")
    fleet.sync()
    mine = fleet.devices_of(2)
    doomed = mine[: len(mine) // 3]
    fleet.delete(*doomed)
    for _ in range(3):
        fleet.sync()
    assert fleet.inactive() == 0
    (found,) = fleet.rows("SELECT id, last_error FROM rmm_organization_mappings WHERE external_id = '2'")
    assert "confirm that they are gone" in found["last_error"]
    with unit(fleet.rmm) as session:
        assert confirm_missing(fleet.rmm, session, ADA, found["id"]) == len(doomed)


def test_an_empty_list_beside_reports_that_name_devices_proves_nothing(start_ninja: Start) -> None:
    fleet = start_ninja(deletionPolicy="mark_inactive")
    fleet.sync()
    fleet.ninja.fault("wrong_shape", prefix=DEVICES, body="[]")
    fleet.sync()
    assert fleet.missing() == set()
    assert "lists no devices at all" in fleet.errors()[0]


def test_an_organization_that_is_gone_takes_no_device_with_it(start_ninja: Start) -> None:
    """Its devices are not listed any more, and that it cannot be seen is no proof."""
    fleet = start_ninja(deletionPolicy="mark_inactive")
    fleet.sync()
    fleet.delete(*fleet.devices_of(3))
    del fleet.lab.fleet.organizations[3]
    fleet.sync()
    assert fleet.missing() == set()
    assert "organization with id 3 does not exist" in fleet.errors()[0]


def test_duplicate_names_and_fillers_make_no_two_machines_one(start_ninja: Start) -> None:
    fleet = start_ninja()
    chosen = [one for one in fleet.devices_of(2) if one.hardware][:12]
    for number, device in enumerate(chosen):
        device.hardware.serial = device.hardware.bios_serial = JUNK[number % len(JUNK)]
        device.system_name, device.display_name = "PC-1", None
    fleet.sync(full=True)
    assert len({fleet.device(one)["asset_id"] for one in chosen}) == len(chosen)
    assert {fleet.asset(one)["serial_number"] for one in chosen} == {None}


def test_approval_states(start_ninja: Start) -> None:
    fleet = start_ninja()
    first, second, third, *_ = fleet.devices_of(2, offline=False, approval="APPROVED")
    first.approval, second.approval, third.approval = "PENDING", "STAGED", "DECOMMISSIONED"
    fleet.sync()
    told = {one.id: fleet.device(one) for one in (first, second, third)}
    assert [row["facts"]["approval"] for row in told.values()] == ["pending", "staged", "decommissioned"]
    assert [row["awaits_approval"] for row in told.values()] == [True, True, False]
    assert [row["status"] for row in told.values()] == ["online", "online", "offline"]
    first.approval = "APPROVED"
    fleet.sync()
    assert (fleet.device(first)["facts"]["approval"], fleet.device(first)["awaits_approval"]) == (
        "approved",
        False,
    )
    assert fleet.missing() == set()


def test_nulls_missing_keys_and_odd_types_cost_no_run(start_ninja: Start) -> None:
    fleet = start_ninja()
    bare, odd, worse = fleet.devices_of(2, references=True)[:3]
    bare.omitted = frozenset(
        {"offline", "lastContact", "displayName", "systemName", "dnsName", "netbiosName"}
    )
    bare.nulls = frozenset({"nodeClass", "maintenance", "references", "ipAddresses"})
    odd.extra = {"offline": "true", "displayName": 7, "nodeClass": "QUANTUM_TOASTER", "organizationId": "2"}
    worse.extra = {"displayName": "W", "references": "none", "ipAddresses": {"a": 1}}
    counts = fleet.sync(full=True)
    assert (counts["processed"], counts["failed"]) == (79, 1)
    assert fleet.errors() == [f"Device {worse.id} (W) could not be read: unexpected value at $.ipAddresses."]
    row = fleet.device(bare)
    assert (row["name"], row["kind"], row["status"], row["last_seen_at"]) == (
        f"Device {bare.id}",
        "unknown",
        "unknown",
        None,
    )
    row = fleet.device(odd)
    assert (row["name"], row["kind"], row["status"]) == ("7", "unknown", "offline")
    assert row["facts"]["custom_fields"] == {"Class": "QUANTUM_TOASTER"}
    fleet.sync()
    assert fleet.missing() == set()


def test_a_row_that_cannot_be_read_is_not_a_device_that_is_gone(start_ninja: Start) -> None:
    fleet = start_ninja(deletionPolicy="mark_inactive")
    fleet.sync()
    device, deleted = fleet.devices_of(2)[:2]
    device.extra = {"references": 7}
    fleet.delete(deleted)
    for _ in range(3):
        assert fleet.sync()["failed"] == 1
    assert fleet.missing() == {deleted.id}


def test_a_row_without_an_id_leaves_absence_unproved(start_ninja: Start) -> None:
    fleet = start_ninja()
    fleet.sync()
    device, deleted = fleet.devices_of(2)[:2]
    device.extra = {"id": None}
    fleet.delete(deleted)
    assert fleet.sync()["failed"] == 1
    assert fleet.missing() == set()


def test_maintenance_and_the_end_of_it(start_ninja: Start) -> None:
    fleet = start_ninja()
    device = fleet.devices_of(2)[0]
    device.maintenance = Maintenance(["ALERTS"], fleet.lab.now() - 60)
    fleet.sync()
    assert fleet.device(device)["facts"]["maintenance"] is True
    device.maintenance = None
    fleet.sync()
    assert fleet.device(device)["facts"]["maintenance"] is False


def test_vitals_of_the_asset(start_ninja: Start) -> None:
    fleet = start_ninja()
    device = fleet.devices_of(2, node_class="WINDOWS_WORKSTATION", offline=False, approval="APPROVED")[0]
    device.hardware.serial, device.hardware.manufacturer, device.hardware.model = "SN-1", "Dell Inc.", "7010"
    device.antivirus = [
        {"productName": "Windows Defender", "productState": "OFF", "definitionStatus": "Up-to-Date"},
        {"productName": "Sentry Works AV", "productState": "ON", "definitionStatus": "UP_TO_DATE"},
    ]
    device.health = {"pendingOSPatchesCount": 3, "pendingSoftwarePatchesCount": 2, "failedOSPatchesCount": 1}
    device.health |= {"failedSoftwarePatchesCount": 0, "pendingRebootReason": "WINDOWS_PM"}
    fleet.sync(full=True)
    told, hardware = fleet.vitals(device), device.hardware
    assert fleet.asset(device)["serial_number"] == "SN-1"
    assert (told["manufacturer"], told["model"]) == ("Dell Inc.", "7010")
    assert (told["antivirus_status"], told["antivirus_product"]) == ("protected", "Sentry Works AV")
    assert [told[f"{name}_patches"] for name in ("pending", "pending_os", "pending_software", "failed")] == [
        5,
        3,
        2,
        1,
    ]
    assert told["has_pending_patches"] is told["needs_reboot"] is True
    assert (told["cpu_model"], told["cpu_cores"]) == (hardware.cpu, hardware.cores)
    assert told["ram_gb"] == hardware.memory // 1024**3
    assert told["storage_gb"] == sum(one["capacity"] for one in hardware.volumes) // 1024**3
    assert [one["name"] for one in told["disk_usage"]] == [one["name"] for one in hardware.volumes]
    assert told["network_interfaces"][0]["ips"][0] == device.ip_addresses[0] == told["lan_ip"]
    assert told["wan_ip"] == device.public_ip
    assert told["os_name"] == "Windows"
    assert "(build " in told["os_version"]


@pytest.mark.parametrize("status", [403, 404])
def test_one_report_that_may_not_be_read_costs_its_facts_only(start_ninja: Start, status: int) -> None:
    fleet = start_ninja()
    forbid(fleet, "/v2/queries/antivirus-status", status)
    counts = fleet.sync(full=True)
    assert (counts["processed"], counts["failed"]) == (80, 1)
    (warning,) = fleet.errors()
    assert warning.startswith("The state of antivirus programs are left out: ")
    facts = fleet.device(fleet.devices_of(2, node_class="WINDOWS_WORKSTATION")[0])["facts"]
    assert "antivirus" not in facts
    assert "os_patches_pending" in facts
    before = fleet.versions()
    fleet.sync(full=True)
    assert fleet.versions() == before


@pytest.mark.parametrize(
    "mode, options, error",
    [
        ("unauthorized", {}, AuthFailed),
        ("throttled", {"retry_after": "30"}, RateLimited),
        ("server_error", {"status": 503}, Unavailable),
    ],
)
def test_other_errors_of_a_report_end_the_run(
    start_ninja: Start, mode: str, options: dict[str, Any], error: type[Exception]
) -> None:
    fleet = start_ninja()
    fleet.sync()
    fleet.ninja.fault(mode, prefix="/v2/queries/device-health", **options)
    run = fleet.run()
    with pytest.raises(error):
        sync_devices(fleet.rmm, run)
    assert fleet.missing() == set()


def test_a_run_that_was_killed_is_finished_by_another(
    start_ninja: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    fleet = start_ninja()
    run = fleet.run()
    with monkeypatch.context() as dying:
        dying.setattr("rmm_extension.services.inventory.pages.Pages.write_held", killed)
        with pytest.raises(KeyboardInterrupt):
            sync_devices(fleet.rmm, run)
    assert len(fleet.rows("SELECT 1 FROM rmm_devices")) == 80
    fleet.execute("UPDATE rmm_job_runs SET heartbeat_at = now() - interval '5 minutes'")
    again = runs.take(fleet.rmm, "t1", run.id, run.attempt)
    assert again is not None
    counts = sync_devices(fleet.rmm, again)
    assert counts["processed"] == 80
    assert len(fleet.rows("SELECT 1 FROM rmm_devices")) == 80


def test_a_server_that_stumbles_in_the_middle_leaves_what_was_read(
    start_ninja: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    fleet = start_ninja(deletionPolicy="mark_inactive")
    fleet.sync()
    fleet.delete(*fleet.devices_of(2)[:1])
    fleet.ninja.fault("server_error", prefix=DEVICES, status=500, after=2)
    with pytest.raises(Unavailable):
        sync_devices(fleet.rmm, fleet.run())
    assert fleet.missing() == set()


def test_one_request_a_page_and_none_a_device(start_ninja: Start) -> None:
    fleet = start_ninja(devices=110)
    fleet.requests()
    fleet.sync(full=False)
    assert set(fleet.requests()) == {"/v2/organizations", "/v2/locations", DEVICES, *ROUTINE}
    fleet.sync(full=True)
    asked = Counter(fleet.requests())
    assert asked.keys() == {"/v2/organizations", "/v2/locations", DEVICES, *ROUTINE, *HEAVY}
    assert max(asked.values()) <= 2


def test_statements_do_not_grow_with_the_fleet(start_ninja: Start, statement_counter: Any) -> None:
    fleet = start_ninja(devices=160)
    everyone, costs = dict(fleet.lab.fleet.devices), []
    for size in (40, 160):
        fleet.lab.fleet.devices = dict(list(everyone.items())[:size])
        fleet.execute("TRUNCATE rmm_devices, assets CASCADE")
        fleet.execute("UPDATE rmm_integrations SET last_sync_at = NULL")
        fleet.sync(full=True)
        with statement_counter() as first:
            fleet.sync(full=True)
        with statement_counter() as again:
            fleet.sync()
        costs.append((first.count, again.count))
    assert costs[0] == costs[1]


def test_new_and_offline_devices_show_in_a_routine_run(start_ninja: Start) -> None:
    """A filter by last contact would not name the one that went silent."""
    fleet = start_ninja()
    fleet.sync(full=True)
    silent = fleet.devices_of(2, offline=False, approval="APPROVED")[0]
    take_offline(fleet.lab, silent)
    fresh = add_device(fleet.lab, 2)
    counts = fleet.sync()
    assert (counts["created"], counts["updated"]) == (1, 1)
    assert (fleet.device(silent)["status"], fleet.device(fresh)["status"]) == ("offline", "online")


def test_a_new_serial_number_is_taken(start_ninja: Start) -> None:
    fleet = start_ninja()
    fleet.sync()
    device = fleet.devices_of(2, node_class="WINDOWS_WORKSTATION")[0]
    change_serial(fleet.lab, device, "SN-NEW")
    fleet.sync()
    assert fleet.device(device)["serial"] == fleet.asset(device)["serial_number"] == "SN-NEW"


def small_pages(monkeypatch: pytest.MonkeyPatch, size: int = 30) -> None:
    """Pages of the list small enough for something to happen between two."""
    from rmm_extension.providers.ninjaone import inventory
    from rmm_extension.providers.ninjaone.client import NinjaOneClient

    whole = NinjaOneClient.watermark

    def watermark(self: NinjaOneClient, path: str, kind: Any, **options: Any) -> Any:
        return whole(self, path, kind, **{"page_size": size, **options})

    monkeypatch.setattr(inventory.NinjaOneClient, "watermark", watermark)


def forbid(fleet: NinjaFleet, path: str, status: int) -> None:
    """Refuse an address to this sign-in, as a role or an older version does."""
    fleet.ninja.fault("server_error", prefix=path, status=status)


def killed(*_: object) -> None:
    raise KeyboardInterrupt
