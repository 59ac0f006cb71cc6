"""Maintenance that is set at the vendor for a window of ours."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, Timestamps


class VendorMaintenance(TenantRow, Timestamps, Base):
    """One device that is, is to be, or is no longer to be in maintenance at its vendor.

    ``state``: wanted (to be set), set, ending (to be taken out) or failed, with the vendor's ``error``.
    ``until`` is the end that was or will be told, ``told_until`` the one that the vendor may know already;
    ``window_id`` is the window it follows, ``window_name`` how that is called. ``due_at`` is when the vendor
    is asked next.
    """

    __tablename__ = "rmm_vendor_maintenance"
    __table_args__ = (
        UniqueConstraint("tenant_id", "device_id"),
        Index(
            "ix_rmm_vendor_maintenance_due",
            "tenant_id",
            "due_at",
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["rmm_devices.tenant_id", "rmm_devices.id"],
            name="fk_rmm_vendor_maintenance_device",
            ondelete="CASCADE",
        ),
    )

    device_id: Mapped[UUID]
    integration_id: Mapped[UUID]
    window_id: Mapped[UUID]
    window_name: Mapped[str]
    state: Mapped[str]
    until: Mapped[datetime]
    told_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    due_at: Mapped[datetime | None]
    error: Mapped[str | None]
