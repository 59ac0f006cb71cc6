"""The inputs of a step, worked out with what the run sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rmm_extension.domain.workflows import Binding

from .expressions import ExpressionError, render


def work_out(bindings: Mapping[str, Binding], seen: Mapping[str, Any]) -> dict[str, Any]:
    """What the action is given: dotted names (``window.start``) become parts of one another, and an
    expression that gives null leaves its input out. Raises ``ExpressionError`` that names the input."""
    found: dict[str, Any] = {}
    for path, binding in bindings.items():
        try:
            value = render(binding, seen)
        except ExpressionError as error:
            raise ExpressionError(f"The input “{path}”: {error}") from error
        if value is not None or binding.template is None:
            _put(found, path, value)
    return found


def _put(found: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        inner = found.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise ExpressionError(f"The input “{path}” is given twice.")
        found = inner
    found[name] = value
