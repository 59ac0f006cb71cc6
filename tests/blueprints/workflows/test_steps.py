"""The form of a step, made from its action: what it shows, what it keeps, and the help beside it."""

from __future__ import annotations

import re
from html import escape
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from reference_psa import roles
from rmm_extension.models import WorkflowRun, WorkflowVersion, new_id
from tests.blueprints.conftest import said
from tests.blueprints.test_alert_actions import browser
from tests.harness.world import World

from .conftest import NOTE, Pages, make, script, step

RUN_SCRIPT = "tacticalrmm.agents.run_script"
BOOK = "scheduling.create_entry"


@pytest.fixture
def running(world: World, admin: FlaskClient) -> Pages:
    """A script, then a note of what it said."""
    return make(world, admin, step("look", RUN_SCRIPT), step("note", inputs=NOTE))


def test_the_palette_puts_a_step_where_it_was_asked_for(pages: Pages) -> None:
    page = pages.client.get(f"{pages.url}/palette?at=1").text
    assert page.index("core:alerts") < page.index("core:tickets") < page.index("app:tacticalrmm"), (
        "own ones first"
    )
    assert 'name="at" value="1"' in page
    answer = pages.send("/steps", action="tickets.close", at="1")
    assert answer.location == f"{pages.url}/steps/close_a_ticket"
    assert pages.names == ["first", "close_a_ticket", "second"]
    added = pages.draft["steps"][1]
    assert added["inputs"]["ticket_id"] == {"template": "{{ ticket.id }}"}, "what it is about, most often"


def test_the_same_action_twice_has_two_names(pages: Pages) -> None:
    for _ in range(2):
        pages.send("/steps", action="email.send")
    assert pages.names == ["first", "second", "send_an_e_mail", "send_an_e_mail_2"]


def test_more_steps_than_a_workflow_may_have_are_refused(world: World, admin: FlaskClient) -> None:
    full = make(world, admin, *(step(f"s{number}", inputs=NOTE) for number in range(30)))
    assert "as many steps as a workflow may have" in full.text()
    answer = full.send("/steps", action="email.send")
    assert answer.status_code == 409
    assert "at most 30 steps" in said(answer)


class TestValues:
    def test_they_are_kept_as_they_are_chosen(self, running: Pages) -> None:
        script(running.world)
        page = running.client.get(f"{running.url}/steps/look").text
        assert '<option value="7">Empty the bin</option>' in page
        running.sent(
            "/steps/look",
            name="Look  around",
            in_script_id="7",
            in_args="one\n{{agent.name}}",
            in_timeout="90",
            in_wait_for_output="1",
            when="alert is not none",
            on_error="continue",
            connection=str(running.world.integration_id),
            device="{{ trigger.deviceId }}",
        )
        assert running.draft["steps"][0] == {
            "id": "look",
            "name": "Look around",
            "action": RUN_SCRIPT,
            "connection": str(running.world.integration_id),
            "device": {"template": "{{ trigger.deviceId }}"},
            "when": "alert is not none",
            "onError": "continue",
            "inputs": {
                "script_id": {"value": "7"},
                "args": {"value": ["one", "{{agent.name}}"]},
                "timeout": {"value": "90"},
            },
        }
        page = running.text("/steps/look")
        assert "Look around" in page

    def test_an_expression_takes_the_place_of_a_value(self, running: Pages) -> None:
        running.sent(
            "/steps/note",
            name="Note",
            mode_note="template",
            ex_note="It said:\r\n{{ steps.look.output.output }}",
            in_note="not this",
            mode_ticket_id="template",
            ex_ticket_id="{{ ticket.id }}",
        )
        assert running.draft["steps"][1]["inputs"] == {
            "ticket_id": {"template": "{{ ticket.id }}"},
            "note": {"template": "It said:\n{{ steps.look.output.output }}"},
        }

    def test_parts_have_an_expression_for_each_of_their_inputs(
        self, world: World, admin: FlaskClient
    ) -> None:
        book = make(world, admin, step("book", BOOK))
        page = book.client.get(f"{book.url}/steps/book").text
        assert 'name="ex_window.start"' in page
        assert 'name="in_window.end.zone"' in page
        person = page.split('name="in_assigned_user_ids" value="')[1].split('"')[0]
        book.send(
            "/steps/book",
            name="Book",
            in_assigned_user_ids=[person],
            in_title="Visit",
            **{
                "mode_window.start": "template",
                "ex_window.start": "{{ run.started_at | plus(hours=1) }}",
                "in_window.end": "2026-11-23T10:00",
                "in_window.end.zone": "Europe/Berlin",
            },
        )
        assert book.draft["steps"][0]["inputs"] == {
            "assigned_user_ids": {"value": [person]},
            "title": {"value": "Visit"},
            "window.start": {"template": "{{ run.started_at | plus(hours=1) }}"},
            "window.end": {"value": "2026-11-23T10:00[Europe/Berlin]"},
        }
        page = book.client.get(f"{book.url}/steps/book").text
        assert 'value="2026-11-23T10:00"' in page
        assert "{{ run.started_at | plus(hours=1) }}" in page

    def test_a_secret_is_never_shown_and_stays_when_left_blank(
        self, world: World, admin: FlaskClient
    ) -> None:
        given = {"script_id": {"value": 7}, "env_vars": {"value": ["TOKEN=hunter2"]}}
        secret = make(world, admin, step("look", RUN_SCRIPT, inputs=given))
        for path in ("", "/steps/look", "/publish"):
            assert "hunter2" not in secret.client.get(secret.url + path).text
        assert "Something is stored and not shown" in secret.text("/steps/look")
        secret.sent("/steps/look", name="Look", in_script_id="7", in_env_vars="")
        assert secret.draft["steps"][0]["inputs"]["env_vars"] == {"value": ["TOKEN=hunter2"]}
        secret.sent("/steps/look", name="Look", in_script_id="7", mode_env_vars="template", ex_env_vars="")
        assert "env_vars" not in secret.draft["steps"][0]["inputs"]

    def test_inputs_that_the_action_has_no_more_are_named(self, world: World, admin: FlaskClient) -> None:
        old = make(world, admin, step("note", inputs={**NOTE, "colour": "red"}))
        assert "no such input (any more): colour" in old.text("/steps/note")


