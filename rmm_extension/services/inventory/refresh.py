"""Refreshing one device: after a webhook, or because a person asked."""

from __future__ import annotations

from uuid import UUID

from rmm_extension.domain.errors import ConfigError, NotFound
from rmm_extension.domain.types import Connection, Device
from rmm_extension.models import Integration, utc_now
from rmm_extension.providers.contract import FetchesDevice, Provider
from rmm_extension.services.context import Rmm
from rmm_extension.services.runs import Run, Work
from rmm_extension.services.unit import unit

from . import alerts, page, sql
from .load import open_connection
from .scope import Scope
from .targets import Targets

KIND = "device_refresh"


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
    with unit(rmm) as session:
        row, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
        fetcher = _fetcher(provider)
    device = _fetch(fetcher, connection, external_id)
    if device is None:
        return _mark_missing(rmm, run, row, external_id)
    return page.again_if_overtaken(lambda: _write(rmm, run, row, device))


def _fetcher(provider: Provider) -> FetchesDevice:
    if not isinstance(provider, FetchesDevice):
        raise ConfigError(f"{provider.manifest.label} cannot fetch a single device.")
    return provider


def _fetch(fetcher: FetchesDevice, connection: Connection, external_id: str) -> Device | None:
    try:
        return fetcher.device(connection, external_id)
    except NotFound:
        return None


def _mark_missing(rmm: Rmm, run: Run, row: Integration, external_id: str) -> dict[str, int]:
    values = {"tenant": run.tenant_id, "integration": row.id, "id": external_id, "now": utc_now()}
    with unit(rmm) as session:
        counts = {"processed": 1, "missing": sql.execute(session, sql.MARK_ONE_MISSING, values)}
        run.report(session, done=1, total=1, counts=counts)
    return counts


def _write(rmm: Rmm, run: Run, row: Integration, device: Device) -> dict[str, int]:
    with unit(rmm) as session:
        targets = Targets.read(rmm, session, run.tenant_id, row.id)
        scope = Scope(
            rmm=rmm,
            tenant_id=run.tenant_id,
            integration_id=row.id,
            provider=row.provider,
            clients=targets.every_client,
        )
        written = page.write(session, scope, [device])
        alerts.link(session, run.tenant_id, row.id)
        counts = {**written.counts, "deferred": len(written.held)}
        run.report(session, done=1, total=1, counts=counts)
    return counts
