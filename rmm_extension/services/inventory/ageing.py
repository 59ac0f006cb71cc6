"""Status between two looks at a vendor: what is silent grows overdue, and nothing else is claimed.

A device that was offline at the last look and is still not heard of is overdue once its own time is over;
that is at least as true as "offline". One that was online may have reported any time since: only the vendor
can say that it went offline.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import WORKING_STATES
from rmm_extension.domain.types import AgentStatus
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit

from . import sql
from .links import link
from .page import Overtaken

BATCH = 1000


class _Due(NamedTuple):
    tenant_id: str
    id: UUID
    external_id: str
    external_organization_id: str
    serial: str | None
    last_seen_at: datetime
    provider: str
    asset_id: str | None

    @property
    def status(self) -> str:
        """What it becomes."""
        return AgentStatus.OVERDUE.value


def age_statuses(rmm: Rmm) -> int:
    """Mark as overdue what has been silent for long enough, with its assets; how many devices.

    One look a tick, whatever the size of the fleet, and no write when nothing is due. Nothing ages in a
    suspended tenant, nor on a connection that is paused, not connected or not allowed in.
    """
    with unit(rmm) as session:
        due = _due(rmm, session)
    return sum(_age(rmm, tenant, list(devices)) for tenant, devices in groupby(due, attrgetter("tenant_id")))


def _due(rmm: Rmm, session: Session) -> list[_Due]:
    values = {
        "tenants": list(rmm.host.tenants.active_ids(session)),
        "states": list(WORKING_STATES),
        "limit": BATCH,
    }
    return [_Due._make(row) for row in sql.rows(session, sql.AGEING, values)]


def _age(rmm: Rmm, tenant_id: str, devices: Sequence[_Due]) -> int:
    """Write one tenant's devices; nothing when a look at the vendor came between: the next tick sees it."""
    with suppress(Overtaken), unit(rmm) as session:
        # Assets before devices, as a page of a sync locks them.
        _tell_assets(rmm, session, tenant_id, [device for device in devices if device.asset_id])
        values = {
            "tenant": tenant_id,
            "ids": [device.id for device in devices],
            "seen": [device.last_seen_at for device in devices],
            "assets": [device.asset_id for device in devices],
        }
        if sql.execute(session, sql.AGE, values) != len(devices):
            raise Overtaken
        return len(devices)
    return 0


def _tell_assets(rmm: Rmm, session: Session, tenant_id: str, devices: Sequence[_Due]) -> None:
    port = rmm.host.assets
    if port is None or not devices:
        return
    known = port.get_many(session, tenant_id, {device.asset_id or "" for device in devices})
    found = ((device, device.asset_id) for device in devices)
    changes = [link(device, asset, device.provider) for device, asset in found if asset in known and asset]
    if changes:
        port.apply(session, tenant_id, changes)
