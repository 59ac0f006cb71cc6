"""A run from its start to its end: the order of steps, what they see, and what follows a failure."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workflows.engine.acme import BREAK, FAIL, GUARDED, READ, REFUSE, WAIT, WRITE
from tests.workflows.engine.studio import Studio, document, step


def test_an_event_starts_a_run_whose_steps_come_one_after_the_other(studio: Studio) -> None:
    studio.publish(document(step("one"), step("two"), step("three")))
    studio.tell()
    assert studio.work() == 3
    run = studio.run()
    assert (run["state"], run["position"], run["error_code"]) == ("succeeded", 3, None)
    assert run["finished_at"] >= run["started_at"] >= run["queued_at"]
    assert studio.states() == ["succeeded"] * 3
    assert studio.written() == ["one", "two", "three"]


def test_a_step_sees_the_event_and_what_came_of_earlier_steps(studio: Studio) -> None:
    text = "{{ trigger.severity }} {{ steps.one.output.text }} {{ run.workflow }}"
    studio.publish(document(step("one"), step("two", inputs={
        "text": {"template": text}, "number": {"template": "{{ steps.one.output.count }}"},
    })))  # fmt: skip
    studio.tell()
    studio.work()
    assert studio.written()[-1] == "major one Mend"
    assert studio.steps()[1]["input"] == {"text": text_of(studio), "number": 1}


def text_of(studio: Studio) -> str:
    return studio.written()[-1]


@pytest.mark.parametrize("given, shown", [
    ({"text": {"value": "{{ not read }}"}}, {"text": "{{ not read }}"}),
    ({"text": {"value": "x"}, "number": {"template": "{{ none }}"}}, {"text": "x"}),
    ({"text": {"value": "x"}, "secret": {"value": "hunter2"}}, {"text": "x", "secret": "••••••"}),
    ({"text": {"value": "x"}, "window.start": {"value": "a"}, "window.end": {"template": "b{{ 1 }}"}},
     {"text": "x", "window": {"start": "a", "end": "b1"}}),
])  # fmt: skip
def test_what_an_input_becomes(studio: Studio, given: dict[str, Any], shown: dict[str, Any]) -> None:
    studio.publish(document(step("one", inputs=given)))
    studio.tell()
    studio.work()
    (row,) = studio.steps()
    assert (row["state"], row["input"].keys()) == ("succeeded", shown.keys())
    assert {**row["input"], "secret": 0} == {**shown, "secret": 0}
    assert "hunter2" not in str(row)


@pytest.mark.parametrize("when, state", [("trigger.severity == 'major'", "succeeded"),
                                         ("trigger.severity == 'info'", "skipped"),
                                         ("trigger.nothing", "failed")])  # fmt: skip
def test_a_condition_decides_whether_a_step_is_done(studio: Studio, when: str, state: str) -> None:
    studio.publish(document(step("one", when=when), step("two")))
    studio.tell()
    studio.work()
    assert studio.states()[0] == state
    assert studio.run()["state"] == ("failed" if state == "failed" else "succeeded")


@pytest.mark.parametrize("action, code, words", [
    (FAIL, "CONFLICT", "stood in the way"), (REFUSE, "VALIDATION_ERROR", "Not this"),
    (BREAK, "INTERNAL_ERROR", "the log has it"), ("acme.gone", "NOT_FOUND", "no action “acme.gone”"),
])  # fmt: skip
@pytest.mark.parametrize("on_error", ["stop", "continue"])
def test_a_failure_stops_the_run_unless_it_is_to_go_on(
    studio: Studio, action: str, code: str, words: str, on_error: str
) -> None:
    studio.publish(document(step("one", action, inputs={}, onError=on_error), step("two")))
    studio.tell()
    studio.work()
    first = studio.steps()[0]
    assert (first["state"], first["error_code"]) == ("failed", code)
    assert words in first["message"]
    run = studio.run()
    if on_error == "continue":
        assert (run["state"], studio.written()[-1]) == ("succeeded", "two")
    else:
        assert (run["state"], run["error_code"]) == ("failed", code)
        assert run["message"] == f"“One”: {first['message']}"


def test_what_a_refused_action_wrote_is_rolled_back_with_it(studio: Studio) -> None:
    studio.publish(document(step("one", REFUSE, inputs={}, onError="continue"), step("two")))
    studio.tell()
    studio.work()
    assert studio.written() == ["two"]


def test_a_host_that_is_busy_is_asked_again_and_then_given_up_in_words(studio: Studio) -> None:
    studio.publish(document(step("one", WAIT, inputs={}, onError="continue"), step("two")))
    studio.tell()
    words = []
    studio.work()
    while studio.states() != ["failed", "succeeded"]:
        studio.world.do("UPDATE rmm_job_runs SET due_at = now() WHERE status = 'queued'")
        words += [studio.do(job) for job in studio.jobs()]
    assert words[:2] == ["rescheduled", "rescheduled"]
    assert studio.steps()[0]["message"] == "The host is busy."
    assert studio.written() == ["two"]


def test_an_actor_without_the_right_is_told_so_on_the_step(studio: Studio) -> None:
    studio.publish(document(step("one", GUARDED, inputs={})), by=studio.person("technician"))
    studio.tell()
    studio.work()
    (row,) = studio.steps()
    assert (row["state"], row["error_code"]) == ("failed", "PERMISSION_DENIED")
    assert f"{studio.person('technician').name} has no right to “Guarded”" in row["message"]
    assert not studio.written()


def test_a_publisher_who_is_gone_has_no_rights(studio: Studio) -> None:
    studio.publish(document(step("one", READ, inputs={"text": {"value": "x"}})), publisher_id="nobody")
    studio.tell()
    studio.work()
    assert studio.steps()[0]["error_code"] == "PERMISSION_DENIED"


def test_an_action_of_another_version_is_not_done(studio: Studio) -> None:
    studio.publish(document(step("one", WRITE, version=2)))
    studio.tell()
    studio.work()
    assert studio.steps()[0]["error_code"] == "VALIDATION_ERROR"
    assert not studio.written()


def test_a_workflow_without_steps_ends_at_once(studio: Studio) -> None:
    studio.publish(document())
    studio.tell()
    studio.work()
    assert studio.run()["state"] == "succeeded"
