"""Syncing the patches of a connection: one stream of pages, one short transaction for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rmm_extension.domain.errors import ConfigError, ProviderError, RMMError
from rmm_extension.domain.patches import KINDS, NOTHING, PatchesOfDevice, PatchKind, PatchPage
from rmm_extension.domain.types import Connection
from rmm_extension.domain.values import moment
from rmm_extension.models import Integration, utc_now
from rmm_extension.providers.capabilities import ListsPatches
from rmm_extension.providers.contract import Provider
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import json_text
from rmm_extension.services.inventory import events, open_connection
from rmm_extension.services.inventory.page import again_if_overtaken
from rmm_extension.services.inventory.sql import rows_planned_anew
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from . import sql
from .page import write
from .place import Place

SYNC_TYPE = "patches"
COUNTS = (
    "processed",
    "updated",
    "unchanged",
    "failed",
    "ignored",
    "doubtful",
    "not_read",
    "added",
    "changed",
    "removed",
)
"""What a patch sync counts: devices by what became of their lists, then patches. ``ignored`` devices are not
here, ``doubtful`` lists came empty in place of full ones, ``not_read`` are kinds of patches."""
LASTING = ("added", "changed", "removed")
"""Counts of patches: what an earlier attempt of the run wrote is not found changed again."""
PAGE_DEVICES = 250
"""Devices without patches that are written at a time."""


def sync_patches(rmm: Rmm, run: Run) -> dict[str, int]:
    """Bring the patches of all devices that are here; the counts by what happened.

    A device that a complete listing does not name has none any more, and that is believed the second time.
    Nothing is concluded about a kind of patches that could not be read, and the run says so.
    An attempt that follows on one that was interrupted reads the list from its beginning, for it has no
    order; what was written by then is found unchanged.
    """
    sync = _open(rmm, run)
    try:
        sync.read()
    except (ProviderError, ConfigError) as error:
        sync.fail(error)
        raise
    sync.empty_unnamed()
    return sync.close()


def _open(rmm: Rmm, run: Run) -> _PatchSync:
    now = utc_now()
    with unit(rmm) as session:
        row, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
        lister = _lister(provider)
        events.started(session, run, row, SYNC_TYPE)
    began_at = moment(run.cursor.get("began_at")) or now
    counts = Counter({name: run.counts.get(name, 0) for name in LASTING})
    place = Place.of(rmm, row, provider, asked_at=now, began_at=began_at)
    return _PatchSync(rmm, run, row, connection, lister, place, counts)


def _lister(provider: Provider) -> ListsPatches:
    if not isinstance(provider, ListsPatches):
        raise ConfigError(f"{provider.manifest.label} has no patches to list.")
    return provider


@dataclass(slots=True)
class _PatchSync:
    """One attempt at a patch sync. ``named`` are the devices that the vendor's list has named, ``unread`` the
    kinds that it says nothing of."""

    rmm: Rmm
    run: Run
    row: Integration
    connection: Connection
    lister: ListsPatches
    place: Place
    counts: Counter[str] = field(default_factory=Counter)
    named: set[str] = field(default_factory=set)
    unread: set[PatchKind] = field(default_factory=set)

    @property
    def kinds(self) -> frozenset[PatchKind]:
        """The kinds that the list speaks for."""
        return KINDS - self.unread

    def read(self) -> None:
        """Read the stream to its end, page by page."""
        stream = self.lister.patches(self.connection)
        try:
            for page in stream:
                self._take(page)
        finally:
            # A stream that is left in its middle must let go of its answer and its files now.
            getattr(stream, "close", lambda: None)()

    def empty_unnamed(self) -> None:
        """After the stream's good end: a device that it did not name has no patches.

        Not where rows could not be read: nobody knows whose they were.
        """
        if self.counts["failed"]:
            return
        for page in _empty_pages(self._unnamed()):
            self._take(page)

    def _take(self, page: PatchPage) -> None:
        fresh = page.unread.keys() - self.unread
        self.unread |= fresh
        errors = [*page.errors, *(page.unread[kind] for kind in sorted(fresh))]
        again_if_overtaken(lambda: self._write(page, errors))
        self.named.update(told.external_device_id for told in page.devices)

    def _write(self, page: PatchPage, errors: Sequence[str]) -> None:
        with unit(self.rmm) as session:
            found = write(session, self.place, page.devices, self.kinds)
            found.update(failed=len(page.errors), ignored=page.strangers)
            counts = self.counts + found
            counts["not_read"] = len(self.unread)
            self.run.report(
                session,
                done=_done(counts),
                counts=_summary(counts),
                cursor={"began_at": self.place.began_at.isoformat()},
                errors=errors,
            )
        self.counts = counts

    def _unnamed(self) -> Sequence[str]:
        named = json_text(sorted(self.named))
        values = {**self.place.values, "kinds": [*self.kinds], "nothing": NOTHING, "named": named}
        with unit(self.rmm) as session:
            return [external_id for (external_id,) in rows_planned_anew(session, sql.UNNAMED, values)]

    def close(self) -> dict[str, int]:
        """Move the connection's time and tell the end, in one transaction; the counts."""
        counts = _summary(self.counts)
        times: dict[str, datetime] = {"last_patch_sync_at": self.place.began_at}
        with unit(self.rmm) as session:
            events.finished(self.rmm, session, self.run, self.row, SYNC_TYPE, counts, times)
            self.run.report(session, done=_done(self.counts), counts=counts)
        return counts

    def fail(self, error: RMMError) -> None:
        """Keep the reason; what is written stays, and so does the connection's time."""
        with unit(self.rmm) as session:
            events.failed(self.rmm, session, self.run, self.row, SYNC_TYPE, _summary(self.counts), error)


def _empty_pages(external_ids: Sequence[str]) -> Iterator[PatchPage]:
    for start in range(0, len(external_ids), PAGE_DEVICES):
        part = external_ids[start : start + PAGE_DEVICES]
        yield PatchPage(devices=tuple(PatchesOfDevice(external_device_id=one, items=()) for one in part))


def _done(counts: Counter[str]) -> int:
    """Devices dealt with, failed ones included."""
    return counts["processed"] + counts["failed"]


def _summary(counts: Counter[str], names: Sequence[str] = COUNTS) -> dict[str, int]:
    return {name: counts[name] for name in names}
