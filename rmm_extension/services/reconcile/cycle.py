"""A vendor that lists what is open: fetch it all, compare it with what is here, bring differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import case, func, literal
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, ProviderError, RMMError
from rmm_extension.domain.types import AlertEvent, AlertKind, Connection
from rmm_extension.models import Integration, utc_now
from rmm_extension.providers.capabilities import FetchesAlert, ListsAlerts
from rmm_extension.providers.contract import Provider
from rmm_extension.services import window_end
from rmm_extension.services.context import Rmm
from rmm_extension.services.ingest.config import load_version
from rmm_extension.services.inventory import events
from rmm_extension.services.recurring import POLLS
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from .compare import Found, InWindow, Missing, compare
from .guard import Suspicion, Verdict, judge
from .records import Records
from .work import SYNC_TYPE, Work, told

ASK_AT_MOST = 10
"""So many alerts that an empty list leaves out are asked for one by one."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One attempt. ``began`` is the database's time before the first request was sent."""

    rmm: Rmm
    run: Run
    row: Integration
    connection: Connection
    provider: Provider
    began: datetime

    def go(self) -> dict[str, int]:
        """Bring the connection's alerts in line with the list; the counts by what happened."""
        try:
            listed = self.fetch()
        except (ProviderError, ConfigError) as error:
            self.fail(error)
            raise
        return self.settle(listed)

    def fetch(self) -> list[AlertEvent]:
        """Everything that is active at the vendor, each alert once; no transaction is open meanwhile."""
        assert isinstance(self.provider, ListsAlerts)
        listed = self.provider.active_alerts(self.connection)
        # What somebody took on at the vendor is open there: a list says that an alert is, not what happened.
        active = (
            msgspec.structs.replace(event, kind=AlertKind.TRIGGERED)
            for event in listed
            if event.kind is not AlertKind.RESET
        )
        return list({event.external_id: event for event in active}.values())

    def settle(self, listed: Sequence[AlertEvent]) -> dict[str, int]:
        """Compare, do what follows, tell it."""
        with unit(self.rmm) as session:
            found = compare(session, self.run.tenant_id, self.row.id, listed, self.began)
            ended = self._ended(session, found.in_window)
        earlier = Suspicion.read(self.row.reconcile_state)
        verdict = self._judge(earlier, listed, found)
        work = Work(self.rmm, self.run, self.row.id, self.began)
        work.counts["processed"] = len(listed)
        # New ones first: a ticket whose alert is over stays open for the alert that took its place.
        for event in found.take:
            work.take(event)
        for one, window in ended:
            work.decide(one.alert_id, window)
        waiting = self._end_missing(work, found.missing, verdict, is_empty=not listed)
        work.do()
        return self._close(work, waiting)

    def fail(self, error: RMMError) -> None:
        """Keep the reason. What waited for the vendor's word on an ended window is decided without it."""
        with unit(self.rmm) as session:
            events.failed(self.rmm, session, self.run, self.row, SYNC_TYPE, {}, error)
            window_end.decide_here(self.rmm, session, self.run.tenant_id, self.row.id)

    def _ended(self, session: Session, in_window: Sequence[InWindow]) -> list[tuple[InWindow, str | None]]:
        if not in_window:
            return []
        config = load_version(self.rmm, session, self.run.tenant_id, self.row.id, self.row.config_version)
        return window_end.ended(config.windows, self.row.id, in_window, utc_now())

    def _judge(self, earlier: Suspicion | None, listed: Sequence[AlertEvent], found: Found) -> Verdict:
        missing = [one.alert_id for one in found.missing]
        return judge(earlier, missing, listed=len(listed), open_here=found.open_here, began=self.began)

    def _end_missing(
        self, work: Work, missing: Sequence[Missing], verdict: Verdict, *, is_empty: bool
    ) -> Suspicion | None:
        """Have those reset that are over; what a second look is still waited for."""
        records = Records(self.provider, self.connection, is_asked=self.row.webhook_enabled)
        for one in missing:
            if one.alert_id not in verdict.over:
                continue
            record = records.of(one.external_id)
            if record is None or record.kind is AlertKind.RESET:
                work.end(one, webhook_failed=record is not None and record.delivery_failed)
        waiting = verdict.waiting
        if waiting is None or not is_empty or len(waiting.suspects) > ASK_AT_MOST:
            return waiting
        suspects = [one for one in missing if one.alert_id in waiting.suspects]
        settled = {one.alert_id for one in suspects if self._is_settled(work, one)}
        left = waiting.suspects - settled
        return Suspicion(waiting.since, left, waiting.open) if left else None

    def _is_settled(self, work: Work, missing: Missing) -> bool:
        """Whether the vendor's word on this alert makes a second look needless; it is reset if it is over."""
        if not isinstance(self.provider, FetchesAlert):
            return False
        try:
            event = self.provider.alert(self.connection, missing.external_id)
        except ProviderError:
            return False
        if event is None or event.kind is AlertKind.RESET:
            work.end(missing, event)
        return True

    def _close(self, work: Work, waiting: Suspicion | None) -> dict[str, int]:
        with unit(self.rmm) as session:
            changes = self._changes(waiting)
            events.finished(self.rmm, session, self.run, self.row, SYNC_TYPE, told(work.counts), changes)
        counts = dict(work.counts)
        return counts | {"in_doubt": len(waiting.suspects)} if waiting else counts

    def _changes(self, waiting: Suspicion | None) -> Mapping[str, Any]:
        """The connection's columns. What is waited for does not outlive a change of the connection."""
        unchanged = Integration.config_version == self.row.config_version
        changes: dict[str, Any] = {"last_reconciled_at": self.began}
        state = waiting.stored() if waiting else {}
        if state or self.row.reconcile_state:
            changes["reconcile_state"] = case((unchanged, literal(state, JSONB)), else_=literal({}, JSONB))
        if waiting:
            changes["next_reconcile_at"] = waiting.look_again_at
        elif self.row.state == "error":
            # Having recovered asks for a poll at once: this was it.
            changes["next_reconcile_at"] = func.now() + POLLS.interval(self.row.settings)
        return changes
