"""Alerts that a vendor told of and that could not be taken."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow


class SetAsideAlert(TenantRow, Base):
    """One alert that is set aside so that it stops no other; it is asked for again, and by a person.

    ``reason`` says in words what was in the way, ``changed_at`` is the vendor's time of the state that could
    not be taken, where that could be read. ``due_at`` is when it is tried again by itself, ``None`` when only
    a person does. ``synthesized`` marks an ``external_id`` made by us: there is nothing to ask for. One that
    a person dismissed stays, so that the same state does not come back.
    """

    __tablename__ = "rmm_set_aside_alerts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id", "external_id"),
        Index(None, "tenant_id", "due_at"),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    external_id: Mapped[str]
    reason: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    synthesized: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    changed_at: Mapped[datetime | None]
    dismissed_at: Mapped[datetime | None]
