"""The patches of a device, and of an asset with all its devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.errors import Conflict
from rmm_extension.models import DeviceRow
from rmm_extension.providers.capabilities import capabilities
from rmm_extension.services import patches
from rmm_extension.services.queries import device_patches as queries
from rmm_extension.services.queries.device_patches import PatchesKnown, PatchFilter
from rmm_extension.services.queries.devices import device_detail, devices_of_assets
from rmm_extension.services.queries.paging import AnyRow
from rmm_extension.services.unit import unit

from .access import requires
from .choices import PATCH_KINDS, PATCH_SEVERITIES
from .context import actor, allows, current_rmm, provider_of, session
from .listing import assets_of, listing
from .narrowing import argument, chips, word
from .patch_words import STATES_OF_DEVICE, statuses_of, told_numbers
from .routing import Routes

routes = Routes()

WORST, NEWEST = 10, 8
"""So many that wait or failed, and so many that came of late, stand on a device's own page."""


@dataclass(frozen=True, slots=True)
class PatchesOf:
    """The patches of one device, as its page and its asset's tell them.

    ``numbers`` by kind and state, ``None`` where nobody tells it; ``lists``, whether the vendor ever lists
    patches; ``may_refresh``, whether they can be asked for now by this person.
    """

    known: PatchesKnown
    numbers: Mapping[str, int | None]
    lists: bool
    may_refresh: bool

    @property
    def is_told(self) -> bool:
        """Whether any number is known."""
        return any(number is not None for number in self.numbers.values())


def add_to(app: Flask) -> None:
    """Let templates ask."""
    app.jinja_env.globals.update(
        rmm_patches_of=patches_of, rmm_worst_patches=worst_patches, rmm_newest_patches=newest_patches
    )


def patches_of(devices: Sequence[Any]) -> Mapping[UUID, PatchesOf]:
    """What is known of the patches of these devices, in one statement."""
    known = queries.known_of(session(), actor().tenant_id, [device.id for device in devices])
    return {device.id: _of(device, known[device.id]) for device in devices if device.id in known}


def _of(device: Any, known: PatchesKnown) -> PatchesOf:
    able = _able(known.provider)
    may = "device_patches" in able and allows("rmm.sync") and getattr(device, "deleted_at", None) is None
    return PatchesOf(known, told_numbers(known, device.facts or {}), "patches" in able, may)


def worst_patches(device: DeviceRow) -> Sequence[AnyRow]:
    """What waits or failed on a device, the worst first, in one statement."""
    return queries.worst_patches(session(), actor().tenant_id, [device.id], WORST)


def newest_patches(device: DeviceRow) -> Sequence[AnyRow]:
    """What a device got last, in one statement."""
    return queries.newest_installed(session(), actor().tenant_id, [device.id], NEWEST)


@routes.get("/devices/<uuid:device_id>/patches")
@requires("rmm.view")
def device_patches(device_id: UUID) -> ResponseReturnValue:
    """Everything a device waits for, failed at or got."""
    found = device_detail(session(), actor().tenant_id, device_id)
    if found is None:
        abort(404)
    device = found.device
    return render_template(
        "rmm/patches/of_device.html", device=device, part=patches_of([device])[device.id], **_listed([device])
    )


@routes.get("/assets/<asset_id>/patches")
@requires("rmm.view")
def asset_patches(asset_id: str) -> ResponseReturnValue:
    """Everything the devices behind an asset wait for, failed at or got."""
    devices = devices_of_assets(session(), actor().tenant_id, [asset_id])
    if not devices:
        abort(404)
    return render_template(
        "rmm/patches/of_asset.html",
        asset_id=asset_id,
        asset=assets_of(devices).get(asset_id),
        parts=patches_of(devices),
        **_listed(devices),
    )


@routes.post("/devices/<uuid:device_id>/patches")
@requires("rmm.sync")
def device_patches_refresh(device_id: UUID) -> ResponseReturnValue:
    """Fetch a device's patches now, unless that is under way."""
    try:
        with unit(current_rmm()) as opened:
            run_id = patches.start_refresh(current_rmm(), opened, actor(), device_id)
    except Conflict as error:
        flash(str(error), "warning")
        return redirect(url_for("rmm.device_patches", device_id=device_id), 303)
    return redirect(url_for("rmm.job_page", run_id=run_id), 303)


def patch_filter(device_ids: Sequence[UUID]) -> PatchFilter:
    """What the address narrows the list of these devices to."""
    state = argument("status", STATES_OF_DEVICE)
    return PatchFilter(
        device_ids=device_ids,
        text=argument("q"),
        statuses=statuses_of(state) if state else (),
        kind=argument("kind", PATCH_KINDS),
        severity=argument("severity", PATCH_SEVERITIES),
    )


def _listed(devices: Sequence[Any]) -> dict[str, Any]:
    wanted = patch_filter([device.id for device in devices])
    options = {"status": STATES_OF_DEVICE, "kind": PATCH_KINDS, "severity": PATCH_SEVERITIES}
    shown = {
        name: (label, word(options[name], argument(name)))
        for name, label in (("status", "Status"), ("kind", "Kind"), ("severity", "Severity"))
    }
    return {
        "devices": {device.id: device for device in devices},
        "wanted": wanted,
        "options": options,
        "chips": chips({"q": ("Patch", wanted.text), **shown}),
        "list": listing(queries.patches_of_devices, queries.patch_count, wanted, turned="last"),
    }


def _able(key: str) -> frozenset[str]:
    """What the vendor can do; nothing where it is not available in this installation."""
    provider = provider_of(key)
    return capabilities(provider) if provider else frozenset()
