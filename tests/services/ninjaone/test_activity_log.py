"""Reading a simulated NinjaOne's activity log on: in order, once, and past whatever cannot be taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rmm_extension.domain.signals import ActivityPage, OrganizationSignal
from rmm_extension.providers.ninjaone import activities
from rmm_extension.services import activity_log, recurring
from rmm_extension.services.recurring import ACTIVITY
from tests.services.ninjaone.conftest import Scene


@pytest.fixture(autouse=True)
def nothing_is_too_young(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look begins where the last one ended."""
    monkeypatch.setattr(activities, "SETTLED", timedelta(minutes=-1))


def position(scene: Scene) -> str | None:
    found: str | None = scene.world.one("SELECT activity_position FROM rmm_integrations")
    return found


def newest(scene: Scene) -> str:
    return str(scene.ninja.lab.journal.last_id)


def noise(scene: Scene, number: int, code: str = "PROCESS_STARTED") -> None:
    """Activities of a device that do not concern us."""
    from simulators.ninjaone.events import device_event

    with scene.ninja.lab.lock:
        for _ in range(number):
            device_event(scene.ninja.lab, scene.machines[0], code, "MONITOR")


def test_the_first_look_takes_nothing(scene: Scene) -> None:
    scene.trigger(scene.known())
    row = scene.read_log()
    assert (row["status"], row["counts"]) == ("succeeded", {})
    assert position(scene) == newest(scene)
    assert scene.tickets() == []
    assert scene.read_log()["counts"] == {}


def test_what_happened_is_taken_in_its_order(scene: Scene) -> None:
    device = scene.known()
    scene.read_log()
    uid = scene.trigger(device)
    scene.ninja.control(f"alerts/{uid}/reset")
    other = scene.trigger(device, "Memory")
    scene.ninja.control(f"alerts/{other}/acknowledge")
    scene.ninja.control(f"devices/{device}/event", code="NODE_UPDATED")
    row = scene.read_log()
    assert row["counts"] == {"alerts": 4, "signals": 1}
    assert scene.world.alert(uid)["status"] == "auto_resolved"
    assert scene.world.alert(other)["status"] == "acknowledged"
    assert [one["channel"] for one in scene.signals()] == ["poll"]
    assert position(scene) == newest(scene)
    scene.world.do("UPDATE rmm_integrations SET activity_position = '1'")
    lines = scene.history()
    assert scene.read_log()["counts"]["skipped"] >= 5
    assert (scene.history(), len(scene.signals()), len(scene.tickets())) == (lines, 1, 2)


def test_many_pages(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activities, "PAGE", 10)
    device = scene.known()
    scene.read_log()
    uid = scene.trigger(device)
    noise(scene, 34)
    scene.ninja.control(f"alerts/{uid}/reset")
    noise(scene, 7)
    assert scene.read_log()["counts"] == {"alerts": 2}
    assert scene.world.alert(uid)["status"] == "auto_resolved"
    assert position(scene) == newest(scene)


def test_too_much_is_said_and_left_to_the_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activities, "PAGE", 10)
    monkeypatch.setattr(activities, "MOST_PAGES", 3)
    device = scene.known()
    scene.read_log()
    uid = scene.trigger(device)
    noise(scene, 60)
    other = scene.trigger(device, "Memory")
    row = scene.read_log()
    assert row["counts"] == {"alerts": 1}
    assert row["errors"] == [{"name": "Activity log", "message": activities.TOO_MUCH}]
    assert scene.world.alert(other)["status"] == "active"
    assert position(scene) == newest(scene)
    scene.poll()
    assert scene.world.alert(uid)["status"] == "active"


def test_what_is_long_ago_is_left_to_the_others(scene: Scene) -> None:
    device = scene.known()
    scene.read_log()
    uid = scene.trigger(device)
    with scene.ninja.lab.lock:
        scene.ninja.lab.journal.entries[-1].row["activityTime"] -= 90_000
    row = scene.read_log()
    assert [one["message"] for one in row["errors"]] == [activities.TOO_MUCH]
    assert scene.world.rows("SELECT id FROM rmm_alerts WHERE external_id = :id", id=uid) == []
    assert scene.read_log()["errors"] == []


def test_one_that_cannot_be_taken_blocks_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    device = scene.known()
    scene.read_log()
    poisoned, well = scene.trigger(device), scene.trigger(device, "Memory")
    real = activity_log.take

    def take(rmm: Any, tenant: Any, integration: Any, event: Any, channel: Any) -> Any:
        if event.external_id == poisoned:
            raise RuntimeError("no")
        return real(rmm, tenant, integration, event, channel)

    monkeypatch.setattr(activity_log, "take", take)
    row = scene.read_log()
    assert (row["status"], row["counts"]) == ("succeeded", {"alerts": 1, "failed": 1})
    (error,) = row["errors"]
    assert "RuntimeError" in error["message"]
    assert scene.world.alert(well)["status"] == "active"
    assert position(scene) == newest(scene)