class TestProblems:
    def test_what_is_missing_is_saved_and_said_at_its_field(self, running: Pages) -> None:
        answer = running.send("/steps/look", name="Look")
        assert answer.location.endswith("/steps/look?check=1")
        page = running.client.get(answer.location)
        assert "“Look” is saved. 1 thing is to mend before it can be published." in said(page)
        assert 'href="#in_script_id">Script: ' in page.text
        assert "is-invalid" in page.text

    def test_a_new_step_is_not_scolded(self, running: Pages) -> None:
        assert "is-invalid" not in running.client.get(f"{running.url}/steps/look").text

    def test_what_cannot_be_stored_comes_back_as_it_was_typed(self, running: Pages) -> None:
        answer = running.send("/steps/look", name="x" * 101, in_args="kept")
        assert answer.status_code == 422
        assert "kept" in answer.text
        assert "Name of the step: " in said(answer)
        assert running.draft["steps"][0]["name"] == "Look"

    def test_who_comes_late_may_send_it_again(self, running: Pages) -> None:
        old = running.row["revision"]
        running.sent("/steps/note/move", way="up")
        answer = running.send("/steps/look", revision=old, name="Mine", in_args="kept")
        assert answer.status_code == 409
        assert "has saved this workflow meanwhile" in said(answer)
        assert "kept" in answer.text
        assert f'name="revision" value="{running.row["revision"]}"' in answer.text


class TestExpressions:
    def test_the_help_names_what_comes_before(self, running: Pages) -> None:
        note = running.client.get(f"{running.url}/steps/note").text
        assert 'data-rmm-insert="steps.look.output.exit_code"' in note
        assert 'data-rmm-insert="alert.severity"' in note
        first = running.client.get(f"{running.url}/steps/look").text
        assert "steps.look.output.exit_code" not in first

    @pytest.mark.parametrize(
        "kind, source, reads",
        [
            ("expression", 'alert.severity == "critical"', True),
            ("expression", "", True),
            ("expression", "alert.severity ==", False),
            ("expression", "x * 3", False),
            ("template", "Disk of {{ device.name }}", True),
            ("template", "{{ device.name", False),
            ("template", "a < b & c", True),
        ],
    )
    def test_they_are_read_while_they_are_typed(
        self, pages: Pages, kind: str, source: str, reads: bool
    ) -> None:
        answer = pages.client.post(f"{pages.url}/expression", data={"kind": kind, "source": source})
        assert answer.status_code == 200
        assert bool(said(answer)) is not reads


