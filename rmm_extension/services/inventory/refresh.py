"""Refreshing one device: after a webhook, or because a person asked."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, NotFound
from rmm_extension.domain.types import Connection, Device
from rmm_extension.models import DeviceRow, Integration, utc_now
from rmm_extension.providers.capabilities import FetchesDevice
from rmm_extension.providers.contract import Provider
from rmm_extension.services import device_events, events
from rmm_extension.services.context import Rmm
from rmm_extension.services.runs import Run, Work
from rmm_extension.services.unit import unit

from . import alerts, page, sql
from .load import open_connection
from .scope import Scope
from .targets import Targets

KIND = "device_refresh"

Report = Callable[[Session, dict[str, int]], None]


def refresh_key(integration_id: UUID, external_id: str) -> str:
    """What two unfinished refreshes of a device may not share."""
    return f"{KIND}:{integration_id}:{external_id}"


def refresh_work(integration_id: UUID, external_id: str) -> Work:
    """The refresh of one device, to be started."""
    return Work(integration_id, {"external_id": external_id}, refresh_key(integration_id, external_id))


def refresh_device(rmm: Rmm, run: Run) -> dict[str, int]:
    """Fetch the device ``run.subject["external_id"]`` and write it; the counts by what happened.

    A new one is only made when its organization is mapped. One that the vendor does not know is marked
    missing; nothing is deleted.
    """
    external_id = str(run.subject["external_id"])

    def report(session: Session, counts: dict[str, int]) -> None:
        run.report(session, done=1, total=1, counts=counts)

    return refresh_now(rmm, run.tenant_id, run.integration_id, external_id, report)


def refresh_now(
    rmm: Rmm, tenant_id: str, integration_id: UUID | None, external_id: str, report: Report = lambda *_: None
) -> dict[str, int]:
    """As :func:`refresh_device`, for a worker that does it as a part of other work.

    ``report`` is called with the counts in the transaction that writes, as its last statement.
    """
    with unit(rmm) as session:
        row, connection, provider = open_connection(rmm, session, tenant_id, integration_id)
        fetcher = _fetcher(provider)
    device = _fetch(fetcher, connection, external_id)
    if device is None:
        return _mark_missing(rmm, row, external_id, report)
    return page.again_if_overtaken(lambda: _write(rmm, row, device, report))


def _fetcher(provider: Provider) -> FetchesDevice:
    if not isinstance(provider, FetchesDevice):
        raise ConfigError(f"{provider.manifest.label} cannot fetch a single device.")
    return provider


def _fetch(fetcher: FetchesDevice, connection: Connection, external_id: str) -> Device | None:
    try:
        return fetcher.device(connection, external_id)
    except NotFound:
        return None


def _mark_missing(rmm: Rmm, row: Integration, external_id: str, report: Report) -> dict[str, int]:
    values = {"tenant": row.tenant_id, "integration": row.id, "id": external_id, "now": utc_now()}
    with unit(rmm) as session:
        counts = {"processed": 1, "missing": sql.execute(session, sql.MARK_ONE_MISSING, values)}
        report(session, counts)
    return counts


def _write(rmm: Rmm, row: Integration, device: Device, report: Report) -> dict[str, int]:
    with unit(rmm) as session:
        targets = Targets.read(rmm, session, row.tenant_id, row.id)
        scope = Scope(
            rmm=rmm,
            tenant_id=row.tenant_id,
            integration_id=row.id,
            provider=row.provider,
            clients=targets.every_client,
            settings=row.settings,
        )
        written = page.write(session, scope, [device])
        alerts.link(session, row.tenant_id, row.id)
        counts = {**written.counts, "deferred": len(written.held)}
        _tell(session, row, device.external_id)
        report(session, counts)
    return counts


def _tell(session: Session, row: Integration, external_id: str) -> None:
    """Tell that the device was fetched, if somebody listens; one that is not kept here is not told of."""
    if not device_events.is_heard(session, row.tenant_id, "device_synced"):
        return
    known = (DeviceRow.tenant_id == row.tenant_id, DeviceRow.integration_id == row.id)
    found = session.scalar(select(DeviceRow.id).where(*known, DeviceRow.external_id == external_id))
    said = device_events.device_event(session, row.tenant_id, "device_synced", found) if found else None
    if said is not None:
        events.tell(session, row.tenant_id, "device_synced", said)
