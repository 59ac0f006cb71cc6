"""Assets that a device may already be: a person decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from rmm_extension.domain.errors import ConfigError, Conflict, HostCapabilityMissing
from rmm_extension.host import Actor, AssetRef, Assets
from rmm_extension.models import DeviceRow, Integration
from rmm_extension.services import audit
from rmm_extension.services.context import Rmm

from .adoption import DECLINED, PROPOSAL
from .links import link


class UnknownDevice(LookupError):
    """No such device in this tenant."""


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
    known = _assets(rmm).get_many(session, tenant_id, wanted) if wanted else {}
    return [_proposal(row, known) for row in rows]


def decide_proposal(rmm: Rmm, session: Session, actor: Actor, device_id: UUID, asset_id: str | None) -> None:
    """Adopt ``asset_id`` for the device, or keep the two apart (``None``): the device has its own asset, or
    none as before.

    After an adoption the asset made for the device becomes inactive, unless another device has it too, and
    the next sync fills the adopted one completely.
    """
    row = _read(session, actor.tenant_id, device_id)
    proposal, own = row.facts.get(PROPOSAL), row.asset_id
    if proposal is None:
        raise Conflict("This proposal has been decided already.")
    if asset_id is not None:
        _check(rmm, session, actor, asset_id, proposal["asset_ids"])
        _take_asset(rmm, session, row, asset_id)
    # Assets before the device, as a page of a sync locks them.
    session.refresh(row, with_for_update=True)
    if (row.facts.get(PROPOSAL), row.asset_id) != (proposal, own):
        raise Conflict("This device was changed meanwhile: look at it again.")
    if asset_id is not None:
        row.asset_id = asset_id
        # Without digests the next sync takes the device for changed and fills the asset with all it knows.
        row.core_hash = row.hardware_hash = None
    row.facts = {key: value for key, value in row.facts.items() if key != PROPOSAL}
    if row.asset_id is None:
        # It goes on to look for one.
        row.facts[DECLINED] = sorted({*row.facts.get(DECLINED, ()), *proposal["asset_ids"]})
    else:
        row.facts.pop(DECLINED, None)
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


def _assets(rmm: Rmm) -> Assets:
    if rmm.host.assets is None:
        raise HostCapabilityMissing("This PSA keeps no assets.")
    return rmm.host.assets


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


def _read(session: Session, tenant_id: str, device_id: UUID) -> DeviceRow:
    row = session.get(DeviceRow, (tenant_id, device_id), populate_existing=True)
    if row is None:
        raise UnknownDevice("This device does not exist (any more).")
    return row


def _check(rmm: Rmm, session: Session, actor: Actor, asset_id: str, proposed: Iterable[str]) -> None:
    known = _assets(rmm).get_many(session, actor.tenant_id, [asset_id])
    if asset_id not in proposed or asset_id not in known:
        raise ConfigError("This asset is not among those proposed, or does not exist any more.")


def _take_asset(rmm: Rmm, session: Session, row: DeviceRow, asset_id: str) -> None:
    """Link the asset and leave the device's own one, in the order of their ids, as everybody locks assets."""
    port, own = _assets(rmm), row.asset_id
    provider = session.scalar(
        select(Integration.provider).where(
            Integration.tenant_id == row.tenant_id, Integration.id == row.integration_id
        )
    )
    linked = [link(row, asset_id, provider or "")]
    works: dict[str, Callable[[], object]] = {asset_id: lambda: port.apply(session, row.tenant_id, linked)}
    if own and own != asset_id and not _is_shared(session, row, own):
        why = f"{row.name} is kept on another asset now."
        works[own] = lambda: port.mark_inactive(session, row.tenant_id, [own], why)
    for _, work in sorted(works.items()):
        work()


def _is_shared(session: Session, row: DeviceRow, asset_id: str) -> bool:
    other = aliased(DeviceRow)
    shared = exists().where(other.tenant_id == row.tenant_id, other.asset_id == asset_id, other.id != row.id)
    return bool(session.scalar(select(shared)))
