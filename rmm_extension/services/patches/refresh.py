"""Refreshing the patches of one device: a person asks, or the vendor tells that they are others."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, NotFound
from rmm_extension.domain.patches import KINDS, PatchesOfDevice
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.models import DeviceRow, utc_now
from rmm_extension.providers.capabilities import FetchesPatches
from rmm_extension.providers.contract import Provider
from rmm_extension.services import runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import open_connection
from rmm_extension.services.inventory.joining import UnknownDevice
from rmm_extension.services.inventory.page import again_if_overtaken
from rmm_extension.services.runs import Run, Work
from rmm_extension.services.unit import unit

from .page import write
from .place import Place

KIND = "patch_refresh"


def refresh_key(device_id: UUID) -> str:
    """What two unfinished refreshes of a device may not share."""
    return f"{KIND}:{device_id}"


def refresh_work(integration_id: UUID, device_id: UUID, external_id: str) -> Work:
    """The refresh of one device, to be started."""
    subject = {"device_id": str(device_id), "external_id": external_id}
    return Work(integration_id, subject, refresh_key(device_id))


def start_refresh(rmm: Rmm, session: Session, actor: Actor, device_id: UUID) -> UUID:
    """Start a run that fetches the patches of a device; its id.

    Raises :class:`UnknownDevice`, and ``Conflict`` with a sentence while such a run is under way.
    """
    row = session.execute(
        select(DeviceRow.integration_id, DeviceRow.external_id).where(
            DeviceRow.tenant_id == actor.tenant_id, DeviceRow.id == device_id, DeviceRow.deleted_at.is_(None)
        )
    ).first()
    if row is None:
        raise UnknownDevice("This device does not exist (any more).")
    work = refresh_work(row.integration_id, device_id, row.external_id)
    return runs.start(
        rmm,
        session,
        actor,
        KIND,
        integration_id=work.integration_id,
        subject=work.subject,
        exclusive_key=work.exclusive_key,
    )


def refresh_patches(rmm: Rmm, run: Run) -> dict[str, int]:
    """Fetch the patches of ``run.subject["external_id"]`` and write them; the counts by what happened.

    Where the vendor does not know the device, nothing is written: what is known of its patches stays. So does
    what is known of a kind that could not be read, and the run says so.
    """
    external_id = str(run.subject["external_id"])
    with unit(rmm) as session:
        row, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
        fetcher = _fetcher(provider)
    asked_at = utc_now()
    told = _fetch(fetcher, connection, external_id)
    place = Place.of(rmm, row, provider, asked_at=asked_at, began_at=run.queued_at or asked_at, alone=True)
    return again_if_overtaken(lambda: _write(rmm, run, told, place))


def _fetcher(provider: Provider) -> FetchesPatches:
    if not isinstance(provider, FetchesPatches):
        raise ConfigError(f"{provider.manifest.label} cannot list the patches of a single device.")
    return provider


def _fetch(fetcher: FetchesPatches, connection: Connection, external_id: str) -> PatchesOfDevice | None:
    try:
        return fetcher.device_patches(connection, external_id)
    except NotFound:
        return None


def _write(rmm: Rmm, run: Run, told: PatchesOfDevice | None, place: Place) -> dict[str, int]:
    with unit(rmm) as session:
        unread = told.unread if told else {}
        counts = {"processed": 1, "unknown": 1}
        if told is not None:
            counts = {**write(session, place, [told], KINDS - unread.keys()), "not_read": len(unread)}
        run.report(session, done=1, total=1, counts=counts, errors=[*unread.values()])
    return counts
