"""Whether an action may be done now: the actor's right, the connection, the device. Asked when it is wished
for, and again when it is performed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionRefused, ErrorCode
from rmm_extension.domain.connection_states import refusal, works
from rmm_extension.domain.contracts.actions import ActionSpec, load_input
from rmm_extension.domain.errors import ConfigError, Forbidden
from rmm_extension.host import Actor
from rmm_extension.models import DeviceRow, Integration
from rmm_extension.providers.capabilities import PerformsActions
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections
from rmm_extension.services.context import Rmm

from . import registry


@dataclass(frozen=True, slots=True)
class Allowed:
    """An action that may be done now."""

    spec: ActionSpec
    provider: Provider
    connection: Integration
    device: DeviceRow | None
    input: dict[str, Any]


def check(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    action_id: str,
    *,
    integration_id: UUID,
    device_id: UUID | None,
    value: Mapping[str, Any],
) -> Allowed:
    """Everything that can be judged without asking the vendor.

    Raises ``Forbidden`` without the right, ``Invalid`` for the input with all errors, ``ActionRefused`` with
    a code for a connection or device that cannot be worked with, ``UnknownAction``.
    """
    spec, provider = registry.find(rmm, action_id)
    require_right(rmm, actor, spec)
    connection = _connection(rmm, session, actor.tenant_id, integration_id, provider)
    given = load_input(spec, value)
    device = _device(session, connection, device_id) if spec.on_device else None
    return Allowed(spec, provider, connection, device, given)


def require_right(rmm: Rmm, actor: Actor, spec: ActionSpec) -> None:
    """Raise ``Forbidden``, in words, without the right to the action."""
    if not rmm.host.permissions.allows(actor, spec.permission):
        raise Forbidden(f"{actor.name} has no right to “{spec.label}”. An administrator can change that.")


def _connection(
    rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID, provider: Provider
) -> Integration:
    label = provider.manifest.label
    try:
        row = connections.get(session, tenant_id, integration_id)
    except connections.UnknownConnection as error:
        raise ActionRefused(ErrorCode.NOT_FOUND, str(error)) from error
    if row.provider != provider.manifest.key:
        raise ActionRefused(ErrorCode.NOT_FOUND, f"“{row.name}” is no connection of {label}.")
    tenant = rmm.host.tenants.get(session, tenant_id)
    if tenant is None or not tenant.is_active:
        raise ActionRefused(ErrorCode.INTEGRATION_INACTIVE, "The tenant is suspended.")
    if not connections.entitled(rmm, session, tenant_id, provider):
        raise Forbidden(f"{label} is not part of this tenant's edition.")
    if not works(row.state):
        raise ActionRefused(ErrorCode.INTEGRATION_INACTIVE, refusal(row.name, row.state))
    if not isinstance(provider, PerformsActions):
        raise ConfigError(f"{label} performs no actions.")
    return row


def _device(session: Session, connection: Integration, device_id: UUID | None) -> DeviceRow:
    found = None
    if device_id is not None:
        found = session.scalar(
            select(DeviceRow).where(
                DeviceRow.tenant_id == connection.tenant_id,
                DeviceRow.id == device_id,
                DeviceRow.integration_id == connection.id,
            )
        )
    if found is None:
        words = "This device is none of the connection's." if device_id else "Say on which device."
        raise ActionRefused(ErrorCode.NOT_FOUND, words)
    if found.deleted_at is not None:
        raise ActionRefused(ErrorCode.NOT_FOUND, f"{found.name} was deleted at the vendor.")
    return found
