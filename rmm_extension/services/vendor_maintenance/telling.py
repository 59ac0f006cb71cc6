"""The run: a connection's vendor is told, one device at a time, what is to be in maintenance and what not.

Before the vendor is called the row notes what it may know from then on; after it, what it answered. An
attempt that finds a device noted and not answered asks again: telling the same twice does no harm.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.errors import (
    AuthFailed,
    ConfigError,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Unavailable,
)
from rmm_extension.domain.types import Connection
from rmm_extension.domain.vendor_maintenance import SHORTEST, VendorState, gap
from rmm_extension.domain.window_words import moment_words
from rmm_extension.models import JobRun, utc_now
from rmm_extension.providers.capabilities import SetsMaintenance
from rmm_extension.services import audit
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import run as run_sql
from rmm_extension.services.inventory.load import open_connection
from rmm_extension.services.runs import Run, get
from rmm_extension.services.unit import unit

from . import sql

SLICE = 100
"""Devices of one run; the next tick starts another, so that nothing else waits long for the worker."""
LATER = timedelta(minutes=15)
"""So long nothing is tried again where the connection itself stands in the way."""
CALLED_OFF = "The work was cancelled under Jobs."
_WORDS = ("set", "ended", "failed")
_OF_ALL = (RateLimited, AuthFailed, PermissionMissing, Unavailable)
"""What concerns every device of the connection: the run ends with it, or is put off."""


@dataclass(frozen=True, slots=True)
class _Order:
    """A device that the vendor is told about, as it was when that began."""

    id: UUID
    device_id: UUID
    external_id: str
    device_name: str
    window_id: UUID
    window_name: str
    state: str
    until: datetime
    attempts: int
    told_before: datetime | None

    @property
    def ends(self) -> bool:
        """Whether it is to be taken out."""
        return self.state == VendorState.ENDING


def tell_vendor(rmm: Rmm, run: Run) -> dict[str, int]:
    """Tell the vendor about up to :data:`SLICE` devices. Raises what concerns all of them."""
    with unit(rmm) as session:
        _, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
    if not isinstance(provider, SetsMaintenance):
        raise ConfigError(f"{provider.manifest.label} puts no device into maintenance.")
    work = _Work(rmm, run, connection, provider)
    try:
        work.go_through()
    finally:
        work.say()
    return work.told


class _Work:
    """One attempt of a run."""

    def __init__(self, rmm: Rmm, run: Run, connection: Connection, provider: SetsMaintenance) -> None:
        self.rmm, self.run, self.connection, self.provider = rmm, run, connection, provider
        self.done = run.done
        self.told = {name: int(run.counts.get(name, 0)) for name in _WORDS}
        self.of_windows: dict[tuple[UUID, str], Counter[str]] = {}

    def go_through(self) -> None:
        """One device after the other until none is due."""
        with unit(self.rmm) as session:
            total = self.done + min(self._waiting(session), max(SLICE - self.done, 0))
            self.run.report(session, done=self.done, total=total)
        while self.done < SLICE and (order := self._claim()):
            self._tell(order)
            self.done += 1
        with unit(self.rmm) as session:
            self.run.report(session, done=self.done, counts=self.told)

    def _waiting(self, session: Session) -> int:
        found = run_sql(session, sql.WAITING, self._place()).fetchone()
        return int(found["number"]) if found else 0

    def _claim(self) -> _Order | None:
        with unit(self.rmm) as session:
            row = run_sql(session, sql.CLAIM, self._place()).fetchone()
            order = _Order(**row) if row else None
            doing = _doing(order) if order else "Finishing."
            # Cancelled or given up for dead: then nothing is claimed, and nobody is called.
            self.run.report(session, done=self.done, doing=doing, counts=self.told)
        return order

    def _tell(self, order: _Order) -> None:
        try:
            if order.ends:
                self.provider.end_maintenance(self.connection, order.external_id)
            else:
                reason = order.window_name
                self.provider.set_maintenance(
                    self.connection, order.external_id, until=order.until, reason=reason
                )
        except ProviderError as error:
            self._in_vain(order, error)
            if isinstance(error, _OF_ALL):
                raise
            return
        self._answered(order)

    def _answered(self, order: _Order) -> None:
        with unit(self.rmm) as session:
            statement = sql.WAS_ENDED if order.ends else sql.WAS_SET
            run_sql(session, statement, {**self._of(order), "until": order.until})
            self._note(session, order)
        self._count(order, "ended" if order.ends else "set")

    def _in_vain(self, order: _Order, error: ProviderError) -> None:
        """Write down why, and when it is tried again. A vendor that asks for patience counts as no try."""
        counts = not isinstance(error, (RateLimited, AuthFailed))
        values = {
            **self._of(order),
            "error": str(error),
            "counts": counts,
            "surely_not": not error.may_have_arrived and not order.ends,
            "told_before": order.told_before,
            "again_at": utc_now() + gap(order.attempts),
        }
        with unit(self.rmm) as session:
            run_sql(session, sql.IN_VAIN, values)
            if counts:
                failure = {"name": order.device_name, "message": str(error)}
                self.run.report(session, errors=[failure])
        if counts:
            self._count(order, "failed")

    def _of(self, order: _Order) -> dict[str, Any]:
        return {
            "tenant": self.run.tenant_id,
            "id": order.id,
            "state": order.state,
            "until": order.until,
            "now": utc_now(),
        }

    def _place(self) -> dict[str, Any]:
        return _place(self.run)

    def _count(self, order: _Order, word: str) -> None:
        self.told[word] += 1
        self.of_windows.setdefault((order.window_id, order.window_name), Counter())[word] += 1

    def _note(self, session: Session, order: _Order) -> None:
        until = {} if order.ends else {"until": f"{moment_words(order.until)} UTC"}
        audit.record(
            session,
            self.run.actor,
            "device.maintenance_ended" if order.ends else "device.maintenance_set",
            subject_type="device",
            subject_id=order.device_id,
            subject_name=order.device_name,
            changes={"window": order.window_name, **until},
        )

    def say(self) -> None:
        """One line for each window in its activity, and not one for each device."""
        if not self.of_windows:
            return
        with unit(self.rmm) as session:
            for (window_id, name), counts in self.of_windows.items():
                audit.record(
                    session,
                    self.run.actor,
                    "window.at_vendor",
                    subject_type="window",
                    subject_id=window_id,
                    subject_name=name,
                    integration_id=self.run.integration_id,
                    changes={"at the vendor": _counted(counts)},
                )


def put_off(rmm: Rmm, session: Session, run: Run, message: str) -> None:
    """The run was given up: what waits on its connection is not tried again at once."""
    _put_off(session, _place(run), message, utc_now() + LATER)


def call_off(rmm: Rmm, session: Session, tenant_id: str, run_id: UUID) -> None:
    """A person cancelled the run: what waited for it is left for a while."""
    row: JobRun = get(session, tenant_id, run_id)
    values = {"tenant": tenant_id, "integration": row.integration_id, "now": utc_now()}
    _put_off(session, values, CALLED_OFF, utc_now() + LATER)


def _put_off(session: Session, values: dict[str, Any], error: str, again_at: datetime) -> None:
    run_sql(session, sql.PUT_OFF, {**values, "error": error, "again_at": again_at})


def _place(run: Run) -> dict[str, Any]:
    return {
        "tenant": run.tenant_id,
        "integration": run.integration_id,
        "now": utc_now(),
        "shortest": SHORTEST,
    }


def _doing(order: _Order) -> str:
    name = order.device_name or order.external_id
    return f"{name}: ending its maintenance." if order.ends else f"{name}: setting its maintenance."


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{number:,} {word}" for word, number in counts.items())
