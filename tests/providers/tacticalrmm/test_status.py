"""When an agent is online, by the rule of Tactical RMM 1.5.1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rmm_extension.domain.types import AgentStatus
from rmm_extension.providers.tacticalrmm.status import computed_status, vendor_status

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ONLINE, OFFLINE, OVERDUE = AgentStatus.ONLINE, AgentStatus.OFFLINE, AgentStatus.OVERDUE


@pytest.mark.parametrize(
    "minutes, offline, overdue, status",
    [
        (4, 5, 30, ONLINE),
        (5, 5, 30, ONLINE),
        (10, 5, 30, OFFLINE),
        (30, 5, 30, OFFLINE),
        (40, 5, 30, OVERDUE),
        (1, 0, 30, OFFLINE),
        (40, 60, 30, ONLINE),
        (61, 60, 30, OVERDUE),
        (-5, 5, 30, ONLINE),
        (3, None, None, ONLINE),
        (10, None, None, OFFLINE),
        (31, None, None, OVERDUE),
    ],
)
def test_status_by_age(minutes: int, offline: int | None, overdue: int | None, status: AgentStatus) -> None:
    assert computed_status(NOON - timedelta(minutes=minutes), offline, overdue, NOON) is status


def test_never_seen_is_offline() -> None:
    assert computed_status(None, 5, 30, NOON) is OFFLINE


def test_the_servers_own_words() -> None:
    assert [vendor_status(word) for word in ("online", "offline", "overdue", "asleep", None)] == [
        ONLINE,
        OFFLINE,
        OVERDUE,
        None,
        None,
    ]
