"""Bringing the differences here: each alert in its own transaction, reported in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.orm import Session

from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Outcome
from rmm_extension.services.context import Rmm
from rmm_extension.services.decisions import decide_stored
from rmm_extension.services.driver import run as run_sql
from rmm_extension.services.ingest import ingest
from rmm_extension.services.ingest.facts import by_id
from rmm_extension.services.ingest.stored import WINDOW
from rmm_extension.services.one_of_many import attempt
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit
from rmm_extension.services.webhooks import Tries, take

from .compare import Missing

SYNC_TYPE = "alerts"
BATCH = 25
"""So many alerts between two reports, each of which also looks whether the run was cancelled."""
_UNCHANGED = (Outcome.UPDATED, Outcome.SKIPPED, Outcome.RESOLVED)

_UNMOVED = """
SELECT 1 FROM rmm_alerts WHERE tenant_id = %(tenant)s AND id = %(alert)s AND updated_at < %(began)s
"""


@dataclass(frozen=True, slots=True)
class Task:
    """One alert's part of the work: ``do`` says in one word what became of it; ``name`` is for its error.

    ``otherwise`` is told the error, in words, when it cannot be done.
    """

    name: str
    do: Callable[[], str]
    otherwise: Callable[[str], object] | None = None


@dataclass(slots=True)
class Work:
    """The work of one cycle. What cannot be done is an error of the run and stops no other alert."""

    rmm: Rmm
    run: Run
    integration_id: UUID
    began: datetime
    counts: Counter[str] = field(default_factory=Counter)
    _tasks: list[Task] = field(default_factory=list)

    def add(self, task: Task) -> None:
        """Have something done."""
        self._tasks.append(task)

    def take(self, event: AlertEvent) -> None:
        """Have an event ingested."""
        self.add(Task(name_of(event), partial(self.ingest, event)))

    def decide(self, alert_id: UUID, window: str | None) -> None:
        """Have an alert decided whose maintenance window ended."""
        self.add(Task(str(alert_id), partial(self._decide, alert_id, window)))

    def end(self, missing: Missing, event: AlertEvent | None = None, *, webhook_failed: bool = False) -> None:
        """Have an alert reset; ``event`` is the vendor's own word, where it gave one in place of the list.

        ``webhook_failed`` says that by the vendor's record the webhook of the end was not delivered.
        """
        word = event or AlertEvent(
            kind=AlertKind.RESET,
            external_id=missing.external_id,
            occurred_at=self.began,
            vanished=True,
            delivery_failed=webhook_failed,
        )
        self.add(Task(missing.external_id, partial(self._end, missing, word)))

    def do(self) -> None:
        """Do all of it, batch by batch. Raises ``RunStopped`` between two batches."""
        for start in range(0, len(self._tasks), BATCH):
            batch = self._tasks[start : start + BATCH]
            errors = [error for task in batch if (error := self._attempt(task))]
            with unit(self.rmm) as session:
                self.run.report(
                    session,
                    done=start + len(batch),
                    total=len(self._tasks),
                    doing="Bringing the differences here.",
                    counts=self.counts,
                    errors=errors,
                )

    def _attempt(self, task: Task) -> dict[str, str] | None:
        """Do one task; the error, in words, when it cannot be done."""
        about = {"run": self.run.id, "connection": self.integration_id}
        error = attempt(
            self.rmm, lambda: self._do(task), name=task.name, event="reconcile.alert_failed", **about
        )
        if error is not None:
            self.counts["failed"] += 1
            if task.otherwise is not None:
                task.otherwise(error["message"])
        return error

    def _do(self, task: Task) -> None:
        self.counts[task.do()] += 1

    def ingest(self, event: AlertEvent) -> str:
        """Take an event now; in one word what became of it."""
        done = take(self.rmm, self.run.tenant_id, self.integration_id, event, Channel.POLL)
        return str(done.outcome) if done.outcome in _UNCHANGED else "created"

    def _decide(self, alert_id: UUID, window: str | None) -> str:
        step = {"code": "window_ended", "window": window}
        done = decide_stored(
            self.rmm,
            self.run.tenant_id,
            alert_id,
            channel=Channel.POLL,
            waiting_for=WINDOW,
            steps=(step,),
        )
        return "decided" if done else "skipped"

    def _end(self, missing: Missing, word: AlertEvent) -> str:
        # However the vendor's clock goes: this is how the alert is now, later than what is known of it.
        word = msgspec.structs.replace(word, occurred_at=max(word.occurred_at, missing.last_event_at))
        tries = Tries(self.rmm)
        while True:
            try:
                with unit(self.rmm) as session:
                    return self._end_once(session, missing.alert_id, word)
            except Exception as error:
                if not tries.again_after(error, None):
                    raise

    def _end_once(self, session: Session, alert_id: UUID, event: AlertEvent) -> str:
        facts = by_id(session, self.run.tenant_id, self.integration_id, event)
        parameters = {"tenant": self.run.tenant_id, "alert": alert_id, "began": self.began}
        # Asked after the facts were read: what a delivery changed since then, the pipeline notices itself.
        if facts is None or run_sql(session, _UNMOVED, parameters).fetchone() is None:
            return "skipped"
        return str(ingest(self.rmm, session, facts, event, Channel.POLL).outcome)


def name_of(event: AlertEvent) -> str:
    """What people know the alert by."""
    return event.device_name or event.title or event.external_id


def told(counts: Counter[str]) -> dict[str, Any]:
    """What the events say of it: everything listed, what came in, what was reset, what failed."""
    return {
        "processed": counts["processed"],
        "created": counts["created"] + counts["updated"] + counts["decided"],
        "updated": counts["resolved"],
        "failed": counts["failed"],
    }
