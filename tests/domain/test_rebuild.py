"""The history is complete: folded, it is the alert's row, whatever happened in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_psa.models import User
from reference_psa.services import tickets as people
from rmm_extension.domain.errors import InvalidRequest
from rmm_extension.domain.rebuild import State, rebuild
from rmm_extension.domain.types import AlertKind, Channel, Receipt
from rmm_extension.host import Actor
from rmm_extension.models import utc_now
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import attention, details, manual
from rmm_extension.services.webhooks import take
from tests.harness.world import World
from tests.services.ingest.test_adoption import poll, polled
from tests.services.working import relay_all, work

RULE, WINDOW = uuid4(), uuid4()


def row(*steps: dict[str, Any], **changes: Any) -> Any:
    """One row of a history."""
    usual = {"kind": "triggered", "outcome": "recorded_only", "rule_id": None, "actor": None}
    return SimpleNamespace(**{**usual, **changes}, steps=list(steps))


RECEIVED = {"code": "received", "severity": "major"}
MATCHED = {"code": "rule_matched", "rule": "All"}


class TestFold:
    def test_without_history_there_is_nothing(self) -> None:
        assert rebuild([]) is None

    def test_a_ticket_and_its_end(self) -> None:
        made = {"code": "ticket_created", "ticket_id": "t1"}
        opened = row(RECEIVED, MATCHED, made, outcome="ticket_created", rule_id=RULE)
        ended = row({"code": "cleared"}, {"code": "ticket_closed"}, outcome="resolved")
        state = State("active", "major", ticket_id="t1", matched_rule_id=RULE)
        assert rebuild([opened]) == state
        assert rebuild([opened, ended]) == State(
            "auto_resolved", "major", ticket_id="t1", matched_rule_id=RULE
        )

    def test_a_new_episode_starts_afresh(self) -> None:
        ended = row({"code": "resolved_here"}, outcome="resolved", actor="Mara")
        again = row({**RECEIVED, "severity": "minor"}, {"code": "new_episode", "number": 2})
        assert rebuild([row(RECEIVED), ended]) == State(
            "resolved", "major", resolved_by="Mara", resolved_here=True
        )
        assert rebuild([row(RECEIVED), ended, again]) == State("active", "minor", episode=2)

    def test_a_decision_on_a_stored_alert_takes_back_the_one_before(self) -> None:
        quiet = row(RECEIVED, {"code": "suppressed", "window_id": str(WINDOW)}, outcome="suppressed")
        waits = row(MATCHED, {"code": "no_client"}, rule_id=RULE)
        assert rebuild([quiet]) == State("suppressed", "major", suppressed_by_window_id=WINDOW)
        assert rebuild([quiet, waits]) == State(
            "active", "major", matched_rule_id=RULE, attention="no_client"
        )
        assert rebuild([quiet, waits, row({"code": "no_rule"})]) == State("active", "major")


MINUTES = st.integers(0, 50)
ALERTS = st.sampled_from([1, 2, 3])
SEVERITIES = st.sampled_from(["error", "warning", "info"])
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("trigger"), ALERTS, SEVERITIES, MINUTES),
        st.tuples(st.just("poll"), ALERTS, SEVERITIES, MINUTES),
        st.tuples(st.sampled_from(["reset", "vendor_acknowledges"]), ALERTS, MINUTES),
        st.tuples(st.sampled_from(["acknowledge", "resolve", "resolve_there", "ticket"]), ALERTS),
        st.tuples(st.sampled_from(["retry", "retry_reset", "close"]), ALERTS),
        st.tuples(st.sampled_from(["tick", "work"])),
        st.tuples(st.sampled_from(["window", "mapping", "boards", "vendor"])),
    ),
    min_size=3,
    max_size=14,
)


class Life:
    """Some alerts of one device and one condition, and everything that can happen to them."""

    numbers = count(1000)

    def __init__(self, world: World) -> None:
        self.world, self.began = world, utc_now() - timedelta(minutes=55)
        self.ids = {one: next(self.numbers) for one in (1, 2, 3)}
        self.device = f"device-{self.ids[1]}"
        self.mara = Actor(id="mara", name="Mara Lindholm", tenant_id=world.tenant)
        self.off: set[str] = {"window"}
        self.vendor_refuses = False
        world.do("DELETE FROM rmm_maintenance_windows")
        self._mapping(True)
        self._boards(True)

    def at(self, minute: int) -> str:
        return (self.began + timedelta(minutes=minute)).isoformat(sep=" ")

    def alert_id(self, number: int) -> UUID:
        found = self.world.rows("SELECT id FROM rmm_alerts WHERE external_id = :id", id=str(self.ids[number]))
        return found[0]["id"] if found else uuid4()

    def act(self, name: str, *args: Any) -> None:
        with self.world.app.app_context():
            getattr(self, name)(*args)

    def trigger(self, number: int, severity: str, minute: int) -> None:
        self._post("failure", number, minute, severity=severity)

    def reset(self, number: int, minute: int) -> None:
        self._post("resolved", number, minute, resolved_on=self.at(minute))

    def _post(self, event: str, number: int, minute: int, **changes: Any) -> None:
        ours = {"event": event, "agent_id": self.device, "alert_time": self.at(minute), **changes}
        answer = self.world.post(self.world.body(self.ids[number], **ours))
        assert answer.status_code == 200, answer.json

    def poll(self, number: int, severity: str, minute: int) -> None:
        poll(self.world, self._polled(number, minute, severity))

    def _polled(self, number: int, minute: int, severity: str = "error") -> Any:
        ours = {"agent_id": self.device, "severity": severity}
        return polled(str(self.ids[number]), self.at(minute), **ours)

    def vendor_acknowledges(self, number: int, minute: int) -> None:
        event = msgspec.structs.replace(self._polled(number, minute), kind=AlertKind.ACKNOWLEDGED)
        take(self.world.rmm, self.world.tenant, self.world.integration_id, event, Channel.WEBHOOK)

    def acknowledge(self, number: int) -> None:
        manual.acknowledge(self.world.rmm, self.mara, [self.alert_id(number)])

    def resolve(self, number: int) -> None:
        manual.resolve(self.world.rmm, self.mara, [self.alert_id(number)], at_vendor=False)

    def resolve_there(self, number: int) -> None:
        manual.resolve(self.world.rmm, self.mara, [self.alert_id(number)], at_vendor=True)

    def ticket(self, number: int) -> None:
        manual.create_tickets(self.world.rmm, self.mara, [self.alert_id(number)])

    def retry(self, number: int) -> None:
        manual.retry_ticket(self.world.rmm, self.mara, self.alert_id(number))

    def retry_reset(self, number: int) -> None:
        manual.retry_reset(self.world.rmm, self.mara, self.alert_id(number))

    def close(self, number: int) -> None:
        row = self.row(number)
        if row is None or row["ticket_id"] is None:
            return
        with self.world.unit() as session:
            person = session.query(User).filter_by(tenant_id=self.world.tenant, role="admin").first()
            assert person is not None
            people.close(session, person, row["ticket_id"], None)

    def tick(self) -> None:
        """Everything that waits has waited long enough."""
        for column in ("hold_until", "details_due_at", "attention_at"):
            self.world.do(
                f"UPDATE rmm_alerts SET {column} = now() - interval '10 minutes' WHERE {column} IS NOT NULL"
            )
        details.decide_overdue(self.world.rmm)
        attention.retry_due(self.world.rmm)
        work(self.world, "alert_decisions")

    def work(self) -> None:
        relay_all(self.world)
        work(self.world, "alert_reset")

    def window(self) -> None:
        if self._turns("window"):
            self.world.do(
                "INSERT INTO rmm_maintenance_windows (tenant_id, id, name, is_active, starts_at, ends_at,"
                " created_at, updated_at) VALUES (:tenant, gen_random_uuid(), 'Patches', TRUE,"
                " now() - interval '1 day', now() + interval '1 day', now(), now())",
                tenant=self.world.tenant,
            )
        else:
            self.world.do("DELETE FROM rmm_maintenance_windows")
        self.world.do("UPDATE rmm_integrations SET config_version = config_version + 1")

    def mapping(self) -> None:
        self._mapping(self._turns("mapping"))

    def boards(self) -> None:
        self._boards(self._turns("boards"))

    def vendor(self) -> None:
        self.vendor_refuses = not self.vendor_refuses

    def _turns(self, name: str) -> bool:
        """Whether it is on now that it was switched over."""
        self.off ^= {name}
        return name not in self.off

    def _mapping(self, on: bool) -> None:
        client = self.world.client_id if on else None
        self.world.do("UPDATE rmm_organization_mappings SET client_id = :client", client=client)

    def _boards(self, on: bool) -> None:
        self.world.do("UPDATE boards SET is_active = :on", on=on)

    def row(self, number: int) -> dict[str, Any] | None:
        found = self.world.rows("SELECT * FROM rmm_alerts WHERE id = :id", id=self.alert_id(number))
        return found[0] if found else None

    def told(self, number: int) -> State | None:
        """What the history says."""
        found = self.world.rows(
            "SELECT kind, outcome, rule_id, actor, steps FROM rmm_alert_events WHERE alert_id = :id"
            " ORDER BY id",
            id=self.alert_id(number),
        )
        return rebuild(SimpleNamespace(**one) for one in found)

    def open_tickets(self) -> int:
        return int(
            self.world.one(
                "SELECT count(DISTINCT t.id) FROM tickets t JOIN rmm_alerts a ON a.ticket_id = t.id"
                " WHERE a.external_device_id = :device AND t.closed_at IS NULL",
                device=self.device,
            )
        )


def kept(row: dict[str, Any]) -> State:
    """What the row says."""
    known = {one.name: row[one.name] for one in fields(State) if one.name != "awaits_text"}
    return State(**known, awaits_text=row["details_due_at"] is not None)


@pytest.fixture
def living(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Life]:
    """`life = living()`: rules that hold, reopen, wait for a text; a vendor that answers as it is told."""
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, {"severities": ["moderate"]}, holdMinutes=120, reopenWithinMinutes=60)
    world.add_rule(1, {"severities": ["minor"], "keywords": ["disk"]}, autoResolveTicket=False)
    world.add_rule(2, {"severities": ["critical"]}, reopenWithinMinutes=60)
    with world.unit() as session:
        world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", "K" * 32)
    lives: list[Life] = []

    def reset_alert(*args: Any) -> Receipt:
        if lives[-1].vendor_refuses:
            raise InvalidRequest("Not now.")
        return Receipt(accepted=True, message="Done.")

    monkeypatch.setattr(TacticalRmm, "reset_alert", reset_alert)

    def begin() -> Life:
        lives.append(Life(world))
        return lives[-1]

    return begin


def check(life: Life, acts: list[Any]) -> None:
    """After every act the history of every alert tells its row, and the condition has one open ticket."""
    for place, act in enumerate(acts):
        life.act(*act)
        for number in life.ids:
            row = life.row(number)
            if row is None:
                continue
            told = life.told(number)
            assert told is not None
            assert without_clock(told) == without_clock(kept(row)), (number, acts[: place + 1])
        assert life.open_tickets() <= 1, acts[: place + 1]


def without_clock(state: State) -> tuple[Any, ...]:
    """The state; of a hold only whether there is one, for time passes here by moving it."""
    return replace(state, hold_until=None), state.hold_until is not None


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=ACTS)
def test_the_history_of_whatever_happened_is_the_row(living: Callable[[], Life], acts: list[Any]) -> None:
    check(living(), acts)
