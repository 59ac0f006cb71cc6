"""Reading the loose texts vendors send."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.values import moment, text

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("absent", [None, "", "  ", "None", "null", "UNDEFINED", [], {}])
def test_absent_texts(absent: object) -> None:
    assert text(absent) is None


@pytest.mark.parametrize("value, expected", [(" a ", "a"), (5, "5"), ("0", "0"), ("a\x00b", "ab")])
def test_texts(value: object, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-21T12:00:00Z",
        "2026-11-21 12:00:00+00:00",
        "2026-11-21T13:00:00+01:00",
        "2026-11-21T12:00:00",
        1795262400,
        "1795262400",
        1795262400000,
        "1795262400000",
        NOON,
    ],
)
def test_the_forms_of_one_moment(value: object) -> None:
    assert moment(value) == NOON


@pytest.mark.parametrize(
    "value", ["", "None", "yesterday", "nan", "1e400", "12", "9999-01-01T00:00:00Z", [1]]
)
def test_no_moment(value: object) -> None:
    assert moment(value) is None


@settings(deadline=None)
@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans()))
def test_anything_is_a_moment_or_none(value: object) -> None:
    found = moment(value)
    assert found is None or 2000 <= found.year <= 2100
