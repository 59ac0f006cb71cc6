"""The software of a device, and of an asset with all its devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.errors import Conflict
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.platforms import platform_label, platform_of, suits
from rmm_extension.models import DeviceRow
from rmm_extension.providers.capabilities import capabilities
from rmm_extension.providers.contract import Provider
from rmm_extension.services import software
from rmm_extension.services.queries import device_software as queries
from rmm_extension.services.queries.device_software import Change, Known, SoftwareFilter
from rmm_extension.services.queries.devices import device_detail, devices_of_assets
from rmm_extension.services.unit import unit

from .access import requires
from .context import actor, allows, current_rmm, provider_of, session
from .listing import assets_of, listing
from .narrowing import Options, argument, chips, word
from .routing import Routes

routes = Routes()

NEWEST = 8
"""So many changes stand on a device's own page."""
SHOWN: Options = [("removed", "No longer there")]
"""What a device's list may show instead of what is there."""


@dataclass(frozen=True, slots=True)
class SoftwareOf:
    """The software of one device, as its page tells it.

    ``silent`` is a sentence that says why there never is any; ``may_refresh``, whether it can be asked for
    now by this person.
    """

    known: Known
    changes: Sequence[Change]
    silent: str | None
    may_refresh: bool


def add_to(app: Flask) -> None:
    """Let templates ask."""
    app.jinja_env.globals.update(rmm_software_of=software_of, rmm_software_known=known_of)


def known_of(devices: Sequence[Any]) -> Mapping[UUID, Known]:
    """How much software each of these devices has, in one statement."""
    return queries.known_of(session(), actor().tenant_id, [device.id for device in devices])


def software_of(device: DeviceRow) -> SoftwareOf:
    """What a device's page shows of its software, in two statements."""
    known = known_of([device])[device.id]
    changes = queries.newest_changes(session(), actor().tenant_id, [device.id], NEWEST)
    provider = provider_of(known.provider)
    silent = _silence(provider, known.provider, device.facts)
    able = provider is not None and "device_software" in capabilities(provider) and not silent
    return SoftwareOf(known, changes, silent, able and device.deleted_at is None and allows("rmm.sync"))


@routes.get("/devices/<uuid:device_id>/software")
@requires("rmm.view")
def device_software(device_id: UUID) -> ResponseReturnValue:
    """Everything a device has, or had."""
    found = device_detail(session(), actor().tenant_id, device_id)
    if found is None:
        abort(404)
    return render_template(
        "rmm/software/of_device.html",
        device=found.device,
        part=software_of(found.device),
        **_listed([found.device]),
    )


@routes.get("/assets/<asset_id>/software")
@requires("rmm.view")
def asset_software(asset_id: str) -> ResponseReturnValue:
    """Everything the devices behind an asset have, or had."""
    devices = devices_of_assets(session(), actor().tenant_id, [asset_id])
    if not devices:
        abort(404)
    return render_template(
        "rmm/software/of_asset.html",
        asset_id=asset_id,
        asset=assets_of(devices).get(asset_id),
        known=known_of(devices),
        **_listed(devices),
    )


@routes.post("/devices/<uuid:device_id>/software")
@requires("rmm.sync")
def device_software_refresh(device_id: UUID) -> ResponseReturnValue:
    """Fetch a device's software now, unless that is under way."""
    try:
        with unit(current_rmm()) as opened:
            run_id = software.start_refresh(current_rmm(), opened, actor(), device_id)
    except Conflict as error:
        flash(str(error), "warning")
        return redirect(url_for("rmm.device_software", device_id=device_id), 303)
    return redirect(url_for("rmm.job_page", run_id=run_id), 303)


def software_filter(device_ids: Sequence[UUID]) -> SoftwareFilter:
    """What the address narrows the list of these devices to."""
    removed = argument("show", SHOWN) is not None
    return SoftwareFilter(device_ids=device_ids, text=argument("q"), removed=removed)


def _listed(devices: Sequence[Any]) -> dict[str, Any]:
    wanted = software_filter([device.id for device in devices])
    shown = {"q": ("Name", wanted.text), "show": ("Shown", word(SHOWN, argument("show", SHOWN)))}
    return {
        "devices": {device.id: device for device in devices},
        "wanted": wanted,
        "options": {"show": SHOWN},
        "chips": chips(shown),
        "list": listing(queries.software_of_devices, queries.software_count, wanted, turned="last"),
    }


def _silence(provider: Provider | None, key: str, facts: Mapping[str, Any]) -> str | None:
    """Why the vendor never tells the software of such a device; ``None`` where it may."""
    if provider is None or "software" not in capabilities(provider):
        return f"{provider_label(key)} does not tell what is installed on its devices."
    platform = platform_of(facts)
    if platform is None or suits(platform, provider.manifest.software_platforms):
        return None
    return f"{provider_label(key)} never tells the software of {platform_label(platform)} devices."
