"""Workflows started from where people work: the offers, the forms, and what is shown there."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from rmm_extension.models import new_id
from tests.conftest import world
from tests.harness.world import World
from tests.workflows.engine.acme import FAIL
from tests.workflows.engine.conftest import studio
from tests.workflows.engine.studio import Studio, document, step

from .acting import REBOOT
from .conftest import said
from .test_alert_actions import browser

__all__ = ["studio", "world"]

KEY = re.compile(r'name="key" value="([^"]+)"')
FIELDS = [
    {"name": "why", "label": "Why", "required": True, "help": "It is written down."},
    {"name": "often", "label": "How often", "kind": "number"},
    {"name": "how", "label": "How", "kind": "choice", "choices": ["softly", "hard"]},
    {"name": "sure", "label": "I am sure", "kind": "flag"},
]


def manual(*subjects: str, **trigger: Any) -> dict[str, Any]:
    return {"event": "MANUAL", "subjects": list(subjects), **trigger}


@pytest.fixture
def tech(world: World) -> FlaskClient:
    return browser(world, "tech")


def alert(world: World) -> UUID:
    world.post()
    return UUID(str(world.alert()["id"]))


def prefix(workflow: UUID) -> str:
    return f"w{workflow.hex[-8:]}_"


def start(client: FlaskClient, workflow: UUID, subject: str, **form: Any) -> Any:
    return client.post(
        f"/rmm/workflows/{workflow}/start", data={"subject": subject, "key": str(new_id()), **form}
    )


class TestOffers:
    def test_it_stands_where_it_is_started_from_and_nowhere_else(
        self, studio: Studio, world: World, tech: FlaskClient
    ) -> None:
        device = world.device()
        about = alert(world)
        (ticket,) = world.tickets()
        pages = {
            "alert": f"/rmm/alerts/{about}",
            "device": f"/rmm/devices/{device}",
            "ticket": f"/tickets/{ticket['id']}",
        }
        for subject in pages:
            studio.publish(document(step("one"), **manual(subject)), name=f"Mend the {subject}")
        for subject, address in pages.items():
            text = said(tech.get(address))
            for other in pages:
                assert (f"Mend the {other}" in text) == (other == subject), (subject, other)

    def test_an_asset_and_a_ticket_without_the_rmm_offer_them_too(
        self, studio: Studio, world: World, tech: FlaskClient
    ) -> None:
        def of(table: str) -> str:
            mine = f"SELECT id FROM {table} WHERE tenant_id = :t ORDER BY id LIMIT 1"
            return str(world.one(mine, t=world.tenant))

        pages = [f"/assets/{of('assets')}", f"/tickets/{of('tickets')}"]
        before = [said(tech.get(address)) for address in pages]
        studio.publish(document(step("one"), **manual("asset", "ticket")), name="Mend it")
        for address, text in zip(pages, before, strict=True):
            assert "Mend it" not in text
            assert "Mend it" in said(tech.get(address)), address

    def test_who_lacks_a_right_of_a_step_is_not_offered_it(
        self, studio: Studio, world: World, tech: FlaskClient
    ) -> None:
        device = world.device()
        reboot = studio.publish(document(step("one", REBOOT), **manual("device")), name="Reboot it")
        assert "Reboot it" in said(tech.get(f"/rmm/devices/{device}"))
        for name in ("viewer", "dispatch"):
            client = browser(world, name)
            assert "Reboot it" not in said(client.get(f"/rmm/devices/{device}"))
            assert start(client, reboot, f"device:{device}").status_code == 403
        assert studio.runs() == []

    @pytest.mark.parametrize("state", ["draft", "paused"])
    def test_only_what_is_published_is_offered(
        self, studio: Studio, world: World, tech: FlaskClient, state: str
    ) -> None:
        device = world.device()
        workflow = studio.publish(document(step("one"), **manual("device")), name="Mend it", state=state)
        assert "Mend it" not in said(tech.get(f"/rmm/devices/{device}"))
        assert start(tech, workflow, f"device:{device}").status_code == 404

    def test_its_name_is_escaped(self, studio: Studio, world: World, tech: FlaskClient) -> None:
        bad = "<script>alert(1)</script>"
        studio.publish(document(step("one"), **manual("device", fields=FIELDS)), name=bad)
        studio.publish(document(step("one"), **manual("device")), name=f"{bad}2")
        assert "<script>alert" not in tech.get(f"/rmm/devices/{world.device()}").text


class TestStarting:
    def test_it_runs_in_the_person_s_name_and_stands_where_it_was_started(
        self, studio: Studio, world: World, tech: FlaskClient
    ) -> None:
        device = world.device()
        workflow = studio.publish(document(step("one"), **manual("device")), name="Mend it")
        answer = start(tech, workflow, f"device:{device}")
        assert answer.status_code == 303
        assert answer.location == f"/rmm/devices/{device}"
        text = said(tech.get(answer.location))
        assert "“Mend it” is started" in text
        run = studio.run()
        assert f'data-rmm-poll="/rmm/workflows/about/device/{device}"' in tech.get(answer.location).text
        studio.work()
        recent = tech.get(f"/rmm/workflows/about/device/{device}")
        assert "Done Mend it Started by" in said(recent)
        assert f'href="/rmm/workflows/runs/{run["id"]}"' in recent.text
        assert "data-rmm-poll" not in recent.text
        assert studio.written() == ["one"]

    def test_a_key_that_no_page_made_is_taken_as_far_as_it_can_be_kept(
        self, studio: Studio, world: World, tech: FlaskClient
    ) -> None:
        device = world.device()
        workflow = studio.publish(document(step("one"), **manual("device")), name="Mend it")
        for _ in range(2):
            assert start(tech, workflow, f"device:{device}", key="a\x00b").status_code == 303
        assert len(studio.runs()) == 1

    def test_a_failure_says_why_in_place(self, studio: Studio, world: World, tech: FlaskClient) -> None:
        workflow = studio.publish(document(step("one", FAIL), **manual("ticket")), name="Break it")
        alert(world)
        (ticket,) = world.tickets()
        start(tech, workflow, f"ticket:{ticket['id']}")
        studio.work()
        assert "It stood in the way." in said(tech.get(f"/tickets/{ticket['id']}"))

    def test_others_see_that_it_ran_and_are_not_led_to_it(
        self, studio: Studio, world: World, tech: FlaskClient
    ) -> None:
        device = world.device()
        workflow = studio.publish(document(step("one"), **manual("device")), name="Mend it")
        start(tech, workflow, f"device:{device}")
        shown = browser(world, "viewer").get(f"/rmm/devices/{device}")
        assert "Mend it Started by" in said(shown)
        assert "/rmm/workflows/runs/" not in shown.text

    def test_a_double_click_starts_it_once(self, studio: Studio, world: World, tech: FlaskClient) -> None:
        device = world.device()
        workflow = studio.publish(document(step("one"), **manual("device")))
        key = KEY.search(tech.get(f"/rmm/workflows/{workflow}/start?subject=device:{device}").text)
        assert key is not None
        for _ in range(2):
            assert start(tech, workflow, f"device:{device}", key=key[1]).status_code == 303
        assert len(studio.runs()) == 1

    def test_its_form_is_drawn_in_place_and_what_is_typed_reaches_the_steps(
        self, studio: Studio, world: World, tech: FlaskClient
    ) -> None:
        device = world.device()
        words = {
            "text": {"template": "{{ fields.why }} {{ fields.often }} {{ fields.how }} {{ fields.sure }}"}
        }
        workflow = studio.publish(document(step("one", inputs=words), **manual("device", fields=FIELDS)))
        shown = tech.get(f"/rmm/devices/{device}").text
        for name in ("why", "often", "how", "sure"):
            assert f'name="{prefix(workflow)}{name}"' in shown, name
        given = {"why": "Full disk", "often": "3", "how": "softly", "sure": "1"}
        start(tech, workflow, f"device:{device}", **{prefix(workflow) + k: v for k, v in given.items()})
        studio.work()
        assert studio.written() == ["Full disk 3 softly true"] or studio.written() == [
            "Full disk 3 softly True"
        ]
        run_id = studio.run()["id"]
        text = said(tech.get(f"/rmm/workflows/runs/{run_id}"))
        assert "Why Full disk How often 3 How softly I am sure yes" in text

    def test_what_is_wrong_is_said_at_its_field_and_nothing_is_started(
        self, studio: Studio, world: World, tech: FlaskClient
    ) -> None:
        device = world.device()
        workflow = studio.publish(document(step("one"), **manual("device", fields=FIELDS)))
        given = {f"{prefix(workflow)}often": "many", f"{prefix(workflow)}how": "softly"}
        answer = start(tech, workflow, f"device:{device}", **given)
        assert answer.status_code == 400
        text = said(answer)
        assert "Nothing was started" in text
        assert f'href="#{prefix(workflow)}why"' in answer.text
        assert f'href="#{prefix(workflow)}often"' in answer.text
        assert 'value="many"' in answer.text, "kept, to be mended"
        assert studio.runs() == []

    def test_started_again_with_what_was_typed(self, studio: Studio, world: World, tech: FlaskClient) -> None:
        device = world.device()
        workflow = studio.publish(document(step("one"), **manual("device", fields=FIELDS)))
        start(tech, workflow, f"device:{device}", **{f"{prefix(workflow)}why": "Full disk"})
        studio.work()
        answer = tech.get(f"/rmm/workflows/runs/{studio.run()['id']}/again")
        assert answer.status_code == 303
        assert 'value="Full disk"' in tech.get(answer.location).text

    @pytest.mark.parametrize("subject", ["", "alert:", "client:1", "device", "asset:x"])
    def test_from_a_place_it_is_not_for_there_is_nothing(
        self, studio: Studio, world: World, tech: FlaskClient, subject: str
    ) -> None:
        workflow = studio.publish(document(step("one"), **manual("device")))
        assert start(tech, workflow, subject).status_code == 404
        assert tech.get(f"/rmm/workflows/{workflow}/start?subject={subject}").status_code == 404

    def test_a_thing_that_is_gone_is_said(self, studio: Studio, world: World, tech: FlaskClient) -> None:
        workflow = studio.publish(document(step("one"), **manual("device")))
        for id_ in (str(new_id()), "x"):
            answer = start(tech, workflow, f"device:{id_}")
            assert answer.status_code in (400, 404), id_
        assert studio.runs() == []

    def test_an_id_that_no_database_takes_is_about_nothing(self, tech: FlaskClient) -> None:
        assert tech.get("/rmm/workflows/about/ticket/a%00b").status_code == 200

    @pytest.mark.parametrize("path", ["client/1", "device/x", "alert/1"])
    def test_runs_about_something_else_are_not_found(self, tech: FlaskClient, path: str) -> None:
        assert tech.get(f"/rmm/workflows/about/{path}").status_code == 404
