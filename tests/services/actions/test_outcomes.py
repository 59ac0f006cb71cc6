"""What errors and delays make of an action: what may have happened, what surely did not, what only reads."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.actions import ErrorCode, Outcome
from rmm_extension.domain.errors import HostUnavailable, ProviderError
from rmm_extension.models import Integration, ScriptRow, new_id
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import actions, runs, schedule
from rmm_extension.services.actions import registry
from rmm_extension.services.actions.outcomes import outcome_of
from simulators.tacticalrmm.misbehaviour import Fault
from tests.services.actions.conftest import PING, REBOOT, Scene
from tests.services.ingest.meanwhile import in_thread
from tests.services.working import work


@pytest.mark.parametrize(
    "action, arrived, state",
    [(REBOOT, True, "unknown"), (REBOOT, False, "failed"), (PING, True, "failed"), (PING, False, "failed")],
)
def test_only_a_change_that_may_have_arrived_is_unknown(
    scene: Scene, action: str, arrived: bool, state: str
) -> None:
    error = ProviderError("It broke.")
    error.may_have_arrived = arrived
    outcome = outcome_of(error, registry.get(scene.world.rmm, action))
    assert (outcome.state, outcome.error_code) == (state, ErrorCode.VENDOR_ERROR)
    assert ("look at the device" in outcome.message) == (state == "unknown")


def make_old(scene: Scene, invocation_id: Any) -> None:
    """As if it had been asked for three hours ago."""
    scene.world.do("UPDATE rmm_action_invocations SET created_at = created_at - interval '3 hours'")
    scene.world.do("UPDATE rmm_job_runs SET queued_at = queued_at - interval '3 hours'")


def test_what_only_reads_is_never_too_late(scene: Scene) -> None:
    invocation_id = scene.ask(PING)
    make_old(scene, invocation_id)
    assert scene.work(invocation_id) == "succeeded"
    assert scene.row(invocation_id)["state"] == "succeeded"


def test_a_vendor_that_throttles_for_hours_is_given_up(scene: Scene) -> None:
    scene.lab.misbehaviours.add(Fault(mode="throttled", prefix="/agents/"))
    invocation_id = scene.ask(PING)
    assert scene.work(invocation_id) == "rescheduled"
    make_old(scene, invocation_id)
    assert scene.work(invocation_id) == "succeeded"
    row = scene.row(invocation_id)
    assert (row["state"], row["error_code"]) == ("failed", "RATE_LIMITED")


def test_a_host_that_is_busy_once_gets_the_note_all_the_same(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, refused = type(scene.world.rmm.host.tickets), list[bool]()
    add_note = port.add_note  # type: ignore[union-attr]

    def busy_once(*args: Any, **more: Any) -> None:
        if not refused:
            refused.append(True)
            raise HostUnavailable("The PSA is busy.")
        add_note(*args, **more)

    ticket_id = scene.ticket()
    invocation_id = scene.ask(REBOOT, ticket_id=ticket_id)
    monkeypatch.setattr(port, "add_note", busy_once)
    scene.work(invocation_id)
    assert refused
    assert scene.row(invocation_id)["state"] == "requested"
    assert len([note for note in scene.world.notes(ticket_id) if note.startswith("Reboot on")]) == 1
    assert scene.sent() == ["rebootnow"]


def test_two_connections_have_a_library_each(scene: Scene) -> None:
    place = {"tenant_id": scene.world.tenant, "integration_id": new_id()}
    words = dict.fromkeys(("description", "category", "shell"), "")
    connection = Integration(
        tenant_id=place["tenant_id"],
        id=place["integration_id"],
        provider="tacticalrmm",
        name="Other",
        state="connected",
        instance_url="http://127.0.0.1:1",
    )
    with scene.world.unit() as session:
        session.add(connection)
        session.flush()
        session.add(ScriptRow(**place, external_id="99", name="Theirs", **words, run_as_user=False,
                              favorite=False))  # fmt: skip
        actions.refresh_scripts(session, scene.person("admin"), scene.world.integration_id)
    assert work(scene.world, "script_list") == [{"scripts": 6, "removed": 0}]
    assert scene.world.one("SELECT count(*) FROM rmm_scripts WHERE name = 'Theirs'") == 1


def test_a_vendor_that_throttles_has_used_up_no_try(scene: Scene) -> None:
    """However often it was away before."""
    url = scene.world.one("SELECT instance_url FROM rmm_integrations")
    scene.world.do("UPDATE rmm_integrations SET instance_url = 'http://127.0.0.1:1'")
    invocation_id = scene.ask(REBOOT)
    assert [scene.work(invocation_id) for _ in range(3)] == ["rescheduled"] * 3
    scene.world.do("UPDATE rmm_integrations SET instance_url = :url", url=url)
    scene.lab.misbehaviours.add(Fault(mode="throttled", prefix="/agents/", count=1))
    assert scene.work(invocation_id) == "rescheduled"
    assert scene.work(invocation_id) == "succeeded"
    assert scene.sent() == ["rebootnow"]


def test_a_run_that_is_cancelled_after_its_action_was_begun_leaves_it_unknown(scene: Scene) -> None:
    """As when the database went away while the worker put off what it had begun."""
    invocation_id = scene.ask(REBOOT)
    scene.die(invocation_id)
    run_id = scene.row(invocation_id)["run_id"]
    scene.world.do("UPDATE rmm_job_runs SET status = 'queued' WHERE id = :id", id=run_id)
    with scene.world.unit() as session:
        runs.cancel(scene.world.rmm, session, scene.person(), run_id)
    row = scene.row(invocation_id)
    assert (row["state"], row["error_code"], row["sealed_input"]) == ("unknown", "INTERNAL_ERROR", None)
    assert "look at the device" in row["message"]
    assert row["finished_at"] is not None


def give_up(scene: Scene) -> None:
    """What the tick does with runs that nobody should take any more."""
    with scene.world.app.app_context():
        for run in schedule.hopeless(scene.world.rmm):
            schedule.give_up(scene.world.rmm, run)


def test_a_worker_killed_in_a_cancelled_run_leaves_its_action_unknown_and_says_so(scene: Scene) -> None:
    ticket_id = scene.ticket()
    invocation_id = scene.ask(REBOOT, ticket_id=ticket_id)
    scene.die(invocation_id)
    with scene.world.unit() as session:
        runs.cancel(scene.world.rmm, session, scene.person(), scene.row(invocation_id)["run_id"])
    assert scene.row(invocation_id)["state"] == "running"
    give_up(scene)
    row = scene.row(invocation_id)
    assert (row["state"], scene.run_of(invocation_id)["status"]) == ("unknown", "cancelled")
    assert "look at the device" in scene.world.notes(ticket_id)[-1]
    (told,) = scene.world.rows("SELECT changes FROM rmm_audit WHERE action = 'action.finished'")
    assert told["changes"]["state"] == "unknown"


def test_a_worker_killed_in_a_cancelled_run_before_the_mark_leaves_its_action_called_off(
    scene: Scene,
) -> None:
    invocation_id = scene.ask(REBOOT)
    scene.die(invocation_id)
    scene.world.do("UPDATE rmm_action_invocations SET state = 'queued', started_at = NULL")
    with scene.world.unit() as session:
        runs.cancel(scene.world.rmm, session, scene.person(), scene.row(invocation_id)["run_id"])
    give_up(scene)
    assert scene.row(invocation_id)["state"] == "cancelled"
    assert not scene.sent()


def test_what_a_vendor_surely_did_not_do_is_called_off_with_its_run(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    invocation_id, ask = scene.ask(REBOOT), TacticalRmm.perform_action

    def cancel() -> None:
        with scene.world.unit() as session:
            runs.cancel(scene.world.rmm, session, scene.person(), scene.row(invocation_id)["run_id"])

    def meanwhile(self: TacticalRmm, *args: Any) -> Outcome:
        in_thread(cancel)
        return ask(self, *args)

    monkeypatch.setattr(TacticalRmm, "perform_action", meanwhile)
    scene.lab.misbehaviours.add(Fault(mode="throttled", prefix="/agents/", count=1))
    assert scene.work(invocation_id) == "cancelled"
    assert (scene.row(invocation_id)["state"], scene.sent()) == ("cancelled", [])
    assert scene.row(invocation_id)["message"] == "It was called off before it began."
