"""What workflows do with alerts: once or not at all, with the same rules as when a person does it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from reference_psa.adapters.tickets import SqlTickets
from rmm_extension.domain.actions import ErrorCode, Order, Outcome
from rmm_extension.domain.errors import HostError, HostRejected, HostUnavailable, InvalidRequest
from rmm_extension.domain.types import Connection, Receipt
from rmm_extension.host import Actor
from rmm_extension.models import new_id
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import alert_acts
from rmm_extension.workflows.core import alerts
from rmm_extension.workflows.pack import StepContext
from tests.harness.world import World
from tests.services.ingest.meanwhile import once_before
from tests.services.working import queued, relay_all, signals, steps, work
from tests.workflows.core.doing import act, act_in, user

CREATE, ACKNOWLEDGE, RESOLVE, GET = (
    f"rmm.alerts.{name}" for name in ("create_ticket", "acknowledge", "resolve", "get")
)


@pytest.fixture
def recording(world: World) -> World:
    """An alert that no rule made a ticket of."""
    world.do("DELETE FROM rmm_alert_rules")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    world.post()
    relay_all(world)
    return world


@pytest.fixture
def ticketed(world: World) -> World:
    """An alert with its ticket."""
    world.post(world.body(message="Disk full"))
    relay_all(world)
    return world


def do(world: World, action: str, **given: Any) -> Outcome:
    return act(world, action, {"alert_id": str(world.alert()["id"]), **given})


def told(outcome: Outcome) -> tuple[str, ErrorCode | None]:
    return outcome.state.value, outcome.error_code


def wish(world: World, session: Session, actor: Actor, alert_id: UUID) -> tuple[StepContext, Order]:
    """What a step gives to the action."""
    context = StepContext(rmm=world.rmm, session=session, actor=actor, key=f"test:{new_id()}")
    return context, Order(action=CREATE, input={"alert_id": str(alert_id)})


class TestCreateTicket:
    def test_the_alert_is_on_a_ticket_as_chosen(self, recording: World) -> None:
        low = recording.one(
            "SELECT id FROM priorities WHERE tenant_id = :tenant AND name = 'Low'", tenant=recording.tenant
        )
        outcome = do(
            recording,
            CREATE,
            priority_id=low,
            assign_to_user_id=user("tech"),
            title_template="Look at {device}",
            description_template="{severity} at {provider}",
        )
        (ticket,) = recording.tickets()
        assert outcome.state.value == "succeeded", outcome
        assert outcome.output == {"ticket_id": ticket["id"], "ticket_number": f"T-{ticket['number']}"}
        assert (ticket["priority_id"], ticket["assignee_id"]) == (low, user("tech"))
        assert ticket["title"].startswith("Look at ")
        assert recording.alert()["ticket_id"] == ticket["id"]
        assert recording.alert()["auto_ticket_created"] is False
        assert {"ticket_created", "ticket_linked"} <= set(signals(recording))

    def test_the_open_ticket_of_its_condition_is_joined(self, ticketed: World) -> None:
        ticketed.do("DELETE FROM rmm_alert_rules")
        ticketed.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        ticketed.do("UPDATE rmm_alerts SET ticket_id = NULL")
        outcome = do(ticketed, CREATE)
        assert len(ticketed.tickets()) == 1
        assert outcome.output is not None
        assert outcome.output["ticket_id"] == ticketed.tickets()[0]["id"]

    def test_one_that_has_a_ticket_gets_no_second_one(self, ticketed: World) -> None:
        outcome = do(ticketed, CREATE)
        assert told(outcome) == ("failed", ErrorCode.CREATE_TICKET_FAILED)
        assert outcome.message == "Alert already has a linked ticket"
        assert len(ticketed.tickets()) == 1

    def test_one_without_a_client_is_told(self, recording: World) -> None:
        recording.do("UPDATE rmm_organization_mappings SET client_id = NULL")
        recording.do("UPDATE rmm_alerts SET client_id = NULL")
        outcome = do(recording, CREATE)
        assert told(outcome) == ("failed", ErrorCode.CREATE_TICKET_FAILED)
        assert outcome.message.startswith("No client resolvable for this alert")

    def test_an_unknown_one_and_another_tenants_are_not_found(self, recording: World) -> None:
        stranger = Actor(id="x", name="X", tenant_id="another")
        for context, alert_id in ((recording.admin, new_id()), (stranger, recording.alert()["id"])):
            with recording.unit() as session:
                outcome = alerts.create_ticket(*wish(recording, session, context, alert_id))
            assert told(outcome) == ("failed", ErrorCode.CREATE_TICKET_FAILED)
            assert outcome.message == "Alert not found"

    def test_what_is_no_id_is_refused_in_words(self, recording: World) -> None:
        outcome = act(recording, CREATE, {"alert_id": "524"})
        assert told(outcome) == ("failed", ErrorCode.VALIDATION_ERROR)
        assert "{{ alert.id }}" in outcome.message

    @pytest.mark.parametrize("error, words", [
        (HostRejected("There is no board. Make one."), "There is no board. Make one."),
        (HostError("psycopg said something odd"), ErrorCode.CREATE_TICKET_FAILED.in_words),
    ])  # fmt: skip
    def test_a_host_that_refuses_is_quoted_only_where_it_speaks_to_people(
        self, recording: World, monkeypatch: pytest.MonkeyPatch, error: HostError, words: str
    ) -> None:
        self._fail(monkeypatch, error)
        outcome = do(recording, CREATE)
        assert (*told(outcome), outcome.message) == ("failed", ErrorCode.CREATE_TICKET_FAILED, words)
        assert recording.alert()["ticket_id"] is None
        assert "ticket_requested" not in steps(recording)

    def test_a_host_that_cannot_answer_now_is_asked_again_by_the_step(
        self, recording: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._fail(monkeypatch, HostUnavailable("Not now."))
        with recording.unit() as session:
            wished = wish(recording, session, recording.admin, recording.alert()["id"])
            with pytest.raises(HostUnavailable):
                alerts.create_ticket(*wished)

    @staticmethod
    def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        def create(*_: Any) -> None:
            raise error

        monkeypatch.setattr(SqlTickets, "create", create)


class TestAcknowledge:
    def test_under_the_actors_name_and_once(self, ticketed: World) -> None:
        first, second = do(ticketed, ACKNOWLEDGE), do(ticketed, ACKNOWLEDGE)
        assert [one.state.value for one in (first, second)] == ["succeeded", "succeeded"]
        assert first.output is not None
        assert second.output is not None
        assert (first.output["changed"], second.output["changed"]) == (True, False)
        alert = ticketed.alert()
        assert (alert["status"], alert["acknowledged_by"]) == ("acknowledged", "Mara Lindholm")
        assert signals(ticketed) == ["alert_acknowledged"]

    def test_one_that_is_over_cannot_be(self, ticketed: World) -> None:
        ticketed.post(ticketed.resolved())
        outcome = do(ticketed, ACKNOWLEDGE)
        assert told(outcome) == ("failed", ErrorCode.CONFLICT)
        assert "this one is auto resolved" in outcome.message

    def test_an_unknown_one_is_not_found(self, ticketed: World) -> None:
        outcome = act(ticketed, ACKNOWLEDGE, {"alert_id": str(new_id())})
        assert told(outcome) == ("failed", ErrorCode.NOT_FOUND)


class TestResolve:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The ids that the vendor was asked to resolve."""
        ids: list[str] = []

        def reset_alert(self: TacticalRmm, connection: Connection, external_id: str) -> Receipt:
            ids.append(external_id)
            return Receipt(accepted=True, message="done")

        monkeypatch.setattr(TacticalRmm, "reset_alert", reset_alert)
        return ids

    def test_the_alert_ends_and_its_ticket_with_it(self, ticketed: World, asked: list[str]) -> None:
        outcome = do(ticketed, RESOLVE)
        assert outcome.output == {
            "resolved": True,
            "alert_id": str(ticketed.alert()["id"]),
            "changed": True,
            "vendor_asked": False,
        }
        assert ticketed.alert()["status"] in ("resolved", "auto_resolved")
        assert ticketed.tickets()[0]["closed_at"] is not None
        assert "alert_resolved" in signals(ticketed)
        work(ticketed, "alert_reset")
        assert asked == []

    def test_the_vendor_is_asked_once_where_that_is_wished(self, ticketed: World, asked: list[str]) -> None:
        first, second = do(ticketed, RESOLVE, at_vendor=True), do(ticketed, RESOLVE, at_vendor=True)
        assert first.output is not None
        assert second.output is not None
        assert (first.output["vendor_asked"], second.output["vendor_asked"]) == (True, False)
        assert second.output["changed"] is False
        relay_all(ticketed)
        for kind in {row["kind"] for row in ticketed.rows("SELECT kind FROM rmm_job_runs")}:
            if queued(ticketed, kind):
                work(ticketed, kind)
        assert asked == ["524"]

    def test_a_vendor_that_cannot_be_asked_keeps_all_of_it_from_happening(
        self, ticketed: World, asked: list[str]
    ) -> None:
        ticketed.do("UPDATE rmm_integrations SET state = 'paused'")
        outcome = do(ticketed, RESOLVE, at_vendor=True)
        assert told(outcome) == ("failed", ErrorCode.CONFLICT)
        assert "resolve the alert here only" in outcome.message
        assert ticketed.alert()["status"] == "active"


