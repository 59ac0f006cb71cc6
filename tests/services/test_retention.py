"""What is removed, what never is, and that a cleaning may be killed, doubled and repeated."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from rmm_extension.domain.retention import Keep, in_words
from rmm_extension.extension import Mounted
from rmm_extension.models import (
    ActionInvocation,
    Alert,
    AlertCondition,
    AlertHistory,
    Audit,
    Integration,
    JobRun,
    Outbox,
    PaceRow,
    SetAsideAlert,
    Signal,
    WebhookDelivery,
    new_id,
    utc_now,
)
from rmm_extension.services import retention, runs
from rmm_extension.services.retention import alerts, alone
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World
from tests.services.working import queued, take_run, work_one

KEEP = Keep()
NONE_OF_THESE = dict.fromkeys(
    (
        *("deliveries_put_aside", "software", "software_of_deleted", "products", "patches_of_deleted"),
        *("signals", "actions", "audit", "set_aside", "paces", "workflow_runs", "workflow_drafts"),
    ),
    0,
)
MARGIN = timedelta(minutes=5)


def ago(days: int, margin: timedelta = timedelta()) -> datetime:
    return utc_now() - timedelta(days=days) - margin


def older(days: int) -> datetime:
    """A little more than so many days ago: over the limit."""
    return ago(days, MARGIN)


def younger(days: int) -> datetime:
    """A little less."""
    return ago(days, -MARGIN)


def add(world: World, model: Any, **columns: Any) -> UUID:
    row = {"tenant_id": world.tenant, "id": new_id(), **columns}
    with world.unit() as session:
        session.execute(insert(model).values(**row))
    return row["id"]


def alert(world: World, at: datetime, status: str = "resolved", **columns: Any) -> UUID:
    row = {"integration_id": world.integration_id, "external_id": str(new_id()), "status": status}
    row |= {"severity": "major", "dedup_key": f"d|{new_id()}", "first_channel": "webhook", "raw": {}}
    row |= {"triggered_at": at - timedelta(hours=1), "last_event_at": at, "updated_at": at, "resolved_at": at}
    return add(world, Alert, **row | columns)


def condition(world: World, key: str, at: datetime | None, ticket_id: str | None = None, **more: Any) -> UUID:
    row = {"integration_id": world.integration_id, "dedup_key": key, "occurrence_count": 1, **more}
    return add(world, AlertCondition, ticket_id=ticket_id, last_occurrence_at=at, **row)


def history(world: World, alert_id: UUID, at: datetime, **more: Any) -> UUID:
    row = {"alert_id": alert_id, "integration_id": world.integration_id, "at": at, "occurred_at": at}
    row |= {"channel": "webhook", "kind": "triggered", "outcome": "recorded_only", "steps": []}
    return add(world, AlertHistory, **row | more)


def delivery(world: World, at: datetime, state: str, **more: Any) -> UUID:
    row = {"integration_id": world.integration_id, "provider": "tacticalrmm", "received_at": at}
    row |= {"state": state, "reason": "", "body": b"{}", "headers": {}, "attempts": 0}
    return add(world, WebhookDelivery, **row | more)


def job(world: World, queued_at: datetime, status: str = "succeeded", **more: Any) -> UUID:
    row = {"kind": "device_sync", "queue": "rmm-sync", "status": status, "queued_at": queued_at}
    ended = None if status in runs.UNFINISHED else queued_at
    return add(world, JobRun, **row | {"finished_at": ended, "due_at": queued_at} | more)


def action(world: World, at: datetime, **more: Any) -> UUID:
    row = {"action": "x.y", "state": "succeeded", "actor_id": "a", "actor_name": "A", "created_at": at}
    row |= {"integration_id": world.integration_id, "finished_at": at}
    return add(world, ActionInvocation, **row | more)


def signal(world: World, at: datetime) -> UUID:
    row = {"kind": "seen", "external_device_id": "7", "words": "Restarted", "occurred_at": at}
    row |= {"received_at": at, "external_id": str(new_id()), "channel": "webhook", "outcome": "device_seen"}
    return add(world, Signal, integration_id=world.integration_id, **row)


def set_aside(world: World, at: datetime, **more: Any) -> UUID:
    row = {"integration_id": world.integration_id, "external_id": str(new_id()), "reason": "Odd."}
    return add(world, SetAsideAlert, **row | {"first_at": at, "last_at": at, "due_at": None} | more)


def audit(world: World, at: datetime, **more: Any) -> UUID:
    row = {"at": at, "actor_id": "a", "actor_name": "A", "action": "x", "subject_type": "s"}
    return add(world, Audit, **row | {"subject_id": "1", "subject_name": "", "changes": {}} | more)


def open_ticket(world: World) -> str:
    """A ticket of an alert that is firing; its id."""
    number = len(world.tickets()) + 1
    world.post(world.body(9000 + number, check_id=str(9000 + number)))
    return str(world.tickets()[-1]["id"])


def begin(world: World) -> UUID:
    with world.unit() as session:
        started = runs.try_start(session, world.admin, "retention", exclusive_key="retention")
    assert started is not None
    return started


def clean(world: World) -> dict[str, Any]:
    """The counts of one cleaning, without those of what was not there."""
    counts = work_one(world, begin(world))
    assert isinstance(counts, dict)
    return {name: number for name, number in counts.items() if number}


def left(world: World, table: str) -> set[UUID]:
    return {row["id"] for row in world.rows(f"SELECT id FROM {table}")}


def keep(world: World, **days: int) -> None:
    settings = replace(world.rmm.settings, keep=replace(world.rmm.settings.keep, **days))
    world.app.extensions["rmm"] = Mounted(replace(world.rmm, settings=settings))


class TestLimits:
    def test_processed_deliveries(self, world: World) -> None:
        gone, stays = (delivery(world, when(KEEP.deliveries), "processed") for when in (older, younger))
        assert clean(world) == {"deliveries": 1}
        assert left(world, "rmm_webhook_deliveries") == {stays} != {gone}

    def test_deliveries_put_aside_or_failed_for_good(self, world: World) -> None:
        for state in ("quarantined", "failed"):
            delivery(world, older(KEEP.quarantine), state)
        stays = {delivery(world, younger(KEEP.quarantine), state) for state in ("quarantined", "failed")}
        stays.add(delivery(world, older(KEEP.quarantine), "failed", due_at=utc_now()))
        assert clean(world) == {"deliveries_put_aside": 2}
        assert left(world, "rmm_webhook_deliveries") == stays, "one that is still tried again is not done"

    def test_what_vendors_told_of_devices(self, world: World) -> None:
        gone, stays = (signal(world, when(KEEP.signals)) for when in (older, younger))
        assert clean(world) == {"signals": 1}
        assert left(world, "rmm_signals") == {stays} != {gone}

    def test_alerts_set_aside_that_nobody_looked_at(self, world: World) -> None:
        set_aside(world, older(KEEP.quarantine))
        stays = {
            set_aside(world, younger(KEEP.quarantine)),
            set_aside(world, older(KEEP.quarantine), due_at=utc_now()),
        }
        assert clean(world) == {"set_aside": 1}
        assert left(world, "rmm_set_aside_alerts") == stays, "one that is still tried again stays"

    def test_paces_of_accounts_at_rest(self, world: World) -> None:
        add(world, PaceRow, account="rested", following_at=older(KEEP.signals))
        stays = add(world, PaceRow, account="in use", following_at=younger(KEEP.signals))
        assert clean(world) == {"paces": 1}
        assert left(world, "rmm_paces") == {stays}

    def test_jobs(self, world: World) -> None:
        for status in ("succeeded", "failed", "cancelled"):
            job(world, older(KEEP.runs), status)
        stays = {job(world, older(KEEP.runs), status) for status in runs.UNFINISHED}
        stays |= {
            job(world, younger(KEEP.runs)),
            job(world, older(KEEP.runs), finished_at=younger(KEEP.runs)),
        }
        assert clean(world) == {"jobs": 3}
        assert stays < left(world, "rmm_job_runs")
        assert len(left(world, "rmm_job_runs")) == len(stays) + 1, "and the cleaning itself"

    def test_actions_that_are_over(self, world: World) -> None:
        action(world, older(KEEP.runs))
        stays = {
            action(world, younger(KEEP.runs)),
            action(world, older(KEEP.runs), finished_at=None),
            action(world, older(KEEP.runs), finished_at=younger(KEEP.runs)),
        }
        assert clean(world) == {"actions": 1}
        assert left(world, "rmm_action_invocations") == stays

    def test_audit(self, world: World) -> None:
        before = left(world, "rmm_audit")
        audit(world, older(KEEP.audit))
        stays = audit(world, younger(KEEP.audit))
        assert clean(world) == {"audit": 1}
        assert left(world, "rmm_audit") == before | {stays}

    def test_resolved_alerts_with_their_history_and_condition(self, world: World) -> None:
        over = ("resolved", "auto_resolved")
        gone = [alert(world, older(KEEP.alerts), status, dedup_key=status) for status in over]
        stays = alert(world, younger(KEEP.alerts))
        for one in (*gone, stays):
            history(world, one, younger(KEEP.history))
        for key in over:
            condition(world, key, older(KEEP.alerts))
        assert clean(world) == {"alerts": 2, "conditions": 2}
        assert left(world, "rmm_alerts") == {stays}
        assert [row["alert_id"] for row in world.rows("SELECT alert_id FROM rmm_alert_events")] == [stays]

    def test_history_of_what_is_over(self, world: World) -> None:
        over, orphaned = alert(world, utc_now()), new_id()
        for one in (over, orphaned):
            history(world, one, older(KEEP.history))
        stays = {history(world, one, younger(KEEP.history)) for one in (over, orphaned)}
        assert clean(world) == {"history": 2}
        assert left(world, "rmm_alert_events") == stays

    def test_other_numbers_of_days(self, world: World) -> None:
        keep(world, deliveries=2, runs=7)
        delivery(world, older(2), "processed")
        delivery(world, younger(2), "processed")
        job(world, older(7))
        assert clean(world) == {"deliveries": 1, "jobs": 1}


class TestNever:
    @pytest.mark.parametrize("status", ["active", "acknowledged", "suppressed"])
    def test_open_alerts_and_their_history(self, world: World, status: str) -> None:
        stays = alert(world, older(3000), status, resolved_at=None, dedup_key="k")
        history(world, stays, older(3000))
        condition(world, "k", older(3000))
        assert clean(world) == {}

    def test_alerts_on_an_open_ticket_with_history_and_condition(self, world: World) -> None:
        ticket = open_ticket(world)
        stays = alert(world, older(3000), ticket_id=ticket, dedup_key="k")
        history(world, stays, older(3000))
        condition(world, "k", older(3000), ticket)
        assert clean(world) == {}
        world.post(world.resolved(9001, check_id="9001"))
        assert clean(world) == {"history": 1, "conditions": 1, "alerts": 1}, "the ticket is closed"

    def test_a_condition_whose_ticket_is_open_though_the_old_alert_had_another(self, world: World) -> None:
        alert(world, older(3000), ticket_id="long-gone", dedup_key="k")
        stays = condition(world, "k", older(3000), open_ticket(world))
        assert clean(world) == {"alerts": 1}
        assert stays in left(world, "rmm_alert_conditions")

    def test_a_condition_that_has_fired_since(self, world: World) -> None:
        alert(world, older(KEEP.alerts), dedup_key="k")
        stays = condition(world, "k", younger(KEEP.alerts))
        assert clean(world) == {"alerts": 1}
        assert left(world, "rmm_alert_conditions") == {stays}

    def test_a_tombstone_guards_as_long_as_any_alert(self, world: World) -> None:
        """The end came first; the report of its beginning comes very late."""
        world.post(world.resolved())
        world.do("UPDATE rmm_alerts SET triggered_at = :at", at=older(3000))
        world.do("UPDATE rmm_alerts SET updated_at = :at", at=younger(KEEP.alerts))
        assert clean(world) == {}
        world.post()
        assert world.tickets() == []

    def test_the_outbox(self, world: World) -> None:
        stays = add(world, Outbox, topic="event", payload={}, created_at=older(3000), due_at=older(3000))
        assert clean(world) == {}
        assert stays in left(world, "rmm_outbox")

    def test_what_belongs_to_another_tenant(self, world: World) -> None:
        mine = world.integration_id
        with world.unit() as session:
            session.add(Integration(tenant_id="other", id=mine, provider="tacticalrmm", name="T"))
        theirs = {"tenant_id": "other"}
        one = alert(world, older(3000), dedup_key="k", **theirs)
        history(world, one, older(3000), **theirs)
        condition(world, "k", older(3000), **theirs)
        for state in ("processed", "quarantined"):
            delivery(world, older(3000), state, **theirs)
        job(world, older(3000), **theirs)
        audit(world, older(3000), **theirs)
        assert clean(world) == {}

    def test_an_alert_that_a_vendors_wrong_clock_puts_into_the_past(self, world: World) -> None:
        stays = alert(world, older(3000), updated_at=utc_now())
        assert clean(world) == {}
        assert left(world, "rmm_alerts") == {stays}


class TestBatches:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(alone, "BATCH", 3)
        monkeypatch.setattr(alerts, "BATCH", 3)

    def fill(self, world: World, number: int = 8) -> None:
        for at in range(number):
            one = alert(world, older(KEEP.alerts), dedup_key=f"k{at}")
            condition(world, f"k{at}", older(KEEP.alerts))
            history(world, one, older(KEEP.history))
            delivery(world, older(KEEP.deliveries), "processed")
            job(world, older(KEEP.runs))

    def everything(self, number: int) -> dict[str, int]:
        return dict.fromkeys(("deliveries", "history", "conditions", "alerts", "jobs"), number)

    def test_all_is_removed_in_small_steps_with_progress(self, world: World) -> None:
        self.fill(world)
        run_id = begin(world)
        assert work_one(world, run_id) == self.everything(8) | NONE_OF_THESE
        (run,) = world.rows("SELECT * FROM rmm_job_runs WHERE id = :id", id=run_id)
        assert run["done_count"] == 40
        assert run["counts"] == NONE_OF_THESE | self.everything(8)

    def test_rows_that_stay_do_not_hold_up_those_behind_them(self, world: World) -> None:
        ticket = open_ticket(world)
        for at in range(7):
            kept = alert(world, older(KEEP.alerts + 10), ticket_id=ticket, dedup_key=f"o{at}")
            history(world, kept, older(KEEP.history + 10))
        self.fill(world, 4)
        assert clean(world) == self.everything(4)

    def test_a_killed_one_goes_on_where_it_was(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fill(world)
        run_id = begin(world)
        run = take_run(world, run_id)
        reports: list[str] = []
        report = runs.Run.report

        def killed(self: runs.Run, session: Any, **what: Any) -> None:
            report(self, session, **what)
            reports.append(what["cursor"]["step"])
            if len(reports) == 9:
                raise KeyboardInterrupt

        monkeypatch.setattr(runs.Run, "report", killed)
        with world.app.app_context(), pytest.raises(KeyboardInterrupt):
            retention.clean(world.rmm, run)
        monkeypatch.setattr(runs.Run, "report", report)
        assert reports[-1] == "conditions"
        world.do("UPDATE rmm_job_runs SET heartbeat_at = now() - interval '1 hour' WHERE id = :id", id=run_id)
        counts = work_one(world, run_id)
        assert counts == self.everything(8) | NONE_OF_THESE
        for table in ("rmm_alerts", "rmm_alert_events", "rmm_alert_conditions", "rmm_webhook_deliveries"):
            assert left(world, table) == set()

    def test_a_cancelled_one_stops(self, world: World) -> None:
        self.fill(world)
        run = take_run(world, begin(world))
        with world.unit() as session:
            runs.cancel(world.rmm, session, world.admin, run.id)
        with world.app.app_context(), pytest.raises(runs.Cancelled):
            retention.clean(world.rmm, run)
        assert len(left(world, "rmm_webhook_deliveries")) == 8

    def test_two_at_once_remove_everything_once(self, world: World) -> None:
        """Two runs of one tenant cannot be; two workers of which one is thought dead can."""
        self.fill(world, 20)
        started = [take_run(world, begin_apart(world, str(at))) for at in range(2)]

        def work_along(run: runs.Run) -> dict[str, Any]:
            with world.app.app_context():
                return retention.clean(world.rmm, run)

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(work_along, started))
        total = {name: sum(counts[name] for counts in done) for name in done[0]}
        assert total == self.everything(20) | NONE_OF_THESE

    def test_a_row_that_somebody_holds_is_left_for_the_next_night(self, world: World) -> None:
        held = delivery(world, older(KEEP.deliveries), "processed")
        delivery(world, older(KEEP.deliveries), "processed")
        with world.app.app_context(), world.rmm.db.engine.begin() as other:
            other.exec_driver_sql("SELECT 1 FROM rmm_webhook_deliveries WHERE id = %s FOR UPDATE", (held,))
            assert clean(world) == {"deliveries": 1}
        assert clean(world) == {"deliveries": 1}

    def test_an_alert_that_fires_again_meanwhile_stays(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.post()
        world.post(world.resolved())
        old = "UPDATE rmm_alerts SET updated_at = :at, triggered_at = :at"
        world.do(old, at=older(KEEP.alerts))
        world.do("UPDATE rmm_alert_conditions SET last_occurrence_at = :at", at=older(KEEP.alerts))
        remove = alerts._remove_alerts

        def fires_first(*args: Any) -> int:
            later = world.body(alert_time=str(datetime(2026, 11, 21, 9, tzinfo=UTC)))
            thread = threading.Thread(target=lambda: world.post(later))
            thread.start()
            thread.join()
            return remove(*args)

        monkeypatch.setattr(alerts, "_remove_alerts", fires_first)
        counts = clean(world)
        assert counts == {"conditions": 1}, "its old condition went, and it made a new one"
        assert world.alert()["status"] == "active"
        assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1
        assert len(world.tickets()) == 2


def begin_apart(world: World, key: str) -> UUID:
    with world.unit() as session:
        started = runs.try_start(session, world.admin, "retention", exclusive_key=f"retention:{key}")
    assert started is not None
    return started


class TestStatements:
    def test_they_are_bounded_by_batches_not_by_rows(self, world: World) -> None:
        counted = []
        for number in (1, 25):
            for at in range(number):
                one = alert(world, older(KEEP.alerts), dedup_key=f"k{at}")
                history(world, one, older(KEEP.history))
                delivery(world, older(KEEP.deliveries), "processed")
            run = take_run(world, begin_apart(world, str(number)))
            with world.app.app_context(), StatementCounter() as sent:
                retention.clean(world.rmm, run)
            counted.append(sent.count)
        assert counted[0] == counted[1]


class TestWhen:
    @pytest.mark.parametrize(
        "now, due",
        [
            (datetime(2026, 3, 1, 3, 17, tzinfo=UTC), datetime(2026, 3, 1, 3, 17, tzinfo=UTC)),
            (datetime(2026, 3, 1, 3, 16, 59, tzinfo=UTC), datetime(2026, 2, 28, 3, 17, tzinfo=UTC)),
            (datetime(2026, 3, 1, 23, 59, tzinfo=UTC), datetime(2026, 3, 1, 3, 17, tzinfo=UTC)),
        ],
    )
    def test_it_is_due_once_a_night(self, now: datetime, due: datetime) -> None:
        assert retention.last_night(now) == due

    def start_due(self, world: World) -> int:
        with world.app.app_context():
            return retention.start_due(world.rmm)

    def test_each_active_tenant_gets_one_run(self, world: World) -> None:
        with world.unit() as session:
            tenants = world.rmm.host.tenants.active_ids(session)
        assert self.start_due(world) == len(tenants) > 1
        assert self.start_due(world) == 0
        assert len(queued(world, "retention")) == len(tenants)

    def test_what_the_last_one_was_survives_a_restart_and_its_end(self, world: World) -> None:
        self.start_due(world)
        world.do("UPDATE rmm_job_runs SET status = 'failed', finished_at = now()")
        assert self.start_due(world) == 0
        night = retention.last_night(utc_now())
        world.do("UPDATE rmm_job_runs SET queued_at = :at", at=night - timedelta(seconds=1))
        assert self.start_due(world) > 1

    def test_one_that_still_runs_is_not_doubled(self, world: World) -> None:
        self.start_due(world)
        world.do("UPDATE rmm_job_runs SET queued_at = now() - interval '3 days', status = 'running'")
        assert self.start_due(world) == 0

    def test_a_suspended_tenant_is_cleaned_too(self, world: World) -> None:
        old = alert(world, older(KEEP.alerts))
        world.do("UPDATE tenants SET is_active = false WHERE id = :id", id=world.tenant)
        self.start_due(world)
        (run_id,) = [
            row["id"]
            for row in world.rows("SELECT id FROM rmm_job_runs WHERE tenant_id = :t", t=world.tenant)
        ]
        work_one(world, run_id)
        assert world.one("SELECT count(*) FROM rmm_alerts WHERE id = :id", id=old) == 0

    def test_two_schedulers_start_one(self, world: World) -> None:
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(self.start_due, [world] * 4))
        number = world.one("SELECT count(DISTINCT tenant_id) FROM rmm_job_runs WHERE kind = 'retention'")
        assert sum(results) == number == world.one("SELECT count(*) FROM rmm_job_runs")


def test_the_words_name_every_setting() -> None:
    assert [days for _, days, _ in in_words(Keep(1, 2, 3, 4, 5, 6, 7))] == [1, 2, 2, 3, 4, 4, 5, 6, 7]


def test_no_delivery_is_left_whose_alert_is_gone(world: World) -> None:
    """Replayed, it would make a ticket of old news."""
    keep(world, alerts=30, history=30, deliveries=30, quarantine=30)
    when = older(30)
    delivery(world, when, "processed")
    alert(world, when)
    assert clean(world) == {"deliveries": 1, "alerts": 1}
