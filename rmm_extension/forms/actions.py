"""The form of an action, made from its contract: what it shows, and what was typed.

Names and errors go by dotted paths: ``window.start`` for the start within a part, ``pairs.0.name`` for the
first part of a list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from rmm_extension.domain.contracts.actions import FormField
from rmm_extension.domain.contracts.inputs import split_moment
from rmm_extension.domain.masking import HIDDEN

from .texts import unix

PREFIX = "in_"
"""Before the names of an action's inputs, so that they meet none of the page's own."""
ZONE = ".zone"
"""Behind the name of a moment: the input that says where its clock hangs."""
_CLOCK = "%Y-%m-%dT%H:%M"


def typed(fields: Sequence[FormField], form: MultiDict[str, str], prefix: str = PREFIX) -> dict[str, Any]:
    """What was typed, as the contract takes it; what was left blank is left out, to have its default."""
    found = {field.name: _typed(field, form, prefix + field.name) for field in fields}
    return {name: value for name, value in found.items() if value is not None}


def _typed(field: FormField, form: MultiDict[str, str], name: str) -> Any:
    if field.kind == "flag":
        return form.get(name, "") == "1"
    if field.kind == "choices":
        return form.getlist(name) or None
    if field.kind == "texts":
        return _lines("\n".join(form.getlist(name))) or None
    if field.kind == "moment":
        return _moment(form.get(name, "").strip(), form.get(name + ZONE, "").strip())
    if field.kind == "section":
        part = typed(field.fields, form, f"{name}.")
        return part if field.required or not _is_blank(field.fields, part) else None
    if field.kind == "sections":
        parts = [typed(field.fields, form, f"{name}.{number}.") for number in _numbers(form, name)]
        return [part for part in parts if not _is_blank(field.fields, part)] or None
    text = unix(form.get(name, ""))
    return text if text.strip() else None


def _lines(text: str) -> list[str]:
    """A text for each line, empty ones between others included: an empty argument is one, too."""
    lines = unix(text).split("\n")
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _moment(clock: str, zone: str) -> str | None:
    return (f"{clock}[{zone}]" if zone else clock) if clock else None


def _numbers(form: MultiDict[str, str], name: str) -> list[int]:
    """Which parts of a list the form has sent, in their order."""
    part = re.compile(rf"{re.escape(name)}\.(\d{{1,4}})\.")
    return sorted({int(match[1]) for key in form if (match := part.match(key))})


def _is_blank(fields: Sequence[FormField], part: Mapping[str, Any]) -> bool:
    """Whether nothing was typed into a part: everything is as it was drawn."""
    return all(_is_untouched(field, part.get(field.name)) for field in fields)


def _is_untouched(field: FormField, value: Any) -> bool:
    if field.kind == "section":
        return _is_blank(field.fields, value or {})
    if field.kind == "flag":
        return bool(value) is bool(field.default)
    return value is None or (field.default is not None and str(value) == str(field.default))


def filled(fields: Sequence[FormField], value: Mapping[str, Any]) -> dict[str, Any]:
    """What the form shows for a value, by field: texts, whether a box is ticked, which of several are, the
    ``clock`` and ``zone`` of a moment, the same again for a part, the ``rows`` of a list of parts and a
    ``blank`` one.

    What a stored input hides is left blank, to be typed again.
    """
    return {field.name: _filled(field, value.get(field.name, field.default)) for field in fields}


def _filled(field: FormField, value: Any) -> Any:
    if field.kind == "flag":
        return bool(value)
    if field.kind == "choices" or (field.kind == "texts" and field.picks):
        return [str(one) for one in value] if isinstance(value, list) else []
    if field.kind == "moment":
        return _clock(_open(value))
    if field.kind == "section":
        return filled(field.fields, value if isinstance(value, Mapping) else {})
    if field.kind == "sections":
        parts = [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []
        return {
            "rows": [filled(field.fields, part) for part in parts],
            "blank": filled(field.fields, {}),
        }
    if field.kind == "json" and isinstance(value, (dict, list)):
        return _open(json.dumps(value, indent=2, ensure_ascii=False))
    if isinstance(value, list):
        return "\n".join(_open(one) for one in value)
    return _open(value)


def _clock(text: str) -> dict[str, str]:
    """A moment as its two inputs show it; one that names no zone by the clock of UTC."""
    clock, zone = split_moment(text)
    try:
        found = datetime.fromisoformat(clock)
        if found.tzinfo is not None:
            found, zone = found.astimezone(UTC), "UTC"
    except (ValueError, OverflowError):
        return {"clock": clock, "zone": zone}
    return {"clock": f"{found:{_CLOCK}}", "zone": zone}


def _open(value: Any) -> str:
    text = "" if value is None else str(value)
    return text.replace(HIDDEN, "")


def hides(value: Any) -> bool:
    """Whether a stored input hides something that has to be typed again."""
    if isinstance(value, Mapping):
        return any(hides(one) for one in value.values())
    if isinstance(value, list):
        return any(hides(one) for one in value)
    return isinstance(value, str) and HIDDEN in value


def by_field(errors: Mapping[str, Sequence[str]], fields: Sequence[FormField]) -> dict[str, list[str]]:
    """The sentences of a refusal by the path of what is drawn; those about nothing drawn by ``""``."""
    found: dict[str, list[str]] = {}
    for path, texts in errors.items():
        found.setdefault(_drawn(path.split("."), fields), []).extend(texts)
    return found


def _drawn(path: Sequence[str], fields: Sequence[FormField]) -> str:
    """As much of a path as has a place of its own in the form."""
    field = next((one for one in fields if one.name == path[0]), None)
    if field is None:
        return ""
    is_list = field.kind == "sections"
    own, rest = (path[:2], path[2:]) if is_list else (path[:1], path[1:])
    inner = _drawn(rest, field.fields) if rest and field.fields else ""
    return ".".join([*own, inner]) if inner else field.name


def labelled(
    fields: Sequence[FormField], problems: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str, str]]:
    """Path, label and sentence of each problem that has a place, for the summary on top of the form."""
    for path, texts in problems.items():
        if path:
            yield from ((path, _label(path.split("."), fields), text) for text in texts)


def _label(path: Sequence[str], fields: Sequence[FormField]) -> str:
    field = next(one for one in fields if one.name == path[0])
    rest = path[1:]
    here = field.label
    if field.kind == "sections" and rest:
        here, rest = f"{here} {int(rest[0]) + 1}", rest[1:]
    return f"{here}, {_label(rest, field.fields)}" if rest else here


def shown(field: FormField, value: Any) -> str:
    """A stored input as a page tells it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field.kind == "section" and isinstance(value, Mapping):
        parts = [(one, value[one.name]) for one in field.fields if one.name in value]
        return "\n".join(f"{one.label}: {shown(one, inner)}" for one, inner in parts)
    if field.kind == "sections" and isinstance(value, list):
        return "\n\n".join(shown(replace(field, kind="section"), one) for one in value)
    if field.kind == "json" and isinstance(value, (dict, list)):
        return json.dumps(value, indent=2, ensure_ascii=False)
    words = dict(field.choices)
    many = value if isinstance(value, list) else [value]
    return "\n".join(words.get(str(one), str(one)) for one in many)
