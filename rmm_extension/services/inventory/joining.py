"""Joining a device with an asset that exists already, because a person says that it is this one."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from rmm_extension.domain.errors import ConfigError, Conflict, HostCapabilityMissing
from rmm_extension.host import Actor, AssetKey, AssetMatch, Assets
from rmm_extension.models import DeviceRow, Integration
from rmm_extension.services import audit
from rmm_extension.services.context import Rmm

from .adoption import DECLINED, PROPOSAL
from .links import link


class UnknownDevice(LookupError):
    """No such device in this tenant."""


def join_asset(rmm: Rmm, session: Session, actor: Actor, device_id: UUID, name: str) -> str:
    """Have a device without an asset be its client's asset of this name, whatever its case; that name.

    The next sync fills it. Raises ``ConfigError`` where there is no such asset, or not one alone.
    """
    row = read_device(session, actor.tenant_id, device_id)
    _check_free(row)
    asset = _named(rmm, session, row, name)
    take_asset(rmm, session, row, asset.asset_id)
    # Once the asset is locked: of two devices that ask for it at once, the second one finds it held.
    _check_unheld(session, row, asset)
    # Assets before the device, as a page of a sync locks them.
    session.refresh(row, with_for_update=True)
    _check_free(row)
    give_asset(row, asset.asset_id)
    audit.record(
        session,
        actor,
        "device.asset_adopted",
        subject_type="device",
        subject_id=row.id,
        subject_name=row.name,
        integration_id=row.integration_id,
        changes={"asset_id": asset.asset_id},
    )
    return asset.name


def assets_of_host(rmm: Rmm) -> Assets:
    """The host's assets; ``HostCapabilityMissing`` where it keeps none."""
    if rmm.host.assets is None:
        raise HostCapabilityMissing("This PSA keeps no assets.")
    return rmm.host.assets


def read_device(session: Session, tenant_id: str, device_id: UUID) -> DeviceRow:
    """The device as it is now; raises :class:`UnknownDevice`."""
    row = session.get(DeviceRow, (tenant_id, device_id), populate_existing=True)
    if row is None:
        raise UnknownDevice("This device does not exist (any more).")
    return row


def give_asset(row: DeviceRow, asset_id: str) -> None:
    """Note the asset with the device, which has nothing to be proposed any more."""
    row.asset_id = asset_id
    # Without digests the next sync takes the device for changed and fills the asset with all it knows.
    row.core_hash = row.hardware_hash = None
    row.facts = {key: value for key, value in row.facts.items() if key not in (PROPOSAL, DECLINED)}


def _check_free(row: DeviceRow) -> None:
    if row.asset_id is not None:
        raise Conflict("This device has an asset already: look at it again.")
    if row.deleted_at is not None:
        raise Conflict("This device was deleted at the vendor.")
    if row.client_id is None:
        raise ConfigError("This device belongs to no client: map its organization first.")


def _named(rmm: Rmm, session: Session, row: DeviceRow, name: str) -> AssetMatch:
    wanted = " ".join(name.replace("\x00", "").split())
    key = AssetKey(client_id=row.client_id or "", serial=None, macs=(), name=wanted)
    matches = assets_of_host(rmm).find(session, row.tenant_id, [key]) if wanted else ()
    found = [one for one in matches if one.name.strip().casefold() == wanted.casefold()]
    if not found:
        raise ConfigError(f"The device's client has no asset named “{wanted}”.")
    if len(found) > 1:
        raise ConfigError(f"The device's client has {len(found)} assets named “{wanted}”: rename one first.")
    return found[0]


def _check_unheld(session: Session, row: DeviceRow, asset: AssetMatch) -> None:
    """One connection does not have the same machine twice."""
    held = exists().where(
        DeviceRow.tenant_id == row.tenant_id,
        DeviceRow.integration_id == row.integration_id,
        DeviceRow.asset_id == asset.asset_id,
        DeviceRow.id != row.id,
        DeviceRow.missing_since.is_(None),
        DeviceRow.deleted_at.is_(None),
    )
    if session.scalar(select(held)):
        raise ConfigError(f"“{asset.name}” is the asset of another device of this connection.")


def take_asset(rmm: Rmm, session: Session, row: DeviceRow, asset_id: str) -> None:
    """Link the asset and leave the device's own one, in the order of their ids, as everybody locks assets."""
    port, own = assets_of_host(rmm), row.asset_id
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
