"""Devices of Level: what each field becomes, and what stays unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from rmm_extension.domain.types import AgentStatus, Device, DeviceKind, Disk, Interface
from rmm_extension.providers.device_pages import Unreadable
from rmm_extension.providers.levelio import rows
from rmm_extension.providers.levelio.mapping import device_of

GIB = 1024**3
VIRTUAL = {
    "description": "Hyper-V Virtual Ethernet Adapter",
    "interface": "vEthernet",
    "mac_address": "00:15:5d:00:00:01",
    "ip_addresses": ["172.20.0.1"],
}
REAL = {
    "description": "Intel(R) Ethernet Connection",
    "interface": "eth0",
    "label": "Ethernet",
    "mac_address": "02-1A-00-00-00-01",
    "ip_addresses": ["fe80::2", "8.8.8.8", "10.1.2.3"],
}
WHOLE: dict[str, Any] = {
    "id": "Z2lkOi8v1=",
    "hostname": "SRV-DC1",
    "nickname": "Main server",
    "role": "domain_controller",
    "group_id": "g1",
    "tags": ["vip", {"id": "t", "name": "core"}, None, 5],
    "flag": "red",
    "maintenance_mode": False,
    "online": True,
    "manufacturer": "Dell Inc.",
    "model": "PowerEdge R650",
    "serial_number": " ABC1234 ",
    "total_memory": int(15.74 * GIB),
    "cpu_cores": 16,
    "last_logged_in_user": "ACME\\anna",
    "last_reboot_time": "2026-11-20T06:00:00Z",
    "last_seen_at": "2026-11-21T11:59:00.500Z",
    "city": "Berlin",
    "country": "Germany",
    "security_score": 87.4,
    "platform": "Windows",
    "operating_system": {
        "full_operating_system": "Microsoft Windows Server 2022 Standard",
        "major_version": "2022",
        "minor_version": "10.0.20348",
    },
    "cpus": [{"model": "Xeon Gold", "cores": 8}, {"model": "Xeon Gold", "cores": 8}],
    "disks": [{"size": 512 * GIB}],
    "disk_partitions": [
        {"label": "Windows", "mount_point": "C:", "size": 400 * GIB, "free_space": 100 * GIB},
        {"label": "Recovery", "mount_point": None, "size": GIB, "free_space": 0},
        {"size": GIB},
    ],
    "network_interfaces": [VIRTUAL, REAL],
    "security": {
        "score": 12,
        "antivirus_provider": "Windows Defender",
        "antivirus_status": "Enabled",
    },
    "new_field_of_tomorrow": {"x": 1},
}


def device(*, full: bool = False, **changes: Any) -> Device:
    body = {key: value for key, value in {**WHOLE, **changes}.items() if value is not ...}
    return device_of(msgspec.convert(body, rows.Device), full=full)


def test_a_whole_device() -> None:
    found = device()
    assert found == Device(
        external_id="Z2lkOi8v1=",
        external_organization_id="g1",
        name="Main server",
        kind=DeviceKind.SERVER,
        status=AgentStatus.ONLINE,
        last_seen_at=datetime(2026, 11, 21, 11, 59, 0, 500000, UTC),
        serial="ABC1234",
        location="Berlin, Germany",
        platform="windows",
        os_type="Windows Server 2022 Standard",
        os_version="10.0.20348",
        boot_at=datetime(2026, 11, 20, 6, tzinfo=UTC),
        lan_ip="10.1.2.3",
        model="PowerEdge R650",
        antivirus="protected",
        antivirus_product="Windows Defender",
        security_score=87,
        maintenance=False,
        custom_fields={"Tags": "vip, core", "Flag": "red"},
    )


def test_its_hardware_comes_with_a_full_run() -> None:
    found = device(full=True).hardware
    assert found is not None
    assert (found.memory_gb, found.storage_gb, found.cpu_cores) == (15.74, 512.0, 16)
    assert found.disks == (
        Disk(name="C:", total_gb=400.0, free_gb=100.0, utilization_percent=75.0),
        Disk(name="Recovery", total_gb=1.0, free_gb=0.0, utilization_percent=100.0),
    )
    assert found.interfaces[1] == Interface(
        name="Ethernet", mac="02:1a:00:00:00:01", ips=("fe80::2", "8.8.8.8", "10.1.2.3")
    )
    assert found.macs == ("02:1a:00:00:00:01",)
    assert (found.manufacturer, found.model, found.cpu_model) == ("Dell Inc.", "PowerEdge R650", "Xeon Gold")
    assert found.last_user == "ACME\\anna"


def test_what_is_told_without_hardware_is_the_same_with_it() -> None:
    assert msgspec.structs.replace(device(full=True), hardware=None) == device()


def test_what_the_api_lacks_stays_unknown() -> None:
    found = device(full=True)
    for name in ("wan_ip", "agent_version", "current_user", "needs_reboot", "has_pending_patches", "threats"):
        assert getattr(found, name) is None, name


def test_a_device_may_be_its_id_alone() -> None:
    found = device_of(rows.Device(id="x"), full=True)
    assert (found.name, found.kind, found.status) == ("x", DeviceKind.WORKSTATION, AgentStatus.UNKNOWN)
    assert (found.external_organization_id, found.custom_fields) == ("null", {})
    assert (found.antivirus, found.security_score, found.lan_ip, found.location) == (None, None, None, None)
    assert found.hardware is not None
    assert found.hardware.storage_gb is None


def test_without_an_id_it_is_none() -> None:
    with pytest.raises(Unreadable, match="no id"):
        device(id=None)


@pytest.mark.parametrize(
    "names, expected",
    [
        ({"nickname": "N", "hostname": "H"}, "N"),
        ({"nickname": " ", "hostname": "H"}, "H"),
        ({"nickname": None, "hostname": "null"}, "Z2lkOi8v1="),
    ],
)
def test_the_name_that_a_person_gave_comes_first(names: dict[str, Any], expected: str) -> None:
    assert device(**names).name == expected


@pytest.mark.parametrize(
    "role, kind",
    [
        ("server", DeviceKind.SERVER),
        ("domain_controller", DeviceKind.SERVER),
        ("workstation", DeviceKind.WORKSTATION),
        (None, DeviceKind.WORKSTATION),
    ],
)
def test_kinds_follow_from_the_role(role: str | None, kind: DeviceKind) -> None:
    assert device(role=role).kind is kind


@pytest.mark.parametrize(
    "online, status",
    [
        (True, AgentStatus.ONLINE),
        (False, AgentStatus.OFFLINE),
        (None, AgentStatus.UNKNOWN),
        ("x", AgentStatus.UNKNOWN),
    ],
)
def test_status_is_the_flag(online: Any, status: AgentStatus) -> None:
    assert device(online=online).status is status


@pytest.mark.parametrize(
    "platform, system, expected",
    [
        (
            "Mac",
            {"full_operating_system": "macOS Sonoma 14.6", "major_version": "14"},
            ("darwin", "macOS Sonoma 14.6", "14"),
        ),
        ("Linux", None, ("linux", "Linux", None)),
        ("Mac", {}, ("darwin", "macOS", None)),
        ("BeOS", {}, (None, None, None)),
        (None, {"minor_version": " ", "major_version": "12"}, (None, None, "12")),
    ],
)
def test_systems(platform: Any, system: Any, expected: tuple[Any, ...]) -> None:
    found = device(platform=platform, operating_system=system)
    assert (found.platform, found.os_type, found.os_version) == expected


@pytest.mark.parametrize(
    "cards, expected",
    [
        ([VIRTUAL], None),
        ([VIRTUAL, REAL], "10.1.2.3"),
        ([{"ip_addresses": "192.168.0.9"}], "192.168.0.9"),
        ([{"ip_addresses": ["8.8.8.8"]}, {"ip_addresses": ["10.0.0.1/24"]}], "10.0.0.1"),
        ([{"ip_addresses": None}], None),
    ],
)
def test_the_lan_address_is_private_and_of_a_real_card(cards: Any, expected: str | None) -> None:
    assert device(network_interfaces=cards).lan_ip == expected


@pytest.mark.parametrize(
    "status, provider, expected",
    [
        ("Enabled", "Defender", ("protected", "Defender")),
        ("up to date", None, ("protected", "")),
        ("out_of_date", "Defender", ("at_risk", "Defender")),
        ("Not running", "ESET", ("at_risk", "ESET")),
        ("somehow", "ESET", ("unknown", "ESET")),
        (None, "ESET", ("unknown", "ESET")),
        (None, None, (None, None)),
    ],
)
def test_antivirus(status: Any, provider: Any, expected: tuple[Any, ...]) -> None:
    found = device(security={"antivirus_status": status, "antivirus_provider": provider})
    assert (found.antivirus, found.antivirus_product) == expected


@pytest.mark.parametrize(
    "top, inner, expected",
    [
        (87.5, 3, 88),
        (None, 40, 40),
        (..., 40, 40),
        (0, 40, 0),
        (101, None, None),
        (-1, None, None),
        ("x", None, None),
    ],
)
def test_the_score_is_levels_own(top: Any, inner: Any, expected: int | None) -> None:
    assert device(security_score=top, security={"score": inner}).security_score == expected


@pytest.mark.parametrize("serial", ["To be filled by O.E.M.", "0", "xxxxxxxxxxx", None])
def test_fillers_are_no_serial_numbers(serial: Any) -> None:
    assert device(serial_number=serial).serial is None


def test_without_drives_storage_is_the_partitions() -> None:
    found = device(full=True, disks=None).hardware
    assert found is not None
    assert found.storage_gb == 402.0


def test_cores_are_counted_where_nobody_tells_them() -> None:
    found = device(full=True, cpu_cores=None).hardware
    assert found is not None
    assert found.cpu_cores == 16
