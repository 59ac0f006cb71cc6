"""Patches: those the fleet waits for, failed at or got, and who has one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import render_template
from flask.typing import ResponseReturnValue

from rmm_extension.services.queries import patch_devices as device_queries
from rmm_extension.services.queries import patches as queries
from rmm_extension.services.queries.paging import CAP, Count, Page
from rmm_extension.services.queries.patch_devices import NAMES_AT_ONCE, PatchDevicesFilter
from rmm_extension.services.queries.patches import PatchesFilter

from .access import requires
from .choices import PATCH_KINDS, PATCH_SEVERITIES, client_options, connection_options
from .compliance import listing_connections
from .context import actor, session
from .listing import Listing, assets_of, client_names, listing
from .narrowing import Chip, Options, argument, chips, word
from .patch_words import STATES, statuses_of
from .routing import Routes
from .software import whose

routes = Routes()


@routes.get("/patches")
@requires("rmm.view")
def patch_list() -> ResponseReturnValue:
    """Patches by name with their devices, narrowed by the address's parameters."""
    wanted, options = patches_filter(), _options()
    return render_template(
        "rmm/patches/list.html",
        list=listing(queries.patch_page, queries.patch_count, wanted, turned="last"),
        wanted=wanted,
        options=options,
        chips=_chips(options, q=("Patch", wanted.text)),
        listing=listing_connections(),
        cap=CAP,
    )


@routes.get("/patches/devices")
@requires("rmm.view")
def patch_devices() -> ResponseReturnValue:
    """Who waits for a patch, failed at it or has it: one by its name, or all that a text names."""
    names, options = named(), _options()
    found = _listed(names)
    return render_template(
        "rmm/patches/devices.html",
        list=found,
        names=names[:NAMES_AT_ONCE],
        too_many=len(names) > NAMES_AT_ONCE,
        most=NAMES_AT_ONCE,
        text=argument("q"),
        patch=argument("patch"),
        options=options,
        chips=_chips(options),
        listing=listing_connections(),
        client_names=client_names(found.rows, options["client"]),
        assets=assets_of(found.rows),
    )


def named() -> Sequence[str]:
    """The patch of the address, or those that its text names; none without either."""
    if patch := argument("patch"):
        return [patch]
    if not argument("q"):
        return []
    return queries.patch_names(session(), actor().tenant_id, patches_filter(), NAMES_AT_ONCE)


def devices_filter(names: Sequence[str]) -> PatchDevicesFilter:
    """Who of the address's devices has one of these, as the address narrows it."""
    return PatchDevicesFilter(names=names, wanted=patches_filter())


def patches_filter() -> PatchesFilter:
    """What the address narrows the patches to; to those that wait where it says nothing."""
    return PatchesFilter(
        statuses=statuses_of(argument("status", STATES)),
        kind=argument("kind", PATCH_KINDS),
        severity=argument("severity", PATCH_SEVERITIES),
        text=argument("q"),
        whose=whose(),
    )


def _listed(names: Sequence[str]) -> Listing:
    if not 0 < len(names) <= NAMES_AT_ONCE:
        return Listing(Page([], None, None), Count(0), None)
    return listing(
        device_queries.device_page, device_queries.device_count, devices_filter(names), turned="last"
    )


def _options() -> Mapping[str, Options]:
    return {
        "status": STATES,
        "kind": PATCH_KINDS,
        "severity": PATCH_SEVERITIES,
        "client": client_options(argument("client")),
        "connection": connection_options(),
    }


_CHIPS = {
    "status": "Status",
    "kind": "Kind",
    "severity": "Severity",
    "client": "Client",
    "connection": "Connection",
}


def _chips(options: Mapping[str, Options], **more: tuple[str, str | None]) -> list[Chip]:
    """What can be taken away: what a page asks about stands in its title."""
    return chips({**more, **{name: (label, _chosen(options[name], name)) for name, label in _CHIPS.items()}})


def _chosen(options: Options, name: str) -> str | None:
    """What is chosen, in words; a connection or client that is gone by its id."""
    known = word(options, argument(name))
    return known or (argument(name) if name in ("client", "connection") else None)
