"""What a sync tells of devices: kept as their ids, one row of the outbox for many, in the page's transaction.

What the events say is read when they are told, and only if somebody listens: a first sync of a whole fleet
costs one statement a page, an unchanged device nothing. :mod:`rmm_extension.services.device_events` tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.types import AgentStatus
from rmm_extension.services import outbox

from .items import Item, Known

TOPIC = "device_events"
MANY = 500
"""So many devices share a row of the outbox at most."""
_SILENT = frozenset({AgentStatus.OFFLINE, AgentStatus.OVERDUE})


def tell(session: Session, tenant_id: str, items: Sequence[Item]) -> None:
    """Tell what became of the items of a page; one statement, none where nothing is to be told."""
    found: dict[str, list[UUID]] = {}
    # A new device has its status from the beginning: it did not change.
    if created := [item.id for item in items if item.row is None]:
        found["device_created"] = created
    for item in items:
        if item.row is None:
            continue
        for name in _of(item, item.row):
            found.setdefault(name, []).append(item.id)
    _put(session, tenant_id, found)


def tell_deleted(session: Session, tenant_id: str, device_ids: Sequence[UUID]) -> None:
    """Tell that these devices are proved gone."""
    _put(session, tenant_id, {"device_deleted": device_ids})


def tell_status(session: Session, tenant_id: str, device_id: UUID, before: str, now: AgentStatus) -> None:
    """Tell that a device went on or off line, where it did."""
    _put(session, tenant_id, {name: [device_id] for name in _of_status(before, now)})


def _of(item: Item, row: Known) -> Iterator[str]:
    """The events of a device that was known."""
    if item.is_changed:
        yield "device_updated"
    yield from _of_status(row.status, item.device.status)


def _of_status(before: str, now: AgentStatus) -> Iterator[str]:
    if now == AgentStatus.ONLINE and before != AgentStatus.ONLINE:
        yield "device_online"
    elif now in _SILENT and before not in _SILENT:
        yield "device_offline"


def _put(session: Session, tenant_id: str, found: Mapping[str, Sequence[UUID]]) -> None:
    rows = [
        {"name": name, "ids": [str(one) for one in ids[start : start + MANY]]}
        for name, ids in found.items()
        for start in range(0, len(ids), MANY)
    ]
    if rows:
        outbox.put_many(session, tenant_id, TOPIC, rows)
