"""What people do with alerts: each of it with who and when, and nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from reference_psa.adapters.tickets import SqlTickets
from rmm_extension.domain import story
from rmm_extension.domain.errors import HostRejected, InvalidRequest, NotFound
from rmm_extension.domain.types import Channel, Connection, Receipt
from rmm_extension.host import Actor
from rmm_extension.models import new_id
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import alert_acts, attention, manual
from rmm_extension.services.alert_acts import TicketChoice
from rmm_extension.services.decisions import decide_stored
from rmm_extension.services.ingest.stored import WINDOW
from rmm_extension.services.manual import Done
from tests.harness.world import World
from tests.services.ingest.meanwhile import once_before
from tests.services.ingest.test_adoption import poll, polled
from tests.services.working import queued, relay_all, signals, steps, work


@pytest.fixture
def mara(world: World) -> Actor:
    return Actor(id="mara", name="Mara Lindholm", tenant_id=world.tenant)


@pytest.fixture
def recording(world: World) -> World:
    """No rule, no ticket."""
    world.do("DELETE FROM rmm_alert_rules")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    return world


def do(world: World, act: Callable[..., Any], *args: Any, **options: Any) -> Any:
    with world.app.app_context():
        return act(world.rmm, *args, **options)


def ids(world: World, *external: int) -> list[UUID]:
    return [world.alert(one)["id"] for one in external or (524,)]


def reasons(done: Done) -> list[str]:
    return [refused.reason for refused in done.refused]


def last_row(world: World) -> dict[str, Any]:
    return world.rows("SELECT * FROM rmm_alert_events ORDER BY id DESC LIMIT 1")[0]


def suppress(world: World) -> None:
    world.do(
        "INSERT INTO rmm_maintenance_windows (tenant_id, id, name, is_active, starts_at, ends_at, created_at,"
        " updated_at) VALUES (:tenant, gen_random_uuid(), 'Patches', TRUE, '2026-01-01', '2036-01-01',"
        " now(), now())",
        tenant=world.tenant,
    )
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")


def end_window(world: World) -> None:
    world.do("UPDATE rmm_maintenance_windows SET is_active = FALSE")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")


class TestAcknowledge:
    def test_who_and_when_are_kept_and_told(self, world: World, mara: Actor) -> None:
        world.post(world.body(message="Disk full"))
        relay_all(world)
        before = world.alert()
        assert do(world, manual.acknowledge, mara, ids(world)) == Done(1)
        alert = world.alert()
        assert (alert["status"], alert["acknowledged_by"]) == ("acknowledged", "Mara Lindholm")
        assert alert["acknowledged_at"] > before["last_event_at"]
        assert alert["last_event_at"] == before["last_event_at"]
        row = last_row(world)
        assert (row["kind"], row["channel"], row["actor"]) == ("acknowledged", "manual", "Mara Lindholm")
        assert story.sentences(row["steps"]) == ["Acknowledged by Mara Lindholm."]
        assert signals(world) == ["alert_acknowledged"]

    def test_only_an_active_or_suppressed_one(self, world: World, mara: Actor) -> None:
        world.post(world.body(1))
        world.post(world.body(2))
        world.post(world.resolved(2))
        do(world, manual.acknowledge, mara, ids(world, 1))
        done = do(world, manual.acknowledge, mara, [*ids(world, 1, 2), new_id()])
        assert done.done == 0
        assert reasons(done) == [
            "Only an active or suppressed alert can be acknowledged; this one is acknowledged.",
            "Only an active or suppressed alert can be acknowledged; this one is resolved.",
            "Alert not found",
        ]

    def test_another_tenants_alert_is_not_found(self, world: World) -> None:
        world.post()
        stranger = Actor(id="x", name="X", tenant_id="another")
        assert reasons(do(world, manual.acknowledge, stranger, ids(world))) == ["Alert not found"]

    def test_a_suppressed_one_is_still_decided_when_its_window_ends(self, world: World, mara: Actor) -> None:
        suppress(world)
        world.post()
        do(world, manual.acknowledge, mara, ids(world))
        assert world.alert()["status"] == "acknowledged"
        assert world.alert()["suppressed_by_window_id"] is not None

        def look(wanted: UUID) -> Any:
            return do(world, decide_stored, world.tenant, wanted, channel=Channel.TICK, waiting_for=WINDOW)

        assert look(ids(world)[0]).outcome == "suppressed"
        assert world.alert()["status"] == "acknowledged"
        end_window(world)
        assert look(ids(world)[0]).outcome == "ticket_created"
        alert = world.alert()
        assert (alert["status"], alert["acknowledged_by"]) == ("acknowledged", "Mara Lindholm")
        assert alert["suppressed_by_window_id"] is None


class TestResolve:
    def test_the_alert_ends_and_its_untouched_ticket_with_it(self, world: World, mara: Actor) -> None:
        world.post()
        relay_all(world)
        assert do(world, manual.resolve, mara, ids(world), at_vendor=False) == Done(1)
        alert = world.alert()
        assert (alert["status"], alert["resolved_by"]) == ("auto_resolved", "Mara Lindholm")
        assert alert["resolved_here"] is True
        assert alert["resolved_at"] is not None
        (ticket,) = world.tickets()
        assert ticket["closed_at"] is not None
        assert any("Alert resolved here by Mara Lindholm." in note for note in world.notes(ticket["id"]))
        assert steps(world)[-2:] == ["resolved_here", "ticket_closed"]
        assert relay_all(world)[-1] == ("ticket_closed", {"tenantId": world.tenant, "ticketId": ticket["id"]})
        assert queued(world, "alert_reset") == []

    def test_the_ticket_stays_while_another_alert_on_it_is_open(self, world: World, mara: Actor) -> None:
        world.post(world.body(1))
        world.post(world.body(2))
        do(world, manual.resolve, mara, ids(world, 1), at_vendor=False)
        assert world.tickets()[0]["closed_at"] is None
        assert steps(world, 1)[-1] == "ticket_kept"
        do(world, manual.resolve, mara, ids(world, 2), at_vendor=False)
        assert world.tickets()[0]["closed_at"] is not None

    def test_a_rule_that_closes_nothing_leaves_the_ticket(self, world: World, mara: Actor) -> None:
        world.do("DELETE FROM rmm_alert_rules")
        world.add_rule(0, autoResolveTicket=False)
        world.post()
        do(world, manual.resolve, mara, ids(world), at_vendor=False)
        assert world.tickets()[0]["closed_at"] is None
        assert steps(world)[-1] == "ticket_untouched_rule_off"

    def test_what_the_vendor_still_lists_stays_resolved_until_its_time_is_new(
        self, world: World, mara: Actor
    ) -> None:
        world.post()
        do(world, manual.resolve, mara, ids(world), at_vendor=False)
        assert world.post().json["reason"] == "resolved_here"
        assert poll(world, polled()) == "skipped"
        assert world.alert()["status"] == "auto_resolved"
        assert poll(world, polled(at="2026-11-21 05:00:00+00:00")) == "ticket_created"
        alert = world.alert()
        assert (alert["resolved_here"], alert["resolved_by"], alert["episode"]) == (False, None, 2)

    def test_one_that_is_over_is_refused(self, world: World, mara: Actor) -> None:
        world.post()
        world.post(world.resolved())
        done = do(world, manual.resolve, mara, ids(world), at_vendor=True)
        assert reasons(done) == ["The alert is resolved already."]

    def test_a_suppressed_one_ends_quietly(self, world: World, mara: Actor) -> None:
        suppress(world)
        world.post()
        relay_all(world)
        do(world, manual.resolve, mara, ids(world), at_vendor=False)
        assert world.alert()["status"] == "resolved"
        assert signals(world) == []

    def test_the_vendors_own_word_afterwards_changes_nothing(self, world: World, mara: Actor) -> None:
        world.post()
        do(world, manual.resolve, mara, ids(world), at_vendor=False)
        notes = world.notes(world.tickets()[0]["id"])
        assert world.post(world.resolved()).json["reason"] == "already_resolved"
        assert world.alert()["resolved_by"] == "Mara Lindholm"
        assert world.notes(world.tickets()[0]["id"]) == notes

    def test_an_event_that_comes_in_between_is_heeded(
        self, world: World, mara: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.post(world.body(severity="warning"))
        wanted = ids(world)
        came = once_before(
            monkeypatch, alert_acts, "end_ticket", lambda: world.post(world.body(severity="error")).json
        )
        assert do(world, manual.resolve, mara, wanted, at_vendor=False) == Done(1)
        assert came == [{"recorded": True, "outcome": "updated"}]
        assert (world.alert()["status"], world.alert()["severity"]) == ("auto_resolved", "critical")


class TestResolveAtTheVendor:
    @pytest.fixture
    def vendor(self, world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
        """`asked = vendor(answer)`: what the vendor says to a reset."""
        with world.unit() as session:
            world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", "K" * 32)

        def script(answer: Any = None) -> list[str]:
            asked: list[str] = []

            def reset_alert(self: TacticalRmm, connection: Connection, external_id: str) -> Receipt:
                asked.append(external_id)
                if isinstance(answer, Exception):
                    raise answer
                return Receipt(accepted=True, message="Tactical RMM resolved the alert.", status=200)

            monkeypatch.setattr(TacticalRmm, "reset_alert", reset_alert)
            return asked

        return script

    def test_a_job_asks_for_exactly_this_alert(
        self, world: World, mara: Actor, vendor: Callable[..., list[str]]
    ) -> None:
        asked = vendor()
        world.post(world.body(1, message="Disk full"))
        world.post(world.body(2))
        relay_all(world)
        do(world, manual.resolve, mara, ids(world, 1), at_vendor=True)
        assert asked == []
        assert work(world, "alert_reset") == [{"reset": 1}]
        assert asked == ["1"]
        assert world.alert(1)["attention"] is None
        assert world.alert(2)["status"] == "active"
        (ticket,) = world.tickets()
        assert "resolved at the vendor for Mara Lindholm. Tactical RMM" in world.notes(ticket["id"])[-1]
        assert steps(world, 1)[-1] == "vendor_reset"
        assert signals(world) == ["alert_resolved"]
        assert world.one("SELECT actor_name FROM rmm_audit WHERE action = 'alert.vendor_reset'") == mara.name

    def test_it_does_not_come_back(self, world: World, mara: Actor, vendor: Callable[..., list[str]]) -> None:
        vendor()
        world.post()
        do(world, manual.resolve, mara, ids(world), at_vendor=True)
        work(world, "alert_reset")
        relay_all(world)
        world.post(world.resolved())
        assert relay_all(world) == []
        assert queued(world, "alert_reset") == []

    def test_without_a_ticket_the_history_has_the_receipt(
        self, recording: World, mara: Actor, vendor: Callable[..., list[str]]
    ) -> None:
        vendor(NotFound("Gone."))
        recording.post()
        do(recording, manual.resolve, mara, ids(recording), at_vendor=True)
        assert work(recording, "alert_reset") == [{"reset": 1}]
        row = last_row(recording)
        assert row["actor"] == "Mara Lindholm"
        assert "does not list this alert any more" in story.sentences(row["steps"])[0]

    def test_a_refusal_waits_under_needs_attention_and_can_be_tried_again(
        self, world: World, mara: Actor, vendor: Callable[..., list[str]]
    ) -> None:
        vendor(InvalidRequest("No."))
        world.post()
        do(world, manual.resolve, mara, ids(world), at_vendor=True)
        assert work(world, "alert_reset") == [{"reset": 0, "refused": 1}]
        alert = world.alert()
        assert (alert["status"], alert["attention"]) == ("auto_resolved", "reset_failed")
        asked = vendor()
        assert do(world, manual.retry_reset, mara, alert["id"]) is not None
        assert work(world, "alert_reset") == [{"reset": 1}]
        assert asked == ["524"]
        assert world.alert()["attention"] is None
        assert do(world, manual.retry_reset, mara, alert["id"]) is None

    def test_a_new_episode_is_not_meant(
        self, world: World, mara: Actor, vendor: Callable[..., list[str]]
    ) -> None:
        asked = vendor()
        world.post()
        do(world, manual.resolve, mara, ids(world), at_vendor=True)
        world.post(world.body(alert_time="2026-11-21 05:00:00+00:00"))
        work(world, "alert_reset")
        assert asked == []
        assert world.alert()["status"] == "active"

    def test_a_worker_that_was_killed_asks_and_tells_once(
        self, world: World, mara: Actor, vendor: Callable[..., list[str]]
    ) -> None:
        asked = vendor()
        world.post()
        do(world, manual.resolve, mara, ids(world), at_vendor=True)
        (run_id,) = queued(world, "alert_reset")
        work(world, "alert_reset")
        notes = world.notes(world.tickets()[0]["id"])
        world.do("UPDATE rmm_job_runs SET status = 'queued' WHERE id = :id", id=run_id)
        work(world, "alert_reset")
        assert asked == ["524"]
        assert world.notes(world.tickets()[0]["id"]) == notes

    def test_where_the_vendor_cannot_be_asked_nothing_is_done(self, world: World, mara: Actor) -> None:
        world.post({"agent_id": "A1", "client_id": "1"})
        world.post()
        (unnumbered,) = world.rows("SELECT id FROM rmm_alerts WHERE synthesized")
        done = do(world, manual.resolve, mara, [unnumbered["id"]], at_vendor=True)
        assert reasons(done) == [
            "Tactical RMM gave this alert no number to resolve it by; resolve it here only."
        ]
        world.do("UPDATE rmm_integrations SET state = 'paused'")
        done = do(world, manual.resolve, mara, ids(world), at_vendor=True)
        assert done.refused[0].reason.endswith(" is paused; resolve the alert here only.")
        assert world.one("SELECT count(*) FROM rmm_alerts WHERE status = 'active'") == 2


class TestCreateTickets:
    def test_a_ticket_as_chosen(self, recording: World, mara: Actor) -> None:
        recording.post()
        relay_all(recording)
        board = recording.rows(
            "SELECT id FROM boards WHERE tenant_id = :t AND is_active AND NOT is_default LIMIT 1",
            t=recording.tenant,
        )[0]["id"]
        priority = recording.rows(
            "SELECT id FROM priorities WHERE tenant_id = :t LIMIT 1", t=recording.tenant
        )[0]["id"]
        choice = TicketChoice(board_id=board, priority_id=priority, title_template="Look: {{severity}}")
        done = do(recording, manual.create_tickets, mara, ids(recording), choice)
        (ticket,) = recording.tickets()
        assert (done.done, [one.id for one in done.tickets]) == (1, [ticket["id"]])
        assert (ticket["board_id"], ticket["priority_id"]) == (board, priority)
        assert ticket["title"] == "Look: critical"
        assert recording.notes(ticket["id"])[0].startswith("Created by Mara Lindholm from a Tactical RMM")
        alert = recording.alert()
        assert (alert["ticket_id"], alert["auto_ticket_created"]) == (ticket["id"], False)
        row = last_row(recording)
        assert (row["actor"], row["channel"], row["kind"]) == ("Mara Lindholm", "manual", "ticket")
        assert story.sentences(row["steps"])[0] == "Mara Lindholm asked for a ticket."
        assert "ticket_linked" in signals(recording)

    def test_the_next_firing_of_the_condition_joins_it(self, recording: World, mara: Actor) -> None:
        recording.post(recording.body(1))
        do(recording, manual.create_tickets, mara, ids(recording, 1))
        recording.add_rule(0)
        assert recording.post(recording.body(2)).json["outcome"] == "occurrence_appended"

    def test_an_open_ticket_of_the_condition_is_joined_and_said_so_before(
        self, world: World, mara: Actor
    ) -> None:
        world.post(world.body(1))
        (ticket,) = world.tickets()
        world.do("DELETE FROM rmm_alert_rules")
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        world.post(world.body(2))
        with world.unit() as session:
            state = manual.joinable(world.rmm, session, world.tenant, ids(world, 2)[0])
            assert state is not None
            assert state.id == ticket["id"]
            assert manual.joinable(world.rmm, session, world.tenant, ids(world, 1)[0]) is None
        done = do(world, manual.create_tickets, mara, ids(world, 2))
        assert [one.id for one in done.tickets] == [ticket["id"]]
        assert len(world.tickets()) == 1
        assert world.notes(ticket["id"])[-1].startswith("Alert linked by Mara Lindholm.")
        assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1
        assert steps(world, 2)[-2:] == ["ticket_requested", "joined_ticket"]

    def test_two_alerts_of_one_condition_share_the_ticket(self, recording: World, mara: Actor) -> None:
        recording.post(recording.body(1))
        recording.post(recording.body(2))
        done = do(recording, manual.create_tickets, mara, ids(recording, 1, 2))
        assert (done.done, len(done.tickets)) == (2, 1)
        assert len(recording.tickets()) == 1

    def test_refusals_in_words(self, world: World, mara: Actor) -> None:
        world.post(world.body(1))
        world.post(world.body(2, client_id="77", agent_id="B2"))
        done = do(world, manual.create_tickets, mara, [new_id(), *ids(world, 1, 2)])
        assert reasons(done) == [
            "Alert not found",
            "Alert already has a linked ticket",
            "No client resolvable for this alert (unmapped asset and organization)",
        ]

    def test_the_hosts_refusal_is_told_and_changes_nothing(
        self, recording: World, mara: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recording.post()

        def refuse(*args: Any) -> None:
            raise HostRejected("No board is set.")

        monkeypatch.setattr(SqlTickets, "create", refuse)
        before = recording.alert()
        done = do(recording, manual.create_tickets, mara, ids(recording))
        assert reasons(done) == ["No board is set."]
        assert recording.alert() == before

    def test_it_ends_suppression_and_attention(self, world: World, mara: Actor) -> None:
        suppress(world)
        world.post()
        do(world, manual.create_tickets, mara, ids(world))
        alert = world.alert()
        assert (alert["status"], alert["suppressed_by_window_id"]) == ("active", None)
        assert alert["ticket_id"] is not None

    def test_a_resolved_alert_may_get_one_too(self, recording: World, mara: Actor) -> None:
        recording.post()
        recording.post(recording.resolved())
        assert do(recording, manual.create_tickets, mara, ids(recording)).done == 1
        assert recording.alert()["status"] == "resolved"


class TestRetryTicket:
    def test_once_the_obstacle_is_gone_it_makes_the_ticket(self, world: World, mara: Actor) -> None:
        world.do("UPDATE rmm_organization_mappings SET client_id = NULL")
        world.post()
        done = do(world, manual.retry_ticket, mara, ids(world)[0])
        assert (done.done, reasons(done)) == (0, [story.ATTENTION["no_client"]])
        world.do("UPDATE rmm_organization_mappings SET client_id = :client", client=world.client_id)
        done = do(world, manual.retry_ticket, mara, ids(world)[0])
        (ticket,) = world.tickets()
        assert [one.id for one in done.tickets] == [ticket["id"]]
        assert world.alert()["attention"] is None
        assert "Mara Lindholm had it tried again." in story.sentences(last_row(world)["steps"])

    def test_what_waits_for_nothing_is_refused(self, world: World, mara: Actor) -> None:
        world.post()
        done = do(world, manual.retry_ticket, mara, ids(world)[0])
        assert reasons(done) == ["The alert does not wait for a ticket any more."]
        assert reasons(do(world, manual.retry_ticket, mara, new_id())) == ["Alert not found"]


def test_a_host_that_keeps_refusing_adds_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise HostRejected("No board is set.")

    monkeypatch.setattr(SqlTickets, "create", refuse)
    world.post()
    before = world.rows("SELECT * FROM rmm_alert_events"), world.rows("SELECT * FROM rmm_alert_conditions")
    for _ in range(3):
        world.do("UPDATE rmm_alerts SET attention_at = now() - interval '6 minutes'")
        with world.app.app_context():
            attention.retry_due(world.rmm)
        assert work(world, "alert_decisions") == [{"decided": 0, "still_waiting": 1}]
    after = world.rows("SELECT * FROM rmm_alert_events"), world.rows("SELECT * FROM rmm_alert_conditions")
    assert after == before
    assert world.one("SELECT attention_at > now() - interval '1 minute' FROM rmm_alerts") is True
