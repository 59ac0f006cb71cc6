"""Steps that ask a vendor: through which connection, on which device, and what comes of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from rmm_extension.domain.actions import Outcome
from rmm_extension.models import Integration, new_id
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import outbox
from simulators.tacticalrmm.lab import ScriptOutput
from tests.services.ingest.meanwhile import in_thread
from tests.workflows.engine.studio import document, step
from tests.workflows.engine.vendor import REBOOT, SCRIPT, Vendor

DISK = {"script_id": {"value": 3}}


def test_a_run_waits_for_the_vendor_and_goes_on_with_what_it_said(vendor: Vendor) -> None:
    vendor.scene.lab.script_output = ScriptOutput("12 % free\n", "", 0)
    vendor.studio.publish(document(
        step("disk", SCRIPT, inputs=DISK),
        step("note", inputs={"text": {"template": "{{ steps.disk.output.output }}"}}),
    ))  # fmt: skip
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    assert (vendor.studio.run()["state"], vendor.studio.states()) == ("waiting", ["running"])
    action = vendor.action()
    assert action["workflow_run_id"] == vendor.studio.run()["id"]
    assert (action["state"], action["actor_name"]) == ("queued", vendor.studio.person().name)
    vendor.studio.work()
    assert vendor.studio.run()["state"] == "succeeded"
    first = vendor.studio.steps()[0]
    assert (first["state"], first["output"]["exit_code"]) == ("succeeded", 0)
    assert (first["device_id"], first["integration_id"]) == (
        vendor.scene.device_id,
        vendor.world.integration_id,
    )
    assert vendor.studio.written() == ["12 % free"]


@pytest.mark.parametrize("device", [None, "{{ device.id }}", "{{ trigger.externalDeviceId }}"])
def test_the_device_is_the_events_or_the_one_named(vendor: Vendor, device: str | None) -> None:
    more = {"device": {"template": device}} if device else {}
    vendor.studio.publish(document(step("reboot", REBOOT, **more)))
    vendor.tell()
    vendor.studio.work()
    assert vendor.sent() == ["rebootnow"]


def connect(vendor: Vendor, provider: str, name: str) -> UUID:
    """Another connection that works."""
    world, made = vendor.world, new_id()
    with world.unit() as session:
        session.add(
            Integration(tenant_id=world.tenant, id=made, provider=provider, name=name, state="connected")
        )
    return made


def test_a_device_of_another_vendor_stands_for_its_assets_device_here(vendor: Vendor) -> None:
    """One asset, two vendors: the alert is of one, the action of the other."""
    world, other = vendor.world, connect(vendor, "huntress", "H")
    theirs = world.device("h1", "PC-1")
    asset = world.one("SELECT id FROM assets WHERE tenant_id = :t LIMIT 1", t=world.tenant)
    world.do("UPDATE rmm_devices SET integration_id = :other WHERE id = :id", other=other, id=theirs)
    world.do("UPDATE rmm_devices SET asset_id = :asset", asset=asset)
    vendor.studio.publish(document(step("reboot", REBOOT)))
    vendor.studio.tell(integrationId=str(other), provider="huntress", externalDeviceId="h1")
    vendor.studio.work()
    assert vendor.studio.run()["device_id"] == theirs
    assert vendor.sent() == ["rebootnow"]
    assert vendor.studio.steps()[0]["device_id"] == vendor.scene.device_id


@pytest.mark.parametrize("state", ["paused", "needs_reauth", "not_connected"])
@pytest.mark.parametrize("named", [True, False])
def test_a_connection_that_does_not_work_fails_the_step_in_words(
    vendor: Vendor, state: str, named: bool
) -> None:
    more = {"connection": str(vendor.world.integration_id)} if named else {}
    vendor.studio.publish(document(step("reboot", REBOOT, onError="continue", **more), step("note")))
    vendor.world.do("UPDATE rmm_integrations SET state = :state", state=state)
    vendor.tell()
    vendor.studio.work()
    first = vendor.studio.steps()[0]
    assert (first["state"], first["error_code"]) == ("failed", "INTEGRATION_INACTIVE")
    assert "Settings › Integrations" in first["message"]
    assert not vendor.scene.lab.requests
    assert vendor.studio.written() == ["note"]


def test_without_any_connection_the_step_says_where_to_connect(vendor: Vendor) -> None:
    vendor.studio.publish(document(step("find", "levelio.devices.find")))
    vendor.tell()
    vendor.studio.work()
    (row,) = vendor.studio.steps()
    assert row["error_code"] == "INTEGRATION_INACTIVE"
    assert row["message"] == "Level is not connected: connect it under Settings › Integrations."


def test_of_several_connections_one_has_to_be_chosen(vendor: Vendor) -> None:
    for name in ("East", "West"):
        connect(vendor, "levelio", name)
    vendor.studio.publish(document(step("find", "levelio.devices.find")))
    vendor.tell()
    vendor.studio.work()
    (row,) = vendor.studio.steps()
    assert row["error_code"] == "INTEGRATION_MISCONFIGURED"
    assert "“East”, “West”. Choose one in the step." in row["message"]


def test_the_right_is_asked_for_before_any_call_of_the_vendor(vendor: Vendor) -> None:
    vendor.studio.publish(document(step("reboot", REBOOT)), by=vendor.studio.person("dispatcher"))
    vendor.tell()
    vendor.studio.work()
    assert vendor.studio.steps()[0]["error_code"] == "PERMISSION_DENIED"
    assert not vendor.scene.lab.requests


def test_a_right_that_is_taken_away_meanwhile_fails_the_step(vendor: Vendor) -> None:
    vendor.studio.publish(document(step("reboot", REBOOT)))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    vendor.world.do("UPDATE users SET role = 'read_only'")
    vendor.studio.work()
    assert vendor.studio.run()["state"] == "failed"
    assert vendor.studio.steps()[0]["error_code"] == "PERMISSION_DENIED"
    assert not vendor.sent()


def test_inputs_that_do_not_fit_are_told_at_once(vendor: Vendor) -> None:
    given = {"script_id": {"value": 0}, "timeout": {"template": "{{ 9999 }}"}}
    vendor.studio.publish(document(step("disk", SCRIPT, inputs=given)))
    vendor.tell()
    vendor.studio.work()
    (row,) = vendor.studio.steps()
    assert row["error_code"] == "VALIDATION_ERROR"
    assert "script_id" in row["message"]
    assert "timeout" in row["message"]
    assert row["input"] == {"script_id": 0, "timeout": 9999}
    assert vendor.world.one("SELECT count(*) FROM rmm_action_invocations") == 0


def test_a_truth_that_comes_by_itself_takes_the_runs_uncertainty_away(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker was given up for dead while it asked, and comes back with the answer."""
    vendor.studio.publish(document(step("reboot", REBOOT), step("note")))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    ask = TacticalRmm.perform_action

    def slowly(self: TacticalRmm, *args: Any) -> Outcome:
        outcome = ask(self, *args)
        vendor.world.do("UPDATE rmm_job_runs SET heartbeat_at = now() - interval '1 hour'")
        in_thread(lambda: vendor.scene.work(vendor.action()["id"]))
        in_thread(vendor.relay)
        assert vendor.studio.run()["state"] == "unknown"
        return outcome

    monkeypatch.setattr(TacticalRmm, "perform_action", slowly)
    assert vendor.do_next("device_action") == "lease_lost"
    vendor.studio.work()
    assert vendor.studio.run()["state"] == "succeeded"
    assert (vendor.studio.states(), vendor.studio.written()) == (["requested", "succeeded"], ["note"])