class TestTrigger:
    def test_it_is_narrowed(self, pages: Pages) -> None:
        pages.sent(
            "/trigger",
            event="RMM_DEVICE_OFFLINE",
            filter=' device.kind == "server" ',
            once="60",
            subjects="alert",
        )
        assert pages.draft["trigger"] == {
            "event": "RMM_DEVICE_OFFLINE",
            "filter": 'device.kind == "server"',
            "oncePerMinutes": 60,
        }
        assert "When a device goes offline, at most once in 1 hour about the same" in pages.text()

    def test_a_person_starts_it_with_a_form(self, pages: Pages) -> None:
        pages.sent(
            "/trigger",
            event="MANUAL",
            subjects=["ticket", "asset"],
            field_label=["How bad?", "Why", ""],
            field_name=["", "reason", ""],
            field_kind=["choice", "long_text", "text"],
            field_choices=["A bit\nVery", "", ""],
            field_help=["", "In words", ""],
            field_required=["0"],
            filter="ignored ==",
        )
        assert pages.draft["trigger"] == {
            "event": "MANUAL",
            "subjects": ["ticket", "asset"],
            "fields": [
                {
                    "name": "how_bad",
                    "label": "How bad?",
                    "kind": "choice",
                    "required": True,
                    "choices": ["A bit", "Very"],
                },
                {"name": "reason", "label": "Why", "kind": "long_text", "help": "In words"},
            ],
        }
        words = pages.text()
        assert "A person starts it from a ticket or an asset" in words
        assert "Asks for How bad?, Why" in words

    def test_another_field_is_only_drawn(self, pages: Pages) -> None:
        before = pages.draft
        answer = pages.send(
            "/trigger", do="more", event="MANUAL", field_label=["Mine"], field_name=[""], field_kind=["text"]
        )
        assert answer.status_code == 200
        assert answer.text.count('name="field_label"') == 2
        assert 'value="Mine"' in answer.text
        assert pages.draft == before

    def test_what_is_wrong_is_said_at_its_field(self, pages: Pages) -> None:
        nowhere = pages.send("/trigger", event="MANUAL")
        assert nowhere.status_code == 422
        assert "Choose at least one place it is started from." in said(nowhere)
        field = {"field_label": ["Pick"], "field_name": ["Pick!"], "field_kind": ["text"]}
        odd = pages.send("/trigger", event="MANUAL", subjects="alert", **field)
        assert odd.status_code == 422
        assert "small letters" in said(odd)


class TestPublishing:
    def test_what_is_in_the_way_is_listed(self, world: World, admin: FlaskClient) -> None:
        wrong = make(world, admin, step("first", inputs={"ticket_id": "{{ tikcet.id }}", "note": "x"}))
        words = wrong.text("/publish")
        assert "Cannot be published yet" in words
        assert "tikcet" in words
        assert "Nothing was published." in wrong.sent("/publish")
        assert wrong.row["published_version"] is None

    def test_it_says_whose_rights_its_runs_have(self, pages: Pages) -> None:
        assert "Its runs have your rights" in pages.text("/publish")
        assert "is published as version 1. When an alert fires." in pages.sent("/publish")
        assert "Version 1, published by" in pages.text()

    def test_a_draft_that_moved_is_not_published_unseen(self, pages: Pages) -> None:
        old = pages.row["revision"]
        pages.sent("/steps/first/remove")
        answer = pages.send("/publish", revision=old)
        assert "has saved this workflow meanwhile" in said(pages.client.get(answer.location))
        assert pages.row["published_version"] is None


def test_an_action_that_is_another_one_by_now_is_taken_over_by_saving(
    world: World, admin: FlaskClient
) -> None:
    old = make(world, admin, {**step("note", inputs=NOTE), "version": 9})
    assert "is another one by now" in old.text("/steps/note?check=1")
    inputs = {f"ex_{name}": text for name, text in NOTE.items()}
    modes = {f"mode_{name}": "template" for name in NOTE}
    old.sent("/steps/note", name="Note", **inputs, **modes)
    assert old.draft["steps"][0].get("version", 1) == 1
    assert "Ready" in old.text("/publish")


def test_the_filter_is_asked_before_there_is_a_run(pages: Pages) -> None:
    page = pages.client.get(f"{pages.url}/trigger").text
    assert 'data-rmm-insert="alert.severity"' in page
    assert 'data-rmm-insert="run.id"' not in page


