"""The software of one device, or of the several devices behind an asset: what is there, and what changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, distinct, func, or_, select
from sqlalchemy.orm import Session

from rmm_extension.models import DeviceRow, DeviceSoftware, Integration, Software, SoftwareList, utc_now

from .paging import (
    PAGE,
    AnyRow,
    AnySelect,
    Count,
    Page,
    Way,
    contains,
    count_up_to_cap,
    name_cursor,
    read_name_cursor,
    up_to_cap,
)
from .software import HAS, NAMED, PRODUCTS
from .whose import DEVICES

LATELY = timedelta(days=7)
"""Changes are counted so far back."""
_LISTED = (
    HAS.id,
    HAS.device_id,
    HAS.software_id,
    HAS.version,
    HAS.installed_on,
    HAS.size_bytes,
    HAS.location,
    HAS.first_seen_at,
    HAS.removed_at,
    PRODUCTS.name,
    PRODUCTS.normalized_name,
    PRODUCTS.publisher,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareFilter:
    """Whose list, and what it is narrowed to: what is there, or with ``removed`` what was and is gone."""

    device_ids: Sequence[UUID]
    text: str | None = None
    removed: bool = False


def software_of_devices(
    session: Session,
    tenant_id: str,
    wanted: SoftwareFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
    turned: bool = False,
) -> Page[AnyRow]:
    """What these devices have, or had, by name: the page behind the cursor ``after``, or the one in front of
    ``before``."""
    way = Way.of(("normalized_name", "id"), read_name_cursor, after, before, descending=turned)
    matching = way.ahead(_matching(tenant_id, wanted))
    total = func.count().over().label("total")
    rows = session.execute(way.ordered(matching.add_columns(total)).limit(limit + 1)).all()
    count = up_to_cap(rows[0].total if rows else 0)
    return way.page(rows, limit, lambda row: name_cursor(row.normalized_name, row.id), count)


def software_count(session: Session, tenant_id: str, wanted: SoftwareFilter) -> Count:
    """How many rows match, up to the cap."""
    return count_up_to_cap(session, _matching(tenant_id, wanted))


def _matching(tenant_id: str, wanted: SoftwareFilter) -> AnySelect:
    found = _rows(tenant_id, wanted.device_ids)
    found = found.where(HAS.removed_at.is_not(None) if wanted.removed else HAS.removed_at.is_(None))
    return found.where(NAMED.ilike(contains(wanted.text))) if wanted.text else found


def _rows(tenant_id: str, device_ids: Collection[UUID]) -> AnySelect:
    named = and_(PRODUCTS.tenant_id == HAS.tenant_id, PRODUCTS.id == HAS.software_id)
    rows = select(*_LISTED).join_from(DeviceSoftware.__table__, Software.__table__, named)
    return rows.where(HAS.tenant_id == tenant_id, HAS.device_id.in_(device_ids))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a device's software: how many programs, how many of them changed lately.

    ``told`` says whether the vendor ever listed any, ``as_of`` when the connection's last complete software
    sync was.
    """

    device_id: UUID
    integration_id: UUID
    provider: str
    programs: int
    changed: int
    told: bool
    as_of: datetime | None


def known_of(session: Session, tenant_id: str, device_ids: Collection[UUID]) -> dict[UUID, Known]:
    """What is known of each of these devices, in one statement."""
    if not device_ids:
        return {}
    mine = select(DEVICES.id).where(DEVICES.tenant_id == tenant_id, DEVICES.id.in_(device_ids))
    began = _began(tenant_id, device_ids)
    lately = and_(_changed(began.c.at), _moved() >= utc_now() - LATELY)
    counted = (
        select(
            HAS.device_id,
            func.count(distinct(HAS.software_id)).filter(HAS.removed_at.is_(None)).label("programs"),
            func.count(distinct(HAS.software_id)).filter(lately).label("changed"),
        )
        .join(began, began.c.device_id == HAS.device_id)
        .where(HAS.tenant_id == tenant_id, HAS.device_id.in_(mine))
        .group_by(HAS.device_id)
        .subquery("counted")
    )
    rows = session.execute(_devices(tenant_id, device_ids, counted))
    return {row.id: _known(row) for row in rows}


