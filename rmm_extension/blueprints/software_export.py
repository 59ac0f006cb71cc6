"""The lists of software as CSV, with the filters of their pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, abort

from rmm_extension.services.queries import device_software, installs, software
from rmm_extension.services.queries.devices import device_detail, devices_of_assets
from rmm_extension.services.queries.installs import InstallFilter
from rmm_extension.services.queries.paging import CAP, AnyRow

from .access import requires
from .choices import connection_options
from .context import actor, session
from .device_software import software_filter
from .export import answer
from .listing import assets_of, client_names
from .routing import Routes
from .software import catalog_filter, install_filter, named

routes = Routes()

SMALL_BATCH = 100
"""Products are written in smaller pages than rows: each of them is counted."""
_PRODUCTS = ("Program", "Publisher", "Devices", "Versions", "Newest version")
_INSTALLS = (
    *("Device", "Status", "Program", "Publisher", "Version", "Client", "Asset"),
    *("Installed on", "First seen", "Connection"),
)
_OF_DEVICE = (
    *("Device", "Program", "Publisher", "Version", "Installed on", "First seen", "Gone since"),
    *("Size in bytes", "Location"),
)


@routes.get("/software.csv")
@requires("rmm.view")
def software_export() -> Response:
    """The products of the filters, by name."""
    read = software.catalog_page
    return answer("software.csv", _PRODUCTS, read, catalog_filter(), _product_lines, SMALL_BATCH)


@routes.get("/software/<uuid:software_id>/devices.csv")
@requires("rmm.view")
def product_export(software_id: UUID) -> Response:
    """The devices that have a product, by name."""
    return _installs(install_filter([software_id]))


@routes.get("/software/devices.csv")
@requires("rmm.view")
def software_devices_export() -> Response:
    """The devices that have what the text names."""
    products = named()
    if not 0 < len(products) <= installs.PRODUCTS_AT_ONCE:
        abort(400, description="Type the name of a program, and more of it where too many are named like it.")
    return _installs(install_filter([row.id for row in products]))


@routes.get("/devices/<uuid:device_id>/software.csv")
@requires("rmm.view")
def device_software_export(device_id: UUID) -> Response:
    """What a device has, or had."""
    found = device_detail(session(), actor().tenant_id, device_id)
    if found is None:
        abort(404)
    return _of_devices([found.device])


@routes.get("/assets/<asset_id>/software.csv")
@requires("rmm.view")
def asset_software_export(asset_id: str) -> Response:
    """What the devices behind an asset have, or had."""
    devices = devices_of_assets(session(), actor().tenant_id, [asset_id])
    if not devices:
        abort(404)
    return _of_devices(devices)


def _installs(wanted: InstallFilter) -> Response:
    return answer("devices-with-software.csv", _INSTALLS, installs.install_page, wanted, _install_lines)


def _of_devices(devices: Sequence[Any]) -> Response:
    names = {device.id: device.name for device in devices}
    read, wanted = device_software.software_of_devices, software_filter(list(names))
    return answer("device-software.csv", _OF_DEVICE, read, wanted, partial(_device_lines, names))


def _product_lines(rows: Sequence[AnyRow]) -> Iterator[Sequence[Any]]:
    for row in rows:
        more = "+" if row.devices > CAP else ""
        yield row.name, row.publisher, f"{min(row.devices, CAP)}{more}", f"{row.versions}{more}", row.newest


def _install_lines(rows: Sequence[AnyRow]) -> Iterator[Sequence[Any]]:
    clients, assets, connections = client_names(rows), assets_of(rows), dict(connection_options())
    for row in rows:
        asset = assets.get(row.asset_id)
        yield (
            row.device_name,
            row.status,
            row.product,
            row.publisher,
            row.version,
            clients.get(row.client_id),
            asset.name if asset else None,
            row.installed_on,
            row.first_seen_at,
            connections.get(str(row.integration_id)),
        )


def _device_lines(names: dict[UUID, str], rows: Sequence[AnyRow]) -> Iterator[Sequence[Any]]:
    for row in rows:
        yield (
            names[row.device_id],
            row.name,
            row.publisher,
            row.version,
            row.installed_on,
            row.first_seen_at,
            row.removed_at,
            row.size_bytes,
            row.location,
        )
