"""The patches of one device, or of the devices behind an asset: what waits, failed and came of late."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, case, func, select
from sqlalchemy.orm import Session

from rmm_extension.domain.patches import WAITING, PatchKind, PatchStatus
from rmm_extension.models import CONNECTION_OF_DEVICE, DevicePatch, DeviceRow, Integration, PatchList

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

TO_DO = (*WAITING, PatchStatus.FAILED)
"""Patches that somebody may have to look after."""
SEVERITIES = ("critical", "important", "moderate", "low", "optional")
"""Words of vendors, worst first; any other one stands behind them."""

PATCH = DevicePatch.__table__.c
_LISTED = (
    PATCH.id,
    PATCH.device_id,
    PATCH.kind,
    PATCH.name,
    PATCH.status,
    PATCH.severity,
    PATCH.category,
    PATCH.kb,
    PATCH.changed_at,
    PATCH.first_seen_at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchFilter:
    """Whose list, and what it is narrowed to; without ``statuses`` to nothing of the kind."""

    device_ids: Sequence[UUID]
    text: str | None = None
    statuses: Sequence[str] = ()
    kind: str | None = None
    severity: str | None = None


def patches_of_devices(
    session: Session,
    tenant_id: str,
    wanted: PatchFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
    turned: bool = False,
) -> Page[AnyRow]:
    """The patches of these devices by name: the page behind the cursor ``after``, or the one in front of
    ``before``."""
    way = Way.of(("name", "id"), read_name_cursor, after, before, descending=turned)
    matching = way.ahead(_matching(tenant_id, wanted))
    rows = session.execute(
        way.ordered(matching.add_columns(func.count().over().label("total"))).limit(limit + 1)
    ).all()
    count = up_to_cap(rows[0].total if rows else 0)
    return way.page(rows, limit, lambda row: name_cursor(row.name, row.id), count)


def patch_count(session: Session, tenant_id: str, wanted: PatchFilter) -> Count:
    """How many patches match, up to the cap."""
    return count_up_to_cap(session, _matching(tenant_id, wanted))


def _matching(tenant_id: str, wanted: PatchFilter) -> AnySelect:
    found = select(*_LISTED).where(PATCH.tenant_id == tenant_id, PATCH.device_id.in_(wanted.device_ids))
    return found.where(*narrowed(wanted.statuses, wanted.kind, wanted.severity), *_named(wanted.text))


def narrowed(statuses: Sequence[str], kind: str | None, severity: str | None) -> list[ColumnElement[bool]]:
    """The conditions on a patch."""
    found: list[ColumnElement[bool]] = [PATCH.status.in_(statuses)] if statuses else []
    found += [PATCH.kind == kind] if kind else []
    return [*found, is_severity(PATCH.severity, severity)] if severity else found


def is_severity(written: ColumnElement[Any], severity: str) -> ColumnElement[bool]:
    """Whether a vendor's word is this one, in whatever letters."""
    return func.lower(written) == severity


def _named(text: str | None) -> list[ColumnElement[bool]]:
    return [spelled(PATCH.name, PATCH.kb).ilike(contains(text))] if text else []


def spelled(name: ColumnElement[str], kb: ColumnElement[Any]) -> ColumnElement[str]:
    """What a text is looked for in: the name, and the article where the name does not say it."""
    return name.concat(" ").concat(func.coalesce(kb, ""))


@dataclass(frozen=True, slots=True)
class PatchesKnown:
    """What is known of a device's patches: how many there are by kind and status.

    ``told`` are the kinds whose list could ever be read, ``scanned_at`` is when the vendor last looked for
    some, ``as_of`` when the connection's last complete patch sync was.
    """

    device_id: UUID
    integration_id: UUID
    provider: str
    told: Collection[str]
    scanned_at: datetime | None
    as_of: datetime | None
    numbers: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def number(self, statuses: Collection[str], kind: str | None = None) -> int:
        """How many have one of these statuses, of one kind or of both."""
        return sum(
            number
            for (of, status), number in self.numbers.items()
            if status in statuses and kind in (None, of)
        )


