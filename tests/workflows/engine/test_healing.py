"""What the tick finds: runs whose job, or whose vendor's action, is gone; and what the cleaning removes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rmm_extension.models import utc_now
from rmm_extension.services import schedule
from rmm_extension.services.retention.steps import STEPS
from rmm_extension.workflows import healing
from tests.services.working import relay_all
from tests.workflows.engine.studio import Studio, document, step
from tests.workflows.engine.vendor import REBOOT, Vendor


def heal(studio: Studio) -> int:
    with studio.world.app.app_context():
        return healing.heal(studio.world.rmm)


def test_a_run_whose_job_is_gone_gets_another(studio: Studio) -> None:
    studio.publish(document(step("one")))
    studio.tell()
    relay_all(studio.world)
    assert heal(studio) == 0
    studio.world.do("DELETE FROM rmm_job_runs")
    assert heal(studio) == 1
    assert heal(studio) == 0
    studio.work()
    assert studio.run()["state"] == "succeeded"


def test_a_job_that_kills_its_worker_each_time_is_given_up_and_blocks_nobody(studio: Studio) -> None:
    studio.publish(document(step("one", onError="continue"), step("two")))
    studio.tell()
    relay_all(studio.world)
    studio.world.do(
        "UPDATE rmm_job_runs SET status = 'running', attempt = 4, heartbeat_at = now() - interval '1 hour'"
    )
    with studio.world.app.app_context():
        (lost,) = schedule.hopeless(studio.world.rmm)
        schedule.give_up(studio.world.rmm, lost)
    studio.work()
    assert (studio.run()["state"], studio.states()) == ("succeeded", ["failed", "succeeded"])
    assert "ended in the middle of this work" in studio.steps()[0]["message"]
    assert studio.written() == ["two"]


def test_an_action_whose_word_got_lost_is_found(vendor: Vendor) -> None:
    vendor.studio.publish(document(step("reboot", REBOOT), step("note")))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    vendor.do_next("device_action")
    vendor.world.do("DELETE FROM rmm_outbox")
    assert heal(vendor.studio) == 0
    vendor.world.do("UPDATE rmm_action_invocations SET finished_at = now() - interval '3 minutes'")
    assert heal(vendor.studio) == 1
    vendor.studio.work()
    assert (vendor.studio.run()["state"], vendor.sent()) == ("succeeded", ["rebootnow"])


def test_a_connection_that_is_taken_away_leaves_the_decision_to_a_person(vendor: Vendor) -> None:
    vendor.studio.publish(document(step("reboot", REBOOT), step("note")))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    vendor.world.do("DELETE FROM rmm_integrations")
    assert heal(vendor.studio) == 1
    run = vendor.studio.run()
    assert (run["state"], run["error_code"]) == ("unknown", "INTEGRATION_INACTIVE")
    vendor.studio.decide(run["id"], "happened")
    vendor.studio.work()
    assert vendor.studio.written() == ["note"]


@pytest.mark.parametrize("state, kept", [("succeeded", False), ("failed", False), ("cancelled", False),
                                         ("queued", True), ("waiting", True), ("unknown", True)])  # fmt: skip
def test_the_nightly_cleaning_removes_what_is_over(studio: Studio, state: str, kept: bool) -> None:
    studio.publish(document(step("one")))
    studio.tell()
    studio.work()
    studio.world.do(
        "UPDATE rmm_workflow_runs SET state = :state, queued_at = now() - interval '9 days',"
        " finished_at = CASE WHEN :over THEN now() - interval '8 days' END",
        state=state,
        over=not kept,
    )
    clean(studio)
    assert bool(studio.runs()) == bool(studio.steps()) == kept


def test_drafts_that_were_tested_go_with_their_runs(studio: Studio) -> None:
    workflow = studio.publish(document(step("one")))
    studio.world.do(
        "INSERT INTO rmm_workflow_versions (tenant_id, id, workflow_id, number, document, created_at,"
        " created_by) SELECT tenant_id, gen_random_uuid(), workflow_id, 0, document, age, '' FROM"
        " rmm_workflow_versions, (VALUES (now()), (now() - interval '9 days')) AS ages(age)"
    )
    clean(studio)
    found = studio.world.rows("SELECT number FROM rmm_workflow_versions WHERE workflow_id = :id", id=workflow)
    assert sorted(one["number"] for one in found) == [0, 1]


def clean(studio: Studio) -> None:
    """Remove what was over a week ago."""
    cutoff = utc_now() - timedelta(days=7)
    with studio.world.unit() as session:
        for one in STEPS:
            if one.name in ("workflow_runs", "workflow_drafts"):
                one.remove(studio.world.rmm, session, studio.world.tenant, cutoff, None)


def test_a_run_that_cannot_be_mended_keeps_back_no_other(vendor: Vendor) -> None:
    """What one run does cannot be read any more, and its action is gone; another one waits for its place."""
    first = vendor.studio.publish(document(step("reboot", REBOOT)))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    vendor.world.do("UPDATE rmm_workflows SET state = 'paused' WHERE id = :id", id=first)
    vendor.studio.publish(document(step("two")), name="Waiting")
    vendor.tell()
    vendor.relay()
    poisoned, waiting = vendor.studio.runs()
    vendor.world.do("DELETE FROM rmm_job_runs")
    vendor.world.do("UPDATE rmm_workflow_runs SET state = 'queued' WHERE id = :id", id=waiting["id"])
    vendor.world.do("DELETE FROM rmm_integrations")
    vendor.world.do("UPDATE rmm_workflow_versions SET document = '{}' WHERE document::text LIKE '%reboot%'")
    heal(vendor.studio)
    vendor.studio.work()
    assert vendor.studio.run(waiting["id"])["state"] == "succeeded"
    poisoned = vendor.studio.run(poisoned["id"])
    assert (poisoned["state"], poisoned["error_code"]) == ("failed", "INTERNAL_ERROR")
    assert "cannot be read any more" in poisoned["message"]
    assert heal(vendor.studio) == 0
