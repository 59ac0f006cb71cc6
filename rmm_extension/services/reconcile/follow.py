"""A vendor that lists what changed: take the changes since the last look, and set aside what cannot be taken.

The connection keeps the vendor's time up to which changes were taken. It moves only at the good end of a run,
past what was taken or set aside, so that whatever stops a run leaves its changes to the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import func
from sqlalchemy.exc import DBAPIError

from rmm_extension.domain.errors import AuthFailed, ConfigError, ProviderError, RateLimited, RMMError
from rmm_extension.domain.types import AlertChanges, AlertEvent, Connection
from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import FetchesAlert, FollowsAlerts
from rmm_extension.providers.contract import Provider
from rmm_extension.services import set_aside, window_end
from rmm_extension.services.connections import FOLLOWED_AT_FIRST
from rmm_extension.services.context import Rmm
from rmm_extension.services.ingest.pipeline import SimultaneousDelivery
from rmm_extension.services.inventory import events
from rmm_extension.services.recurring import FOLLOWS
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit
from rmm_extension.services.webhooks import is_passing

from .news import news_of
from .odd_ids import with_short_ids
from .work import SYNC_TYPE, Task, Work, name_of, told

OVERLAP = timedelta(seconds=60)
"""So much of the last look is read again: a vendor may list a change a little late."""


@dataclass(slots=True)
class Following:
    """One attempt. ``began`` is the database's time before the first request was sent."""

    rmm: Rmm
    run: Run
    row: Integration
    connection: Connection
    provider: Provider
    began: datetime
    place: set_aside.Place = field(init=False)
    work: Work = field(init=False)
    _raced: dict[str, datetime] = field(default_factory=dict)
    _may_ask: bool = True

    def __post_init__(self) -> None:
        can_ask = isinstance(self.provider, FetchesAlert)
        self.place = set_aside.Place(self.run.tenant_id, self.row.id, can_ask)
        self.work = Work(self.rmm, self.run, self.row.id, self.began)

    def go(self) -> dict[str, int]:
        """Take what changed; the counts by what happened."""
        assert isinstance(self.provider, FollowsAlerts)
        try:
            changes = self.provider.alert_changes(self.connection, self._since())
        except (ProviderError, ConfigError) as error:
            self._fail(error)
            raise
        return self._settle(with_short_ids(changes))

    def _since(self) -> datetime:
        followed_to = self.row.alerts_followed_to
        return self.began - FOLLOWED_AT_FIRST if followed_to is None else followed_to - OVERLAP

    def _fail(self, error: RMMError) -> None:
        """Keep the reason. What waited for the end of a window is decided by what is known here."""
        with unit(self.rmm) as session:
            events.failed(self.rmm, session, self.run, self.row, SYNC_TYPE, {}, error)
            window_end.decide_here(self.rmm, session, self.run.tenant_id, self.row.id)

    def _settle(self, changes: AlertChanges) -> dict[str, int]:
        with unit(self.rmm) as session:
            news = news_of(session, self.run.tenant_id, self.row.id, changes.events, self.began)
            if news.settled:
                set_aside.forget(session, self.place, news.settled)
            new = set_aside.keep_unread(session, self.place, changes.unread)
            again = set_aside.due(session, self.place, without=news.aside)
        self.work.counts["processed"] = len(changes.events) + len(changes.unread)
        for event in news.take:
            self._add(event, is_aside=event.external_id in news.aside)
        for external_id in again:
            otherwise = partial(self._put_aside, external_id, None)
            self.work.add(Task(external_id, partial(self._ask, external_id), otherwise))
        self.work.do()
        reasons = {one.external_id: one.reason for one in changes.unread if one.external_id in new}
        return self._close(changes, reasons)

    def _add(self, event: AlertEvent, *, is_aside: bool) -> None:
        otherwise = partial(self._put_aside, event.external_id, event.occurred_at)
        self.work.add(Task(name_of(event), partial(self._take, event, is_aside=is_aside), otherwise))

    def _take(self, event: AlertEvent, *, is_aside: bool) -> str:
        try:
            done = self.work.ingest(event)
        except (SimultaneousDelivery, DBAPIError, psycopg.Error) as error:
            if isinstance(error, SimultaneousDelivery) or is_passing(error):
                self._raced[event.external_id] = event.occurred_at
            raise
        if is_aside:
            self._forget(event.external_id)
        return done

    def _ask(self, external_id: str) -> str:
        """Try one again that is set aside. A vendor that takes no more requests now is no fault of it."""
        assert isinstance(self.provider, FetchesAlert)
        if not self._may_ask:
            return "still_set_aside"
        try:
            event = self.provider.alert(self.connection, external_id)
        except (RateLimited, AuthFailed):
            self._may_ask = False
            return "still_set_aside"
        done = "gone" if event is None else self.work.ingest(event)
        self._forget(external_id)
        return done

    def _forget(self, external_id: str) -> None:
        with unit(self.rmm) as session:
            set_aside.forget(session, self.place, [external_id])

    def _put_aside(self, external_id: str, changed_at: datetime | None, reason: str) -> None:
        """Out of the way of the others. What lost a race is only left to the next look."""
        if external_id in self._raced:
            return
        with unit(self.rmm) as session:
            set_aside.keep_failed(session, self.place, external_id, reason, changed_at)
        self.work.counts["set_aside"] += 1

    def _close(self, changes: AlertChanges, unread: Mapping[str, str]) -> dict[str, int]:
        errors = [{"name": external_id, "message": reason} for external_id, reason in unread.items()]
        if unread:
            self.work.counts["set_aside"] += len(unread)
        if not changes.is_whole:
            errors.append({"name": "Changes", "message": self._missing_words()})
        counts = self.work.counts
        with unit(self.rmm) as session:
            columns = self._columns(changes)
            events.finished(self.rmm, session, self.run, self.row, SYNC_TYPE, told(counts), columns)
            # Last, and in the same transaction: whoever lost the run, or was cancelled, moves nothing.
            self.run.report(session, counts=counts, errors=errors)
        return dict(counts)

    def _missing_words(self) -> str:
        label = self.provider.manifest.label
        return (
            f"{label} has more changes since {self._since():%Y-%m-%d %H:%M} UTC than are read at once; the"
            " oldest are missing here. They are asked for again; look at that time in its own list."
        )

    def _columns(self, changes: AlertChanges) -> Mapping[str, Any]:
        """The connection's columns after this look."""
        columns: dict[str, Any] = {}
        if changes.is_whole:
            columns["last_reconciled_at"] = self.began
            if newest := self._followed_to(changes.events):
                columns["alerts_followed_to"] = func.greatest(Integration.alerts_followed_to, newest)
        if self.row.state == "error":
            # Having recovered asks for a look at once: this was it.
            columns["next_reconcile_at"] = func.now() + FOLLOWS.interval(self.row.settings)
        return columns

    def _followed_to(self, read: Sequence[AlertEvent]) -> datetime | None:
        """The vendor's time of the newest change that is done with.

        Later than this look began does not count. Of a vendor with several lists, one may have been read
        before that change; and what happens until a time that is still to come would never be asked for.
        """
        first_left = min(self._raced.values(), default=None)
        done = (
            event.occurred_at
            for event in read
            if event.occurred_at <= self.began and (first_left is None or event.occurred_at < first_left)
        )
        return max(done, default=None)
