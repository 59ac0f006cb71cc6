"""Stored deliveries once more: later tries, replays by a person, many at once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from rq.timeouts import JobTimeoutException

from reference_psa.adapters.tickets import SqlTickets
from rmm_extension.domain.errors import Conflict
from rmm_extension.models import WebhookDelivery, new_id, utc_now
from rmm_extension.services import replay, runs
from rmm_extension.services.webhooks import take
from tests.harness.world import World
from tests.services.working import queued, take_run, work, work_one

BROKEN = json.dumps('{"event": "failure", "client": "Acme "West" Ltd"}').encode()


def store(world: World, body: Any = None, **columns: Any) -> UUID:
    """A stored delivery; quarantined unless said otherwise."""
    row = {"state": "quarantined", "reason": "not_json", "received_at": utc_now(), **columns}
    data = body if isinstance(body, bytes) else json.dumps(body or world.body()).encode()
    with world.unit() as session:
        delivery = WebhookDelivery(
            tenant_id=world.tenant,
            id=new_id(),
            integration_id=world.integration_id,
            provider="tacticalrmm",
            body=data,
            headers={},
            attempts=0,
            **row,
        )
        session.add(delivery)
        return delivery.id


def row(world: World, delivery_id: UUID) -> dict[str, Any]:
    (found,) = world.rows("SELECT * FROM rmm_webhook_deliveries WHERE id = :id", id=delivery_id)
    return found


def start(world: World, delivery_id: UUID) -> UUID:
    with world.unit() as session:
        return replay.start(world.rmm, session, world.admin, delivery_id)


def start_all(world: World, *states: str) -> tuple[UUID, int]:
    with world.unit() as session:
        wanted = states or replay.REPLAYABLE
        return replay.start_all(world.rmm, session, world.admin, world.integration_id, wanted)


def state(world: World) -> Any:
    """Everything a replay could touch twice."""
    tables = ("rmm_alerts", "rmm_alert_conditions", "rmm_alert_events", "tickets", "comments", "rmm_outbox")
    return {table: world.rows(f"SELECT * FROM {table} ORDER BY id") for table in tables}


class TestOne:
    def test_a_readable_one_becomes_its_ticket(self, world: World) -> None:
        delivery = store(world, received_at=utc_now() - timedelta(days=2))
        start(world, delivery)
        assert work(world, "delivery_retry") == [{"events": 1}]
        found = row(world, delivery)
        assert (found["state"], found["outcome"], found["replayed_by"]) == (
            "processed",
            "ticket_created",
            "Ada Admin",
        )
        assert (found["alert_id"], found["attempts"]) == (world.alert()["id"], 1)
        assert found["processed_at"] is not None
        assert len(world.tickets()) == 1

    def test_a_processed_one_changes_nothing(self, world: World) -> None:
        """Whatever happened to its alert since: still open, raised, resolved."""
        delivery = store(world)
        start(world, delivery)
        work(world, "delivery_retry")
        for later in (None, world.body(severity="error"), world.resolved(), world.resolved()):
            if later:
                world.post(later)
            before = state(world)
            start(world, delivery)
            assert work(world, "delivery_retry") == [{"events": 1}]
            assert state(world) == before
            assert row(world, delivery)["state"] == "processed"
        assert row(world, delivery)["outcome"] == "skipped"
        assert len(world.tickets()) == 1

    def test_one_without_id_and_time_is_harmless_too(self, world: World) -> None:
        """Its arrival is its time, also on the tenth try."""
        delivery = store(world, {"agent_id": "A", "client_id": "1"})
        for _ in range(3):
            start(world, delivery)
            work(world, "delivery_retry")
        world.post({"agent_id": "A", "client_id": "1", "event": "resolved"})
        start(world, delivery)
        work(world, "delivery_retry")
        assert len(world.tickets()) == 1
        assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1

    def test_one_that_is_still_unreadable_stays_aside_with_the_words_why(self, world: World) -> None:
        assert world.post(BROKEN).status_code == 400
        (found,) = world.rows("SELECT * FROM rmm_webhook_deliveries")
        assert (found["state"], found["reason"]) == ("quarantined", "not_json")
        start(world, found["id"])
        assert work(world, "delivery_retry") == [{"quarantined": 1}]
        after = row(world, found["id"])
        assert (after["state"], after["replayed_by"], after["processed_at"]) == (
            "quarantined",
            "Ada Admin",
            None,
        )
        assert after["reason"] == "The body is broken by a quote in one of its values."

    def test_what_was_processed_stays_so_even_if_it_cannot_be_read_any_more(self, world: World) -> None:
        delivery = store(world, BROKEN, state="processed", reason="processed by a later try")
        start(world, delivery)
        assert work(world, "delivery_retry") == [{"quarantined": 1}]
        assert row(world, delivery)["state"] == "processed"

    def test_a_vendors_test_is_read_and_holds_nothing(self, world: World) -> None:
        delivery = store(world, world.body(alert_type="no alert type"))
        start(world, delivery)
        assert work(world, "delivery_retry") == [{"events": 0}]
        found = row(world, delivery)
        assert (found["state"], found["reason"], found["alert_id"]) == ("processed", "event_not_used", None)

    def test_it_goes_by_the_rules_of_now(self, world: World) -> None:
        delivery = store(world)
        world.do("UPDATE rmm_alert_rules SET actions = '{\"createTicket\": false}'")
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        start(world, delivery)
        work(world, "delivery_retry")
        assert row(world, delivery)["outcome"] == "recorded_only"
        assert world.tickets() == []

    @pytest.mark.parametrize(
        "state_, words",
        [("paused", "is paused: resume it"), ("not_connected", "is not connected: connect it")],
    )
    def test_a_sleeping_connection_refuses(self, world: World, state_: str, words: str) -> None:
        delivery = store(world)
        run_id = start(world, delivery)
        world.do("UPDATE rmm_integrations SET state = :state", state=state_)
        for attempt in (lambda: start(world, delivery), lambda: start_all(world)):
            with pytest.raises(Conflict, match=words):
                attempt()
        told = work_one(world, run_id)
        assert words in told
        assert row(world, delivery)["reason"] == told, "paused in between: the delivery says so"
        assert world.tickets() == []

    def test_two_tries_of_one_delivery_are_not_queued_at_once(self, world: World) -> None:
        delivery = store(world)
        start(world, delivery)
        with pytest.raises(Conflict, match="is waiting for a worker"):
            start(world, delivery)

    def test_it_is_in_the_audit(self, world: World) -> None:
        delivery = store(world)
        start(world, delivery)
        start_all(world, "quarantined")
        found = world.rows("SELECT * FROM rmm_audit WHERE action LIKE 'deliver%' ORDER BY at")
        assert [(line["action"], line["subject_id"], line["actor_name"]) for line in found] == [
            ("delivery.replayed", str(delivery), "Ada Admin"),
            ("deliveries.replayed", str(world.integration_id), "Ada Admin"),
        ]
        assert found[1]["changes"] == {"states": ["quarantined"], "deliveries": 1}

    def test_of_another_tenant_there_is_none(self, world: World) -> None:
        delivery = store(world)
        world.do("UPDATE rmm_webhook_deliveries SET tenant_id = 'other'")
        with pytest.raises(replay.UnknownDelivery):
            start(world, delivery)
        with pytest.raises(Conflict, match="nothing to replay"):
            start_all(world)

    def test_a_failure_says_on_the_delivery_what_it_was(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivery = store(world, state="failed", reason="RuntimeError", due_at=utc_now())
        run = take_run(world, start(world, delivery))
        with world.unit() as session:
            runs.fail(world.rmm, session, run, "internal", "Something unexpected happened (incident 1f).")
        found = row(world, delivery)
        assert (found["state"], found["reason"]) == (
            "failed",
            "Something unexpected happened (incident 1f).",
        )


class TestMany:
    def test_each_for_itself_oldest_first_with_progress(self, world: World) -> None:
        now = utc_now()
        bodies = [world.resolved(1), world.body(1), world.body(2, check_id="7"), BROKEN]
        ids = [store(world, body, received_at=now - timedelta(minutes=at)) for at, body in enumerate(bodies)]
        failed = store(
            world,
            world.body(3, check_id="8"),
            state="failed",
            due_at=now,
            received_at=now - timedelta(days=1),
        )
        done = store(world, world.body(9, check_id="9"), state="processed")
        run_id, number = start_all(world)
        assert number == 5
        assert work_one(world, run_id) == {"processed": 4, "quarantined": 1, "failed": 0}
        (run,) = world.rows("SELECT * FROM rmm_job_runs WHERE id = :id", id=run_id)
        assert (run["done_count"], run["total_count"]) == (5, 5)
        assert [error["message"] for error in run["errors"]] == [
            "The body is broken by a quote in one of its values."
        ]
        assert run["errors"][0]["name"].startswith("received ")
        states = {one: row(world, one)["state"] for one in (*ids, failed, done)}
        assert (
            list(states.values())
            == ["processed", "processed", "processed", "quarantined"] + ["processed"] * 2
        )
        assert world.alert(1)["status"] == "auto_resolved", "fired first, then ended"
        assert len(world.tickets()) == 3
        assert row(world, done)["replayed_by"] is None

    def test_only_the_states_asked_for(self, world: World) -> None:
        aside = store(world)
        failed = store(world, world.body(2, check_id="7"), state="failed", due_at=utc_now())
        run_id, number = start_all(world, "failed")
        assert (number, work_one(world, run_id)["processed"]) == (1, 1)  # type: ignore[index]
        assert (row(world, aside)["state"], row(world, failed)["state"]) == ("quarantined", "processed")

    def test_one_that_fails_keeps_none_waiting(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second = store(world), store(world, world.body(2, check_id="7"))
        calls = []

        def breaks_once(*args: Any, **options: Any) -> Any:
            calls.append(args)
            if len(calls) == 1:
                raise RuntimeError("injected")
            return take(*args, **options)

        monkeypatch.setattr(replay, "take", breaks_once)
        run_id, _ = start_all(world)
        assert work_one(world, run_id) == {"processed": 1, "quarantined": 0, "failed": 1}
        assert "Something unexpected went wrong here (RuntimeError)" in row(world, first)["reason"]
        assert (row(world, first)["state"], row(world, second)["state"]) == ("quarantined", "processed")

    def test_a_killed_run_goes_on_where_it_was(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        ids = [store(world, world.body(number, check_id=str(number))) for number in range(6)]
        run_id, _ = start_all(world)
        done: list[Any] = []

        def killed(*args: Any, **options: Any) -> Any:
            if len(done) == 3:
                raise KeyboardInterrupt
            done.append(args)
            return take(*args, **options)

        monkeypatch.setattr(replay, "take", killed)
        run = take_run(world, run_id)
        with world.app.app_context(), pytest.raises(KeyboardInterrupt):
            replay.replay_all(world.rmm, run)
        monkeypatch.setattr(replay, "take", take)
        world.do("UPDATE rmm_job_runs SET heartbeat_at = now() - interval '1 hour'")
        assert work_one(world, run_id) == {"processed": 6, "quarantined": 0, "failed": 0}
        assert {row(world, one)["state"] for one in ids} == {"processed"}
        assert len(world.tickets()) == 6
        assert [row(world, one)["attempts"] for one in ids] == [1, 1, 1, 2, 1, 1]

    def test_the_end_of_its_time_ends_the_attempt_and_is_no_failure_of_a_delivery(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivery = store(world)

        def out_of_time(*args: Any, **options: Any) -> Any:
            raise JobTimeoutException("1800 s")

        run_id, _ = start_all(world)
        monkeypatch.setattr(replay, "take", out_of_time)
        with pytest.raises(JobTimeoutException):
            work_one(world, run_id)
        assert "JobTimeout" not in row(world, delivery)["reason"]
        assert world.one("SELECT counts FROM rmm_job_runs WHERE id = :id", id=run_id) == {}

    def test_what_arrives_meanwhile_is_left_for_the_next(self, world: World) -> None:
        store(world)
        run_id, _ = start_all(world)
        late = store(world, world.body(2, check_id="7"), received_at=utc_now() + timedelta(seconds=5))
        work_one(world, run_id)
        assert row(world, late)["state"] == "quarantined"

    def test_a_cancelled_one_stops(self, world: World) -> None:
        for number in range(3):
            store(world, world.body(number, check_id=str(number)))
        run_id, _ = start_all(world)
        run = take_run(world, run_id)
        with world.unit() as session:
            runs.cancel(world.rmm, session, world.admin, run_id)
        with world.app.app_context(), pytest.raises(runs.Cancelled):
            replay.replay_all(world.rmm, run)
        assert len(world.tickets()) == 1

    def test_no_more_than_so_many_at_once(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(replay, "MOST", 4)
        monkeypatch.setattr(replay, "_PAGE", 3)
        for number in range(6):
            store(world, world.body(number, check_id=str(number)))
        run_id, number = start_all(world)
        assert number == 4
        assert work_one(world, run_id) == {"processed": 4, "quarantined": 0, "failed": 0}
        assert queued(world, "delivery_replay") == []


def test_the_time_until_it_was_stored_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.post(b"junk")

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("injected")

    monkeypatch.setattr(SqlTickets, "create", fails)
    world.post()
    found = world.rows("SELECT state, duration_ms FROM rmm_webhook_deliveries ORDER BY id")
    assert [line["state"] for line in found] == ["quarantined", "failed"]
    assert all(0 < line["duration_ms"] < 60_000 for line in found)
