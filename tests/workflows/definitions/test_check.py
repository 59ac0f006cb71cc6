"""The check before publishing: what it refuses, what it warns of, each at its path and in words."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from rmm_extension.testing.statements import StatementCounter
from rmm_extension.workflows.check import check
from tests.workflows.definitions.desk import Desk
from tests.workflows.engine.acme import GUARDED, WRITE
from tests.workflows.engine.studio import document, step

PING, SCRIPT = "tacticalrmm.agents.ping", "tacticalrmm.agents.run_script"
NINJA = "ninjaone.alerts.get"


def writing(**inputs: Any) -> dict[str, Any]:
    """A workflow of one step that writes with these inputs."""
    return document(step("write", inputs=inputs))


def text(template: str) -> dict[str, Any]:
    return writing(text={"template": template})


def only(report: Any, path: str) -> str:
    """The one sentence that is in the way."""
    assert list(report.errors) == [path], report.errors
    (sentence,) = report.errors[path]
    return str(sentence)


def test_what_is_right_has_neither_errors_nor_warnings(desk: Desk) -> None:
    found = document(
        step("ping", PING, device={"template": "{{ device.id }}"}),
        step(
            "write",
            when="steps.ping.output.online and alert.severity == 'critical'",
            inputs={"text": {"template": "{{ steps.ping.message }} by {{ run.actor_name }}"}},
        ),
        filter="trigger.severity in ['critical', 'major'] and client.name == 'Acme'",
    )
    report = desk.check(found)
    assert (report.errors, report.warnings) == ({}, {})


def test_a_document_of_another_form_is_refused_as_such(desk: Desk) -> None:
    assert only(desk.check({"trigger": {"event": "SUNRISE"}, "steps": []}), "trigger.event")


def test_a_workflow_does_something(desk: Desk) -> None:
    assert only(desk.check(document()), "steps") == "Add at least one step."


def test_an_action_that_is_none(desk: Desk) -> None:
    sentence = only(desk.check(document(step("x", "acme.explode"))), "steps.0.action")
    assert sentence == "There is no action “acme.explode”. Choose another one."


def test_an_action_of_another_version(desk: Desk) -> None:
    sentence = only(desk.check(document(step("x", version=2))), "steps.0.action")
    assert sentence.startswith("“Write” is another one by now")


@pytest.mark.parametrize("role, paths", [("admin", []), ("technician", ["steps.0.action"])])
def test_the_publisher_needs_the_right_to_every_action(desk: Desk, role: str, paths: list[str]) -> None:
    report = desk.check(document(step("x", GUARDED)), role=role)
    assert list(report.errors) == paths
    for path in paths:
        assert "You have no right to “Guarded” (rmm.configure)" in report.errors[path][0]


# --- Inputs


@pytest.mark.parametrize(
    "inputs, path, words",
    [
        ({}, "text", "Fill this in."),
        ({"text": {"value": ""}}, "text", "This is empty"),
        ({"text": {"value": 5}}, "text", "This must be text."),
        ({"text": {"value": None}}, "text", "This must be text"),
        ({"text": {"value": "x"}, "number": {"value": 2_000}}, "number", "from 0 to 1,000"),
        ({"text": {"value": "x"}, "colour": {"value": 1}}, "colour", "There is no such setting here"),
        ({"text": {"value": "x"}, "window.end": {"value": "y" * 51}}, "window.end", "too long"),
        ({"text": {"value": "x"}, "window.middle": {"value": "y"}}, "window.middle", "no such setting"),
        ({"text": {"value": "x"}, "window": {"value": 5}}, "window", "must be an object"),
    ],
)
@pytest.mark.parametrize("beside", [{}, {"secret": {"template": "{{ alert.id }}"}}])
def test_literals_are_held_to_the_contract(
    desk: Desk, inputs: dict[str, Any], path: str, words: str, beside: dict[str, Any]
) -> None:
    """The same whether an expression stands beside them or not."""
    sentence = only(desk.check(writing(**inputs, **beside)), f"steps.0.inputs.{path}")
    assert words in sentence


def test_what_an_expression_gives_is_judged_when_it_runs(desk: Desk) -> None:
    found = writing(
        text={"template": "{{ alert.message }}"},
        number={"template": "{{ 5 }}"},
        **{"window.start": {"template": "{{ run.started_at }}"}, "window.end": {"value": "later"}},
    )
    assert desk.check(found).errors == {}


def test_an_input_as_a_whole_and_in_parts(desk: Desk) -> None:
    found = writing(
        **{"text": {"value": "x"}, "window": {"value": {}}, "window.start": {"template": "{{ alert.id }}"}}
    )
    assert "as a whole and in parts" in only(desk.check(found), "steps.0.inputs.window.start")


def test_all_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    found = document(
        step("one", inputs={"number": {"value": -1}}, when="nope"),
        step("two", "acme.explode"),
        step("three", inputs={"text": {"template": "{{ 1 * 2 }}"}}),
        filter="((",
    )
    assert set(desk.check(found).errors) == {
        "trigger.filter",
        "steps.0.when",
        "steps.0.inputs.text",
        "steps.0.inputs.number",
        "steps.1.action",
        "steps.2.inputs.text",
    }


def test_what_several_inputs_say_together_is_judged_where_all_are_known(desk: Desk) -> None:
    desk.connect("Ninja", "ninjaone")
    for inputs, errors in (
        ({}, ["steps.0.inputs.alert_uid"]),
        ({"alert_uid": {"template": "{{ alert.external_id }}"}}, []),
    ):
        assert list(desk.check(document(step("get", NINJA, inputs=inputs))).errors) == errors


def test_a_secret_that_stands_in_the_workflow_is_worth_a_warning(desk: Desk) -> None:
    report = desk.check(writing(text={"value": "x"}, secret={"value": "hunter-2"}))
    assert not report.errors
    assert "stands in the workflow as it is written" in report.warnings["steps.0.inputs.secret"][0]
    assert "hunter-2" not in str(report)


# --- Names


@pytest.mark.parametrize(
    "template, words",
    [
        ("{{ nope }}", "There is no “nope”. Known are: trigger, alert, device"),
        ("{{ trigger.colour }}", "There is no “colour” in trigger. Known are: event, tenantId"),
        ("{{ trigger.colour | default('x') }}", "There is no “colour” in trigger."),
        ("{{ alert.colour }}", "There is no “colour” in alert. Known are: id, external_id"),
        ("{{ alert.id.x }}", "There is no “x” in alert.id: it is text."),
        ("{{ fields.reason }}", "There is no “reason” in fields: the trigger asks for no fields."),
        ("{{ run.colour }}", "There is no “colour” in run. Known are: id, workflow"),
        ("{{ steps.nope.output }}", "There is no step “nope” before this one."),
        ("{{ steps.write.output }}", "The step “write” does not come before"),
        ("{{ alert.id", "This does not read"),
    ],
)
def test_names_that_are_none(desk: Desk, template: str, words: str) -> None:
    assert words in only(desk.check(text(template)), "steps.0.inputs.text")


@pytest.mark.parametrize(
    "source, words",
    [
        ("steps.last.state == 'failed'", "The step “last” does not come before"),
        ("steps.second.state == 'failed'", "The step “second” does not come before"),
        ("steps.first.outcome", "There is no “outcome” in steps.first. Known are: output, state"),
        ("steps.first.output.nope", "There is no “nope” in steps.first.output. Known are: text, count"),
        ("steps.zeroth.output", "There is no “zeroth” in steps. Known are: first."),
    ],
)
def test_names_of_steps(desk: Desk, source: str, words: str) -> None:
    found = document(step("first"), step("second", when=source), step("last"))
    assert words in only(desk.check(found), "steps.1.when")


def test_a_step_may_stand_before_another_one_only_once_it_is_moved(desk: Desk) -> None:
    one, two = step("one"), step("two", when="steps.one.output.count == 1")
    assert not desk.check(document(one, two)).errors
    assert list(desk.check(document(two, one)).errors) == ["steps.0.when"]


def test_a_filter_sees_neither_run_nor_steps(desk: Desk) -> None:
    for source in ("run.id", "steps.write.state"):
        assert "There is no" in only(desk.check(document(step("write"), filter=source)), "trigger.filter")


def test_a_form_gives_its_fields(desk: Desk) -> None:
    fields = [{"name": "reason", "label": "Why"}]
    found = document(
        step("write", inputs={"text": {"template": "{{ fields.reason }}, {{ trigger.subject }}"}}),
        event="MANUAL",
        subjects=["alert"],
        fields=fields,
    )
    assert not desk.check(found).errors
    found["trigger"]["fields"] = []
    assert list(desk.check(found).errors) == ["steps.0.inputs.text"]


def test_a_list_leads_to_what_its_items_have(desk: Desk) -> None:
    find = step("find", "tacticalrmm.agents.find")
    for name, errors in (("hostname", []), ("colour", ["steps.1.inputs.text"])):
        write = step("write", inputs={"text": {"template": f"{{{{ steps.find.output.agents[0].{name} }}}}"}})
        assert list(desk.check(document(find, write)).errors) == errors


def test_what_only_some_events_have_is_worth_a_warning(desk: Desk) -> None:
    report = desk.check(text("{{ trigger.message }}"))
    assert not report.errors
    assert "Write trigger.message | default(…)" in report.warnings["steps.0.inputs.text"][0]
    for template in ("{{ trigger.message | default('') }}", "{{ trigger.message is defined }}"):
        assert not desk.check(text(template)).warnings
    assert not desk.check(text("{{ trigger.severity }}")).warnings


@pytest.mark.parametrize(
    "trigger, template, thing",
    [
        ({"event": "INTEGRATION_FAILED"}, "{{ alert.id }}", "alert"),
        ({"event": "RMM_SYNC_FAILED"}, "{{ client.name }}", "client"),
        ({"event": "RMM_DEVICE_OFFLINE"}, "{{ ticket.number }}", "ticket"),
        ({"event": "MANUAL", "subjects": ["asset"]}, "{{ alert.id }}", "alert"),
        ({"event": "MANUAL", "subjects": ["asset", "alert"]}, "{{ alert.id }}", None),
        ({"event": "RMM_DEVICE_OFFLINE"}, "{{ ticket.number | default('none') }}", None),
        ({"event": "RMM_DEVICE_OFFLINE"}, "{{ 'no' if ticket is none else 'yes' }}", None),
        ({"event": "RMM_DEVICE_OFFLINE"}, "{{ device.name }}", None),
        ({"event": "RMM_SYNC_FAILED"}, "{{ connection.name }}", None),
        ({"event": "TICKET_CLOSED"}, "{{ alert.id }}", None),
    ],
)
def test_what_a_run_is_never_about_is_worth_a_warning(
    desk: Desk, trigger: dict[str, Any], template: str, thing: str | None
) -> None:
    report = desk.check({**text(template), "trigger": trigger})
    assert not report.errors
    words = {
        "steps.0.inputs.text": [f"What starts this workflow is about no {thing}, so there is none here."]
    }
    assert report.warnings == (words if thing else {})


def test_an_action_on_a_device_where_there_never_is_one(desk: Desk) -> None:
    report = desk.check(document(step("ping", PING), event="INTEGRATION_FAILED"))
    assert list(report.warnings) == ["steps.0.device"]
    assert "Say on which one" in report.warnings["steps.0.device"][0]
    named = step("ping", PING, device={"value": "AGENT-1"})
    assert not desk.check(document(named, event="INTEGRATION_FAILED")).warnings
    assert not desk.check(document(step("ping", PING), event="RMM_DEVICE_OFFLINE")).warnings


# --- Modules and connections


@pytest.mark.parametrize("state", ["paused", "needs_reauth", "not_connected"])
def test_a_disconnected_module_is_a_warning_and_no_refusal(desk: Desk, state: str) -> None:
    desk.world.do("UPDATE rmm_integrations SET state = :state", state=state)
    report = desk.check(document(step("ping", PING)))
    assert not report.errors
    assert report.warnings == {
        "steps.0.action": [
            "Tactical RMM is not connected. Runs fail at this step until it is: Settings › Integrations."
        ]
    }


def test_a_vendor_that_was_never_connected(desk: Desk) -> None:
    report = desk.check(document(step("get", NINJA, inputs={"alert_uid": {"value": "x"}})))
    assert not report.errors
    assert list(report.warnings) == ["steps.0.action"]


def test_the_connection_of_a_step(desk: Desk) -> None:
    second = desk.connect("Second")
    paused = desk.connect("Third", state="paused")
    ninja = desk.connect("Ninja", "ninjaone")

    def checked(connection: object) -> Any:
        return desk.check(document(step("ping", PING, connection=str(connection))))

    fine = checked(second)
    assert (fine.errors, fine.warnings) == ({}, {})
    assert "is paused" in checked(paused).warnings["steps.0.connection"][0]
    for other in (ninja, uuid4()):
        assert "does not exist (any more)" in only(checked(other), "steps.0.connection")


def test_several_connections_and_none_chosen(desk: Desk) -> None:
    found = document(step("ping", PING))
    assert not desk.check(found).warnings
    desk.connect("Second", state="paused")
    assert not desk.check(found).warnings
    desk.connect("Third")
    report = desk.check(found)
    assert not report.errors
    assert "several connections of Tactical RMM" in report.warnings["steps.0.connection"][0]


def test_a_connection_of_another_tenant_is_none(desk: Desk) -> None:
    mine = desk.connect("Second")
    other = desk.world.one("SELECT id FROM tenants WHERE id <> :tenant LIMIT 1", tenant=desk.world.tenant)
    desk.world.do("UPDATE rmm_integrations SET tenant_id = :other WHERE id = :id", other=other, id=mine)
    found = document(step("ping", PING, connection=str(mine)))
    assert "does not exist" in only(desk.check(found), "steps.0.connection")


def test_the_cost_does_not_grow_with_the_steps(desk: Desk) -> None:
    costs = []
    for number in (2, 25):
        found = document(*(step(f"s{place}", PING if place % 2 else WRITE) for place in range(number)))
        with desk.world.unit() as session:
            admin = desk.person(session)
            with StatementCounter(this_thread=True) as sent:
                check(desk.world.rmm, session, admin, found)
        costs.append(sent.count)
    assert costs[0] == costs[1]
