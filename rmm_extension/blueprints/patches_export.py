"""The lists of patches as CSV, with the filters of their pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, abort

from rmm_extension.services.queries import device_patches, patch_devices, patches
from rmm_extension.services.queries.devices import device_detail, devices_of_assets
from rmm_extension.services.queries.paging import CAP, AnyRow

from .access import requires
from .choices import connection_options
from .context import actor, session
from .device_patches import patch_filter
from .export import answer
from .listing import assets_of, client_names
from .patches import devices_filter, named, patches_filter
from .routing import Routes

routes = Routes()

SMALL_BATCH = 100
"""Patches are written in smaller pages than rows: each of them is counted."""
_PATCHES = ("Patch", "Article", "Kind", "Severity", "Devices")
_HOLDERS = (
    *("Device", "Status of the device", "Patch", "Article", "Kind", "Severity", "Status", "Since"),
    *("First seen", "Client", "Asset", "Connection"),
)
_OF_DEVICE = (
    *("Device", "Patch", "Article", "Kind", "Severity", "Category", "Status", "Since"),
    "First seen",
)


@routes.get("/patches.csv")
@requires("rmm.view")
def patch_export() -> Response:
    """The patches of the filters, by name."""
    return answer("patches.csv", _PATCHES, patches.patch_page, patches_filter(), _patch_lines, SMALL_BATCH)


@routes.get("/patches/devices.csv")
@requires("rmm.view")
def patch_devices_export() -> Response:
    """The devices that wait for, failed at or have what the address names."""
    names = named()
    if not 0 < len(names) <= patch_devices.NAMES_AT_ONCE:
        abort(400, description="Type the name of a patch, and more of it where too many are named like it.")
    return answer(
        "devices-with-patch.csv", _HOLDERS, patch_devices.device_page, devices_filter(names), _holder_lines
    )


@routes.get("/devices/<uuid:device_id>/patches.csv")
@requires("rmm.view")
def device_patches_export(device_id: UUID) -> Response:
    """What a device waits for, failed at or got."""
    found = device_detail(session(), actor().tenant_id, device_id)
    if found is None:
        abort(404)
    return _of_devices([found.device])


@routes.get("/assets/<asset_id>/patches.csv")
@requires("rmm.view")
def asset_patches_export(asset_id: str) -> Response:
    """What the devices behind an asset wait for, failed at or got."""
    devices = devices_of_assets(session(), actor().tenant_id, [asset_id])
    if not devices:
        abort(404)
    return _of_devices(devices)


def _of_devices(devices: Sequence[Any]) -> Response:
    names = {device.id: device.name for device in devices}
    read, wanted = device_patches.patches_of_devices, patch_filter(list(names))
    return answer("device-patches.csv", _OF_DEVICE, read, wanted, partial(_device_lines, names))


def _patch_lines(rows: Sequence[AnyRow]) -> Iterator[Sequence[Any]]:
    for row in rows:
        more = "+" if row.devices > CAP else ""
        yield row.name, row.kb, row.kind, row.severity, f"{min(row.devices, CAP)}{more}"


def _holder_lines(rows: Sequence[AnyRow]) -> Iterator[Sequence[Any]]:
    clients, assets, connections = client_names(rows), assets_of(rows), dict(connection_options())
    for row in rows:
        asset = assets.get(row.asset_id)
        yield (
            row.device_name,
            row.device_status,
            row.name,
            row.kb,
            row.kind,
            row.severity,
            row.status,
            row.changed_at,
            row.first_seen_at,
            clients.get(row.client_id),
            asset.name if asset else None,
            connections.get(str(row.integration_id)),
        )


def _device_lines(names: dict[UUID, str], rows: Sequence[AnyRow]) -> Iterator[Sequence[Any]]:
    for row in rows:
        yield (
            names[row.device_id],
            row.name,
            row.kb,
            row.kind,
            row.severity,
            row.category,
            row.status,
            row.changed_at,
            row.first_seen_at,
        )
