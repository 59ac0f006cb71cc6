"""Working out a tree, node by node, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes

from .budget import Budget
from .errors import ExpressionError, Missing
from .filters import FILTERS, number
from .tests import TESTS
from .words import as_text, kind

_KEYS_TOLD = 15


def work_out(node: nodes.Node, context: Mapping[str, Any], budget: Budget) -> Any:
    """The node's value; raises :class:`ExpressionError`."""
    budget.spend(1)
    return _WORK[type(node)](node, context, budget)


def _constant(node: nodes.Const, _context: Mapping[str, Any], _budget: Budget) -> Any:
    return node.value


def _name(node: nodes.Name, context: Mapping[str, Any], _budget: Budget) -> Any:
    if node.name not in context:
        raise Missing(f"There is no “{node.name[:50]}” here. Known are: {', '.join(context)}.")
    return context[node.name]


def _attribute(node: nodes.Getattr, context: Mapping[str, Any], budget: Budget) -> Any:
    return _member(work_out(node.node, context, budget), node.attr, node)


def _item(node: nodes.Getitem, context: Mapping[str, Any], budget: Budget) -> Any:
    return _member(work_out(node.node, context, budget), work_out(node.arg, context, budget), node)


def _member(owner: Any, key: Any, node: nodes.Getattr | nodes.Getitem) -> Any:
    if isinstance(owner, (list, tuple)) and isinstance(key, int) and not isinstance(key, bool):
        if -len(owner) <= key < len(owner):
            return owner[key]
        raise Missing(f"There is no item {key}: the list has {len(owner):,}.")
    if isinstance(owner, dict) and isinstance(key, str) and key in owner:
        return owner[key]
    raise Missing(_absent(owner, key, _place(node.node)))


def _absent(owner: Any, key: Any, place: str) -> str:
    said = f"There is no “{str(key)[:50]}” in {place}"
    if owner is None:
        return f"{said}: it is empty here."
    if not isinstance(owner, dict):
        return f"{said}, which is {kind(owner)}."
    known = [str(one)[:50] for one in list(owner)[:_KEYS_TOLD]]
    more = ", …" if len(owner) > _KEYS_TOLD else ""
    return f"{said}. Known are: {', '.join(known)}{more}." if known else f"{said}: nothing is in it."


