"""When something goes wrong with a delivery: it is kept, or the vendor is asked to come again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from reference_psa import create_app, setup
from reference_psa.adapters.tenants import SqlTenants
from reference_psa.adapters.tickets import SqlTickets
from reference_psa.db import db
from reference_psa.local.postgres import PostgresServer
from rmm_extension.domain.errors import HostUnavailable
from rmm_extension.extension import Mounted
from rmm_extension.models import utc_now
from rmm_extension.services import deliveries, schedule
from rmm_extension.services.ingest import pipeline
from rmm_extension.services.vault import Vault
from tests.harness.schema import app_config
from tests.harness.world import World
from tests.services.working import queued, work, work_one

KEPT = {"recorded": True, "outcome": "stored_for_retry"}


def failing(
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None = None,
    *,
    times: int = 10**6,
    owner: Any = SqlTickets,
) -> None:
    """The host's port raises, so many times."""
    name = "create" if owner is SqlTickets else "get"
    original, left = getattr(owner, name), [times]

    def fails(*args: Any, **options: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise error or RuntimeError("injected")
        return original(*args, **options)

    monkeypatch.setattr(owner, name, fails)


def stored(world: World) -> dict[str, Any]:
    (row,) = world.rows("SELECT * FROM rmm_webhook_deliveries")
    return row


def retry_now(world: World) -> list[Any]:
    """As the tick and a worker do when the delivery is due."""
    world.do("UPDATE rmm_webhook_deliveries SET due_at = now() WHERE due_at IS NOT NULL")
    with world.app.app_context():
        assert schedule.start_due_deliveries(world.rmm) == 1
    return work(world, "delivery_retry")


class TestKept:
    @pytest.mark.parametrize("owner", [SqlTickets, SqlTenants])
    def test_an_unexpected_error_keeps_the_delivery_raw(
        self, world: World, monkeypatch: pytest.MonkeyPatch, owner: Any
    ) -> None:
        failing(monkeypatch, owner=owner)
        answer = world.post(b'{"agent_id": "A", "client_id": "1"}  ')
        assert (answer.status_code, answer.json) == (202, KEPT)
        row = stored(world)
        assert (row["state"], row["reason"], row["attempts"]) == ("failed", "RuntimeError", 0)
        assert bytes(row["body"]) == b'{"agent_id": "A", "client_id": "1"}  '
        assert row["due_at"] - row["received_at"] < timedelta(seconds=60)
        assert world.one("SELECT count(*) FROM rmm_alerts") == 0
        assert world.one("SELECT count(*) FROM rmm_alert_conditions") == 0

    def test_it_is_processed_by_a_later_try_exactly_once(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing(monkeypatch, times=1)
        world.post()
        assert retry_now(world) == [{"events": 1}]
        row = stored(world)
        assert (row["state"], row["due_at"]) == ("processed", None)
        assert row["processed_at"] is not None
        assert len(world.tickets()) == 1
        assert world.one("SELECT count(*) FROM rmm_alert_events") == 1
        assert world.post().json["reason"] == "duplicate"

    def test_a_delivery_without_a_time_keeps_the_time_it_came(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing(monkeypatch, times=1)
        world.post({"agent_id": "A", "client_id": "1"})
        received = stored(world)["received_at"]
        retry_now(world)
        assert world.one("SELECT triggered_at FROM rmm_alerts") == received

    def test_a_try_that_fails_again_comes_later_and_later_and_then_waits_for_a_person(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing(monkeypatch)
        world.post()
        for attempt in range(1, len(deliveries.GAPS) + 1):
            world.do("UPDATE rmm_webhook_deliveries SET due_at = now()")
            with world.app.app_context():
                schedule.start_due_deliveries(world.rmm)
            (run_id,) = queued(world, "delivery_retry")
            with pytest.raises(RuntimeError):
                work_one(world, run_id)
            world.do("UPDATE rmm_job_runs SET status = 'failed'")
            row = stored(world)
            assert (row["state"], row["attempts"]) == ("failed", attempt)
            if attempt < len(deliveries.GAPS):
                waits = row["due_at"] - utc_now()
                assert timedelta(0) < waits <= timedelta(seconds=deliveries.GAPS[attempt])
            else:
                assert row["due_at"] is None

    def test_a_worker_that_dies_between_the_alert_and_the_note_of_it_does_nothing_twice(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing(monkeypatch, times=1)
        world.post()
        assert retry_now(world) == [{"events": 1}]
        world.do("UPDATE rmm_webhook_deliveries SET state = 'failed', due_at = now()")
        assert retry_now(world) == [{"events": 1}]
        assert len(world.tickets()) == 1
        assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1

    def test_a_processed_one_is_not_processed_again(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing(monkeypatch, times=1)
        world.post()
        world.do("UPDATE rmm_webhook_deliveries SET due_at = now()")
        with world.app.app_context():
            schedule.start_due_deliveries(world.rmm)
        world.do("UPDATE rmm_webhook_deliveries SET state = 'processed'")
        assert work(world, "delivery_retry") == [{"already_processed": 1}]
        assert world.tickets() == []

    def test_one_whose_alert_is_over_meanwhile_opens_nothing(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing(monkeypatch, times=1)
        world.post()
        world.post(world.resolved())
        assert retry_now(world) == [{"events": 1}]
        assert world.tickets() == []
        assert world.alert()["status"] == "resolved"

    def test_an_unproven_delivery_is_not_kept(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        failing(monkeypatch, owner=SqlTenants)
        assert world.post(secret="wrong").status_code == 401
        assert world.post(url=f"/api/webhooks/ninjaone/{world.token}").status_code == 404
        assert world.one("SELECT count(*) FROM rmm_webhook_deliveries") == 0

    def test_an_event_that_never_settles_is_kept_not_dropped(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pipeline, "insert_or_reopen", lambda *_: False)
        answer = world.post()
        assert (answer.status_code, answer.json) == (202, KEPT)
        assert stored(world)["reason"] == "SimultaneousDelivery"

    def test_a_later_try_that_never_settles_is_not_noted_as_done(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pipeline, "insert_or_reopen", lambda *_: False)
        world.post()
        retry_now(world)
        assert stored(world)["state"] == "failed"

    def test_a_host_that_cannot_answer_costs_the_ticket_not_the_alert(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing(monkeypatch, HostUnavailable("The ticket system is being moved."))
        assert world.post().json == {"recorded": True, "outcome": "recorded_only"}
        assert world.alert()["attention"] == "ticket_failed"


class TestRepeats:
    def test_an_answer_that_got_lost_costs_nothing(self, world: World) -> None:
        """The commit came through, the answer did not: the vendor, or a proxy, sends it again."""
        for body in (world.body(), world.resolved()):
            world.post(body)
            before = (world.alert(), world.tickets(), world.rows("SELECT id FROM rmm_outbox ORDER BY id"))
            assert world.post(body).json["outcome"] == "skipped"
            after = (world.alert(), world.tickets(), world.rows("SELECT id FROM rmm_outbox ORDER BY id"))
            assert after == before


class TestKeys:
    def with_vault(self, world: World, vault: Vault) -> None:
        world.app.extensions["rmm"] = Mounted(replace(world.rmm, vault=vault))

    def test_a_lost_key_asks_the_vendor_to_come_again(self, world: World) -> None:
        self.with_vault(world, Vault({"other": b"o" * 32}))
        answer = world.post()
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert world.one("SELECT count(*) FROM rmm_webhook_deliveries") == 0

    def test_the_secret_in_use_is_enough(self, world: World) -> None:
        world.do(
            "INSERT INTO rmm_secrets"
            " (tenant_id, id, integration_id, name, key_id, ciphertext, hint, updated_at)"
            " SELECT tenant_id, :id, integration_id, 'webhook_secret_previous', 'lost', ciphertext, '', now()"
            " FROM rmm_secrets WHERE name = 'webhook_secret'",
            id=UUID(int=5),
        )
        assert world.post().status_code == 200
        assert world.post(secret="wrong").status_code == 503


class TestRedis:
    def test_without_redis_the_alert_is_taken_and_what_follows_waits(self, world: World) -> None:
        """The address of the test configuration is one where nobody answers."""
        assert world.rmm.settings.redis_url is not None
        assert world.post().status_code == 200
        assert len(world.tickets()) == 1
        assert world.one("SELECT count(*) FROM rmm_outbox WHERE due_at <= now()") == 1

    def test_a_wake_that_breaks_costs_no_delivery(self, world: World) -> None:
        def wake() -> None:
            raise OSError("no such host")

        world.app.extensions["rmm"] = Mounted(replace(world.rmm, wake=wake))
        assert world.post().status_code in (200, 202)
        assert len(world.tickets()) == 1


class TestPostgres:
    @pytest.fixture
    def fragile(self, postgres_server: PostgresServer) -> Iterator[World]:
        """A world on a server of its own."""
        app = create_app(app_config(postgres_server.url("psa")))
        setup.seed_database(app)
        yield World(app).connect()
        with app.app_context():
            db.engine.dispose()

    @pytest.mark.faults
    def test_while_it_is_away_the_vendor_is_asked_to_come_again(
        self, fragile: World, postgres_server: PostgresServer
    ) -> None:
        assert fragile.post().status_code == 200
        for end in (postgres_server.stop, postgres_server.kill):
            end()
            for body in (fragile.body(2), b"junk"):
                answer = fragile.post(body)
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) > 0
            postgres_server.start()
            assert fragile.post(fragile.body(2)).status_code == 200
        assert fragile.one("SELECT count(*) FROM rmm_alerts") == 2
        assert len(fragile.tickets()) == 1

    def test_a_connection_that_was_cut_is_replaced_within_the_request(self, world: World) -> None:
        assert world.post().status_code == 200
        with world.app.app_context():
            pooled = db.engine.raw_connection()
        world.do(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        pooled.close()
        for number in range(10, 14):
            assert world.post(world.body(number, check_id=str(number))).status_code == 200

    def test_a_full_pool_asks_to_come_again_and_stays_the_pool_it_was(self, populated_url: str) -> None:
        options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.2}
        app = create_app({**app_config(populated_url), "SQLALCHEMY_ENGINE_OPTIONS": options})
        world = World(app).connect()
        with app.app_context():
            engine = db.engine
        before, held = engine.pool, engine.connect()
        answer = world.post()
        held.close()
        assert answer.status_code == 503
        assert engine.pool is before
        assert world.post().status_code == 200
        engine.dispose()
