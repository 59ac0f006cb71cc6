"""Where a step is done: through which connection, and on which device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionRefused, ErrorCode
from rmm_extension.domain.connection_states import WHERE, refusal, works
from rmm_extension.domain.values import read_uuid
from rmm_extension.domain.workflows import Binding, Step
from rmm_extension.models import DeviceRow, Integration
from rmm_extension.providers.contract import Provider

from .expressions import render

DEVICE = Binding(template="{{ device.id }}")
"""The device of an action that says none: the one the run is about."""


def connection(
    session: Session, tenant_id: str, step: Step, provider: Provider, seen: Mapping[str, Any]
) -> UUID:
    """The step's connection; else that of what the run is about, if it is the vendor's; else the only one of
    the vendor that works. Raises ``ActionRefused`` in words where there is none, or more than one."""
    if step.connection is not None:
        return step.connection
    about, key, label = seen.get("connection"), provider.manifest.key, provider.manifest.label
    if about and about["provider"] == key:
        return UUID(about["id"])
    mine = select(Integration).where(Integration.tenant_id == tenant_id, Integration.provider == key)
    found = session.scalars(mine.order_by(Integration.name)).all()
    working = [one for one in found if works(one.state)]
    if len(working) == 1:
        return working[0].id
    if working:
        names = ", ".join(f"“{one.name}”" for one in working)
        words = f"There are several connections of {label}: {names}. Choose one in the step."
        raise ActionRefused(ErrorCode.INTEGRATION_MISCONFIGURED, words)
    words = refusal(found[0].name, found[0].state) if found else _missing(label)
    raise ActionRefused(ErrorCode.INTEGRATION_INACTIVE, words)


def device(
    session: Session, tenant_id: str, step: Step, integration_id: UUID | None, seen: Mapping[str, Any]
) -> DeviceRow:
    """The device that the step names, by our id or the vendor's within the connection.

    A step that names none is about the run's device; where that is another vendor's, about the same asset's
    device in this connection. Raises ``ActionRefused`` where there is none, ``ExpressionError``.
    """
    if step.device is None and not seen.get("device"):
        raise ActionRefused(ErrorCode.NOT_FOUND, "There is no device here. Say in the step on which device.")
    wanted = str(render(step.device or DEVICE, seen) or "").strip()
    found = _by_id(session, tenant_id, wanted) or _by_vendors_id(session, tenant_id, integration_id, wanted)
    if found is not None and step.device is None and integration_id not in (None, found.integration_id):
        found = _of_asset(session, found, integration_id) or found
    if found is None:
        words = f"There is no device “{wanted[:100]}”." if wanted else "The step's device is empty."
        raise ActionRefused(ErrorCode.NOT_FOUND, words)
    return found


def _by_id(session: Session, tenant_id: str, wanted: str) -> DeviceRow | None:
    device_id = read_uuid(wanted)
    return session.get(DeviceRow, (tenant_id, device_id)) if device_id else None


def _by_vendors_id(
    session: Session, tenant_id: str, integration_id: UUID | None, wanted: str
) -> DeviceRow | None:
    if integration_id is None:
        return None
    mine = (DeviceRow.tenant_id == tenant_id, DeviceRow.integration_id == integration_id)
    return session.scalar(select(DeviceRow).where(*mine, DeviceRow.external_id == wanted))


def _of_asset(session: Session, other: DeviceRow, integration_id: UUID | None) -> DeviceRow | None:
    """The newest device of the same asset in the connection."""
    if other.asset_id is None:
        return None
    mine = select(DeviceRow).where(
        DeviceRow.tenant_id == other.tenant_id,
        DeviceRow.asset_id == other.asset_id,
        DeviceRow.integration_id == integration_id,
        DeviceRow.deleted_at.is_(None),
    )
    return session.scalar(mine.order_by(DeviceRow.last_seen_at.desc().nulls_last(), DeviceRow.id).limit(1))


def _missing(label: str) -> str:
    return f"{label} is not connected: connect it under {WHERE}."
