"""The JSON of a maintenance window: when it holds and for what. Strict: no unknown keys.

What is refused is refused in sentences, all of them at once; :func:`~.strict.problems` says where each one
belongs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from rmm_extension.domain.wall_clock import find_zone

from .strict import Flag, Section, Strict, Text

NAME_LENGTH = 255
UNKNOWN_ZONE = "This time zone is not known. Choose one such as Europe/Berlin."
_ID_LENGTH, _ZONE_LENGTH = 255, 64
_WHEN_NONE = "Say when it holds: from when until when, or on which days of the week."
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class _Moment(fields.AwareDateTime):
    """An instant with its zone, in ISO 8601."""

    default_error_messages = {  # noqa: RUF012 - as marshmallow declares it
        "invalid": "Give a date and a time.",
        "invalid_awareness": "Give the time with its zone, such as 2026-11-21T02:00:00Z.",
    }

    def __init__(self) -> None:
        super().__init__(format="iso", allow_none=True, load_default=None)


class _Day(fields.Integer):
    """A day of the week; 0 is Sunday."""

    def __init__(self) -> None:
        words = "Days are the numbers 0 (Sunday) to 6 (Saturday)."
        super().__init__(
            strict=True,
            validate=validate.Range(0, 6, error=words),
            error_messages={"invalid": words, "null": words, "too_large": words},
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class _Days(fields.List[Any]):
    """At least one day, each once, in the order of the week."""

    def __init__(self) -> None:
        super().__init__(
            _Day(),
            required=True,
            validate=validate.Length(min=1, error="Choose at least one day."),
            error_messages={
                "required": "Choose at least one day.",
                "invalid": "This must be a list of days.",
                "null": "This must be a list of days.",
            },
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        return sorted(set(super()._deserialize(value, attr, data, **kwargs)))


def _clock_time(value: str) -> None:
    if not _CLOCK.fullmatch(value):
        raise ValidationError("Give a time of the day as hours and minutes, such as 22:00.")


def _known_zone(value: str) -> None:
    """A name from the IANA database, whatever a file system would make of it."""
    if find_zone(value) is None:
        raise ValidationError(UNKNOWN_ZONE)


class RecurrenceSchema(Strict):
    """Every week on the same days; times are the wall clock's in the zone. One that ends before it starts is
    over on the following day."""

    type = fields.String(
        required=True,
        validate=validate.OneOf(["weekly"], error="Only weekly windows can repeat."),
        error_messages={"required": "Only weekly windows can repeat."},
    )
    days = _Days()
    startTime = Text(5, required=True, validate=_clock_time)  # noqa: N815 - the JSON's own names
    endTime = Text(5, required=True, validate=_clock_time)  # noqa: N815
    timezone = Text(_ZONE_LENGTH, required=True, validate=_known_zone)

    @validates_schema
    def _lasts(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if data["startTime"] == data["endTime"]:
            raise ValidationError("It must not end at the minute it starts.", "endTime")


class WindowSchema(Strict):
    """A whole window: a one-off range or a recurrence. A scope that is ``null`` takes everything."""

    name = Text(NAME_LENGTH, required=True)
    integrationId = fields.UUID(  # noqa: N815
        allow_none=True, load_default=None, error_messages={"invalid_uuid": "There is no such connection."}
    )
    clientId = Text(_ID_LENGTH, allow_none=True, load_default=None)  # noqa: N815
    assetId = Text(_ID_LENGTH, allow_none=True, load_default=None)  # noqa: N815
    isActive = Flag(load_default=True)  # noqa: N815
    atVendor = Flag(load_default=False)  # noqa: N815
    startsAt = _Moment()  # noqa: N815
    endsAt = _Moment()  # noqa: N815
    recurrence = Section(RecurrenceSchema, allow_none=True, load_default=None)

    @validates_schema(skip_on_field_errors=False)
    def _has_its_time(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if not {"startsAt", "endsAt", "recurrence"} <= data.keys():
            return  # one of them is refused already
        start, end = data["startsAt"], data["endsAt"]
        if data["recurrence"] is not None:
            if start is not None or end is not None:
                raise ValidationError("Give either a time range or the days of the week, not both.")
        elif start is None and end is None:
            raise ValidationError(_WHEN_NONE)
        elif start is None or end is None:
            raise ValidationError("Fill this in, too.", "startsAt" if start is None else "endsAt")
        elif start >= end:
            raise ValidationError("It must end after it starts.", "endsAt")


_WINDOW = WindowSchema()


def load_window(value: Mapping[str, Any]) -> dict[str, Any]:
    """A whole window with its defaults; raises ``marshmallow.ValidationError`` with all that is wrong."""
    loaded = dict(_WINDOW.load(value))
    return {**loaded, "name": " ".join(loaded["name"].split())}
