"""Alerts that came before their devices were known here."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from . import sql


def link(session: Session, tenant_id: str, integration_id: UUID) -> int:
    """Give the connection's open alerts without a device the one that is known by now; how many got one.

    One that is being decided on at this moment is left to the next sync.
    """
    return sql.execute(session, sql.LINK_ALERTS, {"tenant": tenant_id, "integration": integration_id})
