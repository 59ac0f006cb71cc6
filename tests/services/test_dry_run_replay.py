"""The dry run says of stored alerts exactly what ingest did when they came: tickets, joins, windows, holds.

Generated alerts are taken by the real pipeline with rules and windows, in the order of time, with the
decisions of the tick in between, into a tenant without alerts. Then the dry run reads what was stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from reference_psa.models import Client
from rmm_extension.domain.dry_run import Fate, steps
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Severity
from rmm_extension.models import AlertRule, Integration, MaintenanceWindow, OrganizationMapping, new_id
from rmm_extension.services import dry_run, webhooks
from rmm_extension.services.decisions import decide_stored
from rmm_extension.services.ingest.config import active_windows
from rmm_extension.services.ingest.stored import DETAILS, HOLD, WINDOW
from rmm_extension.services.unit import unit
from rmm_extension.services.window_end import ended
from tests.harness.world import World

START = datetime(2026, 3, 8, 4, tzinfo=UTC)
"""Three hours before clocks go forward in New York."""
UNIT = timedelta(minutes=2)
"""Everything happens at multiples of it; a text is waited for as long."""
LAST = START + timedelta(days=4)
CLOCKS = ("decide", "stored", "ticket", "write")


@dataclass(frozen=True)
class Alert:
    """A generated alert; times in units."""

    began: int
    lasts: int | None
    device: str | None
    organization: str | None
    kind: str
    severity: Severity
    message: str | None

    def event(self, number: int, kind: AlertKind) -> AlertEvent:
        units = self.began if kind is AlertKind.TRIGGERED else self.began + (self.lasts or 0)
        return AlertEvent(
            kind=kind,
            external_id=str(number),
            occurred_at=START + units * UNIT,
            severity=self.severity,
            external_device_id=self.device,
            external_organization_id=self.organization,
            condition=self.kind,
            alert_class=self.kind,
            message=self.message,
        )


@dataclass(frozen=True)
class Scene:
    """A generated tenant: its rules and windows, and what happens. ``is_routed``: its routing is whole;
    ``makes_tickets``: what the mapping of organization 1 wants."""

    rules: list[tuple[dict[str, Any], dict[str, Any]]]
    windows: list[dict[str, Any]]
    alerts: list[Alert] = field(default_factory=list)
    is_routed: bool = False
    makes_tickets: bool = True


ALERTS = st.builds(
    Alert,
    began=st.integers(0, 60),
    lasts=st.none() | st.integers(0, 45),
    device=st.sampled_from(["first", "first", "second", "ownerless", None]),
    organization=st.sampled_from(["1", "1", "2", None]),
    kind=st.sampled_from(["disk", "disk", "cpu"]),
    severity=st.sampled_from([Severity.CRITICAL, Severity.MINOR]),
    message=st.sampled_from(["disk full", "disk full", "cpu high", None]),
)
CONDITIONS = st.sampled_from(
    [
        {},
        {},
        {"severities": ["critical"]},
        {"keywords": ["disk"]},
        {"messagePattern": "hi[gh]+$"},
        {"organizationIds": ["1"]},
        {"alertClasses": ["cpu"]},
    ]
)
ACTIONS = st.fixed_dictionaries(
    {
        "createTicket": st.sampled_from([True, True, True, False]),
        "useRouting": st.sampled_from([False, False, True]),
        "autoResolveTicket": st.sampled_from([True, True, False]),
        "holdMinutes": st.sampled_from([0, 0, 0, 2, 10, 30]),
        "reopenWithinMinutes": st.sampled_from([0, 6, 120]),
    }
)
ONCE = st.builds(
    lambda start, units: {"starts_at": START + start * UNIT, "ends_at": START + (start + units) * UNIT},
    st.integers(-10, 60),
    st.integers(1, 40),
)
WEEKLY = st.builds(
    lambda start, end: {
        "recurrence": {
            "type": "weekly",
            "days": [0, 6],
            "startTime": start,
            "endTime": end,
            "timezone": "America/New_York",
        }
    },
    st.sampled_from(["23:30", "00:10", "01:50"]),
    st.sampled_from(["00:30", "01:00", "02:30", "03:10"]),
)
SCOPES = st.sampled_from([{}, {}, {"client": 0}, {"client": 1}, {"asset_id": "asset-1"}])
WINDOWS = st.builds(lambda when, scope: {**when, **scope}, ONCE | WEEKLY, SCOPES)
SCENES = st.builds(
    Scene,
    rules=st.lists(st.tuples(CONDITIONS, ACTIONS), min_size=1, max_size=3),
    windows=st.lists(WINDOWS, max_size=2),
    alerts=st.lists(ALERTS, min_size=1, max_size=10),
    is_routed=st.booleans(),
    makes_tickets=st.sampled_from([True, True, True, False]),
)


@pytest.fixture
def tenant(world: World) -> World:
    """Two devices of two clients, one of none; organization 1 is mapped, 2 is not."""
    with world.unit() as session:
        clients = session.scalars(select(Client.id).where(Client.tenant_id == world.tenant)).all()
        other = next(found for found in clients if found != world.client_id)
        session.add(
            OrganizationMapping(
                tenant_id=world.tenant, integration_id=world.integration_id, external_id="2", name="Unmapped"
            )
        )
    world.device("first", asset_id="asset-1")
    world.device("second", client_id=other)
    world.device("ownerless", client_id=None)
    return world


class Stage:
    """Plays a scene in the real pipeline: the clock is the scene's."""

    def __init__(self, world: World, clock: pytest.MonkeyPatch) -> None:
        self.world, self.clock = world, clock
        self.now = START

    def play(self, scene: Scene) -> None:
        self.set_up(scene)
        happenings = defaultdict(list)
        for number, alert in enumerate(scene.alerts):
            happenings[alert.began].append((0, number, alert.event(number, AlertKind.TRIGGERED)))
            if alert.lasts is not None:
                ending = alert.event(number, AlertKind.RESET)
                happenings[alert.began + alert.lasts].append((1, number, ending))
        horizon = int((LAST - START) / UNIT)
        for units in range(horizon):
            self.now = START + units * UNIT
            for _, _, event in sorted(happenings.get(units, []), key=lambda one: one[:2]):
                self.take(event)
            if not self.tick() and units > max(happenings):
                return

    def set_up(self, scene: Scene) -> None:
        for table in ("rmm_alerts", "rmm_alert_conditions", "rmm_alert_events", "rmm_outbox", "tickets"):
            self.world.do(f"TRUNCATE {table} CASCADE")
        self.world.do("DELETE FROM rmm_alert_rules")
        self.world.do("DELETE FROM rmm_maintenance_windows")
        with self.world.unit() as session:
            clients = self.clients()
            session.add_all(self.rule(place, *rule) for place, rule in enumerate(scene.rules))
            for place, values in enumerate(scene.windows):
                given = {"client_id": clients[values["client"]]} if "client" in values else {}
                given |= {name: value for name, value in values.items() if name != "client"}
                session.add(
                    MaintenanceWindow(
                        tenant_id=self.world.tenant,
                        id=new_id(),
                        name=f"Window {place}",
                        created_at=START + timedelta(seconds=place),
                        **given,
                    )
                )
        self.world.do(
            "UPDATE rmm_organization_mappings SET auto_tickets = :wish WHERE external_id = '1'",
            wish=scene.makes_tickets,
        )
        with self.world.unit() as session:
            row = session.get_one(Integration, (self.world.tenant, self.world.integration_id))
            row.settings = {"routing": self.routing()} if scene.is_routed else {}
            row.config_version += 1

    def routing(self) -> dict[str, Any]:
        """A whole one; what is mapped to nobody goes to the second device's client."""
        tenant = self.world.tenant
        board = self.world.one("SELECT id FROM boards WHERE is_default AND tenant_id = :t", t=tenant)
        priority = self.world.one("SELECT min(id) FROM priorities WHERE tenant_id = :t", t=tenant)
        return {
            "boardId": board,
            "fallbackBoardId": board,
            "fallbackClientId": self.clients()[1],
            "priorityBySeverity": dict.fromkeys(Severity, priority),
        }

    def clients(self) -> list[str]:
        found = self.world.rows("SELECT external_id, client_id FROM rmm_devices")
        owners = {row["external_id"]: row["client_id"] for row in found}
        return [owners["first"], owners["second"]]

    def rule(self, place: int, conditions: dict[str, Any], actions: dict[str, Any]) -> AlertRule:
        return AlertRule(
            tenant_id=self.world.tenant,
            integration_id=self.world.integration_id,
            name=f"Rule {place}",
            priority_order=place,
            conditions=conditions,
            actions=actions,
        )

    def take(self, event: AlertEvent) -> None:
        webhooks.take(self.world.rmm, self.world.tenant, self.world.integration_id, event, Channel.WEBHOOK)
        self.close_by_the_clock()

    def tick(self) -> bool:
        """Decide what is due now, as the jobs of the tick do; whether anything still waits."""
        waiting = self.world.rows(
            "SELECT id, triggered_at, hold_until, details_due_at, suppressed_by_window_id AS window_id,"
            " client_id, asset_id FROM rmm_alerts WHERE status IN ('active', 'suppressed')"
            " AND coalesce(hold_until, details_due_at) IS NOT NULL OR status = 'suppressed'"
        )
        over = self.windows_over(waiting)
        for row in sorted(waiting, key=lambda row: (row["triggered_at"], row["id"])):
            if row["hold_until"] and row["hold_until"] <= self.now:
                self.decide(row["id"], HOLD, {"code": "hold_over"})
            elif row["details_due_at"] and row["details_due_at"] <= self.now:
                self.decide(row["id"], DETAILS, {"code": "details_missing"})
            elif row["id"] in over:
                self.decide(row["id"], WINDOW, {"code": "window_ended", "window": over[row["id"]]})
        return bool(waiting)

    def windows_over(self, waiting: list[dict[str, Any]]) -> dict[UUID, str | None]:
        suppressed = [
            Suppressed(row["id"], row["window_id"], row["client_id"], row["asset_id"])
            for row in waiting
            if row["window_id"]
        ]
        with unit(self.world.rmm) as session:
            windows = active_windows(session, self.world.tenant, self.world.integration_id)
        found = ended(windows, self.world.integration_id, suppressed, self.now)
        return {alert.id: name for alert, name in found}

    def decide(self, alert_id: UUID, waiting_for: str, step: dict[str, Any]) -> None:
        decide_stored(
            self.world.rmm,
            self.world.tenant,
            alert_id,
            channel=Channel.TICK,
            waiting_for=waiting_for,
            steps=(step,),
        )
        self.close_by_the_clock()

    def close_by_the_clock(self) -> None:
        """The host closes by the database's clock: what it closed just now was closed at the scene's time."""
        self.world.do("UPDATE tickets SET closed_at = :now WHERE closed_at > :last", now=self.now, last=LAST)


