"""Connections with their counts and health, and their runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from rmm_extension.models import (
    OPEN_SQL,
    Alert,
    DeviceRow,
    Integration,
    JobRun,
    OrganizationMapping,
)

from .paging import AnyRow

STATUSES = ("online", "offline", "overdue", "unknown")


@dataclass(frozen=True, slots=True)
class Counts:
    """What one connection holds."""

    organizations: int = 0
    mapped: int = 0
    failing: int = 0
    devices: Mapping[str, int] = field(default_factory=dict)
    active_alerts: int = 0

    @property
    def all_devices(self) -> int:
        """Devices whatever their status."""
        return sum(self.devices.values())


def counts(session: Session, tenant_id: str, integration_id: UUID | None = None) -> Mapping[UUID, Counts]:
    """Counts of one connection, or of all of the tenant's: three statements either way."""
    organizations = _organizations(session, tenant_id, integration_id)
    devices = _devices(session, tenant_id, integration_id)
    alerts = _alerts(session, tenant_id, integration_id)
    keys = organizations.keys() | devices.keys() | alerts.keys()
    return {
        key: Counts(*organizations.get(key, (0, 0, 0)), dict(devices.get(key, {})), alerts.get(key, 0))
        for key in keys
    }


def _organizations(session: Session, tenant_id: str, only: UUID | None) -> dict[UUID, tuple[int, int, int]]:
    mapped = func.count().filter(OrganizationMapping.client_id.is_not(None))
    failing = func.count().filter(OrganizationMapping.last_error.is_not(None))
    statement = select(OrganizationMapping.integration_id, func.count(), mapped, failing).where(
        OrganizationMapping.tenant_id == tenant_id
    )
    if only:
        statement = statement.where(OrganizationMapping.integration_id == only)
    rows = session.execute(statement.group_by(OrganizationMapping.integration_id))
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _devices(session: Session, tenant_id: str, only: UUID | None) -> dict[UUID, dict[str, int]]:
    statement = select(DeviceRow.integration_id, DeviceRow.status, func.count()).where(
        DeviceRow.tenant_id == tenant_id, DeviceRow.deleted_at.is_(None)
    )
    if only:
        statement = statement.where(DeviceRow.integration_id == only)
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    for key, status, number in session.execute(
        statement.group_by(DeviceRow.integration_id, DeviceRow.status)
    ):
        known = status if status in STATUSES else "unknown"
        found[key][known] = found[key].get(known, 0) + number
    return found


def _alerts(session: Session, tenant_id: str, only: UUID | None) -> dict[UUID, int]:
    statement = select(Alert.integration_id, func.count()).where(
        Alert.tenant_id == tenant_id, text(OPEN_SQL), Alert.status == "active"
    )
    if only:
        statement = statement.where(Alert.integration_id == only)
    return {row[0]: row[1] for row in session.execute(statement.group_by(Alert.integration_id))}


def names(session: Session, tenant_id: str) -> Sequence[AnyRow]:
    """Id, vendor, name and state of every connection, for filters and cards."""
    statement = select(
        Integration.id,
        Integration.provider,
        Integration.name,
        Integration.state,
        Integration.setup_step,
        Integration.last_error,
        Integration.last_sync_at,
        Integration.last_software_sync_at,
        Integration.last_patch_sync_at,
        Integration.webhook_enabled,
    ).where(Integration.tenant_id == tenant_id)
    return session.execute(statement.order_by(Integration.provider, Integration.name)).all()


def runs_of(session: Session, tenant_id: str, integration_id: UUID, limit: int = 5) -> Sequence[JobRun]:
    """The connection's newest runs."""
    statement = select(JobRun).where(JobRun.tenant_id == tenant_id, JobRun.integration_id == integration_id)
    return session.scalars(statement.order_by(JobRun.queued_at.desc()).limit(limit)).all()


def latest_run(session: Session, tenant_id: str, integration_id: UUID, kind: str) -> JobRun | None:
    """The newest run of a kind on this connection."""
    statement = select(JobRun).where(
        JobRun.tenant_id == tenant_id, JobRun.integration_id == integration_id, JobRun.kind == kind
    )
    return session.scalars(statement.order_by(JobRun.queued_at.desc()).limit(1)).first()


def client_ids(session: Session, tenant_id: str) -> Sequence[str]:
    """The clients that any organization is mapped to: those a filter offers."""
    statement = select(OrganizationMapping.client_id).where(
        OrganizationMapping.tenant_id == tenant_id, OrganizationMapping.client_id.is_not(None)
    )
    return [str(found) for found in session.scalars(statement.distinct())]
