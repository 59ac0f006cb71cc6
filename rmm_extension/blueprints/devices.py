"""The list of devices, and one device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from rmm_extension.domain.values import moment as read_moment
from rmm_extension.services.queries import devices as queries
from rmm_extension.services.queries.device_filter import DeviceFilter
from rmm_extension.services.queries.paging import AnyRow, Page

from .access import requires
from .choices import (
    ACTIVE,
    KINDS,
    MANAGED,
    MISSING,
    NOT_ONLINE,
    PATCHES,
    REBOOT,
    STATUSES,
    UNSEEN,
    YES,
    client_options,
    connection_options,
    provider_options,
    unseen,
)
from .context import actor, session
from .listing import assets_of, client_names, listing, tickets_of
from .narrowing import Chip, Options, argument, chips, uuid_argument, word
from .presentation import moment
from .routing import Routes

routes = Routes()


@routes.get("/devices")
@requires("rmm.view")
def device_list() -> ResponseReturnValue:
    """Devices by name, narrowed by the address's parameters."""
    tenant_id, wanted, options = actor().tenant_id, device_filter(), _options()

    def find(after: str | None, before: str | None, last_first: bool) -> Page[AnyRow]:
        return queries.device_page(
            session(), tenant_id, wanted, after=after, before=before, last_first=last_first
        )

    found = listing(find, lambda: queries.device_count(session(), tenant_id, wanted), turned="last")
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
    "unseen": "Not seen for",
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
        "patches": PATCHES,
        "reboot": REBOOT,
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
    """One device: its status in words, its vitals, its open alerts."""
    found = queries.device_detail(session(), actor().tenant_id, device_id)
    if found is None:
        abort(404)
    device = found.device
    return render_template(
        "rmm/devices/detail.html",
        found=found,
        device=device,
        vitals=vitals(device.facts),
        disks=[disk for disk in device.facts.get("disks") or () if isinstance(disk, Mapping)],
        asset=assets_of([device]).get(device.asset_id or ""),
        client_name=client_names([device]).get(device.client_id or ""),
        tickets=tickets_of(found.alerts),
    )


_LABELS = {
    "os_name": "Operating system",
    "os_type": "System family",
    "os_version": "OS version",
    "agent_version": "Agent version",
    "current_user": "Signed-in user",
    "last_user": "Last user",
    "boot_at": "Started",
    "last_reboot_at": "Started",
    "lan_ip": "LAN address",
    "wan_ip": "WAN address",
    "cpu_model": "CPU",
    "cpu_percent": "CPU use (%)",
    "memory_gb": "Memory (GB)",
    "ram_gb": "Memory (GB)",
    "manufacturer": "Manufacturer",
    "model": "Model",
    "location": "Location",
    "needs_reboot": "Needs a reboot",
    "has_pending_patches": "Patches pending",
    "maintenance": "In maintenance at the vendor",
}

_TIMES = frozenset({"boot_at", "last_reboot_at"})


def vitals(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The facts a page shows, named and in words, in a fixed order; what is not known is left out."""
    known = {key: facts[key] for key in _LABELS if facts.get(key) not in (None, "")}
    return [
        (_LABELS[key], moment(read_moment(value)) if key in _TIMES else _shown(value))
        for key, value in known.items()
    ]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


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
        patches=argument("patches", PATCHES),
        reboot=argument("reboot", REBOOT),
        unseen=unseen(argument("unseen", UNSEEN)),
        missing=argument("missing", MISSING),
        kept=argument("kept", YES) is not None,
        version=argument("version"),
        text=argument("q"),
        deleted=argument("deleted", YES) is not None,
    )
