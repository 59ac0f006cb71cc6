"""The session of a connection that is tried out, and words for when a wait is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.sessions import MemorySessions, SessionToken, until_words

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "now, seconds, words",
    [
        (NOON, 57, "12:01 UTC"),
        (NOON, 60, "12:01 UTC"),
        (NOON, 60.5, "12:02 UTC"),
        (NOON, 0, "12:00 UTC"),
        (NOON.astimezone(timezone(timedelta(hours=5))), 300, "12:05 UTC"),
        (NOON + timedelta(hours=11, minutes=59), 90, "2026-11-22 00:01 UTC"),
        (NOON, 86_400, "2026-11-22 12:00 UTC"),
    ],
)
def test_until_when(now: datetime, seconds: float, words: str) -> None:
    assert until_words(now, seconds) == words


YEARS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(YEARS, st.floats(0, 86_400))
def test_nobody_is_told_to_come_too_early_or_more_than_a_minute_late(now: datetime, seconds: float) -> None:
    day, _, clock = until_words(now, seconds).removesuffix(" UTC").rpartition(" ")
    told = datetime.strptime(f"{day or f'{now:%Y-%m-%d}'} {clock}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    late = told - (now + timedelta(seconds=seconds))
    assert timedelta(0) <= late < timedelta(minutes=1)


def test_no_token_shows_itself() -> None:
    token = SessionToken(value="SECRET-VALUE", refresh="SECRET-REFRESH", expires_at=NOON)
    assert "SECRET" not in f"{token!r} {token}"


def test_a_session_in_memory_is_renewed_when_the_stale_one_is_its_own() -> None:
    asked: list[SessionToken | None] = []

    def sign_in(ended: SessionToken | None) -> SessionToken:
        asked.append(ended)
        return SessionToken(value=f"token-{len(asked)}")

    sessions = MemorySessions()
    assert sessions.current() is None
    first = sessions.renew(None, sign_in)
    assert sessions.current() == first == SessionToken(value="token-1")
    assert sessions.renew(None, sign_in) == first, "there is one already"
    second = sessions.renew("token-1", sign_in)
    assert second.value == "token-2"
    assert sessions.renew("token-1", sign_in) == second, "renewed meanwhile"
    assert asked == [None, first]
