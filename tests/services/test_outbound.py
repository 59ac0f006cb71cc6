"""A person closes a ticket: its alerts are reset at the vendor, with a receipt; nothing loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from reference_psa.models import User
from reference_psa.services import tickets as people
from rmm_extension.domain.errors import InvalidRequest, NotFound, PermissionMissing, Unavailable
from rmm_extension.domain.story import sentences
from rmm_extension.domain.types import Connection, Receipt
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import manual
from tests.harness.world import AGENT, World
from tests.services.ingest.meanwhile import in_thread
from tests.services.working import queued, relay_all, signals, steps, work

DONE = Receipt(accepted=True, message="Tactical RMM resolved the alert.", status=200)


@pytest.fixture
def vendor(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """`asked = vendor({"524": answer})`: what the vendor says to a reset, a receipt or an error."""
    with world.unit() as session:
        world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", "K" * 32)

    def script(answers: dict[str, Any] | None = None) -> list[str]:
        asked: list[str] = []

        def reset_alert(self: TacticalRmm, connection: Connection, external_id: str) -> Receipt:
            asked.append(external_id)
            answer = (answers or {}).get(external_id, DONE)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(TacticalRmm, "reset_alert", reset_alert)
        return asked

    return script


def close(world: World, ticket_id: str | None = None) -> None:
    """As the PSA's page does."""
    with world.unit() as session:
        person = session.query(User).filter_by(tenant_id=world.tenant, role="admin").first()
        assert person is not None
        people.close(session, person, ticket_id or str(world.alert()["ticket_id"]), None)


def reopen(world: World) -> None:
    """As a person does."""
    world.do(
        "UPDATE tickets SET closed_at = NULL, status_id = (SELECT id FROM ticket_statuses"
        " WHERE NOT is_closed AND board_id = tickets.board_id LIMIT 1)"
    )


def story(world: World) -> list[str]:
    """The alerts' history in words, oldest first."""
    rows = world.rows("SELECT steps FROM rmm_alert_events ORDER BY at, id")
    return [words for row in rows for words in sentences(row["steps"])]


def notes(world: World) -> list[str]:
    return world.notes(world.tickets()[0]["id"])


def test_the_alert_is_reset_with_a_receipt_on_the_ticket(
    world: World, vendor: Callable[..., list[str]]
) -> None:
    asked = vendor()
    world.post(world.body(message="Disk full"))
    relay_all(world)
    close(world)
    relay_all(world)
    assert work(world, "alert_reset") == [{"reset": 1}]
    assert asked == ["524"]
    alert = world.alert()
    assert alert["status"] == "resolved"
    assert alert["resolved_by"]
    assert "closed the ticket. Tactical RMM resolved the alert." in notes(world)[-1]
    assert steps(world)[-1] == "vendor_reset"
    assert signals(world) == ["alert_resolved"]


def test_every_alert_of_the_ticket_is_reset(world: World, vendor: Callable[..., list[str]]) -> None:
    asked = vendor()
    world.post()
    world.post(world.body(525))
    world.post(world.resolved(524))
    close(world, world.tickets()[0]["id"])
    relay_all(world)
    work(world, "alert_reset")
    assert asked == ["525"]


@pytest.mark.parametrize("way", ["rule", "snapshot"])
def test_a_rule_that_says_no_is_heeded(world: World, vendor: Callable[..., list[str]], way: str) -> None:
    asked = vendor()
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, resetAlertOnTicketClose=False)
    world.post()
    if way == "snapshot":
        world.do("DELETE FROM rmm_alert_rules")
    close(world)
    relay_all(world)
    assert work(world, "alert_reset") == [{"left_alone": 1}]
    assert asked == []
    assert world.alert()["status"] == "active"
    assert story(world)[-1].endswith(" closed its ticket. The rule leaves the alert at the vendor alone.")


@pytest.mark.parametrize("actions", ["'{}'", "'[]'", "'5'", "'\"text\"'"])
def test_a_rule_that_says_nothing_readable_means_yes(
    world: World, vendor: Callable[..., list[str]], actions: str
) -> None:
    asked = vendor()
    world.post()
    world.do(f"UPDATE rmm_alert_rules SET actions = {actions}")
    world.do("UPDATE rmm_alerts SET rule_actions = '{\"resetAlertOnTicketClose\": false}'")
    close(world)
    relay_all(world)
    work(world, "alert_reset")
    assert asked == ["524"]


def test_the_systems_own_close_asks_nobody(world: World, vendor: Callable[..., list[str]]) -> None:
    asked = vendor()
    world.post()
    world.post(world.resolved())
    relay_all(world)
    assert queued(world, "alert_reset") == []
    assert asked == []


