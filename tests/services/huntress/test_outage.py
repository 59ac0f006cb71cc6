"""Huntress does not answer for two hours: one notification down, one up, nothing lost and nothing closed.

Nobody waits here: time passes by having all that has happened lie further back, here and at the vendor.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rmm_extension.domain.pace import Rate
from rmm_extension.jobs.execute import perform
from rmm_extension.providers.huntress import client
from rmm_extension.services import recurring, schedule
from tests.services.huntress.conftest import Scene
from tests.services.working import relay_all

STEP = timedelta(minutes=5)
TWO_HOURS = range(24)
"""So many steps."""
_TIMES = """
SELECT table_name, string_agg(column_name, ' ' ORDER BY column_name) AS columns
FROM information_schema.columns
WHERE table_name LIKE 'rmm%' AND data_type = 'timestamp with time zone'
GROUP BY table_name
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests have no turns to wait for."""
    monkeypatch.setattr(client, "RATE", Rate(interval=0.001, burst=100))


def time_passes(scene: Scene) -> None:
    """Five minutes, on every clock."""
    for table in scene.world.rows(_TIMES):
        moved = ", ".join(f"{one} = {one} - CAST(:step AS interval)" for one in table["columns"].split())
        scene.world.do(f"UPDATE {table['table_name']} SET {moved}", step=str(STEP))
    with scene.huntress.lab.lock:
        for one in scene.huntress.lab.incidents.values():
            one.created -= STEP.total_seconds()
            one.updated -= STEP.total_seconds()
            one.status_updated -= STEP.total_seconds()


def tick(scene: Scene) -> list[str]:
    """What scheduler and workers do now; how the polls among it ended."""
    world, ended = scene.world, []
    with world.app.app_context():
        recurring.start_due_polls(world.rmm)
        while runs := schedule.hand_out(world.rmm):
            for one in runs:
                perform(world.rmm, one.tenant_id, one.run_id, one.attempt)
                ended += _ended(scene, one)
    relay_all(world)
    return ended


def _ended(scene: Scene, run: schedule.Handout) -> list[str]:
    if run.kind != "alert_reconcile":
        return []
    return [scene.world.one("SELECT status FROM rmm_job_runs WHERE id = :id", id=run.run_id)]


def told(scene: Scene) -> list[str]:
    """What one administrator was told of the connection."""
    rows: list[dict[str, Any]] = scene.world.rows(
        "SELECT n.title FROM notifications n JOIN users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id"
        " WHERE u.role = 'admin' AND n.subtype <> 'RMM Alert Triggered' ORDER BY n.created_at"
    )
    return [row["title"] for row in rows]


def test_two_hours_without_an_answer(scene: Scene) -> None:
    scene.webhook()
    before = scene.raised(announced=False)
    assert tick(scene) == ["succeeded"]
    scene.huntress.fault("server_error", prefix="/v1")
    silent, announced = [], []
    for number in TWO_HOURS:
        time_passes(scene)
        if number % 2:
            silent.append(scene.raised(announced=False))
        if number % 6 == 3:
            announced.append(scene.raised())
            assert [one["outcome"] for one in scene.deliver()] == ["ticket_created"]
        assert "succeeded" not in tick(scene)
        assert scene.world.alert(before)["status"] == "active"
    assert len(told(scene)) == 1
    assert {row["external_id"] for row in _alerts(scene)} == {before, *announced}

    scene.huntress.lab.misbehaviours.clear()
    for _ in range(8):
        time_passes(scene)
        tick(scene)
    assert len(told(scene)) == 2, "down and up, once each"
    alerts = {row["external_id"]: row["status"] for row in _alerts(scene)}
    assert alerts == dict.fromkeys([before, *announced, *silent], "active")
    tickets = scene.tickets()
    assert len(tickets) == len(alerts)
    assert {ticket["closed_at"] for ticket in tickets} == {None}
    assert scene.world.rows("SELECT 1 FROM rmm_set_aside_alerts") == []
    assert scene.world.one("SELECT state FROM rmm_integrations") == "connected"


def _alerts(scene: Scene) -> list[dict[str, Any]]:
    return scene.world.rows("SELECT external_id, status FROM rmm_alerts")
