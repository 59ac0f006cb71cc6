"""`wmi_detail` and `services` of an agent, laid out as the real agent reports them, any size.

A Windows row of the real server is about 130 KB, nearly all of it in these two fields. Here the size
is a setting: rows share their filler lists, so a big fleet does not need big memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from simulators.tacticalrmm import names
from simulators.tacticalrmm.models import Agent, Hardware

SERVICES_SHARE = 0.64
"""Part of a Windows row that the list of services takes on the real server."""

SERVICE_BYTES = 330
ADAPTER_BYTES = 260
FIXED_BYTES = 3000


def services_of(agent: Agent, row_kb: int) -> list[dict[str, Any]]:
    """Services of a Windows agent that has checked in; empty for every other one."""
    if agent.plat != "windows" or agent.hardware is None:
        return []
    spare = max(0, row_kb * 1024 - FIXED_BYTES)
    return _services(max(3, round(spare * SERVICES_SHARE / SERVICE_BYTES)))


def wmi_of(agent: Agent, row_kb: int) -> dict[str, Any] | None:
    """The wmi_detail object; null for an agent that never finished its first check-in."""
    if agent.hardware is None:
        return None
    if agent.plat != "windows":
        return _unix_detail(agent.hardware)
    spare = max(0, row_kb * 1024 - FIXED_BYTES)
    fillers = _adapters(round(spare * (1 - SERVICES_SHARE) / ADAPTER_BYTES))
    return _windows_detail(agent, agent.hardware, fillers)


@lru_cache(maxsize=16)
def _services(count: int) -> list[dict[str, Any]]:
    rows = []
    for index in range(count):
        name, label, state, start = names.SERVICES[index % len(names.SERVICES)]
        suffix = "" if index < len(names.SERVICES) else f"_{index}"
        rows.append(
            {
                "pid": 1200 + index * 4 if state == "running" else 0,
                "name": name + suffix,
                "status": state,
                "binpath": f'"C:\\Program Files\\Services\\{name}{suffix}\\{name.lower()}.exe" -service',
                "username": "LocalSystem",
                "autodelay": False,
                "start_type": start,
                "description": f"{label}: keeps the part of the system it is named after running.",
                "display_name": label + suffix,
            }
        )
    return rows


@lru_cache(maxsize=16)
def _adapters(count: int) -> list[list[dict[str, Any]]]:
    return [
        [
            {
                "GUID": f"{{00000000-0000-4000-8000-{index:012d}}}",
                "Name": f"WAN Miniport (Test {index})",
                "Index": index,
                "Speed": 0,
                "Status": "",
                "Caption": f"[{index:08d}] WAN Miniport (Test {index})",
                "DeviceID": str(index),
                "MACAddress": "",
                "NetEnabled": False,
                "Description": f"WAN Miniport (Test {index})",
                "Manufacturer": "Example Corp",
            }
        ]
        for index in range(1, count + 1)
    ]


def _unix_detail(hardware: Hardware) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "cpus": [hardware.cpu],
        "gpus": hardware.graphics,
        "disks": hardware.drives,
        "local_ips": hardware.ips,
        "make_model": f"{hardware.make} {hardware.model}".strip(),
    }
    if hardware.serial is not None:
        detail["serialnumber"] = hardware.serial
    return detail


def _windows_detail(agent: Agent, hw: Hardware, fillers: list[list[dict[str, Any]]]) -> dict[str, Any]:
    one = _class
    return {
        "os": one(Caption=agent.operating_system, CSName=agent.hostname, OSArchitecture="64-bit"),
        "cpu": one(Name=hw.cpu, NumberOfCores=8, NumberOfLogicalProcessors=16, Manufacturer="Example"),
        "mem": one(Tag="Physical Memory 0", Speed=3200, Capacity=(agent.total_ram or 0) << 30),
        "usb": one(Name="USB xHCI Compliant Host Controller", Status="OK", DeviceID="PCI\\VEN_0000"),
        "bios": one(
            Name="1.18.2", Manufacturer=hw.make, SerialNumber=hw.serial, ReleaseDate="2023-05-02T00:00:00Z"
        ),
        "disk": [
            [{"Name": f"\\\\.\\PHYSICALDRIVE{i}", "Model": drive, "Caption": drive, "Status": "OK"}]
            for i, drive in enumerate(hw.drives)
        ],
        "comp_sys": one(
            Name=agent.hostname, Model=hw.model, Manufacturer=hw.make, Domain="WORKGROUP", DomainRole=0,
            UserName=agent.last_logged_in_user, TotalPhysicalMemory=(agent.total_ram or 0) << 30,
        ),
        "graphics": [[{"Name": name, "Status": "OK", "Caption": name}] for name in hw.graphics],
        "base_board": one(Tag="Base Board", Product="0ABC12", SerialNumber="/ABC1234/", Manufacturer=hw.make),
        "comp_sys_prod": one(Name=hw.model, UUID=hw.uuid, Vendor=hw.make, IdentifyingNumber=hw.serial),
        "network_config": [_network(index, mac, hw.ips) for index, mac in enumerate(["", *hw.macs])],
        "desktop_monitor": one(Name="Generic PnP Monitor", Status="OK", DeviceID="DesktopMonitor1"),
        "network_adapter": [*[[{"Name": "Ethernet", "MACAddress": mac}] for mac in hw.macs], *fillers],
    }  # fmt: skip


def _class(**values: Any) -> list[list[dict[str, Any]]]:
    """One WMI class with one instance: the agent reports a list of lists."""
    return [[values]]


def _network(index: int, mac: str, ips: list[str]) -> list[dict[str, Any]]:
    """A network_config entry; the first is the kernel debugger's adapter, without a MAC."""
    return [
        {
            "Index": index,
            "Caption": f"[{index:08d}] "
            + ("Gigabit Network Connection" if mac else "Kernel Debug Network Adapter"),
            "IPAddress": ips if mac else None,
            "IPEnabled": bool(mac),
            "IPSubnet": ["255.255.255.0"] if mac else None,
            "MACAddress": mac,
            "DHCPEnabled": True,
            "DefaultIPGateway": ["10.0.0.1"] if mac else None,
            "DNSServerSearchOrder": ["10.0.0.1"] if mac else None,
        }
    ]
