"""Syncing the software of a connection: one stream of pages, one short transaction for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rmm_extension.domain.errors import ConfigError, ProviderError, RMMError
from rmm_extension.domain.types import Connection, SoftwarePage
from rmm_extension.domain.values import moment
from rmm_extension.models import Integration, utc_now
from rmm_extension.providers.capabilities import ListsSoftware
from rmm_extension.providers.contract import Provider
from rmm_extension.services.context import Rmm
from rmm_extension.services.inventory import events, open_connection
from rmm_extension.services.inventory.page import again_if_overtaken
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from .page import Place, write

SYNC_TYPE = "software"
COUNTS = (
    "processed",
    "updated",
    "unchanged",
    "failed",
    "ignored",
    "doubtful",
    "installed",
    "returned",
    "removed",
)
"""What a software sync counts: devices by what became of their lists, then rows. ``ignored`` devices are not
here, ``doubtful`` lists came empty in place of full ones."""
LASTING = ("installed", "returned", "removed")
"""Counts of rows: what an earlier attempt of the run wrote is not found changed again."""


def sync_software(rmm: Rmm, run: Run) -> dict[str, int]:
    """Bring the software of all devices that are here; the counts by what happened.

    A device that the vendor's list does not name has told nothing: what is known of it stays. An attempt that
    follows on one that was interrupted reads the list from its beginning, for it has no order; what was
    written by then is found unchanged.
    """
    sync = _open(rmm, run)
    try:
        sync.read()
    except (ProviderError, ConfigError) as error:
        sync.fail(error)
        raise
    return sync.close()


def _open(rmm: Rmm, run: Run) -> _SoftwareSync:
    now = utc_now()
    with unit(rmm) as session:
        row, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
        lister = _lister(provider)
        events.started(session, run, row, SYNC_TYPE)
    began_at = moment(run.cursor.get("began_at")) or now
    counts = Counter({name: run.counts.get(name, 0) for name in LASTING})
    place = Place(run.tenant_id, row.id, asked_at=now, began_at=began_at)
    return _SoftwareSync(rmm, run, row, connection, lister, place, counts)


def _lister(provider: Provider) -> ListsSoftware:
    if not isinstance(provider, ListsSoftware):
        raise ConfigError(f"{provider.manifest.label} has no software to list.")
    return provider


@dataclass(slots=True)
class _SoftwareSync:
    """One attempt at a software sync."""

    rmm: Rmm
    run: Run
    row: Integration
    connection: Connection
    lister: ListsSoftware
    place: Place
    counts: Counter[str] = field(default_factory=Counter)

    def read(self) -> None:
        """Read the stream to its end, page by page."""
        stream = self.lister.software(self.connection)
        try:
            for page in stream:
                again_if_overtaken(lambda told=page: self._write(told))  # type: ignore[misc]
        finally:
            # A stream that is left in its middle must let go of its answer and its thread now.
            getattr(stream, "close", lambda: None)()

    def _write(self, page: SoftwarePage) -> None:
        with unit(self.rmm) as session:
            found = write(session, self.place, page.devices)
            found.update(failed=len(page.errors), ignored=page.strangers)
            counts = self.counts + found
            self.run.report(
                session,
                done=_done(counts),
                counts=_summary(counts),
                cursor={"began_at": self.place.began_at.isoformat()},
                errors=page.errors,
            )
        self.counts = counts

    def close(self) -> dict[str, int]:
        """Move the connection's time and tell the end, in one transaction; the counts."""
        counts = _summary(self.counts)
        times: dict[str, datetime] = {"last_software_sync_at": self.place.began_at}
        with unit(self.rmm) as session:
            events.finished(self.rmm, session, self.run, self.row, SYNC_TYPE, counts, times)
            self.run.report(session, done=_done(self.counts), counts=counts)
        return counts

    def fail(self, error: RMMError) -> None:
        """Keep the reason; what is written stays, and so does the connection's time."""
        with unit(self.rmm) as session:
            events.failed(self.rmm, session, self.run, self.row, SYNC_TYPE, _summary(self.counts), error)


def _done(counts: Counter[str]) -> int:
    """Devices dealt with, failed ones included."""
    return counts["processed"] + counts["failed"]


def _summary(counts: Counter[str], names: Sequence[str] = COUNTS) -> dict[str, int]:
    return {name: counts[name] for name in names}