def _devices(tenant_id: str, device_ids: Collection[UUID], counted: Any) -> AnySelect:
    connection = and_(Integration.tenant_id == DEVICES.tenant_id, Integration.id == DEVICES.integration_id)
    told = and_(SoftwareList.tenant_id == DEVICES.tenant_id, SoftwareList.id == DEVICES.id)
    return (
        select(
            DEVICES.id,
            DEVICES.integration_id,
            Integration.provider,
            Integration.last_software_sync_at,
            SoftwareList.changed_at,
            counted.c.programs,
            counted.c.changed,
        )
        .join_from(DeviceRow.__table__, Integration, connection)
        .outerjoin(SoftwareList, told)
        .outerjoin(counted, counted.c.device_id == DEVICES.id)
        .where(DEVICES.tenant_id == tenant_id, DEVICES.id.in_(device_ids))
    )


def _known(row: AnyRow) -> Known:
    # What was fetched for this device alone may be newer than the connection's list; only a change is dated.
    moments = [at for at in (row.last_software_sync_at, row.changed_at) if at is not None]
    return Known(
        device_id=row.id,
        integration_id=row.integration_id,
        provider=row.provider,
        programs=row.programs or 0,
        changed=row.changed or 0,
        told=row.changed_at is not None,
        as_of=max(moments, default=None),
    )


def _began(tenant_id: str, device_ids: Collection[UUID]) -> Any:
    """When each device's software was first listed: what was there then is no change."""
    first = func.min(HAS.first_seen_at).label("at")
    rows = select(HAS.device_id, first).where(HAS.tenant_id == tenant_id, HAS.device_id.in_(device_ids))
    return rows.group_by(HAS.device_id).subquery("began")


def _changed(began: ColumnElement[datetime]) -> ColumnElement[bool]:
    return or_(HAS.removed_at.is_not(None), HAS.first_seen_at > began)


def _moved() -> ColumnElement[datetime]:
    """When a row last changed."""
    return func.coalesce(HAS.removed_at, HAS.first_seen_at)


@dataclass(frozen=True, slots=True)
class Change:
    """A program that came (``old`` is ``None``), went (``new`` is ``None``), or changed its version."""

    device_id: UUID
    software_id: UUID
    name: str
    at: datetime
    old: str | None
    new: str | None


def newest_changes(
    session: Session, tenant_id: str, device_ids: Collection[UUID], limit: int
) -> Sequence[Change]:
    """What changed on these devices last, newest first."""
    began = _began(tenant_id, device_ids)
    rows = _rows(tenant_id, device_ids).add_columns(_moved().label("moved_at"))
    changed = rows.join(began, began.c.device_id == HAS.device_id).where(_changed(began.c.at))
    # One program of one device and moment stands together: an update is a version gone and another come.
    order = (_moved().desc(), PRODUCTS.normalized_name, HAS.software_id, HAS.device_id)
    found = session.execute(changed.order_by(*order).limit(4 * limit)).all()
    together = groupby(found, key=lambda row: (row.moved_at, row.software_id, row.device_id))
    return [_change(list(rows_)) for _, rows_ in together][:limit]


def _change(rows: Sequence[AnyRow]) -> Change:
    gone = [row.version for row in rows if row.removed_at is not None]
    come = [row.version for row in rows if row.removed_at is None]
    first = rows[0]
    return Change(
        device_id=first.device_id,
        software_id=first.software_id,
        name=first.name,
        at=first.moved_at,
        old=", ".join(gone) if gone else None,
        new=", ".join(come) if come else None,
    )
