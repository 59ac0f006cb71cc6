"""Which priority a severity gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.priorities import CANDIDATES, priority_for
from rmm_extension.domain.types import Severity


def chosen(severity: str, *names: str) -> str | None:
    found = priority_for(Severity(severity), [(str(place), name) for place, name in enumerate(names)])
    return None if found is None else names[int(found)]


@pytest.mark.parametrize(
    "severity, names, expected",
    [
        ("critical", ("Low", "P1 - Critical"), "P1 - Critical"),
        ("critical", ("P1 - Critical", "urgent"), "urgent"),
        ("critical", ("Critical", "Urgent"), "Urgent"),
        ("major", ("High", "Higher"), "High"),
        ("major", ("Very high", "HIGH "), "HIGH "),
        ("moderate", ("Low", "Medium", "Normal"), "Medium"),
        ("moderate", ("Low", "Normal"), "Normal"),
        ("moderate", ("P3 Normal", "P3 Medium"), "P3 Medium"),
        ("minor", ("High", "Low"), "Low"),
        ("none", ("High", "Low"), "Low"),
        ("none", ("P4 - low", "P5 - lowest"), "P4 - low"),
        ("critical", ("One", "Two"), None),
        ("major", (), None),
    ],
)
def test_priorities(severity: str, names: tuple[str, ...], expected: str | None) -> None:
    assert chosen(severity, *names) == expected


@given(st.sampled_from(Severity), st.lists(st.text(max_size=12)))
def test_what_is_chosen_contains_one_of_the_words(severity: Severity, names: list[str]) -> None:
    found = chosen(severity, *names)
    fits = [name for name in names if any(word in name.lower() for word in CANDIDATES[severity])]
    assert (found in fits) if fits else found is None
