"""The list of devices, and one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from rmm_extension.domain.values import moment as read_moment
from rmm_extension.host import AssetRef
from rmm_extension.services.queries import devices as queries
from rmm_extension.services.queries.devices import DeviceFilter
from rmm_extension.services.queries.paging import CAP, custom_plans

from .access import requires
from .alerts import client_names, tickets_of
from .choices import KINDS, STATUSES, client_options, connection_options
from .context import actor, current_rmm, session
from .narrowing import argument, chips, uuid_argument, word
from .presentation import moment
from .routing import Routes

routes = Routes()


@routes.get("/devices")
@requires("rmm.view")
def device_list() -> ResponseReturnValue:
    """Devices by name, narrowed by the address's parameters."""
    tenant_id = actor().tenant_id
    clients, connections = client_options(argument("client")), connection_options()
    wanted = device_filter()
    custom_plans(session())
    page = queries.device_page(
        session(),
        tenant_id,
        wanted,
        after=argument("after"),
        before=argument("before"),
        last_first=argument("sort") == "last",
    )
    return render_template(
        "rmm/devices/list.html",
        page=page,
        count=queries.device_count(session(), tenant_id, wanted) if page.total is None else page.total,
        sort=argument("sort"),
        cap=CAP,
        wanted=wanted,
        chips=chips(
            {
                "q": ("Name", wanted.text),
                "status": ("Status", word(STATUSES, wanted.status)),
                "kind": ("Kind", word(KINDS, wanted.kind)),
                "connection": ("Connection", _named(connections, "connection")),
                "client": ("Client", _named(clients, "client")),
                "deleted": ("Deleted", "yes" if wanted.deleted else None),
            }
        ),
        options={"connections": connections, "clients": clients},
        STATUSES=STATUSES,
        KINDS=KINDS,
        client_names=client_names(page.rows),
        connection_names=dict(connections),
        assets=assets_of(page.rows),
    )


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


def assets_of(rows: Sequence[Any]) -> Mapping[str, AssetRef]:
    """The assets the rows link to, in one call."""
    port = current_rmm().host.assets
    ids = {row.asset_id for row in rows if row.asset_id}
    return port.get_many(session(), actor().tenant_id, ids) if port and ids else {}


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


def _named(options: Sequence[tuple[str, str]], name: str) -> str | None:
    return word(options, argument(name)) or argument(name)


def device_filter() -> DeviceFilter:
    """What the address narrows the list to."""
    return DeviceFilter(
        status=argument("status", STATUSES),
        kind=argument("kind", KINDS),
        integration_id=uuid_argument("connection"),
        client_id=argument("client"),
        text=argument("q"),
        deleted=argument("deleted") == "1",
    )
