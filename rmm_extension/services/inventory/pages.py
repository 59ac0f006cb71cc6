"""The pages of one stream, each in a transaction of its own with the progress it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import HostRejected
from rmm_extension.domain.types import AgentStatus, Device, DevicePage
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from . import page as paper
from . import sql
from .progress import Progress
from .scope import Listing, Scope

_REFUSALS = (HostRejected, DataError, IntegrityError)
"""Errors that lie in the data of a device: the others of its page are not to suffer from it."""
_HELD_AT_ONCE = 1000
_SILENT = frozenset({AgentStatus.OFFLINE, AgentStatus.OVERDUE})


class Pages:
    """Writes pages and keeps what the end of the stream needs to know."""

    def __init__(self, scope: Scope, listing: Listing, run: Run, progress: Progress) -> None:
        self.scope = scope
        self.listing = listing
        self.progress = progress
        self.failures: Counter[str] = Counter()
        self._run = run
        self._held: list[Device] = []

    def write(self, page: DevicePage) -> None:
        """Write a page, and note what it says of the listing."""
        if page.total is not None:
            self.progress.total = page.total
        self.listing.seen.update(device.external_id for device in page.devices)
        self.listing.seen.update(page.elsewhere)
        self.listing.silent.update(d.external_id for d in page.devices if d.status in _SILENT)
        self._write(page.devices, page.completed_organizations, page.errors)
        self.listing.complete.update(page.completed_organizations)

    def write_held(self) -> None:
        """Write the devices that waited for the listing's end; what cannot be told waits for the next."""
        self.listing.is_over = True
        waiting, self._held = self._held, []
        for start in range(0, len(waiting), _HELD_AT_ONCE):
            self._write(waiting[start : start + _HELD_AT_ONCE])
        if self._held:
            self.progress = self.progress.plus(Counter(deferred=len(self._held)))

    def _write(
        self, devices: Sequence[Device], completed: Sequence[str] = (), errors: Sequence[str] = ()
    ) -> None:
        """Write devices; where one is refused, halve until it stands alone and the others get through."""
        try:
            self._write_together(devices, completed, errors)
        except _REFUSALS as error:
            if len(devices) == 1:
                self._note_refused(devices[0], completed, errors, error)
                return
            middle = len(devices) // 2
            self._write(devices[:middle])
            self._write(devices[middle:], completed, errors)

    def _write_together(
        self, devices: Sequence[Device], completed: Sequence[str], errors: Sequence[str]
    ) -> None:
        def together() -> tuple[paper.Written, Progress]:
            with unit(self.scope.rmm) as session:
                written = paper.write(session, self.scope, devices)
                written.counts["failed"] += len(errors)
                progress = self.progress.plus(written.counts, completed)
                self._report(session, progress, completed, errors)
            return written, progress

        written, self.progress = paper.again_if_overtaken(together)
        self._held += written.held

    def _report(
        self, session: Session, progress: Progress, completed: Sequence[str], errors: Sequence[str]
    ) -> None:
        self._run.report(
            session,
            done=progress.processed,
            total=progress.total,
            counts=progress.summary(),
            cursor=progress.cursor() if completed else None,
            errors=errors,
        )

    def _note_refused(
        self, device: Device, completed: Sequence[str], errors: Sequence[str], error: Exception
    ) -> None:
        """Keep the reason with the run and, where it is known, with the device."""
        reason = refusal(error)
        values = {**self.scope.place, "id": device.external_id, "error": reason}
        with unit(self.scope.rmm) as session:
            sql.execute(session, sql.NOTE_DEVICE_ERROR, values)
            progress = self.progress.plus(Counter(failed=1 + len(errors)), completed)
            self._report(session, progress, completed, [*errors, f"{device.name}: {reason}"])
        self.failures[device.external_organization_id] += 1
        self.progress = progress


def refusal(error: Exception) -> str:
    """Why a device was refused, in words; the database's own words may hold values and stay out."""
    if isinstance(error, HostRejected):
        return str(error)
    return "The database refuses a value of this device: too long, or not what the column takes."
