"""Digests: every mapped value counts, what only moves does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from rmm_extension.domain import fingerprint
from rmm_extension.domain.types import AgentStatus, Device, DeviceKind, Hardware

BASE = Device(
    external_id="d1",
    external_organization_id="1",
    name="PC",
    kind=DeviceKind.WORKSTATION,
    status=AgentStatus.ONLINE,
    custom_fields={"a": 1, "b": [1, 2]},
    hardware=Hardware(memory_gb=16),
)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
OTHER: dict[str, Any] = {
    "external_organization_id": "2",
    "kind": DeviceKind.SERVER,
    "status": AgentStatus.OFFLINE,
    "boot_at": NOON,
    "custom_fields": {"a": 2},
}
APART = {"external_id", "last_seen_at", "hardware", "offline_after_minutes", "overdue_after_minutes"}


def changed(**values: Any) -> Device:
    return msgspec.structs.replace(BASE, **values)


@pytest.mark.parametrize("name", [name for name in Device.__struct_fields__ if name not in APART])
def test_every_mapped_field_counts(name: str) -> None:
    assert fingerprint.core_digest(changed(**{name: OTHER.get(name, "other")})) != fingerprint.core_digest(
        BASE
    )


@pytest.mark.parametrize(
    "values", [{"last_seen_at": NOON}, {"hardware": None}, {"offline_after_minutes": 9}, {"external_id": "x"}]
)
def test_what_does_not_count(values: dict[str, Any]) -> None:
    assert fingerprint.core_digest(changed(**values)) == fingerprint.core_digest(BASE)


def test_the_order_of_custom_fields_does_not_count() -> None:
    assert fingerprint.core_digest(changed(custom_fields={"b": [1, 2], "a": 1})) == fingerprint.core_digest(
        BASE
    )


def test_hardware_has_its_own_digest() -> None:
    before = fingerprint.hardware_digest(BASE)
    assert before is not None
    assert len(before) == 16
    assert fingerprint.hardware_digest(changed(hardware=None)) is None
    assert fingerprint.hardware_digest(changed(hardware=Hardware(memory_gb=32))) != before
    assert fingerprint.hardware_digest(changed(overdue_after_minutes=30)) != before
    assert fingerprint.hardware_digest(changed(name="renamed")) == before


def test_owners_differ() -> None:
    assert len({fingerprint.owner_digest(client) for client in (None, "a", "b")}) == 3
    assert len(fingerprint.owner_digest("a")) == 4
