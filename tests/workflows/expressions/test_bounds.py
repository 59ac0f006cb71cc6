"""What expressions cannot do: reach anything but the context, take memory or time, or fail without words."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.workflows import Binding
from rmm_extension.workflows.expressions import (
    ExpressionError,
    evaluate,
    parse,
    parse_template,
    render,
)
from rmm_extension.workflows.expressions.budget import LONGEST
from rmm_extension.workflows.expressions.parsing import DEEPEST

LONG = "x" * 200_000
CONTEXT: dict[str, Any] = {
    "long": LONG,
    "many": list(range(50_000)),
    "alert": {"n": 7, "s": "text"},
    "none": None,
}


class Trap:
    """Something that must never be looked at but by its key."""

    secret = "s3cret"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was looked up")


@pytest.mark.parametrize(
    "source",
    [
        "alert.__class__",
        "alert['__class__']",
        "alert.keys",
        "alert.s.format",
        "''.__class__.__mro__",
        "[].append",
        "alert.items()",
        "alert.s.upper()",
        "range(10)",
        "alert | attr('__class__')",
        "alert | map('__class__')",
        "lipsum",
        "self",
        "cycler",
        "__builtins__",
    ],
)
def test_nothing_but_the_context_is_reached(source: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(parse(source), CONTEXT)


def test_an_object_of_ours_is_never_looked_into() -> None:
    trap = Trap()
    with pytest.raises(ExpressionError):
        evaluate(parse("thing.secret"), {"thing": trap})
    with pytest.raises(ExpressionError):
        evaluate(parse("thing['secret']"), {"thing": trap})


@pytest.mark.parametrize(
    "source, words",
    [
        ("'a' * 300000000", "Of arithmetic only"),
        ("2 ** 99999", "Of arithmetic only"),
        ("1 / 3", "Of arithmetic only"),
        ("7 // 2", "Of arithmetic only"),
        ("'%s' % 1", "Of arithmetic only"),
        ("alert.s[1:2]", "[1:3] are not supported"),
        ("alert.s.upper()", "Nothing can be called"),
        ("alert | nope", "There is no filter “nope”"),
        ("alert is nope", "There is no test “nope”"),
        ("'a' | upper(1)", "is used like this: device.name | upper."),
        ("'a' | replace('b')", "is used like this"),
        ("'a' | plus(weeks=1)", "is used like this"),
        ("'a' | join(*[1])", "without * and **"),
        ("'a' | join(**{})", "without * and **"),
        ("1 2", "behind its end"),
        ("1 +", "does not read"),
        ("'open", "does not read"),
        ("a }} b", "behind its end"),
        ("{% if a %}", "does not read"),
        ("", "This is empty"),
        ("  ", "This is empty"),
        ("1" * 1_000, "too large"),
        ("'\\ud800'", "cannot be stored"),
        ("'a\x00'", "cannot be stored"),
        ("(" * 400 + "1" + ")" * 400, "nested too deeply"),
        ("[" * 900 + "]" * 900, "nested too deeply"),
        ("not " * 450 + "1", "nested too deeply"),
        ("1" + " + 1" * 450, "nested too deeply"),
        ("a" + ".b" * 450, "nested too deeply"),
        ("x" * 2_001, "too long"),
    ],
)
def test_what_does_not_read_is_refused_in_words(source: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(source)
    assert words in str(caught.value)


def test_a_template_is_as_strict() -> None:
    for source in ("{{ 'a' * 9 }}", "{{ f() }}", "{{ }}", "{{ 1", "{{ ((1) }}", "x" * 10_001):
        with pytest.raises(ExpressionError):
            parse_template(source)


@pytest.mark.parametrize(
    "source",
    [
        "long ~ long",
        "long + long",
        "[long, long]",
        "{'a': long, 'b': long}",
        "long | replace('x', 'yy')",
        "[long, long] | join",
        "long | replace('x', 'x;') | split(';')",
        "[long, long] | tojson",
        "[long, long] | string",
        "[many, many, many, many, many, many]",
        "long | escape_markdown ~ long",
    ],
)
def test_nothing_grows_beyond_its_bound(source: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ExpressionError, match="too long: at most 250,000 characters"):
            evaluate(parse(source), CONTEXT)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_what_is_done_over_and_over_is_stopped() -> None:
    source = "[" + ", ".join(["long | upper | length"] * 80) + "]"
    with pytest.raises(ExpressionError, match="too much work"):
        evaluate(parse(source), CONTEXT)


def test_a_pattern_costs_what_it_can_take_of_time() -> None:
    """RE2 needs the text's length times the size of the pattern's program: seconds for one such search."""
    often = " and ".join(["not (long is matching('x[xy]{900}z'))"] * 20)
    with pytest.raises(ExpressionError, match="too much work"):
        evaluate(parse(often), CONTEXT)
    with pytest.raises(ExpressionError, match="too large"):
        evaluate(parse(r"'a' is matching('\\pL{300}')"), CONTEXT)
    plain = " and ".join(["not (long is matching('[Dd]isk .* (full|low)'))"] * 10)
    assert evaluate(parse(plain), CONTEXT) is True
    assert evaluate(parse(r"'für' is matching('^\\pL+$')"), CONTEXT) is True


@pytest.mark.parametrize(
    "source", ["{} > 5", "{} + 1", "-{}", "{} | int", "{} | round", "'a' | truncate({})"]
)
def test_a_whole_number_longer_than_any_float_is_refused_in_words(source: str) -> None:
    for number in (10**400, -(10**400)):
        with pytest.raises(ExpressionError, match="too large"):
            evaluate(parse(source.format("n")), {"n": number})


def test_what_is_nested_too_deeply_for_a_text_is_refused_in_words() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for template in ("of {{ deep }}", "{{ deep | tojson }}"):
        with pytest.raises(ExpressionError, match="nested too deeply"):
            render(Binding(template=template), {"deep": deep})


def test_a_whole_output_of_a_script_fits() -> None:
    assert render(Binding(template="{{ long }}"), CONTEXT) == LONG
    assert len(render(Binding(template="Output:\n{{ long | trim }}"), CONTEXT)) == 200_008


def test_the_parts_of_a_text_share_one_bound() -> None:
    with pytest.raises(ExpressionError, match="too long"):
        render(Binding(template="{{ long }} {{ long }}"), CONTEXT)
    with pytest.raises(ExpressionError, match="too much work"):
        render(Binding(template="{{ long | upper | length }} " * 100), CONTEXT)


_VOCABULARY = """
alert . n s long many none + - ~ | upper join first length default ( ) [ ] { } , : 'a' 1 1.5 == < in and or
not if else is defined matching replace tojson truncate where * ** % {{ }} map int plus
"""
_WORDS = st.sampled_from(_VOCABULARY.split())


@settings(max_examples=400, deadline=None)
@given(st.lists(_WORDS, max_size=25).map(" ".join) | st.text(max_size=60))
def test_whatever_is_written_gives_a_bounded_value_or_a_sentence(source: str) -> None:
    try:
        found = evaluate(parse(source), CONTEXT)
    except ExpressionError as error:
        told = str(error)
    else:
        told = "."
        assert len(json.dumps(found)) <= 6 * LONGEST + 1_000
    assert told.endswith(".")


@settings(max_examples=200, deadline=None)
@given(st.lists(_WORDS, max_size=20).map(" ".join) | st.text(max_size=60))
def test_whatever_stands_in_a_template_gives_a_bounded_text_or_a_sentence(source: str) -> None:
    try:
        found = render(Binding(template=f"a {source}"), CONTEXT)
    except ExpressionError:
        return
    assert isinstance(found, str)
    assert len(found) <= LONGEST


def test_the_deepest_that_reads_can_be_worked_out_in_a_deep_stack() -> None:
    """Each level costs a few frames; a worker's own stack is below them."""
    source = "not " * (DEEPEST - 1) + "true"

    def deeper(levels: int) -> Any:
        return evaluate(parse(source), {}) if levels == 0 else deeper(levels - 1)

    assert deeper(400) is False
