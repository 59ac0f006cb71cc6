"""Who has a product, below or from a version: devices by name, for one product or all that a text names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, FromClause, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from rmm_extension.models import DeviceRow, DeviceSoftware, Software

from .paging import (
    PAGE,
    AnyRow,
    AnySelect,
    Count,
    Page,
    Way,
    contains,
    count_up_to_cap,
    first_of_few,
    name_cursor,
    read_name_cursor,
    up_to_cap,
)
from .software import HAS, NAMED, PRODUCTS
from .whose import DEVICES, Whose

PRODUCTS_AT_ONCE = 200
"""A text that names more products than these has to say more."""

_TABLE = DeviceSoftware.__table__
_LISTED = (
    HAS.id,
    HAS.device_id,
    HAS.software_id,
    HAS.version,
    HAS.installed_on,
    HAS.first_seen_at,
    DEVICES.name.label("device_name"),
    DEVICES.status,
    DEVICES.client_id,
    DEVICES.asset_id,
    DEVICES.integration_id,
    PRODUCTS.name.label("product"),
    PRODUCTS.publisher,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallFilter:
    """Which products, and which of their versions, as ``domain.versions.version_key`` writes them.

    A version without a number is neither below nor from any.
    """

    software_ids: Sequence[UUID]
    below: Sequence[int] | None = None
    at_least: Sequence[int] | None = None
    whose: Whose = field(default_factory=Whose)


def products_named(session: Session, tenant_id: str, words: str) -> Sequence[AnyRow]:
    """Ids, names and publishers of the products with this text in them, by name; one more than
    :data:`PRODUCTS_AT_ONCE` where there are too many."""
    found = select(PRODUCTS.id, PRODUCTS.name, PRODUCTS.publisher).where(
        PRODUCTS.tenant_id == tenant_id, NAMED.ilike(contains(words))
    )
    in_order = found.order_by(PRODUCTS.normalized_name, PRODUCTS.publisher)
    return session.execute(in_order.limit(PRODUCTS_AT_ONCE + 1)).all()


def install_page(
    session: Session,
    tenant_id: str,
    wanted: InstallFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
    turned: bool = False,
) -> Page[AnyRow]:
    """Devices by name, one row for each product and version on them: the page behind the cursor ``after``, or
    the one in front of ``before``."""
    way = Way.of(("name", "id"), read_name_cursor, after, before, descending=turned)
    matching = way.ahead(_matching(tenant_id, wanted))
    # What finds the rows of a product knows no order of devices.
    found = first_of_few(session, matching, way, limit + 1, _with_all)
    return way.page(
        found.rows, limit, lambda row: name_cursor(row.device_name, row.id), up_to_cap(found.number)
    )


def install_count(session: Session, tenant_id: str, wanted: InstallFilter) -> Count:
    """How many rows match, up to the cap."""
    return count_up_to_cap(session, _matching(tenant_id, wanted))


def _matching(tenant_id: str, wanted: InstallFilter) -> AnySelect:
    ids = wanted.software_ids
    conditions: list[ColumnElement[bool]] = [
        HAS.tenant_id == tenant_id,
        HAS.software_id == ids[0] if len(ids) == 1 else HAS.software_id.in_(ids),
        HAS.removed_at.is_(None),
        *_versions(wanted),
    ]
    theirs = (DEVICES.tenant_id == tenant_id) & (DEVICES.id == HAS.device_id)
    return (
        select(HAS.tenant_id, HAS.id, DEVICES.name)
        .join_from(_TABLE, DeviceRow.__table__, theirs)
        .where(*conditions, *wanted.whose.devices(tenant_id))
    )


def _versions(wanted: InstallFilter) -> list[ColumnElement[bool]]:
    found = []
    if wanted.below is not None:
        found += [HAS.version_key > _key(()), HAS.version_key < _key(wanted.below)]
    if wanted.at_least is not None:
        found.append(HAS.version_key >= _key(wanted.at_least))
    return found


def _key(numbers: Sequence[int]) -> ColumnElement[list[int]]:
    return literal(list(numbers), ARRAY(BigInteger()))


def _with_all(first: FromClause, total: ColumnElement[int]) -> AnySelect:
    """The rows with what the list shows of device and product."""
    row = (HAS.tenant_id == first.c.tenant_id) & (HAS.id == first.c.id)
    device = (DEVICES.tenant_id == first.c.tenant_id) & (DEVICES.id == HAS.device_id)
    product = (PRODUCTS.tenant_id == first.c.tenant_id) & (PRODUCTS.id == HAS.software_id)
    return (
        select(*_LISTED, total)
        .select_from(first)
        .join(_TABLE, row)
        .join(DeviceRow.__table__, device)
        .join(Software.__table__, product)
    )
