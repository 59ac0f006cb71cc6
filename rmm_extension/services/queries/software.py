"""The catalog of software: which products a tenant's devices have, on how many, and in which versions.

Millions of rows say who has what. A page of the catalog asks for the products it shows alone, each by the
index of a product's rows, and counts them up to a cap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Text,
    and_,
    distinct,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import Session

from rmm_extension.models import DeviceRow, DeviceSoftware, Software

from .paging import (
    CAP,
    PAGE,
    AnyRow,
    AnySelect,
    Count,
    Page,
    Way,
    contains,
    count_up_to_cap,
    first_in_order,
    up_to_cap,
)
from .whose import DEVICES, Whose

VERSIONS = 100
"""So many versions of a product are told apart on its page, the newest first."""

PRODUCTS = Software.__table__.c
HAS = DeviceSoftware.__table__.c

NAMED: ColumnElement[str] = literal_column("(name || ' ' || publisher)")
"""As the text index spells it: a query must repeat it to use that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFilter:
    """What the list of products is narrowed to: products that somebody has now."""

    text: str | None = None
    whose: Whose = field(default_factory=Whose)


def catalog_page(
    session: Session,
    tenant_id: str,
    wanted: CatalogFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
    turned: bool = False,
) -> Page[AnyRow]:
    """Products by name, each with its devices, versions and newest version; ``devices`` and ``versions`` are
    those of the first rows of a product, one more than the cap. The page behind the cursor ``after``, or the
    one in front of ``before``."""
    read = partial(_place_of, session, tenant_id)
    way = Way.of(("normalized_name", "publisher"), read, after, before, descending=turned)
    found = _found(session, tenant_id, wanted)
    first = first_in_order(session, way.ahead(found.matching), way, limit + 1, partial(_with_all, found))
    return way.page(first.rows, limit, lambda row: row.id.hex, up_to_cap(first.number))


def catalog_count(session: Session, tenant_id: str, wanted: CatalogFilter) -> Count:
    """How many products match, up to the cap."""
    return count_up_to_cap(session, _found(session, tenant_id, wanted).matching)


def _place_of(session: Session, tenant_id: str, cursor: str | None) -> tuple[str, str] | None:
    """Name and publisher of the product a cursor stands for; ``None`` where there is none (any more)."""
    try:
        id_ = UUID(hex=cursor or "")
    except ValueError:
        return None
    columns = (PRODUCTS.normalized_name, PRODUCTS.publisher)
    found = session.execute(
        select(*columns).where(PRODUCTS.tenant_id == tenant_id, PRODUCTS.id == id_)
    ).first()
    return (found[0], found[1]) if found else None


@dataclass(frozen=True, slots=True)
class _Found:
    """Products that match, and how the figures of those that are shown are joined to them."""

    matching: AnySelect
    figures: Callable[[FromClause], Sequence[FromClause]]


def _found(session: Session, tenant_id: str, wanted: CatalogFilter) -> _Found:
    """By the devices where they are few: all they have is read. Else product by product."""
    columns = (PRODUCTS.tenant_id, PRODUCTS.id, PRODUCTS.normalized_name, PRODUCTS.publisher)
    named = select(*columns).where(PRODUCTS.tenant_id == tenant_id)
    if wanted.text:
        named = named.where(NAMED.ilike(contains(wanted.text)))
    if wanted.whose.are_few(session, tenant_id):
        return _by_device(tenant_id, named, wanted.whose)
    return _by_product(tenant_id, named, wanted.whose)


def _having(tenant_id: str, software_id: ColumnElement[UUID] | UUID) -> tuple[ColumnElement[bool], ...]:
    """The conditions on a row that says a device has the product now."""
    return (HAS.tenant_id == tenant_id, HAS.software_id == software_id, HAS.removed_at.is_(None))


