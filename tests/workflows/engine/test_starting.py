"""What starts a run, what does not, and what keeps a workflow from running too often."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from rmm_extension.domain.errors import Conflict, Invalid
from rmm_extension.domain.workflow_objects import OBJECTS
from rmm_extension.jobs import relay as jobs_relay
from rmm_extension.models import new_id
from rmm_extension.services import events, relay
from rmm_extension.testing.statements import StatementCounter
from rmm_extension.workflows import guard, starting
from rmm_extension.workflows.definitions import UnknownWorkflow
from tests.services.working import relay_all
from tests.workflows.engine.acme import AGAIN, WRITE
from tests.workflows.engine.studio import Studio, document, step

MANUAL: dict[str, Any] = {"event": "MANUAL", "subjects": ["device", "ticket", "asset", "alert"]}


def alert_id(studio: Studio) -> str:
    """An alert that came by the webhook, with what it told relayed."""
    studio.world.device()
    studio.world.post(studio.world.body(message="Disk full"))
    relay_all(studio.world)
    return str(studio.world.alert()["id"])


# --- Events


def test_a_real_alert_starts_a_run_that_sees_all_that_belongs_to_it(studio: Studio) -> None:
    studio.publish(document(step("one")))
    alert = alert_id(studio)
    studio.work()
    run, ticket = studio.run(), studio.world.tickets()[0]
    assert (str(run["alert_id"]), run["ticket_id"]) == (alert, ticket["id"])
    seen = run["context"]
    assert seen["trigger"]["event"] == "RMM_ALERT_TRIGGERED"
    assert (seen["alert"]["id"], seen["ticket"]["id"]) == (alert, ticket["id"])
    assert seen["connection"]["provider"] == "tacticalrmm"
    assert seen["device"]["id"] == str(run["device_id"])
    assert seen["client"]["id"] == studio.world.client_id
    assert run["guard_key"].startswith(f"alert:{studio.world.integration_id}:")


@pytest.mark.parametrize("state", ["draft", "paused"])
def test_only_published_workflows_are_started(studio: Studio, state: str) -> None:
    studio.publish(document(step("one")), state=state)
    studio.tell()
    studio.work()
    assert studio.runs() == []


def test_another_event_and_another_tenant_start_nothing(studio: Studio) -> None:
    studio.publish(document(step("one"), event="RMM_ALERT_RESOLVED"))
    studio.tell()
    with studio.world.unit() as session:
        payload = {"integrationId": str(new_id()), "provider": "x", "alertId": str(new_id())}
        events.tell(session, "another", "alert_resolved", {
            **payload, "externalAlertId": "1", "severity": "major",
        })  # fmt: skip
    studio.work()
    assert studio.runs() == []


@pytest.mark.parametrize(
    "words, started",
    [("trigger.severity == 'major'", 1), ("trigger.severity == 'minor'", 0), ("not alert", 1)],
)
def test_a_filter_lets_through_what_it_is_true_for(studio: Studio, words: str, started: int) -> None:
    studio.publish(document(step("one"), filter=words))
    studio.tell()
    studio.work()
    assert len(studio.runs()) == started


def test_a_filter_that_cannot_be_worked_out_is_a_failed_run_and_no_silence(studio: Studio) -> None:
    studio.publish(document(step("one"), filter="device.name == 'x'"))
    studio.publish(document(step("other")))
    studio.tell()
    studio.work()
    refused, other = sorted(studio.runs(), key=lambda run: run["state"])
    assert (refused["state"], refused["error_code"]) == ("failed", "EXPRESSION_ERROR")
    assert refused["message"].startswith("The trigger's filter could not be worked out: ")
    assert (other["state"], studio.written()) == ("succeeded", ["other"])


def test_an_event_that_nobody_wants_costs_one_statement_a_batch(studio: Studio) -> None:
    def cost(number: int) -> int:
        with studio.world.unit() as session:
            payload = {"integrationId": str(new_id()), "provider": "x"}
            for _ in range(number):
                events.tell(session, studio.world.tenant, "integration_connected", payload)
        with studio.world.app.app_context(), StatementCounter() as sent:
            messages = relay.claim(studio.world.rmm)
            assert all(relay.is_signal(one) for one in messages)
            relay.settle(studio.world.rmm, messages)
        assert len(messages) == number
        return sent.count

    studio.publish(document(step("one")))
    assert cost(1) == cost(80)


# --- Too often


def test_once_in_some_minutes_about_the_same_thing(studio: Studio) -> None:
    studio.publish(document(step("one"), oncePerMinutes=10))
    for _ in range(3):
        studio.tell()
    studio.tell(integrationId=str(new_id()))
    studio.work()
    assert len(studio.runs()) == 2
    studio.world.do("UPDATE rmm_workflow_runs SET queued_at = queued_at - interval '11 minutes'")
    studio.tell()
    studio.work()
    assert len(studio.runs()) == 3


def test_a_workflow_that_starts_itself_is_stopped_and_told_once(studio: Studio) -> None:
    studio.publish(document(step("one", AGAIN)))
    for _ in range(2):
        studio.tell()
        studio.work()
    states = [run["state"] for run in studio.runs()]
    assert states == ["succeeded"] * 5 + ["failed"] * 2
    last = studio.runs()[-1]
    assert last["error_code"] == "LOOP_GUARD"
    assert "may start itself again" in last["message"]
    told = studio.world.rows("SELECT * FROM notifications WHERE title LIKE 'Workflow Mend%'")
    assert len({one["user_id"] for one in told}) == len(told) > 0


def test_a_ticket_closed_by_a_workflow_whose_alert_fires_again_is_a_loop(studio: Studio) -> None:
    """Each time round it is another alert with another ticket; the condition is the same."""
    closing = {"ticket_id": {"template": "{{ ticket.id }}"}}
    studio.publish(document(step("close", "tickets.close", inputs=closing)))
    studio.world.device()
    for number in range(7):
        fired, over = (f"2026-11-21 {hour:02}:00:00+00:00" for hour in (2 * number, 2 * number + 1))
        studio.world.post(studio.world.body(600 + number, alert_time=fired))
        studio.work()
        studio.world.post(studio.world.resolved(600 + number, resolved_on=over))
        studio.work()
    assert len({run["ticket_id"] for run in studio.runs()}) == 7
    assert [run["state"] for run in studio.runs()] == ["succeeded"] * 5 + ["failed"] * 2
    assert {run["error_code"] for run in studio.runs()[5:]} == {"LOOP_GUARD"}


def test_what_comes_by_the_clock_is_no_loop(studio: Studio) -> None:
    studio.publish(document(step("one"), event="RMM_SYNC_COMPLETED"))
    counts = dict.fromkeys(("itemsProcessed", "itemsCreated", "itemsUpdated", "itemsFailed"), 0)
    sync = {"integrationId": str(studio.world.integration_id), "provider": "tacticalrmm"}
    for _ in range(12):
        with studio.world.unit() as session:
            told = {**sync, **counts, "syncType": "alerts", "actorType": "SYSTEM"}
            events.tell(session, studio.world.tenant, "sync_finished", told)
    studio.work()
    assert [run["state"] for run in studio.runs()] == ["succeeded"] * 12


def test_the_guard_forgets_after_an_hour_and_knows_things_apart(studio: Studio) -> None:
    studio.publish(document(step("one")))
    for _ in range(6):
        studio.tell()
    studio.tell(integrationId=str(new_id()))
    studio.work()
    assert [run["error_code"] for run in studio.runs()].count("LOOP_GUARD") == 1
    studio.world.do("UPDATE rmm_workflow_runs SET queued_at = queued_at - interval '61 minutes'")
    studio.tell()
    studio.work()
    assert studio.runs()[-1]["state"] == "succeeded"


def test_what_a_filter_could_not_judge_was_no_start(studio: Studio) -> None:
    studio.publish(document(step("one"), filter="device.name == 'x'", oncePerMinutes=10))
    for _ in range(7):
        studio.tell()
    studio.work()
    assert {run["error_code"] for run in studio.runs()} == {"EXPRESSION_ERROR"}
    studio.world.do(
        "UPDATE rmm_workflow_versions SET document = jsonb_set(document, '{trigger,filter}', '\"true\"')"
    )
    studio.tell()
    studio.work()
    assert studio.written() == ["one"]


@pytest.mark.parametrize("trigger", [{"filter": "device.name == 'x'"}, {}])
def test_what_is_refused_over_and_over_is_written_down_so_many_times(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, trigger: dict[str, Any]
) -> None:
    """A fleet's events come by the thousand, and a filter that fails for one fails for all."""
    monkeypatch.setattr(guard, "MOST_REFUSED", 3)
    monkeypatch.setattr(guard, "MOST_UNFINISHED", 0)
    for name in ("Mend", "Other"):
        studio.publish(document(step("one"), **trigger), name=name)
    for _ in range(6):
        studio.tell(integrationId=str(new_id()))
    relay_all(studio.world)
    assert [run["state"] for run in studio.runs()] == ["failed"] * 6
    studio.world.do("UPDATE rmm_workflow_runs SET queued_at = queued_at - interval '61 minutes'")
    studio.tell()
    relay_all(studio.world)
    assert len(studio.runs()) == 8


