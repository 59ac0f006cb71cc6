"""The list of devices and one device with its alerts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, func, select, text
from sqlalchemy.orm import Session

from rmm_extension.models import (
    CONNECTION_OF_DEVICE,
    OPEN_SQL,
    Alert,
    DeviceRow,
    Integration,
    OrganizationMapping,
)
from rmm_extension.services.inventory.missing import LISTINGS

from .device_filter import DeviceFilter, active, conditions
from .paging import (
    PAGE,
    AnyRow,
    AnySelect,
    Count,
    Page,
    Way,
    count_up_to_cap,
    first_in_order,
    first_of_few,
    name_cursor,
    read_name_cursor,
    up_to_cap,
)
from .paths import named

SHOWN = 20
"""So many open alerts stand on a device's page and in an asset's panel."""

_COLUMNS = DeviceRow.__table__.c
_LISTED = (
    _COLUMNS.id,
    _COLUMNS.integration_id,
    _COLUMNS.external_id,
    _COLUMNS.name,
    _COLUMNS.kind,
    _COLUMNS.status,
    _COLUMNS.last_seen_at,
    _COLUMNS.asset_id,
    _COLUMNS.client_id,
    _COLUMNS.missing_since,
    _COLUMNS.missing_count,
    _COLUMNS.last_error,
    _COLUMNS.last_synced_at,
    _COLUMNS.needs_reboot,
    _COLUMNS.patches_pending,
    _COLUMNS.patches_failed,
    _COLUMNS.antivirus,
    _COLUMNS.threatened,
    _COLUMNS.awaits_approval,
    _COLUMNS.agent_version,
    _COLUMNS.kept,
)


def device_page(
    session: Session,
    tenant_id: str,
    wanted: DeviceFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
    turned: bool = False,
) -> Page[AnyRow]:
    """Devices by name: the page behind the cursor ``after``, or the one in front of ``before``."""
    way = Way.of(("name", "id"), read_name_cursor, after, before, descending=turned)
    columns = (_COLUMNS.tenant_id, _COLUMNS.id, _COLUMNS.name)
    matching = way.ahead(select(*columns).where(*conditions(session, tenant_id, wanted)))
    # A part of a name may be rare, and what finds it then, the index of texts, knows no order.
    read = first_of_few if wanted.text else first_in_order
    found = read(session, matching, way, limit + 1, _with_all)
    return way.page(found.rows, limit, lambda row: name_cursor(row.name, row.id), up_to_cap(found.number))


def device_count(session: Session, tenant_id: str, wanted: DeviceFilter) -> Count:
    """How many devices match, up to the cap."""
    return count_up_to_cap(session, select(_COLUMNS.id).where(*conditions(session, tenant_id, wanted)))


def _with_all(first: FromClause, total: ColumnElement[int]) -> AnySelect:
    """The rows with what the list shows of a device."""
    same = (_COLUMNS.tenant_id == first.c.tenant_id, _COLUMNS.id == first.c.id)
    return select(*_LISTED, _active_alerts(), total).where(*same)


def _active_alerts() -> ColumnElement[int]:
    mine = (Alert.tenant_id == DeviceRow.tenant_id, Alert.device_id == DeviceRow.id, *active())
    number = select(func.count()).where(*mine).correlate(DeviceRow).scalar_subquery()
    return number.label("active_alerts")


@dataclass(frozen=True, slots=True)
class DeviceDetail:
    """One device with what its page tells; its organization's name says what that lies in."""

    device: DeviceRow
    connection_name: str
    provider: str
    instance_url: str
    organization_name: str | None
    alerts: Sequence[AnyRow]


def device_detail(session: Session, tenant_id: str, device_id: UUID) -> DeviceDetail | None:
    """The device with its connection, organization and newest alerts, or ``None``."""
    found = session.execute(
        select(
            DeviceRow,
            Integration.name,
            Integration.provider,
            Integration.instance_url,
            OrganizationMapping.id,
        )
        .join(Integration, CONNECTION_OF_DEVICE)
        .outerjoin(
            OrganizationMapping,
            (OrganizationMapping.tenant_id == DeviceRow.tenant_id)
            & (OrganizationMapping.integration_id == DeviceRow.integration_id)
            & (OrganizationMapping.external_id == DeviceRow.external_organization_id),
        )
        .where(DeviceRow.tenant_id == tenant_id, DeviceRow.id == device_id)
    ).first()
    if found is None:
        return None
    device, connection, provider, address, mapping_id = found
    # An outer join: one whose organization was never listed has none.
    organizations = named(session, tenant_id, [mapping_id] if mapping_id else [])
    alerts = alerts_of_devices(session, tenant_id, [device_id])
    return DeviceDetail(device, connection, provider, address, organizations.get(mapping_id), alerts)


def gone_by_organization(session: Session, tenant_id: str, integration_id: UUID) -> dict[str, int]:
    """How many devices of each organization are proved gone but not yet removed."""
    statement = (
        select(DeviceRow.external_organization_id, func.count())
        .where(
            DeviceRow.tenant_id == tenant_id,
            DeviceRow.integration_id == integration_id,
            DeviceRow.deleted_at.is_(None),
            DeviceRow.missing_count >= LISTINGS,
        )
        .group_by(DeviceRow.external_organization_id)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def alerts_of_devices(
    session: Session, tenant_id: str, device_ids: Collection[UUID], limit: int = SHOWN
) -> Sequence[AnyRow]:
    """Open alerts of these devices, newest first."""
    if not device_ids:
        return []
    statement = _alert_columns().where(
        Alert.tenant_id == tenant_id, Alert.device_id.in_(device_ids), text(OPEN_SQL)
    )
    return session.execute(statement.order_by(Alert.triggered_at.desc()).limit(limit)).all()


def _alert_columns() -> AnySelect:
    return select(
        Alert.id,
        Alert.status,
        Alert.severity,
        Alert.device_name,
        Alert.title,
        Alert.message,
        Alert.alert_class,
        Alert.ticket_id,
        Alert.triggered_at,
    )


def devices_of_assets(session: Session, tenant_id: str, asset_ids: Collection[str]) -> Sequence[AnyRow]:
    """The devices behind these assets with their active alerts counted, the one seen last first."""
    # No text that is stored has a NUL; an address may.
    wanted = [one for one in asset_ids if "\x00" not in one]
    if not wanted:
        return []
    statement = (
        select(
            *_LISTED,
            DeviceRow.facts,
            DeviceRow.serial,
            DeviceRow.macs,
            Integration.name.label("connection_name"),
            Integration.provider,
            _active_alerts(),
        )
        .join(Integration, CONNECTION_OF_DEVICE)
        .where(
            DeviceRow.tenant_id == tenant_id,
            DeviceRow.asset_id.in_(wanted),
            DeviceRow.deleted_at.is_(None),
        )
    )
    return session.execute(statement.order_by(DeviceRow.last_seen_at.desc().nulls_last())).all()
