"""The packs as steps of a run: what later steps see of them, rights, and runs that only try."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.models import new_id
from rmm_extension.workflows import starting
from tests.harness.world import World
from tests.host.names import OPEN_TICKET
from tests.workflows.core.doing import act, user
from tests.workflows.engine.studio import Studio, document, step

WINDOW = {
    "window.start": {"template": "{{ run.started_at | plus(hours=24) }}"},
    "window.end": {"template": "{{ run.started_at | plus(hours=25) }}"},
}
BOOK = step(
    "book",
    "scheduling.create_entry",
    inputs={
        "assigned_user_ids": {"template": f"{{{{ ['{user('tech')}', '{user('tech2')}'] }}}}"},
        "title": {"template": "Look at {{ ticket.title }}"},
        "link.type": {"value": "ticket"},
        "link.id": {"template": "{{ ticket.id }}"},
        **WINDOW,
    },
)
NOTE = step(
    "note",
    "tickets.add_note",
    inputs={
        "ticket_id": {"template": "{{ ticket.id }}"},
        "note": {"template": "Booked as {{ steps.book.output.entry_id }}."},
    },
)
MAIL = step(
    "mail",
    "email.send",
    inputs={
        "to": {"value": ["ops@client.example"]},
        "subject": {"value": "Somebody comes"},
        "body": {"template": "From {{ steps.book.output.start }}."},
    },
)
CLOSE = step("close", "tickets.close", inputs={"ticket_id": {"template": "{{ ticket.id }}"}})


@pytest.fixture
def studio(world: World) -> Studio:
    return Studio(world)


def ours(world: World) -> list[dict[str, Any]]:
    """Entries that steps made."""
    return world.rows("SELECT * FROM schedule_entries WHERE idempotency_key LIKE 'workflow:%'")


def start(studio: Studio, *steps: dict[str, Any], by: str = "admin") -> None:
    actor = studio.person(by)
    workflow = studio.publish(document(*steps, event="MANUAL", subjects=["ticket"]), by=actor)
    studio.start(workflow, "ticket", OPEN_TICKET, by=actor)
    studio.work()


def test_a_run_books_notes_mails_and_closes(studio: Studio) -> None:
    start(studio, BOOK, NOTE, MAIL, CLOSE)
    assert studio.run()["state"] == "succeeded"
    assert studio.states() == ["succeeded", "succeeded", "requested", "succeeded"]
    (entry,) = ours(studio.world)
    assert (entry["title"], entry["ticket_id"]) == ("Look at Wi-Fi drops in the waiting room", OPEN_TICKET)
    assert studio.world.notes(OPEN_TICKET) == [f"Booked as {entry['id']}."]
    (mail,) = studio.world.rows("SELECT * FROM email_outbox WHERE user_id IS NULL")
    assert mail["body"] == f"From {studio.steps()[0]['output']['start']}."
    assert studio.world.one("SELECT closed_at FROM tickets WHERE id = :id", id=OPEN_TICKET) is not None


def test_a_conflict_is_said_and_who_it_is_can_be_used(studio: Studio) -> None:
    window = {"start": "2020-01-01T00:00Z", "end": "2090-01-01T00:00Z"}
    taken = {"assigned_user_ids": [user("tech2")], "title": "Away", "window": window}
    taken["conflict_mode"] = "override"  # of what the demonstration has on the board already
    assert act(studio.world, "scheduling.create_entry", taken).state == "succeeded"
    told = {
        **NOTE["inputs"],
        "note": {"template": "{{ steps.book.output.conflicting_user_ids | join(' ') }}"},
    }
    start(studio, {**BOOK, "onError": "continue"}, {**NOTE, "inputs": told})
    assert studio.states() == ["failed", "succeeded"]
    assert studio.steps()[0]["error_code"] == "CONFLICT"
    assert studio.world.notes(OPEN_TICKET) == [user("tech2")]
    assert ours(studio.world) == []


@pytest.mark.parametrize("role, states", [("dispatcher", ["succeeded", "failed"]), ("read_only", ["failed"])])
def test_the_rights_of_whoever_started_it_are_asked_at_each_step(
    studio: Studio, role: str, states: list[str]
) -> None:
    note = step("note", "tickets.add_note", inputs={**NOTE["inputs"], "note": {"value": "Hello."}})
    start(studio, note, BOOK, by=role)
    assert studio.states() == states
    assert studio.steps()[-1]["error_code"] == "PERMISSION_DENIED"
    assert ours(studio.world) == []


def test_a_run_that_only_tries_changes_nothing(studio: Studio) -> None:
    workflow = studio.publish(document(BOOK, NOTE, MAIL, CLOSE, event="MANUAL", subjects=["ticket"]))
    with studio.world.unit() as session:
        actor = studio.person_in(session)
        starting.start_test(
            studio.world.rmm,
            session,
            actor,
            workflow,
            "MANUAL",
            OPEN_TICKET,
            True,
            str(new_id()),
            subject_type="ticket",
        )
    studio.work()
    assert studio.states() == ["simulated"] * 4, studio.steps()
    assert (ours(studio.world), studio.world.notes(OPEN_TICKET)) == ([], [])
    assert studio.world.one("SELECT count(*) FROM email_outbox") == 0
    assert studio.world.one("SELECT closed_at FROM tickets WHERE id = :id", id=OPEN_TICKET) is None
