"""What a simulated NinjaOne tells of its devices: counted once, and asked for as seldom as it can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rmm_extension.services import relay
from rmm_extension.services.signals import SETTLE, TOPIC
from simulators.ninjaone.events import device_event
from tests.providers.ninjaone.bodies import told
from tests.services.ninjaone.conftest import Scene
from tests.services.working import relay_all, take_run

NOW = datetime.now(UTC)


def ago(**time: float) -> float:
    return (NOW - timedelta(**time)).timestamp()


def about(scene: Scene, device_id: str | int, code: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """A delivery of the mapped organization's device."""
    device = {"id": int(device_id), "organizationId": int(scene.organization), "displayName": "PC"}
    values = {"deviceId": int(device_id), "device": device, "id": number, "activityTime": ago(minutes=1)}
    return told(code, **{**values, **more})


def answer(scene: Scene, body: Any) -> dict[str, Any]:
    sent = scene.post(body)
    assert sent.status_code == 200, sent.json
    return dict(sent.json)


def test_a_new_device_is_fetched_once_whatever_is_told_of_it(scene: Scene) -> None:
    scene.subscribe()
    device = scene.ninja.control("devices", organization_id=int(scene.organization))["id"]
    answers = [answer(scene, about(scene, device, "NODE_UPDATED", number)) for number in range(50)]
    assert {one["outcome"] for one in answers} == {"device_refresh"}
    assert [one["outcome"] for one in scene.deliver()] == ["device_refresh"]
    (run,) = scene.queued("device_refresh")
    assert timedelta(0) < run["due_at"] - run["queued_at"] <= SETTLE + timedelta(seconds=1)
    calls = len(scene.ninja.paths("/v2"))
    assert scene.perform(run["id"])["counts"]["created"] == 1
    assert len(scene.ninja.paths(f"/v2/device/{device}")) == 1
    assert len(scene.ninja.paths("/v2")) - calls < 20
    assert scene.stored(str(device))["deleted_at"] is None
    assert len(scene.signals()) == 51


def test_what_comes_while_the_device_is_asked_has_it_asked_again(scene: Scene) -> None:
    device = scene.known()
    answer(scene, about(scene, device, "NODE_UPDATED", 1))
    (run,) = scene.queued("device_refresh")
    take_run(scene.world, run["id"])
    for number in (2, 3, 4):
        answer(scene, about(scene, device, "NODE_UPDATED", number))
    assert scene.queued("device_refresh") == []
    assert scene.world.one("SELECT count(*) FROM rmm_outbox WHERE topic = :topic", topic=TOPIC) == 3
    scene.world.do("UPDATE rmm_job_runs SET status = 'succeeded', finished_at = now()")
    scene.world.do("UPDATE rmm_outbox SET due_at = now()")
    relay_all(scene.world)
    assert len(scene.queued("device_refresh")) == 1


def test_one_that_still_runs_is_waited_for_again(scene: Scene) -> None:
    device = scene.known()
    answer(scene, about(scene, device, "NODE_UPDATED", 1))
    take_run(scene.world, scene.queued("device_refresh")[0]["id"])
    answer(scene, about(scene, device, "NODE_UPDATED", 2))
    scene.world.do("UPDATE rmm_outbox SET due_at = now() - interval '1 second'")
    with scene.world.app.app_context():
        (message,) = relay.claim(scene.world.rmm)
        relay.deliver(scene.world.rmm, message)
    assert scene.queued("device_refresh") == []
    assert scene.world.one("SELECT count(*) FROM rmm_outbox WHERE due_at > now()") == 1


def test_twice_and_by_both_channels_is_once(scene: Scene) -> None:
    device = scene.known(last_seen_at=NOW - timedelta(hours=1))
    scene.read_log()
    scene.subscribe()
    scene.ninja.control("deliveries/double", count=1)
    scene.ninja.control(f"devices/{device}/event", code="SYSTEM_REBOOTED")
    assert [one["outcome"] for one in scene.deliver()] == ["device_seen", "skipped"]
    before = scene.stored(device)
    assert scene.read_log()["counts"] == {"skipped": 1}
    assert scene.stored(device) == before
    (signal,) = scene.signals()
    assert (signal["channel"], signal["words"], signal["outcome"]) == ("webhook", "Restarted", "device_seen")
    assert str(signal["device_id"]) == str(before["id"])


