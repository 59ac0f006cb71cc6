"""Agents as devices: texts, systems, kinds, hardware."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from rmm_extension.domain.types import AgentStatus, DeviceKind, Disk
from rmm_extension.providers.tacticalrmm.hardware import extra_of, gigabytes, hardware_of
from rmm_extension.providers.tacticalrmm.mapping import (
    boot_moment,
    device_from_agent,
    device_from_beta,
    device_kind,
    known,
    operating_system,
)
from rmm_extension.providers.tacticalrmm.schemas import Agent, HardwareRow

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def agent(**values: Any) -> Agent:
    return msgspec.convert({"agent_id": "A" * 40, **values}, Agent)


@pytest.mark.parametrize(
    "text, found",
    [
        ("Windows 11 Pro", ("Windows", "11 Pro")),
        (
            "Windows 11 Pro, 64 bit v23H2 (build 22631.3593)",
            ("Windows", "11 Pro, 64 bit v23H2 (build 22631.3593)"),
        ),
        ("Microsoft Windows 10 Pro, 64bit (build 18363)", ("Windows", "10 Pro, 64bit (build 18363)")),
        ("Ubuntu 22.04 x86_64 5.15.0-107-generic", ("Ubuntu", "22.04 x86_64 5.15.0-107-generic")),
        ("Darwin 14.5 arm64 23.5.0", ("Darwin", "14.5 arm64 23.5.0")),
        ("Windows", ("Windows", None)),
        ("None", (None, None)),
        (None, (None, None)),
    ],
)
def test_operating_systems(text: str | None, found: tuple[str | None, str | None]) -> None:
    assert operating_system(text) == found


@pytest.mark.parametrize(
    "monitoring_type, system, kind",
    [
        ("server", "Windows 11 Pro", DeviceKind.SERVER),
        ("workstation", "Windows Server 2022", DeviceKind.WORKSTATION),
        (None, "Windows Server 2022", DeviceKind.SERVER),
        (None, "Windows 11 Pro", DeviceKind.WORKSTATION),
        (None, None, DeviceKind.UNKNOWN),
    ],
)
def test_kinds(monitoring_type: str | None, system: str | None, kind: DeviceKind) -> None:
    assert device_kind(monitoring_type, system) is kind


@pytest.mark.parametrize("text", ["None", "", " ", "unknown make/model", "error getting local ips", None])
def test_phrases_for_not_known(text: str | None) -> None:
    assert known(text) is None


def test_a_row_of_nulls_is_a_device() -> None:
    fields = Agent.__struct_fields__
    row = msgspec.convert({**dict.fromkeys(fields), "agent_id": "A" * 40}, Agent)
    device = device_from_agent(row, "3")
    assert device.name == "A" * 40
    assert device.status is AgentStatus.UNKNOWN
    assert (device.serial, device.os_type, device.boot_at, device.hardware, device.custom_fields) == (
        None,
        None,
        None,
        None,
        None,
    )


def test_a_full_row() -> None:
    device = device_from_agent(
        agent(
            hostname="Büro-PC",
            site_name="Zürich",
            monitoring_type="workstation",
            status="overdue",
            last_seen="2026-11-21T02:00:26.294601Z",
            boot_time=1792093735.477995,
            logged_username="None",
            local_ips="10.15.170.36/24, fe80::3c8:7ab/64",
            cpu_model=["AMD Ryzen 9 3900X            ", "AMD Ryzen 9 3900X"],
            serial_number="To Be Filled By O.E.M.",
            custom_fields=[{"id": 1, "field": 1, "agent": 1, "value": True}, {"field": 9, "value": None}],
        ),
        "3",
        {1: "Backed Up"},
    )
    assert (device.name, device.location, device.status) == ("Büro-PC", "Zürich", AgentStatus.OVERDUE)
    assert device.last_seen_at == datetime(2026, 11, 21, 2, 0, 26, 294601, UTC)
    assert device.boot_at == datetime(2026, 10, 15, 19, 48, 55, tzinfo=UTC)
    assert (device.current_user, device.serial) == ("", None)
    assert (device.lan_ip, device.cpu_model) == ("10.15.170.36", "AMD Ryzen 9 3900X")
    assert device.custom_fields == {"Backed Up": True, "field 9": None}


@pytest.mark.parametrize(
    "name, italic, user",
    [
        ("CORP\\jdoe", False, "CORP\\jdoe"),
        ("jdoe", True, ""),
        ("-", False, ""),
        ("None", None, ""),
        (None, False, None),
    ],
)
def test_only_who_is_logged_in_now_is_the_current_user(
    name: str | None, italic: bool | None, user: str | None
) -> None:
    assert device_from_agent(agent(logged_username=name, italic=italic), "1").current_user == user


@pytest.mark.parametrize("value", [None, 0.0, -1.0, 1e300, 5.0])
def test_boot_times_that_cannot_be(value: float | None) -> None:
    assert boot_moment(value) is None


@pytest.mark.parametrize(
    "text, size",
    [
        ("465.3G", 465.3),
        ("19.8 GB", 19.8),
        ("500.0 MB", 0.49),
        ("1.8T", 1843.2),
        ("", None),
        ("1.2.3G", None),
        (None, None),
    ],
)
def test_sizes(text: str | None, size: float | None) -> None:
    assert gigabytes(text) == size


def hardware_row(**values: Any) -> HardwareRow:
    return msgspec.convert({"agent_id": "A" * 40, **values}, HardwareRow)


WINDOWS = {
    "bios": [[{"SerialNumber": "SN1"}]],
    "comp_sys_prod": [[{"Vendor": "Dell Inc.", "Name": "Latitude 5420"}]],
    "network_config": [
        [
            {
                "MACAddress": "AA:BB:CC:00:11:22",
                "Description": "Intel(R) Ethernet",
                "IPAddress": ["10.0.0.9", "fe80::1"],
            }
        ],
        [{"MACAddress": "", "Description": "WAN Miniport", "IPAddress": None}],
    ],
    "cpu": [[{"Name": "Intel(R) Core(TM) i5"}]],
}


def test_hardware_of_windows() -> None:
    hardware = hardware_of(
        hardware_row(
            total_ram=16,
            disks=[{"device": "C:", "total": "465.3G", "free": "100G", "percent": 78}],
            last_logged_in_user="jdoe",
            wmi_detail=WINDOWS,
        )
    )
    assert hardware.memory_gb == 16
    assert hardware.disks == (Disk(name="C:", total_gb=465.3, free_gb=100.0, utilization_percent=78),)
    assert hardware.macs == ("aa:bb:cc:00:11:22",)
    assert (hardware.manufacturer, hardware.model) == ("Dell Inc.", "Latitude 5420")
    assert (hardware.cpu_model, hardware.last_user) == ("Intel(R) Core(TM) i5", "jdoe")


def test_hardware_of_an_agent_that_never_checked_in() -> None:
    extra = extra_of(
        hardware_row(total_ram=None, disks=None, wmi_detail=None, offline_time=4, overdue_time=30)
    )
    assert (extra.hardware.memory_gb, extra.hardware.disks, extra.hardware.macs) == (None, (), ())
    assert (extra.offline_minutes, extra.overdue_minutes) == (4, 30)


def test_a_device_from_the_beta_list_alone() -> None:
    device = device_from_beta(
        hardware_row(
            hostname="PC",
            last_seen="2026-11-21T11:58:00Z",
            offline_time=4,
            overdue_time=30,
            wmi_detail=WINDOWS,
        ),
        "3",
        "Main Office",
        NOON,
    )
    assert (device.status, device.serial, device.lan_ip) == (AgentStatus.ONLINE, "SN1", "10.0.0.9")
    assert (device.model, device.location) == ("Dell Inc. Latitude 5420", "Main Office")
    assert (device.offline_after_minutes, device.overdue_after_minutes) == (4, 30)
