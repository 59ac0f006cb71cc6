"""What people do to a run: cancel it at any point, and decide what nobody knows."""

from __future__ import annotations

import threading

import pytest

from rmm_extension.domain.errors import Conflict, Forbidden
from rmm_extension.host import Actor
from rmm_extension.models import new_id
from rmm_extension.services import runs
from rmm_extension.workflows import decisions, places
from rmm_extension.workflows.rows import UnknownWorkflowRun
from tests.services.working import relay_all
from tests.workflows.engine.studio import Studio, document, step
from tests.workflows.engine.vendor import REBOOT, Vendor


def ask(vendor: Vendor) -> None:
    """A run that waits for the vendor's action, which waits for a worker."""
    vendor.studio.publish(document(step("reboot", REBOOT), step("note")))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")


def test_a_cancelled_run_does_no_further_step(studio: Studio) -> None:
    studio.publish(document(step("one"), step("two")))
    studio.tell()
    relay_all(studio.world)
    studio.do(studio.jobs()[0])
    studio.cancel(studio.run()["id"])
    studio.work()
    run = studio.run()
    assert (run["state"], studio.written(), studio.states()) == ("cancelled", ["one"], ["succeeded"])
    assert run["message"] == f"{studio.person().name} cancelled it."
    audit = studio.world.rows("SELECT * FROM rmm_audit WHERE action = 'workflow.run_cancelled'")
    assert [one["subject_name"] for one in audit] == ["Mend"]
    with pytest.raises(Conflict, match="over already"):
        studio.cancel(run["id"])


