"""Assets that a device may already be: a person decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, Conflict
from rmm_extension.host import Actor, AssetRef
from rmm_extension.models import DeviceRow
from rmm_extension.services import audit
from rmm_extension.services.context import Rmm

from .adoption import DECLINED, PROPOSAL
from .joining import assets_of_host, give_asset, read_device, take_asset


@dataclass(frozen=True, slots=True)
class Proposal:
    """A device, the asset made for it, and the assets that it may really be.

    ``reason`` is what they share: name, or serial or mac where several assets share it.
    """

    device_id: UUID
    device_name: str
    external_organization_id: str
    reason: str
    asset: AssetRef | None
    candidates: tuple[AssetRef, ...]


def proposals(rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID) -> list[Proposal]:
    """The open proposals of a connection, by device name; candidates that are gone are left out."""
    rows = session.scalars(
        select(DeviceRow)
        .where(
            DeviceRow.tenant_id == tenant_id,
            DeviceRow.integration_id == integration_id,
            DeviceRow.deleted_at.is_(None),
            DeviceRow.facts.has_key(PROPOSAL),
        )
        .order_by(DeviceRow.name, DeviceRow.id)
    ).all()
    wanted = {asset for row in rows for asset in (*row.facts[PROPOSAL]["asset_ids"], row.asset_id) if asset}
    known = assets_of_host(rmm).get_many(session, tenant_id, wanted) if wanted else {}
    return [_proposal(row, known) for row in rows]


def decide_proposal(rmm: Rmm, session: Session, actor: Actor, device_id: UUID, asset_id: str | None) -> bool:
    """Adopt ``asset_id`` for the device, or keep the two apart (``None``): the device has its own asset, or
    none as before. Whether it had one of its own.

    After an adoption the asset made for the device becomes inactive, unless another device has it too, and
    the next sync fills the adopted one completely.
    """
    row = read_device(session, actor.tenant_id, device_id)
    proposal, own = row.facts.get(PROPOSAL), row.asset_id
    if proposal is None:
        raise Conflict("This proposal has been decided already.")
    if asset_id is not None:
        _check(rmm, session, actor, asset_id, proposal["asset_ids"])
        take_asset(rmm, session, row, asset_id)
    # Assets before the device, as a page of a sync locks them.
    session.refresh(row, with_for_update=True)
    if (row.facts.get(PROPOSAL), row.asset_id) != (proposal, own):
        raise Conflict("This device was changed meanwhile: look at it again.")
    if asset_id is not None:
        give_asset(row, asset_id)
    else:
        row.facts = _declined(row, proposal["asset_ids"])
    audit.record(
        session,
        actor,
        "device.asset_adopted" if asset_id else "device.asset_kept_separate",
        subject_type="device",
        subject_id=row.id,
        subject_name=row.name,
        integration_id=row.integration_id,
        changes={"asset_id": asset_id} if asset_id else {"not_asset_ids": proposal["asset_ids"]},
    )
    return own is not None


def _declined(row: DeviceRow, asset_ids: Sequence[str]) -> dict[str, Any]:
    """The facts without the proposal; a device without an asset goes on to look for one, but for these."""
    facts = {key: value for key, value in row.facts.items() if key != PROPOSAL}
    if row.asset_id is None:
        facts[DECLINED] = sorted({*facts.get(DECLINED, ()), *asset_ids})
    return facts


def _proposal(row: DeviceRow, known: Mapping[str, AssetRef]) -> Proposal:
    found = row.facts[PROPOSAL]
    return Proposal(
        device_id=row.id,
        device_name=row.name,
        external_organization_id=row.external_organization_id,
        reason=found["reason"],
        asset=known.get(row.asset_id or ""),
        candidates=tuple(known[asset] for asset in found["asset_ids"] if asset in known),
    )


def _check(rmm: Rmm, session: Session, actor: Actor, asset_id: str, proposed: Iterable[str]) -> None:
    known = assets_of_host(rmm).get_many(session, actor.tenant_id, [asset_id])
    if asset_id not in proposed or asset_id not in known:
        raise ConfigError("This asset is not among those proposed, or does not exist any more.")
