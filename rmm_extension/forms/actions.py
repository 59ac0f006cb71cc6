"""The form of an action, made from its contract: what it shows, and what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from rmm_extension.domain.contracts.actions import FormField
from rmm_extension.domain.masking import HIDDEN

PREFIX = "in_"
"""Before the names of an action's inputs, so that they meet none of the page's own."""


def typed(fields: Sequence[FormField], form: MultiDict[str, str]) -> dict[str, Any]:
    """What was typed, as the contract takes it; what was left blank is left out, to have its default."""
    found = {field.name: _typed(field, form.get(PREFIX + field.name, "")) for field in fields}
    return {name: value for name, value in found.items() if value is not None}


def _typed(field: FormField, text: str) -> Any:
    if field.kind == "flag":
        return text == "1"
    if field.kind == "texts":
        return _lines(text) or None
    return text if text.strip() else None


def _lines(text: str) -> list[str]:
    """A text for each line, empty ones between others included: an empty argument is one, too."""
    lines = text.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    return lines


def filled(fields: Sequence[FormField], value: Mapping[str, Any]) -> dict[str, Any]:
    """What the form shows for a value, by field: texts, and whether a box is ticked.

    What a stored input hides is left blank, to be typed again.
    """
    return {field.name: _filled(field, value.get(field.name, field.default)) for field in fields}


def _filled(field: FormField, value: Any) -> Any:
    if field.kind == "flag":
        return bool(value)
    if isinstance(value, list):
        return "\n".join(_open(one) for one in value)
    return _open(value)


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
