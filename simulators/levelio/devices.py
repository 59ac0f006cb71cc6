"""/v2/devices: the machines, with what was asked for."""

from __future__ import annotations

from typing import Any

from flask import request

from simulators.levelio.endpoints import known, lab, reads, switched_on
from simulators.levelio.models import Device
from simulators.levelio.paging import page
from simulators.levelio.rows import INCLUDES, device_row

EXACT = {"hostname": lambda one: one.hostname, "serial_number": lambda one: one.hardware.serial}
"""Parameters that a device's value has to equal."""


def devices() -> Any:
    """Devices of a group, of a group and all below, of a name, or all."""
    included, home = includes(), request.args.get("group_id")
    ancestor = request.args.get("ancestor_group_id")
    tag = request.args.get("tag_id")
    below = _below(ancestor)
    exact = {name: request.args[name] for name in EXACT if name in request.args}

    def wanted(one: Device) -> bool:
        return (
            (home is None or (one.group_id or "null") == home)
            and (below is None or one.group_id in below)
            and (tag is None or tag in one.tags)
            and all(EXACT[name](one) == value for name, value in exact.items())
        )

    if home not in (None, "null"):
        known(lab().fleet.groups, home, "Group")
    return page(lab().fleet.devices, lambda one: device_row(one, included), wanted)


def _below(ancestor: str | None) -> set[str] | None:
    if ancestor is None:
        return None
    known(lab().fleet.groups, ancestor, "Group")
    return lab().fleet.subtree(ancestor)


def device(device_id: str) -> Any:
    """One device."""
    return device_row(known(lab().fleet.devices, device_id, "Device"), includes())


def includes() -> tuple[str, ...]:
    """The blocks that the query asks for."""
    return tuple(name for name in INCLUDES if switched_on(f"include_{name}"))


ENDPOINTS = [reads("/devices", devices), reads("/devices/<device_id>", device)]
