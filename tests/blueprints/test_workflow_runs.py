"""Runs of workflows in the pages: the history, a run with its steps, what people decide, who sees it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from reference_psa import roles
from reference_psa.seed import demo_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.host import Actor
from rmm_extension.models import new_id
from rmm_extension.testing.statements import StatementCounter
from tests.conftest import world
from tests.harness.world import World
from tests.workflows.engine.acme import FAIL, WRITE
from tests.workflows.engine.conftest import studio
from tests.workflows.engine.studio import Studio, document, step

from .acting import COMMAND
from .conftest import said
from .test_alert_actions import browser

__all__ = ["studio", "world"]

MANUAL: dict[str, Any] = {"event": "MANUAL", "subjects": ["alert", "device", "ticket", "asset"]}


@pytest.fixture
def admin(world: World) -> FlaskClient:
    return browser(world, "admin")


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(f"/rmm{path}")
    assert answer.status_code == 200, answer.status
    return said(answer)


def technician(world: World) -> Actor:
    """Who signs in as “tech”."""
    id_ = str(demo_id(NORTHBEAM, "users", "tech@northbeam.example"))
    return Actor(id=id_, name="Tim Technician", tenant_id=world.tenant)


def alert(world: World) -> UUID:
    world.post()
    return UUID(str(world.alert()["id"]))


def unknown(studio: Studio) -> UUID:
    """A run of two steps whose first one may have happened."""
    workflow = studio.publish(document(step("one"), step("two"), **MANUAL))
    run_id = studio.start(workflow, "alert", str(alert(studio.world)))
    studio.work()
    studio.world.do("DELETE FROM rmm_workflow_invocations WHERE step_id = 'two'")
    studio.world.do(
        "UPDATE rmm_workflow_invocations SET state = 'unknown', message = 'The worker ended meanwhile.'"
    )
    studio.world.do("UPDATE rmm_workflow_runs SET state = 'unknown', position = 0, finished_at = NULL")
    return run_id


class TestHistory:
    def test_runs_stand_there_newest_first_with_what_came_of_them(
        self, studio: Studio, admin: FlaskClient
    ) -> None:
        good = studio.publish(document(step("one"), **MANUAL), name="Mend it")
        bad = studio.publish(document(step("one", FAIL), **MANUAL), name="Break it")
        about = str(alert(studio.world))
        for workflow in (good, bad):
            studio.start(workflow, "alert", about)
        studio.work()
        text = page(admin, "/workflows/runs")
        assert text.index("Failed Break it") < text.index("Done Mend it")
        assert "It stood in the way." in text
        assert "Break it" not in page(admin, f"/workflows/{good}/runs").partition("Runs of Mend it")[2]

    def test_it_is_narrowed_by_state_source_and_workflow(self, studio: Studio, admin: FlaskClient) -> None:
        workflow = studio.publish(document(step("one", FAIL), **MANUAL), name="Break it")
        studio.start(workflow, "alert", str(alert(studio.world)))
        studio.work()
        assert "It stood in the way." in page(admin, f"/workflows/runs?state=failed&workflow={workflow}")
        assert "No run matches" in page(admin, "/workflows/runs?state=succeeded")
        assert "No run matches" in page(admin, "/workflows/runs?source=event")
        assert "No run matches" in page(admin, f"/workflows/runs?workflow={new_id()}")

    def test_without_runs_it_says_what_will_be_there(self, studio: Studio, admin: FlaskClient) -> None:
        workflow = studio.publish(document(step("one"), **MANUAL))
        assert "No runs yet" in page(admin, "/workflows/runs")
        assert f'href="/rmm/workflows/{workflow}/test"' in admin.get(f"/rmm/workflows/{workflow}/runs").text
        assert admin.get(f"/rmm/workflows/{new_id()}/runs").status_code == 404

    def test_a_page_costs_the_same_for_one_run_and_for_many(self, studio: Studio, admin: FlaskClient) -> None:
        workflow, about = studio.publish(document(step("one"), **MANUAL)), str(alert(studio.world))
        counts = []
        page(admin, "/workflows/runs")
        for more in (1, 4):
            for _ in range(more):
                studio.start(workflow, "alert", about)
            with StatementCounter() as sent:
                page(admin, "/workflows/runs")
            counts.append(sent.count)
        assert counts[0] == counts[1]


class TestRun:
    def test_each_step_says_what_it_was_given_and_what_came_of_it(
        self, studio: Studio, admin: FlaskClient
    ) -> None:
        workflow = studio.publish(
            document(
                step("one"),
                step("two", WRITE, when="false", inputs={"text": {"value": "never"}}),
                step("three", FAIL),
                step("four"),
                **MANUAL,
            )
        )
        run_id = studio.start(workflow, "alert", str(alert(studio.world)))
        studio.work()
        text = page(admin, f"/workflows/runs/{run_id}")
        for words in ("1. One Done", "Text one", "2. Two Skipped", "Only if false", "3. Three Failed"):
            assert words in text, words
        assert "It stood in the way. CONFLICT" in text
        assert "4. Four Not reached" in text
        assert "never" not in text

    def test_it_is_asked_for_again_until_it_is_over(self, studio: Studio, admin: FlaskClient) -> None:
        workflow = studio.publish(document(step("one"), **MANUAL))
        run_id = studio.start(workflow, "alert", str(alert(studio.world)))
        address = f"/rmm/workflows/runs/{run_id}"
        before = admin.get(address).text
        assert f'data-rmm-poll="{address}/state"' in before
        assert "1. One Still to come" in said(admin.get(f"{address}/state"))
        studio.work()
        after = admin.get(f"{address}/state").text
        assert "data-rmm-poll" not in after
        assert "<html" not in after

    def test_what_a_step_gave_is_escaped(self, studio: Studio, admin: FlaskClient) -> None:
        bad = "<script>alert(1)</script>"
        workflow = studio.publish(
            document(step("one", inputs={"text": {"value": bad}}), **MANUAL), name=f"Mend {bad}"
        )
        run_id = studio.start(workflow, "alert", str(alert(studio.world)))
        studio.work()
        for path in (f"/workflows/runs/{run_id}", "/workflows/runs", f"/alerts/{alert_of(studio)}"):
            assert bad not in admin.get(f"/rmm{path}").text

    def test_a_secret_input_is_not_shown(self, studio: Studio, admin: FlaskClient) -> None:
        inputs = {"text": {"value": "one"}, "secret": {"value": "Tr0ub4dor"}}
        workflow = studio.publish(document(step("one", inputs=inputs), **MANUAL))
        run_id = studio.start(workflow, "alert", str(alert(studio.world)))
        studio.work()
        assert "Tr0ub4dor" not in admin.get(f"/rmm/workflows/runs/{run_id}").text

    def test_a_step_that_needs_a_right_the_reader_lacks_hides_what_it_gave(
        self, studio: Studio, world: World, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rights = roles.RIGHTS["dispatcher"] | {"rmm.workflows.manage"}
        monkeypatch.setitem(roles.RIGHTS, "dispatcher", rights)
        asked = step("one", COMMAND, inputs={"command": {"value": "Get-Quiet"}})
        workflow, device = studio.publish(document(asked, **MANUAL)), world.device()
        run_id = studio.start(workflow, "device", str(device))
        studio.do(studio.jobs("workflow_step")[0])
        assert "Get-Quiet" in page(admin, f"/workflows/runs/{run_id}")
        text = page(browser(world, "dispatch"), f"/workflows/runs/{run_id}")
        assert "Get-Quiet" not in text
        assert "needs the right to do it" in text


def alert_of(studio: Studio) -> UUID:
    return UUID(str(studio.world.alert()["id"]))


class TestWhoSeesIt:
    def test_the_history_needs_the_right_to_manage_workflows(self, studio: Studio, world: World) -> None:
        workflow = studio.publish(document(step("one"), **MANUAL))
        run_id = studio.start(workflow, "alert", str(alert(world)))
        for name in ("viewer", "tech", "dispatch"):
            client = browser(world, name)
            for path in (
                "runs",
                f"{workflow}/runs",
                f"runs/{run_id}",
                f"runs/{run_id}/state",
                f"{workflow}/test",
            ):
                assert client.get(f"/rmm/workflows/{path}").status_code == 403, (name, path)
            for path in ("decide", "cancel"):
                answer = client.post(f"/rmm/workflows/runs/{run_id}/{path}", data={"choice": "stop"})
                assert answer.status_code == 403, (name, path)
        assert studio.run(run_id)["state"] == "running"

    def test_who_started_a_run_sees_it(self, studio: Studio, world: World) -> None:
        workflow = studio.publish(document(step("one"), **MANUAL))
        run_id = studio.start(workflow, "alert", str(alert(world)), by=technician(world))
        assert "1. One" in page(browser(world, "tech"), f"/workflows/runs/{run_id}")

    def test_the_publisher_of_what_an_event_started_has_no_say_without_the_right(
        self, studio: Studio, world: World
    ) -> None:
        workflow = studio.publish(document(step("one")), by=technician(world))
        studio.tell()
        studio.work()
        assert str(studio.run()["workflow_id"]) == str(workflow)
        assert browser(world, "tech").get(f"/rmm/workflows/runs/{studio.run()['id']}").status_code == 403

    def test_a_run_that_is_not_there_is_not_found(self, world: World, admin: FlaskClient) -> None:
        assert admin.get(f"/rmm/workflows/runs/{new_id()}").status_code == 404
        assert admin.post(f"/rmm/workflows/runs/{new_id()}/cancel").status_code == 404


class TestDeciding:
    def test_needs_attention_names_it_and_leads_to_it(self, studio: Studio, admin: FlaskClient) -> None:
        assert "Workflows that wait" not in page(admin, "/attention")
        run_id = unknown(studio)
        text = page(admin, "/attention")
        assert "Workflows that wait for a decision" in text
        assert "The worker ended meanwhile." in text
        assert f'href="/rmm/workflows/runs/{run_id}"' in admin.get("/rmm/attention").text
        assert "1 workflow that waits for a decision" in page(admin, "/")

    def test_who_may_not_decide_is_told_and_not_led(self, studio: Studio, world: World) -> None:
        run_id = unknown(studio)
        client = browser(world, "viewer")
        assert "Workflows that wait for a decision" in page(client, "/attention")
        assert f"/rmm/workflows/runs/{run_id}" not in client.get("/rmm/attention").text

    def test_it_happened_and_the_run_goes_on(self, studio: Studio, admin: FlaskClient) -> None:
        run_id = unknown(studio)
        assert "Did step 1, One, happen?" in page(admin, f"/workflows/runs/{run_id}")
        written = studio.written()
        self.say(admin, run_id, "happened")
        studio.work()
        assert studio.run(run_id)["state"] == "succeeded"
        assert studio.written() == [*written, "two"]
        text = page(admin, f"/workflows/runs/{run_id}")
        assert "says that it happened" in text
        assert "Decided by" in text

    def test_it_is_done_again_and_both_attempts_are_shown(self, studio: Studio, admin: FlaskClient) -> None:
        run_id = unknown(studio)
        self.say(admin, run_id, "again")
        studio.work()
        assert studio.run(run_id)["state"] == "succeeded"
        text = page(admin, f"/workflows/runs/{run_id}")
        assert text.index("Attempt 2") < text.index("Attempt 1")

    def test_it_stops(self, studio: Studio, admin: FlaskClient) -> None:
        run_id = unknown(studio)
        self.say(admin, run_id, "stop")
        assert studio.work() == 0
        assert "stopped it" in page(admin, f"/workflows/runs/{run_id}")

    def test_what_was_decided_is_refused_in_words(self, studio: Studio, admin: FlaskClient) -> None:
        run_id = unknown(studio)
        self.say(admin, run_id, "stop")
        assert "waits for no decision" in self.say(admin, run_id, "happened")

    def test_another_choice_is_none(self, studio: Studio, admin: FlaskClient) -> None:
        run_id = unknown(studio)
        answer = admin.post(f"/rmm/workflows/runs/{run_id}/decide", data={"choice": "perhaps"})
        assert answer.status_code == 400
        assert studio.run(run_id)["state"] == "unknown"

    @staticmethod
    def say(client: FlaskClient, run_id: UUID, choice: str) -> str:
        answer = client.post(f"/rmm/workflows/runs/{run_id}/decide", data={"choice": choice})
        assert answer.status_code == 303
        return said(client.get(answer.location))


class TestCancelling:
    def test_no_further_step_is_begun(self, studio: Studio, admin: FlaskClient) -> None:
        workflow = studio.publish(document(step("one"), **MANUAL))
        run_id = studio.start(workflow, "alert", str(alert(studio.world)))
        answer = admin.post(f"/rmm/workflows/runs/{run_id}/cancel")
        assert "What was done stays done" in said(admin.get(answer.location))
        studio.work()
        assert studio.written() == []
        assert "cancelled it" in page(admin, f"/workflows/runs/{run_id}")
        answer = admin.post(f"/rmm/workflows/runs/{run_id}/cancel")
        assert "over already" in said(admin.get(answer.location))

    def test_forms_need_their_token(self, studio: Studio, world: World, admin: FlaskClient) -> None:
        workflow = studio.publish(document(step("one"), **MANUAL))
        run_id = studio.start(workflow, "alert", str(alert(world)))
        world.app.config["WTF_CSRF_ENABLED"] = True
        for path in (
            f"runs/{run_id}/cancel",
            f"runs/{run_id}/decide",
            f"{workflow}/start",
            f"{workflow}/test",
        ):
            assert admin.post(f"/rmm/workflows/{path}", data={"choice": "stop"}).status_code == 400, path