def past(pages: Pages, **alert: str) -> UUID:
    """A run of the draft that is over, about such an alert."""
    world = pages.world
    place = {"tenant_id": world.tenant, "workflow_id": pages.id}
    version = WorkflowVersion(
        **place, id=new_id(), number=-len(world.rows("SELECT 1 FROM rmm_workflow_runs"))
    )
    version.document = pages.draft
    run = WorkflowRun(
        **place,
        id=new_id(),
        version_id=version.id,
        source="event",
        event="RMM_ALERT_TRIGGERED",
        event_key=str(new_id()),
        context={"alert": alert},
        state="succeeded",
        actor_id="a",
        actor_name="A",
    )
    run_id: UUID = run.id
    with world.unit() as session:
        session.add(version)
        session.flush()
        session.add(run)
    return run_id


def test_the_last_runs_values_stand_beside_the_names(running: Pages) -> None:
    run_id = past(running, title="Disk <C> is full")
    page = running.client.get(f"{running.url}/steps/note")
    assert "Disk <C> is full" in said(page)
    assert f"/rmm/workflows/runs/{run_id}" in page.text


@pytest.mark.parametrize(
    "typed",
    [
        {"name": "a\x00b"},
        {"name": "A", "in_note": "a\x00b", "in_ticket_id": "1"},
        {"name": "A", "connection": "nonsense"},
        {"name": "A", "when": "x" * 2001},
        {"name": "A", "mode_note": "template", "ex_note": "x" * 10_001},
    ],
)
def test_what_nothing_can_keep_is_refused_in_words(pages: Pages, typed: dict[str, str]) -> None:
    before = pages.draft
    answer = pages.send("/steps/first", **typed)
    assert answer.status_code == 422
    assert "That was not saved" in said(answer)
    assert pages.draft == before


class TestTrying:
    def test_what_is_typed_is_tried_with_the_values_of_the_last_run(self, running: Pages) -> None:
        run_id = past(running, severity="critical")
        page = running.client.get(f"{running.url}/steps/note").text
        address = f"{running.url}/expression?step=note&run={run_id}"
        assert f'data-rmm-try="{escape(address)}"' in page
        data = {"kind": "template", "source": "It is {{ alert.severity }}"}
        assert "With the values of the run: It is critical" in said(running.client.post(address, data=data))
        data["source"] = "{{ device.name }}"
        told = said(running.client.post(address, data=data))
        assert "It reads. With the values of the run it cannot be worked out" in told
        data["source"] = "{{ alert.nonsense }}"
        assert "There is no “nonsense” in alert." in said(running.client.post(address, data=data))

    def test_an_earlier_run_may_be_chosen(self, running: Pages) -> None:
        first, last = past(running, severity="minor"), past(running, severity="critical")
        for query, run_id, value in (("", last, "critical"), (f"?run={first}", first, "minor")):
            page = running.client.get(f"{running.url}/steps/note{query}").text
            assert f'<option value="{run_id}" selected>' in page
            data = {"kind": "expression", "source": "alert.severity"}
            address = f"{running.url}/expression?step=note&run={run_id}"
            assert value in said(running.client.post(address, data=data))
            assert f"&amp;run={run_id}" in page

    def test_of_another_workflow_no_run_may_be_chosen(
        self, running: Pages, world: World, admin: FlaskClient
    ) -> None:
        mine, other = past(running, severity="minor"), make(world, admin, step("note", inputs=NOTE))
        foreign = past(other, severity="critical")
        assert str(foreign) not in running.client.get(f"{running.url}/steps/note?run={foreign}").text
        data = {"kind": "expression", "source": "alert.severity"}
        for run in (foreign, new_id(), "nonsense"):
            told = said(running.client.post(f"{running.url}/expression?run={run}", data=data))
            assert "minor" in told
        assert mine

    def test_a_step_that_is_gone_is_not_found(self, running: Pages) -> None:
        answer = running.client.post(f"{running.url}/expression?step=gone", data={"source": "alert"})
        assert answer.status_code == 404


def test_the_palette_says_what_a_role_may_not_do(
    world: World, admin: FlaskClient, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "Your role may not run actions on devices: somebody else has to publish the workflow then."
    assert words not in pages.text("/palette")
    monkeypatch.setitem(roles.RIGHTS, "dispatcher", roles.RIGHTS["dispatcher"] | {"rmm.workflows.manage"})
    page = browser(world, "dispatch").get(f"{pages.url}/palette").text
    offers = dict(re.findall(r'name="action" value="([^"]+)"(.*?)</form>', page, re.S))
    assert words in offers["tacticalrmm.agents.run_script"]
    assert "Your role" not in offers["tickets.add_note"]
