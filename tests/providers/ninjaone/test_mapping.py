"""Rows of lists and reports as devices: what is told, what is not, and what is nonsense."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.types import AgentStatus, Device, DeviceKind, Disk, Interface
from rmm_extension.providers.device_pages import Unreadable
from rmm_extension.providers.ninjaone import facts, rows
from rmm_extension.providers.ninjaone.mapping import Context, device_alone, device_from_list
from rmm_extension.providers.ninjaone.reports import HEAVY, NOTHING, ROUTINE, Told

GIB = 1024**3
ROUTINE_CONTEXT = Context(lists_antivirus=True)
FULL = Context(lists_antivirus=True, full=True)
# A live answer of GET /v2/device/{id}, of a virtual host: its machine stands on the top level.
HOST: dict[str, Any] = {
    "id": 7,
    "parentDeviceId": 6,
    "organizationId": 2,
    "locationId": 2,
    "nodeClass": "VMWARE_VM_HOST",
    "approvalStatus": "APPROVED",
    "offline": False,
    "displayName": "192.168.50.43",
    "systemName": "esxi03.example.local",
    "lastContact": 1742412689.092,
    "ipAddresses": ["192.168.50.43", "fe80::d267:26ff:fecb:352"],
    "macAddresses": ["d0:67:26:cb:03:52", "d0:67:26:cb:03:55"],
    "cpuModel": "Intel(R) Xeon(R) Silver 4114 CPU @ 2.20GHz",
    "lastBootTime": 1741071104.0,
    "memorySize": 102715461632,
    "model": "ProLiant DL380 Gen10",
    "serviceTag": "SGH811YWCM",
    "vendor": "HPE",
    "releaseName": "VMware ESXi 8.0.1 build-21813344",
    "version": "8.0.1",
    "buildNumber": "21813344",
    "deviceType": "VMHost",
}


def node(**values: Any) -> rows.Node:
    """A row of the list, decoded as it comes."""
    row = {"id": 63, "organizationId": 2, "nodeClass": "WINDOWS_WORKSTATION", "offline": False, **values}
    return msgspec.json.decode(msgspec.json.encode(row), type=rows.Node)


def told(**reports: Any) -> Told:
    """What reports say of one device, by the last word of their addresses."""
    found = Told()
    for report in (*ROUTINE, *HEAVY):
        for row in reports.get(report.path.rpartition("/")[2].replace("-", "_"), ()):
            report.keep(found, msgspec.json.decode(msgspec.json.encode(row), type=report.kind))
    return found


def listed(reports: Told = NOTHING, context: Context = ROUTINE_CONTEXT, **values: Any) -> Device:
    return device_from_list(node(**values), reports, context)


def test_a_host_alone_tells_its_machine() -> None:
    device = device_alone(node(**HOST))
    assert (device.external_id, device.external_organization_id) == ("7", "2")
    assert (device.name, device.kind, device.status) == (
        "192.168.50.43",
        DeviceKind.VIRTUAL_HOST,
        AgentStatus.ONLINE,
    )
    assert device.last_seen_at == datetime(2025, 3, 19, 19, 31, 29, 92000, tzinfo=UTC)
    assert device.boot_at == datetime(2025, 3, 4, 6, 51, 44, tzinfo=UTC)
    assert (device.serial, device.model) == ("SGH811YWCM", "ProLiant DL380 Gen10")
    assert (device.os_type, device.os_version) == ("VMware ESXi", "8.0.1 build-21813344")
    assert device.lan_ip == "192.168.50.43"
    assert device.hardware is not None
    assert (device.hardware.memory_gb, device.hardware.manufacturer) == (95.66, "HPE")
    assert device.hardware.cpu_model == "Intel(R) Xeon(R) Silver 4114 CPU @ 2.20GHz"
    assert (device.antivirus, device.os_patches_pending, device.needs_reboot) == (None, None, None)


def test_an_agent_alone_tells_it_in_parts() -> None:
    device = device_alone(
        node(
            os={"name": "Windows 11 Pro", "buildNumber": "26100", "releaseId": "24H2", "needsReboot": True},
            system={"serialNumber": "Default string", "biosSerialNumber": "SN-9", "model": "OptiPlex"},
            memory={"capacity": 8 * GIB},
            processors=[{"name": "A CPU", "numCores": 4}, {"name": "A CPU", "numCores": 4}],
            volumes=[
                {"name": "C:", "deviceType": "Local Disk", "capacity": 100 * GIB, "freeSpace": 25 * GIB}
            ],
            lastLoggedInUser="CONTORA\\anna",
        )
    )
    assert (device.serial, device.model, device.needs_reboot) == ("SN-9", "OptiPlex", True)
    assert (device.os_type, device.os_version) == ("Windows", "11 Pro, 24H2 (build 26100)")
    hardware = device.hardware
    assert hardware is not None
    assert (hardware.memory_gb, hardware.cpu_cores, hardware.last_user) == (8.0, 8, "CONTORA\\anna")
    assert hardware.disks == (Disk(name="C:", total_gb=100.0, free_gb=25.0, utilization_percent=75.0),)


def test_a_device_alone_without_a_machine_leaves_hardware_unknown() -> None:
    assert device_alone(node()).hardware is None


@pytest.mark.parametrize(
    "values, name",
    [
        ({"displayName": "Küche 🖨", "systemName": "PC"}, "Küche 🖨"),
        ({"displayName": " ", "systemName": "PC"}, "PC"),
        ({"dnsName": "pc.example.local", "netbiosName": "PC"}, "pc.example.local"),
        ({"netbiosName": "PC"}, "PC"),
        ({}, "Device 63"),
    ],
)
def test_the_name_a_person_gave_comes_first(values: dict[str, Any], name: str) -> None:
    assert listed(**values).name == name


@pytest.mark.parametrize(
    "values, status, approval",
    [
        ({"offline": True}, "offline", None),
        ({"offline": None}, "unknown", None),
        ({"offline": "perhaps"}, "unknown", None),
        ({"approvalStatus": "APPROVED"}, "online", "approved"),
        ({"approvalStatus": "PENDING"}, "online", "pending"),
        ({"approvalStatus": "DECOMMISSIONED"}, "offline", "decommissioned"),
        ({"approvalStatus": "SHELVED"}, "online", "shelved"),
    ],
)
def test_status_and_approval(values: dict[str, Any], status: str, approval: str | None) -> None:
    device = listed(**values)
    assert (device.status.value, device.approval) == (status, approval)


def test_a_class_nobody_knows_is_kept_as_it_came() -> None:
    device = listed(nodeClass="QUANTUM_TOASTER")
    assert (device.kind, device.custom_fields) == (DeviceKind.UNKNOWN, {"Class": "QUANTUM_TOASTER"})
    assert listed().custom_fields is None


def test_the_location_is_named_by_the_row_or_by_the_list() -> None:
    names = Context({"5": "Warehouse"})
    assert listed(context=names, references={"location": {"id": 5, "name": "Store"}}).location == "Store"
    assert listed(context=names, locationId=5).location == "Warehouse"
    assert listed(context=names, locationId=6).location is None


@pytest.mark.parametrize(
    "maintenance, expected",
    [
        ({"status": "IN_MAINTENANCE"}, True),
        ({"status": "PENDING"}, False),
        ({"status": "FAILED"}, False),
        (None, False),
    ],
)
def test_maintenance_is_what_runs_now(maintenance: Any, expected: bool) -> None:
    assert listed(maintenance=maintenance).maintenance is expected
    assert listed().maintenance is False


def test_addresses() -> None:
    device = listed(
        ipAddresses=["127.0.0.1", "169.254.3.4", "fe80::1", "203.0.113.7", "10.1.2.3"],
        publicIP="198.51.100.7",
    )
    assert (device.lan_ip, device.wan_ip) == ("10.1.2.3", "198.51.100.7")


ON = {"productName": "Defender", "productState": "ON", "definitionStatus": "Up-to-Date"}
OFF = {"productName": "Endpoint Guard", "productState": "OFF", "definitionStatus": "UP_TO_DATE"}
STALE = {"productName": "Sentry", "productState": "ON", "definitionStatus": "Out-of-Date"}
VAGUE = {"productName": "Vague", "productState": "ON"}


@pytest.mark.parametrize(
    "products, state, product",
    [
        ([ON], "protected", "Defender"),
        ([OFF], "at_risk", "Endpoint Guard"),
        ([STALE], "at_risk", "Sentry"),
        ([{**ON, "productState": "SNOOZED"}], "at_risk", "Defender"),
        ([VAGUE], "unknown", "Vague"),
        ([{**ON, "productState": 7}], "unknown", "Defender"),
        # Windows lists its own as switched off beside another that protects, in any order.
        ([OFF, ON], "protected", "Defender"),
        ([ON, OFF], "protected", "Defender"),
        ([STALE, OFF], "at_risk", "Endpoint Guard"),
        ([VAGUE, STALE], "at_risk", "Sentry"),
        ([], "unknown", ""),
    ],
)
def test_antivirus(products: list[dict[str, Any]], state: str, product: str) -> None:
    device = listed(told(antivirus_status=products))
    assert (device.antivirus, device.antivirus_product) == (state, product)


def test_antivirus_of_what_has_none_and_of_a_report_that_was_not_read() -> None:
    assert listed(nodeClass="NMS_SWITCH").antivirus is None
    assert listed(context=Context()).antivirus is None


@pytest.mark.parametrize(
    "health, needs, pending",
    [
        ({"pendingRebootReason": "WINDOWS_PM", "pendingOSPatchesCount": 0}, True, False),
        ({"pendingRebootReason": "", "pendingOSPatchesCount": 2}, False, True),
        ({"pendingSoftwarePatchesCount": 1}, False, True),
        ({}, False, None),
    ],
)
def test_reboot_and_patches(health: dict[str, Any], needs: bool, pending: bool | None) -> None:
    device = listed(told(device_health=[health]))
    assert (device.needs_reboot, device.has_pending_patches) == (needs, pending)


def test_reboot_without_the_report_that_gives_reasons() -> None:
    assert listed(told(operating_systems=[{"needsReboot": True}])).needs_reboot is True
    assert listed(told(operating_systems=[{"needsReboot": False}])).needs_reboot is None
    both = told(operating_systems=[{"needsReboot": True}], device_health=[{}])
    assert listed(both).needs_reboot is True


def test_counts_of_patches_and_threats() -> None:
    health = {
        "pendingOSPatchesCount": 3,
        "failedOSPatchesCount": 1,
        "pendingSoftwarePatchesCount": 2,
        "failedSoftwarePatchesCount": 0,
        "activeThreatsCount": 4,
    }
    device = listed(told(device_health=[health]))
    assert (device.os_patches_pending, device.os_patches_failed) == (3, 1)
    assert (device.software_patches_pending, device.software_patches_failed) == (2, 0)
    assert device.threats == 4


@pytest.mark.parametrize(
    "name, release, build, expected",
    [
        ("Microsoft Windows 11 Pro", "24H2", "26100", ("Windows", "11 Pro, 24H2 (build 26100)")),
        ("Windows Server 2022 Standard", None, "20348", ("Windows", "Server 2022 Standard (build 20348)")),
        ("macOS 14.6", "14.6", "23G80", ("macOS", "14.6 (build 23G80)")),
        ("Mac OS X 10.15", None, None, ("macOS", "10.15")),
        ("Debian GNU/Linux 12 (bookworm)", "12", None, ("Debian GNU/Linux", "12 (bookworm)")),
        ("Red Hat Enterprise Linux", "9.4", None, ("Red Hat Enterprise Linux", "9.4")),
        ("7-Zip OS", None, None, ("7-Zip OS", None)),
        ("Windows", None, "1", ("Windows", "(build 1)")),
        (None, "24H2", "26100", (None, None)),
    ],
)
def test_operating_systems(name: Any, release: Any, build: Any, expected: tuple[Any, Any]) -> None:
    assert facts.named_system(name, release, build) == expected


@pytest.mark.parametrize("booted", [0, -62135596800.0, 1779000000000, "long ago", None])
def test_senseless_boot_times_are_dropped(booted: Any) -> None:
    assert listed(told(operating_systems=[{"name": "Windows", "lastBootTime": booted}])).boot_at is None


@pytest.mark.parametrize(
    "system, serial",
    [
        ({"serialNumber": "SN-1", "biosSerialNumber": "B-1"}, "SN-1"),
        ({"serialNumber": "To Be Filled By O.E.M.", "biosSerialNumber": "B-1"}, "B-1"),
        ({"serialNumber": None, "biosSerialNumber": "System Serial Number"}, None),
        ({"serialNumber": 4711}, "4711"),
    ],
)
def test_serial_numbers(system: dict[str, Any], serial: str | None) -> None:
    assert listed(told(computer_systems=[system])).serial == serial


def test_hardware_of_a_full_run() -> None:
    reports = told(
        computer_systems=[
            {"manufacturer": "System manufacturer", "model": "OptiPlex", "totalPhysicalMemory": 16 * GIB}
        ],
        processors=[{"name": "CPU", "numCores": 8}, {"name": "CPU", "numCores": 8}],
        volumes=[
            {"name": "C:", "deviceType": "Local Disk", "capacity": 200 * GIB, "freeSpace": 50 * GIB},
            {"name": "E:", "deviceType": "CD-ROM", "capacity": 4 * GIB},
            {"name": "Z:", "deviceType": "Network Drive", "capacity": 4000 * GIB},
            {"name": "/data", "capacity": 100 * GIB, "freeSpace": 300 * GIB},
            {"capacity": 5},
        ],
        logged_on_users=[
            {"userName": "old", "logonTime": 1.7e9},
            {"userName": "new", "logonTime": 1.8e9},
            {"userName": None},
        ],
        network_interfaces=[
            {"adapterName": "Ethernet", "macAddress": ["D0:67:26:CB:03:52"], "ipAddress": ["10.0.0.5", ""]},
            {"interfaceName": "VirtualBox Host-Only", "macAddress": "0A:11:22:33:44:55", "ipAddress": None},
        ],
    )
    macs = ["d0-67-26-cb-03-52", "0a:11:22:33:44:55", "d0:67:26:cb:03:99"]
    hardware = listed(reports, FULL, macAddresses=macs).hardware
    assert hardware is not None
    assert (hardware.memory_gb, hardware.cpu_cores, hardware.cpu_model) == (16.0, 16, "CPU")
    assert (hardware.manufacturer, hardware.model, hardware.last_user) == (None, "OptiPlex", "new")
    assert hardware.storage_gb == 300.0
    assert hardware.disks == (
        Disk(name="C:", total_gb=200.0, free_gb=50.0, utilization_percent=75.0),
        Disk(name="/data", total_gb=100.0, free_gb=300.0),
    )
    assert hardware.interfaces == (
        Interface(name="Ethernet", mac="d0:67:26:cb:03:52", ips=("10.0.0.5",)),
        Interface(name="VirtualBox Host-Only", mac="0a:11:22:33:44:55"),
    )
    assert hardware.macs == ("d0:67:26:cb:03:52", "d0:67:26:cb:03:99")


def test_a_routine_run_brings_no_hardware() -> None:
    assert listed(told(computer_systems=[{"totalPhysicalMemory": GIB}])).hardware is None


@pytest.mark.parametrize("values", [{"id": None}, {"id": ""}, {"organizationId": None}])
def test_a_row_that_names_no_device_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        listed(**values)


def test_equal_counts_are_one_in_memory() -> None:
    first, second = (told(device_health=[{"pendingOSPatchesCount": 3}]) for _ in range(2))
    assert first.health is second.health


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)


@given(st.dictionaries(st.sampled_from([*HOST, "publicIP", "netbiosName"]), SCALARS))
def test_scalars_of_any_type_make_a_device_or_a_refusal(values: dict[str, Any]) -> None:
    values = {key: value for key, value in values.items() if not key.endswith("Addresses")}
    row = node(**values)
    try:
        device = device_from_list(row, NOTHING, FULL)
        device_alone(row)
    except Unreadable:
        return
    assert device.external_id
    assert device.name
    msgspec.msgpack.encode(device)


@given(st.dictionaries(st.sampled_from(["pendingOSPatchesCount", "activeThreatsCount"]), SCALARS))
def test_counts_of_any_type_are_counts_or_nothing(values: dict[str, Any]) -> None:
    device = listed(told(device_health=[values]))
    for number in (device.os_patches_pending, device.threats):
        assert number is None or 0 <= number < 2**31
