"""Maintenance at the vendor for pages: how a window's devices stand, and how one device does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmm_extension.models import DeviceRow, VendorMaintenance

from .paging import AnyRow

TROUBLES = 20
"""So many devices that are not as they should be are named on a window's page."""


@dataclass(frozen=True, slots=True)
class OfWindow:
    """How many devices stand in which state, and the first of those that something is wrong with."""

    states: Mapping[str, int]
    troubles: Sequence[AnyRow]


def of_window(session: Session, tenant_id: str, window_id: UUID) -> OfWindow:
    """The devices that follow the window now; two statements."""
    states = counts(session, tenant_id, [window_id]).get(window_id, {})
    held = VendorMaintenance
    asked = (
        select(held.device_id, DeviceRow.name, held.state, held.error, held.due_at, held.until)
        .join(DeviceRow, (DeviceRow.tenant_id == held.tenant_id) & (DeviceRow.id == held.device_id))
        .where(held.tenant_id == tenant_id, held.window_id == window_id, held.error.is_not(None))
        .order_by(DeviceRow.name, held.device_id)
        .limit(TROUBLES)
    )
    return OfWindow(states, session.execute(asked).all() if states else [])


def counts(session: Session, tenant_id: str, window_ids: Iterable[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """How many devices stand in which state, by window."""
    held = VendorMaintenance
    asked = (
        select(held.window_id, held.state, func.count())
        .where(held.tenant_id == tenant_id, held.window_id.in_(list(window_ids)))
        .group_by(held.window_id, held.state)
    )
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    for window_id, state, number in session.execute(asked):
        found[window_id][state] = number
    return found


def of_device(session: Session, tenant_id: str, device_id: UUID) -> VendorMaintenance | None:
    """How the device stands at its vendor because of a window; ``None`` where no window asks for anything."""
    held = VendorMaintenance
    return session.scalar(select(held).where(held.tenant_id == tenant_id, held.device_id == device_id))
