"""The list of devices and one device with its alerts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select, text, tuple_
from sqlalchemy.orm import Session

from rmm_extension.models import OPEN_SQL, Alert, DeviceRow, Integration, OrganizationMapping
from rmm_extension.services.inventory.missing import LISTINGS

from .paging import (
    PAGE,
    AnyRow,
    AnySelect,
    Columns,
    Count,
    Page,
    contains,
    count_up_to_cap,
    cut,
    look_among,
    name_cursor,
    read_name_cursor,
    up_to_cap,
)

NEAREST = 1_000
"""Status, kind and a part of the name are looked for among so many devices next in name before all others."""

SHOWN = 20
"""So many open alerts stand on a device's page and in an asset's panel."""

_LISTED = (
    DeviceRow.id,
    DeviceRow.integration_id,
    DeviceRow.name,
    DeviceRow.kind,
    DeviceRow.status,
    DeviceRow.last_seen_at,
    DeviceRow.asset_id,
    DeviceRow.client_id,
    DeviceRow.missing_since,
    DeviceRow.last_error,
)


_COLUMNS = DeviceRow.__table__.c


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter:
    """What the list is narrowed to; deleted devices are only shown when asked for."""

    status: str | None = None
    kind: str | None = None
    integration_id: UUID | None = None
    client_id: str | None = None
    text: str | None = None
    deleted: bool = False


def device_page(
    session: Session,
    tenant_id: str,
    wanted: DeviceFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
    last_first: bool = False,
) -> Page[AnyRow]:
    """Devices by name: the page behind the cursor ``after``, or the one in front of ``before``."""
    backwards = before is not None
    descending = backwards != last_first
    cursor = read_name_cursor(before or after)
    statement = select(*_LISTED).where(*_conditions(tenant_id, wanted))
    if cursor is not None:
        place = tuple_(DeviceRow.name, DeviceRow.id)
        statement = statement.where(place < cursor if descending else place > cursor)
    rows, count = _search(session, statement, wanted, limit + 1, descending)
    shown = cut(
        rows,
        limit,
        lambda row: name_cursor(row.name, row.id),
        cursor=after if cursor else None,
        backwards=backwards,
    )
    if cursor:
        return shown
    return replace(shown, count=Count(len(rows)) if len(rows) <= limit else count)


def device_count(session: Session, tenant_id: str, wanted: DeviceFilter) -> Count:
    """How many devices match, up to the cap."""
    matching = select(DeviceRow.id).where(*_conditions(tenant_id, wanted), *_looked_for(wanted, _COLUMNS))
    return count_up_to_cap(session, matching)


def _conditions(tenant_id: str, wanted: DeviceFilter) -> list[ColumnElement[bool]]:
    """What an index helps with, but for the name."""
    equal = ((DeviceRow.integration_id, wanted.integration_id), (DeviceRow.client_id, wanted.client_id))
    conditions = [DeviceRow.tenant_id == tenant_id]
    conditions += [column == value for column, value in equal if value]
    gone = DeviceRow.deleted_at
    conditions.append(gone.is_not(None) if wanted.deleted else gone.is_(None))
    return conditions


def _looked_for(wanted: DeviceFilter, columns: Columns) -> list[ColumnElement[bool]]:
    """What stands in no index, because it moves with every sync, and a part of the name."""
    equal = ((columns.status, wanted.status), (columns.kind, wanted.kind))
    conditions = [column == value for column, value in equal if value]
    return [*conditions, columns.name.ilike(contains(wanted.text))] if wanted.text else conditions


def _search(
    session: Session, statement: AnySelect, wanted: DeviceFilter, limit: int, descending: bool
) -> tuple[Sequence[AnyRow], Count | None]:
    """The rows in their order, and how many there are, where that is found out on the way: looked for among
    those next in name, then among all at once; the devices of one client are few enough for the latter."""
    ordered = statement.order_by(*_place(_COLUMNS.name, _COLUMNS.id, descending))
    if not (conditions := _looked_for(wanted, _COLUMNS)):
        return session.execute(ordered.limit(limit)).all(), None
    if not wanted.client_id:
        looked = look_among(
            session,
            ordered,
            NEAREST,
            lambda columns: and_(*_looked_for(wanted, columns)),
            lambda columns: _place(columns.name, columns.id, descending),
            limit,
        )
        if looked.enough:
            return looked.rows, None if looked.count.more else looked.count
    # This name is in no index: what matches is read first and then sorted, instead of walking all names.
    sorted_last = _place(_COLUMNS.name.concat(""), _COLUMNS.id, descending)
    matching = statement.where(*conditions).add_columns(func.count().over().label("total"))
    rows = session.execute(matching.order_by(*sorted_last).limit(limit)).all()
    return rows, up_to_cap(rows[0].total if rows else 0)


def _place(name: ColumnElement[str], id_: ColumnElement[UUID], descending: bool) -> list[ColumnElement[Any]]:
    return [name.desc(), id_.desc()] if descending else [name, id_]


@dataclass(frozen=True, slots=True)
class DeviceDetail:
    """One device with what its page tells."""

    device: DeviceRow
    connection_name: str
    provider: str
    organization_name: str | None
    alerts: Sequence[AnyRow]


def device_detail(session: Session, tenant_id: str, device_id: UUID) -> DeviceDetail | None:
    """The device with its connection, organization and newest alerts, or ``None``."""
    found = session.execute(
        select(
            DeviceRow, Integration.name, Integration.provider, OrganizationMapping.name.label("organization")
        )
        .join(
            Integration,
            (Integration.tenant_id == DeviceRow.tenant_id) & (Integration.id == DeviceRow.integration_id),
        )
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
    alerts = alerts_of_devices(session, tenant_id, [device_id])
    return DeviceDetail(found[0], found[1], found[2], found[3], alerts)


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
        Alert.message,
        Alert.alert_class,
        Alert.ticket_id,
        Alert.triggered_at,
    )


def devices_of_assets(session: Session, tenant_id: str, asset_ids: Collection[str]) -> Sequence[AnyRow]:
    """The devices behind these assets with their active alerts counted, the one seen last first."""
    if not asset_ids:
        return []
    active = (
        select(func.count())
        .where(Alert.tenant_id == DeviceRow.tenant_id, Alert.device_id == DeviceRow.id, *_active())
        .correlate(DeviceRow)
        .scalar_subquery()
    )
    statement = (
        select(
            *_LISTED,
            DeviceRow.facts,
            Integration.name.label("connection_name"),
            Integration.provider,
            active.label("active_alerts"),
        )
        .join(
            Integration,
            (Integration.tenant_id == DeviceRow.tenant_id) & (Integration.id == DeviceRow.integration_id),
        )
        .where(
            DeviceRow.tenant_id == tenant_id,
            DeviceRow.asset_id.in_(list(asset_ids)),
            DeviceRow.deleted_at.is_(None),
        )
    )
    return session.execute(statement.order_by(DeviceRow.last_seen_at.desc().nulls_last())).all()


def assets_with_active_alerts(tenant_id: str) -> Select[str | None]:
    """The ids of the assets on which an alert is active: for a host's query, as what stands behind ``IN``."""
    of_device = (Alert.tenant_id == DeviceRow.tenant_id) & (Alert.device_id == DeviceRow.id)
    mine = (DeviceRow.tenant_id == tenant_id, DeviceRow.asset_id.is_not(None), DeviceRow.deleted_at.is_(None))
    statement = select(DeviceRow.asset_id).join(Alert, of_device)
    return statement.where(*mine, Alert.tenant_id == tenant_id, *_active())


def _active() -> tuple[ColumnElement[bool], ...]:
    """Active alerts, in the words of the index of the open ones of a device."""
    return (text(OPEN_SQL.replace("status", "rmm_alerts.status")), Alert.status == "active")  # type: ignore[return-value]
