"""The end of maintenance windows: what they suppressed and is still active goes through rules.

Where the vendor can list what is open, it is asked which are still active. Where it cannot, or cannot now,
what is known here decides, so that a suppressed alert is never forgotten. That goes for a vendor that tells
what changed, too: what is known here is as new as the last look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import works
from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.types import Channel
from rmm_extension.domain.windows import Window, matching
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import WINDOW_SQL, Alert, Integration, JobRun, utc_now
from rmm_extension.providers.capabilities import ListsAlerts

from . import runs
from .connections import entitled
from .context import Rmm
from .decisions import decide_or_log
from .ingest.config import load_version
from .ingest.stored import WINDOW
from .recurring import POLLS
from .runs import Run
from .tenants import active
from .unit import unit

POLL, DECIDE = "alert_reconcile", "window_end"
"""The kinds of run that settle it: the vendor is asked, or what is known here decides."""
ASKED_LATELY = timedelta(minutes=10)
"""So long nothing is started again for alerts that a run was started for and could not settle."""
BATCH = 25

Ended = dict[str, str | None]
"""Ids of alerts whose windows ended, and the name of the window that suppressed them."""


class Suppressed(Protocol):
    """An alert that a window keeps from being decided, and what windows are told apart by."""

    @property
    def window_id(self) -> UUID: ...
    @property
    def client_id(self) -> str | None: ...
    @property
    def asset_id(self) -> str | None: ...


AnySuppressed = TypeVar("AnySuppressed", bound=Suppressed)


def ended(
    windows: Sequence[Window], integration_id: UUID, alerts: Iterable[AnySuppressed], now: datetime
) -> list[tuple[AnySuppressed, str | None]]:
    """Those alerts for which no window holds now, each with the name of the window that had suppressed it."""
    names = {window.id: window.name for window in windows}
    holding: dict[tuple[str | None, str | None], bool] = {}
    found = []
    for alert in alerts:
        scope = (alert.client_id, alert.asset_id)
        if scope not in holding:
            client_id, asset_id = scope
            holding[scope] = bool(
                matching(windows, now, integration_id=integration_id, client_id=client_id, asset_id=asset_id)
            )
        if not holding[scope]:
            found.append((alert, names.get(alert.window_id)))
    return found


def end_windows(rmm: Rmm) -> int:
    """For the tick: start what settles the alerts whose windows ended; how many runs were started."""
    with unit(rmm) as session:
        waiting = _waiting(session, Integration.tenant_id == active(rmm, session))
        return sum(_settle(rmm, session, connection) for connection in _ended(rmm, session, waiting))


def decide_here(rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID) -> UUID | None:
    """Have the connection's alerts whose windows ended decided by what is known here."""
    only = (Integration.tenant_id == tenant_id) & (Integration.id == integration_id)
    for connection in _ended(rmm, session, _waiting(session, only)):
        return _start(session, connection, DECIDE, _ids(connection.alerts))
    return None


def decide_ended(rmm: Rmm, run: Run) -> dict[str, int]:
    """Decide the run's alerts, each in its own transaction; those that wait no more are left alone."""
    waiting: Ended = run.subject["ended"]
    decided = done = 0
    for alert_id, window in waiting.items():
        step = {"code": "window_ended", "window": window}
        found = decide_or_log(
            rmm, run.tenant_id, UUID(alert_id), channel=Channel.TICK, waiting_for=WINDOW, steps=(step,)
        )
        decided, done = decided + (found is not None), done + 1
        if done % BATCH == 0 or done == len(waiting):
            with unit(rmm) as session:
                run.report(session, done=done, total=len(waiting))
    return {"decided": decided, "skipped": done - decided}


@dataclass(frozen=True, slots=True)
class _Connection:
    """A connection with alerts whose windows ended."""

    row: Any
    alerts: Sequence[tuple[Any, str | None]]


def _ids(alerts: Iterable[tuple[Any, str | None]]) -> Ended:
    return {str(alert.id): window for alert, window in alerts}


