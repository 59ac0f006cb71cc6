"""The row of an invocation: what it is about, and the state it is in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import Target
from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.platforms import platform_of
from rmm_extension.models import ActionInvocation, DeviceRow
from rmm_extension.services.context import Rmm


class UnknownInvocation(LookupError):
    """No such invocation in this tenant."""


def load(session: Session, tenant_id: str, invocation_id: UUID, *, lock: bool = False) -> ActionInvocation:
    """One invocation, as it is now; raises :class:`UnknownInvocation`."""
    statement = select(ActionInvocation).where(
        ActionInvocation.tenant_id == tenant_id, ActionInvocation.id == invocation_id
    )
    if lock:
        statement = statement.with_for_update()
    found = session.scalar(statement, execution_options={"populate_existing": True})
    if found is None:
        raise UnknownInvocation("This action does not exist (any more).")
    return found


def load_of_run(session: Session, tenant_id: str, run_id: UUID) -> ActionInvocation | None:
    """The invocation that the run is there for, as it is now, locked."""
    mine = (ActionInvocation.tenant_id == tenant_id, ActionInvocation.run_id == run_id)
    statement = select(ActionInvocation).where(*mine).with_for_update()
    return session.scalar(statement, execution_options={"populate_existing": True})


def seal(rmm: Rmm, row: ActionInvocation, value: Mapping[str, Any]) -> None:
    """Keep the input as it was given, encrypted for this row, until the action is over."""
    text = json.dumps(value, ensure_ascii=False)
    row.sealed_key, row.sealed_input = rmm.vault.seal(row.tenant_id, row.integration_id, _name(row), text)


def unseal(rmm: Rmm, row: ActionInvocation) -> dict[str, Any]:
    """The input as it was given; raises ``ConfigError`` when its key is gone."""
    assert row.sealed_key is not None
    assert row.sealed_input is not None
    opened = rmm.vault.open(
        row.tenant_id, row.integration_id, _name(row), row.sealed_key, bytes(row.sealed_input)
    )
    return cast(dict[str, Any], json.loads(opened))


def reseal(rmm: Rmm, session: Session, limit: int = 500) -> int:
    """Re-encrypt up to ``limit`` inputs that another key encrypted; how many were done.

    As with :meth:`.vault.Vault.rotate`, what cannot be read is passed over.
    """
    statement = (
        select(ActionInvocation)
        .where(
            ActionInvocation.sealed_key != rmm.vault.active_key_id,
            ActionInvocation.sealed_key.in_(rmm.vault.key_ids),
        )
        .order_by(ActionInvocation.tenant_id, ActionInvocation.id)
        .limit(limit)
        .with_for_update()
    )
    done = sum(_reseal(rmm, row) for row in session.scalars(statement).all())
    session.flush()
    return done


def _reseal(rmm: Rmm, row: ActionInvocation) -> bool:
    try:
        seal(rmm, row, unseal(rmm, row))
    except ConfigError:
        return False
    return True


def waiting_for_rotation(rmm: Rmm, session: Session) -> int:
    """How many inputs another key than the active one encrypted."""
    return (
        session.scalar(select(func.count()).where(ActionInvocation.sealed_key != rmm.vault.active_key_id))
        or 0
    )


def _name(row: ActionInvocation) -> str:
    return f"action {row.id}"


def target(device: DeviceRow) -> Target:
    """The device as an action is given it."""
    return Target(
        device_id=str(device.id),
        external_id=device.external_id,
        external_organization_id=device.external_organization_id,
        name=device.name,
        status=device.status,
        asset_id=device.asset_id,
        platform=platform_of(device.facts),
        os_name=" ".join(filter(None, (device.facts.get("os_type"), device.facts.get("os_version")))) or None,
        last_seen_at=device.last_seen_at,
    )


OVER = {"sealed_input": None, "sealed_key": None}
"""The columns of an action that is over: what was given is not needed any more."""
