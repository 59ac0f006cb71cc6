"""Testing a draft: what it can be tested with, simulated or really, and what is said where it cannot be."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from rmm_extension.domain.contracts.events import CATALOGUE, check
from rmm_extension.models import Workflow, new_id
from rmm_extension.workflows import past_events
from tests.conftest import world
from tests.harness.world import World
from tests.workflows.engine.acme import READ
from tests.workflows.engine.conftest import studio
from tests.workflows.engine.studio import Studio, document, step

from .conftest import said
from .test_alert_actions import browser

__all__ = ["studio", "world"]


@pytest.fixture
def admin(world: World) -> FlaskClient:
    return browser(world, "admin")


def draft(studio: Studio, document: dict[str, Any], name: str = "Mend") -> UUID:
    """A workflow that was never published."""
    row = Workflow(tenant_id=studio.world.tenant, id=new_id(), name=name, draft=document)
    workflow_id = row.id
    with studio.world.unit() as session:
        session.add(row)
    return workflow_id


def begin(client: FlaskClient, workflow: UUID, **form: Any) -> TestResponse:
    return client.post(f"/rmm/workflows/{workflow}/test", data={"key": str(new_id()), **form})


def alert(world: World, external: int = 524) -> str:
    world.post(world.body(external))
    return str(world.alert(external)["id"])


class TestChoosing:
    def test_alerts_are_offered_newest_first_and_can_be_searched(
        self, studio: Studio, world: World, admin: FlaskClient
    ) -> None:
        ids = [alert(world, at) for at in (1, 2)]
        world.do(
            "UPDATE rmm_alerts SET message = 'Disk is full', triggered_at = now() WHERE id = :id", id=ids[0]
        )
        workflow = draft(studio, document(step("one")))
        shown = admin.get(f"/rmm/workflows/{workflow}/test").text
        assert shown.index(ids[0]) < shown.index(ids[1])
        found = admin.get(f"/rmm/workflows/{workflow}/test?q=disk").text
        assert ids[0] in found
        assert ids[1] not in found
        assert "Nothing matches" in said(admin.get(f"/rmm/workflows/{workflow}/test?q=nothing+of+this"))

    def test_what_a_manual_workflow_is_started_from_can_be_chosen(
        self, studio: Studio, world: World, admin: FlaskClient
    ) -> None:
        about, device = alert(world), str(world.device())
        workflow = draft(studio, document(step("one"), event="MANUAL", subjects=["alert", "device"]))
        assert about in admin.get(f"/rmm/workflows/{workflow}/test").text
        shown = admin.get(f"/rmm/workflows/{workflow}/test?subject=device").text
        assert device in shown
        assert about not in shown

    @pytest.mark.parametrize("made", [{}, {"trigger": {"event": "MANUAL"}, "steps": []}, document()])
    def test_a_draft_that_is_no_workflow_yet_says_what_is_missing(
        self, studio: Studio, admin: FlaskClient, made: dict[str, Any]
    ) -> None:
        workflow = draft(studio, made)
        assert "Nothing to test yet" in said(admin.get(f"/rmm/workflows/{workflow}/test"))

    def test_without_anything_here_it_says_so(self, studio: Studio, admin: FlaskClient) -> None:
        workflow = draft(studio, document(step("one")))
        assert "Nothing to test with yet" in said(admin.get(f"/rmm/workflows/{workflow}/test"))
        answer = begin(admin, workflow)
        assert answer.status_code == 400
        assert "Choose one of the alerts." in said(answer)

    def test_a_workflow_that_is_not_there_is_not_found(self, admin: FlaskClient) -> None:
        assert admin.get(f"/rmm/workflows/{new_id()}/test").status_code == 404


class TestRunning:
    def test_simulated_changes_nothing_and_shows_what_would_be(
        self, studio: Studio, world: World, admin: FlaskClient
    ) -> None:
        words = {"text": {"template": "About {{ alert.external_id }}"}}
        read = step("two", READ, inputs={"text": {"template": "{{ steps.one.output.text }}"}})
        workflow = draft(studio, document(step("one", inputs=words), read))
        answer = begin(admin, workflow, about=alert(world), how="simulated")
        assert answer.status_code == 303
        studio.work()
        text = said(admin.get(answer.location))
        assert "Nothing was changed" in text
        assert "1. One Simulated" in text
        assert "About 524" in text
        assert "2. Two Done" in text
        assert studio.written() == []

    def test_really_does_every_step_of_the_draft(
        self, studio: Studio, world: World, admin: FlaskClient
    ) -> None:
        workflow = draft(studio, document(step("one")))
        answer = begin(admin, workflow, about=alert(world), how="really")
        studio.work()
        text = said(admin.get(answer.location))
        assert "A test that really did every step." in text
        assert "Version The draft" in text
        assert studio.written() == ["one"]

    def test_again_leads_to_the_same_choice(self, studio: Studio, world: World, admin: FlaskClient) -> None:
        about, other = alert(world, 1), alert(world, 2)
        workflow = draft(studio, document(step("one")))
        begin(admin, workflow, about=about)
        studio.work()
        again = admin.get(admin.get(f"/rmm/workflows/runs/{studio.run()['id']}/again").location).text
        assert re.search(rf'value="{about}" checked', again)
        assert not re.search(rf'value="{other}" checked', again)

    def test_a_test_of_what_people_start_is_asked_for_again_from_the_same_place(
        self, studio: Studio, world: World, admin: FlaskClient
    ) -> None:
        alert(world)
        device = str(world.device())
        workflow = draft(studio, document(step("one"), event="MANUAL", subjects=["alert", "device"]))
        begin(admin, workflow, subject="device", about=device)
        studio.work()
        again = admin.get(admin.get(f"/rmm/workflows/runs/{studio.run()['id']}/again").location).text
        assert re.search(rf'value="{device}" checked', again)

    def test_what_is_gone_meanwhile_is_said(self, studio: Studio, admin: FlaskClient) -> None:
        workflow = draft(studio, document(step("one")))
        for about in (str(new_id()), "x"):
            answer = begin(admin, workflow, about=about)
            assert answer.status_code == 400
            assert "not here any more" in said(answer)
        assert studio.runs() == []

    def test_another_tenants_alert_is_none(self, studio: Studio, world: World) -> None:
        about = alert(world)
        with world.unit() as session:
            assert past_events.payload(world.rmm, session, "another", "RMM_ALERT_TRIGGERED", about) is None
            assert past_events.choices(world.rmm, session, "another", "RMM_ALERT_TRIGGERED") == []
            assert past_events.choices(world.rmm, session, world.tenant, "RMM_ALERT_TRIGGERED") != []


class TestPayloads:
    """Every event a workflow can wait for has choices, and a payload that its contract takes."""

    @pytest.mark.parametrize("signal", sorted(CATALOGUE))
    def test_each_event_says_what_the_real_one_says(self, studio: Studio, world: World, signal: str) -> None:
        event = CATALOGUE[signal].name
        world.device()
        alert(world)
        world.do("UPDATE rmm_alerts SET acknowledged_at = now(), resolved_at = now(), resolved_by = 'Ada'")
        world.do("UPDATE rmm_devices SET deleted_at = now()")
        runs(world)
        with world.unit() as session:
            found = past_events.choices(world.rmm, session, world.tenant, event)
            assert found, event
            for one in found:
                said = past_events.payload(world.rmm, session, world.tenant, event, one.subject_id)
                assert said is not None, one
                check(signal, said)


def runs(world: World) -> None:
    """A sync that went well and one that did not."""
    for status in ("succeeded", "failed"):
        world.do(
            "INSERT INTO rmm_job_runs (tenant_id, id, kind, queue, integration_id, subject, status, attempt,"
            " due_at, queued_at, cancel_requested, done_count, counts, cursor, errors)"
            " VALUES (:t, :id, 'device_sync', 'rmm-sync', :i, '{}', :status, 1, now(), now(), false, 0,"
            " '{\"processed\": 3}', '{}', '[]')",
            t=world.tenant,
            id=new_id(),
            i=world.integration_id,
            status=status,
        )
