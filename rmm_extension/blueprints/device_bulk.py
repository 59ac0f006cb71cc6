"""What people do with the devices they selected in the list."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from rmm_extension.services import devices
from rmm_extension.services.queries.panels import devices as named_devices

from .access import requires
from .context import act, actor, current_rmm, session
from .narrowing import read_uuids
from .returning import back_url
from .routing import Routes

routes = Routes()

MOST = 200
"""So many devices are dealt with at once."""
NOTHING = "Select the devices first."


@routes.post("/devices/refresh")
@requires("rmm.sync")
def devices_refresh() -> ResponseReturnValue:
    """Sync the selected devices now."""
    ids = _selected()

    def work(opened: Session) -> str:
        return _refreshed(devices.refresh_devices(current_rmm(), opened, actor(), ids))

    return act(work, _back()) if ids else nothing_selected()


@routes.post("/devices/keep")
@requires("rmm.configure")
def devices_keep() -> ResponseReturnValue:
    """Have the assets of the selected devices stay active, or no longer."""
    ids, kept = _selected(), request.args.get("kept") == "1"

    def work(opened: Session) -> str:
        changed = devices.keep_devices(opened, actor(), ids, kept)
        return f"{_counted(changed)} {_KEPT[kept] if changed else _KEPT_ALREADY[kept]}"

    return act(work, _back()) if ids else nothing_selected()


@routes.get("/devices/open")
@requires("rmm.remote_access")
def devices_open() -> ResponseReturnValue:
    """The selected devices, each with its way to the vendor."""
    ids = read_uuids(request.args.getlist("ids"), MOST)
    rows = named_devices(session(), actor().tenant_id, ids)
    if not rows:
        return nothing_selected()
    return render_template(
        "rmm/actions/open.html", rows=sorted(rows, key=lambda row: row.name.casefold()), back=_back()
    )


_KEPT = {True: "kept: assets stay active whatever listings say.", False: "no longer kept."}
_KEPT_ALREADY = {True: "changed: they were kept already.", False: "changed: none of them was kept."}


def _selected() -> list[UUID]:
    return read_uuids(request.form.getlist("ids"), MOST)


def _back() -> str:
    return back_url(request.values.get("back") or "devices:")


def nothing_selected() -> ResponseReturnValue:
    """Say so, where the list came from."""
    flash(NOTHING, "warning")
    return redirect(_back(), 303)


def _refreshed(found: devices.Refreshing) -> str:
    said = [f"{_counted(found.started)} being synced."]
    if found.under_way:
        said.append(f"{_counted(found.under_way)} already under way.")
    if found.left:
        said.append(f"{_counted(found.left)} left alone: deleted, or its connection does not work now.")
    return " ".join(said)


def _counted(number: int) -> str:
    return "1 device" if number == 1 else f"{number} devices"
