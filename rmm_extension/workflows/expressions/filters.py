"""The filters: what turns a value into another."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from rmm_extension.domain.values import moment
from rmm_extension.domain.wall_clock import find_zone

from .budget import Budget
from .errors import ExpressionError
from .functions import Functions
from .words import as_json, as_text, kind

LARGEST = 10**18
"""Beyond this nothing is counted or kept as a number."""

_LONGEST_SPAN = 366 * 24 * 60
_MARKDOWN = "\\`*_~[]()<>#+-!|"

FILTERS = Functions()


@FILTERS.add("default", "another value where there is none, or null", 'ticket.priority | default("normal")')
def _default(_budget: Budget, value: Any, other: Any) -> Any:
    return other if value is None else value


@FILTERS.add("upper", "the text in capital letters", "device.name | upper")
def _upper(budget: Budget, value: Any) -> str:
    return _made(budget, text(budget, value, "upper").upper())


@FILTERS.add("lower", "the text in small letters", "device.name | lower")
def _lower(budget: Budget, value: Any) -> str:
    return _made(budget, text(budget, value, "lower").lower())


@FILTERS.add("trim", "the text without blanks at both ends", "steps.look.output.stdout | trim")
def _trim(budget: Budget, value: Any) -> str:
    return text(budget, value, "trim").strip()


@FILTERS.add("replace", "the text with one part put for another", 'device.name | replace(".local", "")')
def _replace(budget: Budget, value: Any, old: Any, new: Any) -> str:
    where, old, new = (text(budget, one, "replace") for one in (value, old, new))
    if not old:
        raise ExpressionError("“replace” needs to know what to replace.")
    budget.fits(len(where) + where.count(old) * (len(new) - len(old)))
    return where.replace(old, new)


@FILTERS.add("truncate", "the beginning of the text, with … if it was cut", "alert.message | truncate(200)")
def _truncate(budget: Budget, value: Any, length: Any) -> str:
    whole, longest = text(budget, value, "truncate"), int(number(length, "truncate"))
    return whole if len(whole) <= longest else f"{whole[: max(longest - 1, 0)]}…"


@FILTERS.add("split", "the parts of the text, as a list", 'alert.message | split(";")')
def _split(budget: Budget, value: Any, separator: Any) -> list[str]:
    where, sign = text(budget, value, "split"), text(budget, separator, "split")
    if not sign:
        raise ExpressionError("“split” needs to know at what to split.")
    budget.fits(where.count(sign))
    return where.split(sign)


@FILTERS.add("join", "the list's items as one text", 'trigger.names | join(", ")')
def _join(budget: Budget, value: Any, separator: Any = ", ") -> str:
    sign = text(budget, separator, "join")
    parts = []
    length = 0
    for item in items(budget, value, "join"):
        parts.append(as_text(budget, item))
        length += len(parts[-1]) + len(sign)
        budget.fits(length)
    return sign.join(parts)


@FILTERS.add("first", "the list's first item", "steps.find.output.devices | first")
def _first(budget: Budget, value: Any) -> Any:
    return _at(items(budget, value, "first"), 0)


@FILTERS.add("last", "the list's last item", "steps.find.output.devices | last")
def _last(budget: Budget, value: Any) -> Any:
    return _at(items(budget, value, "last"), -1)


@FILTERS.add("length", "how many items or characters there are", "steps.find.output.devices | length")
def _length(_budget: Budget, value: Any) -> int:
    if not isinstance(value, (str, list, tuple, dict)):
        raise ExpressionError(f"“length” needs a text, a list or an object and got {kind(value)}.")
    return len(value)


@FILTERS.add("map", "one key of each object of a list", 'steps.find.output.devices | map("hostname")')
def _map(budget: Budget, value: Any, attribute: Any) -> list[Any]:
    return [_key(item, attribute, "map") for item in items(budget, value, "map")]


@FILTERS.add(
    "where", "the objects of a list that have this value", 'steps.find.output.devices | where("online", true)'
)
def _where(budget: Budget, value: Any, attribute: Any, equal: Any) -> list[Any]:
    return [item for item in items(budget, value, "where") if _key(item, attribute, "where") == equal]


@FILTERS.add("string", "the value as text", "alert.occurrence_count | string")
def _string(budget: Budget, value: Any) -> str:
    return as_text(budget, value)


@FILTERS.add("int", "the whole number a text or number says", "steps.look.output.stdout | trim | int")
def _int(budget: Budget, value: Any) -> int:
    return int(_number_of(budget, value, "int"))


@FILTERS.add("float", "the number a text says", "steps.look.output.stdout | trim | float")
def _float(budget: Budget, value: Any) -> float:
    return float(_number_of(budget, value, "float"))


@FILTERS.add("round", "the number with so many decimals", "steps.look.output.percent | round(1)")
def _round(_budget: Budget, value: Any, digits: Any = 0) -> float | int:
    places = int(number(digits, "round"))
    if not 0 <= places <= 10:
        raise ExpressionError("“round” keeps from 0 to 10 decimals.")
    return round(number(value, "round"), places or None)


@FILTERS.add("tojson", "the value as JSON", "trigger | tojson")
def _tojson(budget: Budget, value: Any) -> str:
    return as_json(budget, value)


@FILTERS.add(
    "escape_markdown", "the text as it stands, in an Adaptive Card", "alert.message | escape_markdown"
)
def _escape_markdown(budget: Budget, value: Any) -> str:
    whole = text(budget, value, "escape_markdown")
    budget.fits(len(whole) + sum(whole.count(sign) for sign in _MARKDOWN))
    return "".join(f"\\{letter}" if letter in _MARKDOWN else letter for letter in whole)


@FILTERS.add("plus", "a later time, by days, hours and minutes", "run.started_at | plus(hours=2)")
def _plus(budget: Budget, value: Any, days: Any = 0, hours: Any = 0, minutes: Any = 0) -> str:
    given = (number(days, "plus") * 1_440, number(hours, "plus") * 60, number(minutes, "plus"))
    if abs(sum(given)) > _LONGEST_SPAN:
        raise ExpressionError("“plus” goes at most a year away.")
    return (_moment(budget, value, "plus") + timedelta(minutes=sum(given))).isoformat()


@FILTERS.add("in_zone", "the time by the clock of a zone", 'run.started_at | in_zone("Europe/Berlin")')
def _in_zone(budget: Budget, value: Any, zone: Any) -> str:
    found = find_zone(text(budget, zone, "in_zone"))
    if found is None:
        raise ExpressionError("“in_zone” needs the name of a zone, such as Europe/Berlin.")
    return _moment(budget, value, "in_zone").astimezone(found).isoformat()


def text(budget: Budget, value: Any, name: str) -> str:
    """The value, which must be a text; reading it counts."""
    if not isinstance(value, str):
        raise ExpressionError(f"“{name}” needs a text and got {kind(value)}.")
    budget.spend(len(value))
    return value


def number(value: Any, name: str) -> float | int:
    """The value, which must be a number that can be counted with."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        hint = " Write | int or | float behind it." if isinstance(value, str) else ""
        raise ExpressionError(f"“{name}” needs a number and got {kind(value)}.{hint}")
    # Whole numbers can be longer than what Python makes a float of.
    if abs(value) > LARGEST or math.isnan(value):
        raise ExpressionError(f"“{name}” met a number that is too large.")
    return value