def _place(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name[:50]
    if isinstance(node, nodes.Getattr):
        return f"{_place(node.node)}.{node.attr[:50]}"
    return "it" if not isinstance(node, nodes.Getitem) else f"{_place(node.node)}[…]"


def _list(node: nodes.List | nodes.Tuple, context: Mapping[str, Any], budget: Budget) -> Any:
    return [work_out(one, context, budget) for one in node.items]


def _dict(node: nodes.Dict, context: Mapping[str, Any], budget: Budget) -> Any:
    found = {}
    for pair in node.items:
        key = work_out(pair.key, context, budget)
        if not isinstance(key, str):
            raise ExpressionError(f"The keys of an object are texts; this one is {kind(key)}.")
        found[key] = work_out(pair.value, context, budget)
    return found


def _filter(node: nodes.Filter, context: Mapping[str, Any], budget: Budget) -> Any:
    if node.node is None:
        raise ExpressionError(f"The filter “{node.name}” needs something before it.")
    value = (
        _tolerant(node.node, context, budget)
        if node.name == "default"
        else work_out(node.node, context, budget)
    )
    return FILTERS[node.name].work(
        budget, value, *_given(node, context, budget), **_named(node, context, budget)
    )


def _tolerant(node: nodes.Node, context: Mapping[str, Any], budget: Budget) -> Any:
    try:
        return work_out(node, context, budget)
    except Missing:
        return None


def _test(node: nodes.Test, context: Mapping[str, Any], budget: Budget) -> bool:
    try:
        value = work_out(node.node, context, budget)
    except Missing:
        if node.name in ("defined", "undefined"):
            return node.name == "undefined"
        raise
    arguments = _given(node, context, budget)
    return bool(TESTS[node.name].work(budget, value, *arguments, **_named(node, context, budget)))


def _given(node: nodes.Filter | nodes.Test, context: Mapping[str, Any], budget: Budget) -> list[Any]:
    return [work_out(one, context, budget) for one in node.args]


def _named(node: nodes.Filter | nodes.Test, context: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
    return {str(one.key): work_out(one.value, context, budget) for one in node.kwargs}


def _compare(node: nodes.Compare, context: Mapping[str, Any], budget: Budget) -> bool:
    left = work_out(node.expr, context, budget)
    for operand in node.ops:
        right = work_out(operand.expr, context, budget)
        budget.checked(left)
        budget.checked(right)
        if not _COMPARE[operand.op](left, right):
            return False
        left = right
    return True


def _ordered(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    return number(left, "A comparison"), number(right, "A comparison")


def _in(left: Any, right: Any) -> bool:
    if isinstance(right, str):
        if isinstance(left, str):
            return left in right
        raise ExpressionError(f"“in” looks for a text in a text, and not for {kind(left)}.")
    if isinstance(right, (list, tuple, dict)):
        return left in list(right)
    raise ExpressionError(f"“in” looks into a text, a list or an object, and not into {kind(right)}.")


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
    "lt": lambda left, right: bool(_ordered(left, right)[0] < right),
    "lteq": lambda left, right: bool(_ordered(left, right)[0] <= right),
    "gt": lambda left, right: bool(_ordered(left, right)[0] > right),
    "gteq": lambda left, right: bool(_ordered(left, right)[0] >= right),
    "in": _in,
    "notin": lambda left, right: not _in(left, right),
}


def _and(node: nodes.And, context: Mapping[str, Any], budget: Budget) -> Any:
    return work_out(node.left, context, budget) and work_out(node.right, context, budget)


def _or(node: nodes.Or, context: Mapping[str, Any], budget: Budget) -> Any:
    return work_out(node.left, context, budget) or work_out(node.right, context, budget)


def _not(node: nodes.Not, context: Mapping[str, Any], budget: Budget) -> bool:
    return not work_out(node.node, context, budget)


def _either(node: nodes.CondExpr, context: Mapping[str, Any], budget: Budget) -> Any:
    if work_out(node.test, context, budget):
        return work_out(node.expr1, context, budget)
    return None if node.expr2 is None else work_out(node.expr2, context, budget)


def _concat(node: nodes.Concat, context: Mapping[str, Any], budget: Budget) -> str:
    return joined([work_out(one, context, budget) for one in node.nodes], budget)


def joined(parts: list[Any], budget: Budget) -> str:
    """The values as one text."""
    texts = [as_text(budget, part) for part in parts]
    budget.fits(sum(map(len, texts)))
    return "".join(texts)


def _add(node: nodes.Add, context: Mapping[str, Any], budget: Budget) -> Any:
    left, right = work_out(node.left, context, budget), work_out(node.right, context, budget)
    if isinstance(left, str) and isinstance(right, str):
        return joined([left, right], budget)
    if isinstance(left, str) or isinstance(right, str):
        raise ExpressionError("A text and something else are put together by ~ and not by +.")
    return number(number(left, "+") + number(right, "+"), "+")


def _subtract(node: nodes.Sub, context: Mapping[str, Any], budget: Budget) -> Any:
    left, right = work_out(node.left, context, budget), work_out(node.right, context, budget)
    return number(number(left, "-") - number(right, "-"), "-")


def _negative(node: nodes.Neg, context: Mapping[str, Any], budget: Budget) -> Any:
    return -number(work_out(node.node, context, budget), "-")


def _positive(node: nodes.Pos, context: Mapping[str, Any], budget: Budget) -> Any:
    return number(work_out(node.node, context, budget), "+")


_WORK: dict[type[nodes.Node], Callable[..., Any]] = {
    nodes.Const: _constant,
    nodes.Name: _name,
    nodes.Getattr: _attribute,
    nodes.Getitem: _item,
    nodes.List: _list,
    nodes.Tuple: _list,
    nodes.Dict: _dict,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Compare: _compare,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.Not: _not,
    nodes.CondExpr: _either,
    nodes.Concat: _concat,
    nodes.Add: _add,
    nodes.Sub: _subtract,
    nodes.Neg: _negative,
    nodes.Pos: _positive,
}
