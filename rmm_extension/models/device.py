"""Devices: the crosswalk between a vendor's device and the host's asset, with what we know of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, Timestamps

_LIST = (
    *("tenant_id", "name", "id", "deleted_at", "status", "kind", "integration_id"),
    *("needs_reboot", "patches_pending", "seen_week", "agent_version"),
    *("os_pending", "software_pending", "patches_failed", "antivirus", "threatened", "awaits_approval"),
)
"""The index of the list: the order of its rows, then its filters, so that what does not match is passed over
without a look at the table. A client's devices are few: it has an index of its own; so have the few that are
missing or kept."""
_BY_CLIENT = (
    *("tenant_id", "client_id", "status", "deleted_at", "integration_id", "kind", "needs_reboot"),
    *("patches_pending", "os_pending", "software_pending", "patches_failed", "antivirus", "threatened"),
)
"""The index of a client's devices, and of all that is counted by client. Few of its entries are unlike their
neighbours, so that PostgreSQL folds them: it is a tenth of the list's, and counting by it is quick."""
_FILL = 50
"""Percent of a page that new rows fill. Each sync moves ``last_seen_at`` of nearly all devices: a row that
finds room beside itself is written there, and no index is touched."""
DELETED_SQL = "deleted_at IS NOT NULL"
"""The devices that are proved gone, as their index says it: what they had is nobody's now."""
MISSING_SQL = "missing_count > 0"
"""The devices that some complete listing did not name, as their index says it."""
AGEING_SQL = "status = 'offline' AND overdue_after_minutes IS NOT NULL"
"""The devices that may become overdue between two looks, as their index says it."""


def _from_facts(name: str) -> Computed:
    """A truth among the facts: yes, no, or unknown where the vendor does not say."""
    return Computed(f"nullif(facts -> '{name}', 'null'::jsonb) = 'true'::jsonb", persisted=True)


def _above_zero(name: str) -> str:
    """Whether a number among the facts is above zero; unknown where the vendor tells none."""
    return f"nullif(facts -> '{name}', 'null'::jsonb) > '0'::jsonb"


_OS_FAILED, _SOFTWARE_FAILED = _above_zero("os_patches_failed"), _above_zero("software_patches_failed")


class DeviceRow(TenantRow, Timestamps, Base):
    """One device of one connection.

    ``client_id`` repeats the asset's client so that ingest needs no look at host tables. ``core_hash`` and
    ``hardware_hash`` are digests of what was last written; ``last_seen_at`` and ``status`` move without them,
    the former with every sync: it stands in no index. ``facts`` are the vitals a page shows. ``missing_*``
    are set by complete listings that do not name the device, ``deleted_at`` by proof. ``kept`` is a person's
    word that its asset stays active whatever listings say. ``needs_reboot``, ``agent_version``,
    what waits and what is at risk are facts that lists ask for: PostgreSQL keeps them.
    """

    __tablename__ = "rmm_devices"
    __table_args__ = (
        UniqueConstraint("tenant_id", "integration_id", "external_id"),
        Index(None, "tenant_id", "asset_id"),
        Index("ix_rmm_devices_client", *_BY_CLIENT),
        Index("ix_rmm_devices_list", *_LIST),
        Index("ix_rmm_devices_missing", "tenant_id", "name", "id", postgresql_where=text(MISSING_SQL)),
        Index("ix_rmm_devices_kept", "tenant_id", "name", "id", postgresql_where=text("kept")),
        Index("ix_rmm_devices_deleted", "tenant_id", "name", "id", postgresql_where=text(DELETED_SQL)),
        Index("ix_rmm_devices_ageing", "tenant_id", "name", "id", postgresql_where=text(AGEING_SQL)),
        ForeignKeyConstraint(
            ["tenant_id", "integration_id"],
            ["rmm_integrations.tenant_id", "rmm_integrations.id"],
            ondelete="CASCADE",
        ),
        {"postgresql_with": {"fillfactor": _FILL}},
    )

    integration_id: Mapped[UUID]
    external_id: Mapped[str]
    external_organization_id: Mapped[str]
    asset_id: Mapped[str | None]
    client_id: Mapped[str | None]
    name: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]
    last_seen_at: Mapped[datetime | None]
    serial: Mapped[str | None]
    macs: Mapped[list[str]] = mapped_column(ARRAY(Text()), default=list, server_default="{}")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    core_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    hardware_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    offline_after_minutes: Mapped[int | None]
    overdue_after_minutes: Mapped[int | None]
    missing_since: Mapped[datetime | None]
    missing_count: Mapped[int] = mapped_column(default=0, server_default="0")
    deleted_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_synced_at: Mapped[datetime | None]
    kept: Mapped[bool] = mapped_column(default=False, server_default="false")
    needs_reboot: Mapped[bool | None] = mapped_column(_from_facts("needs_reboot"))
    patches_pending: Mapped[bool | None] = mapped_column(_from_facts("has_pending_patches"))
    agent_version: Mapped[str | None] = mapped_column(Computed("facts ->> 'agent_version'", persisted=True))
    os_pending: Mapped[bool | None] = mapped_column(
        Computed(_above_zero("os_patches_pending"), persisted=True)
    )
    software_pending: Mapped[bool | None] = mapped_column(
        Computed(_above_zero("software_patches_pending"), persisted=True)
    )
    # A vendor that tells one of the two numbers tells enough.
    patches_failed: Mapped[bool | None] = mapped_column(
        Computed(
            f"coalesce({_OS_FAILED} OR {_SOFTWARE_FAILED}, {_OS_FAILED}, {_SOFTWARE_FAILED})", persisted=True
        )
    )
    antivirus: Mapped[str | None] = mapped_column(Computed("facts ->> 'antivirus'", persisted=True))
    threatened: Mapped[bool | None] = mapped_column(Computed(_above_zero("threats"), persisted=True))
    awaits_approval: Mapped[bool | None] = mapped_column(
        Computed("coalesce(facts ->> 'approval' IN ('pending', 'staged'), false)", persisted=True)
    )
    seen_week: Mapped[date | None] = mapped_column(
        Computed("date_trunc('week', last_seen_at AT TIME ZONE 'UTC')::date", persisted=True)
    )
