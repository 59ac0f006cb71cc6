"""Software: the catalog of a tenant, and what is or was installed on each device."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, utc_now


class Software(TenantRow, Base):
    """One product of one publisher, as devices of any vendor name it.

    ``normalized_name`` and ``publisher`` (``""`` where nobody says it) identify it; ``name`` is how the first
    device wrote it.
    """

    __tablename__ = "rmm_software_catalog"
    __table_args__ = (UniqueConstraint("tenant_id", "normalized_name", "publisher"),)

    normalized_name: Mapped[str]
    publisher: Mapped[str] = mapped_column(default="")
    name: Mapped[str]
    first_seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class DeviceSoftware(TenantRow, Base):
    """One version of a product on one device: since ``first_seen_at``, until ``removed_at`` if it is gone.

    What is there was last seen with the connection's last software sync; nothing is written for that.
    ``version_key`` are the version's numbers, for comparing.
    """

    __tablename__ = "rmm_device_software"
    __table_args__ = (
        UniqueConstraint("tenant_id", "device_id", "software_id", "version"),
        # All rows, not only present ones: the foreign key to the catalog looks here too.
        Index(
            "ix_rmm_device_software_product",
            "tenant_id",
            "software_id",
            "removed_at",
            "version_key",
            postgresql_include=["device_id", "version"],
        ),
        Index(
            "ix_rmm_device_software_removed",
            "tenant_id",
            "removed_at",
            postgresql_where=text("removed_at IS NOT NULL"),
        ),
        ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["rmm_devices.tenant_id", "rmm_devices.id"],
            name="fk_rmm_device_software_device",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["tenant_id", "software_id"],
            ["rmm_software_catalog.tenant_id", "rmm_software_catalog.id"],
            name="fk_rmm_device_software_software",
        ),
    )

    device_id: Mapped[UUID]
    software_id: Mapped[UUID]
    version: Mapped[str] = mapped_column(default="")
    version_key: Mapped[list[int]] = mapped_column(ARRAY(BigInteger()), default=list, server_default="{}")
    installed_on: Mapped[date | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger())
    location: Mapped[str | None]
    first_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    removed_at: Mapped[datetime | None]


class SoftwareList(TenantRow, Base):
    """What a device's vendor last listed for it; ``id`` is the device's.

    ``digest`` tells a list that is as before, ``changed_at`` is when it last was another. ``empty_since`` is
    when an empty list came in place of a full one: it is believed when a later sync says the same. Apart from
    the device's row, so that a software sync never waits for a device sync, nor for one another's locks.
    """

    __tablename__ = "rmm_software_lists"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["rmm_devices.tenant_id", "rmm_devices.id"],
            name="fk_rmm_software_lists_device",
            ondelete="CASCADE",
        ),
    )

    digest: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime]
    empty_since: Mapped[datetime | None]
