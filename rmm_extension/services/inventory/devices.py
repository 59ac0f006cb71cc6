"""Syncing the devices of a connection: one stream of pages, one short transaction for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rmm_extension.domain.errors import ConfigError, HostError, ProviderError, RMMError
from rmm_extension.domain.types import Connection
from rmm_extension.models import Integration, utc_now
from rmm_extension.providers.capabilities import ListsDevices
from rmm_extension.providers.contract import Provider
from rmm_extension.services.context import Rmm
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from . import alerts, events, missing
from .load import open_connection
from .page import again_if_overtaken
from .pages import Pages
from .progress import Progress
from .scope import Listing, Scope
from .targets import Targets

FULL_EVERY = timedelta(days=1)


def sync_devices(rmm: Rmm, run: Run) -> dict[str, int]:
    """Bring the devices of all mapped organizations here; the counts by what happened.

    ``run.subject["full"]`` asks for the heavy hardware facts too; without it they come once a day. A device's
    error never fails the run. What was written before an error of the vendor stays; what follows from absence
    is decided only when the stream has ended well.
    """
    sync = _open(rmm, run)
    try:
        sync.read()
    except (ProviderError, ConfigError, HostError) as error:
        sync.fail(error)
        raise
    return sync.close()


def _open(rmm: Rmm, run: Run) -> _DeviceSync:
    now = utc_now()
    with unit(rmm) as session:
        row, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
        lister = _lister(provider)
        targets = Targets.read(rmm, session, run.tenant_id, row.id)
        progress = Progress.of(run, full=_wants_full(run, row, now), now=now)
        events.started(session, run, row, _sync_type(progress))
    progress.counts["skipped_organizations"] = targets.skipped
    listing = Listing(earlier=frozenset(progress.done), is_first=row.last_sync_at is None)
    scope = Scope(
        rmm=rmm,
        tenant_id=run.tenant_id,
        integration_id=row.id,
        provider=row.provider,
        clients=targets.clients,
        settings=row.settings,
        listing=listing,
    )
    return _DeviceSync(rmm, run, row, connection, lister, targets, Pages(scope, listing, run, progress))


@dataclass(frozen=True, slots=True)
class _DeviceSync:
    """One attempt at a device sync."""

    rmm: Rmm
    run: Run
    row: Integration
    connection: Connection
    lister: ListsDevices
    targets: Targets
    pages: Pages

    def read(self) -> None:
        """Read the stream to its end, page by page."""
        progress = self.pages.progress
        wanted = [known for known in self.targets.clients if known not in progress.done]
        if wanted:
            stream = self.lister.devices(self.connection, wanted, full=progress.full)
            try:
                for page in stream:
                    self.pages.write(page)
            finally:
                # A stream that is left in its middle must let go of its answer and its thread now.
                getattr(stream, "close", lambda: None)()
        self.pages.write_held()

    def close(self) -> dict[str, int]:
        """Decide on the missing, move the connection's times and tell it; the counts."""
        with unit(self.rmm) as session:
            marked = missing.mark(session, self.pages.scope, self.pages.listing)
            self.run.report(session, done=self.pages.progress.processed)
        return again_if_overtaken(lambda: self._finish(marked))

    def _finish(self, marked: int) -> dict[str, int]:
        with unit(self.rmm) as session:
            found = missing.remove(session, self.pages.scope, self.pages.listing, self.row.settings)
            progress = self.pages.progress.plus(found.counts + Counter(missing=marked))
            missing.note_mappings(session, self.pages, self.targets, found.attention)
            alerts.link(session, self.run.tenant_id, self.row.id)
            counts = progress.summary()
            events.finished(
                self.rmm, session, self.run, self.row, _sync_type(progress), counts, _times(progress)
            )
            self.run.report(session, done=progress.processed, counts=counts)
        return counts

    def fail(self, error: RMMError) -> None:
        """Keep the reason; what is written stays, and so do the connection's times."""
        progress = self.pages.progress
        counts = progress.summary()
        with unit(self.rmm) as session:
            events.failed(self.rmm, session, self.run, self.row, _sync_type(progress), counts, error)


def _lister(provider: Provider) -> ListsDevices:
    if not isinstance(provider, ListsDevices):
        raise ConfigError(f"{provider.manifest.label} has no devices to list.")
    return provider


def _wants_full(run: Run, row: Integration, now: datetime) -> bool:
    asked = run.subject.get("full")
    if asked is not None:
        return bool(asked)
    return row.last_full_sync_at is None or now - row.last_full_sync_at >= FULL_EVERY


def _sync_type(progress: Progress) -> str:
    return "full" if progress.full else "incremental"


def _times(progress: Progress) -> Mapping[str, datetime]:
    """The start, not the end: what changed at the vendor meanwhile belongs to the next sync."""
    times = {"last_sync_at": progress.started_at, "last_incremental_sync_at": progress.started_at}
    return times | {"last_full_sync_at": progress.started_at} if progress.full else times
