"""What two transactions do to one alert at the same moment, one interleaving after the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from reference_psa.adapters.tickets import SqlTickets
from reference_psa.models import User
from reference_psa.services import tickets as people
from rmm_extension.domain.types import Channel
from rmm_extension.services.decisions import decide_stored
from rmm_extension.services.ingest import decide_again
from rmm_extension.services.ingest.stored import ATTENTION
from tests.harness.wait import until
from tests.harness.world import World

from .meanwhile import after_reading, in_app, in_thread, once_before


def late_decision(world: World, alert_id: Any) -> Any:
    """What the tick does with an alert under Needs attention."""
    options = {"channel": Channel.TICK, "waiting_for": ATTENTION}
    return in_app(world.app, decide_stored, world.rmm, world.tenant, alert_id, **options)


def test_a_reset_that_overtakes_its_failure_by_a_moment_still_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = after_reading(monkeypatch, world.post)
    assert world.post(world.resolved()).json["outcome"] == "resolved"
    assert [answer.json["outcome"] for answer in failure] == ["ticket_created"]
    assert world.alert()["status"] == "auto_resolved"
    assert [ticket["closed_at"] is None for ticket in world.tickets()] == [False]


def test_a_failure_whose_reset_lands_first_opens_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reset = after_reading(monkeypatch, lambda: world.post(world.resolved()))
    assert world.post().json["reason"] == "older_event"
    assert [answer.json["reason"] for answer in reset] == ["tombstone"]
    assert world.tickets() == []
    assert world.one("SELECT count(*) FROM rmm_alert_conditions") == 0


def test_two_resets_at_once_leave_one_note(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.post()
    (ticket,) = world.tickets()
    comment(world, ticket["id"])
    first = after_reading(monkeypatch, lambda: world.post(world.resolved()))
    assert world.post(world.resolved()).json["reason"] == "already_resolved"
    assert [answer.json["outcome"] for answer in first] == ["resolved"]
    assert len([note for note in world.notes(ticket["id"]) if "Alert resolved" in note]) == 1


def test_two_reports_of_one_rise_leave_one_note(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.post(world.body(severity="warning"))
    first = after_reading(monkeypatch, world.post)
    assert world.post().json["reason"] == "duplicate"
    assert [answer.json["outcome"] for answer in first] == ["updated"]
    (ticket,) = world.tickets()
    assert len([note for note in world.notes(ticket["id"]) if "Severity rose" in note]) == 1


def test_news_that_is_overtaken_by_newer_news_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.post(world.body(severity="warning"))
    newer = world.body(severity="info", alert_time="2026-11-21 02:20:00+00:00")
    older = world.body(severity="error", alert_time="2026-11-21 02:10:00+00:00")
    after_reading(monkeypatch, lambda: world.post(newer))
    assert world.post(older).json["reason"] == "older_event"
    alert = world.alert()
    assert (alert["severity"], alert["last_event_at"].minute) == ("minor", 20)


def test_one_stored_alert_is_adopted_by_one_real_alert_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.post(minimal(world))
    other = world.body(525, check_id="203")
    first = after_reading(monkeypatch, lambda: world.post(other))
    answer = world.post(world.body(524, check_id="202"))
    assert [done.json["outcome"] for done in first] == ["updated"]
    assert answer.json["outcome"] == "ticket_created"
    assert world.alert(524)["dedup_key"].endswith("check:202")
    assert world.alert(525)["dedup_key"].endswith("check:203")
    assert len(world.tickets()) == 2


def test_an_alert_that_ends_while_its_ticket_is_made_late_gets_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmapped(world)
    world.post()
    mapped(world)
    reset = once_before(monkeypatch, SqlTickets, "create", lambda: world.post(world.resolved()))
    alert_id = world.alert()["id"]
    decided = in_thread(lambda: late_decision(world, alert_id))
    assert [answer.json["outcome"] for answer in reset] == ["resolved"]
    assert decided is None
    assert world.tickets() == []
    assert world.alert()["status"] == "resolved"


def test_a_reset_that_crosses_the_late_ticket_closes_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmapped(world)
    world.post()
    mapped(world)
    alert_id = world.alert()["id"]
    after_reading(monkeypatch, lambda: late_decision(world, alert_id))
    assert world.post(world.resolved()).json["outcome"] == "resolved"
    (ticket,) = world.tickets()
    assert ticket["closed_at"] is not None
    assert world.alert()["status"] == "auto_resolved"


def test_two_late_decisions_make_one_ticket(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unmapped(world)
    world.post()
    mapped(world)
    alert_id = world.alert()["id"]

    def other() -> Any:
        with world.unit() as session:
            return decide_again(world.rmm, session, world.tenant, alert_id, channel=Channel.TICK)

    # The reading of contacts comes after the alert was read and before anything is locked but the condition,
    # so the other decision must start before the condition is taken: at the reading of the rules.
    from rmm_extension.services.ingest import stored

    done = once_before(monkeypatch, stored, "decide", other)
    assert late_decision(world, alert_id) is None
    assert len(done) == 1
    assert len(world.tickets()) == 1
    assert world.one("SELECT count(*) FROM rmm_alert_events WHERE outcome = 'ticket_created'") == 1


def test_a_deadlock_with_somebody_else_is_tried_again(world: World) -> None:
    world.post()
    (ticket,) = world.tickets()
    with plain(world) as stranger, ThreadPoolExecutor(1) as pool:
        stranger.execute("SET deadlock_timeout = '60s'")
        stranger.execute("SELECT 1 FROM tickets WHERE id = %s FOR UPDATE", (ticket["id"],))
        answer = pool.submit(world.post, world.body(525))
        until(lambda: waiting_for_locks(world), "the delivery's wait for the ticket")
        # Ticket before condition: the wrong way round. PostgreSQL ends the delivery's transaction.
        stranger.execute("UPDATE rmm_alert_conditions SET last_occurrence_at = now()")
        stranger.commit()
        assert answer.result(timeout=60).json["outcome"] == "occurrence_appended"
    assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 2
    assert len(world.notes(ticket["id"])) == 2


def test_a_lock_that_does_not_come_in_time_keeps_the_delivery(world: World) -> None:
    world.post()
    with world.app.app_context():
        engine = world.rmm.db.engine
        world.do(f"ALTER DATABASE {engine.url.database} SET lock_timeout = '50ms'")
        engine.dispose()
    with plain(world) as stranger:
        stranger.execute("SELECT 1 FROM rmm_alert_conditions FOR UPDATE")
        answer = world.post(world.body(525))
        stranger.rollback()
    assert (answer.status_code, answer.json["outcome"]) == (202, "stored_for_retry")
    assert world.one("SELECT state FROM rmm_webhook_deliveries") == "failed"


def test_a_new_firing_and_the_reset_of_the_old_never_part_from_their_ticket(world: World) -> None:
    """Whichever is first: an active alert never sits on a closed ticket, and nothing is left without one."""
    for turn in range(8):
        old, new, check = f"a{turn}", f"b{turn}", str(turn)
        world.post(world.body(old, check_id=check))
        later = "2026-11-21 04:00:00+00:00"
        bodies = [
            world.resolved(old, check_id=check),
            world.body(new, check_id=check, alert_time=later),
        ]
        with ThreadPoolExecutor(2) as pool:
            assert {answer.status_code for answer in pool.map(world.post, bodies)} == {200}
        row = world.rows(
            "SELECT t.closed_at, a.status FROM rmm_alerts a JOIN tickets t ON t.id = a.ticket_id"
            " WHERE a.external_id = :id",
            id=new,
        )
        assert row == [{"closed_at": None, "status": "active"}]
        assert world.alert(old)["resolved_at"] is not None


def test_a_person_and_the_reset_close_one_ticket_at_once(world: World) -> None:
    """No deadlock; the ticket is closed once; a person's act is never written over."""
    user = world.one("SELECT id FROM users WHERE tenant_id = :t AND role = 'admin' LIMIT 1", t=world.tenant)
    for turn in range(8):
        world.post(world.body(f"c{turn}", check_id=str(turn)))
        ticket = world.tickets()[-1]["id"]

        def close(ticket_id: str = ticket) -> int:
            with world.unit() as session:
                person = session.get_one(User, (world.tenant, user))
                people.locked(session, world.tenant, ticket_id)
                people.close(session, person, ticket_id, None)
            return 200

        def clear(number: int = turn) -> int:
            return world.post(world.resolved(f"c{number}", check_id=str(number))).status_code

        with ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(close), pool.submit(clear)]
            assert [future.result(timeout=60) for future in futures] == [200, 200]
        (row,) = world.rows(
            "SELECT closed_at, closed_by, (SELECT count(*) FROM ticket_status_changes c"
            " WHERE c.ticket_id = t.id) AS moves FROM tickets t WHERE id = :id",
            id=ticket,
        )
        assert (row["closed_at"] is not None, row["moves"]) == (True, 1)
        told = world.one(
            "SELECT count(*) FROM rmm_outbox WHERE topic = 'ticket_closed' AND payload->>'ticket_id' = :id",
            id=ticket,
        )
        # The person's close is told exactly when it was the person who closed.
        assert told == (0 if row["closed_by"] is None else 1)