def test_a_restart_is_told_to_device_and_asset(scene: Scene) -> None:
    asset = scene.world.one(
        "SELECT id FROM assets WHERE tenant_id = :tenant AND client_id = :client LIMIT 1",
        tenant=scene.world.tenant,
        client=scene.world.client_id,
    )
    device = scene.known(status="offline", asset_id=asset, last_seen_at=NOW - timedelta(days=1))
    at = ago(minutes=5)
    assert answer(scene, about(scene, device, "SYSTEM_REBOOTED", activityTime=at))["outcome"] == "device_seen"
    row = scene.stored(device)
    assert (row["status"], row["last_seen_at"].timestamp()) == ("online", pytest.approx(at))
    assert datetime.fromisoformat(row["facts"]["boot_at"]).timestamp() == pytest.approx(at)
    (told_asset,) = scene.world.rows("SELECT * FROM assets WHERE id = :id", id=asset)
    assert (told_asset["agent_status"], told_asset["last_seen_at"]) == ("online", row["last_seen_at"])
    outbox = scene.world.rows("SELECT payload FROM rmm_outbox WHERE topic = 'device_events'")
    assert [row["payload"]["name"] for row in outbox] == ["device_online"]


def test_who_is_signed_in(scene: Scene) -> None:
    device = scene.known(last_seen_at=NOW - timedelta(days=1))
    answer(scene, about(scene, device, "USER_LOGGED_IN", 1, subject="ada", activityTime=ago(minutes=9)))
    assert scene.stored(device)["facts"]["current_user"] == "ada"
    answer(scene, about(scene, device, "USER_LOGGED_OUT", 2, activityTime=ago(minutes=8)))
    assert scene.stored(device)["facts"]["current_user"] == ""


def test_never_backwards(scene: Scene) -> None:
    device = scene.known(status="offline", last_seen_at=NOW - timedelta(minutes=5))
    before = scene.stored(device)
    old = about(scene, device, "SYSTEM_REBOOTED", activityTime=ago(minutes=6))
    assert answer(scene, old) == {"recorded": True, "outcome": "skipped", "reason": "older_event"}
    assert scene.stored(device) == before


def test_a_clock_that_runs_ahead_is_held_to_now(scene: Scene) -> None:
    device = scene.known(last_seen_at=NOW - timedelta(minutes=5))
    answer(scene, about(scene, device, "SYSTEM_REBOOTED", activityTime=ago(days=-300)))
    assert scene.stored(device)["last_seen_at"] <= datetime.now(UTC)


@pytest.mark.parametrize(
    "policy, kept, asset_status",
    [("never", False, "active"), ("mark_inactive", False, "inactive"), ("mark_inactive", True, "active")],
)
def test_a_deletion_is_believed_at_once_and_the_asset_goes_by_the_policy(
    scene: Scene, policy: str, kept: bool, asset_status: str
) -> None:
    asset = scene.world.one(
        "SELECT id FROM assets WHERE tenant_id = :tenant AND client_id = :client LIMIT 1",
        tenant=scene.world.tenant,
        client=scene.world.client_id,
    )
    scene.world.do(
        "UPDATE rmm_integrations SET settings = settings || jsonb_build_object('deletionPolicy',"
        " CAST(:policy AS text))",
        policy=policy,
    )
    device = scene.known(asset_id=asset, kept=kept, last_seen_at=NOW - timedelta(hours=1))
    scene.subscribe()
    scene.ninja.control(f"devices/{device}/delete")
    assert "device_deleted" in [one["outcome"] for one in scene.deliver()]
    assert scene.stored(device)["deleted_at"] is not None
    (row,) = scene.world.rows("SELECT status FROM assets WHERE id = :id", id=asset)
    assert row["status"] == asset_status
    assert answer(scene, about(scene, device, "NODE_DELETED", 9))["reason"] == "device_unknown"


def test_a_late_deletion_of_a_device_that_is_back_asks_for_it(scene: Scene) -> None:
    device = scene.known(last_seen_at=NOW)
    late = about(scene, device, "NODE_DELETED", activityTime=ago(minutes=30), device=None)
    assert answer(scene, late)["outcome"] == "device_refresh"
    assert scene.stored(device)["deleted_at"] is None


@pytest.mark.parametrize(
    "change", ["client_id = NULL", "auto_sync = FALSE"], ids=["not mapped", "sync is off"]
)
def test_of_an_organization_that_is_not_synced_nothing_is_fetched(scene: Scene, change: str) -> None:
    device = scene.known()
    scene.world.do(f"UPDATE rmm_organization_mappings SET {change}")
    for number, code in enumerate(("NODE_UPDATED", "SYSTEM_REBOOTED", "SOFTWARE_ADDED")):
        said = answer(scene, about(scene, device, code, number))
        assert said == {"recorded": True, "outcome": "skipped", "reason": "organization_not_synced"}
    assert scene.queued("device_refresh") == scene.queued("software_refresh") == []


