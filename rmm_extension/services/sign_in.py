"""The session of a connection, for all workers on all machines: one of them renews it, the others use it.

Who renews holds a lease on the connection's row, in no transaction: the vendor is asked in between. The lease
is its own proof: what a holder brings back counts only while the row still has it, so that a holder that was
too slow, or whose connection got other credentials meanwhile, changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import AuthFailed, ConfigError, RateLimited, Unavailable
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.sessions import SessionToken, SignIn, until_words
from rmm_extension.domain.types import Connection
from rmm_extension.models import Integration

from . import outbox
from .connection_health import mark_needs_reauth
from .context import Rmm
from .lease import PLAIN

SESSION = "session"
"""The name of the secret that holds the session."""
LEASE = timedelta(seconds=90)
"""Longer than a sign-in takes; a holder that was killed blocks the others for so long."""
PATIENCE = 30.0
"""How long a job waits for somebody else's sign-in, in seconds."""
PAUSE = 0.2
"""Between two looks while waiting, in seconds."""
_REPLACED = "The connection got another sign-in meanwhile. Start again."


def sessions_of(rmm: Rmm, row: Integration, stored: str | None, *, waits: bool) -> StoredSessions:
    """The session of a stored connection; ``stored`` is what the vault holds of it."""
    return StoredSessions(rmm, row, decoded(stored), waits=waits)


def keep(rmm: Rmm, session: Session, row: Integration, connection: Connection) -> None:
    """Store the session that the test of this connection began, in place of any other one."""
    forget(row)
    token = connection.sessions.current() if connection.sessions else None
    if token is None:
        rmm.vault.drop(session, row.tenant_id, row.id, [SESSION])
    else:
        _store(rmm, session, row.tenant_id, row.id, token)


def forget(row: Integration) -> None:
    """The credentials are others now: whoever is signing in with the old ones brings nothing back."""
    row.sign_in_lease_until = row.sign_in_blocked_until = None