@pytest.mark.parametrize("how", ["stop", "cancel"])
def test_a_truth_that_comes_after_the_run_was_stopped_is_that_of_its_step(vendor: Vendor, how: str) -> None:
    """Nobody has said how it was, so the step is not left unknown for ever."""
    vendor.studio.publish(document(step("reboot", REBOOT), step("note")))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    vendor.die()
    vendor.scene.work(vendor.action()["id"])
    vendor.relay()
    run_id = vendor.studio.run()["id"]
    vendor.studio.decide(run_id, "stop") if how == "stop" else vendor.studio.cancel(run_id)
    assert vendor.studio.states() == ["unknown"]
    vendor.world.do("UPDATE rmm_action_invocations SET state = 'requested', message = 'It was taken on.'")
    with vendor.world.unit() as session:
        told = {"invocation_id": str(vendor.action()["id"])}
        outbox.put(session, vendor.world.tenant, "workflow_action_over", told)
    vendor.studio.work()
    (row,) = vendor.studio.steps()
    assert (row["state"], row["message"]) == ("requested", "It was taken on.")
    assert vendor.studio.run()["state"] == "cancelled"


def test_an_answer_that_comes_after_a_decision_is_kept_and_moves_nothing(vendor: Vendor) -> None:
    vendor.studio.publish(document(step("reboot", REBOOT), step("note")))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    vendor.die()
    vendor.scene.work(vendor.action()["id"])
    vendor.relay()
    vendor.studio.decide(vendor.studio.run()["id"], "happened")
    vendor.studio.work()
    action = vendor.action()
    vendor.world.do("UPDATE rmm_action_invocations SET state = 'failed', message = 'It was refused.'")
    with vendor.world.unit() as session:
        told = {"invocation_id": str(action["id"])}
        outbox.put(session, vendor.world.tenant, "workflow_action_over", told)
    vendor.studio.work()
    first = vendor.studio.steps()[0]
    assert first["state"] == "succeeded"
    assert first["message"].endswith("The vendor's answer came later: It was refused.")
    assert vendor.studio.run()["state"] == "succeeded"