def test_a_flood_is_refused_and_told_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MOST_UNFINISHED", 3)
    workflow = studio.publish(document(step("one")))
    for _ in range(5):
        studio.tell(integrationId=str(new_id()))
    relay_all(studio.world)
    codes = [run["error_code"] for run in studio.runs()]
    assert codes == [None] * 3 + ["TOO_MANY_RUNS"] * 2
    told = studio.world.rows("SELECT * FROM notifications WHERE title LIKE 'Workflow Mend%'")
    assert len({one["user_id"] for one in told}) == len(told) > 0
    studio.publish(document(step("two"), **MANUAL), name="By hand")
    with pytest.raises(Conflict, match="wait or are under way"):
        studio.start(by_hand(studio), "device", str(studio.world.device()))
    studio.work()
    assert len(studio.written()) == 3
    assert workflow


def by_hand(studio: Studio) -> UUID:
    found: UUID = studio.world.one("SELECT id FROM rmm_workflows WHERE trigger = 'MANUAL'")
    return found


# --- People


def test_a_person_starts_a_workflow_with_a_form(studio: Studio) -> None:
    asked = [
        {"name": "why", "label": "Why", "required": True},
        {"name": "count", "label": "How many", "kind": "number"},
        {"name": "mode", "label": "How", "kind": "choice", "choices": ["soft", "hard"]},
        {"name": "sure", "label": "Sure", "kind": "flag"},
    ]
    text = "{{ fields.why }} {{ fields.count + 1 }} {{ fields.mode }} {{ device.name }} {{ run.actor_name }}"
    workflow = studio.publish(document(
        step("one", inputs={"text": {"template": text}}), **MANUAL, fields=asked
    ))  # fmt: skip
    device, given = str(studio.world.device(name="PC-7")), {"why": "slow", "count": "2", "mode": "soft"}
    with pytest.raises(Invalid) as caught:
        studio.start(workflow, "device", device, fields={"count": "x", "mode": "loud"})
    assert set(caught.value.errors) == {"why", "count", "mode"}
    actor = studio.person()
    run_id = studio.start(workflow, "device", device, fields=given, key="k", by=actor)
    assert studio.start(workflow, "device", device, fields=given, key="k", by=actor) == run_id
    studio.work()
    assert studio.written() == [f"slow 3 soft PC-7 {actor.name}"]
    run = studio.run(run_id)
    assert (run["source"], run["actor_id"], str(run["device_id"])) == ("manual", actor.id, device)
    (line,) = studio.world.rows("SELECT * FROM rmm_audit WHERE action = 'workflow.run_started'")
    assert (line["actor_name"], line["subject_name"]) == (actor.name, "Mend")


