"""Which organizations a vendor is to tell of."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.host import Actor
from rmm_extension.services import connections

from .state import MAPPED, ORGANIZATIONS, wish


def tell_of(session: Session, actor: Actor, integration_id: UUID, *, mapped: bool) -> None:
    """Have the vendor tell of those alone that have a client here, or of all; other settings stay."""
    row = connections.save_settings(
        session, actor, integration_id, {ORGANIZATIONS: MAPPED if mapped else None}
    )
    wish(row)
