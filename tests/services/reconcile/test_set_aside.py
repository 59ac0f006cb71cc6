"""An alert that cannot be taken or read is set aside, stops no other, and is tried again."""

from __future__ import annotations

import random
import string
from datetime import timedelta
from uuid import UUID

import pytest

from rmm_extension.domain.errors import BadResponse, Conflict, RateLimited
from rmm_extension.domain.types import UnreadAlert
from rmm_extension.services import set_aside
from tests.harness.world import World
from tests.services.reconcile.follower import Follower, ago, follow
from tests.services.working import queued

ODD = UnreadAlert(external_id="odd", reason="Its severity is “purple”.")


@pytest.fixture
def follower(world: World) -> Follower:
    return follow(world)


def test_a_poisoned_alert_stops_no_other_and_not_the_cursor(world: World, follower: Follower) -> None:
    for number in (1, 2, 3):
        follower.vendor.tell(str(number), ago(60 - number))
    follower.poison("2")
    run = follower.poll()
    assert run["status"] == "succeeded"
    assert run["counts"] == {"processed": 3, "created": 2, "failed": 1, "set_aside": 1}
    assert follower.known() == {"1", "3"}
    assert follower.cursor == ago(57)
    (row,) = follower.aside().values()
    assert (row["external_id"], row["attempts"], row["changed_at"]) == ("2", 1, ago(58))
    assert row["reason"].startswith("Unexpected: ")
    assert row["due_at"] - row["last_at"] == set_aside.GAPS[0]


def test_until_it_is_due_it_is_left_alone(follower: Follower) -> None:
    follower.vendor.tell("2", ago(30))
    follower.poison("2")
    follower.poll()
    follower.heal()
    assert follower.poll()["counts"] == {"processed": 1}
    assert follower.aside()["2"]["attempts"] == 1
    assert follower.vendor.asked_for == []


def test_when_it_is_due_it_is_asked_for_and_taken(follower: Follower) -> None:
    follower.vendor.tell("2", ago(30))
    follower.poison("2")
    follower.poll()
    follower.heal()
    follower.vendor.tell("3", ago(20))
    follower.poll()
    follower.is_due("2")
    run = follower.poll()
    assert follower.vendor.asked_for == ["2"]
    assert run["counts"] == {"processed": 1, "created": 1}
    assert (follower.known(), follower.aside()) == ({"2", "3"}, {})
    assert follower.cursor == ago(20), "what is older than the cursor does not move it"


def test_another_state_of_it_is_tried_at_once(follower: Follower) -> None:
    follower.vendor.tell("2", ago(30))
    follower.poison("2")
    follower.poll()
    follower.heal()
    follower.vendor.tell("2", ago(10))
    assert follower.poll()["counts"] == {"processed": 1, "created": 1}
    assert follower.aside() == {}


def test_a_webhook_that_brought_it_meanwhile_settles_it(world: World, follower: Follower) -> None:
    follower.vendor.tell("2", ago(30))
    follower.poison("2")
    follower.poll()
    follower.heal()
    follower.is_due("2")
    follower.poll()
    set_back = (
        "INSERT INTO rmm_set_aside_alerts (tenant_id, id, integration_id, external_id, reason, attempts,"
    )
    set_back += (
        " first_at, last_at, changed_at) SELECT tenant_id, gen_random_uuid(), integration_id, '2', 'Odd.',"
    )
    world.do(set_back + " 6, now(), now(), last_event_at FROM rmm_alerts WHERE external_id = '2'")
    assert follower.poll()["counts"] == {"processed": 1}
    assert follower.aside() == {}


def test_it_is_tried_a_few_times_at_growing_gaps_and_then_left_to_people(follower: Follower) -> None:
    follower.vendor.tell("2", ago(30))
    follower.poison("2")
    follower.poll()
    gaps = []
    while (row := follower.aside()["2"])["due_at"] is not None:
        gaps.append(row["due_at"] - row["last_at"])
        follower.is_due("2")
        follower.poll()
    assert tuple(gaps) == set_aside.GAPS
    assert follower.aside()["2"]["attempts"] == len(set_aside.GAPS) + 1
    follower.poll()
    assert follower.aside()["2"]["attempts"] == len(set_aside.GAPS) + 1


