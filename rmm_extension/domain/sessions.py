"""The session at a vendor that signs in by password or OAuth: its token, and who keeps and renews it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias

import msgspec


class SessionToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor gave for a sign-in. Never logged: it is as good as the password while it lasts.

    ``expires_at`` is what the vendor said when it gave the token; use may have moved it since. ``renew_at``
    says from when on a new one is asked for ahead of that end; without it only a refusal ends this one.
    ``refresh`` is what a new token is made from, where the vendor works so, and ``scopes`` what the token
    allows, where the vendor says it.
    """

    value: str
    expires_at: datetime | None = None
    renew_at: datetime | None = None
    refresh: str | None = None
    scopes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "SessionToken(•••)"


SignIn: TypeAlias = Callable[[SessionToken | None], SessionToken]
"""Asks the vendor for a new token, given the one that ended. Raises the ``ProviderError`` of its answer."""


class Sessions(Protocol):
    """Keeps the session of one connection for all who work with it."""

    def current(self) -> SessionToken | None:
        """The token as it was last known; whether the vendor still takes it, only the vendor knows."""

    def renew(self, stale: str | None, sign_in: SignIn) -> SessionToken:
        """A token other than ``stale``: one that somebody else got meanwhile, or that of one ``sign_in``.

        Raises what ``sign_in`` raises; ``RateLimited`` while the vendor takes no sign-ins, ``Unavailable``
        while somebody else is signing in.
        """


class MemorySessions:
    """The session of a connection that is only being tried out: nobody else works with it."""

    def __init__(self, token: SessionToken | None = None) -> None:
        self._token = token

    def current(self) -> SessionToken | None:
        """The token of the last sign-in, or the one it began with."""
        return self._token

    def renew(self, stale: str | None, sign_in: SignIn) -> SessionToken:
        """Sign in, unless the token is another one already."""
        if self._token is None or self._token.value == stale:
            self._token = sign_in(self._token)
        return self._token


def until_words(now: datetime, seconds: float) -> str:
    """When a wait of so many seconds is over, rounded up to the minute: ``14:05 UTC``."""
    end = now.astimezone(UTC) + timedelta(seconds=seconds)
    if end.second or end.microsecond:
        end = end.replace(second=0, microsecond=0) + timedelta(minutes=1)
    day = "" if end.date() == now.astimezone(UTC).date() else f"{end:%Y-%m-%d} "
    return f"{day}{end:%H:%M} UTC"