def items(budget: Budget, value: Any, name: str) -> list[Any]:
    """The value, which must be a list; each item counts."""
    if not isinstance(value, (list, tuple)):
        raise ExpressionError(f"“{name}” needs a list and got {kind(value)}.")
    budget.spend(len(value))
    return list(value)


def _made(budget: Budget, value: str) -> str:
    budget.fits(len(value))
    return value


def _at(found: list[Any], place: int) -> Any:
    return found[place] if found else None


def _key(item: Any, attribute: Any, name: str) -> Any:
    if not isinstance(item, dict):
        raise ExpressionError(f"“{name}” needs a list of objects; in this one is {kind(item)}.")
    return item.get(attribute) if isinstance(attribute, str) else None


def _number_of(budget: Budget, value: Any, name: str) -> float | int:
    if not isinstance(value, str):
        return number(value, name)
    said = text(budget, value, name).strip()
    try:
        return number(float(said) if not said.lstrip("+-").isdecimal() else int(said[:40]), name)
    except ValueError as error:
        raise ExpressionError(f"“{name}” needs a number; “{said[:40]}” is none.") from error


def _moment(budget: Budget, value: Any, name: str) -> datetime:
    found = moment(text(budget, value, name)[:50])
    if found is None:
        raise ExpressionError(f"“{name}” needs a time, such as run.started_at.")
    return found