def known_of(session: Session, tenant_id: str, device_ids: Collection[UUID]) -> dict[UUID, PatchesKnown]:
    """What is known of each of these devices, in one statement."""
    if not device_ids:
        return {}
    rows = session.execute(_devices(tenant_id, device_ids))
    return {row.id: _known(row) for row in rows}


def _devices(tenant_id: str, device_ids: Collection[UUID]) -> AnySelect:
    told = and_(PatchList.tenant_id == DeviceRow.tenant_id, PatchList.id == DeviceRow.id)
    counted = _numbers(tenant_id, device_ids)
    return (
        select(
            DeviceRow.id,
            DeviceRow.integration_id,
            Integration.provider,
            Integration.last_patch_sync_at,
            PatchList.changed_at,
            PatchList.scanned_at,
            PatchList.os_digest.is_not(None).label("os"),
            PatchList.software_digest.is_not(None).label("software"),
            counted.c.numbers,
        )
        .join(Integration, CONNECTION_OF_DEVICE)
        .outerjoin(PatchList, told)
        .outerjoin(counted, counted.c.device_id == DeviceRow.id)
        .where(DeviceRow.tenant_id == tenant_id, DeviceRow.id.in_(device_ids))
    )


def _numbers(tenant_id: str, device_ids: Collection[UUID]) -> Subquery:
    """How many each device has, as a list of kind, status and number."""
    of_kind = (
        select(PATCH.device_id, PATCH.kind, PATCH.status, func.count().label("number"))
        .where(PATCH.tenant_id == tenant_id, PATCH.device_id.in_(device_ids))
        .group_by(PATCH.device_id, PATCH.kind, PATCH.status)
        .subquery("of_kind")
    )
    one = func.jsonb_build_array(of_kind.c.kind, of_kind.c.status, of_kind.c.number)
    each = select(of_kind.c.device_id, func.jsonb_agg(one).label("numbers"))
    return each.group_by(of_kind.c.device_id).subquery("counted")


def _known(row: AnyRow) -> PatchesKnown:
    # What was fetched for this device alone may be newer than the connection's list; only a change is dated.
    moments = [at for at in (row.last_patch_sync_at, row.changed_at) if at is not None]
    return PatchesKnown(
        device_id=row.id,
        integration_id=row.integration_id,
        provider=row.provider,
        told=[kind.value for kind in PatchKind if row._mapping[kind]],
        scanned_at=row.scanned_at,
        as_of=max(moments, default=None),
        numbers={(kind, status): number for kind, status, number in row.numbers or ()},
    )


def worst_patches(
    session: Session, tenant_id: str, device_ids: Collection[UUID], limit: int
) -> Sequence[AnyRow]:
    """What waits or failed on these devices, failures first, then by severity."""
    failed = case((PATCH.status == PatchStatus.FAILED, 0), else_=1)
    order = (failed, _rank(), PATCH.name, PATCH.id)
    found = select(*_LISTED).where(PATCH.tenant_id == tenant_id, PATCH.device_id.in_(device_ids))
    return session.execute(found.where(PATCH.status.in_(TO_DO)).order_by(*order).limit(limit)).all()


def newest_installed(
    session: Session, tenant_id: str, device_ids: Collection[UUID], limit: int
) -> Sequence[AnyRow]:
    """What came to these devices last, newest first."""
    found = select(*_LISTED).where(PATCH.tenant_id == tenant_id, PATCH.device_id.in_(device_ids))
    newest = func.coalesce(PATCH.changed_at, PATCH.first_seen_at).desc()
    rows = found.where(PATCH.status == PatchStatus.INSTALLED).order_by(newest, PATCH.name, PATCH.id)
    return session.execute(rows.limit(limit)).all()


def _rank() -> ColumnElement[int]:
    written = func.lower(PATCH.severity)
    return case(*((written == word, at) for at, word in enumerate(SEVERITIES)), else_=len(SEVERITIES))
