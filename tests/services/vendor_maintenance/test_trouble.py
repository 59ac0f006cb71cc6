"""Devices that fail, answers that never came, workers that die, connections that are not called."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from rmm_extension.domain.errors import (
    AuthFailed,
    InvalidRequest,
    NotFound,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Unavailable,
)
from rmm_extension.jobs import execute
from rmm_extension.models import utc_now
from rmm_extension.services import maintenance, vendor_maintenance
from rmm_extension.services.vendor_maintenance import telling
from tests.harness.world import World
from tests.services.working import queued, take_run, work

from .vendor import KIND, Vendor, activity, due_now, edit, go, run_once, stands, tick, window


def test_one_device_that_fails_keeps_no_other_back_and_is_tried_again_later(
    known: World, vendor: Vendor
) -> None:
    window(known)
    vendor.fails["d1"] = NotFound("The vendor does not know this device.")
    assert go(known) == [{"set": 2, "ended": 0, "failed": 1}]
    assert stands(known)["d1"] == "failed"
    assert go(known) == []  # not at once
    vendor.fails.clear()
    due_now(known)
    assert go(known) == [{"set": 1, "ended": 0, "failed": 0}]
    (row,) = known.rows("SELECT * FROM rmm_job_runs WHERE kind = :kind AND errors <> '[]'", kind=KIND)
    assert row["errors"] == [{"name": "SRV-1", "message": "The vendor does not know this device."}]


def test_gaps_grow(known: World, vendor: Vendor) -> None:
    window(known)
    vendor.fails["*"] = InvalidRequest("No.")
    gaps = []
    for _ in range(3):
        go(known)
        due = known.one("SELECT max(due_at) FROM rmm_vendor_maintenance")
        gaps.append(round((due - utc_now()) / timedelta(minutes=1)))
        due_now(known)
    assert gaps == [1, 2, 4]


def test_a_vendor_that_asks_for_patience_puts_the_run_off_and_loses_nothing(
    known: World, vendor: Vendor
) -> None:
    window(known)
    vendor.fails["d2"] = RateLimited("Wait.", retry_after=30)
    tick(known)
    assert run_once(known) == "rescheduled"
    assert len(vendor.told) <= 3
    assert "failed" not in stands(known).values()
    tick(known)
    assert len(queued(known, KIND)) == 1  # the one that is put off
    vendor.fails.clear()
    known.do("UPDATE rmm_job_runs SET due_at = now()")
    assert run_once(known) == "succeeded"
    assert set(stands(known).values()) == {"set"}
    assert known.one("SELECT count(*) FROM rmm_vendor_maintenance WHERE attempts > 0") == 0


@pytest.mark.parametrize(
    "error, outcome",
    [
        (PermissionMissing("The scope Management is missing."), "failed"),
        (AuthFailed("Sign in again."), "failed"),
        (Unavailable("No answer."), "rescheduled"),
    ],
)
def test_what_concerns_every_device_is_asked_about_once(
    known: World, vendor: Vendor, error: ProviderError, outcome: str
) -> None:
    window(known)
    vendor.fails["*"] = error
    tick(known)
    assert run_once(known) == outcome
    assert len(vendor.told) == 1
    tick(known)
    if outcome == "failed":
        assert queued(known, KIND) == []
        assert set(stands(known).values()) == {"failed"}
        assert {row["error"] for row in known.rows("SELECT error FROM rmm_vendor_maintenance")} == {
            str(error)
        }


def test_an_answer_that_never_came_is_taken_back_all_the_same(known: World, vendor: Vendor) -> None:
    """The vendor may have heard: when the window is over early, the device is taken out."""
    found = window(known)
    vendor.fails["d1"] = Unavailable("No answer.")
    tick(known)
    run_once(known)
    vendor.fails.clear()
    edit(known, found, atVendor=False)
    known.do("UPDATE rmm_job_runs SET due_at = now()")
    tick(known)
    assert run_once(known) == "succeeded"
    assert "d1" in vendor.calls("end")


def test_what_surely_did_not_arrive_is_not_taken_back(known: World, vendor: Vendor) -> None:
    found = window(known)
    vendor.fails["*"] = InvalidRequest("No.")
    go(known)
    edit(known, found, atVendor=False)
    assert go(known) == []
    assert vendor.calls("end") == []
    assert stands(known) == {}


def die(world: World, run_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker ends right behind the vendor's answer."""

    class Killed(BaseException):
        pass

    def dies(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch, world.app.app_context():
        patch.setattr(telling._Work, "_answered", dies)
        run = take_run(world, run_id)
        with pytest.raises(Killed):
            vendor_maintenance.tell_vendor(world.rmm, run)


def test_a_worker_that_dies_behind_the_vendor_s_answer_is_repeated(
    known: World, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    window(known)
    tick(known)
    (run_id,) = queued(known, KIND)

    die(known, run_id, monkeypatch)
    assert len(vendor.told) == 1
    known.do("UPDATE rmm_job_runs SET heartbeat_at = now() - interval '5 minutes'")
    with known.app.app_context():
        assert execute.perform(known.rmm, known.tenant, run_id, 1) == "succeeded"
    assert len(vendor.told) == 4
    assert set(stands(known).values()) == {"set"}


def test_killed_while_it_ended_early_leaves_nothing_behind(
    known: World, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = window(known)
    tick(known)
    (run_id,) = queued(known, KIND)
    die(known, run_id, monkeypatch)
    with known.unit() as session:
        maintenance.delete(known.rmm, session, known.admin, found)
    tick(known)
    known.do("UPDATE rmm_job_runs SET heartbeat_at = now() - interval '5 minutes'")
    with known.app.app_context():
        assert execute.perform(known.rmm, known.tenant, run_id, 1) == "succeeded"
    assert vendor.held == {}
    assert stands(known) == {}


def test_a_paused_connection_is_not_called_and_the_window_s_activity_says_so(
    known: World, vendor: Vendor
) -> None:
    found = window(known)
    go(known)
    vendor.told.clear()
    known.do("UPDATE rmm_integrations SET state = 'paused'")
    assert go(known) == []
    assert set(stands(known).values()) == {"set"}  # the window goes on, and so does the vendor's maintenance
    with known.unit() as session:
        maintenance.end_now(session, known.admin, found)
    assert go(known) == []
    assert vendor.told == []
    (told,) = activity(known, "window.left_at_vendor")
    assert told["changes"]["at the vendor"].startswith("3 devices stay in maintenance until")
    assert "is paused" in told["changes"]["because"]
    tick(known)
    assert len(activity(known, "window.left_at_vendor")) == 1
    known.do("UPDATE rmm_integrations SET state = 'connected'")
    assert go(known) == [{"set": 0, "ended": 3, "failed": 0}]
    assert vendor.held == {}


def test_nothing_is_begun_on_a_connection_that_does_not_work(known: World, vendor: Vendor) -> None:
    known.do("UPDATE rmm_integrations SET state = 'needs_reauth'")
    window(known)
    assert go(known) == []
    assert stands(known) == {}


def test_a_connection_that_is_left_is_not_called(known: World, vendor: Vendor) -> None:
    window(known)
    tick(known)
    known.do("UPDATE rmm_integrations SET state = 'not_connected'")
    (said,) = work(known, KIND)
    assert "not connected" in str(said)
    assert vendor.told == []
    assert queued(known, KIND) == []