def test_one_that_is_gone_at_the_vendor_goes_here(follower: Follower) -> None:
    follower.vendor.tell("2", ago(30))
    follower.poison("2")
    follower.poll()
    del follower.vendor.alerts["2"]
    follower.is_due("2")
    assert follower.poll()["counts"] == {"processed": 0, "gone": 1}
    assert follower.aside() == {}


def test_one_that_cannot_be_read_is_set_aside_once(follower: Follower) -> None:
    follower.vendor.tell("1", ago(30))
    follower.vendor.unread = [ODD, ODD]
    run = follower.poll()
    assert run["counts"] == {"processed": 3, "created": 1, "set_aside": 1}
    assert run["errors"] == [{"name": "odd", "message": ODD.reason}]
    assert (follower.cursor, follower.known()) == (ago(30), {"1"})
    first = follower.aside()["odd"]
    assert follower.poll()["errors"] == []
    assert follower.aside()["odd"] == first, "being listed again is no try"


def test_one_that_cannot_be_read_is_asked_for_alone(follower: Follower) -> None:
    follower.vendor.unread = [ODD]
    follower.poll()
    follower.is_due("odd")
    follower.vendor.of_one["odd"] = BadResponse("Still purple.")
    follower.poll()
    assert (follower.aside()["odd"]["attempts"], follower.aside()["odd"]["reason"]) == (2, "Still purple.")
    follower.vendor.of_one.clear()
    follower.vendor.unread = []
    follower.vendor.tell("odd", ago(60 * 24 * 9))
    follower.is_due("odd")
    assert follower.poll()["counts"] == {"processed": 0, "created": 1}
    assert (follower.known(), follower.aside()) == ({"odd"}, {})


def test_a_row_without_an_id_is_nothing_to_ask_for(world: World, follower: Follower) -> None:
    follower.vendor.unread = [UnreadAlert(external_id="row:1", reason="It has no id.", synthesized=True)]
    follower.poll()
    row = follower.aside()["row:1"]
    assert (row["due_at"], row["synthesized"]) == (None, True)
    with pytest.raises(Conflict, match="without an id"), world.unit() as session:
        set_aside.try_again(session, world.admin, row["id"])


def test_an_id_that_no_index_takes_stops_no_other(follower: Follower) -> None:
    many = random.Random(1)
    read, unread = ("".join(many.choices(string.ascii_letters, k=9_000)) for _ in range(2))
    follower.vendor.tell("1", ago(30))
    follower.vendor.tell(read, ago(20))
    follower.vendor.unread = [UnreadAlert(external_id=unread, reason="It is odd.")]
    run = follower.poll()
    assert (run["status"], run["counts"]) == ("succeeded", {"processed": 3, "created": 1, "set_aside": 2})
    assert (follower.known(), follower.cursor) == ({"1"}, ago(30))
    aside = follower.aside()
    assert {(len(name), row["synthesized"], row["due_at"]) for name, row in aside.items()} == {
        (len("id:") + 16, True, None)
    }
    assert follower.poll()["errors"] == []
    assert follower.aside() == aside, "the same alert has the same name again"


def test_a_vendor_that_takes_no_more_requests_counts_as_no_try(follower: Follower) -> None:
    follower.vendor.unread = [ODD, UnreadAlert(external_id="odd 2", reason="Odd.")]
    follower.poll()
    for one in ("odd", "odd 2"):
        follower.is_due(one)
        follower.vendor.of_one[one] = RateLimited("Later.", retry_after=30)
    run = follower.poll()
    assert (run["status"], run["counts"]) == ("succeeded", {"processed": 2, "still_set_aside": 2})
    assert len(follower.vendor.asked_for) == 1, "the second is not asked for in vain"
    assert {row["attempts"] for row in follower.aside().values()} == {1}


def test_what_lost_a_race_is_read_again_and_not_set_aside(follower: Follower) -> None:
    for number in (1, 2, 3):
        follower.vendor.tell(str(number), ago(60 - number))
    follower.poison("2", code="40001")
    assert follower.poll()["counts"] == {"processed": 3, "created": 2, "failed": 1}
    assert (follower.aside(), follower.cursor) == ({}, ago(59))
    follower.heal()
    assert follower.poll()["counts"] == {"processed": 3, "created": 1}
    assert follower.cursor == ago(57)


