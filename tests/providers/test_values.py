"""Readers of loose values: whatever comes, the answer is a value or nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.providers import values
from rmm_extension.providers.values import Scalar

ANY = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())


@pytest.mark.parametrize(
    "value, expected",
    [
        (1742412689.092, datetime(2025, 3, 19, 19, 31, 29, 92000, tzinfo=UTC)),
        (1742412689, datetime(2025, 3, 19, 19, 31, 29, tzinfo=UTC)),
        ("1742412689", datetime(2025, 3, 19, 19, 31, 29, tzinfo=UTC)),
        (0, None),
        (-62135596800.0, None),
        (1742412689092, None),
        ("soon", None),
        (True, None),
        (None, None),
    ],
)
def test_times_are_seconds_in_believable_years(value: Scalar, expected: datetime | None) -> None:
    assert values.epoch(value) == expected


@pytest.mark.parametrize(
    "value, expected",
    [(7, "7"), (7.0, "7"), (" 7 ", "7"), (7.5, None), ("", None), (True, None), (None, None)],
)
def test_ids_are_texts(value: Scalar, expected: str | None) -> None:
    assert values.identifier(value) == expected


@pytest.mark.parametrize(
    "value, expected",
    [
        ("Dell Inc.", "Dell Inc."),
        (" System manufacturer ", None),
        ("To Be Filled By O.E.M.", None),
        ("System Product Name", None),
        ("", None),
    ],
)
def test_fillers_are_no_makers(value: Scalar, expected: str | None) -> None:
    assert values.maker(value) == expected


def test_equal_numbers_of_other_types_are_not_mixed_up() -> None:
    assert (values.text(1), values.text(True), values.text("1")) == ("1", None, "1")


@pytest.mark.parametrize("value, expected", [(0, 0), ("12", 12), (-1, None), (2**40, None), ("x", None)])
def test_counts(value: Scalar, expected: int | None) -> None:
    assert values.count(value) == expected


@pytest.mark.parametrize("value, expected", [(17179869184, 16.0), (0, None), (-5, None), (None, None)])
def test_bytes_become_gigabytes(value: Scalar, expected: float | None) -> None:
    assert values.gigabytes(value) == expected


@pytest.mark.parametrize("value, expected", [(True, True), ("False", False), (1, None), (None, None)])
def test_flags(value: Scalar, expected: bool | None) -> None:
    assert values.flag(value) is expected


@given(ANY)
def test_no_value_breaks_a_reader(value: Scalar) -> None:
    for read in (
        values.text,
        values.maker,
        values.identifier,
        values.number,
        values.count,
        values.flag,
        values.gigabytes,
        values.epoch,
    ):
        read(value)
