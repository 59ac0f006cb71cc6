"""What comes again by itself on a connection: syncs of devices, software and patches, polling of alerts.

A schedule is a setting of the connection and a column with the next due time. What is due is started by the
tick, which moves the due time in the same transaction. Two ticks at once are harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, any_, func, literal, not_, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import WORKING_STATES
from rmm_extension.domain.errors import ConfigError
from rmm_extension.host import SYSTEM_ACTOR, Actor
from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import (
    FollowsAlerts,
    ListsActivity,
    ListsAlerts,
    ListsDevices,
    ListsPatches,
    ListsSoftware,
)
from rmm_extension.providers.contract import Provider

from . import connections, lease, runs
from .context import Rmm
from .inventory.scope import MAKES_ASSETS
from .unit import unit

BATCH = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One kind of run that comes again.

    ``setting`` is the key of the connection's settings that holds ``enabled`` and ``intervalMinutes``,
    ``due`` the column with the next time, ``capability`` what the vendor must be able to. ``minutes`` is the
    interval where none is stored; what is stored outside ``shortest`` and ``longest`` counts as the nearer.
    ``beside`` is a schedule that must be on too; it begins when that has once come to an end. Where it is
    ``spread``, each connection has its own moment of the interval.
    """

    kind: str
    setting: str
    due: str
    capability: type
    on_by_default: bool
    minutes: int
    shortest: int
    longest: int
    beside: Schedule | None = None
    spread: bool = False

    def is_on(self, settings: Mapping[str, Any]) -> bool:
        """Whether the connection wants it: only a real ``true`` or ``false`` differs from the default."""
        return self.is_wished(settings) and (self.beside is None or self.beside.is_on(settings))

    def is_wished(self, settings: Mapping[str, Any]) -> bool:
        """As :meth:`is_on`, whatever the schedule beside it says."""
        wish = self._stored(settings).get("enabled")
        return wish is not False if self.on_by_default else wish is True

    def interval(self, settings: Mapping[str, Any]) -> timedelta:
        """Time between two runs."""
        wish = self._stored(settings).get("intervalMinutes")
        minutes = wish if isinstance(wish, (int, float)) and not isinstance(wish, bool) else self.minutes
        return timedelta(minutes=min(max(round(minutes), self.shortest), self.longest))

    def following(self, now: datetime, integration_id: UUID, settings: Mapping[str, Any]) -> datetime:
        """When it is due after a run that starts now.

        Connections whose runs came at one moment, as after an upgrade or a standstill, part with the next
        one: it comes at the connection's own moment, from a half to one and a half intervals ahead.
        """
        interval = self.interval(settings)
        if not self.spread:
            return now + interval
        own = _EPOCH + integration_id.int % (interval // _SECOND) * _SECOND
        earliest = now + interval / 2
        return earliest + (own - earliest) % interval

    def takes(self, minutes: object) -> bool:
        """Whether somebody may choose this interval."""
        known = isinstance(minutes, int) and not isinstance(minutes, bool)
        return known and self.shortest <= minutes <= self.longest  # type: ignore[operator]

    def _stored(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        stored = settings.get(self.setting)
        return stored if isinstance(stored, Mapping) else {}

    def wanted(self) -> ColumnElement[bool]:
        """:meth:`is_on` for the database. Containment tells the JSON true from "true" and 1."""
        stored = {self.setting: {"enabled": not self.on_by_default}}
        contains: ColumnElement[bool] = Integration.settings.contains(stored)
        wished = not_(contains) if self.on_by_default else contains
        if self.beside is None:
            return wished
        return and_(wished, self.beside.wanted(), Integration.last_sync_at.is_not(None))


SYNCS = Schedule(
    kind="device_sync",
    setting="deviceSync",
    due="next_device_sync_at",
    capability=ListsDevices,
    on_by_default=False,
    minutes=60,
    shortest=15,
    longest=1440,
)
SOFTWARE = Schedule(
    kind="software_sync",
    setting="softwareSync",
    due="next_software_sync_at",
    capability=ListsSoftware,
    on_by_default=True,
    minutes=1440,
    shortest=360,
    longest=10_080,
    beside=SYNCS,
    spread=True,
)
"""Software is told of devices that are here, so it follows their first sync."""
PATCHES = Schedule(
    kind="patch_sync",
    setting="patchSync",
    due="next_patch_sync_at",
    capability=ListsPatches,
    on_by_default=True,
    minutes=720,
    shortest=240,
    longest=10_080,
    beside=SYNCS,
    spread=True,
)
"""As software; twice a day, for patches are approved and installed at all hours."""
POLLS = Schedule(
    kind="alert_reconcile",
    setting="alertPolling",
    due="next_reconcile_at",
    capability=ListsAlerts,
    on_by_default=True,
    minutes=15,
    shortest=5,
    longest=60,
)
FOLLOWS = replace(POLLS, capability=FollowsAlerts, minutes=5, shortest=1)
"""As polls, for vendors that list what changed: a look costs them little."""
ACTIVITY = Schedule(
    kind="activity_sync",
    setting="activityLog",
    due="next_activity_at",
    capability=ListsActivity,
    on_by_default=True,
    minutes=15,
    shortest=5,
    longest=60,
    spread=True,
)


def polls_of(provider: Provider) -> Schedule | None:
    """How the vendor's alerts are polled; ``None`` where they cannot be."""
    return _first_of((POLLS, FOLLOWS), provider)


def _first_of(schedules: Sequence[Schedule], provider: Provider) -> Schedule | None:
    return next((one for one in schedules if isinstance(provider, one.capability)), None)


def bad_poll_interval(polls: Schedule) -> str:
    """What is wrong with an interval that it does not take."""
    return f"Poll interval must be between {polls.shortest} and {polls.longest} minutes"


def start_due_syncs(rmm: Rmm) -> int:
    """Start the device syncs that are due."""
    return _start_due(rmm, SYNCS)


def start_due_software(rmm: Rmm) -> int:
    """Start the software syncs that are due."""
    return _start_due(rmm, SOFTWARE)


def start_due_patches(rmm: Rmm) -> int:
    """Start the patch syncs that are due."""
    return _start_due(rmm, PATCHES)


def start_due_polls(rmm: Rmm) -> int:
    """Start the alert polls that are due, and the second looks that others wait for."""
    return _start_due(rmm, POLLS, FOLLOWS)


def start_due_activity(rmm: Rmm) -> int:
    """Start the looks into activity logs that are due."""
    return _start_due(rmm, ACTIVITY)


def save_polling(
    session: Session,
    actor: Actor,
    integration_id: UUID,
    *,
    enabled: bool,
    minutes: int,
    polls: Schedule = POLLS,
) -> Integration:
    """Switch the polling of alerts on or off and set its interval; other settings stay."""
    if not polls.takes(minutes):
        raise ConfigError(bad_poll_interval(polls))
    wish = {polls.setting: {"enabled": enabled, "intervalMinutes": minutes}}
    row = connections.save_settings(session, actor, integration_id, wish)
    row.next_reconcile_at = None
    return row


def save_activity(
    session: Session, actor: Actor, integration_id: UUID, *, enabled: bool, minutes: int
) -> Integration:
    """Switch the reading of the activity log on or off and set its interval; other settings stay."""
    if not ACTIVITY.takes(minutes):
        raise ConfigError("From 5 to 60 minutes, please.")
    wish = {ACTIVITY.setting: {"enabled": enabled, "intervalMinutes": minutes}}
    row = connections.save_settings(session, actor, integration_id, wish)
    row.next_activity_at = None
    return row


def save_syncing(
    session: Session,
    actor: Actor,
    integration_id: UUID,
    *,
    enabled: bool,
    minutes: int,
    deletion_policy: str,
    makes_assets: bool,
) -> Integration:
    """Set the schedule of the device sync, what becomes of a device that is gone, and whether a device that
    is no asset yet becomes one."""
    if not SYNCS.takes(minutes):
        raise ConfigError("From 15 to 1440 minutes, please.")
    wish = {
        SYNCS.setting: {"enabled": enabled, "intervalMinutes": minutes},
        "deletionPolicy": deletion_policy,
        MAKES_ASSETS: makes_assets,
    }
    row = connections.save_settings(session, actor, integration_id, wish)
    row.next_device_sync_at = None
    return row


def save_software(
    session: Session, actor: Actor, integration_id: UUID, *, enabled: bool, minutes: int
) -> Integration:
    """Set whether and how often software is synced where devices are; other settings stay."""
    if not SOFTWARE.takes(minutes):
        raise ConfigError("From 6 to 168 hours, please.")
    wish = {SOFTWARE.setting: {"enabled": enabled, "intervalMinutes": minutes}}
    row = connections.save_settings(session, actor, integration_id, wish)
    row.next_software_sync_at = None
    return row


def save_patches(
    session: Session, actor: Actor, integration_id: UUID, *, enabled: bool, minutes: int
) -> Integration:
    """Set whether and how often patches are synced where devices are; other settings stay."""
    if not PATCHES.takes(minutes):
        raise ConfigError("From 4 to 168 hours, please.")
    wish = {PATCHES.setting: {"enabled": enabled, "intervalMinutes": minutes}}
    row = connections.save_settings(session, actor, integration_id, wish)
    row.next_patch_sync_at = None
    return row


def due_connections(schedule: Schedule, tenants: Sequence[str], providers: Sequence[str]) -> Any:
    """The connections of these tenants and vendors on which it is due, claimed."""
    due = getattr(Integration, schedule.due)
    wanted = schedule.wanted()
    if schedule is POLLS:
        # A second look that was promised comes also where polling is off: somebody asked for the first.
        wanted = or_(wanted, Integration.reconcile_state != {})
    return (
        select(
            Integration.tenant_id,
            Integration.id,
            Integration.provider,
            Integration.settings,
            func.now().label("now"),
        )
        .where(
            Integration.tenant_id == any_(literal(list(tenants), ARRAY(Text))),
            Integration.provider == any_(literal(list(providers), ARRAY(Text))),
            Integration.state.in_(WORKING_STATES),
            wanted,
            or_(due.is_(None), due <= func.now()),
        )
        .order_by(due.nulls_first())
        .limit(BATCH)
        # NO KEY: the foreign keys of arriving alerts must not wait for the tick.
        .with_for_update(skip_locked=True, key_share=True)
    )


def _start_due(rmm: Rmm, *alike: Schedule) -> int:
    """Start what is due and move the due times, in one transaction.

    Schedules that are ``alike`` differ in nothing but their vendors and intervals: one look finds what is due
    of all of them.
    """
    able = {p.manifest.key: (p, one) for p in rmm.providers.all() if (one := _first_of(alike, p))}
    entitled: dict[tuple[str, str], bool] = {}
    started = 0
    with unit(rmm) as session:
        statement = due_connections(alike[0], rmm.host.tenants.active_ids(session), list(able))
        for row in session.execute(statement).all():
            provider, schedule = able[row.provider]
            _move(session, schedule, row)
            key = (row.tenant_id, row.provider)
            if key not in entitled:
                entitled[key] = connections.entitled(rmm, session, row.tenant_id, provider)
            started += entitled[key] and _start(session, schedule, row)
    return started


def _move(session: Session, schedule: Schedule, row: Any) -> None:
    session.execute(
        update(Integration)
        .where(Integration.tenant_id == row.tenant_id, Integration.id == row.id)
        .values(
            {
                schedule.due: schedule.following(row.now, row.id, row.settings),
                "updated_at": Integration.updated_at,
            }
        ),
        execution_options=lease.PLAIN,
    )


def _start(session: Session, schedule: Schedule, row: Any) -> bool:
    actor = SYSTEM_ACTOR(row.tenant_id)
    return runs.try_start(session, actor, schedule.kind, integration_id=row.id) is not None
