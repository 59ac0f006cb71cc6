"""From text to a tree that holds nothing but what an expression may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import describe_token
from jinja2.parser import Parser

from rmm_extension.domain.contracts.workflows import LONGEST_EXPRESSION, LONGEST_TEMPLATE
from rmm_extension.domain.values import storable

from . import filters, tests
from .errors import ExpressionError
from .functions import Functions
from .unread import behind, sentence

DEEPEST = 40
"""Levels of a tree; the walker needs a few frames of Python's stack for each."""

# No statements and no comments: their signs begin with what no text that was kept can hold.
_JINJA = Environment(  # noqa: S701 - nothing is ever rendered by it
    block_start_string="\x00%",
    block_end_string="%\x00",
    comment_start_string="\x00#",
    comment_end_string="#\x00",
    keep_trailing_newline=True,
)

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Const,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.Keyword,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Concat,
    nodes.Add,
    nodes.Sub,
    nodes.Neg,
    nodes.Pos,
)
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Call: "Nothing can be called here. What changes a value is a filter, such as name | upper.",
    nodes.Slice: "Parts such as [1:3] are not supported. Use the filters first, last or truncate.",
    **dict.fromkeys(
        (nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow),
        "Of arithmetic only + and - are supported.",
    ),
}


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression that reads."""

    source: str
    node: nodes.Node


@dataclass(frozen=True, slots=True)
class Template:
    """A text with expressions: each part is text as it is, or an expression."""

    source: str
    parts: tuple[str | Expression, ...]

    @property
    def sole(self) -> Expression | None:
        """The expression, where there is nothing else but blanks around it."""
        telling = [part for part in self.parts if isinstance(part, Expression) or part.strip()]
        only = telling[0] if len(telling) == 1 else None
        return only if isinstance(only, Expression) else None


@lru_cache(maxsize=200)
def parse(source: str) -> Expression:
    """The expression; raises :class:`ExpressionError` with a sentence."""
    if not source.strip():
        raise ExpressionError('This is empty. Write an expression, such as alert.severity == "critical".')
    if source.lstrip().startswith("{{"):
        raise ExpressionError("Only in a text does an expression stand in braces: leave {{ and }} away here.")
    return _checked(source, _read(source, LONGEST_EXPRESSION, _expression))


@lru_cache(maxsize=200)
def parse_template(source: str) -> Template:
    """The text with its ``{{ expressions }}``; raises :class:`ExpressionError` with a sentence."""
    tree = _read(source, LONGEST_TEMPLATE, _JINJA.parse)
    parts: list[str | Expression] = []
    for output in tree.iter_child_nodes():
        for node in output.iter_child_nodes():
            parts.append(node.data if isinstance(node, nodes.TemplateData) else _checked(source, node))
    return Template(source, tuple(parts))


def _expression(source: str) -> nodes.Node:
    parser = Parser(_JINJA, source, state="variable")
    found = parser.parse_expression()
    if not parser.stream.eos:
        _fail(behind(describe_token(parser.stream.current)))
    return found


def _read(source: str, longest: int, reader: Callable[[str], nodes.Node]) -> nodes.Node:
    if len(source) > longest:
        raise ExpressionError(f"This is too long: at most {longest:,} characters.")
    if storable(source) != source:
        raise ExpressionError("This contains a character that cannot be stored.")
    try:
        return reader(source)
    except TemplateSyntaxError as error:
        raise ExpressionError(sentence(error.message or "")) from error
    except RecursionError:
        raise ExpressionError(_TOO_DEEP) from None
    # Numbers with more digits than Python reads.
    except ValueError as error:
        raise ExpressionError("This does not read: a number in it is too long.") from error


def _checked(source: str, tree: nodes.Node) -> Expression:
    level: list[nodes.Node] = [tree]
    for _ in range(DEEPEST):
        for node in level:
            _check(node)
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return Expression(source, tree)
    raise ExpressionError(_TOO_DEEP)


def _check(node: nodes.Node) -> None:
    if not isinstance(node, _ALLOWED):
        _fail(_REFUSED.get(type(node), f"{type(node).__name__} is not supported here."))
    if isinstance(node, nodes.Const):
        _check_constant(node.value)
    elif isinstance(node, nodes.Filter):
        _check_use(node, filters.FILTERS, "filter")
    elif isinstance(node, nodes.Test):
        _check_use(node, tests.TESTS, "test")


def _check_constant(value: object) -> None:
    if isinstance(value, str) and storable(value) != value:
        _fail("A text in it contains a character that cannot be stored.")
    if isinstance(value, (int, float)) and abs(value) > filters.LARGEST:
        _fail("A number in it is too large.")


def _check_use(node: nodes.Filter | nodes.Test, known: Functions, word: str) -> None:
    if node.name not in known:
        _fail(f"There is no {word} “{node.name[:50]}”. Known are: {', '.join(sorted(known))}.")
    if node.dyn_args or node.dyn_kwargs:
        _fail("Give each argument by itself, without * and **.")
    given = {str(one.key) for one in node.kwargs}
    if len(given) < len(node.kwargs):
        _fail(f"The {word} “{node.name}” is given something twice.")
    if problem := known[node.name].misuse(len(node.args), given):
        _fail(f"The {word} “{node.name}” {problem}")


def _fail(sentence: str) -> NoReturn:
    raise ExpressionError(sentence)


_TOO_DEEP = f"This is nested too deeply: at most {DEEPEST} levels. Split it into several steps or inputs."