class TestGet:
    def test_the_alert_with_what_belongs_to_it(self, ticketed: World) -> None:
        ticketed.device()
        outcome = do(ticketed, GET)
        assert outcome.output is not None
        alert = ticketed.alert()
        found = outcome.output
        assert (found["alert"]["id"], found["alert"]["status"]) == (str(alert["id"]), "active")
        assert found["ticket"]["id"] == alert["ticket_id"]
        assert found["client"]["id"] == ticketed.client_id
        assert found["device"]["name"] == "SERVER-01"

    def test_without_a_device_or_ticket(self, recording: World) -> None:
        outcome = do(recording, GET)
        assert outcome.output is not None
        assert (outcome.output["device"], outcome.output["ticket"]) == (None, None)

    def test_an_unknown_one_is_not_found(self, recording: World) -> None:
        assert told(act(recording, GET, {"alert_id": str(new_id())})) == ("failed", ErrorCode.NOT_FOUND)


def test_nothing_stays_where_the_callers_transaction_is_given_up(recording: World) -> None:
    given = {"alert_id": str(recording.alert()["id"])}

    def both_and_no_further() -> None:
        with recording.unit() as session:
            assert act_in(recording, session, CREATE, given).state.value == "succeeded"
            assert act_in(recording, session, ACKNOWLEDGE, given).state.value == "succeeded"
            raise InvalidRequest("The worker ends here.")

    with pytest.raises(InvalidRequest):
        both_and_no_further()
    assert recording.tickets() == []
    assert (recording.alert()["status"], recording.alert()["ticket_id"]) == ("active", None)
    assert signals(recording) == []


def test_what_comes_in_between_is_heeded_within_the_same_transaction(
    ticketed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = once_before(
        monkeypatch,
        alert_acts,
        "end_ticket",
        lambda: ticketed.post(ticketed.body(severity="warning")).json,
    )
    outcome = do(ticketed, RESOLVE)
    assert len(came) == 1
    assert outcome.state.value == "succeeded"
    alert = ticketed.alert()
    assert alert["status"] in ("resolved", "auto_resolved")
    assert alert["resolved_by"] == "Mara Lindholm"
