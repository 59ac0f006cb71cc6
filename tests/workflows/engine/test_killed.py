"""A worker is killed at each point of a step that asks a vendor: counted there, nothing is done twice, and
nothing is lost without a word."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from rmm_extension.services import schedule
from tests.harness.webserver import ROOT, environment
from tests.workflows.engine.dying import POINTS
from tests.workflows.engine.studio import document, step
from tests.workflows.engine.vendor import REBOOT, Vendor

UNKNOWN = {"action_before_the_call": 0, "action_after_the_answer": 1, "action_before_its_commit": 1}
"""Points at which nobody can know whether it happened, and how often it did."""


def kill(vendor: Vendor, point: str) -> None:
    """Have a worker take what waits and die at the point."""
    kind = "device_action" if point.startswith("action_") else "workflow_step"
    jobs = vendor.studio.jobs(kind)
    job = jobs[0] if jobs else {"id": "-", "attempt": 0}
    ended = subprocess.run(
        [sys.executable, "-m", "tests.workflows.engine.dying", point, vendor.world.tenant, str(job["id"]),
         str(job["attempt"])],
        env=environment(vendor.world), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def find_again(vendor: Vendor) -> None:
    """The tick of a minute later: claims and leases of the dead have run out."""
    world = vendor.world
    world.do("UPDATE rmm_outbox SET due_at = now() - interval '1 second'")
    world.do(
        "UPDATE rmm_job_runs SET heartbeat_at = now() - interval '1 hour', enqueued_at = NULL"
        " WHERE status = 'running'"
    )
    with world.app.app_context():
        found = schedule.hand_out(world.rmm)
    for one in found:
        vendor.studio.do({"id": one.run_id, "attempt": one.attempt})
    vendor.studio.work()


def before(vendor: Vendor, point: str) -> None:
    """Bring a run to where the point is."""
    vendor.studio.publish(document(step("reboot", REBOOT), step("note")))
    vendor.tell()
    if point.startswith("event_"):
        return
    if point.startswith("start_"):
        vendor.relay_once()
        return
    vendor.relay()
    if not point.startswith("step_"):
        vendor.do_next("workflow_step")
    if point.startswith("over_"):
        vendor.do_next("device_action")


@pytest.mark.parametrize("point", POINTS)
def test_whatever_is_killed_when(vendor: Vendor, point: str) -> None:
    before(vendor, point)
    kill(vendor, point)
    find_again(vendor)
    run = vendor.studio.run()
    if point in UNKNOWN:
        assert vendor.sent() == ["rebootnow"] * UNKNOWN[point]
        assert (run["state"], vendor.studio.states()) == ("unknown", ["unknown"])
        assert "look at the device" in run["message"]
        assert not vendor.studio.written()
    else:
        assert vendor.sent() == ["rebootnow"]
        assert (run["state"], vendor.studio.states()) == ("succeeded", ["requested", "succeeded"])
        assert vendor.studio.written() == ["note"]
    find_again(vendor)
    assert len(vendor.sent()) == UNKNOWN.get(point, 1)


@pytest.mark.parametrize("point", UNKNOWN)
@pytest.mark.parametrize("choice, more, state", [("happened", 0, "succeeded"), ("again", 1, "succeeded"),
                                                 ("stop", 0, "cancelled")])  # fmt: skip
def test_a_person_decides_what_nobody_knows(
    vendor: Vendor, point: str, choice: str, more: int, state: str
) -> None:
    before(vendor, point)
    kill(vendor, point)
    find_again(vendor)
    vendor.studio.decide(vendor.studio.run()["id"], choice)
    vendor.studio.work()
    assert vendor.studio.run()["state"] == state
    assert len(vendor.sent()) == UNKNOWN[point] + more
    assert vendor.studio.written() == (["note"] if state == "succeeded" else [])
    find_again(vendor)
    assert len(vendor.sent()) == UNKNOWN[point] + more


def test_a_step_of_ours_that_is_killed_is_done_once(vendor: Vendor) -> None:
    for point in ("step_before_its_commit", "step_after_its_commit"):
        vendor.studio.publish(document(step(point)), name=point)
    vendor.tell()
    vendor.relay()
    kill(vendor, "step_before_its_commit")
    assert not vendor.studio.written()
    kill(vendor, "step_after_its_commit")
    assert len(vendor.studio.written()) == 1
    find_again(vendor)
    assert sorted(vendor.studio.written()) == ["step_after_its_commit", "step_before_its_commit"]
    assert {run["state"] for run in vendor.studio.runs()} == {"succeeded"}
