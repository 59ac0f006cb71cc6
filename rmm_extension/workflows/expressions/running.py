"""What the engine asks: a value, a yes or no, an input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rmm_extension.domain.workflows import Binding

from .budget import Budget
from .errors import ExpressionError
from .parsing import Expression, parse, parse_template
from .walk import joined, work_out


def evaluate(expression: Expression, context: Mapping[str, Any]) -> Any:
    """The expression's value, of JSON's types; raises :class:`ExpressionError`."""
    return _bounded(expression, context, Budget())


def truth(source: str, context: Mapping[str, Any]) -> bool:
    """Whether the expression holds; null, 0, an empty text, list or object are no. Raises as above."""
    return bool(evaluate(parse(source), context))


def render(binding: Binding, context: Mapping[str, Any]) -> Any:
    """What the input is; raises :class:`ExpressionError`."""
    if binding.template is None:
        return binding.value
    template, budget = parse_template(binding.template), Budget()
    if template.sole is not None:
        return _bounded(template.sole, context, budget)
    parts = [part if isinstance(part, str) else _bounded(part, context, budget) for part in template.parts]
    with _shallow():
        return joined(parts, budget)


def _bounded(expression: Expression, context: Mapping[str, Any], budget: Budget) -> Any:
    with _shallow():
        return budget.checked(work_out(expression.node, context, budget))


@contextmanager
def _shallow() -> Iterator[None]:
    """What is nested too deeply for Python is an error in words."""
    try:
        yield
    except RecursionError:
        raise ExpressionError("This is nested too deeply to be worked out.") from None
