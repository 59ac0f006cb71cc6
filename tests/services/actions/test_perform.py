"""Performing actions: once, whatever happens meanwhile, and with a result that is told everywhere."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from rmm_extension.domain.actions import ActionState, Outcome
from rmm_extension.domain.errors import Conflict, HostRejected, HostUnavailable
from rmm_extension.jobs.execute import perform as execute
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import actions, runs
from simulators.tacticalrmm.lab import ScriptOutput
from simulators.tacticalrmm.misbehaviour import Fault
from tests.services.actions.conftest import COMMAND, PING, REBOOT, SCRIPT, Scene
from tests.services.ingest.meanwhile import in_thread

DISK = {"script_id": 3}


def test_a_script_is_run_and_its_result_kept(scene: Scene) -> None:
    scene.lab.script_output = ScriptOutput("12 % free\n", "", 0)
    row = scene.done(SCRIPT, input=DISK)
    assert (row["state"], row["error_code"]) == ("succeeded", None)
    assert (row["output"]["output"], row["output"]["exit_code"]) == ("12 % free\n", 0)
    assert row["message"] == f"“Disk Usage Report” ran on {scene.agent.hostname} and ended with code 0."
    assert row["started_at"] <= row["finished_at"]
    run = scene.run_of(row["id"])
    assert (run["status"], run["counts"]) == ("succeeded", {"succeeded": 1})
    (line,) = scene.world.rows("SELECT * FROM rmm_audit WHERE action = 'action.finished'")
    assert (line["actor_name"], line["changes"]["state"]) == (row["actor_name"], "succeeded")


def test_an_exit_code_is_a_failure_that_keeps_its_output(scene: Scene) -> None:
    scene.lab.script_output = ScriptOutput("half\n", "no rights\n", 3)
    row = scene.done(SCRIPT, input=DISK)
    assert (row["state"], row["error_code"]) == ("failed", "SCRIPT_FAILED")
    assert row["output"]["exit_code"] == 3
    assert row["output"]["output"] == "half\nno rights\n"


@pytest.mark.parametrize("nats, code", [("agent_down", "AGENT_UNREACHABLE"), ("silent", "TIMEOUT"),
                                        ("down", "AGENT_UNREACHABLE")])  # fmt: skip
def test_what_does_not_reach_the_device_has_failed(scene: Scene, nats: str, code: str) -> None:
    scene.lab.nats = nats
    row = scene.done(SCRIPT, input=DISK)
    assert (row["state"], row["error_code"], row["output"]) == ("failed", code, None)
    assert scene.run_of(row["id"])["status"] == "succeeded"


def test_what_is_handed_on_is_requested(scene: Scene) -> None:
    assert scene.done(SCRIPT, input={**DISK, "wait_for_output": False})["state"] == "requested"
    assert scene.done(REBOOT)["state"] == "requested"


# --- Workers that die, two at once, a lease that is lost


def test_a_worker_that_died_while_asking_leaves_the_outcome_unknown(scene: Scene) -> None:
    invocation_id = scene.ask(SCRIPT, input=DISK, ticket_id=scene.ticket())
    scene.die(invocation_id)
    assert scene.work(invocation_id) == "succeeded"
    row = scene.row(invocation_id)
    assert (row["state"], row["error_code"]) == ("unknown", "INTERNAL_ERROR")
    assert "look at the device" in row["message"]
    assert not scene.sent()
    assert "outcome unknown" in scene.world.notes(row["ticket_id"])[-1]


def test_what_only_reads_is_asked_once_more(scene: Scene) -> None:
    invocation_id = scene.ask(PING)
    scene.die(invocation_id)
    scene.work(invocation_id)
    assert scene.row(invocation_id)["output"] == {"agent_id": scene.agent.agent_id, "online": True}


def test_a_worker_that_died_before_its_mark_is_replaced(scene: Scene) -> None:
    invocation_id = scene.ask(REBOOT)
    scene.world.do(
        "UPDATE rmm_job_runs SET status = 'running', attempt = attempt + 1,"
        " heartbeat_at = now() - interval '1 hour' WHERE kind = 'device_action'"
    )
    scene.work(invocation_id)
    assert scene.row(invocation_id)["state"] == "requested"
    assert scene.sent() == ["rebootnow"]


def test_two_workers_at_once_ask_once(scene: Scene) -> None:
    invocation_id, gate = scene.ask(REBOOT), threading.Barrier(2)
    run, words = scene.run_of(invocation_id), list[str]()

    def work() -> None:
        gate.wait()
        with scene.world.app.app_context():
            words.append(performing_job(scene, run))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(words) == ["skipped", "succeeded"]
    assert scene.sent() == ["rebootnow"]


def performing_job(scene: Scene, run: dict[str, Any]) -> str:
    return execute(scene.world.rmm, scene.world.tenant, run["id"], run["attempt"])


def test_the_answer_that_comes_after_the_lease_was_lost_is_still_the_truth(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    invocation_id = scene.ask(REBOOT, ticket_id=scene.ticket())
    ask = TacticalRmm.perform_action

    def slowly(self: TacticalRmm, *args: Any) -> Outcome:
        outcome = ask(self, *args)
        scene.world.do("UPDATE rmm_job_runs SET heartbeat_at = now() - interval '1 hour'")
        in_thread(lambda: scene.work(invocation_id))
        assert scene.row(invocation_id)["state"] == "unknown"
        return outcome

    monkeypatch.setattr(TacticalRmm, "perform_action", slowly)
    assert scene.work(invocation_id) == "lease_lost"
    row = scene.row(invocation_id)
    assert (row["state"], row["error_code"]) == ("requested", None)
    assert scene.sent() == ["rebootnow"]
    assert [note.splitlines()[0].split(": ")[1] for note in scene.world.notes(row["ticket_id"])[-2:]] == [
        "outcome unknown. Asked for by " + row["actor_name"] + ".",
        "requested. Asked for by " + row["actor_name"] + ".",
    ]


def test_an_error_of_ours_while_asking_leaves_the_outcome_unknown(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: TacticalRmm, *args: Any) -> Outcome:
        raise ZeroDivisionError

    monkeypatch.setattr(TacticalRmm, "perform_action", broken)
    invocation_id = scene.ask(REBOOT)
    assert scene.work(invocation_id) == "failed"
    assert (scene.row(invocation_id)["state"], scene.row(invocation_id)["error_code"]) == (
        "unknown",
        "INTERNAL_ERROR",
    )


# --- Errors of the vendor: what surely was not done comes again, what may have been does not


def test_a_time_out_of_ours_is_unknown_and_not_repeated(scene: Scene) -> None:
    scene.lab.misbehaviours.add(Fault(mode="cut_body", prefix="/agents/"))
    row = scene.done(COMMAND, input={"command": "whoami"})
    assert (row["state"], row["error_code"]) == ("unknown", "VENDOR_ERROR")
    assert scene.run_of(row["id"])["status"] == "succeeded"
    assert scene.sent() == ["rawcmd"]


def test_a_refused_connection_is_tried_again_and_then_done_once(scene: Scene) -> None:
    url = scene.world.one("SELECT instance_url FROM rmm_integrations")
    scene.world.do("UPDATE rmm_integrations SET instance_url = 'http://127.0.0.1:1'")
    invocation_id = scene.ask(REBOOT)
    assert scene.work(invocation_id) == "rescheduled"
    assert scene.row(invocation_id)["state"] == "queued"
    scene.world.do("UPDATE rmm_integrations SET instance_url = :url", url=url)
    assert scene.work(invocation_id) == "succeeded"
    assert scene.row(invocation_id)["state"] == "requested"
    assert scene.sent() == ["rebootnow"]


def test_a_vendor_that_stays_away_is_given_up_in_words(scene: Scene) -> None:
    scene.world.do("UPDATE rmm_integrations SET instance_url = 'http://127.0.0.1:1'")
    invocation_id = scene.ask(REBOOT)
    words = [scene.work(invocation_id) for _ in range(4)]
    assert words == ["rescheduled", "rescheduled", "rescheduled", "succeeded"]
    row = scene.row(invocation_id)
    assert (row["state"], row["error_code"]) == ("failed", "VENDOR_ERROR")
    assert "refused or dropped the connection" in row["message"]


def test_a_throttled_request_waits_as_the_vendor_wishes(scene: Scene) -> None:
    scene.lab.misbehaviours.add(Fault(mode="throttled", prefix="/agents/", count=1))
    invocation_id = scene.ask(REBOOT)
    assert scene.work(invocation_id) == "rescheduled"
    assert (scene.row(invocation_id)["state"], scene.sent()) == ("queued", [])
    scene.work(invocation_id)
    assert scene.row(invocation_id)["state"] == "requested"


def test_refused_credentials_end_the_action_and_mark_the_connection(scene: Scene) -> None:
    scene.lab.misbehaviours.add(Fault(mode="unauthorized"))
    row = scene.done(REBOOT)
    assert (row["state"], row["error_code"]) == ("failed", "INTEGRATION_MISCONFIGURED")
    assert scene.run_of(row["id"])["status"] == "failed"
    assert scene.world.one("SELECT state FROM rmm_integrations") == "needs_reauth"


def test_a_right_missing_at_the_vendor_is_said(scene: Scene) -> None:
    scene.lab.misbehaviours.add(Fault(mode="forbidden", prefix="/agents/"))
    row = scene.done(REBOOT)
    assert (row["state"], row["error_code"]) == ("failed", "PERMISSION_DENIED")
    assert "can_reboot_agents" in row["message"]


# --- What has changed between the wish and its turn


def test_a_right_that_was_withdrawn_meanwhile_counts(scene: Scene) -> None:
    actor = scene.person()
    invocation_id = scene.ask(REBOOT, by=actor)
    scene.world.do("UPDATE users SET role = 'read_only' WHERE id = :id", id=actor.id)
    scene.work(invocation_id)
    row = scene.row(invocation_id)
    assert (row["state"], row["error_code"]) == ("failed", "PERMISSION_DENIED")
    assert not scene.lab.requests


@pytest.mark.parametrize("change, code", [
    ("UPDATE rmm_integrations SET state = 'paused'", "INTEGRATION_INACTIVE"),
    ("UPDATE rmm_devices SET deleted_at = now()", "NOT_FOUND"),
    ("DELETE FROM rmm_devices", "NOT_FOUND"),
    ("UPDATE rmm_action_invocations SET sealed_key = 'gone'", "INTEGRATION_MISCONFIGURED"),
    ("UPDATE rmm_action_invocations SET action = 'x.y'", "NOT_FOUND"),
    ("UPDATE rmm_action_invocations SET created_at = now() - interval '3 hours'", "EXPIRED"),
])  # fmt: skip
def test_what_no_longer_holds_ends_the_action_before_the_vendor_is_asked(
    scene: Scene, change: str, code: str
) -> None:
    invocation_id = scene.ask(REBOOT)
    scene.world.do(change)
    scene.work(invocation_id)
    row = scene.row(invocation_id)
    assert (row["state"], row["error_code"]) == ("failed", code)
    assert not scene.lab.requests
    assert row["sealed_input"] is None


def test_an_action_that_was_removed_is_nobodys_trouble(scene: Scene) -> None:
    invocation_id = scene.ask(REBOOT)
    run = scene.run_of(invocation_id)
    scene.world.do("DELETE FROM rmm_action_invocations")
    assert performing_in(scene, run) == "succeeded"
    assert not scene.lab.requests


def performing_in(scene: Scene, run: dict[str, Any]) -> str:
    with scene.world.app.app_context():
        return performing_job(scene, run)


# --- Calling off


def test_an_action_is_called_off_before_it_begins(scene: Scene) -> None:
    actor, invocation_id = scene.person(), scene.ask(REBOOT)
    with scene.world.unit() as session:
        actions.cancel(scene.world.rmm, session, actor, invocation_id)
    assert scene.row(invocation_id)["state"] == "cancelled"
    assert scene.run_of(invocation_id)["status"] == "cancelled"
    assert scene.work(invocation_id) == "skipped"
    assert not scene.sent()
    with pytest.raises(Conflict), scene.world.unit() as session:
        actions.cancel(scene.world.rmm, session, actor, invocation_id)


def test_a_run_cancelled_elsewhere_calls_its_action_off(scene: Scene) -> None:
    invocation_id = scene.ask(REBOOT)
    with scene.world.unit() as session:
        runs.cancel(scene.world.rmm, session, scene.person(), scene.row(invocation_id)["run_id"])
    assert scene.row(invocation_id)["state"] == "cancelled"


def test_the_ticket_is_told_of_an_action_that_was_called_off(scene: Scene) -> None:
    ticket_id = scene.ticket()
    invocation_id = scene.ask(REBOOT, ticket_id=ticket_id)
    with scene.world.unit() as session:
        actions.cancel(scene.world.rmm, session, scene.person(), invocation_id)
    assert "called off" in scene.world.notes(ticket_id)[-1]
    (told,) = scene.world.rows("SELECT changes FROM rmm_audit WHERE action = 'action.finished'")
    assert told["changes"]["state"] == "cancelled"


def test_an_action_that_was_begun_cannot_be_called_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    invocation_id, actor = scene.ask(REBOOT), scene.person()
    ask = TacticalRmm.perform_action

    def meanwhile(self: TacticalRmm, *args: Any) -> Outcome:
        def cancel() -> None:
            with scene.world.unit() as session:
                actions.cancel(scene.world.rmm, session, actor, invocation_id)

        with pytest.raises(Conflict, match="begun already"):
            in_thread(cancel)
        # As the page of the run does it, without asking what the run is about.
        in_thread(lambda: cancel_run(scene, invocation_id))
        return ask(self, *args)

    monkeypatch.setattr(TacticalRmm, "perform_action", meanwhile)
    scene.work(invocation_id)
    assert scene.row(invocation_id)["state"] == "requested"


def cancel_run(scene: Scene, invocation_id: Any) -> None:
    with scene.world.unit() as session:
        runs.cancel(scene.world.rmm, session, scene.person(), scene.row(invocation_id)["run_id"])


def test_a_wish_to_cancel_that_comes_with_the_worker_is_heard(scene: Scene) -> None:
    invocation_id = scene.ask(REBOOT)
    run = scene.run_of(invocation_id)
    with scene.world.app.app_context():
        taken = runs.take(scene.world.rmm, scene.world.tenant, run["id"], run["attempt"])
        assert taken is not None
    cancel_run(scene, invocation_id)
    with scene.world.app.app_context(), pytest.raises(runs.Cancelled):
        actions.perform(scene.world.rmm, taken)
    assert scene.row(invocation_id)["state"] == "cancelled"
    assert not scene.sent()


# --- The ticket


def test_the_ticket_is_told_who_did_what_and_what_came_of_it(scene: Scene) -> None:
    scene.lab.script_output = ScriptOutput("12 % free\n", "", 4)
    ticket_id = scene.ticket()
    row = scene.done(SCRIPT, input=DISK, ticket_id=ticket_id)
    note = scene.world.notes(ticket_id)[-1]
    assert note.splitlines() == [
        f"Run script on {scene.agent.hostname}: failed. Asked for by {row['actor_name']}.",
        f"“Disk Usage Report” ran on {scene.agent.hostname} and ended with code 4.",
        "",
        "Output:",
        "12 % free",
    ]


def test_a_long_output_is_shortened_in_the_note(scene: Scene) -> None:
    scene.lab.script_output = ScriptOutput("a" * 9000 + "END", "", 0)
    ticket_id = scene.ticket()
    scene.done(SCRIPT, input=DISK, ticket_id=ticket_id)
    note = scene.world.notes(ticket_id)[-1]
    assert len(note) < 4500
    assert "shortened" in note
    assert note.endswith("END")


@pytest.mark.parametrize("change", [
    "UPDATE tickets SET closed_at = now(), status_id ="
    " (SELECT id FROM ticket_statuses s WHERE s.is_closed AND s.board_id = tickets.board_id LIMIT 1)",
    "DELETE FROM tickets",
])  # fmt: skip
def test_a_ticket_that_is_closed_or_gone_loses_no_result(scene: Scene, change: str) -> None:
    invocation_id = scene.ask(REBOOT, ticket_id=scene.ticket())
    scene.world.do("DELETE FROM comments")
    scene.world.do(change)
    assert scene.work(invocation_id) == "succeeded"
    assert scene.row(invocation_id)["state"] == "requested"


def test_a_host_that_fails_at_the_note_loses_no_result(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **more: Any) -> None:
        raise HostUnavailable("The PSA is busy.")

    invocation_id = scene.ask(REBOOT, ticket_id=scene.ticket())
    monkeypatch.setattr(type(scene.world.rmm.host.tickets), "add_note", refuse)
    assert scene.work(invocation_id) == "succeeded"
    assert scene.row(invocation_id)["state"] == "requested"
    assert scene.sent() == ["rebootnow"]


@pytest.mark.parametrize("error", [HostUnavailable("The PSA is busy."), HostRejected("Archived.")])
def test_a_host_that_takes_no_note_keeps_no_interrupted_action_open(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*args: Any, **more: Any) -> None:
        raise error

    interrupted, given_up = (scene.ask(REBOOT, ticket_id=scene.ticket()) for _ in range(2))
    monkeypatch.setattr(type(scene.world.rmm.host.tickets), "add_note", refuse)
    scene.die(interrupted)
    assert scene.work(interrupted) == "succeeded"
    assert scene.row(interrupted)["state"] == "unknown"
    run = scene.run_of(given_up)
    with scene.world.app.app_context():
        taken = runs.take(scene.world.rmm, scene.world.tenant, run["id"], run["attempt"])
        assert taken is not None
        with scene.world.unit() as session:
            runs.fail(scene.world.rmm, session, taken, "internal", "It was given up.")
    assert (scene.row(given_up)["state"], scene.row(given_up)["message"]) == ("failed", "It was given up.")


def test_what_no_database_takes_costs_no_result(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    output = {"agent_id": "a\x00b", "online": True}
    told = Outcome(state=ActionState.SUCCEEDED, message="He said \x00 and \ud800.", output=output)
    monkeypatch.setattr(TacticalRmm, "perform_action", lambda *_: told)
    row = scene.done(PING, ticket_id=scene.ticket())
    assert (row["state"], row["message"]) == ("succeeded", "He said  and ?.")
    assert row["output"] == {"agent_id": "ab", "online": True}


def test_an_output_that_breaks_its_contract_is_left_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(self: TacticalRmm, *args: Any) -> Outcome:
        return Outcome(state=ActionState.SUCCEEDED, message="Done.", output={"surprise": 1})

    monkeypatch.setattr(TacticalRmm, "perform_action", odd)
    row = scene.done(REBOOT)
    assert (row["state"], row["output"]) == ("succeeded", None)
    assert "unexpected shape" in row["message"]


def test_no_transaction_is_open_while_the_vendor_is_asked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    ask = TacticalRmm.perform_action

    def looking(self: TacticalRmm, *args: Any) -> Outcome:
        seen.append(scene.world.rmm.db.session().in_transaction())
        return ask(self, *args)

    monkeypatch.setattr(TacticalRmm, "perform_action", looking)
    scene.done(REBOOT)
    assert seen == [False]


def test_two_actors_on_one_device_do_not_meet(scene: Scene) -> None:
    first, second = scene.ask(PING), scene.ask(PING, by=scene.person("admin"))
    scene.work(second)
    assert scene.row(first)["state"] == "queued"
    assert scene.row(second)["state"] == "succeeded"
