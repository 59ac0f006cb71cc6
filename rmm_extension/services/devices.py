"""What people do with several devices at once: have them synced, keep their assets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import WORKING_STATES
from rmm_extension.host import Actor
from rmm_extension.models import CONNECTION_OF_DEVICE, DeviceRow, Integration
from rmm_extension.providers.capabilities import FetchesDevice

from . import audit, runs
from .audit import Subject
from .connections import entitled
from .context import Rmm
from .device_locks import held_devices
from .inventory import refresh
from .lease import PLAIN


@dataclass(frozen=True, slots=True)
class Refreshing:
    """How many devices are being synced now, how many were already, and how many cannot be."""

    started: int
    under_way: int
    left: int


def refresh_devices(rmm: Rmm, session: Session, actor: Actor, device_ids: Collection[UUID]) -> Refreshing:
    """Sync each of these devices by a run of its own; a fixed number of statements, however many there are.

    Left alone are those that were deleted, and those of connections that do not work or of vendors that
    cannot be asked for one device.
    """
    able = _able(rmm, session, actor.tenant_id)
    statement = (
        select(DeviceRow.external_id, DeviceRow.integration_id)
        .join(Integration, CONNECTION_OF_DEVICE)
        .where(
            DeviceRow.tenant_id == actor.tenant_id,
            DeviceRow.id.in_(list(device_ids)),
            DeviceRow.deleted_at.is_(None),
            Integration.state.in_(WORKING_STATES),
            Integration.provider.in_(able),
        )
    )
    found = session.execute(statement).all()
    works = [refresh.refresh_work(row.integration_id, row.external_id) for row in found]
    started = runs.try_start_all(session, actor, refresh.KIND, works)
    # What a vendor told of them may have a run of theirs wait for more: a person does not.
    runs.hurry(session, actor.tenant_id, [work.exclusive_key for work in works])
    return Refreshing(len(started), len(works) - len(started), len(set(device_ids)) - len(works))


def keep_devices(session: Session, actor: Actor, device_ids: Collection[UUID], kept: bool) -> int:
    """Have the devices' assets stay active whatever listings say, or no longer; how many that changed."""
    held = held_devices(
        DeviceRow.tenant_id == actor.tenant_id,
        DeviceRow.id.in_(list(device_ids)),
        DeviceRow.kept.is_not(kept),
    )
    statement = (
        update(DeviceRow)
        .where(DeviceRow.tenant_id == actor.tenant_id, DeviceRow.id.in_(select(held.c.id)))
        .values(kept=kept)
        .returning(DeviceRow.id, DeviceRow.name, DeviceRow.integration_id)
    )
    changed = session.execute(statement, execution_options=PLAIN).all()
    subjects = [Subject(row.id, row.name, row.integration_id) for row in changed]
    audit.record_all(
        session, actor, "device.kept" if kept else "device.not_kept", "device", subjects, {"kept": kept}
    )
    return len(subjects)


def _able(rmm: Rmm, session: Session, tenant_id: str) -> list[str]:
    """The vendors the tenant may use and that can be asked for one device."""
    return [
        one.manifest.key
        for one in rmm.providers.all()
        if isinstance(one, FetchesDevice) and entitled(rmm, session, tenant_id, one)
    ]