def test_the_echo_of_our_reset_changes_nothing(world: World, vendor: Callable[..., list[str]]) -> None:
    vendor()
    world.post()
    close(world)
    relay_all(world)
    work(world, "alert_reset")
    relay_all(world)
    before = (world.alert(), world.tickets(), notes(world))
    assert world.post(world.resolved()).json["reason"] == "already_resolved"
    assert (world.alert(), world.tickets(), notes(world)) == before
    assert relay_all(world) == []
    assert queued(world, "alert_reset") == []


def test_an_echo_that_is_quicker_than_the_receipt_does_no_harm(
    world: World, monkeypatch: pytest.MonkeyPatch, vendor: Callable[..., list[str]]
) -> None:
    vendor()

    def reset_alert(self: TacticalRmm, connection: Connection, external_id: str) -> Receipt:
        assert in_thread(lambda: world.post(world.resolved())).status_code == 200
        return DONE

    monkeypatch.setattr(TacticalRmm, "reset_alert", reset_alert)
    world.post()
    close(world)
    relay_all(world)
    assert work(world, "alert_reset") == [{"reset": 1}]
    assert world.alert()["status"] == "resolved"
    assert "closed the ticket" in notes(world)[-1]


def test_an_alert_the_vendor_has_forgotten_is_over(world: World, vendor: Callable[..., list[str]]) -> None:
    vendor({"524": NotFound("gone")})
    world.post()
    close(world)
    relay_all(world)
    work(world, "alert_reset")
    assert world.alert()["status"] == "resolved"


@pytest.mark.parametrize(
    "error", [PermissionMissing("The key may not edit alerts."), Unavailable("No answer.")]
)
def test_a_final_failure_is_told_on_the_ticket_and_waits_for_a_person(
    world: World, vendor: Callable[..., list[str]], error: Exception
) -> None:
    vendor({"524": error})
    world.post()
    close(world)
    relay_all(world)
    assert work(world, "alert_reset") == [str(error)]
    alert = world.alert()
    assert (alert["status"], alert["attention"]) == ("active", "reset_failed")
    assert str(error) in notes(world)[-1]
    assert world.tickets()[0]["closed_at"] is not None


def test_a_receipt_that_says_no_is_a_failure(world: World, vendor: Callable[..., list[str]]) -> None:
    vendor({"524": Receipt(accepted=False, message="The alert is locked.", status=200)})
    world.post()
    close(world)
    relay_all(world)
    work(world, "alert_reset")
    alert = world.alert()
    assert (alert["status"], alert["attention"]) == ("active", "reset_failed")
    assert "could not be reset at the vendor: The alert is locked." in notes(world)[-1]


def test_one_alert_that_cannot_be_asked_for_does_not_stop_the_others(
    world: World, vendor: Callable[..., list[str]]
) -> None:
    asked = vendor({"abc": InvalidRequest("This alert came without its number.")})
    world.post(world.body("abc"))
    world.post(world.body(525))
    close(world, world.tickets()[0]["id"])
    relay_all(world)
    work(world, "alert_reset")
    assert asked == ["abc", "525"]
    assert world.alert("abc")["attention"] == "reset_failed"
    assert world.alert(525)["status"] == "resolved"


def test_a_second_close_that_succeeds_clears_the_failure(
    world: World, vendor: Callable[..., list[str]]
) -> None:
    vendor({"524": PermissionMissing("No.")})
    world.post()
    close(world)
    relay_all(world)
    work(world, "alert_reset")
    vendor()
    reopen(world)
    close(world)
    relay_all(world)
    work(world, "alert_reset")
    assert (world.alert()["status"], world.alert()["attention"]) == ("resolved", None)


def test_a_paused_connection_is_not_asked(world: World, vendor: Callable[..., list[str]]) -> None:
    asked = vendor()
    world.post()
    world.do("UPDATE rmm_integrations SET state = 'paused'")
    close(world)
    relay_all(world)
    (said,) = work(world, "alert_reset")
    assert "is paused" in said
    assert asked == []
    assert world.alert()["attention"] == "reset_failed"


