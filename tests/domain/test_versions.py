"""Versions as lists of numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.versions import LARGEST, MOST_NUMBERS, version_key

NUMBERS = st.lists(st.integers(0, LARGEST), max_size=MOST_NUMBERS)


@pytest.mark.parametrize(
    "version, numbers",
    [
        ("1.2.3", [1, 2, 3]),
        ("10", [10]),
        ("10.0", [10]),
        ("10.0.0.0", [10]),
        ("0.9.0", [0, 9]),
        ("v1.2", [1, 2]),
        ("1.2.3b4", [1, 2, 3, 4]),
        ("1.10", [1, 10]),
        ("019.00", [19]),
        ("2024-01-15", [2024, 1, 15]),
        ("16.0.13001.20266", [16, 0, 13001, 20266]),
        ("10.0.50903,10.0.50908", [10, 0, 50903, 10, 0, 50908]),
        ("6, 1, 7600", [6, 1, 7600]),
        ("20240115123456789012345", [LARGEST]),
        (str(LARGEST), [LARGEST]),
        (str(LARGEST - 1), [LARGEST - 1]),
        ("9" * 5000, [LARGEST]),
        ("0" * 5000 + "7", [7]),
        ("", []),
        ("0", []),
        ("0.0.0", []),
        ("Not Found", []),
        ("\u0661.\u0662", []),
    ],
)
def test_numbers_of_a_version(version: str, numbers: list[int]) -> None:
    assert version_key(version) == numbers


@pytest.mark.parametrize(
    "older, newer",
    [
        ("1.9", "1.10"),
        ("126.0.6478.126", "126.0.6478.127"),
        ("19.00", "22.01"),
        ("1.2.3", "1.2.3b4"),
        ("", "0.1"),
        ("Not Found", "1"),
        ("2024-01-15", "2024.2.1"),
    ],
)
def test_order(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)


@settings(deadline=None)
@given(NUMBERS, st.integers(0, 40))
def test_zeros_at_the_end_say_nothing(numbers: list[int], zeros: int) -> None:
    longer = [*map(str, numbers), *["0"] * zeros]
    assert version_key(".".join(longer)) == version_key(".".join(map(str, numbers)))


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_the_order_is_that_of_the_numbers(one: list[int], other: list[int]) -> None:
    width = max(len(one), len(other))
    padded = [numbers + [0] * (width - len(numbers)) for numbers in (one, other)]
    keys = [version_key(".".join(map(str, numbers))) for numbers in (one, other)]
    assert (keys[0] < keys[1]) == (padded[0] < padded[1])
    assert (keys[0] == keys[1]) == (padded[0] == padded[1])


@settings(deadline=None)
@given(st.text())
def test_every_text_gives_what_a_column_takes(version: str) -> None:
    numbers = version_key(version)
    assert len(numbers) <= MOST_NUMBERS
    assert all(0 <= number <= LARGEST for number in numbers)
    assert not numbers or numbers[-1] != 0


def test_the_answer_is_the_callers_own() -> None:
    version_key("4.5").append(6)
    assert version_key("4.5") == [4, 5]
