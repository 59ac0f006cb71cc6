"""Assets: what the clients own, with the columns an RMM fills.

What hangs on an asset has no foreign key to it, for the reason given in :mod:`reference_psa.models.tickets`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Numeric, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from reference_psa.db import Id, Model, Ref, TenantId, utcnow

ASSET_TYPES = ("workstation", "server", "network_device", "mobile_device", "printer", "unknown")


class Asset(Model):
    """A thing a client owns.

    ``kept_fields`` names the fields a person keeps against the RMM; ``review`` holds, for such a field, the
    value the RMM reports instead.
    """

    __tablename__ = "assets"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["clients.tenant_id", "clients.id"]),
        Index("ix_assets_client_serial", "tenant_id", "client_id", func.lower(text("serial_number"))),
        Index("ix_assets_client_name", "tenant_id", "client_id", func.lower(text("name"))),
        Index(None, "tenant_id", "agent_status"),
        {"postgresql_with": {"fillfactor": 75}},
    )

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    client_id: Mapped[Ref | None]
    name: Mapped[str] = mapped_column(String(255))
    asset_type: Mapped[str] = mapped_column(String(30), default="unknown")
    serial_number: Mapped[str | None] = mapped_column(String(255))
    mac_addresses: Mapped[list[str]] = mapped_column(default=list)
    location: Mapped[str | None] = mapped_column(String(255))
    asset_tag: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(20), default="active")
    status_reason: Mapped[str | None]
    notes: Mapped[str] = mapped_column(default="")
    custom_attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    kept_fields: Mapped[list[str]] = mapped_column(default=list)
    review: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rmm_provider: Mapped[str | None] = mapped_column(String(50))
    rmm_device_id: Mapped[str | None] = mapped_column(String(255))
    rmm_organization_id: Mapped[str | None] = mapped_column(String(255))
    agent_status: Mapped[str | None] = mapped_column(String(20))
    last_seen_at: Mapped[datetime | None]
    last_rmm_sync_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class _Vitals:
    """What workstations and servers have in common."""

    __table_args__ = ({"postgresql_with": {"fillfactor": 75}},)

    tenant_id: Mapped[TenantId]
    asset_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    os_name: Mapped[str | None]
    os_version: Mapped[str | None]
    manufacturer: Mapped[str | None]
    model: Mapped[str | None]
    cpu_model: Mapped[str | None]
    cpu_cores: Mapped[int | None]
    ram_gb: Mapped[int | None]
    storage_gb: Mapped[int | None]
    agent_version: Mapped[str | None]
    antivirus_status: Mapped[str | None] = mapped_column(String(20))
    antivirus_product: Mapped[str | None]
    last_reboot_at: Mapped[datetime | None]
    needs_reboot: Mapped[bool | None]
    has_pending_patches: Mapped[bool | None]
    pending_patches: Mapped[int | None]
    failed_patches: Mapped[int | None]
    pending_os_patches: Mapped[int | None]
    pending_software_patches: Mapped[int | None]
    last_patch_scan_at: Mapped[datetime | None]
    system_info: Mapped[dict[str, Any] | None]
    current_user: Mapped[str | None] = mapped_column(String(255))
    uptime_seconds: Mapped[int | None] = mapped_column(BigInteger)
    lan_ip: Mapped[str | None] = mapped_column(String(45))
    wan_ip: Mapped[str | None] = mapped_column(String(45))
    memory_used_gb: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    memory_usage_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    disk_usage: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    network_interfaces: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    installed_software: Mapped[list[Any] | None] = mapped_column(JSONB)


class WorkstationAsset(_Vitals, Model):
    """What is known of a workstation."""

    __tablename__ = "workstation_assets"

    cpu_utilization_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))


class ServerAsset(_Vitals, Model):
    """What is known of a server."""

    __tablename__ = "server_assets"

    cpu_usage_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))


class AssetHistory(Model):
    """One moment at which fields of an asset changed.

    ``changes`` is ``{field: [old, new]}``; ``kind`` is created, changed, kept (the RMM's value was left aside
    for review) or status. ``user_id`` is empty when the RMM made the change.
    """

    __tablename__ = "asset_history"
    __table_args__ = (Index(None, "tenant_id", "asset_id"),)

    tenant_id: Mapped[TenantId]
    id: Mapped[Id]
    asset_id: Mapped[Ref]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    user_id: Mapped[Ref | None]
    source: Mapped[str] = mapped_column(String(50))
    kind: Mapped[str] = mapped_column(String(20))
    changes: Mapped[dict[str, Any]]
