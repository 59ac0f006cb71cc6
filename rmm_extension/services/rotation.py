"""Everything that is encrypted, brought to the key that encrypts now."""

from __future__ import annotations

from sqlalchemy.orm import Session

from .actions import invocations
from .context import Rmm


def rotate(rmm: Rmm, session: Session) -> int:
    """Re-encrypt some of what another key encrypted, inputs of waiting actions too; how many were done.

    Nothing more is to be done when that is none: what is left then cannot be read.
    """
    return rmm.vault.rotate(session) + invocations.reseal(rmm, session)


def waiting(rmm: Rmm, session: Session) -> int:
    """How much another key than the active one encrypted."""
    return rmm.vault.waiting_for_rotation(session) + invocations.waiting_for_rotation(rmm, session)
