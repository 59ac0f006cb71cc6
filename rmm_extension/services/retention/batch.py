"""One small transaction of a cleaning. Nothing in it waits for a row that somebody holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.services.context import Rmm
from rmm_extension.services.lease import PLAIN
from rmm_extension.services.place import Place

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """What one small transaction did: how many rows it removed, and whether and where to go on."""

    removed: int
    more: bool
    place: Place | None = None


Remove = Callable[[Rmm, Session, str, datetime, Place | None], Batch]


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of row: ``name`` is what its count is called, ``kept`` its number of days in :class:`Keep`.

    ``remove`` takes one batch, as ``remove(rmm, session, tenant_id, cutoff, place)``.
    """

    name: str
    kept: str
    doing: str
    remove: Remove


def execute(session: Session, statement: Any) -> int:
    """How many rows it removed."""
    return session.execute(statement, execution_options=PLAIN).rowcount  # type: ignore[attr-defined, no-any-return]
