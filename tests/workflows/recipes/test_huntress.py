"""The Huntress recipe against a simulated Huntress: an incident is described, and closed on both sides."""

from __future__ import annotations

from typing import Any

import pytest

from tests.blueprints.conftest import said
from tests.services.huntress.conftest import Scene, huntress, scene
from tests.workflows.recipes.kitchen import Kitchen

__all__ = ["huntress", "scene"]


@pytest.fixture
def kitchen(scene: Scene) -> Kitchen:
    return Kitchen(scene.world)


def begin(scene: Scene, kitchen: Kitchen, *, approved: bool = True, **wanted: Any) -> str:
    """An incident by webhook, and all that follows."""
    scene.webhook()
    number = scene.raised(**wanted)
    if approved:
        scene.huntress.control(f"incidents/{number}/approve")
    scene.deliver()
    kitchen.work()
    return number


def test_it_is_described_and_closed_on_both_sides(scene: Scene, kitchen: Kitchen) -> None:
    kitchen.publish("huntress-close", severities=["low"])
    number = begin(scene, kitchen, severity="low")
    done = ("incident", "agent", "note", "resolve", "close")
    assert kitchen.steps() == dict.fromkeys(done, "succeeded")
    assert scene.status(number) == "closed"
    assert scene.world.alert(number)["status"] in ("resolved", "auto_resolved")
    (ticket,) = scene.tickets()
    assert ticket["closed_at"] is not None
    subject = scene.huntress.lab.incidents[int(number)].subject
    host = scene.hosts()[0].hostname
    assert any(subject in note and host in note for note in scene.notes())
    (run,) = kitchen.runs()
    assert "4. Close it in Huntress Done" in said(kitchen.browser.get(f"/rmm/workflows/runs/{run['id']}"))


def test_its_echoes_start_nothing_more(scene: Scene, kitchen: Kitchen) -> None:
    kitchen.publish("huntress-close", severities=["low"])
    begin(scene, kitchen, severity="low")
    scene.deliver()
    assert scene.poll()["status"] == "succeeded"
    kitchen.work()
    assert len(kitchen.runs()) == 1
    assert len([one for one in scene.huntress.paths() if one.startswith("POST ")]) == 1


def test_one_of_another_severity_is_described_and_left_to_people(scene: Scene, kitchen: Kitchen) -> None:
    kitchen.publish("huntress-close", severities=["low"])
    number = begin(scene, kitchen, severity="critical")
    assert kitchen.steps()["note"] == "succeeded"
    assert (kitchen.steps()["resolve"], kitchen.steps()["close"]) == ("skipped", "skipped")
    assert scene.status(number) == "sent"
    assert scene.tickets()[0]["closed_at"] is None


def test_what_is_not_approved_stays_open_on_both_sides_and_says_why(scene: Scene, kitchen: Kitchen) -> None:
    kitchen.publish("huntress-close", severities=["low"])
    number = begin(scene, kitchen, approved=False, severity="low", remediations=2)
    resolve = next(one for one in kitchen.told() if one["step_id"] == "resolve")
    assert (resolve["state"], resolve["error_code"]) == ("failed", "CONFLICT")
    assert scene.status(number) == "sent"
    assert scene.tickets()[0]["closed_at"] is None
    (run,) = kitchen.runs()
    assert run["state"] == "failed"
    assert "not approved" in said(kitchen.browser.get(f"/rmm/workflows/runs/{run['id']}"))
