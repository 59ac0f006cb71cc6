"""What the nightly cleaning removes of software. Nothing waits for a row that is held."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from rmm_extension.models import DeviceRow, DeviceSoftware, Software, SoftwareList
from rmm_extension.services.lease import PLAIN

DEVICES = 50
PRODUCTS = 1000


def forget_deleted(session: Session, tenant_id: str, cutoff: datetime) -> tuple[int, bool]:
    """Remove the software of some devices that were deleted before ``cutoff``: rows, and whether to go on.

    The list goes with it, so that a device that comes back is written anew.
    """
    gone = (
        select(SoftwareList.id)
        .join(
            DeviceRow,
            (DeviceRow.tenant_id == SoftwareList.tenant_id) & (DeviceRow.id == SoftwareList.id),
        )
        .where(SoftwareList.tenant_id == tenant_id, DeviceRow.deleted_at < cutoff)
        .order_by(SoftwareList.id)
        .limit(DEVICES)
        .with_for_update(skip_locked=True, of=SoftwareList)
    )
    ids = session.scalars(gone).all()
    if not ids:
        return 0, False
    mine = (DeviceSoftware.tenant_id == tenant_id, DeviceSoftware.device_id.in_(ids))
    removed = session.execute(delete(DeviceSoftware).where(*mine), execution_options=PLAIN)
    lists = (SoftwareList.tenant_id == tenant_id, SoftwareList.id.in_(ids))
    session.execute(delete(SoftwareList).where(*lists), execution_options=PLAIN)
    return removed.rowcount, len(ids) == DEVICES  # type: ignore[attr-defined]


def remove_products(session: Session, tenant_id: str) -> tuple[int, bool]:
    """Remove some products that no device has or had: how many, and whether to go on.

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
        return 0, False
    statement = delete(Software).where(Software.tenant_id == tenant_id, Software.id.in_(ids), ~is_had)
    removed: int = session.execute(statement, execution_options=PLAIN).rowcount  # type: ignore[attr-defined]
    return removed, len(ids) == PRODUCTS and removed > 0
