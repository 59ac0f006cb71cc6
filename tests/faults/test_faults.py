"""What must hold when something is killed or goes away. Nothing here helps the installation back up."""

from __future__ import annotations

import time

import pytest

from tests.faults.harness import AGENTS, Connected, Reply, Stage
from tests.harness.wait import until

pytestmark = pytest.mark.faults

DUPLICATES = """
    SELECT count(*) FROM (
        SELECT 1 FROM rmm_devices GROUP BY tenant_id, integration_id, external_id HAVING count(*) > 1
    ) AS twice
"""
ASSETS = "SELECT count(*) FROM rmm_devices WHERE asset_id IS NOT NULL"
DISTINCT_ASSETS = "SELECT count(DISTINCT asset_id) FROM rmm_devices"


def alerts(installation: Stage) -> int:
    return installation.number("SELECT count(*) FROM rmm_alerts WHERE message LIKE 'Fault %'")


def tickets(installation: Stage) -> int:
    return installation.number(
        "SELECT count(*) FROM rmm_alerts WHERE message LIKE 'Fault %' AND ticket_id IS NOT NULL"
    )


def synced(installation: Stage) -> Connected:
    connected = installation.connect()
    installation.finish(installation.begin("device_sync", connected.id))
    return connected


def slow(installation: Stage, prefix: str, seconds: float) -> None:
    installation.vendor("/api/misbehaviour", {"mode": "slow", "prefix": prefix, "seconds": seconds})


def test_a_sync_whose_worker_is_killed_is_finished_by_the_scheduler_alone(installation: Stage) -> None:
    connected = installation.connect()
    slow(installation, "/agents/", 1.0)
    run_id = installation.begin("device_sync", connected.id)
    until(lambda: installation.run(run_id)["done_count"] > 0, "the first page", 60)
    installation.kill_worker("rmm-sync")
    assert installation.run(run_id)["status"] == "running"
    installation.vendor("/api/misbehaviour/clear", {})
    done = installation.finish(run_id, seconds=90)
    assert done["attempt"] == 2
    assert installation.number("SELECT count(*) FROM rmm_devices") == AGENTS
    assert installation.number(DUPLICATES) == 0
    assert installation.number(ASSETS) == installation.number(DISTINCT_ASSETS) == AGENTS


def test_a_software_sync_whose_worker_is_killed_is_finished_without_duplicates(installation: Stage) -> None:
    connected = synced(installation)
    slow(installation, "/software/", 5.0)
    run_id = installation.begin("software_sync", connected.id)
    until(lambda: installation.run(run_id)["status"] == "running", "the run's worker", 60)
    installation.kill_worker("rmm-sync")
    installation.vendor("/api/misbehaviour/clear", {})
    done = installation.finish(run_id, seconds=90)
    assert done["attempt"] == 2
    rows = installation.number("SELECT count(*) FROM rmm_device_software WHERE removed_at IS NULL")
    assert rows == done["counts"]["installed"] > 0
    again = installation.finish(installation.begin("software_sync", connected.id))
    assert again["counts"]["unchanged"] == again["counts"]["processed"] == done["counts"]["processed"]


def test_a_patch_sync_whose_worker_is_killed_is_finished_without_duplicates(installation: Stage) -> None:
    connection = installation.connect_ninjaone()
    installation.finish(installation.begin("device_sync", connection))
    address, path = installation.ports.simulator_url("ninjaone"), "/v2/queries/software-patch-installs"
    fault = {"mode": "slow", "prefix": path, "seconds": 5.0}
    installation.vendor("/api/misbehaviour", fault, address)
    run_id = installation.begin("patch_sync", connection)
    until(lambda: installation.run(run_id)["status"] == "running", "the run's worker", 60)
    installation.kill_worker("rmm-sync")
    installation.vendor("/api/misbehaviour/clear", {}, address)
    done = installation.finish(run_id, seconds=90)
    assert done["attempt"] == 2
    assert installation.number("SELECT count(*) FROM rmm_device_patches") == done["counts"]["added"] > 0
    again = installation.finish(installation.begin("patch_sync", connection))
    assert again["counts"]["unchanged"] == again["counts"]["processed"] == done["counts"]["processed"]


def test_while_redis_is_away_webhooks_are_taken_and_tickets_appear(installation: Stage) -> None:
    connected = synced(installation)
    installation.valkey.kill()
    for number in range(5):
        started = time.monotonic()
        reply = connected.alert(installation, 5000 + number)
        assert reply.status == 200, reply
        assert time.monotonic() - started < 2
    assert tickets(installation) == 5
    waiting = installation.number("SELECT count(*) FROM rmm_outbox")
    assert waiting > 0
    run_id = installation.begin("device_sync", connected.id)
    installation.valkey.start()
    installation.finish(run_id, seconds=120)
    until(
        lambda: not installation.number("SELECT count(*) FROM rmm_outbox WHERE attempts < 2"),
        "an empty outbox",
        90,
    )


def test_while_postgresql_is_away_the_vendor_is_asked_to_come_again(installation: Stage) -> None:
    connected = synced(installation)
    alert = connected.alert(installation, 6000)
    assert alert.status == 200
    path = connected.webhook
    headers = {"X-RMM-Webhook-Secret": connected.secret}
    body = {
        "agent_id": "x",
        "alert_id": 6001,
        "event": "trigger",
        "severity": "error",
        "message": "Fault 6001",
    }
    installation.postgres.kill()
    for _ in range(3):
        started = time.monotonic()
        reply = installation.web(path, body, headers)
        assert reply.status == 503, reply
        assert int(reply.headers["Retry-After"]) > 0
        assert time.monotonic() - started < 2
    installation.start_postgres()

    def taken() -> Reply | None:
        reply = installation.web(path, body, headers)
        return reply if reply.status == 200 else None

    until(taken, "a delivery being taken", 30, 0.2)
    assert alerts(installation) == 2
    installation.finish(installation.begin("device_sync", connected.id), seconds=120)


def test_a_killed_scheduler_loses_nothing_and_two_are_harmless(installation: Stage) -> None:
    connected = synced(installation)
    installation.kill("scheduler")
    installation.valkey.kill()
    run_id = installation.begin("device_sync", connected.id)  # nobody can be told
    installation.valkey.start()
    for name in ("scheduler", "scheduler-2"):
        installation.start(name, installation._argv("scheduler"))
    installation.finish(run_id, seconds=120)
    assert installation.run(run_id)["attempt"] == 1
    assert installation.number("SELECT count(*) FROM rmm_job_runs WHERE kind = 'device_sync'") == 2
