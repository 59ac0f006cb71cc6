"""Tenants and what their edition includes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.host.types import Tenant

from ._sql import fetch_one, run

_GET = "SELECT id, name, is_active, edition FROM tenants WHERE id = %(tenant)s"
_ACTIVE = "SELECT id FROM tenants WHERE is_active ORDER BY id"
_ADDON = """SELECT 1 FROM addons
WHERE tenant_id = %(tenant)s AND name = %(name)s AND (expires_at IS NULL OR expires_at > now())"""
_CACHE = "reference_psa.tenants"


@dataclass(frozen=True, slots=True)
class _Booked:
    tenant: Tenant
    edition: str


class SqlTenants:
    """Reads tenants; the same transaction pays for each only once."""

    def get(self, session: Session, tenant_id: str) -> Tenant | None:
        """The tenant, or ``None`` if there is no such tenant."""
        found = booked(session, tenant_id)
        return found.tenant if found else None

    def active_ids(self, session: Session) -> Sequence[str]:
        """Ids of all tenants that are not suspended."""
        return list(run(session, _ACTIVE, {}).scalars())


class SqlEntitlements:
    """What the tenant's edition and its add-ons allow."""

    def provider_enabled(
        self, session: Session, tenant_id: str, provider: str, editions: Collection[str]
    ) -> bool:
        """Whether the tenant's edition (one of ``editions``) includes the provider."""
        found = booked(session, tenant_id)
        return found is not None and found.edition in editions

    def addon_active(self, session: Session, tenant_id: str, name: str) -> bool:
        """Whether the tenant has booked the named add-on."""
        return run(session, _ADDON, {"tenant": tenant_id, "name": name}).first() is not None


def booked(session: Session, tenant_id: str) -> _Booked | None:
    """The tenant with its edition, from the transaction's own cache if it was asked for before."""
    cache = _cache(session)
    if tenant_id not in cache:
        row = fetch_one(session, _GET, {"tenant": tenant_id})
        cache[tenant_id] = _Booked(Tenant(*row[:3]), row[3]) if row else None
    return cache[tenant_id]


def _cache(session: Session) -> dict[str, _Booked | None]:
    # A job's session lives long, so what was read lives only as long as the transaction.
    transaction: Any = session.get_transaction()
    if transaction is None:
        session.connection()
        transaction = session.get_transaction()
    kept = session.info.get(_CACHE)
    if kept is None or kept[0] is not transaction:
        kept = session.info[_CACHE] = (transaction, {})
    return kept[1]