def _by_product(tenant_id: str, named: AnySelect, whose: Whose) -> _Found:
    theirs = whose.on(whose.listed(tenant_id), HAS.device_id)

    def having(software_id: ColumnElement[UUID], limit: int) -> AnySelect:
        rows = select(HAS.device_id, HAS.version_key).where(*_having(tenant_id, software_id), theirs)
        return rows.limit(limit)

    def figures(first: FromClause) -> Sequence[FromClause]:
        few = having(first.c.id, CAP + 1).correlate(first).lateral("few")
        counted = select(
            func.count(distinct(few.c.device_id)).label("devices"),
            func.count(distinct(few.c.version_key)).label("versions"),
        )
        rows = select(HAS.version.label("newest")).where(*_having(tenant_id, first.c.id), theirs)
        # The index is read from its end: removed_at, though always empty here, is a part of its order.
        newest = rows.order_by(HAS.removed_at.desc(), HAS.version_key.desc()).limit(1)
        return counted.lateral("counted"), newest.lateral("newest")

    return _Found(named.join(having(PRODUCTS.id, 1).lateral("had"), true()), figures)


def _by_device(tenant_id: str, named: AnySelect, whose: Whose) -> _Found:
    same = and_(DEVICES.tenant_id == HAS.tenant_id, DEVICES.id == HAS.device_id)
    ordered = aggregate_order_by(HAS.version, HAS.version_key.desc())
    theirs = (
        select(
            HAS.software_id,
            func.count(distinct(HAS.device_id)).label("devices"),
            func.count(distinct(HAS.version_key)).label("versions"),
            func.array_agg(ordered, type_=ARRAY(Text()))[1].label("newest"),
        )
        .join_from(DeviceRow.__table__, DeviceSoftware.__table__, same)
        .where(*whose.devices(tenant_id), HAS.removed_at.is_(None))
        .group_by(HAS.software_id)
        .cte("theirs")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )

    def figures(first: FromClause) -> Sequence[FromClause]:
        rows = select(theirs).where(theirs.c.software_id == first.c.id).lateral("figures")
        return (rows,)

    return _Found(named.where(PRODUCTS.id.in_(select(theirs.c.software_id))), figures)


def _with_all(found: _Found, first: FromClause, total: ColumnElement[int]) -> AnySelect:
    """The products with their figures."""
    same = and_(PRODUCTS.tenant_id == first.c.tenant_id, PRODUCTS.id == first.c.id)
    joined, columns = first.join(Software.__table__, same), [PRODUCTS.id, PRODUCTS.name, PRODUCTS.publisher]
    for part in found.figures(first):
        joined = joined.outerjoin(part, true())
        columns += [column for column in part.c if column.key in ("devices", "versions", "newest")]
    return select(*columns, total).select_from(joined)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a product; ``share`` is its part of the commonest one's devices, in percent."""

    version: str
    devices: int
    share: float


@dataclass(frozen=True, slots=True)
class Product:
    """A product with the devices that have it now and its newest versions; ``older`` counts further ones."""

    software: Software
    devices: int
    versions: Sequence[Version]
    older: int


def product(session: Session, tenant_id: str, software_id: UUID, whose: Whose) -> Product | None:
    """One product with its figures, or ``None``."""
    found = session.get(Software, (tenant_id, software_id))
    if found is None:
        return None
    having = (*_having(tenant_id, software_id), whose.on(whose.listed(tenant_id), HAS.device_id))
    devices = session.scalar(select(func.count(distinct(HAS.device_id))).where(*having)) or 0
    counted = func.count().label("devices")
    rows = session.execute(
        select(HAS.version, counted, func.count().over().label("kinds"))
        .where(*having)
        .group_by(HAS.version_key, HAS.version)
        .order_by(HAS.version_key.desc(), HAS.version.desc())
        .limit(VERSIONS)
    ).all()
    most = max((row.devices for row in rows), default=1)
    versions = [Version(row.version, row.devices, 100 * row.devices / most) for row in rows]
    return Product(found, devices, versions, rows[0].kinds - len(rows) if rows else 0)
