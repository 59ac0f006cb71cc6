"""The form of a maintenance window: the window's JSON as fields, and back.

What is right is said by the window's contract; the form adds only what it alone can know: what a time on the
wall clock of a zone means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as part
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice

from rmm_extension.domain.contracts.windows import UNKNOWN_ZONE
from rmm_extension.domain.wall_clock import find_zone, instant
from rmm_extension.domain.window_words import DAYS, WEEK
from rmm_extension.domain.windows import Window

Options = Sequence[tuple[str, str]]
Errors = dict[str, list[str]]

ONCE, WEEKLY = "once", "weekly"
_KINDS = [SelectChoice(ONCE, "Once"), SelectChoice(WEEKLY, "Every week")]
_DAYS = [SelectChoice(str(day), DAYS[day]) for day in WEEK]
_CLOCK = "%Y-%m-%dT%H:%M"
_FIELDS = {
    "name": "name",
    "isActive": "is_active",
    "atVendor": "at_vendor",
    "startsAt": "starts",
    "endsAt": "ends",
    "integrationId": "connection",
    "clientId": "client",
    "assetId": "asset",
    "recurrence.days": "days",
    "recurrence.startTime": "start_time",
    "recurrence.endTime": "end_time",
    "recurrence.timezone": "timezone",
}
"""The field of each place in a window's JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowChoices:
    """What the form offers. ``has_assets`` is false where the host has no port for assets; ``at_vendor`` are
    the vendors that can be told of maintenance, by connection."""

    connections: Options = ()
    clients: Options = ()
    has_assets: bool = True
    at_vendor: Mapping[str, str] = part(default_factory=dict)


class WindowForm(FlaskForm):  # type: ignore[misc]
    """Every field of the editor. It is not validated: :meth:`refuse` takes what is wrong."""

    name = StringField("Name", description="What people call it; it stands in the history of alerts.")
    is_active = BooleanField("Active", description="A window that is off suppresses nothing.")
    at_vendor = BooleanField("Also put these devices into maintenance at the vendor")
    kind = RadioField("When", choices=_KINDS, validate_choice=False)
    starts = StringField("Starts", render_kw={"type": "datetime-local"})
    ends = StringField("Ends", render_kw={"type": "datetime-local"})
    days = SelectMultipleField("Days", choices=_DAYS, validate_choice=False)
    start_time = StringField("From", render_kw={"type": "time"})
    end_time = StringField(
        "To",
        render_kw={"type": "time"},
        description="An earlier time than “From” is one of the following day.",
    )
    timezone = StringField(
        "Time zone",
        render_kw={"list": "rmm-zones", "autocomplete": "off", "spellcheck": "false"},
        description="Type a city or a region. The times above are those of a clock there.",
    )
    connection = SelectField("Connection", validate_choice=False)
    client = SelectField("Client", validate_choice=False)
    asset = StringField(
        "Asset",
        render_kw={"list": "rmm-assets", "autocomplete": "off", "spellcheck": "false"},
        description="Type part of a device's name and choose one. Empty: every asset.",
    )
    asset_id = HiddenField()
    asset_before = HiddenField()
    """The asset that stands in the field when the form is opened, and how it is called there."""

    def read(self, asset_id: str | None) -> tuple[dict[str, Any], Errors]:
        """The window's JSON as it is filled in, and what is wrong with its times before the contract sees it.

        A time that cannot be told is given as if it were UTC: the contract then says what else is wrong.
        """
        errors: Errors = {}
        value: dict[str, Any] = {
            "name": self.name.data or "",
            "isActive": bool(self.is_active.data),
            "atVendor": "at_vendor" in self and bool(self.at_vendor.data),
            "integrationId": self.connection.data or None,
            "clientId": self.client.data or None,
            "assetId": asset_id,
        }
        if self.kind.data == WEEKLY:
            value["recurrence"] = self._recurrence()
        else:
            zone = find_zone((self.timezone.data or "").strip())
            if zone is None:
                errors["recurrence.timezone"] = [UNKNOWN_ZONE]
            for key in ("startsAt", "endsAt"):
                value[key] = self._instant(key, zone, errors)
        return value, errors

    def refuse(self, errors: Mapping[str, Sequence[str]]) -> list[str]:
        """Put each sentence at its field; the rest is returned for the top of the form."""
        general: list[str] = []
        for path, sentences in errors.items():
            name = _FIELDS.get(path) or _FIELDS.get(path.rpartition(".")[0])
            if name is None or name not in self:
                general += sentences
            else:
                self[name].errors = list(dict.fromkeys([*self[name].errors, *sentences]))
        return general

    def _recurrence(self) -> dict[str, Any]:
        known = {choice.value for choice in _DAYS}
        days = [int(day) if day in known else day for day in self.days.data or []]
        return {
            "type": "weekly",
            "days": days,
            "startTime": (self.start_time.data or "").strip(),
            "endTime": (self.end_time.data or "").strip(),
            "timezone": (self.timezone.data or "").strip(),
        }

    def _instant(self, key: str, zone: ZoneInfo | None, errors: Errors) -> str | None:
        typed = (self[_FIELDS[key]].data or "").strip()
        if not typed:
            return None
        try:
            shown = datetime.fromisoformat(typed).replace(tzinfo=None)
            meant = instant(shown, zone) if zone else shown.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return typed
        if meant is None:
            errors[key] = [f"There is no {shown:%H:%M} on that day: the clocks are set forward over it."]
            return shown.replace(tzinfo=UTC).isoformat()
        return meant.isoformat()


