"""What a vendor tells of one device between two looks at it: that it was there, or that it is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain import assets
from rmm_extension.domain.signals import DeviceSignal
from rmm_extension.domain.types import AgentStatus, Device, DeviceKind
from rmm_extension.models import utc_now
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import json_text

from . import device_events, sql
from .links import link
from .page import Overtaken

_REASON = "Its device was deleted at the vendor."


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A device as its row has it.

    ``fills`` says that no other device of its asset was seen later, ``is_shared`` that another one, which is
    neither missing nor deleted, stands for the asset. ``is_removable``: the policy has its asset go with it,
    and no person said otherwise.
    """

    id: UUID
    external_id: str
    external_organization_id: str
    serial: str | None
    status: str
    last_seen_at: datetime | None
    asset_id: str | None
    fills: bool
    is_shared: bool
    is_removable: bool


def seen(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    provider: str,
    known: Known,
    signal: DeviceSignal,
    at: datetime,
) -> None:
    """Write that the device was there ``at`` this time, with what it told. Raises ``Overtaken``."""
    status = signal.status or AgentStatus(known.status)
    now = utc_now()
    device = _told(known, signal, status)
    # Assets before devices, as a page of a sync locks them.
    if known.asset_id is not None and known.fills and rmm.host.assets is not None:
        values = assets.vitals(device, now)
        change = link(replace(known, status=status.value, last_seen_at=at), known.asset_id, provider)
        rmm.host.assets.apply(session, tenant_id, [replace(change, vitals=values)])
    values = {"status": status.value, "at": at, "facts": json_text(assets.facts(device)), "now": now}
    if not sql.execute(session, sql.SEEN, {**_place(tenant_id, known), **values}):
        raise Overtaken
    device_events.tell_status(session, tenant_id, known.id, known.status, status)


def delete(rmm: Rmm, session: Session, tenant_id: str, known: Known) -> None:
    """The vendor has deleted the device: that is proof. Its asset goes by policy. Raises ``Overtaken``."""
    port = rmm.host.assets
    if port is not None and known.asset_id is not None and known.is_removable and not known.is_shared:
        port.mark_inactive(session, tenant_id, {known.asset_id}, _REASON)
    ((gone,),) = sql.rows(session, sql.DELETED_AT_VENDOR, {**_place(tenant_id, known), "now": utc_now()})
    if not gone:
        raise Overtaken
    device_events.tell_deleted(session, tenant_id, [known.id])


def _told(known: Known, signal: DeviceSignal, status: AgentStatus) -> Device:
    """What the signal says of the device, and nothing else."""
    return Device(
        external_id=known.external_id,
        external_organization_id=known.external_organization_id,
        name="",
        kind=DeviceKind.UNKNOWN,
        status=status,
        boot_at=signal.boot_at,
        current_user=signal.current_user,
    )


def _place(tenant_id: str, known: Known) -> Mapping[str, Any]:
    return {"tenant": tenant_id, "id": known.id, "asset": known.asset_id}
