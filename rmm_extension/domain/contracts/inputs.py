"""Kinds of inputs beside numbers and words: moments, parts with a contract of their own, lists, free JSON.

What they load is JSON as well: an action's input is stored, sealed and compared as it was given.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, validate

from rmm_extension.domain import values
from rmm_extension.domain.wall_clock import find_zone, instant

from .strict import Section, Strict
from .windows import UNKNOWN_ZONE


class Number(fields.Float):
    """A number within its range, with or without a point; the text of one is one, as forms send it."""

    def __init__(self, smallest: float, largest: float, **options: Any) -> None:
        words = f"Give a number from {smallest:,} to {largest:,}."
        self.smallest, self.largest = smallest, largest
        super().__init__(
            validate=validate.Range(smallest, largest, error=words),
            error_messages={
                **dict.fromkeys(("invalid", "null", "too_large", "special"), words),
                "required": f"Fill this in. {words}",
            },
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return float(super()._deserialize(value, attr, data, **kwargs))


class Moment(fields.String):
    """A date and a time with its zone, as ISO 8601: ``2026-11-22T10:00:00+01:00``; or a clock's, with the
    name of the zone it hangs in: ``2026-11-22T10:00[Europe/Berlin]``.

    Loaded as a text of the first kind, which ``datetime.fromisoformat`` reads, by the clock it was given in.
    """

    default_error_messages = {  # noqa: RUF012 - as marshmallow declares it
        "required": "Fill this in.",
        "null": "This must be a date and a time; leave it out to have none.",
        "invalid": "Give a date and a time with its zone, as in 2026-11-22T10:00:00+01:00.",
        "zone": UNKNOWN_ZONE,
        "gap": "There is no such time on that day: the clocks are set forward over it.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            found = value if isinstance(value, datetime) else self._read(str(value).strip())
            # What no clock elsewhere could show is refused with what is no time at all.
            if found.tzinfo is not None and found.astimezone(UTC):
                return found.isoformat()
        except (ValueError, OverflowError):
            pass
        raise self.make_error("invalid", input=value)

    def _read(self, text: str) -> datetime:
        clock, name = split_moment(text)
        shown = datetime.fromisoformat(clock)
        if not name or shown.tzinfo is not None:
            return shown
        zone = find_zone(name)
        if zone is None:
            raise self.make_error("zone")
        meant = instant(shown, zone)
        if meant is None:
            raise self.make_error("gap")
        return meant.astimezone(zone)


def split_moment(text: str) -> tuple[str, str]:
    """What the clock shows, and the name of its zone where one is given in brackets behind it."""
    clock, bracket, rest = text.partition("[")
    return (clock, rest.removesuffix("]")) if bracket else (text, "")


class Choices(fields.List[Any]):
    """Several of the given words, each once; ``choices`` are pairs of a word and what a page says for it."""

    def __init__(self, choices: Sequence[tuple[str, str]], *, fewest: int = 0, **options: Any) -> None:
        words = f"Choose among: {', '.join(word for word, _ in choices)}."
        self.choices, self.fewest = tuple(choices), fewest
        known = validate.OneOf([word for word, _ in choices], error=words)
        item = fields.String(validate=known, error_messages=dict.fromkeys(("invalid", "null"), words))
        super().__init__(
            item,
            validate=validate.Length(min=fewest, error=f"Choose at least {fewest}."),
            error_messages={**dict.fromkeys(("invalid", "null"), "This must be a list."), "required": words},
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        return list(dict.fromkeys(super()._deserialize(value, attr, data, **kwargs)))


class Sections(fields.List[Any]):
    """Parts of one contract, in their order."""

    def __init__(self, contract: type[Strict], most: int, *, fewest: int = 0, **options: Any) -> None:
        self.contract, self.fewest, self.most = contract, fewest, most
        limits = [
            validate.Length(min=fewest, error=f"Give at least {fewest}."),
            validate.Length(max=most, error=f"These are too many: at most {most:,}."),
        ]
        super().__init__(
            Section(contract),
            validate=limits,
            error_messages={
                **dict.fromkeys(("invalid", "null"), "This must be a list."),
                "required": "Fill this in.",
            },
            **options,
        )


class Json(fields.Field[Any]):
    """An object or a list of JSON that the database can keep; the text of one is one, as forms send it.

    ``longest`` counts the characters of its shortest text.
    """

    default_error_messages = {  # noqa: RUF012
        "required": "Fill this in.",
        "null": "This must be JSON; leave it out to have none.",
        "invalid": "This must be JSON: an object in braces or a list in brackets.",
        "unstorable": "This is nested too deep, or contains a character that cannot be stored.",
        "too_long": "This is too long: at most {longest:,} characters.",
    }

    def __init__(self, longest: int = 100_000, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            found = json.loads(value, parse_constant=_no_number) if isinstance(value, str) else value
            text = json.dumps(found, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
        except (ValueError, TypeError, RecursionError) as error:
            raise self.make_error("invalid", input=value) from error
        if not isinstance(found, (dict, list)):
            raise self.make_error("invalid", input=value)
        if len(text) > self.longest:
            raise self.make_error("too_long", longest=self.longest)
        if values.storable(found) != found:
            raise self.make_error("unstorable")
        return found


def _no_number(word: str) -> None:
    raise ValidationError(f"{word} is no JSON.")