def window_form(choices: WindowChoices, values: Mapping[str, Any], **options: Any) -> WindowForm:
    """The form with what it offers: as it was sent, else filled with these values."""
    form = WindowForm(data=values, **options)
    for field in (form.name, form.timezone, form.starts, form.ends, form.start_time, form.end_time):
        field.flags.required = True
    _offer(form.connection, choices.connections, "Every connection")
    _offer(form.client, choices.clients, "Every client")
    if choices.at_vendor:
        vendors = " and ".join(sorted(set(choices.at_vendor.values())))
        form.at_vendor.description = (
            f"{vendors} is told of the same time, and raises no alerts of them until then."
        )
    else:
        del form.at_vendor
    if not choices.has_assets:
        del form.asset, form.asset_id, form.asset_before
    return form


def field_values(window: Window, is_active: bool, at_vendor: bool, zone_name: str) -> dict[str, Any]:
    """A stored window as the form's fields hold it; a one-off one by the clock of the given zone."""
    weekly = window.recurrence or {}
    zone: tzinfo = find_zone(zone_name) or UTC
    return {
        "name": window.name,
        "is_active": is_active,
        "at_vendor": at_vendor,
        "kind": WEEKLY if window.recurrence else ONCE,
        "starts": _shown(window.starts_at, zone),
        "ends": _shown(window.ends_at, zone),
        "days": [str(day) for day in weekly.get("days") or ()],
        "start_time": weekly.get("startTime") or "",
        "end_time": weekly.get("endTime") or "",
        "timezone": weekly.get("timezone") or zone_name,
        "connection": str(window.integration_id or ""),
        "client": window.client_id or "",
    }


def new_values(name: str, starts: datetime, ends: datetime, zone_name: str) -> dict[str, Any]:
    """What a new window's form begins with."""
    zone: tzinfo = find_zone(zone_name) or UTC
    return {
        "name": name,
        "is_active": True,
        "kind": ONCE,
        "starts": _shown(starts, zone),
        "ends": _shown(ends, zone),
        "start_time": "22:00",
        "end_time": "02:00",
        "timezone": zone_name,
    }


def _shown(moment: datetime | None, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):{_CLOCK}}" if moment else ""


def _offer(field: SelectField, options: Options, none: str) -> None:
    """Fill a select; a value that is offered no more stays, so that saving says so instead of dropping it."""
    choices = [SelectChoice("", none), *(SelectChoice(*option) for option in options)]
    if field.data and field.data not in {choice.value for choice in choices}:
        choices.append(SelectChoice(field.data, f"{field.data} (not there any more)"))
    field.choices = choices
