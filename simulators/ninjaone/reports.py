"""/v2/queries/*: rows of all devices, mixed, behind named cursors."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from flask import request

from simulators.ninjaone import nodes, patches
from simulators.ninjaone.cursors import Cursor
from simulators.ninjaone.devices import installed_when, interfaces_of
from simulators.ninjaone.endpoints import Endpoint, lab, page_size, reads
from simulators.ninjaone.enums import AGENTS
from simulators.ninjaone.filters import wanted_devices
from simulators.ninjaone.health import health_row
from simulators.ninjaone.models import Device
from simulators.ninjaone.replies import bad_request
from simulators.ninjaone.software import software_of

Row = dict[str, Any]
RowsOf = Callable[[Device], Sequence[Row]]


def _mixed(devices: list[Device], rows_of: RowsOf) -> Iterator[Row]:
    """The first row of each device, then the second ones, and so on; of devices deleted meanwhile no more."""
    place, left = 0, sorted(devices, key=lambda one: zlib.crc32(one.uid.encode()))
    known = lab().fleet.devices
    while left:
        longer = []
        for device in left:
            rows = rows_of(device)
            if place < len(rows) and device.id in known:
                yield rows[place] | {"deviceId": device.id}
                longer.append(device)
        left, place = longer, place + 1


def _report(rows_of: RowsOf, *filters: str, stamped: bool = True) -> Callable[[], Row]:
    """A view that gives the next page of a walk, beginning one without a cursor."""

    def view() -> Row:
        settings = lab().settings
        size = page_size(settings.default_page_size, settings.max_page_size)
        cursor = _continued() or _begun(rows_of, filters, stamped)
        return _page(cursor, size)

    return view


def _begun(rows_of: RowsOf, filters: tuple[str, ...], stamped: bool) -> Cursor:
    wanted, query = wanted_devices(), request.args.to_dict()
    rows: Iterable[Row] = _mixed([one for one in lab().devices() if wanted(one)], rows_of)
    if active := [name for name in filters if query.get(name)]:
        rows = (row for row in rows if all(str(row.get(name)) == query[name] for name in active))
    rows = filter(installed_when(), rows)
    if stamped:
        now = lab().now()
        rows = ({"timestamp": now - row["deviceId"] % 3600, **row} for row in rows)
    return Cursor(secrets.token_hex(16), iter(rows), 0.0)


def _continued() -> Cursor | None:
    """The walk the request goes on with; an unknown or expired one is an error."""
    name = request.args.get("cursor")
    if not name:
        return None
    found = lab().cursors.get(name)
    if found is None or found.expires <= lab().clock.timestamp():
        raise bad_request("Cursor does not exist or is expired")
    return found


def _page(cursor: Cursor, size: int) -> Row:
    settings, started = lab().settings, cursor.offset
    rows = cursor.take(size)
    if started == 0 and not settings.cursor_on_single_page and not cursor.more():
        return {"results": rows}
    if settings.cursor_names == "new":
        lab().cursors.pop(cursor.name, None)
        cursor.name = secrets.token_hex(16)
        if not rows:
            return {"results": rows}
    cursor.expires = lab().clock.timestamp() + settings.cursor_seconds
    lab().cursors[cursor.name] = cursor
    told = {"name": cursor.name, "offset": started, "count": len(rows), "expires": round(cursor.expires, 3)}
    return {"cursor": told, "results": rows}


def _computer(device: Device) -> Sequence[Row]:
    found = device.hardware if device.node_class in AGENTS else None
    return [nodes.computer_system(device, found)] if found else ()


def _system(device: Device) -> Sequence[Row]:
    found = device.system if device.node_class in AGENTS else None
    return [nodes.operating_system(found)] if found else ()


def _processors(device: Device) -> Sequence[Row]:
    found = device.hardware if device.node_class in AGENTS else None
    return [nodes.processor(found)] if found else ()


def _volumes(device: Device) -> Sequence[Row]:
    found = device.hardware.volumes if device.hardware else []
    if request.args.get("include") != "bl":
        return found
    state = {"conversionStatus": "FULLY_ENCRYPTED", "encryptionMethod": "XTS_AES_128"}
    state |= {"protectionStatus": "PROTECTED", "lockStatus": "UNLOCKED"}
    return [{**row, "bitLockerStatus": state | {"initializedForProtection": True}} for row in found]


def _disks(device: Device) -> Sequence[Row]:
    return device.hardware.disks if device.hardware else ()


def _interfaces(device: Device) -> Sequence[Row]:
    return interfaces_of(device) if device.node_class in AGENTS else ()


def _users(device: Device) -> Sequence[Row]:
    return [{"userName": device.user, "logonTime": device.logon_time}] if device.user else ()


def _health(device: Device) -> Sequence[Row]:
    return [health_row(lab(), device)]


REPORTS: dict[str, Callable[[], Row]] = {
    "computer-systems": _report(_computer),
    "operating-systems": _report(_system),
    "processors": _report(_processors),
    "volumes": _report(_volumes),
    "disks": _report(_disks),
    "network-interfaces": _report(_interfaces),
    "logged-on-users": _report(_users, stamped=False),
    "device-health": _report(_health, "healthStatus", stamped=False),
    "antivirus-status": _report(lambda device: device.antivirus, "productState", "productName"),
    "antivirus-threats": _report(lambda device: device.threats),
    "software": _report(software_of),
    "os-patches": _report(patches.os_patches, "status", "type", "severity"),
    "os-patch-installs": _report(lambda device: patches.os_patch_installs(device, lab().now()), "status"),
    "software-patches": _report(patches.software_patches, "status", "type", "impact", "productIdentifier"),
    "software-patch-installs": _report(
        lambda device: patches.software_patch_installs(device, lab().now()),
        "status",
        "type",
        "impact",
        "productIdentifier",
    ),
}
ENDPOINTS: list[Endpoint] = [reads(f"/queries/{name}", view) for name, view in REPORTS.items()]
