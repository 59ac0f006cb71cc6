"""scheduling.create_entry on the reference PSA's board."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from rmm_extension.domain.actions import ErrorCode, Outcome
from rmm_extension.services.actions.registry import Availability
from rmm_extension.workflows import catalog
from tests.harness.world import World
from tests.host.names import OPEN_TICKET, OTHER, OTHER_CLIENT, TENANT, draft, known
from tests.workflows.core.doing import act, user

ACTION = "scheduling.create_entry"
TECH, TECH2 = user("tech"), user("tech2")
BOARD = """SELECT e.*, (SELECT array_agg(p.user_id ORDER BY p.user_id) FROM schedule_entry_users p
  WHERE p.entry_id = e.id) AS users
FROM schedule_entries e WHERE e.starts_at >= '2030-01-01' ORDER BY e.starts_at, e.id"""


def entry(start: str, end: str, *users: str, **more: Any) -> dict[str, Any]:
    """Booking somebody on a day that nothing else is on."""
    window = {"start": f"2030-03-04T{start}:00+00:00", "end": f"2030-03-04T{end}:00+00:00"}
    return {"assigned_user_ids": list(users or (TECH,)), "title": "Look at it", "window": window, **more}


def book(world: World, *args: Any, by: str = "admin", **more: Any) -> Outcome:
    return act(world, ACTION, entry(*args, **more), by=by)


def board(world: World) -> list[dict[str, Any]]:
    return world.rows(BOARD)


def test_an_entry_is_on_the_board_for_all_of_its_technicians(world: World) -> None:
    link = {"type": "ticket", "id": OPEN_TICKET}
    outcome = book(world, "10:00", "11:00", TECH, TECH2, TECH, link=link, notes="Bring a cable")
    assert outcome.state == "succeeded"
    (row,) = board(world)
    assert outcome.output == {
        "entry_id": row["id"],
        "assigned_user_ids": [TECH, TECH2],
        "start": "2030-03-04T10:00:00+00:00",
        "end": "2030-03-04T11:00:00+00:00",
        "work_item_id": OPEN_TICKET,
        "work_item_type": "ticket",
    }
    assert (row["users"], row["status"], row["ticket_id"]) == (
        sorted((TECH, TECH2)),
        "scheduled",
        OPEN_TICKET,
    )
    assert row["notes"] == "Bring a cable"
    assert world.one("SELECT actor_name FROM rmm_audit WHERE action = 'schedule.booked'") == "Mara Lindholm"


def test_an_entry_without_a_link_is_ad_hoc(world: World) -> None:
    output = book(world, "10:00", "11:00").output or {}
    assert (output["work_item_id"], output["work_item_type"]) == (None, "ad_hoc")


@pytest.mark.parametrize(
    "change, code, output",
    [
        ({"assigned_user_ids": ["gone", TECH]}, ErrorCode.NOT_FOUND, {"missing_user_ids": ["gone"]}),
        ({"assigned_user_ids": [TECH, user("dispatch")]}, ErrorCode.PERMISSION_DENIED, None),
        ({"assigned_user_ids": [user("viewer")]}, ErrorCode.PERMISSION_DENIED, None),
        ({"assigned_user_ids": []}, ErrorCode.VALIDATION_ERROR, None),
        ({"link": {"type": "ticket", "id": "gone"}}, ErrorCode.NOT_FOUND, None),
        ({"link": {"type": "project_task", "id": OPEN_TICKET}}, ErrorCode.NOT_FOUND, None),
        ({"conflict_mode": "maybe"}, ErrorCode.VALIDATION_ERROR, None),
    ],
)
def test_what_cannot_be_booked_is_refused_and_nothing_written(
    world: World, change: dict[str, Any], code: ErrorCode, output: dict[str, Any] | None
) -> None:
    outcome = act(world, ACTION, {**entry("10:00", "11:00"), **change})
    assert (outcome.state, outcome.error_code, outcome.output) == ("failed", code, output)
    assert board(world) == []
    assert world.one("SELECT count(*) FROM rmm_audit WHERE action = 'schedule.booked'") == 0


def test_users_of_another_tenant_and_the_disabled_are_nobody(world: World) -> None:
    world.do("UPDATE users SET is_enabled = false WHERE id = :id", id=TECH2)
    stranger = known("users", "tech@harbor.example", "Harbor Community MSP")
    outcome = book(world, "10:00", "11:00", TECH2, stranger)
    assert outcome.error_code == ErrorCode.NOT_FOUND
    assert set((outcome.output or {})["missing_user_ids"]) == {TECH2, stranger}


def test_a_link_of_another_tenant_does_not_exist(world: World) -> None:
    with world.unit() as session:
        assert world.rmm.host.tickets is not None
        theirs = world.rmm.host.tickets.create(session, OTHER, draft(client_id=OTHER_CLIENT, asset_id=None))
    outcome = book(world, "10:00", "11:00", link={"type": "ticket", "id": theirs.id})
    assert outcome.error_code == ErrorCode.NOT_FOUND


@pytest.mark.parametrize("by, code", [("tech", ErrorCode.PERMISSION_DENIED), ("dispatch", None)])
def test_the_hosts_own_right_is_asked_first(world: World, by: str, code: ErrorCode | None) -> None:
    outcome = book(world, "10:00", "11:00", *(["gone"] if code else []), by=by)
    assert outcome.error_code == code
    assert len(board(world)) == (0 if code else 1)


@pytest.mark.parametrize("start, end", [("11:00", "10:00"), ("10:00", "10:00")])
def test_a_reversed_or_empty_window_is_refused(world: World, start: str, end: str) -> None:
    outcome = book(world, start, end)
    assert outcome.error_code == ErrorCode.VALIDATION_ERROR
    assert "window.end" in outcome.message
    assert board(world) == []


# --- Conflicts


@pytest.mark.parametrize(
    "start, end, clashes",
    [
        ("09:00", "10:00", False),
        ("11:00", "12:00", False),
        ("09:30", "10:01", True),
        ("10:59", "12:00", True),
        ("10:15", "10:30", True),
        ("09:00", "12:00", True),
    ],
)
def test_ranges_are_half_open(world: World, start: str, end: str, clashes: bool) -> None:
    book(world, "10:00", "11:00")
    outcome = book(world, start, end)
    assert (outcome.error_code == ErrorCode.CONFLICT) is clashes
    assert len(board(world)) == (1 if clashes else 2)


def test_a_conflict_names_who_is_taken(world: World) -> None:
    book(world, "10:00", "11:00", TECH2)
    outcome = book(world, "10:30", "11:30", TECH, TECH2)
    assert outcome.output == {"conflicting_user_ids": [TECH2]}
    assert "Elif Aydin has something then: “Look at it”" in outcome.message


def test_what_was_called_off_is_in_nobodys_way(world: World) -> None:
    book(world, "10:00", "11:00")
    world.do("UPDATE schedule_entries SET status = 'cancelled' WHERE starts_at > '2030-01-01'")
    assert book(world, "10:00", "11:00").state == "succeeded"


def test_shift_begins_when_the_last_of_it_ends_and_keeps_the_duration(world: World) -> None:
    book(world, "10:00", "11:00")
    output = book(world, "10:30", "11:30", conflict_mode="shift").output or {}
    assert (output["start"][11:16], output["end"][11:16]) == ("11:00", "12:00")


def test_shift_waits_for_the_last_of_everybody(world: World) -> None:
    book(world, "10:00", "11:00", TECH)
    book(world, "10:00", "11:20", TECH2)
    output = book(world, "10:30", "11:00", TECH, TECH2, conflict_mode="shift").output or {}
    assert (output["start"][11:16], output["end"][11:16]) == ("11:20", "11:50")


def test_shift_is_tried_once(world: World) -> None:
    book(world, "10:00", "11:00")
    book(world, "11:30", "12:00")
    outcome = book(world, "10:30", "11:30", conflict_mode="shift")
    assert outcome.error_code == ErrorCode.CONFLICT
    assert len(board(world)) == 2


def test_override_books_and_keeps_the_overlap(world: World) -> None:
    first = (book(world, "10:00", "11:00", TECH).output or {})["entry_id"]
    outcome = book(world, "10:30", "11:30", TECH, TECH2, conflict_mode="override")
    second = (outcome.output or {})["entry_id"]
    kept = world.rows("SELECT entry_id, user_id, other_id, kind FROM schedule_conflicts")
    assert kept == [{"entry_id": second, "user_id": TECH, "other_id": first, "kind": "overlap"}]


def test_the_same_doing_is_one_entry(world: World) -> None:
    given = entry("10:00", "11:00", conflict_mode="override")
    ids = {(act(world, ACTION, given, key="same").output or {})["entry_id"] for _ in range(2)}
    assert len(ids) == len(board(world)) == 1


def test_of_several_at_the_same_moment_one_is_booked(world: World) -> None:
    barrier = threading.Barrier(6)

    def at_once(number: int) -> Outcome:
        # Named in either order: whoever books holds the people in one.
        people = (TECH, TECH2) if number % 2 else (TECH2, TECH)
        barrier.wait(20)
        return book(world, "10:00", "11:00", *people)

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(at_once, range(6)))
    codes = sorted(str(one.error_code) for one in outcomes)
    assert codes == ["CONFLICT"] * 5 + ["None"]
    assert len(board(world)) == 1


def test_shifted_at_the_same_moment_they_stand_one_after_the_other(world: World) -> None:
    book(world, "10:00", "11:00")
    barrier = threading.Barrier(2)

    def at_once(_: int) -> Outcome:
        barrier.wait(20)
        return book(world, "10:30", "11:30", conflict_mode="shift")

    with ThreadPoolExecutor(2) as pool:
        states = [one.state for one in pool.map(at_once, range(2))]
    assert states == ["succeeded"] * 2
    times = [f"{row['starts_at']:%H:%M}" for row in board(world)]
    assert times == ["10:00", "11:00", "12:00"]


# --- Time zones


def at(world: World, **window: str) -> Outcome:
    return act(world, ACTION, {**entry("10:00", "11:00"), "window": window})


def test_times_without_a_zone_are_by_the_clocks_of_the_windows_own(world: World) -> None:
    outcome = at(world, start="2030-07-01T09:00", end="2030-07-01T10:00", timezone="Europe/Berlin")
    (row,) = board(world)
    assert row["starts_at"].isoformat() == "2030-07-01T07:00:00+00:00"
    assert (outcome.output or {})["start"] == "2030-07-01T09:00:00+02:00"
    assert "09:00 CEST" in outcome.message


def test_a_time_that_names_its_zone_keeps_it(world: World) -> None:
    at(world, start="2030-07-01T09:00:00-04:00", end="2030-07-01T16:00", timezone="Europe/Berlin")
    (row,) = board(world)
    times = [row[name].isoformat()[11:16] for name in ("starts_at", "ends_at")]
    assert times == ["13:00", "14:00"]


def test_an_entry_over_the_change_of_the_clocks_is_as_long_as_it_is(world: World) -> None:
    book_before = {"start": "2030-03-31T01:00", "end": "2030-03-31T01:30", "timezone": "Europe/Berlin"}
    at(world, **book_before)
    outcome = act(
        world,
        ACTION,
        {
            **entry("10:00", "11:00", conflict_mode="shift"),
            "window": {"start": "2030-03-31T01:15", "end": "2030-03-31T03:15", "timezone": "Europe/Berlin"},
        },
    )
    output = outcome.output or {}
    assert (output["start"], output["end"]) == ("2030-03-31T01:30:00+01:00", "2030-03-31T03:30:00+02:00")


@pytest.mark.parametrize(
    "window, path",
    [
        ({"start": "2030-07-01T09:00", "end": "2030-07-01T10:00"}, "window.start"),
        ({"start": "2030-07-01T09:00", "end": "2030-07-01T10:00", "timezone": "Mars/One"}, "window.start"),
        (
            {"start": "2030-07-01T09:00Z", "end": "2030-07-01T10:00Z", "timezone": "Mars/One"},
            "window.timezone",
        ),
        (
            {"start": "2030-03-31T02:30", "end": "2030-03-31T04:00", "timezone": "Europe/Berlin"},
            "window.start",
        ),
        ({"start": 7, "end": "tomorrow", "timezone": "Europe/Berlin"}, "window.end"),
    ],
)
def test_times_that_mean_nothing_are_refused_by_path(world: World, window: dict[str, Any], path: str) -> None:
    outcome = at(world, **window)
    assert outcome.error_code == ErrorCode.VALIDATION_ERROR
    assert path in outcome.message


# --- Who has it


def test_a_host_without_a_board_has_no_such_module(world: World) -> None:
    def has(made: World) -> bool:
        decide: Availability = catalog.availability(made.rmm)
        with made.unit() as session:
            return decide.has(made.rmm, session, TENANT, "host:schedule")

    assert has(world)
    rmm = world.app.extensions["rmm"]
    bare = replace(rmm.services, host=replace(rmm.services.host, schedule=None))
    world.app.extensions["rmm"] = replace(rmm, services=bare)
    assert not has(world)
    assert book(world, "10:00", "11:00").error_code == ErrorCode.CAPABILITY_DISABLED
