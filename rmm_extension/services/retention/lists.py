"""What was listed for devices, their software and patches, and products that nobody has."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from rmm_extension.models import DevicePatch, DeviceRow, DeviceSoftware, PatchList, Software, SoftwareList
from rmm_extension.services.context import Rmm
from rmm_extension.services.place import Place

from .batch import Batch, Remove, execute

DEVICES = 50
PRODUCTS = 1000


def of_deleted(lists: type[SoftwareList | PatchList], rows: type[DeviceSoftware | DevicePatch]) -> Remove:
    """A step that removes what was listed for some devices that were deleted before the cutoff.

    The list goes with its rows, so that a device that comes back is written anew.
    """

    def remove(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
        gone = (
            select(lists.id)
            .join(DeviceRow, (DeviceRow.tenant_id == lists.tenant_id) & (DeviceRow.id == lists.id))
            .where(lists.tenant_id == tenant_id, DeviceRow.deleted_at < cutoff)
            .order_by(lists.id)
            .limit(DEVICES)
            .with_for_update(skip_locked=True, of=lists)
        )
        ids = session.scalars(gone).all()
        if not ids:
            return Batch(0, more=False)
        removed = execute(session, delete(rows).where(rows.tenant_id == tenant_id, rows.device_id.in_(ids)))
        execute(session, delete(lists).where(lists.tenant_id == tenant_id, lists.id.in_(ids)))
        return Batch(removed, more=len(ids) == DEVICES)

    return remove


def products(rmm: Rmm, session: Session, tenant_id: str, cutoff: datetime, place: Place | None) -> Batch:
    """Remove some products that no device has or had.

    They are held first and looked at again then: a sync may have given one to a device meanwhile.
    """
    is_had = exists().where(DeviceSoftware.tenant_id == tenant_id, DeviceSoftware.software_id == Software.id)
    unused = (
        select(Software.id)
        .where(Software.tenant_id == tenant_id, ~is_had)
        .order_by(Software.id)
        .limit(PRODUCTS)
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(unused).all()
    if not ids:
        return Batch(0, more=False)
    mine = (Software.tenant_id == tenant_id, Software.id.in_(ids), ~is_had)
    removed = execute(session, delete(Software).where(*mine))
    return Batch(removed, more=len(ids) == PRODUCTS and removed > 0)
