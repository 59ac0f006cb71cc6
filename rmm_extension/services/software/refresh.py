"""Refreshing the software of one device, because a person asks."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, NotFound
from rmm_extension.domain.types import Connection, SoftwareOfDevice
from rmm_extension.host import Actor
from rmm_extension.models import DeviceRow, Integration, utc_now
from rmm_extension.providers.capabilities import FetchesSoftware
from rmm_extension.providers.contract import Provider
from rmm_extension.services import runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import open_connection
from rmm_extension.services.inventory.joining import UnknownDevice
from rmm_extension.services.inventory.page import again_if_overtaken
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from .page import Place, write

KIND = "software_refresh"


def start_refresh(rmm: Rmm, session: Session, actor: Actor, device_id: UUID) -> UUID:
    """Start a run that fetches the software of a device; its id.

    Raises :class:`UnknownDevice`, and ``Conflict`` with a sentence while such a run is under way.
    """
    row = session.execute(
        select(DeviceRow.integration_id, DeviceRow.external_id).where(
            DeviceRow.tenant_id == actor.tenant_id, DeviceRow.id == device_id, DeviceRow.deleted_at.is_(None)
        )
    ).first()
    if row is None:
        raise UnknownDevice("This device does not exist (any more).")
    return runs.start(
        rmm,
        session,
        actor,
        KIND,
        integration_id=row.integration_id,
        subject={"device_id": str(device_id), "external_id": row.external_id},
        exclusive_key=f"{KIND}:{device_id}",
    )


def refresh_software(rmm: Rmm, run: Run) -> dict[str, int]:
    """Fetch the software of ``run.subject["external_id"]`` and write it; the counts by what happened.

    Where the vendor does not know the device, nothing is written: what is known of its software stays.
    """
    external_id = str(run.subject["external_id"])
    with unit(rmm) as session:
        row, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
        fetcher = _fetcher(provider)
    asked_at = utc_now()
    told = _fetch(fetcher, connection, external_id)
    return again_if_overtaken(
        lambda: _write(
            rmm,
            run,
            row,
            told,
            Place(run.tenant_id, row.id, asked_at=asked_at, began_at=run.queued_at or asked_at),
        )
    )


def _fetcher(provider: Provider) -> FetchesSoftware:
    if not isinstance(provider, FetchesSoftware):
        raise ConfigError(f"{provider.manifest.label} cannot list the software of a single device.")
    return provider


def _fetch(fetcher: FetchesSoftware, connection: Connection, external_id: str) -> SoftwareOfDevice | None:
    try:
        return fetcher.device_software(connection, external_id)
    except NotFound:
        return None


def _write(
    rmm: Rmm, run: Run, row: Integration, told: SoftwareOfDevice | None, place: Place
) -> dict[str, int]:
    with unit(rmm) as session:
        counts = dict(write(session, place, [told])) if told else {"processed": 1, "unknown": 1}
        run.report(session, done=1, total=1, counts=counts)
    return counts
