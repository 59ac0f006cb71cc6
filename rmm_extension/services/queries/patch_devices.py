"""Who waits for a patch, failed at it or has it: devices by name, for one patch or all that a text names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, select
from sqlalchemy.orm import Session

from rmm_extension.models import DevicePatch, DeviceRow

from .device_patches import PATCH
from .paging import (
    PAGE,
    AnyRow,
    AnySelect,
    Count,
    Page,
    Way,
    count_up_to_cap,
    first_of_few,
    name_cursor,
    read_name_cursor,
    up_to_cap,
)
from .patches import PatchesFilter
from .whose import DEVICES

NAMES_AT_ONCE = 200
"""A text that names more patches than these has to say more."""
_TABLE = DevicePatch.__table__
_LISTED = (
    PATCH.id,
    PATCH.device_id,
    PATCH.name,
    PATCH.kind,
    PATCH.status,
    PATCH.severity,
    PATCH.kb,
    PATCH.changed_at,
    PATCH.first_seen_at,
    DEVICES.name.label("device_name"),
    DEVICES.status.label("device_status"),
    DEVICES.client_id,
    DEVICES.asset_id,
    DEVICES.integration_id,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchDevicesFilter:
    """The patches by their names, and what rows and devices are narrowed to; the text of ``wanted`` is not
    looked at."""

    names: Sequence[str]
    wanted: PatchesFilter


def device_page(
    session: Session,
    tenant_id: str,
    wanted: PatchDevicesFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
    turned: bool = False,
) -> Page[AnyRow]:
    """Devices by name, one row for each of the patches on them: the page behind the cursor ``after``, or the
    one in front of ``before``."""
    way = Way.of(("device_name", "id"), read_name_cursor, after, before, descending=turned)
    # What finds the rows of a patch knows no order of devices.
    found = first_of_few(session, way.ahead(_matching(tenant_id, wanted)), way, limit + 1, _with_all)
    return way.page(
        found.rows, limit, lambda row: name_cursor(row.device_name, row.id), up_to_cap(found.number)
    )


def device_count(session: Session, tenant_id: str, wanted: PatchDevicesFilter) -> Count:
    """How many rows match, up to the cap."""
    return count_up_to_cap(session, _matching(tenant_id, wanted))


def _matching(tenant_id: str, wanted: PatchDevicesFilter) -> AnySelect:
    theirs = (DEVICES.tenant_id == tenant_id) & (DEVICES.id == PATCH.device_id)
    return (
        select(PATCH.tenant_id, PATCH.id, DEVICES.name.label("device_name"))
        .join_from(_TABLE, DeviceRow.__table__, theirs)
        .where(
            *wanted.wanted.on(PATCH, tenant_id),
            PATCH.name.in_(wanted.names),
            *wanted.wanted.whose.devices(tenant_id),
        )
    )


def _with_all(first: FromClause, total: ColumnElement[int]) -> AnySelect:
    """The rows with what the list shows of device and patch."""
    row = (PATCH.tenant_id == first.c.tenant_id) & (PATCH.id == first.c.id)
    device = (DEVICES.tenant_id == first.c.tenant_id) & (DEVICES.id == PATCH.device_id)
    return select(*_LISTED, total).select_from(first).join(_TABLE, row).join(DeviceRow.__table__, device)