def _waiting(session: Session, which: Any) -> Mapping[tuple[str, UUID], list[Any]]:
    """The suppressed alerts of these connections, by connection, in one statement."""
    statement = (
        select(
            Alert.tenant_id,
            Alert.integration_id,
            Alert.id,
            Alert.synthesized,
            Alert.client_id,
            Alert.asset_id,
            Alert.suppressed_by_window_id.label("window_id"),
            Integration.provider,
            Integration.state,
            Integration.settings,
            Integration.config_version,
        )
        .join(
            Integration,
            (Integration.tenant_id == Alert.tenant_id) & (Integration.id == Alert.integration_id),
        )
        .where(which, text(WINDOW_SQL.replace("status", "rmm_alerts.status")))
        .order_by(Alert.triggered_at, Alert.id)
    )
    found: dict[tuple[str, UUID], list[Any]] = defaultdict(list)
    for row in session.execute(statement):
        found[row.tenant_id, row.integration_id].append(row)
    return found


def _ended(
    rmm: Rmm, session: Session, waiting: Mapping[tuple[str, UUID], list[Any]]
) -> Iterable[_Connection]:
    now = utc_now()
    for (tenant_id, integration_id), alerts in waiting.items():
        config = load_version(rmm, session, tenant_id, integration_id, alerts[0].config_version)
        found = ended(config.windows, integration_id, alerts, now)
        if found:
            yield _Connection(alerts[0], found)


def _settle(rmm: Rmm, session: Session, connection: _Connection) -> int:
    """Start the runs that this connection's alerts need and that are not under way."""
    latest = _latest_runs(session, connection.row)
    to_ask = _ids(pair for pair in connection.alerts if not pair[0].synthesized)
    to_decide = _ids(pair for pair in connection.alerts if pair[0].synthesized)
    if not _can_be_polled(rmm, session, connection.row) or _is_in_vain(latest.get(POLL)):
        to_ask, to_decide = {}, to_ask | to_decide
    wanted = ((POLL, to_ask), (DECIDE, to_decide))
    started = [
        _start(session, connection, kind, alerts)
        for kind, alerts in wanted
        if alerts and not _is_on_its_way(latest.get(kind), alerts)
    ]
    return sum(run_id is not None for run_id in started)


def _can_be_polled(rmm: Rmm, session: Session, row: Any) -> bool:
    try:
        provider = rmm.providers.get(row.provider)
    except ConfigError:
        return False
    working = works(row.state) and POLLS.is_on(row.settings)
    return working and isinstance(provider, ListsAlerts) and entitled(rmm, session, row.tenant_id, provider)


def _latest_runs(session: Session, row: Any) -> dict[str, Any]:
    """The newest run of either kind in the last hour."""
    statement = (
        select(
            JobRun.kind,
            JobRun.status,
            JobRun.subject,
            (JobRun.due_at > func.now()).label("is_put_off"),
            (JobRun.queued_at > func.now() - ASKED_LATELY).label("is_recent"),
        )
        .where(
            JobRun.tenant_id == row.tenant_id,
            JobRun.integration_id == row.integration_id,
            JobRun.kind.in_((POLL, DECIDE)),
            JobRun.queued_at > func.now() - timedelta(hours=1),
        )
        .order_by(JobRun.queued_at)
    )
    # The last of each kind stays.
    return {found.kind: found for found in session.execute(statement)}


def _is_in_vain(latest: Any | None) -> bool:
    """Whether the vendor was asked last and could not be: the run failed, or waits for better times."""
    if latest is None:
        return False
    return bool(latest.status == "failed" or (latest.status == "queued" and latest.is_put_off))


def _is_on_its_way(latest: Any | None, alerts: Ended) -> bool:
    """Whether a run is about to settle them, or has just tried to."""
    if latest is None:
        return False
    tried = latest.is_recent and alerts.keys() <= (latest.subject.get("ended") or {}).keys()
    return tried or latest.status in runs.UNFINISHED


def _start(session: Session, connection: _Connection, kind: str, alerts: Ended) -> UUID | None:
    row = connection.row
    actor = SYSTEM_ACTOR(row.tenant_id)
    return runs.try_start(session, actor, kind, integration_id=row.integration_id, subject={"ended": alerts})