@dataclass
class Suppressed:
    """A row as the end of windows looks at it."""

    id: UUID
    window_id: UUID
    client_id: str | None
    asset_id: str | None


@pytest.fixture
def stage(tenant: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    playing = Stage(tenant, monkeypatch)
    for module in CLOCKS:
        monkeypatch.setattr(f"rmm_extension.services.ingest.{module}.utc_now", lambda: playing.now)
    monkeypatch.setattr("rmm_extension.services.dry_run.utc_now", lambda: LAST)
    with tenant.app.app_context():
        yield playing


UNLIKE = ("number", "ticket_id", "window_id", "channel", "status")
"""What a replay cannot say as it was."""


def happened(world: World) -> dict[str, tuple[list[dict[str, Any]], str | None]]:
    """The whole story of each alert, and its ticket."""
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    history = world.rows(
        "SELECT a.external_id, e.steps FROM rmm_alert_events e JOIN rmm_alerts a ON a.id = e.alert_id"
        " ORDER BY e.id"
    )
    for row in history:
        told[row["external_id"]] += row["steps"]
    return {
        row["external_id"]: (alike(told[row["external_id"]]), row["ticket_id"])
        for row in world.rows("SELECT external_id, ticket_id FROM rmm_alerts")
    }


def alike(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in step.items() if key not in UNLIKE} for step in told]


