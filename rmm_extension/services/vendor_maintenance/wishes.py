"""For the tick: what the windows of now want of devices, compared with what the vendor was told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import WORKING_STATES, refusal, works
from rmm_extension.domain.vendor_maintenance import (
    SHORTEST,
    Forget,
    Running,
    Stand,
    VendorState,
    Wish,
    following,
    running,
)
from rmm_extension.domain.window_words import moment_words
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import MaintenanceWindow, VendorMaintenance, new_id, utc_now
from rmm_extension.providers.capabilities import SetsMaintenance
from rmm_extension.services import audit, connections, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import json_text
from rmm_extension.services.driver import run as run_sql
from rmm_extension.services.maintenance import window_of
from rmm_extension.services.unit import unit

from . import sql

KIND = "vendor_maintenance"
BATCH = 2000
"""So many devices change in one tick; the next one goes on."""
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(hashtext('rmm vendor maintenance'))")
_CHUNK = 500


def follow_windows(rmm: Rmm) -> int:
    """Write down what the vendors are to be told now, and start the runs that tell them; how many devices
    changed. Calls nobody."""
    able = {one.manifest.key: one for one in rmm.providers.all() if isinstance(one, SetsMaintenance)}
    if not able:
        return 0
    with unit(rmm) as session:
        # Two ticks at once would write the same rows, each in an order of its own.
        if not _is_anything_to_do(session) or not session.scalar(_ONE_AT_A_TIME):
            return 0
        return _Tick(rmm, session, list(rmm.host.tenants.active_ids(session)), able).work()


@dataclass(slots=True)
class _Tick:
    """One look at all tenants that are worked for."""

    rmm: Rmm
    session: Session
    tenants: Sequence[str]
    able: dict[str, Any]
    now: datetime = field(default_factory=utc_now)
    _entitled: dict[str, list[str]] = field(default_factory=dict)

    def work(self) -> int:
        found = self._windows()
        changed = self._write(self._look(found), {one.window.id: one for _, one in found})
        self._start_runs()
        return changed

    def _windows(self) -> list[tuple[str, Running]]:
        """The windows that hold now and are to be heard at the vendor, each with its tenant."""
        asked = MaintenanceWindow
        wanted = asked.tenant_id.in_(self.tenants), asked.is_active, asked.at_vendor
        rows = self.session.scalars(select(asked).where(*wanted)).all()
        return [(row.tenant_id, one) for row in rows for one in running([window_of(row)], self.now)]

    def _look(self, found: Sequence[tuple[str, Running]]) -> list[dict[str, Any]]:
        windows = [
            {
                "tenant_id": tenant_id,
                "id": one.window.id,
                "until": one.until,
                "integration_id": one.window.integration_id,
                "client_id": one.window.client_id,
                "asset_id": one.window.asset_id,
                "providers": self._providers(tenant_id),
            }
            for tenant_id, one in found
        ]
        values = {
            "windows": json_text(windows),
            "names": json_text({str(one.window.id): one.window.name for _, one in found}),
            "tenants": list(self.tenants),
            "working": list(WORKING_STATES),
            "now": self.now,
            "shortest": SHORTEST,
            "limit": BATCH,
        }
        return run_sql(self.session, sql.LOOK, values).fetchall()

    def _write(self, rows: Sequence[dict[str, Any]], windows: dict[UUID, Running]) -> int:
        new: list[dict[str, Any]] = []
        changes: list[dict[str, Any]] = []
        gone: list[dict[str, Any]] = []
        for row in rows:
            wish = _wish(row, windows)
            after = following(_stand(row), wish, self.now)
            if isinstance(after, Forget):
                gone.append(_seen(row))
            elif isinstance(after, Stand) and row["id"] is None:
                new.append(_new(row, after, self.now))
            elif isinstance(after, Stand):
                changes.append(_change(row, after))
        self._store(new, changes, gone)
        self._tell_stuck(changes)
        return len(new) + len(changes) + len(gone)

    def _store(self, new: list[dict[str, Any]], changes: list[dict[str, Any]], gone: Any) -> None:
        for start in range(0, len(new), _CHUNK):
            rows = insert(VendorMaintenance).values(new[start : start + _CHUNK])
            self.session.execute(rows.on_conflict_do_nothing())
        if changes:
            run_sql(self.session, sql.CHANGE, {"changes": json_text(changes), "now": self.now})
        if gone:
            run_sql(self.session, sql.FORGET, {"gone": json_text(gone)})

    def _tell_stuck(self, changes: Sequence[dict[str, Any]]) -> None:
        """Say in the window's activity what cannot be taken back, because the connection does not work."""
        stuck: dict[tuple[Any, ...], list[datetime]] = defaultdict(list)
        for one in changes:
            if one["state"] == VendorState.ENDING and one["error"]:
                whose = (
                    one[name] for name in ("tenant_id", "window_id", "window_name", "connection", "error")
                )
                stuck[tuple(whose)].append(one["until"])
        for (tenant_id, window_id, name, connection, error), ends in stuck.items():
            audit.record(
                self.session,
                SYSTEM_ACTOR(tenant_id),
                "window.left_at_vendor",
                subject_type="window",
                subject_id=window_id,
                subject_name=name,
                integration_id=connection,
                changes={"at the vendor": _left(ends), "because": error},
            )

    def _start_runs(self) -> None:
        values = {
            "tenants": list(self.tenants),
            "working": list(WORKING_STATES),
            "able": list(self.able),
            "now": self.now,
            "shortest": SHORTEST,
        }
        due: dict[str, list[runs.Work]] = defaultdict(list)
        for row in run_sql(self.session, sql.DUE, values).fetchall():
            if row["provider"] in self._providers(row["tenant_id"]):
                due[row["tenant_id"]].append(runs.Work(row["integration_id"], {}))
        for tenant_id, works_ in due.items():
            runs.try_start_all(self.session, SYSTEM_ACTOR(tenant_id), KIND, works_)

    def _providers(self, tenant_id: str) -> list[str]:
        """The vendors that the tenant may use and that can be told."""
        if tenant_id not in self._entitled:
            self._entitled[tenant_id] = [
                key
                for key, provider in self.able.items()
                if connections.entitled(self.rmm, self.session, tenant_id, provider)
            ]
        return self._entitled[tenant_id]


