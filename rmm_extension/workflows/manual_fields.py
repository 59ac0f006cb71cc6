"""What a person fills in to start a workflow, read by the fields its trigger asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rmm_extension.domain.errors import Invalid
from rmm_extension.domain.values import storable
from rmm_extension.domain.workflows import ManualField

LONGEST = 10_000


def load(wanted: Sequence[ManualField], given: Mapping[str, Any]) -> dict[str, Any]:
    """Each field's value in its own type, ``None`` for one left empty; raises ``Invalid`` by their names."""
    found: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for field in wanted:
        try:
            found[field.name] = _read(field, given.get(field.name))
        except ValueError as error:
            errors[field.name] = [str(error)]
    if errors:
        raise Invalid(errors)
    return found


def _read(field: ManualField, value: Any) -> Any:
    if field.kind == "flag":
        return value is True or str(value).lower() in ("true", "on", "1", "yes", "y")
    text = "" if value is None else storable(str(value)).strip()
    if not text:
        if field.required:
            raise ValueError("Fill this in.")
        return None
    if len(text) > LONGEST:
        raise ValueError(f"This is too long: at most {LONGEST:,} characters.")
    if field.kind == "choice" and text not in field.choices:
        raise ValueError(f"Choose one of: {', '.join(field.choices)}.")
    return _number(text) if field.kind == "number" else text


def _number(text: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("Give a number.") from None
    if abs(number) > 1e15 or number != number:
        raise ValueError("Give a smaller number.")
    return int(number) if number.is_integer() else number
