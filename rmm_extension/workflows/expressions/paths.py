"""Which names of the context an expression uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes

from rmm_extension.domain.workflows import Binding

from .parsing import Expression, parse, parse_template

_ASKING = ("defined", "undefined")


@dataclass(frozen=True, slots=True)
class Uses:
    """The dotted paths an expression uses; without those that are ``needed`` it cannot be worked out."""

    names: frozenset[str]
    needed: frozenset[str]


def uses(source: str) -> Uses:
    """What an expression uses, such as ``steps.clean_up.output.exit_code``.

    A path ends where its next part is worked out only when it runs; the place in a list is none of its parts.
    Raises ``ExpressionError``.
    """
    return _uses(parse(source).node)


def binding_uses(binding: Binding) -> Uses:
    """The same of all expressions of an input."""
    parts = parse_template(binding.template).parts if binding.template is not None else ()
    found = [_uses(part.node) for part in parts if isinstance(part, Expression)]
    return Uses(
        frozenset().union(*(one.names for one in found)), frozenset().union(*(one.needed for one in found))
    )


def names(source: str) -> frozenset[str]:
    """The dotted paths an expression uses."""
    return uses(source).names


def _uses(node: nodes.Node) -> Uses:
    needed: set[str] = set()
    spared: set[str] = set()
    for path, is_needed in _paths(node):
        (needed if is_needed else spared).add(".".join(path))
    return Uses(frozenset(needed | spared), frozenset(needed - spared))


def _paths(node: nodes.Node) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Each path with whether it must be there: what has a default, or is asked for, need not be."""
    if (path := _path(node)) is not None:
        yield path, True
        return
    spared = _spared(node)
    if spared is not None and (path := _path(spared)) is not None:
        yield path, False
    for child in node.iter_child_nodes():
        if child is not spared or path is None:
            yield from _paths(child)


def _spared(node: nodes.Node) -> nodes.Node | None:
    if isinstance(node, nodes.Filter) and node.name == "default":
        return node.node
    return node.node if isinstance(node, nodes.Test) and node.name in _ASKING else None


def _path(node: nodes.Node) -> tuple[str, ...] | None:
    """The path the node is, if it is nothing else."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        owner = _path(node.node)
        return None if owner is None else (*owner, node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        owner, key = _path(node.node), node.arg.value
        return (*owner, key) if owner is not None and isinstance(key, str) else owner
    return None