class StoredSessions:
    """Keeps the session in the vault, and renews it once for everybody.

    Works on connections of its own, for a client may ask in another thread than the one it was made in.
    """

    def __init__(self, rmm: Rmm, row: Integration, token: SessionToken | None, *, waits: bool) -> None:
        self._rmm = rmm
        self._engine = rmm.db.engine
        self._tenant_id, self._id, self._label = row.tenant_id, row.id, provider_label(row.provider)
        self._instance_url, self._connected_at, self._state = row.instance_url, row.connected_at, row.state
        self._token = token
        self._waits = waits

    def current(self) -> SessionToken | None:
        """The token as it was stored when this was made, or last renewed here."""
        return self._token

    def renew(self, stale: str | None, sign_in: SignIn) -> SessionToken:
        """A token other than ``stale``: the stored one, or that of one sign-in for all.

        Raises what ``sign_in`` raises; ``ConfigError`` where the stored token is of another server, or the
        credentials in hand are no longer those stored; ``RateLimited`` while the vendor takes no sign-ins;
        ``AuthFailed`` where somebody else's sign-in was refused meanwhile; ``Unavailable`` while somebody
        else is signing in, in a job only after :data:`PATIENCE`.
        """
        give_up_at = time.monotonic() + (PATIENCE if self._waits else 0)
        while True:
            lease, token = self._claim(stale)
            if token is not None and token.value != stale:
                self._token = token
                return token
            if lease is not None:
                self._token = self._sign_in(lease, token, sign_in)
                return self._token
            if time.monotonic() >= give_up_at:
                raise Unavailable(f"Somebody else is signing in to {self._label}. Try again in a moment.")
            time.sleep(PAUSE)

    def _claim(self, stale: str | None) -> tuple[datetime | None, SessionToken | None]:
        """The lease, if nobody holds it, and the token as it is stored now; no lease for one that is new."""
        with Session(self._engine) as session:
            statement = (
                update(Integration)
                .where(*self._ours(), *self._open())
                .values(sign_in_lease_until=func.clock_timestamp() + LEASE)
            )
            lease = session.scalar(
                statement.returning(Integration.sign_in_lease_until), execution_options=PLAIN
            )
            # Read after the claim: whoever gave the lease back has stored the token with it.
            stored = self._rmm.vault.read(session, self._tenant_id, self._id).get(SESSION)
            token = decoded(stored)
            if token is not None and token.value != stale:
                self._refuse_another_server(session)
                return None, token
            if lease is None:
                self._refuse(session)
            session.commit()
            return lease, token

    def _ours(self) -> Sequence[ColumnElement[bool]]:
        return (Integration.tenant_id == self._tenant_id, Integration.id == self._id)

    def _open(self) -> Sequence[ColumnElement[bool]]:
        """Nobody is signing in, nothing forbids it, and the credentials in hand are those that are stored."""
        now = func.clock_timestamp()
        lease, blocked = Integration.sign_in_lease_until, Integration.sign_in_blocked_until
        closed = ("not_connected",) if self._state == "needs_reauth" else ("not_connected", "needs_reauth")
        return (
            or_(lease.is_(None), lease < now),
            or_(blocked.is_(None), blocked < now),
            # Moves whenever address, mode or credentials are saved.
            Integration.connected_at.is_not_distinct_from(self._connected_at),
            # Refused while this was waiting or working: the same credentials would be refused again.
            Integration.state.not_in(closed),
        )

    def _refuse_another_server(self, session: Session) -> None:
        """What one server gave is shown to no other: whoever asks works with the address it began with.

        Asked after the token was read, so that this address is none that was left before the token came.
        """
        if session.scalar(select(Integration.instance_url).where(*self._ours())) != self._instance_url:
            raise ConfigError(_REPLACED)

    def _refuse(self, session: Session) -> None:
        """Raise what stands in the way, unless it is only somebody else's lease."""
        columns = (Integration.connected_at, Integration.state, Integration.last_error)
        left = func.extract("epoch", Integration.sign_in_blocked_until - func.clock_timestamp())
        found = session.execute(select(*columns, left.label("left")).where(*self._ours())).first()
        if found is None or found.state == "not_connected" or found.connected_at != self._connected_at:
            raise ConfigError(_REPLACED)
        if found.state == "needs_reauth" and self._state != "needs_reauth":
            raise AuthFailed(found.last_error or f"{self._label} refuses the credentials.")
        if found.left is not None and found.left > 0:
            seconds = float(found.left)
            until = until_words(datetime.now(UTC), seconds)
            raise RateLimited(f"{self._label} takes no log-ins from here until {until}.", retry_after=seconds)

    def _sign_in(self, lease: datetime, ended: SessionToken | None, sign_in: SignIn) -> SessionToken:
        try:
            token = sign_in(ended)
        except BaseException as error:
            self._give_back(lease, error)
            raise
        with Session(self._engine) as session:
            if self._release(session, lease, sign_in_blocked_until=None):
                _store(self._rmm, session, self._tenant_id, self._id, token)
            session.commit()
        return token

    def _give_back(self, lease: datetime, error: BaseException) -> None:
        """Let the next one try, unless the error says that it would be in vain."""
        with Session(self._engine) as session:
            if isinstance(error, RateLimited):
                wait = timedelta(seconds=error.retry_after)
                self._release(session, lease, sign_in_blocked_until=func.clock_timestamp() + wait)
            elif self._release(session, lease) and isinstance(error, AuthFailed):
                mark_needs_reauth(session, self._tenant_id, self._id, str(error))
            session.commit()
            has_news = outbox.take_wake(session)
        if has_news:
            self._rmm.wake()

    def _release(self, session: Session, lease: datetime, **changes: Any) -> bool:
        """Give the lease back with these changes; whether it was still ours."""
        statement = update(Integration).where(*self._ours(), Integration.sign_in_lease_until == lease)
        values = {"sign_in_lease_until": None, **changes}
        return bool(session.execute(statement.values(**values), execution_options=PLAIN).rowcount)  # type: ignore[attr-defined]


def _store(rmm: Rmm, session: Session, tenant_id: str, integration_id: Any, token: SessionToken) -> None:
    rmm.vault.store(
        session, tenant_id, integration_id, SESSION, msgspec.json.encode(token).decode(), hinted=False
    )


def decoded(stored: str | None) -> SessionToken | None:
    """The token; ``None`` for what is no token (any more)."""
    try:
        return msgspec.json.decode(stored, type=SessionToken) if stored else None
    except msgspec.MsgspecError:
        return None