def replayed(world: World) -> tuple[dry_run.Replay, dict[str, Fate]]:
    with unit(world.rmm) as session:
        setting = dry_run.setting_of(world.rmm, session, world.tenant, world.integration_id)
        past = dry_run.replay(session, world.tenant, setting, START - timedelta(days=1))
    return past, {fate.alert.event.external_id: fate for fate in past.fates}


def agrees(stage: Stage, scene: Scene) -> dict[str, Fate]:
    """Play the scene and check that the dry run tells the same; what it told."""
    stage.play(scene)
    past, fates = replayed(stage.world)
    really = happened(stage.world)
    assert {number: alike(steps(past.setting, fate)) for number, fate in fates.items()} == {
        number: story for number, (story, _) in really.items()
    }
    assert tickets_of(fates) == real_tickets(stage.world, really)
    return fates


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(scene=SCENES)
def test_the_dry_run_tells_what_happened(stage: Stage, scene: Scene) -> None:
    agrees(stage, scene)


def disk(began: int, lasts: int | None, message: str | None = "disk full") -> Alert:
    return Alert(began, lasts, "first", "1", "disk", Severity.CRITICAL, message)


def stray(began: int, lasts: int | None) -> Alert:
    """Of an organization that is mapped to nobody."""
    return Alert(began, lasts, "ownerless", "2", "disk", Severity.CRITICAL, "disk full")


