"""The key under which alerts share a ticket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.identity import KEY_LENGTH, dedup_key
from rmm_extension.domain.types import AlertEvent, AlertKind


def key(**values: Any) -> str:
    basic = {
        "kind": AlertKind.TRIGGERED,
        "external_id": "a-1",
        "occurred_at": datetime(2026, 6, 1, tzinfo=UTC),
    }
    return dedup_key(AlertEvent(**(basic | {"external_device_id": "dev-1"} | values)))


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"condition": "DISK_SPACE"}, "dev-1|DISK_SPACE"),
        ({"condition": "DISK_SPACE", "alert_class": "CLASS"}, "dev-1|DISK_SPACE"),
        ({"alert_class": "CLASS", "activity_type": "ACT"}, "dev-1|CLASS"),
        ({"activity_type": "ACT", "source_type": "condition"}, "dev-1|ACT"),
        ({"source_type": "condition"}, "dev-1|condition"),
        ({}, "dev-1|unknown"),
        ({"external_device_id": None, "external_organization_id": "9", "condition": "X"}, "org:9|X"),
        ({"external_device_id": None, "condition": "X"}, "alert:a-1|X"),
        ({"external_device_id": "", "external_organization_id": "", "condition": ""}, "alert:a-1|unknown"),
    ],
)
def test_keys(values: dict[str, Any], expected: str) -> None:
    assert key(**values) == expected


def test_a_key_is_cut_at_its_end() -> None:
    assert len(key(condition="x" * 400)) == 255
    assert key(condition="x" * 400).startswith("dev-1|xxx")


def test_strangers_never_share_a_key() -> None:
    alone = {"external_device_id": None, "condition": "X"}
    assert key(**alone) != key(**alone, external_id="a-2")


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_key_is_never_too_long_and_always_the_same(device: str, condition: str) -> None:
    found = key(external_device_id=device, condition=condition)
    assert len(found) <= KEY_LENGTH
    assert found == key(external_device_id=device, condition=condition)
