"""The vendor's own log of what happened, read on from where the last look ended.

It brings what webhooks lost, and all of it where there is no webhook: alerts through the one pipeline,
signals as from a delivery. Each counts once, so that the log may be read again from an earlier place.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import update
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.signals import ActivityPage, OrganizationSignal, Told
from rmm_extension.domain.types import AlertEvent, Channel, Outcome
from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import ListsActivity

from . import connection_health
from .context import Rmm
from .inventory import open_connection
from .lease import PLAIN, LeaseLost
from .one_of_many import attempt
from .runs import Run
from .unit import unit
from .webhooks import take


def sync_activity(rmm: Rmm, run: Run) -> dict[str, int]:
    """Take what happened since the last look, page by page; the counts by what became of it.

    The first look takes nothing: it only learns where the log ends now.
    """
    with unit(rmm) as session:
        row, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
    if not isinstance(provider, ListsActivity):
        raise ConfigError(f"{provider.manifest.label} has no activity log.")
    reading = _Reading(rmm, run, row, row.activity_position)
    for page in provider.activity(connection, row.activity_position):
        reading.take(page)
    return dict(reading.counts)


@dataclass(slots=True)
class _Reading:
    """One look. ``position`` is how far the log was taken by now."""

    rmm: Rmm
    run: Run
    row: Integration
    position: str | None
    counts: Counter[str] = field(default_factory=Counter)

    def take(self, page: ActivityPage) -> None:
        """Take a page, and only then go on from behind it: a worker that dies leaves it to the next."""
        errors = [{"name": "Activity log", "message": sentence} for sentence in page.errors]
        for event in page.events:
            error = attempt(
                self.rmm,
                partial(self._take, event),
                name=_name(event),
                event="activity.event_failed",
                run=self.run.id,
                connection=self.row.id,
            )
            if error is not None:
                errors.append(error)
                self.counts["failed"] += 1
        with unit(self.rmm) as session:
            self._move(session, page.position)
            done = self.counts.total()
            self.run.report(session, done=done, doing=_DOING, counts=self.counts, errors=errors)
        self.position = page.position

    def _take(self, event: Told) -> None:
        done = take(self.rmm, self.run.tenant_id, self.row.id, event, Channel.POLL)
        if done.outcome == Outcome.SKIPPED:
            self.counts["skipped"] += 1
        else:
            self.counts["alerts" if isinstance(event, AlertEvent) else "signals"] += 1

    def _move(self, session: Session, position: str) -> None:
        """Keep the position. Under another sign-in, or beside another look, it is not ours to move."""
        moved = session.execute(
            update(Integration)
            .where(
                Integration.tenant_id == self.row.tenant_id,
                Integration.id == self.row.id,
                Integration.activity_position.is_not_distinct_from(self.position),
                connection_health.not_replaced_since(self.run.taken_at),
            )
            .values(activity_position=position, updated_at=Integration.updated_at)
            .returning(Integration.id),
            execution_options=PLAIN,
        ).first()
        if moved is None:
            raise LeaseLost("The log is read from another place by now.")


def _name(event: Told) -> str:
    """What people know it by."""
    if isinstance(event, OrganizationSignal):
        return event.external_organization_id or event.external_id
    return event.device_name or event.external_id


_DOING = "Taking what happened at the vendor."
