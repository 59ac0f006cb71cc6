"""Comments from the vendor: each is a note once, whatever else happens to the alert."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from rmm_extension.domain.types import AlertKind, Channel, Outcome
from rmm_extension.services.ingest import Ingested
from rmm_extension.services.ingest import comment as comments
from tests.harness.world import World
from tests.services.test_outbound import close

from .incidents import comment, incident, take, told
from .meanwhile import after_reading, once_before

NOTE = "Comment in Tactical RMM, 2026-11-20 09:05:00 UTC:\nWe are looking."


def noted(world: World) -> list[str]:
    """The comments on the ticket."""
    (ticket,) = world.tickets()
    return [note for note in world.notes(ticket["id"]) if note.startswith("Comment in")]


def commented(world: World) -> list[str]:
    """The comments in the story."""
    return [step["note_id"] for step in told(world) if step["code"] == "commented"]


@pytest.mark.parametrize("minutes", [-5, 0, 5], ids=["older", "same time", "newer"])
def test_a_comment_is_a_note_once(world: World, minutes: int) -> None:
    take(world, incident())
    at = world.alert(7001)["last_event_at"]
    assert take(world, comment(minutes)).outcome is Outcome.UPDATED
    assert take(world, comment(minutes)).reason == "duplicate"
    assert len(noted(world)) == 1
    assert commented(world) == ["msg_1"]
    assert world.alert(7001)["last_event_at"] == at


def test_two_comments_of_one_moment_are_two_notes(world: World) -> None:
    take(world, incident())
    take(world, comment(0))
    take(world, comment(0, note="Done.", note_id="msg_2"))
    assert [note.split("\n")[1] for note in noted(world)] == ["We are looking.", "Done."]


def test_the_same_words_again_are_another_comment(world: World) -> None:
    take(world, incident())
    take(world, comment())
    take(world, comment(note_id="msg_2"))
    assert noted(world) == [NOTE, NOTE]


def test_the_state_that_comes_with_a_comment_still_has_its_note(world: World) -> None:
    take(world, incident())
    take(world, comment(5, vendor_status="auto_remediating"))
    take(world, incident(5, vendor_status="auto_remediating"), Channel.POLL)
    (ticket,) = world.tickets()
    assert world.notes(ticket["id"])[-2:] == [NOTE, "Tactical RMM: sent → auto_remediating."]


def test_a_comment_that_comes_first_opens_the_ticket_and_is_on_it(world: World) -> None:
    assert take(world, comment()).outcome is Outcome.TICKET_CREATED
    assert take(world, comment()).reason == "duplicate"
    assert noted(world) == [NOTE]
    assert commented(world) == ["msg_1"]


def test_an_alert_that_is_over_stays_so(world: World) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(autoResolveTicket=False)
    take(world, incident())
    take(world, incident(10, kind=AlertKind.RESET, vendor_status="closed"))
    assert take(world, comment(20)).outcome is Outcome.UPDATED
    alert = world.alert(7001)
    assert (alert["status"], alert["episode"]) == ("resolved", 1)
    assert len(noted(world)) == 1
    assert len(world.tickets()) == 1


def test_a_closed_ticket_is_left_alone_and_the_story_has_it(world: World) -> None:
    take(world, incident())
    close(world, world.tickets()[0]["id"])
    assert take(world, comment()).outcome is Outcome.UPDATED
    assert noted(world) == []
    assert commented(world) == ["msg_1"]


def test_without_a_ticket_the_story_has_it(world: World) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    take(world, incident())
    take(world, comment())
    take(world, comment())
    assert commented(world) == ["msg_1"]


def test_a_comment_and_the_end_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    take(world, incident())
    ending = incident(10, kind=AlertKind.RESET, vendor_status="closed")
    first = after_reading(monkeypatch, lambda: take(world, ending, Channel.POLL))
    assert take(world, comment(12)).outcome is Outcome.UPDATED
    assert len(first) == 1
    assert world.alert(7001)["status"] == "auto_resolved"
    assert commented(world) == ["msg_1"]


@pytest.mark.parametrize("makes_tickets", [True, False])
def test_the_same_comment_between_the_first_look_and_the_lock(
    world: World, monkeypatch: pytest.MonkeyPatch, makes_tickets: bool
) -> None:
    world.do("UPDATE rmm_organization_mappings SET auto_tickets = :wish", wish=makes_tickets)
    take(world, incident())
    first = once_before(monkeypatch, comments, "_held_ticket", lambda: take(world, comment()))
    assert take(world, comment()).reason == "duplicate"
    assert [done.outcome for done in first] == [Outcome.UPDATED]  # type: ignore[attr-defined]
    assert commented(world) == ["msg_1"]


@pytest.mark.parametrize("before", ["with a ticket", "recorded", "unknown"])
def test_one_comment_delivered_many_times_at_once(world: World, before: str) -> None:
    if before == "recorded":
        world.do("UPDATE rmm_organization_mappings SET auto_tickets = false")
    if before != "unknown":
        take(world, incident())
    start = Barrier(8)

    def send(number: int) -> Ingested:
        start.wait()
        return take(world, comment(0, note_id=f"msg_{number % 2}"))

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(send, range(8)))
    assert [one.reason for one in done].count("duplicate") == 6
    assert before == "recorded" or len(noted(world)) == 2
    assert sorted(commented(world)) == ["msg_0", "msg_1"]