def test_what_a_person_may_not_start_is_said_in_words(studio: Studio) -> None:
    device = str(studio.world.device())
    only = studio.publish(document(step("one"), event="MANUAL", subjects=["ticket"]), name="Only")
    with pytest.raises(Conflict, match="“Only” is not started from here"):
        studio.start(only, "device", device)
    with pytest.raises(Conflict, match="ticket does not exist"):
        studio.start(only, "ticket", "nowhere")
    filtered = studio.publish(document(step("one"), **MANUAL, filter="device.kind == 'x'"), name="Some")
    with pytest.raises(Conflict, match="its filter does not let it through"):
        studio.start(filtered, "device", device)
    with pytest.raises(Conflict, match="not published"):
        studio.start(studio.publish(document(step("one"), **MANUAL), state="paused"), "device", device)
    with pytest.raises(UnknownWorkflow):
        studio.start(new_id(), "device", device)
    with pytest.raises(Conflict, match="no such thing"):
        studio.start(filtered, "device", "nonsense")
    assert studio.runs() == []


@pytest.mark.parametrize("subject", ["alert", "ticket", "asset", "device"])
def test_it_knows_what_belongs_to_where_it_was_started(studio: Studio, subject: str) -> None:
    workflow, alert = studio.publish(document(step("one"), **MANUAL)), alert_id(studio)
    row = studio.world.alert()
    asset = studio.world.one("SELECT id FROM assets WHERE tenant_id = :t LIMIT 1", t=studio.world.tenant)
    studio.world.do("UPDATE rmm_devices SET asset_id = :asset", asset=asset)
    ids = {"alert": alert, "ticket": row["ticket_id"], "asset": asset, "device": str(row["device_id"])}
    run_id = studio.start(workflow, subject, ids[subject])
    seen = studio.run(run_id)["context"]
    assert seen[subject]["id"] == ids[subject]
    assert seen["device"]["id"] == ids["device"]
    assert seen["asset"]["id"] == asset
    assert seen["connection"]["id"] == str(studio.world.integration_id)
    known = {"asset", "client", "connection", "device", subject}
    assert {name: set(seen[name]) for name in known} == {name: set(OBJECTS[name]) for name in known}


