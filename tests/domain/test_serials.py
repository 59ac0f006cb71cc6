"""Serial numbers worth matching on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.serials import usable_serial


@pytest.mark.parametrize(
    "filler",
    [
        None,
        "",
        "  ",
        "0",
        "0000-0000",
        "----",
        "None",
        "Default string",
        "System Serial Number",
        "To Be Filled By O.E.M.",
        "to be filled by o.e.m",
        "Not Specified",
        "xxxxxxx",
    ],
)
def test_fillers_are_no_serials(filler: str | None) -> None:
    assert usable_serial(filler) is None


@pytest.mark.parametrize("serial", ["20FQG5V", "VMware-56 4d 25 fe", "C02P1QX3UPB", "10"])
def test_real_serials_stay(serial: str) -> None:
    assert usable_serial(f" {serial} ") == serial


@settings(deadline=None)
@given(st.text())
def test_any_text_is_taken(value: str) -> None:
    found = usable_serial(value)
    assert found is None or found.strip() == found
