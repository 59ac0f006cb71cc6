"""A tiny NinjaOne in a process of its own (``python -m benchmarks.ninja_vendor``), of any number of devices.

The first part of a path names the fleet: ``/quick-10000/v2/devices-detailed`` has 10,000 devices in ten
organizations, ``/slow-…`` the same with the delays below. ``/calls`` tells how many requests of the API were
answered since it was asked last.
"""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.tiny_server import JsonHandler, serve, started

ORGANIZATIONS = 10
QUICK, SLOW = "quick", "slow"
DELAY = 0.15
"""Seconds that a page of 1,000 rows takes the slow one. What NinjaOne takes is not published; a server that
is slower makes the sync's own part smaller."""
PER_DEVICE = {"volumes": 2, "network-interfaces": 2}
"""Rows a device has in a report, where it has several."""
LISTS = ("organizations", "locations")
REPORTS = ("computer-systems", "operating-systems", "device-health", "antivirus-status")
_TOKEN = b'{"access_token":"t","token_type":"Bearer","expires_in":3600,"scope":"monitoring"}'
_calls = [0]


def vendor() -> AbstractContextManager[str]:
    """The address of a vendor in a process of its own."""
    return started("benchmarks.ninja_vendor")


class _Vendor(JsonHandler):
    """Answers what the provider asks, under a path that names the fleet."""

    def answer(self) -> None:
        """Answer with JSON."""
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/calls":
            body = b"%d" % _calls[0]
            _calls[0] = 0
        else:
            _, fleet, path = parts.path.split("/", 2)
            speed, devices = fleet.split("-")
            body = _body(path, query, int(devices))
            if speed == SLOW:
                time.sleep(DELAY)
            _calls[0] += path.startswith("v2/")
        self.send_json(len(body), [body])


def _body(path: str, query: dict[str, str], devices: int) -> bytes:
    if path == "ws/oauth/token":
        return _TOKEN
    name, size = path.rpartition("/")[2], int(query.get("pageSize", 1000))
    if name in LISTS:
        return _named() if "after" not in query else b"[]"
    if name == "devices-detailed":
        start = int(query.get("after", 0)) + 1
        rows = [_device(number) for number in range(start, min(start + size, devices + 1))]
        return b"[" + b",".join(rows) + b"]"
    return _report(name, int(query.get("cursor", 0)), size, devices)


@cache
def _named() -> bytes:
    rows = [{"id": number, "name": f"Place {number}"} for number in range(1, ORGANIZATIONS + 1)]
    return json.dumps(rows).encode()


def _report(name: str, start: int, size: int, devices: int) -> bytes:
    """The rows from ``start`` on, which is the name of the cursor."""
    several = PER_DEVICE.get(name, 1)
    end = min(start + size, devices * several)
    make = _ROWS[name]
    rows = [
        {**make(index // several + 1, index % several), "timestamp": 1.78e9} for index in range(start, end)
    ]
    cursor = {"name": str(end), "offset": start, "count": len(rows), "expires": 1.9e9}
    return json.dumps({"cursor": cursor, "results": rows}).encode()


def _device(number: int) -> bytes:
    """A row of 1.5 KB, as the detailed list has it."""
    owner = number % ORGANIZATIONS + 1
    row: dict[str, Any] = {
        "id": number,
        "uid": f"00000000-0000-4000-8000-{number:012d}",
        "organizationId": owner,
        "locationId": owner,
        "nodeClass": "WINDOWS_SERVER" if number % 10 == 0 else "WINDOWS_WORKSTATION",
        "nodeRoleId": 1,
        "rolePolicyId": 40,
        "approvalStatus": "APPROVED",
        "offline": False,
        "systemName": f"PC-{number}",
        "dnsName": f"pc-{number}.example.local",
        "created": 1.70e9,
        "lastContact": 1780000000.25 + number,
        "lastUpdate": 1780000000.25 + number,
        "ipAddresses": [f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"],
        "macAddresses": [_mac(number, place) for place in (0, 1)],
        "publicIP": f"203.0.113.{number % 250}",
        "deviceType": "Windows Workstation",
        "references": {
            "organization": {"id": owner, "name": f"Place {owner}", "nodeApprovalMode": "AUTOMATIC"},
            "location": {"id": owner, "name": f"Place {owner}"},
            "role": {"id": 1, "name": "Windows Workstation", "nodeClass": "WINDOWS_WORKSTATION"},
            "rolePolicy": {"id": 40, "name": "Default", "nodeClass": "WINDOWS_WORKSTATION"},
        },
    }
    return json.dumps(row | {"notes": [{"text": "x" * 300}]}).encode()


def _mac(number: int, place: int) -> str:
    return f"02:00:0{place}:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


_ROWS = {
    "computer-systems": lambda number, _: {
        "deviceId": number,
        "name": f"PC-{number}",
        "manufacturer": "Dell Inc.",
        "model": "OptiPlex 7010",
        "serialNumber": f"SN{number:08d}",
        "biosSerialNumber": f"SN{number:08d}",
        "totalPhysicalMemory": 17179869184,
        "chassisType": "DESKTOP",
    },
    "operating-systems": lambda number, _: {
        "deviceId": number,
        "name": "Windows 11 Professional Edition",
        "buildNumber": "26100",
        "releaseId": "24H2",
        "architecture": "64-bit",
        "lastBootTime": 1779000000.0 + number,
        "needsReboot": False,
    },
    "device-health": lambda number, _: {
        "deviceId": number,
        "activeThreatsCount": 0,
        "failedOSPatchesCount": number % 3,
        "pendingOSPatchesCount": number % 9,
        "failedSoftwarePatchesCount": 0,
        "pendingSoftwarePatchesCount": number % 5,
        "offline": False,
        "healthStatus": "HEALTHY",
    },
    "antivirus-status": lambda number, _: {
        "deviceId": number,
        "productName": "Windows Defender",
        "productState": "ON",
        "definitionStatus": "Up-to-Date",
        "version": "4.18",
    },
    "processors": lambda number, _: {
        "deviceId": number,
        "name": "13th Gen Intel(R) Core(TM) i5-13500",
        "numCores": 14,
        "numLogicalCores": 20,
    },
    "volumes": lambda number, place: {
        "deviceId": number,
        "name": "CD"[place] + ":",
        "deviceType": "Local Disk",
        "fileSystem": "NTFS",
        "capacity": 510770802688,
        "freeSpace": 100000000000 + number,
    },
    "logged-on-users": lambda number, _: {
        "deviceId": number,
        "userName": f"CONTORA\\user{number}",
        "logonTime": 1.78e9,
    },
    "network-interfaces": lambda number, place: {
        "deviceId": number,
        "adapterName": ("Ethernet", "Wi-Fi")[place],
        "macAddress": [_mac(number, place)],
        "ipAddress": [f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"] if place == 0 else [],
    },
}

if __name__ == "__main__":
    serve(_Vendor)