def test_a_worker_that_dies_after_the_vendor_has_answered_asks_again_and_writes_once(
    world: World, vendor: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rmm_extension.services import outbound

    asked = vendor()
    world.post()
    close(world)
    relay_all(world)
    taken, failures = outbound._take_receipt, [RuntimeError("killed")]

    def dies(*args: Any, **options: Any) -> None:
        if failures:
            raise failures.pop()
        taken(*args, **options)

    monkeypatch.setattr(outbound, "_take_receipt", dies)
    with pytest.raises(RuntimeError):
        work(world, "alert_reset")
    world.do("UPDATE rmm_job_runs SET status = 'queued' WHERE kind = 'alert_reset'")
    assert work(world, "alert_reset") == [{"reset": 1}]
    assert asked == ["524", "524"]
    assert len([note for note in notes(world) if "closed the ticket" in note]) == 1


def test_no_transaction_is_open_while_the_vendor_is_asked(
    world: World, vendor: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor()
    open_ones: list[int] = []

    def reset_alert(self: TacticalRmm, connection: Connection, external_id: str) -> Receipt:
        session = world.rmm.db.session()
        open_ones.append(int(session.in_transaction()))
        return DONE

    monkeypatch.setattr(TacticalRmm, "reset_alert", reset_alert)
    world.post()
    world.post(world.body(525))
    close(world, world.tickets()[0]["id"])
    relay_all(world)
    work(world, "alert_reset")
    assert open_ones == [0, 0]


def reset_while_it_fires_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert's ticket is closed; it ends and fires again while the vendor is asked to reset it."""

    def reset_alert(self: TacticalRmm, connection: Connection, external_id: str) -> Receipt:
        in_thread(lambda: world.post(world.resolved()))
        in_thread(lambda: world.post(world.body(alert_time="2026-11-21 05:00:00+00:00")))
        return DONE

    monkeypatch.setattr(TacticalRmm, "reset_alert", reset_alert)
    world.post()
    close(world)
    relay_all(world)
    work(world, "alert_reset")


def test_an_alert_that_fired_again_meanwhile_is_not_taken_for_reset(
    world: World, vendor: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended and began anew, with a ticket of its own, while the vendor was asked about the old one."""
    vendor()
    reset_while_it_fires_again(world, monkeypatch)
    alert = world.alert()
    assert (alert["episode"], alert["status"]) == (2, "active")


def test_an_alert_that_no_rule_took_is_reset_too(world: World, vendor: Callable[..., list[str]]) -> None:
    """A person asked for its ticket: closing that says the same as for one that a rule made."""
    asked = vendor()
    world.do("DELETE FROM rmm_alert_rules")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    assert world.post().json["outcome"] == "recorded_only"
    with world.app.app_context():
        (ticket,) = manual.create_tickets(world.rmm, world.admin, [world.alert()["id"]]).tickets
    close(world, ticket.id)
    relay_all(world)
    assert work(world, "alert_reset") == [{"reset": 1}]
    assert asked == ["524"]


def test_an_alert_that_is_over_already_is_not_asked_for(
    world: World, vendor: Callable[..., list[str]]
) -> None:
    asked = vendor()
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, autoResolveTicket=False)
    world.post()
    world.post(world.resolved())
    close(world)
    relay_all(world)
    assert work(world, "alert_reset") == []
    assert asked == []


class TestTheTicketMovesOn:
    """It is reopened, by a person or by a new firing, while the reset is waited for or under way."""

    @pytest.fixture(autouse=True)
    def reopened_by_firings(self, world: World) -> None:
        world.do("DELETE FROM rmm_alert_rules")
        world.add_rule(0, reopenWithinMinutes=10080)

    @staticmethod
    def later(world: World) -> None:
        """As much later as the next reset waits for the one under way."""
        world.do("UPDATE rmm_outbox SET due_at = now()")
        relay_all(world)

    def test_a_second_close_during_the_reset_leads_to_another(
        self, world: World, monkeypatch: pytest.MonkeyPatch, vendor: Callable[..., list[str]]
    ) -> None:
        vendor()
        asked: list[str] = []

        def fires_and_is_closed() -> None:
            assert world.post(world.body(525)).json["outcome"] == "ticket_reopened"
            close(world, world.tickets()[0]["id"])
            relay_all(world)

        def reset_alert(self: TacticalRmm, connection: Connection, external_id: str) -> Receipt:
            asked.append(external_id)
            if external_id == "524":
                in_thread(fires_and_is_closed)
            return DONE

        monkeypatch.setattr(TacticalRmm, "reset_alert", reset_alert)
        world.post()
        close(world)
        relay_all(world)
        work(world, "alert_reset")
        assert world.alert(525)["status"] == "active"
        self.later(world)
        assert work(world, "alert_reset") == [{"reset": 1}]
        assert asked == ["524", "525"]
        assert (world.alert(524)["status"], world.alert(525)["status"]) == ("resolved", "resolved")
        assert world.one("SELECT count(*) FROM rmm_outbox WHERE topic = 'ticket_closed'") == 0

    def test_a_second_close_that_finds_nothing_left_to_reset_asks_nobody(
        self, world: World, vendor: Callable[..., list[str]]
    ) -> None:
        asked = vendor()
        world.post()
        close(world)
        relay_all(world)
        reopen(world)
        close(world)
        relay_all(world)
        work(world, "alert_reset")
        self.later(world)
        assert queued(world, "alert_reset") == []
        assert asked == ["524"]

    def test_what_is_worked_on_again_is_not_reset(
        self, world: World, vendor: Callable[..., list[str]]
    ) -> None:
        asked = vendor()
        world.post()
        close(world)
        relay_all(world)
        assert world.post(world.body(525)).json["outcome"] == "ticket_reopened"
        assert work(world, "alert_reset") == [{"ticket_reopened": 1}]
        assert asked == []
        assert (world.alert(524)["status"], world.alert(525)["status"]) == ("active", "active")

    def test_an_answer_about_the_episode_before_ends_no_new_one(
        self, world: World, monkeypatch: pytest.MonkeyPatch, vendor: Callable[..., list[str]]
    ) -> None:
        """The same alert ends, fires again and reopens the very ticket while the vendor is asked."""
        vendor()
        reset_while_it_fires_again(world, monkeypatch)
        alert = world.alert()
        assert alert["ticket_id"] == world.tickets()[0]["id"]
        assert (alert["episode"], alert["status"]) == (2, "active")


class TestAnAlertWithoutANumber:
    """The vendor cannot be asked about it; left open it would swallow all later failures of its condition."""

    BODY: ClassVar[dict[str, str]] = {"agent_id": AGENT, "client_id": "1"}

    @pytest.mark.parametrize("state", ["connected", "paused"])
    def test_ends_here_with_its_ticket(
        self, world: World, vendor: Callable[..., list[str]], state: str
    ) -> None:
        asked = vendor()
        world.post(self.BODY)
        (ticket,) = world.tickets()
        close(world, ticket["id"])
        relay_all(world)
        world.do("UPDATE rmm_integrations SET state = :state", state=state)
        work(world, "alert_reset")
        assert asked == []
        (alert,) = world.rows("SELECT status, resolved_here, resolved_by FROM rmm_alerts")
        assert (alert["status"], alert["resolved_here"]) == ("resolved", True)
        assert alert["resolved_by"] is not None
        assert signals(world).count("alert_resolved") == 1

    def test_so_that_the_next_failure_makes_a_ticket(
        self, world: World, vendor: Callable[..., list[str]]
    ) -> None:
        vendor()
        world.post(self.BODY)
        close(world, world.tickets()[0]["id"])
        relay_all(world)
        work(world, "alert_reset")
        assert world.post(self.BODY).json["outcome"] == "ticket_created"
        assert len(world.tickets()) == 2

    def test_is_left_alone_where_the_rule_says_so(
        self, world: World, vendor: Callable[..., list[str]]
    ) -> None:
        vendor()
        world.do("DELETE FROM rmm_alert_rules")
        world.add_rule(0, resetAlertOnTicketClose=False)
        world.post(self.BODY)
        close(world, world.tickets()[0]["id"])
        relay_all(world)
        work(world, "alert_reset")
        assert world.one("SELECT status FROM rmm_alerts") == "active"


def test_a_ticket_that_is_reopened_between_two_alerts_keeps_the_rest(
    world: World, vendor: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor()
    asked: list[str] = []

    def reset_alert(self: TacticalRmm, connection: Connection, external_id: str) -> Receipt:
        asked.append(external_id)
        in_thread(lambda: reopen(world))
        return DONE

    monkeypatch.setattr(TacticalRmm, "reset_alert", reset_alert)
    world.post()
    world.post(world.body(525))
    close(world, world.tickets()[0]["id"])
    relay_all(world)
    assert work(world, "alert_reset") == [{"reset": 1, "ticket_reopened": 1}]
    assert asked == ["524"]
    assert (world.alert(524)["status"], world.alert(525)["status"]) == ("resolved", "active")


def test_a_wish_while_the_vendor_is_asked_about_an_older_episode_is_not_lost(
    world: World, vendor: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resolved at the vendor, fired again, resolved at the vendor once more: all while the first is asked."""
    vendor()
    asked: list[str] = []

    def resolve() -> None:
        with world.app.app_context():
            done = manual.resolve(world.rmm, world.admin, [world.alert()["id"]], at_vendor=True)
        assert done.done == 1

    def reset_alert(self: TacticalRmm, connection: Connection, external_id: str) -> Receipt:
        asked.append(external_id)
        if len(asked) == 1:
            in_thread(lambda: world.post(world.body(alert_time="2026-11-21 05:00:00+00:00")))
            in_thread(resolve)
        return DONE

    monkeypatch.setattr(TacticalRmm, "reset_alert", reset_alert)
    world.post()
    resolve()
    work(world, "alert_reset")
    relay_all(world)
    assert queued(world, "alert_reset") == [], "it is waited for a moment"
    world.do("UPDATE rmm_outbox SET due_at = now()")
    relay_all(world)
    assert work(world, "alert_reset") == [{"reset": 1}]
    assert asked == ["524", "524"]
    assert (world.alert()["episode"], world.alert()["attention"]) == (2, None)
    world.do("UPDATE rmm_outbox SET due_at = now()")
    relay_all(world)
    assert queued(world, "alert_reset") == []