def put_aside(follower: Follower) -> UUID:
    follower.vendor.tell("2", ago(30))
    follower.poison("2")
    follower.poll()
    found: UUID = follower.aside()["2"]["id"]
    return found


class TestByHand:
    def test_try_again_starts_a_run_that_tries_it(self, world: World, follower: Follower) -> None:
        one = put_aside(follower)
        follower.world.do("UPDATE rmm_set_aside_alerts SET due_at = NULL, attempts = 9")
        follower.heal()
        with world.unit() as session:
            run_id = set_aside.try_again(session, world.admin, one)
        assert run_id is not None
        assert queued(world, "alert_reconcile") == [run_id]
        assert follower.work(run_id)["counts"] == {"processed": 1, "created": 1}
        assert follower.aside() == {}
        assert _audited(world) == [("alert.set_aside_retried", "2")]

    def test_beside_a_run_under_way_the_next_one_is_due_at_once(
        self, world: World, follower: Follower
    ) -> None:
        one = put_aside(follower)
        world.do("UPDATE rmm_integrations SET next_reconcile_at = now() + interval '1 hour'")
        follower.start()
        with world.unit() as session:
            assert set_aside.try_again(session, world.admin, one) is None
        assert follower.connection()["next_reconcile_at"] is None

    def test_one_more_try_that_fails_leaves_it_to_people_again(
        self, world: World, follower: Follower
    ) -> None:
        one = put_aside(follower)
        world.do("UPDATE rmm_set_aside_alerts SET due_at = NULL, attempts = 9")
        with world.unit() as session:
            run_id = set_aside.try_again(session, world.admin, one)
        assert run_id is not None
        follower.work(run_id)
        assert (follower.aside()["2"]["due_at"], follower.aside()["2"]["attempts"]) == (None, 10)

    def test_dismissed_it_stays_away_until_it_changes(self, world: World, follower: Follower) -> None:
        one = put_aside(follower)
        with world.unit() as session:
            assert set_aside.dismiss(session, world.admin, one) == "2"
        follower.heal()
        assert follower.poll()["counts"] == {"processed": 1}
        assert follower.known() == set()
        with pytest.raises(Conflict, match="any more"), world.unit() as session:
            set_aside.dismiss(session, world.admin, one)
        follower.vendor.tell("2", ago(5))
        follower.poll()
        assert (follower.known(), follower.aside()) == ({"2"}, {})
        assert _audited(world) == [("alert.set_aside_dismissed", "2")]

    def test_nobody_is_asked_on_a_connection_that_does_not_work(
        self, world: World, follower: Follower
    ) -> None:
        one = put_aside(follower)
        world.do("UPDATE rmm_integrations SET state = 'paused'")
        with pytest.raises(Conflict, match="paused"), world.unit() as session:
            set_aside.try_again(session, world.admin, one)
        assert queued(world, "alert_reconcile") == []

    def test_another_tenant_finds_nothing(self, world: World, follower: Follower) -> None:
        one = put_aside(follower)
        stranger = type(world.admin)(id="x", name="X", tenant_id="another")
        for act in (set_aside.try_again, set_aside.dismiss):
            with pytest.raises(Conflict, match="any more"), world.unit() as session:
                act(session, stranger, one)
        assert follower.aside()["2"]["dismissed_at"] is None


def _audited(world: World) -> list[tuple[str, str]]:
    rows = world.rows("SELECT action, subject_name FROM rmm_audit WHERE action LIKE 'alert.%' ORDER BY at")
    return [(row["action"], row["subject_name"]) for row in rows]


def test_the_rows_go_with_the_connection(world: World, follower: Follower) -> None:
    put_aside(follower)
    with world.unit() as session:
        assert session is not None
    world.do("DELETE FROM rmm_integrations")
    assert follower.aside() == {}


def test_gaps_grow() -> None:
    assert list(set_aside.GAPS) == sorted(set_aside.GAPS)
    assert set_aside.GAPS[0] >= timedelta(minutes=1)
