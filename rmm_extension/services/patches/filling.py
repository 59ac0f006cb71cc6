"""What the host's assets learn from lists of patches: the last scan, and numbers that no device tells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.services.inventory.links import link
from rmm_extension.services.inventory.page import Overtaken
from rmm_extension.services.inventory.sql import rows

from . import sql
from .place import Place


class _Filler(NamedTuple):
    """A device that fills its asset. When it was last seen is left to the syncs of devices."""

    id: UUID
    asset_id: str
    external_id: str
    external_organization_id: str
    serial: str | None
    status: str
    last_seen_at: datetime | None = None


def tell_assets(session: Session, place: Place, vitals: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Write these columns to the devices' assets, where the device fills its asset and the host still has it.

    Raises :class:`Overtaken` where a device changed while its asset was waited for: the asset's status, or
    who fills it, would be turned back.
    """
    if place.assets is None or not vitals:
        return
    fillers = _fillers(session, place, vitals.keys())
    known = place.assets.get_many(session, place.tenant_id, {one.asset_id for one in fillers})
    changes = [
        replace(link(one, one.asset_id, place.provider), vitals=dict(vitals[one.id]))
        for one in fillers
        if one.asset_id in known
    ]
    if not changes:
        return
    place.assets.apply(session, place.tenant_id, changes)
    if _fillers(session, place, vitals.keys()) != fillers:
        raise Overtaken


def _fillers(session: Session, place: Place, ids: Collection[UUID]) -> list[_Filler]:
    return [_Filler(*row) for row in rows(session, sql.FILLERS, {"tenant": place.tenant_id, "ids": [*ids]})]
