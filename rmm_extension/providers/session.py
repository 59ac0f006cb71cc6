"""Requests signed with the token of a session, which may end at any time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from rmm_extension.domain.errors import AuthFailed, ProviderError
from rmm_extension.domain.sessions import MemorySessions, Sessions, SessionToken, SignIn

PAUSE = 60.0
"""How long a renewal ahead of time that failed is not tried again, in seconds."""


class VendorSession:
    """Signs the requests of one client, and signs in where there is no session or where it has ended.

    ``sessions`` keeps the token for everybody who works with the connection; without it the session is this
    client's alone. ``sign_in`` asks the vendor for a token; ``scheme`` is the word before it in the header
    ``Authorization``. A token that says when to renew it is renewed then, before the vendor refuses it.
    """

    def __init__(self, sessions: Sessions | None, sign_in: SignIn, *, scheme: str = "Bearer") -> None:
        self._sessions = sessions or MemorySessions()
        self._sign_in = sign_in
        self._scheme = scheme
        self._token: SessionToken | None = None
        self._paused_until = 0.0

    def headers(self) -> Mapping[str, str]:
        """What signs a request; signs in first where nobody has. Raises what ``sign_in`` raises."""
        token = self._token or self._sessions.current() or self._sessions.renew(None, self._sign_in)
        self._token = self._ahead(token)
        return {"Authorization": f"{self._scheme} {self._token.value}"}

    @property
    def token(self) -> SessionToken | None:
        """What signed the last request."""
        return self._token

    def renew(self) -> None:
        """The vendor has refused the token: have another one. Raises what ``sign_in`` raises."""
        self._token = self._sessions.renew(self._token.value if self._token else None, self._sign_in)

    def secrets(self) -> tuple[str, ...]:
        """What no text may hold."""
        return (self._token.value,) if self._token else ()

    def _ahead(self, token: SessionToken) -> SessionToken:
        """The token, or the one after it where its end is near.

        A failure that may pass is no reason to stop while the token is good. A refusal is: nobody will renew
        this session any more, and a person should come before it ends.
        """
        now = datetime.now(UTC)
        if token.renew_at is None or now < token.renew_at or time.monotonic() < self._paused_until:
            return token
        try:
            return self._sessions.renew(token.value, self._sign_in)
        except ProviderError as error:
            if isinstance(error, AuthFailed) or token.expires_at is None or now >= token.expires_at:
                raise
            self._paused_until = time.monotonic() + PAUSE
            return token
