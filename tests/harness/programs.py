"""Rows of software for tests: what devices have, had, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from rmm_extension.domain.software import normalized_name
from rmm_extension.domain.versions import version_key
from rmm_extension.models import DeviceSoftware, Software, SoftwareList, new_id, utc_now

LONG_AGO = utc_now() - timedelta(days=30)
_NAMES = UUID(int=0x5F)


@dataclass(frozen=True)
class Program:
    """One version of a program, as a device has it since ``since``, or had it until ``gone``."""

    name: str
    version: str = ""
    publisher: str = ""
    since: datetime = LONG_AGO
    gone: datetime | None = None
    installed_on: date | None = None


def product_id(tenant_id: str, name: str, publisher: str = "") -> UUID:
    """The catalog's id of a product that :func:`install` made."""
    return uuid5(_NAMES, f"{tenant_id}/{normalized_name(name)}/{publisher}")


def install(session: Session, tenant_id: str, device_id: UUID, programs: Iterable[Program]) -> None:
    """Let a device have these programs."""
    programs = list(programs)
    rows = [_row(tenant_id, device_id, one) for one in programs]
    if rows:
        session.execute(
            upsert(Software).on_conflict_do_nothing(), [_product(tenant_id, one) for one in programs]
        )
        session.execute(insert(DeviceSoftware), rows)
    listed = {"tenant_id": tenant_id, "id": device_id, "digest": b"-", "changed_at": LONG_AGO}
    session.execute(upsert(SoftwareList).on_conflict_do_nothing(), [listed])


def _product(tenant_id: str, one: Program) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": product_id(tenant_id, one.name, one.publisher),
        "normalized_name": normalized_name(one.name),
        "publisher": one.publisher,
        "name": one.name,
        "first_seen_at": one.since,
    }


def _row(tenant_id: str, device_id: UUID, one: Program) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": new_id(),
        "device_id": device_id,
        "software_id": product_id(tenant_id, one.name, one.publisher),
        "version": one.version,
        "version_key": version_key(one.version),
        "installed_on": one.installed_on,
        "first_seen_at": one.since,
        "removed_at": one.gone,
    }
