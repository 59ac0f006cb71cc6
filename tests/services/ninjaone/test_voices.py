"""Which runs speak for a connection: what fails for long beside what goes well does not flip it."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.services import connections
from tests.services.ninjaone.conftest import Scene


def state(scene: Scene) -> str:
    return str(scene.world.one("SELECT state FROM rmm_integrations"))


def told(scene: Scene) -> list[str]:
    rows = scene.world.rows("SELECT topic FROM rmm_outbox WHERE topic LIKE 'connection%' ORDER BY id")
    return [row["topic"] for row in rows]


def forbid(scene: Scene, prefix: str) -> None:
    scene.ninja.fault("forbidden", prefix=prefix)


def settings(scene: Scene, **wishes: Any) -> None:
    with scene.world.unit() as session:
        connections.save_settings(session, scene.world.admin, scene.world.integration_id, wishes)


def test_a_log_that_cannot_be_read_is_no_trouble_of_a_connection_that_is_polled(scene: Scene) -> None:
    scene.read_log()
    forbid(scene, "/v2/activities")
    for _ in range(3):
        assert scene.read_log()["status"] == "failed"
        assert scene.poll()["status"] == "succeeded"
    assert (state(scene), told(scene)) == ("connected", [])


@pytest.mark.parametrize(
    "kind, prefix",
    [
        ("device_sync", "/v2/devices-detailed"),
        ("organization_sync", "/v2/organizations"),
        ("software_sync", "/v2/queries/software"),
        ("patch_sync", "/v2/queries/os-patch"),
    ],
)
def test_only_polls_speak_for_a_connection_that_is_polled(scene: Scene, kind: str, prefix: str) -> None:
    scene.ninja.fault("wrong_shape", prefix=prefix)
    failed = scene.run(kind)
    assert failed["status"] == "failed"
    assert (state(scene), told(scene)) == ("connected", [])
    scene.ninja.lab.misbehaviours.clear()
    forbid(scene, "/v2/alerts")
    scene.poll()
    words = scene.world.one("SELECT last_error FROM rmm_integrations")
    scene.run(kind)
    scene.read_log()
    scene.read_log()
    assert (state(scene), told(scene)) == ("error", ["connection_down"])
    assert scene.world.one("SELECT last_error FROM rmm_integrations") == words
    scene.ninja.lab.misbehaviours.clear()
    scene.poll()
    assert (state(scene), told(scene)) == ("connected", ["connection_down", "connection_up"])


def test_what_goes_well_has_the_poll_look_at_once(scene: Scene) -> None:
    forbid(scene, "/v2/alerts")
    scene.poll()
    scene.world.do("UPDATE rmm_integrations SET next_reconcile_at = now() + interval '1 hour'")
    scene.run("organization_sync")
    assert scene.world.one("SELECT next_reconcile_at FROM rmm_integrations") is None
    assert state(scene) == "error"


def test_without_polls_the_device_syncs_speak(scene: Scene) -> None:
    settings(scene, alertPolling={"enabled": False}, deviceSync={"enabled": True})
    forbid(scene, "/v2/devices-detailed")
    for _ in range(2):
        scene.run("device_sync")
        scene.run("organization_sync")
        scene.read_log()
    assert (state(scene), told(scene)) == ("error", ["connection_down"])
    scene.ninja.lab.misbehaviours.clear()
    scene.run("device_sync")
    assert (state(scene), told(scene)) == ("connected", ["connection_down", "connection_up"])


def test_where_nothing_comes_by_itself_what_a_person_starts_speaks(scene: Scene) -> None:
    settings(scene, alertPolling={"enabled": False}, deviceSync={"enabled": False})
    forbid(scene, "/v2/organizations")
    scene.run("organization_sync")
    assert state(scene) == "error"
    scene.ninja.lab.misbehaviours.clear()
    scene.read_log()
    assert state(scene) == "error"
    scene.poll()
    assert (state(scene), told(scene)) == ("connected", ["connection_down", "connection_up"])


@pytest.mark.parametrize("kind", ["activity_sync", "patch_sync", "device_sync"])
def test_refused_credentials_are_everybodys(scene: Scene, kind: str) -> None:
    scene.ninja.fault("unauthorized", prefix="/v2")
    assert scene.run(kind)["status"] == "failed"
    assert (state(scene), told(scene)) == ("needs_reauth", ["connection_down"])