def test_a_run_that_waits_for_a_place_is_cancelled_at_once(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOST_UNDER_WAY", 1)
    studio.publish(document(step("one")))
    for _ in range(3):
        studio.tell(integrationId=str(new_id()))
    relay_all(studio.world)
    first, second, third = studio.runs()
    studio.cancel(second["id"])
    studio.cancel(first["id"])
    assert studio.run(third["id"])["state"] == "running"
    studio.work()
    assert [run["state"] for run in studio.runs()] == ["cancelled", "cancelled", "succeeded"]


def test_an_action_that_was_not_begun_is_called_off(vendor: Vendor) -> None:
    ask(vendor)
    vendor.studio.cancel(vendor.studio.run()["id"])
    vendor.studio.work()
    assert (vendor.studio.run()["state"], vendor.studio.states()) == ("cancelled", ["cancelled"])
    assert (vendor.action()["state"], vendor.sent()) == ("cancelled", [])


def test_an_action_that_was_begun_cannot_be_called_back_and_its_end_is_kept(vendor: Vendor) -> None:
    ask(vendor)
    vendor.die()
    vendor.studio.cancel(vendor.studio.run()["id"])
    run = vendor.studio.run()
    assert run["message"].endswith("The vendor was being asked already, which cannot be called back.")
    assert vendor.studio.states() == ["running"]
    vendor.scene.work(vendor.action()["id"])
    vendor.studio.work()
    assert (vendor.studio.run()["state"], vendor.studio.states()) == ("cancelled", ["unknown"])
    assert vendor.studio.written() == []


@pytest.mark.parametrize("on_error, state", [("stop", "cancelled"), ("continue", "succeeded")])
def test_an_action_that_is_called_off_by_itself_ends_its_step(
    vendor: Vendor, on_error: str, state: str
) -> None:
    vendor.studio.publish(document(step("reboot", REBOOT, onError=on_error), step("note")))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    with vendor.world.unit() as session:
        runs.cancel(vendor.world.rmm, session, vendor.studio.person_in(session), vendor.action()["run_id"])
    vendor.studio.work()
    assert (vendor.studio.run()["state"], vendor.studio.states()[0]) == (state, "cancelled")


def test_a_job_that_is_cancelled_ends_its_run(studio: Studio) -> None:
    studio.publish(document(step("one")))
    studio.tell()
    relay_all(studio.world)
    with studio.world.unit() as session:
        runs.cancel(studio.world.rmm, session, studio.person_in(session), studio.jobs()[0]["id"])
    assert studio.run()["state"] == "cancelled"
    assert studio.work() == 0


def test_a_job_that_is_cancelled_ends_its_step_too(vendor: Vendor) -> None:
    """The step had waited for its vendor to have room, and was about to ask."""
    ask(vendor)
    vendor.studio.cancel(vendor.studio.run()["id"])
    first = vendor.studio.run()["id"]
    vendor.tell()
    vendor.relay()
    second = next(one for one in vendor.studio.runs() if one["id"] != first)
    vendor.world.do(
        "INSERT INTO rmm_workflow_invocations (tenant_id, id, run_id, step_id, position, attempt, action,"
        " action_version, state, input, started_at) SELECT tenant_id, gen_random_uuid(), :run, step_id,"
        " position, attempt, action, action_version, 'queued', '{}', now() FROM rmm_workflow_invocations",
        run=second["id"],
    )
    (job,) = vendor.studio.jobs("workflow_step")
    with vendor.world.unit() as session:
        runs.cancel(vendor.world.rmm, session, vendor.studio.person_in(session), job["id"])
    (row,) = vendor.studio.steps(second["id"])
    assert (vendor.studio.run(second["id"])["state"], row["state"]) == ("cancelled", "cancelled")
    assert row["finished_at"] is not None


def test_nothing_is_decided_twice_or_where_nothing_is_unknown(vendor: Vendor) -> None:
    ask(vendor)
    run_id = vendor.studio.run()["id"]
    with pytest.raises(Conflict, match="waits for no decision"):
        vendor.studio.decide(run_id, "again")
    vendor.die()
    vendor.scene.work(vendor.action()["id"])
    vendor.relay()
    errors: list[Exception] = []
    gate = threading.Barrier(2)

    def decide() -> None:
        gate.wait()
        try:
            vendor.studio.decide(run_id, "again")
        except Conflict as error:
            errors.append(error)

    threads = [threading.Thread(target=decide) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    vendor.studio.work()
    assert (len(errors), vendor.sent()) == (1, ["rebootnow"])
    assert [(row["attempt"], row["state"]) for row in vendor.studio.steps()] == [
        (1, "failed"), (2, "requested"), (1, "succeeded"),
    ]  # fmt: skip


def test_nobody_has_done_again_what_they_have_no_right_to(vendor: Vendor) -> None:
    """The run has the rights of whoever published the workflow, and the person who decides has not."""
    ask(vendor)
    vendor.die()
    vendor.scene.work(vendor.action()["id"])
    vendor.relay()
    run_id, other = vendor.studio.run()["id"], vendor.studio.person("read_only")
    with pytest.raises(Forbidden, match="has no right to"), vendor.world.unit() as session:
        decisions.decide(vendor.world.rmm, session, other, run_id, "again")
    vendor.studio.work()
    assert (vendor.studio.run()["state"], vendor.sent()) == ("unknown", [])
    with vendor.world.unit() as session:
        decisions.decide(vendor.world.rmm, session, other, run_id, "stop")
    assert vendor.studio.run()["state"] == "cancelled"


def test_a_run_of_another_tenant_does_not_exist(studio: Studio) -> None:
    studio.publish(document(step("one")))
    studio.tell()
    relay_all(studio.world)
    stranger = Actor(id="x", name="X", tenant_id="another")
    for act in (
        lambda session, run_id: decisions.cancel(studio.world.rmm, session, stranger, run_id),
        lambda session, run_id: decisions.decide(studio.world.rmm, session, stranger, run_id, "stop"),
    ):
        with pytest.raises(UnknownWorkflowRun), studio.world.unit() as session:
            act(session, studio.run()["id"])


def test_a_cancel_and_an_answer_at_once_end_in_one_of_both(vendor: Vendor) -> None:
    """Whoever holds the run first: nothing waits in a ring, and no step is done after the cancel."""
    ask(vendor)
    vendor.do_next("device_action")
    run_id, gate = vendor.studio.run()["id"], threading.Barrier(2)

    def cancel() -> None:
        gate.wait()
        vendor.studio.cancel(run_id)

    def answer() -> None:
        gate.wait()
        vendor.relay()

    threads = [threading.Thread(target=one) for one in (cancel, answer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    vendor.studio.work()
    assert (vendor.studio.run()["state"], vendor.studio.states()) == ("cancelled", ["requested"])
    assert vendor.studio.written() == []
