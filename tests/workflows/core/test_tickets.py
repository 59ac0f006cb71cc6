"""Noting, changing and closing a ticket of the reference PSA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rmm_extension.domain.actions import ErrorCode
from tests.harness.world import World
from tests.host.names import OPEN_TICKET, OTHER, OTHER_CLIENT, draft, known, status
from tests.workflows.core.doing import act, act_in, user

ON = {"ticket_id": OPEN_TICKET}


def ticket(world: World) -> dict[str, Any]:
    (row,) = world.rows("SELECT * FROM tickets WHERE id = :id", id=OPEN_TICKET)
    return row


def close_here(world: World) -> None:
    with world.unit() as session:
        assert world.rmm.host.tickets is not None
        world.rmm.host.tickets.close(session, world.tenant, OPEN_TICKET, None)


def told(world: World) -> list[Any]:
    rows = world.rows("SELECT payload FROM rmm_outbox WHERE topic = 'ticket_closed'")
    return [(row["payload"]["ticket_id"], row["payload"]["actor"]) for row in rows]


def untouched(world: World) -> bool:
    with world.unit() as session:
        assert world.rmm.host.tickets is not None
        state = world.rmm.host.tickets.state(session, world.tenant, OPEN_TICKET)
    assert state is not None
    return not state.touched


@pytest.mark.parametrize("closed", [False, True])
def test_a_note_is_internal_and_nobodys_touch(world: World, closed: bool) -> None:
    if closed:
        close_here(world)
    outcome = act(world, "tickets.add_note", {**ON, "note": "C: has 40 GB left.\n<b>now</b>"})
    assert outcome.output == {"ticket_id": OPEN_TICKET, "ticket_number": "T-1005"}
    assert world.notes(OPEN_TICKET) == ["C: has 40 GB left.\n<b>now</b>"]
    assert untouched(world)


def test_what_is_named_is_changed_and_the_rest_stays(world: World) -> None:
    before = ticket(world)
    wanted = {
        "title": "Wi-Fi is slow",
        "status_id": status("In progress"),
        "priority_id": known("priorities", "Urgent"),
        "assign_to_user_id": user("tech2"),
    }
    for name, value in wanted.items():
        assert act(world, "tickets.update", {**ON, name: value}).state == "succeeded"
    after = ticket(world)
    now = (after["title"], after["status_id"], after["priority_id"], after["assignee_id"])
    assert now == tuple(wanted.values())
    same = ("description", "client_id", "board_id", "number", "closed_at")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert untouched(world)
    assert world.one("SELECT count(*) FROM rmm_audit WHERE action = 'ticket.changed'") == 4


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"status_id": status("Closed")},
        {"status_id": status("In progress", "Projects")},
        {"status_id": "gone"},
        {"priority_id": "gone"},
        {"assign_to_user_id": "gone"},
        {"assign_to_user_id": user("viewer")},
        {"title": " "},
    ],
)
def test_what_a_ticket_cannot_have_is_refused_and_nothing_changed(
    world: World, change: dict[str, Any]
) -> None:
    before = ticket(world)
    other = {"priority_id": known("priorities", "Urgent")} if change else {}
    outcome = act(world, "tickets.update", {**ON, **other, **change})
    assert outcome.error_code == ErrorCode.VALIDATION_ERROR
    assert ticket(world) == before


def test_a_closed_ticket_is_not_changed(world: World) -> None:
    close_here(world)
    outcome = act(world, "tickets.update", {**ON, "title": "Else"})
    assert (outcome.error_code, outcome.message) == (
        ErrorCode.VALIDATION_ERROR,
        "The ticket is closed. Open it again to change it.",
    )


def test_closing_is_told_as_a_persons_is(world: World) -> None:
    outcome = act(world, "tickets.close", {**ON, "status_id": status("Resolved"), "note": "Cleaned up."})
    assert outcome.output == {
        "ticket_id": OPEN_TICKET,
        "ticket_number": "T-1005",
        "status": "Resolved",
        "already": False,
    }
    assert ticket(world)["closed_at"] is not None
    assert world.notes(OPEN_TICKET) == ["Cleaned up."]
    assert told(world) == [(OPEN_TICKET, "Mara Lindholm")]


def test_a_closed_ticket_is_left_and_nobody_told(world: World) -> None:
    close_here(world)
    outcome = act(world, "tickets.close", {**ON, "note": "Again."})
    assert (outcome.output or {})["already"] is True
    assert (told(world), world.notes(OPEN_TICKET)) == ([], [])


def test_where_nothing_closes_the_note_goes_as_well(world: World) -> None:
    world.do("UPDATE ticket_statuses SET is_closed = false")
    outcome = act(world, "tickets.close", {**ON, "note": "Cleaned up."})
    assert outcome.error_code == ErrorCode.CONFLICT
    assert (told(world), world.notes(OPEN_TICKET)) == ([], [])


def test_the_alert_of_a_ticket_closed_by_a_workflow_is_to_be_reset(world: World) -> None:
    from rmm_extension.services import relay

    world.post()
    (made,) = world.tickets()
    assert act(world, "tickets.close", {"ticket_id": made["id"]}).state == "succeeded"
    with world.app.app_context():
        for message in relay.claim(world.rmm):
            assert relay.deliver(world.rmm, message)
    assert world.one("SELECT count(*) FROM rmm_job_runs WHERE kind = 'alert_reset'") == 1


@pytest.mark.parametrize(
    "action, more",
    [("add_note", {"note": "x"}), ("update", {"title": "x"}), ("close", {})],
)
def test_a_ticket_of_another_tenant_does_not_exist(world: World, action: str, more: dict[str, Any]) -> None:
    with world.unit() as session:
        assert world.rmm.host.tickets is not None
        theirs = world.rmm.host.tickets.create(session, OTHER, draft(client_id=OTHER_CLIENT, asset_id=None))
    for ticket_id in (theirs.id, "gone"):
        outcome = act(world, f"tickets.{action}", {"ticket_id": ticket_id, **more})
        assert outcome.error_code == ErrorCode.NOT_FOUND
    assert world.one("SELECT count(*) FROM tickets WHERE id = :id AND closed_at IS NULL", id=theirs.id) == 1


def test_a_step_holds_its_ticket_until_it_is_written(world: World) -> None:
    from rmm_extension.testing.contract.rules import had_to_wait

    with world.unit() as session:
        act_in(world, session, "tickets.add_note", {**ON, "note": "x"})
        with world.app.app_context():
            other = world.rmm.db.session()
            port = world.rmm.host.tickets
            assert port is not None
            waited = had_to_wait(other, lambda: port.close(other, world.tenant, OPEN_TICKET, None))
            other.rollback()
    assert waited


def test_a_host_without_tickets_says_so(world: World) -> None:
    rmm = world.app.extensions["rmm"]
    bare = replace(rmm.services, host=replace(rmm.services.host, tickets=None))
    world.app.extensions["rmm"] = replace(rmm, services=bare)
    outcome = act(world, "tickets.add_note", {**ON, "note": "x"})
    assert outcome.error_code == ErrorCode.CAPABILITY_DISABLED
