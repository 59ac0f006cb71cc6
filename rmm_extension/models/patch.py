"""Patches: what each device waits for, failed at, and got of late."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, utc_now


class DevicePatch(TenantRow, Base):
    """One patch on one device, as its vendor last listed it.

    ``kind``: os or software. ``status``: pending, approved, failed, rejected or installed; ``changed_at`` is
    when it was installed or failed. A patch that the vendor does not list any more has no row.
    """

    __tablename__ = "rmm_device_patches"
    __table_args__ = (
        UniqueConstraint("tenant_id", "device_id", "kind", "external_id"),
        Index(
            "ix_rmm_device_patches_patch",
            "tenant_id",
            "status",
            "kind",
            "name",
            postgresql_include=["device_id", "severity"],
        ),
        ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["rmm_devices.tenant_id", "rmm_devices.id"],
            name="fk_rmm_device_patches_device",
            ondelete="CASCADE",
        ),
    )

    device_id: Mapped[UUID]
    kind: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str]
    status: Mapped[str]
    severity: Mapped[str | None]
    category: Mapped[str | None]
    kb: Mapped[str | None]
    changed_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class PatchList(TenantRow, Base):
    """What a device's vendor last listed for it; ``id`` is the device's.

    A digest tells a list of one kind that is as before; it is missing where that kind could never be read.
    ``changed_at`` is when either last was another, ``scanned_at`` when the vendor last looked for patches.
    ``empty_since`` is when an empty list came in place of a full one: it is believed when a later sync says
    the same.
    """

    __tablename__ = "rmm_patch_lists"
    __table_args__ = (
        # By the week: the instant moves with every scan, and would take the index along.
        Index(None, "tenant_id", "scanned_week"),
        ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["rmm_devices.tenant_id", "rmm_devices.id"],
            name="fk_rmm_patch_lists_device",
            ondelete="CASCADE",
        ),
    )

    os_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    software_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime]
    scanned_at: Mapped[datetime | None]
    empty_since: Mapped[datetime | None]
    scanned_week: Mapped[date | None] = mapped_column(
        Computed("date_trunc('week', scanned_at AT TIME ZONE 'UTC')::date", persisted=True)
    )