def window(start: int, end: int) -> dict[str, Any]:
    return {"starts_at": START + start * UNIT, "ends_at": START + end * UNIT}


def rule(conditions: dict[str, Any] | None = None, **actions: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return conditions or {}, {"autoResolveTicket": True, **actions}


@pytest.mark.parametrize(
    "scene, outcomes",
    [
        # Two firings on one ticket; the third finds it closed.
        (
            Scene([rule()], [], [disk(0, 10), disk(5, 20), disk(30, 1)]),
            ["ticket_created", "occurrence_appended", "ticket_created"],
        ),
        # The closed ticket goes on where the next firing is soon enough.
        (
            Scene([rule(reopenWithinMinutes=6)], [], [disk(0, 10), disk(13, 2), disk(19, 1)]),
            ["ticket_created", "ticket_reopened", "ticket_created"],
        ),
        # Over before the hold ended; one that lasted; one that joins at once because a ticket is open.
        (
            Scene([rule(holdMinutes=10)], [], [disk(0, 4), disk(10, 20), disk(20, 1)]),
            ["held_back", "ticket_created", "occurrence_appended"],
        ),
        # Two windows that meet are one; the hold has long passed when they end.
        (Scene([rule(holdMinutes=10)], [window(0, 10), window(10, 20)], [disk(5, None)]), ["ticket_created"]),
        # The hold goes on behind the window, and a window that begins meanwhile has its say.
        (Scene([rule(holdMinutes=30)], [window(0, 5), window(15, 25)], [disk(3, 40)]), ["ticket_created"]),
        (Scene([rule()], [window(0, 20)], [disk(3, 5), disk(4, 30)]), ["suppressed", "ticket_created"]),
        # The text is waited for, and is not in time; meanwhile another one takes the ticket.
        (
            Scene([rule({"keywords": ["disk"]}), rule()], [], [disk(0, None, None), disk(0, None)]),
            ["occurrence_appended", "ticket_created"],
        ),
        (Scene([rule({"severities": ["minor"]})], [], [disk(0, 3)]), ["recorded_only"]),
        # The routing is not whole; it is, and what is mapped to nobody has a ticket of the fallback client.
        (Scene([rule(useRouting=True)], [], [disk(0, 3)]), ["routing_incomplete"]),
        (
            Scene(
                [rule(useRouting=True)], [], [stray(0, None), stray(2, None), disk(3, None)], is_routed=True
            ),
            ["ticket_created", "occurrence_appended", "ticket_created"],
        ),
        (Scene([rule()], [], [stray(0, None)], is_routed=True), ["no_client"]),
        (Scene([rule()], [], [disk(0, 3), stray(0, 3)], makes_tickets=False), ["recorded_only", "no_client"]),
    ],
)
def test_known_scenes(stage: Stage, scene: Scene, outcomes: list[str]) -> None:
    fates = agrees(stage, scene)
    assert [fates[str(number)].outcome for number in range(len(scene.alerts))] == outcomes


def tickets_of(fates: dict[str, Fate]) -> set[tuple[frozenset[str], datetime | None]]:
    """Each ticket by the alerts on it, and when it was closed."""
    on: dict[int, set[str]] = defaultdict(set)
    closed = {}
    for number, fate in fates.items():
        if fate.ticket is not None:
            on[fate.ticket.number].add(number)
            closed[fate.ticket.number] = fate.ticket.closed_at
    return {(frozenset(alerts), closed[ticket]) for ticket, alerts in on.items()}


def real_tickets(
    world: World, really: dict[str, tuple[list[dict[str, Any]], str | None]]
) -> set[tuple[frozenset[str], datetime | None]]:
    rows = world.rows("SELECT id, closed_at FROM tickets")
    return {
        (frozenset(n for n, (_, ticket) in really.items() if ticket == row["id"]), row["closed_at"])
        for row in rows
    }