def test_a_worker_that_dies_leaves_the_rest_to_the_next(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities, "PAGE", 10)
    device = scene.known()
    scene.read_log()
    first = scene.trigger(device)
    noise(scene, 20)
    last = scene.trigger(device, "Memory")
    real = activity_log.take

    def take(rmm: Any, tenant: Any, integration: Any, event: Any, channel: Any) -> Any:
        if event.external_id == last:
            raise KeyboardInterrupt
        return real(rmm, tenant, integration, event, channel)

    monkeypatch.setattr(activity_log, "take", take)
    with pytest.raises(KeyboardInterrupt):
        scene.read_log()
    assert scene.world.alert(first)["status"] == "active"
    assert position(scene) not in (None, newest(scene))
    monkeypatch.setattr(activity_log, "take", real)
    scene.world.do("UPDATE rmm_job_runs SET heartbeat_at = now() - interval '1 hour'")
    (run,) = scene.world.rows("SELECT id FROM rmm_job_runs WHERE status = 'running'")
    assert scene.perform(run["id"])["status"] == "succeeded"
    assert scene.world.alert(last)["status"] == "active"
    assert position(scene) == newest(scene)
    assert len(scene.tickets()) == 2


def test_another_accounts_log_is_read_from_here_on(scene: Scene) -> None:
    scene.known()
    scene.world.do("UPDATE rmm_integrations SET activity_position = '999999999'")
    row = scene.read_log()
    assert [one["message"] for one in row["errors"]] == [activities.ANEW]
    assert position(scene) == newest(scene)


def test_a_failed_look_moves_nothing_and_the_next_goes_on_from_there(scene: Scene) -> None:
    scene.read_log()
    scene.trigger(scene.known())
    before = position(scene)
    scene.ninja.fault("server_error", prefix="/v2/activities")
    assert scene.read_log()["status"] == "queued"
    assert position(scene) == before
    scene.ninja.lab.misbehaviours.clear()
    (run,) = scene.queued("activity_sync")
    assert scene.perform(run["id"])["counts"]["alerts"] == 1


def test_a_sign_in_that_was_replaced_meanwhile_keeps_its_own_position(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.read_log()
    scene.trigger(scene.known())
    real = activity_log.take

    def take(*args: Any) -> Any:
        scene.world.do(
            "UPDATE rmm_integrations SET activity_position = '5', connected_at = now() + interval '1 hour'"
        )
        return real(*args)

    monkeypatch.setattr(activity_log, "take", take)
    scene.read_log()
    assert position(scene) == "5"


def test_what_is_read_again_changes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activities, "SETTLED", timedelta(minutes=1))
    device = scene.known()
    scene.read_log()
    before = position(scene)
    uid = scene.trigger(device)
    scene.ninja.control(f"alerts/{uid}/reset")
    scene.ninja.control(f"devices/{device}/event", code="NODE_UPDATED")
    assert scene.read_log()["counts"] == {"alerts": 2, "signals": 1}
    assert position(scene) == before
    lines = scene.history()
    assert scene.read_log()["counts"] == {"skipped": 3}
    assert (scene.history(), len(scene.signals()), len(scene.tickets())) == (lines, 1, 1)
    assert scene.world.alert(uid)["status"] == "auto_resolved"


def test_it_comes_again_by_itself(scene: Scene) -> None:
    with scene.world.app.app_context():
        assert recurring.start_due_activity(scene.world.rmm) == 1
        assert recurring.start_due_activity(scene.world.rmm) == 0
    assert len(scene.queued("activity_sync")) == 1
    with scene.world.unit() as session:
        recurring.save_activity(
            session, scene.world.admin, scene.world.integration_id, enabled=False, minutes=30
        )
    scene.world.do("UPDATE rmm_job_runs SET status = 'succeeded', finished_at = now()")
    with scene.world.app.app_context():
        assert recurring.start_due_activity(scene.world.rmm) == 0
    (row,) = scene.world.rows("SELECT settings FROM rmm_integrations")
    assert row["settings"][ACTIVITY.setting] == {"enabled": False, "intervalMinutes": 30}
    assert row["settings"]["client_id"]


def test_word_of_organizations_is_a_signal(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    told = OrganizationSignal(
        external_id="m1", occurred_at=datetime.now(UTC), words="Renamed", external_organization_id="1"
    )
    provider = scene.world.rmm.providers.get("ninjaone")
    pages = [ActivityPage(events=(told,), position="7")]
    monkeypatch.setattr(provider, "activity", lambda connection, position: iter(pages), raising=False)
    scene.world.do("UPDATE rmm_integrations SET activity_position = '1'")
    assert scene.read_log()["counts"] == {"signals": 1}
    assert position(scene) == "7"
