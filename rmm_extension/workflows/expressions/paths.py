"""Which names of the context an expression uses."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from rmm_extension.domain.workflows import Binding

from .parsing import Expression, parse, parse_template


def names(source: str) -> set[str]:
    """The dotted paths an expression uses, such as ``steps.clean_up.output.exit_code``.

    A path ends where its next part is worked out only when it runs. Raises ``ExpressionError``.
    """
    return _names(parse(source))


def binding_names(binding: Binding) -> set[str]:
    """The same of all expressions of an input."""
    if binding.template is None:
        return set()
    parts = parse_template(binding.template).parts
    return set().union(*(_names(part) for part in parts if isinstance(part, Expression)))


def _names(expression: Expression) -> set[str]:
    return {".".join(path) for path in _paths(expression.node)}


def _paths(node: nodes.Node) -> Iterator[tuple[str, ...]]:
    if (path := _path(node)) is not None:
        yield path
        return
    for child in node.iter_child_nodes():
        yield from _paths(child)


def _path(node: nodes.Node) -> tuple[str, ...] | None:
    """The path the node is, if it is nothing else; a list's place is none of a path's parts."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        owner = _path(node.node)
        return None if owner is None else (*owner, node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        owner = _path(node.node)
        key = node.arg.value
        return (*owner, key) if owner is not None and isinstance(key, str) else owner
    return None
