"""Requests signed with the token of a session, which may end at any time."""

from __future__ import annotations

from collections.abc import Mapping

from rmm_extension.domain.sessions import MemorySessions, Sessions, SessionToken, SignIn


class VendorSession:
    """Signs the requests of one client, and signs in where there is no session or where it has ended.

    ``sessions`` keeps the token for everybody who works with the connection; without it the session is this
    client's alone. ``sign_in`` asks the vendor for a token; ``scheme`` is the word before it in the header
    ``Authorization``.
    """

    def __init__(self, sessions: Sessions | None, sign_in: SignIn, *, scheme: str = "Bearer") -> None:
        self._sessions = sessions or MemorySessions()
        self._sign_in = sign_in
        self._scheme = scheme
        self._token: SessionToken | None = None

    def headers(self) -> Mapping[str, str]:
        """What signs a request; signs in first where nobody has. Raises what ``sign_in`` raises."""
        if self._token is None:
            self._token = self._sessions.current() or self._sessions.renew(None, self._sign_in)
        return {"Authorization": f"{self._scheme} {self._token.value}"}

    def renew(self) -> None:
        """The vendor has refused the token: have another one. Raises what ``sign_in`` raises."""
        self._token = self._sessions.renew(self._token.value if self._token else None, self._sign_in)

    def secrets(self) -> tuple[str, ...]:
        """What no text may hold."""
        return (self._token.value,) if self._token else ()
