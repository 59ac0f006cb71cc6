"""The unit of work: one transaction in the host's session, and what follows its commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from .context import Rmm
from .driver import held
from .outbox import take_wake


@contextmanager
def unit(rmm: Rmm) -> Iterator[Session]:
    """Run the block in one transaction of the host's session; commit, or roll back and raise.

    When the block wrote to the outbox, the workers are told after the commit. Units do not nest.
    """
    session: Session = rmm.db.session()
    try:
        with held(session):
            yield session
        wake = take_wake(session)
        session.commit()
    except BaseException:
        take_wake(session)
        session.rollback()
        raise
    if wake:
        rmm.wake()
