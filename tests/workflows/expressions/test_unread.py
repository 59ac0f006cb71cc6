"""What does not read says so in sentences of ours, and never in the words of the parser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.workflows.expressions import ExpressionError, parse, parse_template

ENDS = "This does not read: it ends too early, and something is missing there, such as a name, a number or a"


@pytest.mark.parametrize(
    "source, words",
    [
        ("alert.severity ==", ENDS),
        ("a |", "it ends too early, and a name is missing."),
        ("(a", "it ends too early, and “)” is missing."),
        ("[a, b", "a bracket in it is not closed."),
        ("'open", "a text in it has no quote at its end."),
        ("a = b", "There is something behind its end: “=”. To compare, write ==."),
        ("a && b", "“&” cannot stand in an expression. To ask for both, write and."),
        ("a || b", "To ask for one of two, write or."),
        ("!a", "To turn it round, write not"),
        ("a == “critical”", 'A text stands in straight quotes: "…".'),
        ("a\u200b", "a sign in it cannot be seen."),
        ("{{ a }}", "leave {{ and }} away here."),
        ("a.", "behind a dot stands a name or a number."),
        ("a is defined is none", "“is” can ask once; join several with and."),
        ("1 2", "There is something behind its end: a number."),
        ("", 'such as alert.severity == "critical".'),
    ],
)
def test_an_expression_says_what_is_wrong_with_it(source: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(source)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "source, words",
    [
        ("{{ alert.id", "it ends too early, and “}}” is missing."),
        ("{{ }}", "something is missing before “}}”"),
        ("{{ a b }}", "“}}” is missing before “b”."),
        ("{{ a = b }}", "To compare, write ==."),
        ("{{ ((1) }}", "“)” is missing before “}”."),
        ("{{ a | }}", "a name is missing before “}}”."),
    ],
)
def test_a_text_says_what_is_wrong_with_its_expressions(source: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template(source)
    assert words in str(caught.value)


def test_what_the_sentence_suggests_instead_reads() -> None:
    parse('alert.severity == "critical"')


SIGNS = "abx.,:;|~()[]{}<>=!+-*/%&$#?@\\'\"“ \n\u200bé"
WORDS = "== != {{ }} and or not in is if else 1 2.5 none true 't' |upper default("
PIECES = st.sampled_from([*SIGNS, *(f" {word} " for word in WORDS.split())])
PARSERS_OWN = re.compile(
    r"template|token|statement|subscript|expected|syntax|identifier|integer|char\b|does not read as", re.I
)


def _said(read: Callable[[str], object], source: str) -> str | None:
    try:
        read(source)
    except ExpressionError as error:
        return str(error)
    return None


@given(st.lists(PIECES, max_size=12).map("".join))
def test_the_parsers_own_words_never_come_through(source: str) -> None:
    for said in (_said(parse, source), _said(parse_template, source)):
        if said is not None:
            assert not PARSERS_OWN.search(said)
            assert said[0].isupper()
            assert said[-1] == "."
