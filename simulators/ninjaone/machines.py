"""What a device of each class consists of: hardware, operating system, addresses, antivirus."""

from __future__ import annotations

import random
import string
from typing import Any

from simulators.ninjaone import names
from simulators.ninjaone.enums import AGENTS, GUESTS, HOSTS, MOBILE, WINDOWS
from simulators.ninjaone.models import Device, Hardware, System

GIB = 1024**3


def equip(device: Device, picker: random.Random, now: float) -> None:
    """Give the device what one of its class has; cloud targets and such have nothing."""
    if device.node_class == "CLOUD_MONITOR_TARGET":
        device.dns_name = f"status{device.id}.example.net"
        return
    device.ip_addresses = [_ip(picker), f"fe80::{picker.randint(1, 9999):x}:{picker.randint(1, 9999):x}"]
    device.mac_addresses = [mac(picker) for _ in range(picker.randint(1, 2))]
    device.public_ip = picker.choice(names.PUBLIC_IPS)
    if device.node_class in HOSTS:
        device.hardware = _server_hardware(picker, device.node_class)
        device.system = System("VMware ESXi 8.0.1 build-21813344", "VMware, Inc.", "21813344", "8.0.1")
        device.system.boot_time = float(round(now - picker.uniform(1, 40) * 86400))
    elif device.node_class in (*AGENTS, *GUESTS, *MOBILE):
        device.hardware = _hardware(picker, device.node_class)
        device.system = _system(picker, device.node_class, now)
    elif device.node_class.startswith("NMS_"):
        device.ip_addresses = device.ip_addresses[:1]
        device.hardware = Hardware(manufacturer="Example Networks", model="EN-48", serial=serial(picker))
    if device.node_class in AGENTS:
        _lived_in(device, picker, now)


def serial(picker: random.Random) -> str:
    """A serial number as makers give them."""
    return "".join(picker.choices(string.ascii_uppercase + string.digits, k=8))


def mac(picker: random.Random) -> str:
    """A hardware address; NinjaOne tells them in either case."""
    text = ":".join(f"{byte:02X}" for byte in [0x02, *picker.choices(range(256), k=5)])
    return text.lower() if picker.random() < 0.5 else text


def _ip(picker: random.Random) -> str:
    return f"10.{picker.randint(1, 40)}.{picker.randint(0, 254)}.{picker.randint(2, 254)}"


def _hardware(picker: random.Random, node_class: str) -> Hardware:
    made = Hardware(cpu=picker.choice(names.CPUS), cores=picker.choice([2, 4, 8, 12]))
    made.manufacturer, made.model, made.chassis = picker.choice(names.MACHINES)
    if maker := names.MAKERS.get(node_class):
        made.manufacturer, made.model, made.chassis = maker, "MacBookPro18,3", "LAPTOP"
    if node_class in GUESTS:
        made.manufacturer, made.model = "VMware, Inc.", "VMware7,1"
    made.virtual = made.model == "VMware7,1"
    made.memory = picker.choice([4, 8, 16, 32, 64]) * GIB
    made.serial = made.bios_serial = serial(picker)
    if node_class not in names.MAKERS and picker.random() < 0.12:
        made.serial = made.bios_serial = picker.choice(names.JUNK_SERIALS)
    if picker.random() < 0.1:
        made.serial = None
    made.asset_serial = f"TAG-{picker.randint(1000, 9999)}" if picker.random() < 0.3 else None
    made.domain = "CONTORA" if node_class in WINDOWS else None
    made.volumes = _volumes(picker, windows=node_class in WINDOWS)
    made.disks = [_disk(picker, number) for number in range(picker.randint(1, 2))]
    return made


def _server_hardware(picker: random.Random, node_class: str) -> Hardware:
    model = "ProLiant DL380 Gen10" if node_class == "VMWARE_VM_HOST" else "PowerEdge R740"
    found = serial(picker)
    cpu = "Intel(R) Xeon(R) Silver 4114 CPU @ 2.20GHz"
    return Hardware("HPE", model, found, found, cpu=cpu, cores=20, memory=96 * GIB)


def _volumes(picker: random.Random, *, windows: bool) -> list[dict[str, Any]]:
    letters = ["C:", "D:"] if windows else ["/", "/home"]
    return [_volume(picker, letter, windows) for letter in letters[: picker.randint(1, 2)]]


def _volume(picker: random.Random, letter: str, windows: bool) -> dict[str, Any]:
    capacity = picker.choice([118, 237, 475, 953]) * GIB
    row: dict[str, Any] = {
        "name": letter,
        "label": "Windows" if windows else "",
        "deviceType": "Local Disk",
        "fileSystem": "NTFS" if windows else "ext4",
        "autoMount": True,
        "compressed": False,
        "capacity": capacity,
        "freeSpace": int(capacity * picker.uniform(0.02, 0.9)),
        "serialNumber": f"{picker.getrandbits(32):08X}",
    }
    return {**row, "driveLetter": letter} if windows else row


def _disk(picker: random.Random, number: int) -> dict[str, Any]:
    return {
        "bytesPerSector": 512,
        "description": "Disk drive",
        "interfaceType": "SCSI",
        "manufacturer": "(Standard disk drives)",
        "mediaType": "Fixed hard disk media",
        "model": "Example NVMe 512",
        "name": f"\\\\.\\PHYSICALDRIVE{number}",
        "partitionCount": 3,
        "serialNumber": serial(picker),
        "size": picker.choice([128, 256, 512, 1024]) * 10**9,
        "smartCapable": True,
        "status": "OK",
    }


def _system(picker: random.Random, node_class: str, now: float) -> System:
    kind = "LINUX_SERVER" if node_class in GUESTS else node_class
    name, build, release = picker.choice(names.SYSTEMS[kind])
    maker = "Microsoft Corporation" if kind in WINDOWS else names.MAKERS.get(kind, "")
    found = System(name, maker, build, release)
    found.boot_time = float(round(now - picker.uniform(3600, 40 * 86400)))
    found.needs_reboot = picker.random() < 0.15
    return found


def _lived_in(device: Device, picker: random.Random, now: float) -> None:
    """Somebody signed in, and an antivirus runs."""
    if picker.random() < 0.8:
        device.user = picker.choice(names.USERS)
        device.logon_time = round(now - picker.uniform(60, 5 * 86400), 3)
    if picker.random() < 0.9:
        device.antivirus = [_antivirus(picker, picker.choice(names.ANTIVIRUS))]
    if device.id % 30 == 4:
        device.antivirus.append(_antivirus(picker, names.ANTIVIRUS[0]))
    if device.id % 37 == 5:
        device.threats = [_threat(picker, now)]


def _antivirus(picker: random.Random, product: str) -> dict[str, Any]:
    return {
        "productName": product,
        "productState": picker.choice(["ON", "ON", "ON", "ON", "OFF", "SNOOZED", "EXPIRED"]),
        "definitionStatus": picker.choice(["Up-to-Date", "Up-to-Date", "Out-of-Date", "Unknown"]),
        "version": f"4.18.{picker.randint(1, 99)}",
    }


def _threat(picker: random.Random, now: float) -> dict[str, Any]:
    return {
        "name": picker.choice(names.THREATS),
        "productCode": "WINDEFENDER",
        "quarantineId": None,
        "status": "ACTIVE",
        "type": "MALWARE",
        "threatId": picker.randint(10**6, 10**7),
        "category": "Trojan",
        "level": "SEVERE",
        "detectionSource": "REAL_TIME",
        "traceList": "C:\\Users\\public\\eicar.com",
        "timestamp": round(now - picker.uniform(60, 86400), 3),
    }
