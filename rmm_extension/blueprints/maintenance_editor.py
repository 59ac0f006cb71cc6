"""The editor of a maintenance window, with the times it will hold at."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rmm_extension.domain.wall_clock import find_zone, instant
from rmm_extension.domain.window_words import moment_words, span
from rmm_extension.domain.windows import Window, next_occurrences
from rmm_extension.forms.maintenance import (
    Errors,
    WindowChoices,
    WindowForm,
    field_values,
    new_values,
    window_form,
)
from rmm_extension.models import MaintenanceWindow, utc_now
from rmm_extension.services import maintenance
from rmm_extension.services.maintenance import UnknownWindow, WindowInvalid, window_of
from rmm_extension.services.queries import vendor_maintenance
from rmm_extension.services.queries import windows as queries
from rmm_extension.services.unit import unit
from rmm_extension.services.window_scopes import maintainable

from .access import requires
from .choices import client_options, connection_options
from .context import actor, current_rmm, end_reading, session
from .narrowing import argument, uuid_argument
from .routing import Routes
from .zones import zones

routes = Routes()

OFFERED_ASSETS = 20
_TIMES = ("", "startsAt", "endsAt", "recurrence")
"""Places in a window's JSON that the preview of its times is about."""
_WITH_ID = re.compile(r"\[(?P<id>[^\[\]]+)\]\s*$")


@dataclass(frozen=True, slots=True)
class Preview:
    """The next times of a window, each by the clock of its own zone and in UTC; or why there are none."""

    zone: str
    times: Sequence[tuple[str, str]] = ()
    problems: Sequence[str] = ()


@routes.form("/maintenance/new")
@requires("rmm.configure")
def window_new() -> ResponseReturnValue:
    """A new window. The address may name what it is for (``asset``, ``client``, ``connection``) and how long
    it holds from now on (``for``)."""
    form = _form(_prefilled())
    return _page(form, None) if _only_shows() else _saved(form, None)


@routes.form("/maintenance/<uuid:window_id>")
@requires("rmm.configure")
def window_page(window_id: UUID) -> ResponseReturnValue:
    """Everything of a window."""
    found = queries.window(session(), actor().tenant_id, window_id)
    if found is None:
        raise UnknownWindow
    form = _form(_stored_values(found))
    return _page(form, found) if _only_shows() else _saved(form, found)


@routes.get("/maintenance/preview")
@requires("rmm.configure")
def window_preview() -> ResponseReturnValue:
    """The next times of the window that the editor's fields describe, as JSON."""
    form = window_form(WindowChoices(), {}, formdata=request.args, meta={"csrf": False})
    shown = _preview(form)
    times = [{"local": local, "utc": utc} for local, utc in shown.times]
    return jsonify(zone=shown.zone, times=times, problems=list(shown.problems))


@routes.get("/maintenance/assets")
@requires("rmm.configure")
def window_assets() -> ResponseReturnValue:
    """Assets whose device has this in its name, as the editor offers them, as JSON."""
    part = argument("q")
    found = _assets_like(part) if part else []
    return jsonify(assets=_labels(found))


def _only_shows() -> bool:
    """Opened, or sent by “Show the next times”: nothing is saved."""
    return request.method == "GET" or request.form.get("do") == "show"


def _saved(form: WindowForm, stored: MaintenanceWindow | None) -> ResponseReturnValue:
    asset_id, errors = _asset_of(form)
    value, wrong_times = form.read(asset_id)
    errors |= wrong_times
    try:
        if errors:
            maintenance.draft_window(value)
            raise WindowInvalid({})
        window_id = stored.id if stored else None
        end_reading()
        flash(_save(window_id, value), "success")
    except WindowInvalid as error:
        return _page(form, stored, {**error.errors, **errors}), 422
    return redirect(url_for("rmm.window_list"), 303)


def _save(window_id: UUID | None, value: Mapping[str, Any]) -> str:
    """Save, and say how the window stands now."""
    with unit(current_rmm()) as opened:
        if window_id is None:
            row, what = maintenance.create(current_rmm(), opened, actor(), value), "was added"
        else:
            row, what = maintenance.update(current_rmm(), opened, actor(), window_id, value), "is saved"
        return f"“{row.name}” {what}. {_standing(row)}"


def _standing(row: MaintenanceWindow) -> str:
    now = utc_now()
    state, coming = queries.state_of(row, now), next_occurrences(window_of(row), now, 1)
    if state == queries.OFF:
        return "It is off and suppresses nothing."
    if not coming:
        return "It is over and suppresses nothing."
    start, end = coming[0]
    if state == queries.RUNNING:
        return f"It holds now, until {moment_words(end.astimezone(UTC))} UTC."
    return f"Next: {span((start, end), UTC)} UTC."


def _page(
    form: WindowForm, stored: MaintenanceWindow | None, errors: Mapping[str, Sequence[str]] | None = None
) -> str:
    general = form.refuse(errors or {})
    shown = _preview(form)
    return render_template(
        "rmm/maintenance/edit.html",
        form=form,
        stored=stored,
        state=queries.state_of(stored, utc_now()) if stored else None,
        general=general,
        preview=shown,
        zones=zones(),
        assets=_offered_assets(form),
        vendors=_vendors(),
        at_vendor=vendor_maintenance.of_window(session(), actor().tenant_id, stored.id) if stored else None,
        is_wished=stored is not None and stored.at_vendor,
    )


