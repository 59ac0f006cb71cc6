"""Connections to vendors, their secrets, and the mapping of the vendor's organizations to clients."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, Timestamps


class Integration(TenantRow, Timestamps, Base):
    """One connection to one vendor account; a tenant may have several of one vendor, each with a name.

    ``state``: connected, error, needs_reauth, paused or not_connected. ``config_version`` moves with every
    change that the ingest path must see: rules, windows, webhook switch, state. ``webhook_token_hash`` finds
    the connection of a delivery; the token itself and the webhook secret are in ``rmm_secrets``.
    ``webhook_since`` is since when deliveries are taken, as long as ``webhook_enabled`` holds.
    ``last_reconciled_at`` is the start of the last complete fetch of active alerts, ``reconcile_state`` what
    a second look at the vendor's list is waiting for. ``sign_in_lease_until`` is held by the one worker that
    renews the session at the vendor, ``sign_in_blocked_until`` is when the vendor takes log-ins again.
    ``registration`` is what the vendor was told of the webhook and how that went, ``registration_due_at``
    when to tell it again; ``activity_position`` is how far its activity log was read. ``alerts_followed_to``
    is the vendor's time up to which changes of alerts were taken, where it tells these.
    """

    __tablename__ = "rmm_integrations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "provider", "name"),
        Index(
            "uq_rmm_integrations_webhook_token",
            "tenant_id",
            "webhook_token_hash",
            unique=True,
            postgresql_where="webhook_token_hash IS NOT NULL",
        ),
    )

    provider: Mapped[str]
    name: Mapped[str]
    instance_url: Mapped[str] = mapped_column(default="")
    auth_mode: Mapped[str] = mapped_column(default="api_key")
    state: Mapped[str] = mapped_column(default="not_connected")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    config_version: Mapped[int] = mapped_column(default=1)
    webhook_enabled: Mapped[bool] = mapped_column(default=False)
    webhook_token_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    webhook_since: Mapped[datetime | None]
    setup_step: Mapped[str | None]
    connected_at: Mapped[datetime | None]
    last_sync_at: Mapped[datetime | None]
    last_full_sync_at: Mapped[datetime | None]
    last_incremental_sync_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_error_at: Mapped[datetime | None]
    next_device_sync_at: Mapped[datetime | None]
    next_reconcile_at: Mapped[datetime | None]
    last_reconciled_at: Mapped[datetime | None]
    next_software_sync_at: Mapped[datetime | None]
    last_software_sync_at: Mapped[datetime | None]
    next_patch_sync_at: Mapped[datetime | None]
    last_patch_sync_at: Mapped[datetime | None]
    next_activity_at: Mapped[datetime | None]
    activity_position: Mapped[str | None]
    alerts_followed_to: Mapped[datetime | None]
    registration: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))
    registration_due_at: Mapped[datetime | None]
    sign_in_lease_until: Mapped[datetime | None]
    sign_in_blocked_until: Mapped[datetime | None]
    reconcile_state: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))


class Secret(TenantRow, Base):
    """One encrypted value of a connection. ``hint`` is what a page may show: the last four characters."""

    __tablename__ = "rmm_secrets"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id", "name"),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    name: Mapped[str]
    key_id: Mapped[str]
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(default="")
    updated_at: Mapped[datetime]


class OrganizationMapping(TenantRow, Timestamps, Base):
    """A vendor's organization and the client it belongs to here; never deleted.

    ``missing_since`` is set while a complete listing does not name it any more. ``parent_external_id`` is the
    one it lies in; ``inherited_from`` the nearest above it that has a client of its own, whose client,
    contact and switches stand here too while it has none itself. ``auto_tickets``: its alerts may become
    tickets.
    """

    __tablename__ = "rmm_organization_mappings"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id", "external_id"),
        Index(None, "tenant_id", "client_id"),
        Index(None, "tenant_id", "default_contact_id"),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
    )

    integration_id: Mapped[UUID]
    external_id: Mapped[str]
    name: Mapped[str]
    client_id: Mapped[str | None]
    default_contact_id: Mapped[str | None]
    auto_sync: Mapped[bool] = mapped_column(default=True)
    auto_tickets: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    parent_external_id: Mapped[str | None]
    inherited_from: Mapped[str | None]
    vendor_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    missing_since: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_synced_at: Mapped[datetime | None]
