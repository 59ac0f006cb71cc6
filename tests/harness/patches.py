"""Rows of patches for tests: what devices wait for, failed at and got."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from rmm_extension.models import DevicePatch, PatchList, new_id, utc_now

YESTERDAY = utc_now() - timedelta(days=1)
SECOND_TUESDAY = "2026-11 Cumulative Update for Windows 11 (KB5034441)"


@dataclass(frozen=True)
class Listed:
    """A patch as a device's list has it."""

    name: str
    status: str = "pending"
    kind: str = "os"
    severity: str | None = "critical"
    kb: str | None = None
    changed_at: datetime | None = None
    category: str | None = None


def give(
    session: Session,
    tenant_id: str,
    device_id: UUID,
    patches: Iterable[Listed],
    *,
    scanned_at: datetime | None = YESTERDAY,
) -> None:
    """Let a device's list have these patches."""
    rows = [_row(tenant_id, device_id, one) for one in patches]
    if rows:
        session.execute(insert(DevicePatch), rows)
    listed = {
        "tenant_id": tenant_id,
        "id": device_id,
        "os_digest": b"-",
        "software_digest": b"-",
        "changed_at": YESTERDAY,
        "scanned_at": scanned_at,
    }
    session.execute(upsert(PatchList).on_conflict_do_nothing(), [listed])


def _row(tenant_id: str, device_id: UUID, one: Listed) -> dict[str, object]:
    return {
        "tenant_id": tenant_id,
        "id": new_id(),
        "device_id": device_id,
        "external_id": str(new_id()),
        "kind": one.kind,
        "name": one.name,
        "status": one.status,
        "severity": one.severity,
        "category": one.category,
        "kb": one.kb,
        "changed_at": one.changed_at,
        "first_seen_at": YESTERDAY,
    }