def test_a_ticket_somebody_begins_to_work_on_is_not_closed_under_their_hands(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.post()
    (ticket,) = world.tickets()
    # The comment arrives after the alert was read and before the ticket is judged.
    after_reading(monkeypatch, lambda: comment(world, ticket["id"]))
    world.post(world.resolved())
    assert world.tickets()[0]["closed_at"] is None
    assert "The ticket stays open" in world.notes(ticket["id"])[-1]


def minimal(world: World, **changes: Any) -> dict[str, Any]:
    return {"agent_id": world.body()["agent_id"], "client_id": "1", **changes}


def unmapped(world: World) -> None:
    world.do("UPDATE rmm_organization_mappings SET client_id = NULL")


def mapped(world: World) -> None:
    world.do("UPDATE rmm_organization_mappings SET client_id = :client", client=world.client_id)


def comment(world: World, ticket_id: str) -> None:
    """A person comments."""
    with world.unit() as session:
        row = session.query(User).filter_by(tenant_id=world.tenant).order_by(User.id).first()
        assert row is not None
        people.add_comment(session, row, ticket_id, "Looking into it.", is_internal=True)


def plain(world: World) -> psycopg.Connection[Any]:
    """A connection of somebody else to the same database."""
    with world.app.app_context():
        url = make_url(world.app.config["SQLALCHEMY_DATABASE_URI"]).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False))


def waiting_for_locks(world: World) -> bool:
    found: int = world.one(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return found > 0


def test_an_end_from_before_the_newest_report_resolves_nothing(world: World) -> None:
    """The alert fired, ended and fired again; the end comes last."""
    first, again = "2026-11-21 02:00:00+00:00", "2026-11-21 02:40:00+00:00"
    world.post(world.body(alert_time=first))
    assert world.post(world.body(alert_time=again)).json["outcome"] == "updated"
    late = world.body(event="resolved", resolved_on="2026-11-21 02:20:00+00:00")
    assert world.post(late).json == {"recorded": True, "outcome": "skipped", "reason": "older_event"}
    assert world.alert()["status"] == "active"
    assert len(world.tickets()) == 1