def _is_anything_to_do(session: Session) -> bool:
    """Whether a window asks for it at all, or a vendor was told something: mostly there is nothing."""
    asked = exists().where(MaintenanceWindow.is_active, MaintenanceWindow.at_vendor)
    return bool(session.scalar(select(asked | exists().where(VendorMaintenance.id.is_not(None)))))


def _wish(row: dict[str, Any], windows: dict[UUID, Running]) -> Wish | None:
    if row["wished_id"] is None:
        return None
    one = windows[row["wished_id"]]
    return Wish(one.window.id, one.window.name, one.until)


def _stand(row: dict[str, Any]) -> Stand | None:
    if row["id"] is None:
        return None
    return Stand(
        row["window_id"], row["window_name"], VendorState(row["state"]), row["until"], row["told_until"]
    )


def _seen(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "tenant_id": row["tenant_id"],
        "id": row["id"],
        "seen_state": row["state"],
        "seen_until": row["until"],
        "seen_told": row["told_until"],
    }


def _new(row: dict[str, Any], after: Stand, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": row["tenant_id"],
        "id": new_id(),
        "device_id": row["device_id"],
        "integration_id": row["integration_id"],
        "window_id": after.window_id,
        "window_name": after.window_name,
        "state": after.state.value,
        "until": after.until,
        "due_at": now,
    }


def _change(row: dict[str, Any], after: Stand) -> dict[str, Any]:
    """The columns it gets; due unless only the window it follows is another one."""
    is_due = (after.state, after.until) != (row["state"], row["until"])
    working = works(row["connection_state"])
    stuck = after.state is VendorState.ENDING and not working
    return {
        **_seen(row),
        "window_id": after.window_id,
        "window_name": after.window_name,
        "state": after.state.value,
        "until": after.until,
        "error": refusal(row["connection"], row["connection_state"]) if stuck else None,
        "is_due": is_due,
        "connection": row["integration_id"],
    }


def _left(ends: Sequence[datetime]) -> str:
    devices = "1 device stays" if len(ends) == 1 else f"{len(ends):,} devices stay"
    return f"{devices} in maintenance until {moment_words(max(ends).astimezone(UTC))} UTC, when it ends there"
