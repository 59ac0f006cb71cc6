"""Fetches that are not complete change no alert; one row that cannot be taken stops no other."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.types import AlertEvent, AlertKind
from rmm_extension.models import utc_now
from rmm_extension.providers.tacticalrmm.client import TacticalClient
from rmm_extension.services import runs
from rmm_extension.services.lease import STALE_AFTER
from rmm_extension.services.reconcile import reconcile_alerts, work
from tests.harness.world import World
from tests.services.reconcile.conftest import Script, Vendor
from tests.services.working import relay_all, take_run

CUT = {"mode": "cut_body"}
EMPTY_OBJECT = {"mode": "wrong_shape", "body": '{"alerts_count": 0, "alerts": []}'}
MISBEHAVIOURS: list[dict[str, Any]] = [
    {"mode": "dashboard_html"},
    {"mode": "not_found_html"},
    {"mode": "server_error"},
    {"mode": "forbidden"},
    {"mode": "throttled"},
    CUT,
    {"mode": "wrong_shape"},
    EMPTY_OBJECT,
    {"mode": "wrong_shape", "body": "null"},
    {"mode": "wrong_shape", "body": '[{"id": "x"}]'},
    {"mode": "wrong_shape", "body": '[{"id": 1, "severity": "error"}, {"resolved": false}]'},
    {"mode": "redirect"},
]


def alerts(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT id, status, xmin::text FROM rmm_alerts ORDER BY id")


@pytest.mark.parametrize("fault", MISBEHAVIOURS, ids=lambda fault: fault.get("body") or fault["mode"])
def test_a_fetch_that_is_not_complete_changes_no_alert(
    world: World, vendor: Vendor, fault: dict[str, Any]
) -> None:
    gone, _ = vendor.trigger(0), vendor.trigger(1)
    vendor.poll()
    vendor.resolve(gone)
    vendor.trigger(2)
    before = alerts(world)
    reconciled = vendor.connection()["last_reconciled_at"]
    relay_all(world)
    vendor.fault(**fault)
    run = vendor.poll()
    assert run["status"] in ("failed", "queued")
    assert run["error"]
    assert alerts(world) == before
    row = vendor.connection()
    assert row["last_error"] == run["error"]
    assert (row["last_reconciled_at"], row["reconcile_state"]) == (reconciled, {})
    names = [name for name, _ in relay_all(world)]
    assert [name for name in names if name.startswith("sync_")] == ["sync_started", "sync_failed"]

    vendor.well()
    run_id = run["id"] if run["status"] == "queued" else vendor.start()
    world.do("UPDATE rmm_job_runs SET due_at = now()")
    assert vendor.row(vendor.perform(run_id))["status"] == "succeeded"
    assert world.alert(gone)["status"] == "auto_resolved"
    assert vendor.connection()["last_error"] is None


def test_a_list_of_names_that_fails_is_a_fetch_that_fails(world: World, vendor: Vendor) -> None:
    """The second of the two requests of a listing."""
    vendor.trigger()
    vendor.fault("server_error", prefix="/clients/")
    assert vendor.poll()["status"] == "queued"
    assert alerts(world) == []


def test_refused_credentials_stop_polling(world: World, vendor: Vendor) -> None:
    vendor.fault("unauthorized")
    assert vendor.poll()["status"] == "failed"
    assert vendor.connection()["state"] == "needs_reauth"


def test_a_vendor_that_stays_away_is_trouble_and_its_return_ends_it(world: World, vendor: Vendor) -> None:
    vendor.fault("server_error")
    run_id = vendor.perform(vendor.start())
    assert vendor.connection()["state"] == "connected", "one missed beat is no trouble"
    vendor.perform(run_id)
    assert vendor.connection()["state"] == "error"
    vendor.well()
    vendor.perform(run_id)
    row = vendor.connection()
    assert row["state"] == "connected"
    assert row["next_reconcile_at"] > utc_now(), "this was the poll that a recovery asks for"
    topics = [row["topic"] for row in world.rows("SELECT topic FROM rmm_outbox ORDER BY id")]
    assert topics.count("connection_down") == topics.count("connection_up") == 1


def listed(*numbers: int) -> list[AlertEvent]:
    return [
        AlertEvent(
            kind=AlertKind.TRIGGERED,
            external_id=str(number),
            external_device_id=f"agent-{number}",
            external_organization_id="1",
            device_name=f"PC-{number}",
            occurred_at=utc_now(),
        )
        for number in numbers
    ]


def test_a_row_that_cannot_be_taken_stops_no_other(
    world: World, vendor: Vendor, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = work.take

    def take(rmm: Any, tenant_id: str, integration_id: Any, event: AlertEvent, channel: Any) -> Any:
        if event.external_id == "2":
            raise RuntimeError("secret words")
        return honest(rmm, tenant_id, integration_id, event, channel)

    monkeypatch.setattr(work, "take", take)
    script.events = listed(1, 2, 3)
    run = vendor.poll()
    assert (run["status"], run["counts"]) == ("succeeded", {"processed": 3, "created": 2, "failed": 1})
    assert run["errors"] == [{"name": "PC-2", "message": "Unexpected: RuntimeError. The log says where."}]
    assert (run["done_count"], run["total_count"]) == (3, 3)
    assert len(world.tickets()) == 2


def test_a_cancelled_run_stops_between_two_batches(
    world: World, vendor: Vendor, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BATCH", 2)
    script.events = listed(*range(1, 7))
    run_id = vendor.start()
    script.while_asked = [
        lambda: world.do("UPDATE rmm_job_runs SET cancel_requested = TRUE WHERE id = :id", id=run_id)
    ]
    row = vendor.row(vendor.perform(run_id))
    assert row["status"] == "cancelled"
    assert world.one("SELECT count(*) FROM rmm_alerts") == 2
    assert vendor.connection()["last_reconciled_at"] is None


class Killed(BaseException):
    """The worker dies here."""


@pytest.mark.parametrize("at", [1, 3, 4, 5])
def test_a_killed_run_is_finished_by_another_worker_without_duplicates(
    world: World, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    for agent in range(3):
        vendor.trigger(agent)
    vendor.poll()
    gone = world.rows("SELECT external_id FROM rmm_alerts ORDER BY external_id LIMIT 2")
    for row in gone:
        vendor.resolve(row["external_id"])
    for agent in range(3, 6):
        vendor.trigger(agent)
    calls = 0
    honest = work.Work._attempt

    def attempt(self: work.Work, task: work.Task) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed
        return honest(self, task)

    monkeypatch.setattr(work.Work, "_attempt", attempt)
    run_id = vendor.start()
    with pytest.raises(Killed):
        vendor.perform(run_id)
    world.do(
        "UPDATE rmm_job_runs SET heartbeat_at = now() - :ago WHERE id = :id", id=run_id, ago=STALE_AFTER * 2
    )
    assert vendor.row(vendor.perform(run_id))["status"] == "succeeded"
    assert world.one("SELECT count(*) FROM rmm_alerts") == 6
    assert len(world.tickets()) == 6
    assert world.one("SELECT count(*) FROM rmm_alerts WHERE status = 'auto_resolved'") == 2
    assert vendor.poll()["counts"] == {"processed": 4}


def test_two_polls_of_one_connection_are_kept_apart(world: World, vendor: Vendor) -> None:
    with world.unit() as session:
        first = runs.try_start(session, world.admin, "alert_reconcile", integration_id=world.integration_id)
        second = runs.try_start(session, world.admin, "alert_reconcile", integration_id=world.integration_id)
    assert (first is not None, second) == (True, None)


def test_no_transaction_is_open_while_the_vendor_is_asked(
    world: World, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    honest = TacticalClient.open_alerts

    def open_alerts(self: TacticalClient) -> Any:
        seen.append(world.rmm.db.session().in_transaction())
        return honest(self)

    monkeypatch.setattr(TacticalClient, "open_alerts", open_alerts)
    vendor.poll()
    assert seen == [False]


def test_a_lost_lease_writes_no_more(world: World, vendor: Vendor, script: Script) -> None:
    script.events = listed(1)
    run_id = vendor.start()
    script.while_asked = [lambda: world.do("UPDATE rmm_job_runs SET attempt = attempt + 1")]
    run = take_run(world, run_id)
    with world.app.app_context(), pytest.raises(runs.LeaseLost):
        reconcile_alerts(world.rmm, run)
    assert vendor.connection()["last_reconciled_at"] is None