def _preview(form: WindowForm) -> Preview:
    """The next three times; problems with its name or scope do not matter here."""
    value, errors = form.read(None)
    value = {**value, "name": "-", "integrationId": None, "clientId": None, "atVendor": False}
    zone_name = (form.timezone.data or "").strip()
    try:
        window = maintenance.draft_window(value)
    except WindowInvalid as error:
        errors = {**error.errors, **errors}
    if errors:
        told = [text for path, texts in errors.items() if path.split(".")[0] in _TIMES for text in texts]
        return Preview(zone_name, problems=list(dict.fromkeys(told)))
    return Preview(zone_name, times=_times(window, zone_name))


def _times(window: Window, zone_name: str) -> list[tuple[str, str]]:
    zone = find_zone(zone_name) or UTC
    return [(span(found, zone), span(found, UTC)) for found in next_occurrences(window, utc_now())]


def _form(values: Mapping[str, Any]) -> WindowForm:
    chosen = request.form.get("client") or values.get("client") or None
    choices = WindowChoices(
        connections=connection_options(),
        clients=client_options(chosen),
        has_assets=current_rmm().host.assets is not None,
        at_vendor=_vendors(),
    )
    return window_form(choices, values)


def _vendors() -> dict[str, str]:
    """The vendors that can be told of maintenance, by the id of their connection."""
    found = maintainable(current_rmm(), session(), actor().tenant_id)
    return {str(integration_id): label for integration_id, label in found.items()}


def _stored_values(row: MaintenanceWindow) -> dict[str, Any]:
    values = field_values(window_of(row), row.is_active, row.at_vendor, _zone_name())
    if row.asset_id:
        name = _asset_name(row.asset_id) or f"An asset that is gone [{row.asset_id}]"
        values |= _asset_values(row.asset_id, name)
    return values


def _prefilled() -> dict[str, Any]:
    zone_name = _zone_name()
    now = utc_now().replace(second=0, microsecond=0)
    starts, ends = _duration(argument("for"), now, zone_name)
    asset_id = argument("asset")
    asset = _asset_name(asset_id)
    return {
        **new_values(f"Maintenance of {asset}" if asset else "", starts, ends, zone_name),
        **(_asset_values(asset_id, asset) if asset_id and asset else {}),
        "client": argument("client") or "",
        "connection": str(uuid_argument("connection") or ""),
    }


def _duration(wanted: str | None, now: datetime, zone_name: str) -> tuple[datetime, datetime]:
    """From when until when a new window holds: from now on as asked for, else for two hours from the next
    full hour."""
    if wanted in _SPANS:
        return now, now + _SPANS[wanted]
    if wanted == "tomorrow":
        zone = find_zone(zone_name) or find_zone("UTC")
        assert zone is not None
        tomorrow = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(8))
        return now, instant(tomorrow, zone) or now + timedelta(days=1)
    hour = now.replace(minute=0) + timedelta(hours=1)
    return hour, hour + timedelta(hours=2)


_SPANS = {"1h": timedelta(hours=1), "4h": timedelta(hours=4)}


def _zone_name() -> str:
    return queries.last_zone(session(), actor().tenant_id) or "UTC"


def _offered_assets(form: WindowForm) -> list[str]:
    """Assets like what is typed, while that names none."""
    typed = form.asset.data if "asset" in form else ""
    if not typed or typed == form.asset_before.data or _WITH_ID.search(typed):
        return []
    return _labels(_assets_like(typed))


def _asset_of(form: WindowForm) -> tuple[str | None, Errors]:
    """The asset that was chosen, or whose device has the name that was typed."""
    typed = _plain(form.asset.data) if "asset" in form else ""
    if not typed:
        return None, {}
    if typed == _plain(form.asset_before.data):
        return form.asset_id.data, {}
    if with_id := _WITH_ID.search(typed):
        return with_id["id"], {}
    same = {asset_id for asset_id, name in _assets_like(typed) if name.casefold() == typed.casefold()}
    if len(same) == 1:
        return same.pop(), {}
    if same:
        return None, {"assetId": [f"Several assets have a device named “{typed}”: choose one of the list."]}
    return None, {"assetId": [f"No asset has a device named “{typed}”: choose one of the list."]}


def _assets_like(part: str) -> list[tuple[str, str]]:
    found = queries.devices_with_asset(session(), actor().tenant_id, part, OFFERED_ASSETS)
    return list(dict.fromkeys((row.asset_id, row.name or "") for row in found))


def _labels(found: Sequence[tuple[str, str]]) -> list[str]:
    """What is offered for each asset: its device's name, with the asset's id where several share it."""
    shared = Counter(name for _, name in found)
    return [name if shared[name] == 1 else f"{name} [{asset_id}]" for asset_id, name in found]


def _asset_values(asset_id: str, name: str) -> dict[str, str]:
    """A chosen asset as the form's fields hold it."""
    return {"asset": name, "asset_before": name, "asset_id": asset_id}


def _asset_name(asset_id: str | None) -> str | None:
    port = current_rmm().host.assets
    if not asset_id or port is None:
        return None
    found = port.get_many(session(), actor().tenant_id, [asset_id]).get(asset_id)
    return found.name if found else None


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())[:500]