# --- Tests of a draft


def draft(studio: Studio, made: dict[str, Any]) -> UUID:
    return studio.publish(document(step("published")), draft=made, state="draft", published_version=None)


def test_a_test_runs_the_draft_with_what_is_here(studio: Studio) -> None:
    alert = alert_id(studio)
    workflow = draft(studio, document(step("one", WRITE, inputs={"text": {"template": "{{ alert.id }}"}}),
                                      filter="false"))  # fmt: skip
    ids = {simulated: start_test(studio, workflow, alert, simulated) for simulated in (True, False)}
    assert start_test(studio, workflow, alert, True) == ids[True]
    studio.work()
    assert studio.states(ids[True]) == ["simulated"]
    (row,) = studio.steps(ids[True])
    assert row["output"] == {"text": "example", "count": 1}
    assert studio.states(ids[False]) == ["succeeded"]
    assert studio.written() == [alert]
    assert studio.run(ids[True])["source"] == "test"


def start_test(studio: Studio, workflow: UUID, alert: str, simulated: bool) -> UUID:
    actor = studio.person()
    with studio.world.unit() as session:
        return starting.start_test(
            studio.world.rmm, session, actor, workflow, "RMM_ALERT_TRIGGERED", alert, simulated,
            f"key-{simulated}",
        )  # fmt: skip


def test_a_simulated_step_is_checked_as_a_real_one(studio: Studio) -> None:
    alert = alert_id(studio)
    workflow = draft(studio, document(step("one", inputs={"text": {"value": ""}})))
    run_id = start_test(studio, workflow, alert, True)
    studio.work()
    assert studio.steps(run_id)[0]["error_code"] == "VALIDATION_ERROR"


def test_a_draft_that_changed_or_an_alert_that_went_is_said(studio: Studio) -> None:
    alert = alert_id(studio)
    workflow = draft(studio, document(step("one"), event="TICKET_CREATED"))
    with pytest.raises(Conflict, match="another trigger"):
        start_test(studio, workflow, alert, True)
    workflow = draft(studio, document(step("one")))
    with pytest.raises(Conflict, match="not here any more"):
        start_test(studio, workflow, str(new_id()), True)
    with pytest.raises(Invalid):
        start_test(studio, draft(studio, {"steps": []}), alert, True)
    assert studio.world.one("SELECT count(*) FROM rmm_workflow_versions WHERE number = 0") == 0


# --- What is broken blocks nobody


def test_a_version_that_cannot_be_read_any_more_fails_in_words(studio: Studio) -> None:
    studio.publish(document(step("one")))
    studio.tell()
    relay_all(studio.world)
    studio.world.do("""UPDATE rmm_workflow_versions SET document = '{"trigger": 1}'""")
    studio.tell()
    studio.work()
    assert {(run["state"], run["error_code"]) for run in studio.runs()} == {("failed", "INTERNAL_ERROR")}
    assert "cannot be read any more" in studio.runs()[0]["message"]
    assert studio.world.one("SELECT count(*) FROM rmm_outbox") == 0


def test_a_workflow_that_cannot_be_started_keeps_back_no_other(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks: the others have wishes of their own, and its own is tried again."""
    broken = studio.publish(document(step("broken"), filter="true"))
    studio.publish(document(step("fine")))
    studio.tell()
    judge = vars(starting)["truth"]

    def breaks(*_: Any) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(starting, "truth", breaks)
    with studio.world.app.app_context():
        for _ in range(2):
            jobs_relay.drain(studio.world.rmm, studio.world.app)
    studio.work()
    assert studio.written() == ["fine"]
    monkeypatch.setattr(starting, "truth", judge)
    studio.world.do("UPDATE rmm_outbox SET due_at = now()")
    studio.work()
    assert studio.written() == ["fine", "broken"]
    assert studio.runs()[-1]["workflow_id"] == broken
