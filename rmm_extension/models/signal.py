"""What vendors told of devices and organizations beside their alerts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, utc_now

_NEWEST = (text("received_at DESC"), text("id DESC"))
_DELIVERED = text("channel = 'webhook'")


class Signal(TenantRow, Base):
    """One message of a vendor about a device, or about its organizations: it counts once, whichever way and
    however often it comes.

    ``external_id`` is the vendor's id of the message, ``channel`` the way it came first.
    ``external_device_id`` is ``None`` where it tells of organizations, ``device_id`` also for a device that
    was not known then. ``outcome`` is what followed, ``reason`` a short word where
    nothing did, ``duration_ms`` the time from the delivery's arrival until this row was written.
    """

    __tablename__ = "rmm_signals"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id", "external_id"),
        Index(
            "ix_rmm_signals_device",
            "tenant_id",
            "device_id",
            text("occurred_at DESC"),
            postgresql_where=text("device_id IS NOT NULL"),
        ),
        Index(None, "tenant_id", "received_at"),
        # The log of deliveries: of all connections, and of one.
        Index("ix_rmm_signals_webhook", "tenant_id", *_NEWEST, postgresql_where=_DELIVERED),
        Index(
            "ix_rmm_signals_integration",
            *("tenant_id", "integration_id"),
            *_NEWEST,
            postgresql_where=_DELIVERED,
        ),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    external_id: Mapped[str]
    kind: Mapped[str]
    external_device_id: Mapped[str | None]
    device_id: Mapped[UUID | None]
    words: Mapped[str]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    channel: Mapped[str]
    outcome: Mapped[str]
    reason: Mapped[str | None]
    duration_ms: Mapped[float | None]
