"""What a device gives the host's asset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rmm_extension.domain import assets
from rmm_extension.domain.types import AgentStatus, Device, DeviceKind, Disk, Hardware, Interface

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def device(**values: Any) -> Device:
    basic: dict[str, Any] = {
        "external_id": "d1",
        "external_organization_id": "1",
        "name": "PC",
        "kind": DeviceKind.WORKSTATION,
        "status": AgentStatus.ONLINE,
    }
    return Device(**(basic | values))


def test_what_is_not_known_has_no_key() -> None:
    assert assets.vitals(device(), NOON) == {}
    assert assets.facts(device()) == {}


def test_vitals() -> None:
    full = device(
        os_type="Windows",
        os_version="11 Pro",
        agent_version="2.11.0",
        current_user="ada",
        boot_at=NOON - timedelta(hours=2),
        lan_ip="10.0.0.5",
        wan_ip="203.0.113.9",
        cpu_model="A CPU",
        model="A model",
        needs_reboot=False,
        has_pending_patches=False,
        custom_fields={"Rack": "A1"},
        hardware=Hardware(
            memory_gb=15.74,
            disks=(
                Disk(name="C:", total_gb=99.999, free_gb=12.345, utilization_percent=87.654),
                Disk(name="D:"),
            ),
            macs=("00:11:22:33:44:55",),
            manufacturer="Maker",
            model="Its model",
        ),
    )
    assert assets.vitals(full, NOON) == {
        "os_name": "Windows",
        "os_version": "11 Pro",
        "agent_version": "2.11.0",
        "current_user": "ada",
        "last_reboot_at": NOON - timedelta(hours=2),
        "uptime_seconds": 7200,
        "lan_ip": "10.0.0.5",
        "wan_ip": "203.0.113.9",
        "cpu_model": "A CPU",
        "model": "A model",
        "needs_reboot": False,
        "has_pending_patches": False,
        "system_info": {"Rack": "A1"},
        "ram_gb": 16,
        "disk_usage": [
            {"name": "C:", "total_gb": 100.0, "free_gb": 12.35, "utilization_percent": 87.65},
            {"name": "D:"},
        ],
        "mac_addresses": ["00:11:22:33:44:55"],
        "manufacturer": "Maker",
    }


@pytest.mark.parametrize(
    "boot_at, status, uptime",
    [
        (NOON - timedelta(minutes=1), AgentStatus.ONLINE, 60),
        (NOON - timedelta(minutes=1), AgentStatus.OFFLINE, None),
        (NOON - timedelta(minutes=1), AgentStatus.OVERDUE, None),
        (NOON + timedelta(minutes=1), AgentStatus.ONLINE, None),
        (NOON - timedelta(days=6 * 366), AgentStatus.ONLINE, None),
        (None, AgentStatus.ONLINE, None),
    ],
)
def test_uptime(boot_at: datetime | None, status: AgentStatus, uptime: int | None) -> None:
    assert assets.vitals(device(boot_at=boot_at, status=status), NOON).get("uptime_seconds") == uptime


def test_patches_and_protection() -> None:
    told = device(
        has_pending_patches=True,
        os_patches_pending=3,
        os_patches_failed=1,
        software_patches_pending=2,
        antivirus="at_risk",
        antivirus_product="Defender",
        threats=1,
        approval="pending",
    )
    assert assets.vitals(told, NOON) == {
        "has_pending_patches": True,
        "pending_patches": 5,
        "pending_os_patches": 3,
        "pending_software_patches": 2,
        "failed_patches": 1,
        "antivirus_status": "at_risk",
        "antivirus_product": "Defender",
    }
    assert assets.facts(told) == {
        "has_pending_patches": True,
        "os_patches_pending": 3,
        "os_patches_failed": 1,
        "software_patches_pending": 2,
        "antivirus": "at_risk",
        "antivirus_product": "Defender",
        "threats": 1,
        "approval": "pending",
    }


def test_hardware_of_a_full_listing() -> None:
    cards = (Interface(name="eth0", mac="00:11:22:33:44:55", ips=("10.0.0.5",)), Interface(name="wlan0"))
    told = device(hardware=Hardware(cpu_cores=8, storage_gb=931.51, interfaces=cards))
    assert assets.vitals(told, NOON) == {
        "cpu_cores": 8,
        "storage_gb": 932,
        "network_interfaces": [
            {"name": "eth0", "mac": "00:11:22:33:44:55", "ips": ["10.0.0.5"]},
            {"name": "wlan0", "ips": []},
        ],
    }


def test_every_value_of_a_device_is_a_column_or_a_fact() -> None:
    """What is not kept could not be held against what a device fetched alone leaves out."""
    columns = {
        *("external_id", "external_organization_id", "name", "kind", "status", "last_seen_at", "serial"),
        *("offline_after_minutes", "overdue_after_minutes"),
    }
    values = {"custom_fields": {"a": 1}, "hardware": Hardware()}
    every = {name: values.get(name, "told") for name in Device.__struct_fields__ if name not in columns}
    assert assets.facts(device(**every)).keys() == every.keys()


def test_some_patches_are_no_number() -> None:
    assert assets.vitals(device(has_pending_patches=True), NOON) == {"has_pending_patches": True}
    assert assets.facts(device(has_pending_patches=True)) == {"has_pending_patches": True}


def test_nobody_and_nothing_are_known_too() -> None:
    empty = device(current_user="", custom_fields={})
    assert assets.vitals(empty, NOON) == {"current_user": "", "system_info": {}}
    assert assets.facts(empty) == {"current_user": "", "custom_fields": {}}


def test_a_heavy_listing_adds_and_does_not_turn_round() -> None:
    found = assets.vitals(device(hardware=Hardware(model="Its model", cpu_model="Its CPU")), NOON)
    assert found == {"model": "Its model", "cpu_model": "Its CPU"}
    both = device(
        model="Maker Its model", cpu_model="CPU", hardware=Hardware(model="Its model", cpu_model="Its CPU")
    )
    assert assets.vitals(both, NOON) == {"model": "Maker Its model", "cpu_model": "CPU"}


def test_types_and_tags() -> None:
    assert assets.asset_type(device(kind=DeviceKind.VIRTUAL_HOST), is_new=True) == "server"
    assert assets.asset_type(device(kind=DeviceKind.VIRTUAL_GUEST), is_new=True) == "server"
    assert assets.asset_type(device(kind=DeviceKind.CLOUD), is_new=False) == "network_device"
    assert assets.asset_type(device(kind=DeviceKind.SERVER), is_new=False) == "server"
    assert assets.asset_type(device(kind=DeviceKind.UNKNOWN), is_new=True) == "unknown"
    assert assets.asset_type(device(kind=DeviceKind.UNKNOWN), is_new=False) is None


OPAQUE = "Z2lkOi8vbGV2ZWwvRGV2aWNlLzk3MTA5"


@pytest.mark.parametrize(
    "by_serial, values, tag",
    [
        (False, {"serial": "5CG1"}, "acme:d1"),
        (False, {"external_id": OPAQUE}, f"acme:{OPAQUE}"),
        (True, {"serial": "5CG1", "external_id": OPAQUE}, "acme-5CG1"),
        (True, {}, "acme-d1"),
        (True, {"external_id": "104729"}, "acme-104729"),
        (True, {"external_id": OPAQUE}, "acme-F965DE1E0A"),
    ],
)
def test_tags(by_serial: bool, values: dict[str, Any], tag: str) -> None:
    assert assets.asset_tag("acme", device(**values), by_serial=by_serial) == tag


def test_ids_that_begin_alike_have_tags_of_their_own() -> None:
    """Opaque ids of one vendor differ in their ends."""
    found = {
        assets.asset_tag("acme", device(external_id=f"{OPAQUE}{end}"), by_serial=True) for end in range(100)
    }
    assert len(found) == 100
