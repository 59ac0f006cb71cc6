"""Values in words and as text."""

from __future__ import annotations

import json
from typing import Any

from .budget import Budget
from .errors import ExpressionError


def kind(value: Any) -> str:
    """What a person calls such a value."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, (list, tuple)) else "an object"


def as_text(budget: Budget, value: Any) -> str:
    """The value as it stands in a text: nothing for null, JSON for lists and objects."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, (bool, list, tuple, dict)):
        return as_json(budget, value)
    return str(value)


def as_json(budget: Budget, value: Any) -> str:
    """The value as JSON."""
    try:
        written = json.dumps(budget.checked(value), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ExpressionError("This cannot be written as JSON.") from error
    budget.fits(len(written))
    return written
