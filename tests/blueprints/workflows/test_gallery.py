"""The list of workflows, and making one: empty, from a recipe, as a copy."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from rmm_extension.testing.statements import StatementCounter
from rmm_extension.workflows import check, recipes
from tests.blueprints.conftest import said
from tests.blueprints.test_alert_actions import browser
from tests.harness.world import World

from .conftest import NOTE, Pages, administrator, make, script, step


def stored(world: World) -> list[dict[str, Any]]:
    """Every workflow, oldest first."""
    return world.rows("SELECT * FROM rmm_workflows ORDER BY created_at, id")


def test_without_any_the_list_says_what_they_are_for(world: World, admin: FlaskClient) -> None:
    page = said(admin.get("/rmm/workflows"))
    assert "No workflows yet" in page
    assert "New workflow" in page
    viewer = said(browser(world, "viewer").get("/rmm/workflows"))
    assert "An administrator can make some." in viewer
    assert "New workflow" not in viewer


def test_the_list_says_how_each_stands(pages: Pages) -> None:
    pages.sent("/publish")
    pages.sent("/steps/first/remove")
    words = said(pages.client.get("/rmm/workflows"))
    assert "On Notes Changed since version 1: not published yet When an alert fires 1 never" in words
    assert "Nothing fits the filter" in said(pages.client.get("/rmm/workflows?state=draft"))


def test_the_list_costs_the_same_however_long_it_is(
    world: World, admin: FlaskClient, statement_counter: type[StatementCounter]
) -> None:
    counts = []
    for number in (1, 10):
        for _ in range(number):
            make(world, admin, step("one", inputs=NOTE))
        with world.app.app_context(), statement_counter() as sent:
            admin.get("/rmm/workflows")
        counts.append(sent.count)
    assert counts[0] == counts[1]


class TestEmpty:
    def test_it_begins_with_what_starts_it(self, world: World, admin: FlaskClient) -> None:
        answer = admin.post(
            "/rmm/workflows/new", data={"name": " Night  watch ", "event": "RMM_DEVICE_OFFLINE"}
        )
        assert answer.status_code == 303
        (row,) = stored(world)
        assert (row["name"], row["state"]) == ("Night watch", "draft")
        assert row["draft"]["trigger"]["event"] == "RMM_DEVICE_OFFLINE"
        assert "Nothing starts it before it is published." in said(admin.get(answer.location))

    def test_one_for_people_can_be_started_anywhere(self, world: World, admin: FlaskClient) -> None:
        admin.post("/rmm/workflows/new", data={"name": "By hand", "event": "MANUAL"})
        assert set(stored(world)[0]["draft"]["trigger"]["subjects"]) == {"alert", "ticket", "asset", "device"}

    @pytest.mark.parametrize(
        "data", [{"name": "", "event": "MANUAL"}, {"name": "N", "event": "RMM_NONSENSE"}]
    )
    def test_what_is_wrong_is_said_and_nothing_is_made(
        self, world: World, admin: FlaskClient, data: dict[str, str]
    ) -> None:
        answer = admin.post("/rmm/workflows/new", data=data)
        assert answer.status_code == 422
        assert "is-invalid" in answer.text
        assert not stored(world)


class TestRecipe:
    def made(self, world: World, admin: FlaskClient, key: str, **answers: Any) -> dict[str, Any]:
        data = {"name": "Made", **{f"in_{name}": value for name, value in answers.items()}}
        answer = admin.post(f"/rmm/workflows/new/{key}", data=data)
        assert answer.status_code == 303, said(answer)
        found: dict[str, Any] = stored(world)[-1]
        assert found["recipe"] == key
        return found

    def test_the_gallery_shows_all_and_what_they_lack(self, admin: FlaskClient) -> None:
        page = said(admin.get("/rmm/workflows/new"))
        for recipe in recipes.RECIPES:
            assert recipe.title in page
        assert "Not connected here: Huntress" in page
        assert "Not connected here: Tactical RMM" not in page

    def test_the_disk_recipe_runs_the_chosen_script(self, world: World, admin: FlaskClient) -> None:
        script(world)
        page = admin.get("/rmm/workflows/new/disk-full").text
        assert f'<option value="{world.integration_id}:7">Empty the bin</option>' in page
        row = self.made(world, admin, "disk-full", script=f"{world.integration_id}:7", words='C: "full"')
        first = row["draft"]["steps"][0]
        assert first["inputs"]["script_id"] == {"value": 7}
        assert first["connection"] == str(world.integration_id)
        assert errors(world, row) == {}

    def test_a_library_that_was_never_listed_is_listed_and_says_so(
        self, world: World, admin: FlaskClient
    ) -> None:
        page = admin.get("/rmm/workflows/new/disk-full").text
        assert "The library of scripts is being listed." in page
        (run,) = world.rows("SELECT id FROM rmm_job_runs WHERE kind = 'script_list'")
        assert f"/rmm/jobs/{run['id']}/progress" in page
        world.do(
            "UPDATE rmm_job_runs SET status = 'failed', error = 'The vendor is away.', finished_at = now()"
        )
        page = admin.get("/rmm/workflows/new/disk-full").text
        assert "could not be listed" in page
        assert "The vendor is away." in page
        script(world)
        assert "listed" not in admin.get("/rmm/workflows/new/disk-full").text

    def test_the_huntress_recipe_can_be_published_before_it_is_connected(
        self, world: World, admin: FlaskClient
    ) -> None:
        row = self.made(world, admin, "huntress-close", severities=["low", "high"])
        assert errors(world, row) == {}
        resolve = next(one for one in row["draft"]["steps"] if one["id"] == "resolve")
        assert resolve["when"].endswith('in ["low", "high"]')

    def test_the_escalation_books_whom_it_names(self, world: World, admin: FlaskClient) -> None:
        page = admin.get("/rmm/workflows/new/escalate").text
        technician = page.split('name="in_technicians" value="')[1].split('"')[0]
        row = self.made(
            world, admin, "escalate", channel_id="19:x@thread.tacv2", technicians=[technician], minutes="30"
        )
        assert errors(world, row) == {}
        book = row["draft"]["steps"][1]["inputs"]
        assert book["assigned_user_ids"] == {"value": [technician]}
        assert book["window.end"] == {"template": "{{ run.started_at | plus(minutes=45) }}"}

    def test_the_reboot_recipe_is_made_for_the_connections_vendor(
        self, world: World, admin: FlaskClient
    ) -> None:
        row = self.made(world, admin, "reboot-after-patch", connection=f"tacticalrmm:{world.integration_id}")
        assert row["draft"]["steps"][0]["action"] == "tacticalrmm.agents.reboot"
        assert errors(world, row) == {}

    @pytest.mark.parametrize("answers", [{}, {"script": "nonsense"}])
    def test_what_is_not_answered_is_asked_again(
        self, world: World, admin: FlaskClient, answers: dict[str, str]
    ) -> None:
        data = {"name": "Mine", **{f"in_{name}": value for name, value in answers.items()}}
        answer = admin.post("/rmm/workflows/new/disk-full", data=data)
        assert answer.status_code == 422
        assert "Cleanup script:" in said(answer)
        assert 'value="Mine"' in answer.text, "what was typed is kept"
        assert not stored(world)

    def test_there_is_no_other_recipe(self, admin: FlaskClient) -> None:
        assert admin.get("/rmm/workflows/new/nonsense").status_code == 404


class TestAsAWhole:
    def test_a_copy_is_a_draft(self, pages: Pages) -> None:
        pages.sent("/publish")
        answer = pages.client.post(f"{pages.url}/copy")
        assert answer.status_code == 303
        copy = stored(pages.world)[-1]
        assert (copy["name"], copy["state"]) == ("Copy of Notes", "draft")
        assert copy["draft"] == pages.draft

    def test_it_is_paused_and_goes_on(self, pages: Pages) -> None:
        pages.sent("/publish")
        assert "is paused: nothing starts it" in pages.sent("/pause")
        assert "Resume" in pages.text()
        pages.sent("/resume")
        assert pages.row["state"] == "published"

    def test_it_gets_another_name(self, pages: Pages) -> None:
        answer = pages.send("/details", name="", description="Why")
        assert answer.status_code == 422
        assert "Name: Give it a name." in said(answer)
        pages.sent("/details", name="Better", description="Why")
        assert (pages.row["name"], pages.row["description"]) == ("Better", "Why")

    def test_it_is_deleted_after_a_question(self, pages: Pages) -> None:
        assert "Nothing starts it any more." in pages.text("/delete")
        pages.sent("/delete")
        assert not stored(pages.world)


def errors(world: World, row: dict[str, Any]) -> dict[str, list[str]]:
    """What keeps the workflow from being published, by somebody who may do everything."""
    with world.unit() as session:
        return check.check(world.rmm, session, administrator(world), row["draft"]).errors
