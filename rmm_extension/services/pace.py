"""The pace of requests to a vendor, for all workers on all machines together.

It stands in PostgreSQL, not in Redis: Redis may be away while requests go on, and a pace that was forgotten
would let a second burst through. Everybody counts by the database's clock, and only for how long to wait.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine, text

from rmm_extension.domain.pace import Rate, too_fast
from rmm_extension.domain.types import Connection
from rmm_extension.models import new_id

from .context import Rmm

# The clock is read after the row is held: whoever waited for another one's turn counts from their own now.
_DUE = "GREATEST(rmm_paces.following_at, clock_timestamp())"
_WAIT = "EXTRACT(epoch FROM {due} - CAST(:ahead AS interval) - clock_timestamp())"
_TAKE = text(
    f"""
    INSERT INTO rmm_paces (tenant_id, id, account, following_at)
    VALUES (:tenant, :id, :account, clock_timestamp() + CAST(:interval AS interval))
    ON CONFLICT (tenant_id, account) DO UPDATE SET following_at = {_DUE} + CAST(:interval AS interval)
    WHERE {_WAIT.format(due=_DUE)} <= :patience
    RETURNING {_WAIT.format(due="following_at - CAST(:interval AS interval)")}
    """  # noqa: S608 - constants
)
_LOOK = text(
    f"SELECT {_WAIT.format(due=_DUE)} FROM rmm_paces WHERE tenant_id = :tenant AND account = :account"  # noqa: S608
)


class DatabasePace:
    """As ``domain.pace.next_turn``, with a row for each tenant and account.

    Each turn is one short statement on a connection of its own: a client may ask in another thread than the
    one it was made in, and nobody may hold the row for longer.
    """

    def __init__(self, engine: Engine, tenant_id: str) -> None:
        self._engine = engine
        self._tenant_id = tenant_id

    def turn(self, account: str, rate: Rate, patience: float) -> float:
        """The seconds until this request may be sent, as the Protocol says."""
        parameters = {
            "tenant": self._tenant_id,
            "id": new_id(),
            "account": account,
            "interval": f"{rate.interval:f} s",
            "ahead": f"{(rate.burst - 1) * rate.interval:f} s",
            "patience": patience,
        }
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            wait = connection.execute(_TAKE, parameters).scalar()
            if wait is None:
                wait = connection.execute(_LOOK, parameters).scalar_one()
                raise too_fast(max(float(wait), 0.0))
        return max(float(wait), 0.0)


def paced(rmm: Rmm, tenant_id: str, connection: Connection) -> Connection:
    """The connection with the tenant's pace: being tried out, it is counted together with those in use."""
    return msgspec.structs.replace(connection, pace=DatabasePace(rmm.db.engine, tenant_id))
