"""What a machine consists of, in the rows the API tells."""

from __future__ import annotations

import random

from simulators.levelio import names
from simulators.levelio.models import Device, Hardware, JsonRow

GB = 1024**3


def equip(device: Device, picker: random.Random) -> None:
    """Give the device a random machine and a random state of security."""
    maker, model = ("Apple Inc.", "Mac14,9") if device.platform == "Mac" else picker.choice(names.MACHINES)
    cores, memory = picker.choice([4, 8, 16]), picker.choice([8, 16, 32]) * GB
    serial = picker.choice(names.JUNK_SERIALS) if device.number % 17 == 5 else f"LV{device.number:05d}X"
    device.hardware = Hardware(maker, model, serial, memory=memory, cores=cores)
    device.hardware.architecture = "arm64" if device.platform == "Mac" else "x86_64"
    cpu = "Apple M2 Pro" if device.platform == "Mac" else picker.choice(names.CPUS)
    device.hardware.cpus = [{"model": cpu, "clock_speed": 2200, "cores": cores}]
    device.hardware.modules = [
        {"size": memory // 2, "memory_type": "DDR4", "form_factor": "SODIMM", "location": f"DIMM{slot}"}
        for slot in range(2)
    ]
    device.hardware.disks = [{"model": "Example SSD", "disk_type": "SSD", "size": 512 * GB}]
    device.hardware.partitions = _partitions(device, picker)
    device.hardware.interfaces = _interfaces(device.number)
    device.system = _system(device)
    device.security = _security(device, picker)
    device.security_score = device.security["score"]


def _system(device: Device) -> JsonRow:
    full, major, minor = names.SYSTEMS[device.platform, device.role]
    return {
        "full_operating_system": full,
        "major_version": major,
        "minor_version": minor,
        "architecture": "64-bit",
        "install_date": "2024-02-05T00:00:00.000Z",
        "end_of_life": major == "2016",
    }


def _partitions(device: Device, picker: random.Random) -> list[JsonRow]:
    windows = device.platform == "Windows"
    size = 480 * GB
    main = {
        "label": "Windows" if windows else "root",
        "mount_point": "C:" if windows else "/",
        "encrypted": device.number % 2 == 0,
        "primary": True,
        "size": size,
        "free_space": int(size * picker.uniform(0.05, 0.8)),
        "file_system": {"Windows": "NTFS", "Mac": "apfs"}.get(device.platform, "ext4"),
    }
    data = {**main, "label": "Daten", "mount_point": "D:" if windows else "/data", "primary": False}
    return [main, data] if device.number % 3 == 0 else [main]


def _interfaces(number: int) -> list[JsonRow]:
    """A virtual adapter first, so that the first address is not the machine's own."""
    address = f"10.{number // 62500 % 250}.{number // 250 % 250}.{number % 250 + 1}"
    mac = ":".join(f"{part:02x}" for part in (2, 26, *number.to_bytes(4, "big")))
    virtual = {
        "description": "Hyper-V Virtual Ethernet Adapter",
        "interface": "vEthernet",
        "mac_address": f"00:15:5d:{mac[9:]}",
        "ip_addresses": ["172.20.0.1", "fe80::1"],
        "gateway": None,
        "domain": None,
        "dhcp_server": None,
        "dns_servers": None,
        "label": "vEthernet (Default Switch)",
    }
    real = {
        **virtual,
        "description": "Intel(R) Ethernet Connection",
        "interface": "eth0",
        "mac_address": mac,
        "ip_addresses": [address, "fe80::2"],
        "gateway": "10.0.0.1",
        "dns_servers": "10.0.0.2",
        "label": "Ethernet",
    }
    return [virtual, real]


def _security(device: Device, picker: random.Random) -> JsonRow:
    score = None if device.number % 13 == 0 else picker.randint(20, 100)
    risk = None if score is None else "low" if score > 79 else "medium" if score > 49 else "high"
    healthy, windows = score is None or score > 49, device.platform == "Windows"
    return {
        "score": score,
        "risk": risk,
        "patch_compliance": healthy,
        "patch_security_risk": risk or "unknown",
        "os_end_of_life": device.system.get("end_of_life", False),
        "primary_partition_encrypted": device.number % 2 == 0,
        "firewall_provider": "Windows Firewall" if windows else None,
        "firewall_enabled": True if windows else None,
        "antivirus_provider": "Windows Defender" if windows else None,
        "antivirus_status": ("enabled" if healthy else "out of date")
        if device.platform == "Windows"
        else None,
    }
