"""Message patterns: linear, and refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.patterns import NO_LOOKING_AROUND, NoPattern, compiled, found


@pytest.mark.parametrize(
    "pattern, sentence",
    [
        ("(?=a)b", NO_LOOKING_AROUND),
        ("(?!a)b", NO_LOOKING_AROUND),
        ("(?<=a)b", NO_LOOKING_AROUND),
        ("(?<!a)b", NO_LOOKING_AROUND),
        (r"(a)\1", NO_LOOKING_AROUND),
        (r"(?<x>a)\k<x>", NO_LOOKING_AROUND),
        ("(?P<x>a)(?P=x)", NO_LOOKING_AROUND),
        ("(", "Not a valid pattern: a closing ) is missing (at “(”)."),
        ("a)", "Not a valid pattern: a ) closes nothing (at “a)”)."),
        ("[a", "Not a valid pattern: a closing ] is missing (at “[a”)."),
        ("*", "Not a valid pattern: there is nothing to repeat before (at “*”)."),
        ("a**", "Not a valid pattern: two signs of repetition follow each other (at “**”)."),
        ("a{1001}", "Not a valid pattern: the repetition is too large (at “{1001}”)."),
        ("[b-a]", "Not a valid pattern: the range is upside down or not known (at “b-a”)."),
        (r"\Z", "Not a valid pattern: this use of \\ is not known (at “\\Z”)."),
        ("\\", "Not a valid pattern: it ends in a single \\."),
        ("(?>a)", "Not a valid pattern: this kind of (? … ) group is not known (at “(?>”)."),
        ("\ud800", "This pattern has half a character in it that no text can contain."),
    ],
)
def test_what_cannot_be_run_is_refused_in_words(pattern: str, sentence: str) -> None:
    with pytest.raises(NoPattern) as caught:
        compiled(pattern)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "pattern, text, expected",
    [
        ("9[0-9]%", "Disk C: is at 95%", True),
        ("disk", "Disk", False),
        ("(?i)disk", "Disk", True),
        ("^$", "", True),
        ("(warn|crit)", "a critical one", True),
        ("ä.ß", "xä€ß", True),
        ("x", "half \ud800 x", True),
    ],
)
def test_it_is_found_anywhere(pattern: str, text: str, expected: bool) -> None:
    assert found(compiled(pattern), text) is expected


@given(st.text(max_size=12), st.text(max_size=30))
def test_any_text_is_a_pattern_or_refused_in_a_sentence(pattern: str, text: str) -> None:
    assert tried(pattern, text) in (True, False) or str(tried(pattern, text)).endswith(".")


def tried(pattern: str, text: str) -> bool | str:
    try:
        return found(compiled(pattern), text)
    except NoPattern as error:
        return str(error)
