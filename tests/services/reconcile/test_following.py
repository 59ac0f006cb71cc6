"""A vendor that tells what changed: all of it comes, once, and how far it was read moves only past that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rmm_extension.domain.errors import BadResponse, Unavailable
from rmm_extension.models import MaintenanceWindow, utc_now
from rmm_extension.services import recurring, runs, window_end
from rmm_extension.services.reconcile.follow import OVERLAP
from tests.harness.world import World
from tests.services.reconcile.follower import Follower, ago, follow
from tests.services.working import queued, steps, work

SHUTDOWN = "57P01"
"""The state with which PostgreSQL ends what it is doing as it goes down."""


@pytest.fixture
def follower(world: World) -> Follower:
    return follow(world)


def test_the_first_look_goes_back_a_week(follower: Follower) -> None:
    follower.vendor.tell("old", ago(8 * 24 * 60))
    follower.vendor.tell("new", ago(6 * 24 * 60))
    run = follower.poll()
    assert (run["status"], run["error"], run["counts"]) == ("succeeded", None, {"processed": 1, "created": 1})
    assert follower.known() == {"new"}
    assert follower.connection()["last_reconciled_at"] is not None


def test_what_is_new_becomes_a_ticket_and_its_end_closes_it(world: World, follower: Follower) -> None:
    follower.vendor.tell("7", ago(50))
    follower.poll()
    alert = world.alert("7")
    assert (alert["status"], alert["first_channel"]) == ("active", "poll")
    follower.vendor.tell("7", ago(10), "closed")
    assert follower.poll()["counts"] == {"processed": 1, "resolved": 1}
    assert world.alert("7")["status"] == "auto_resolved"
    (ticket,) = world.rows("SELECT closed_at FROM tickets WHERE id = :id", id=alert["ticket_id"])
    assert ticket["closed_at"] is not None


def test_the_next_look_begins_a_minute_before_the_newest_change(follower: Follower) -> None:
    follower.vendor.tell("1", ago(90))
    follower.vendor.tell("2", ago(30))
    follower.poll()
    assert follower.cursor == ago(30)
    follower.poll()
    assert follower.vendor.asked[-1] == ago(30) - OVERLAP
    assert follower.cursor == ago(30), "nothing newer was read"


def test_what_is_known_is_no_news(world: World, follower: Follower) -> None:
    follower.vendor.tell("1", ago(30))
    follower.poll()
    before = steps(world, "1")
    assert follower.poll()["counts"] == {"processed": 1}
    assert steps(world, "1") == before


def test_many_known_alerts_cost_as_many_statements_as_one(
    world: World, follower: Follower, statement_counter: Any
) -> None:
    counted = []
    for number in (1, 40):
        for one in range(number):
            follower.vendor.tell(str(one), ago(30))
        follower.poll()
        run_id = follower.start()
        with statement_counter() as sent:
            assert follower.work(run_id)["counts"] == {"processed": number}
        counted.append(sent.count)
    assert counted[0] == counted[1]


def test_a_state_that_moved_at_the_same_time_is_news(world: World, follower: Follower) -> None:
    follower.vendor.tell("1", ago(30))
    follower.poll()
    follower.vendor.tell("1", ago(30), "auto_remediating")
    follower.poll()
    assert world.alert("1")["vendor_status"] == "auto_remediating"


def test_one_that_cannot_be_listed_changes_nothing(world: World, follower: Follower) -> None:
    follower.vendor.tell("1", ago(30))
    follower.vendor.error = BadResponse("Acme RMM answered nonsense.")
    assert follower.poll()["status"] == "failed"
    assert (follower.known(), follower.cursor) == (set(), None)
    assert follower.connection()["last_error"] == "Acme RMM answered nonsense."
    follower.vendor.error = None
    follower.poll()
    assert follower.connection()["last_error"] is None
    assert follower.known() == {"1"}


def test_a_change_from_the_future_does_not_carry_the_cursor_along(follower: Follower) -> None:
    follower.vendor.tell("1", ago(30))
    follower.vendor.tell("2", ago(-600))
    follower.vendor.tell("3", ago(-60 * 24 * 400))
    follower.poll()
    assert follower.known() == {"1", "2", "3"}
    assert follower.cursor == ago(30)
    assert follower.poll()["counts"] == {"processed": 3}, "and it is no news the second time"


def test_where_the_oldest_are_missing_the_cursor_stays(follower: Follower) -> None:
    follower.vendor.tell("1", ago(300))
    follower.poll()
    reconciled = follower.connection()["last_reconciled_at"]
    follower.vendor.tell("2", ago(30))
    follower.vendor.is_whole = False
    run = follower.poll()
    assert run["status"] == "succeeded"
    (error,) = run["errors"]
    assert "has more changes since" in error["message"]
    assert "oldest are missing" in error["message"]
    assert follower.known() == {"1", "2"}
    assert follower.cursor == ago(300)
    assert follower.connection()["last_reconciled_at"] == reconciled, "that was no complete look"


def test_the_cursor_never_goes_back(world: World, follower: Follower) -> None:
    follower.vendor.tell("1", ago(30))
    follower.vendor.while_asked = lambda: world.do(
        "UPDATE rmm_integrations SET alerts_followed_to = :at", at=ago(10)
    )
    follower.poll()
    assert follower.cursor == ago(10)


def test_a_run_that_lost_its_lease_moves_nothing(world: World, follower: Follower) -> None:
    follower.vendor.tell("1", ago(30))
    follower.vendor.while_asked = lambda: world.do("UPDATE rmm_job_runs SET attempt = attempt + 1")
    follower.poll()
    assert follower.cursor is None


def test_a_cancelled_run_moves_nothing_and_the_next_one_takes_it_all(
    world: World, follower: Follower
) -> None:
    for number in range(60):
        follower.vendor.tell(str(number), ago(60 - number / 2))
    follower.vendor.while_asked = lambda: world.do("UPDATE rmm_job_runs SET cancel_requested = true")
    assert follower.poll()["status"] == "cancelled"
    assert (len(follower.known()), follower.cursor) == (25, None)
    follower.vendor.while_asked = lambda: None
    assert follower.poll()["counts"] == {"processed": 60, "created": 35}
    assert follower.cursor == ago(30.5)
    assert world.one("SELECT count(*) FROM tickets WHERE source = 'acme'") == 60


def test_a_worker_that_dies_leaves_all_to_the_next_attempt(
    world: World, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        follower.vendor.tell(str(number), ago(60 - number))
    report = runs.Run.report

    def killed(self: runs.Run, *_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    run_id = follower.start()
    monkeypatch.setattr(runs.Run, "report", killed)
    with pytest.raises(KeyboardInterrupt):
        follower.work(run_id)
    monkeypatch.setattr(runs.Run, "report", report)
    assert (len(follower.known()), follower.cursor) == (25, None)
    world.do("UPDATE rmm_job_runs SET heartbeat_at = now() - interval '1 hour', status = 'queued'")
    assert follower.work(run_id)["counts"] == {"processed": 30, "created": 5}
    assert follower.cursor == ago(31)


def test_another_sign_in_has_the_last_week_read_again(world: World, follower: Follower) -> None:
    follower.vendor.tell("1", ago(30))
    follower.poll()
    follower.sign_in_again()
    assert follower.cursor is not None
    assert timedelta(days=7) <= utc_now() - follower.cursor < timedelta(days=7, hours=1)
    world.do("UPDATE rmm_integrations SET alerts_followed_to = :at", at=ago(60 * 24 * 20))
    follower.sign_in_again()
    assert follower.cursor == ago(60 * 24 * 20), "what was not read for longer is not skipped"


def test_a_sign_in_saved_meanwhile_keeps_its_cursor(world: World, follower: Follower) -> None:
    follower.vendor.tell("1", ago(30))
    follower.vendor.while_asked = lambda: world.do(
        "UPDATE rmm_integrations SET connected_at = clock_timestamp() + interval '1 s'"
    )
    follower.poll()
    assert follower.cursor is None, "what was read is the other account's"


def test_first_seen_by_polling_beside_a_webhook_counts_as_lost(world: World, follower: Follower) -> None:
    world.do("UPDATE rmm_integrations SET webhook_enabled = true, webhook_since = :at", at=ago(60))
    follower.vendor.tell("before", ago(90))
    follower.vendor.tell("lost", ago(30))
    follower.vendor.tell("fresh", utc_now())
    follower.poll()
    lost = {one: world.alert(one)["webhook_lost"] for one in ("before", "lost", "fresh")}
    assert lost == {"before": False, "lost": True, "fresh": False}


def test_a_vendor_that_does_not_answer_is_tried_again(follower: Follower) -> None:
    follower.vendor.error = Unavailable("Acme RMM does not answer.")
    run = follower.poll()
    assert (run["status"], follower.cursor) == ("queued", None)


def test_it_is_looked_at_every_five_minutes_unless_said_otherwise(world: World, follower: Follower) -> None:
    for settings, minutes in (("{}", 5), ('{"alertPolling": {"intervalMinutes": 1}}', 1)):
        world.do("UPDATE rmm_integrations SET next_reconcile_at = NULL, settings = :s", s=settings)
        with world.app.app_context():
            assert recurring.start_due_polls(world.rmm) == 1
            assert recurring.start_due_polls(world.rmm) == 0
        ahead = follower.connection()["next_reconcile_at"] - utc_now()
        assert timedelta(minutes=minutes - 1) < ahead <= timedelta(minutes=minutes)
        (run_id,) = queued(world, "alert_reconcile")
        assert follower.work(run_id)["status"] == "succeeded"
    world.do(
        "UPDATE rmm_integrations SET next_reconcile_at = NULL, settings = :s",
        s='{"alertPolling": {"enabled": false}}',
    )
    with world.app.app_context():
        assert recurring.start_due_polls(world.rmm) == 0


def test_what_a_window_kept_is_decided_by_what_is_known_here(world: World, follower: Follower) -> None:
    """There is no list of what is open to ask for, and the state here is as new as the last look."""
    window = {"tenant_id": world.tenant, "name": "Patch night"}
    with world.unit() as session:
        session.add(MaintenanceWindow(**window, starts_at=ago(120), ends_at=ago(-120)))
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    for one in ("active", "over"):
        follower.vendor.tell(one, ago(30))
    follower.poll()
    assert world.alert("active")["status"] == "suppressed"
    follower.vendor.tell("over", ago(20), "closed")
    follower.poll()
    world.do("UPDATE rmm_maintenance_windows SET ends_at = now() - interval '1 minute'")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    asked = len(follower.vendor.asked)
    with world.app.app_context():
        assert window_end.end_windows(world.rmm) == 1
    assert work(world, "window_end") == [{"decided": 1, "skipped": 0}]
    assert world.alert("active")["ticket_id"] is not None
    assert world.alert("over")["ticket_id"] is None
    assert len(follower.vendor.asked) == asked


@pytest.mark.parametrize("stage", ["between two alerts", "at the end"])
def test_a_database_that_goes_away_leaves_the_cursor_where_it_was(
    world: World, follower: Follower, stage: str
) -> None:
    for number in range(30):
        follower.vendor.tell(str(number), ago(60 - number))
    if stage == "at the end":
        follower.refuse_cursor(SHUTDOWN)
    else:
        follower.poison("12", code=SHUTDOWN)
    run = follower.poll()
    assert (run["status"], run["error_kind"]) == ("queued", "database")
    assert (follower.cursor, follower.aside()) == (None, {}), "that is no fault of an alert"
    follower.heal()
    world.do("UPDATE rmm_job_runs SET due_at = now()")
    assert follower.work(run["id"])["status"] == "succeeded"
    assert (len(follower.known()), follower.cursor) == (30, ago(31))
    assert world.one("SELECT count(*) FROM tickets WHERE source = 'acme'") == 30