def test_patches_and_software_are_fetched_for_the_device(scene: Scene) -> None:
    device = scene.known()
    for number in range(20):
        said = answer(scene, about(scene, device, "PATCH_MANAGEMENT_INSTALLED", number))
        assert said["outcome"] == "patch_refresh"
        said = answer(scene, about(scene, device, "SOFTWARE_ADDED", 100 + number))
        assert said["outcome"] == "software_refresh"
    (patches,), (software,) = scene.queued("patch_refresh"), scene.queued("software_refresh")
    assert patches["subject"]["external_id"] == software["subject"]["external_id"] == device
    assert scene.perform(patches["id"])["status"] == "succeeded"
    assert scene.perform(software["id"])["status"] == "succeeded"


def test_of_a_stranger_the_device_itself_is_fetched(scene: Scene) -> None:
    device = scene.machines[0].id
    assert answer(scene, about(scene, device, "SOFTWARE_ADDED"))["outcome"] == "device_refresh"
    assert answer(scene, about(scene, device, "SYSTEM_REBOOTED", 2))["outcome"] == "device_refresh"
    assert len(scene.queued("device_refresh")) == 1
    assert answer(scene, about(scene, 999_999, "NODE_DELETED", 3))["reason"] == "device_unknown"


def test_of_a_stranger_that_nobody_places_only_news_is_asked_for(scene: Scene) -> None:
    """The log names no organization: of a fleet that is not synced here each sign-in would be a call."""
    scene.read_log()
    with scene.ninja.lab.lock:
        for code in ("USER_LOGGED_IN", "SOFTWARE_ADDED", "PATCH_MANAGEMENT_SCAN_COMPLETED"):
            device_event(scene.ninja.lab, scene.machines[0], code, "SYSTEM")
        device_event(scene.ninja.lab, scene.machines[1], "NODE_CREATED", "SYSTEM")
    scene.read_log()
    found = [(one["outcome"], one["reason"]) for one in scene.signals()]
    assert found == [*[("skipped", "device_unknown")] * 3, ("device_refresh", None)]
    (run,) = scene.queued("device_refresh")
    assert run["subject"]["external_id"] == str(scene.machines[1].id)


def test_what_a_delivery_costs(scene: Scene, statement_counter: Any) -> None:
    """Of which two are the connection's and the tenant's, as for an alert."""
    device = scene.known(last_seen_at=NOW - timedelta(hours=1))
    bodies = {
        "seen": about(scene, device, "SYSTEM_REBOOTED", 1),
        "refresh": about(scene, device, "NODE_UPDATED", 2),
        "again": about(scene, device, "NODE_UPDATED", 2),
    }
    scene.post(about(scene, device, "NODE_UPDATED", 3))
    counted = {}
    for name, body in bodies.items():
        with statement_counter() as sent:
            assert scene.post(body).status_code == 200
        counted[name] = sent.count
    assert counted == {"seen": 5, "refresh": 6, "again": 4}


def test_a_failure_keeps_the_delivery_and_counts_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What followed was undone, so the signal is not taken for counted when it is tried again."""
    from rmm_extension.services import replay, signals

    device = scene.known(last_seen_at=NOW - timedelta(hours=1))
    monkeypatch.setattr(signals.told, "seen", lambda *_: 1 / 0)
    sent = scene.post(about(scene, device, "SYSTEM_REBOOTED"))
    assert (sent.status_code, sent.json["outcome"]) == (202, "stored_for_retry")
    assert scene.signals() == []
    monkeypatch.undo()
    (row,) = scene.world.rows("SELECT id FROM rmm_webhook_deliveries")
    with scene.world.app.app_context():
        replay.try_again(scene.world.rmm, scene.world.tenant, row["id"], replayed_by=None)
        replay.try_again(scene.world.rmm, scene.world.tenant, row["id"], replayed_by="Ada")
    (stored,) = scene.world.rows("SELECT * FROM rmm_webhook_deliveries")
    assert (stored["state"], stored["outcome"]) == ("processed", "skipped")
    assert len(scene.signals()) == 1
    assert "boot_at" in scene.stored(device)["facts"]
