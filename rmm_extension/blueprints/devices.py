"""The list of devices, and one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from rmm_extension.models import DeviceRow
from rmm_extension.services.queries import device_activity, vendor_maintenance
from rmm_extension.services.queries import devices as queries
from rmm_extension.services.queries.device_filter import DeviceFilter
from rmm_extension.services.queries.paging import AnyRow

from .access import requires
from .choices import (
    ACTIVE,
    ANTIVIRUS,
    KINDS,
    MANAGED,
    MISSING,
    NOT_ONLINE,
    OLD_SCAN,
    PATCHES_OF,
    REBOOT,
    STATUSES,
    UNSEEN,
    YES,
    client_options,
    connection_options,
    provider_options,
    unseen,
)
from .context import actor, allows, current_rmm, session
from .happened import happened
from .jobs import progress_values
from .listing import assets_of, client_names, listing, tickets_of
from .narrowing import Chip, Options, argument, chips, uuid_argument, word
from .opened import opened
from .routing import Routes
from .vendor_pages import vendor_page
from .vitals import vitals_of

routes = Routes()


@routes.get("/devices")
@requires("rmm.view")
def device_list() -> ResponseReturnValue:
    """Devices by name, narrowed by the address's parameters."""
    wanted, options = device_filter(), _options()
    found = listing(queries.device_page, queries.device_count, wanted, turned="last")
    return render_template(
        "rmm/devices/list.html",
        list=found,
        wanted=wanted,
        options=options,
        chips=_chips(wanted, options),
        client_names=client_names(found.rows, options["client"]),
        connection_names=dict(options["connection"]),
        assets=assets_of(found.rows),
    )


_CHIPS = {
    "status": "Status",
    "kind": "Kind",
    "managed": "Managed",
    "provider": "Vendor",
    "connection": "Connection",
    "client": "Client",
    "alerts": "Alerts",
    "patches": "Patches",
    "reboot": "Reboot",
    "antivirus": "Antivirus",
    "threats": "Active threats",
    "scan": "Patch scan",
    "approval": "Waits for approval",
    "unseen": "Last seen",
    "missing": "Missing",
    "kept": "Kept",
    "deleted": "Deleted",
}
"""Parameters that have something to choose, in the order of their chips."""


def _options() -> Mapping[str, Options]:
    """What each filter offers, by its parameter."""
    providers = provider_options()
    return {
        "status": [*STATUSES, *NOT_ONLINE],
        "kind": KINDS,
        "managed": MANAGED,
        "provider": providers if len(providers) > 1 or argument("provider") else [],
        "connection": connection_options(),
        "client": client_options(argument("client")),
        "alerts": ACTIVE,
        "patches": PATCHES_OF,
        "reboot": REBOOT,
        "antivirus": ANTIVIRUS,
        "threats": YES,
        "scan": OLD_SCAN,
        "approval": YES,
        "unseen": UNSEEN,
        "missing": MISSING,
        "kept": YES,
        "deleted": YES,
    }


def _chips(wanted: DeviceFilter, options: Mapping[str, Options]) -> list[Chip]:
    chosen = {name: (label, _chosen(options[name], name)) for name, label in _CHIPS.items()}
    return chips({"q": ("Name", wanted.text), **chosen, "version": ("Agent version", wanted.version)})


def _chosen(options: Options, name: str) -> str | None:
    """What is chosen, in words; a connection or client that is gone by its id."""
    known = word(options, argument(name))
    return known or (argument(name) if name in ("provider", "connection", "client") else None)


@routes.get("/devices/<uuid:device_id>")
@requires("rmm.view")
def device_page(device_id: UUID) -> ResponseReturnValue:
    """One device: its status in words, what is known of it, its alerts, what was done and what happened."""
    found = queries.device_detail(session(), actor().tenant_id, device_id)
    if found is None:
        abort(404)
    device = found.device
    return render_template(
        "rmm/devices/detail.html",
        found=found,
        device=device,
        vitals=vitals_of(device, found.provider),
        others=_others(device),
        vendor_page=vendor_page(found),
        asset=assets_of([device]).get(device.asset_id or ""),
        client_name=client_names([device]).get(device.client_id or ""),
        may_join=_may_join(device),
        tickets=tickets_of(found.alerts),
        action=opened(lambda row: row.device_id == device.id),
        at_vendor=vendor_maintenance.of_device(session(), device.tenant_id, device.id),
        **happened([device]),
        **progress_values(device_activity.refreshing(session(), device)),
    )


def _may_join(device: DeviceRow) -> bool:
    """Whether this person may say which asset the device is."""
    is_open = device.asset_id is None and device.client_id is not None and device.deleted_at is None
    return is_open and current_rmm().host.assets is not None and allows("rmm.configure")


def _others(device: DeviceRow) -> Sequence[AnyRow]:
    """The other devices that stand for the same asset, whatever their vendor."""
    if device.asset_id is None:
        return []
    found = queries.devices_of_assets(session(), device.tenant_id, [device.asset_id])
    return [row for row in found if row.id != device.id]


def device_filter() -> DeviceFilter:
    """What the address narrows the list to."""
    return DeviceFilter(
        status=argument("status", [*STATUSES, *NOT_ONLINE]),
        kind=argument("kind", KINDS),
        managed=argument("managed", MANAGED),
        provider=argument("provider"),
        integration_id=uuid_argument("connection"),
        client_id=argument("client"),
        alerts=argument("alerts", ACTIVE) is not None,
        patches=argument("patches", PATCHES_OF),
        reboot=argument("reboot", REBOOT),
        antivirus=argument("antivirus", ANTIVIRUS),
        threats=argument("threats", YES) is not None,
        old_scan=argument("scan", OLD_SCAN) is not None,
        approval=argument("approval", YES) is not None,
        unseen=unseen(argument("unseen", UNSEEN)),
        missing=argument("missing", MISSING),
        kept=argument("kept", YES) is not None,
        version=argument("version"),
        text=argument("q"),
        deleted=argument("deleted", YES) is not None,
    )
