"""What booking somebody takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validates_schema

from rmm_extension.domain.contracts.actions import Choice, Texts, says
from rmm_extension.domain.contracts.inputs import Moment
from rmm_extension.domain.contracts.strict import Section, Strict, Text
from rmm_extension.domain.contracts.windows import UNKNOWN_ZONE
from rmm_extension.domain.wall_clock import find_zone

FAIL, SHIFT, OVERRIDE = "fail", "shift", "override"
MODES = (
    (FAIL, "Book nothing"),
    (SHIFT, "Begin when the last of it ends"),
    (OVERRIDE, "Book it all the same"),
)
TICKET, PROJECT_TASK = "ticket", "project_task"


class Window(Strict):
    """From when until when; a time without a zone of its own is by the clocks of ``timezone``."""

    start = Moment(required=True, metadata=says("From"))
    end = Moment(required=True, metadata=says("Until"))
    timezone = Text(
        64, metadata=says("Time zone", "Such as Europe/Berlin: for times that do not name theirs.")
    )

    @pre_load
    def _zoned(self, data: Any, **_: Any) -> Any:
        zone = data.get("timezone") if isinstance(data, Mapping) else None
        if not isinstance(zone, str) or find_zone(zone.strip()) is None:
            return data
        given = {name: data[name] for name in ("start", "end") if name in data}
        return {**data, **{name: _in_zone(value, zone.strip()) for name, value in given.items()}}

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_: Any) -> None:
        if "timezone" in data and find_zone(data["timezone"]) is None:
            raise ValidationError(UNKNOWN_ZONE, "timezone")
        if datetime.fromisoformat(data["start"]) >= datetime.fromisoformat(data["end"]):
            raise ValidationError("This is not after the beginning.", "end")


def _in_zone(value: Any, zone: str) -> Any:
    """The moment with the zone behind it, where it has none; whatever else it is as it was."""
    try:
        shown = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        return value
    return f"{shown.isoformat()}[{zone}]" if shown.tzinfo is None else value


class Link(Strict):
    """What the time is for."""

    type = Choice(((TICKET, "Ticket"), (PROJECT_TASK, "Project task")), required=True, metadata=says("For a"))
    id = Text(100, required=True, metadata=says("Its id", picks="ticket"))


class CreateEntry(Strict):
    """Who is booked, when, and what happens if they have something then."""

    assigned_user_ids = Texts(
        50, 100, fewest=1, required=True, metadata=says("Technicians", picks="technician")
    )
    title = Text(255, required=True, metadata=says("What"))
    window = Section(Window, required=True, metadata=says("When"))
    link = Section(Link, metadata=says("For"))
    notes = Text(10_000, trimmed=False, metadata=says("Notes"))
    conflict_mode = Choice(MODES, load_default=FAIL, metadata=says("If they have something then"))


class CreatedEntry(Strict):
    """The entry; or, where nothing was booked, whom that is about."""

    entry_id = fields.String()
    assigned_user_ids = fields.List(fields.String())
    start = fields.String()
    end = fields.String()
    work_item_id = fields.String(allow_none=True)
    work_item_type = fields.String()
    conflicting_user_ids = fields.List(fields.String())
    missing_user_ids = fields.List(fields.String())
