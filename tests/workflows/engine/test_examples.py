"""What a simulated step hands on fits the contract of its action, whatever the action."""

from __future__ import annotations

from uuid import UUID

import pytest

from rmm_extension.domain.contracts.actions import ActionSpec, check_output
from rmm_extension.domain.contracts.workflows import WorkflowSchema
from rmm_extension.services.context import Rmm
from rmm_extension.workflows import catalog, examples, starting
from tests.harness.world import World
from tests.workflows.engine.studio import document, step
from tests.workflows.engine.vendor import PING, REBOOT, Vendor

ONLINE = "RMM_DEVICE_ONLINE"


def specs(rmm: Rmm) -> list[ActionSpec]:
    return [spec for entry in catalog.entries(rmm) for spec in entry.module.actions]


def test_an_example_of_every_action_is_what_it_promises(world: World) -> None:
    known = specs(world.rmm)
    assert len(known) > 30
    for spec in known:
        check_output(spec, examples.of(spec.output))


def start_test(vendor: Vendor, workflow: UUID, simulated: bool) -> UUID:
    device, actor, rmm = str(vendor.scene.device_id), vendor.studio.person(), vendor.world.rmm
    with vendor.world.unit() as session:
        return starting.start_test(rmm, session, actor, workflow, ONLINE, device, simulated, "k")


@pytest.mark.parametrize("simulated", [True, False])
def test_a_simulated_test_asks_what_only_reads_and_changes_nothing(vendor: Vendor, simulated: bool) -> None:
    studio = vendor.studio
    made = document(
        step("ping", PING, onError="continue"), step("reboot", REBOOT), step("note"), event=ONLINE
    )
    workflow = studio.publish(made)
    run_id = start_test(vendor, workflow, simulated)
    studio.work()
    assert studio.run(run_id)["state"] == "succeeded"
    done = ["succeeded", "simulated", "simulated"] if simulated else ["succeeded", "requested", "succeeded"]
    assert studio.states(run_id) == done
    assert ("rebootnow" in vendor.sent()) is not simulated
    assert bool(studio.written()) is not simulated


def test_a_simulated_step_of_a_vendor_is_checked_as_a_real_one(vendor: Vendor) -> None:
    studio = vendor.studio
    workflow = studio.publish(document(step("reboot", REBOOT), event=ONLINE))
    studio.world.do("UPDATE rmm_integrations SET state = 'paused'")
    run_id = start_test(vendor, workflow, True)
    studio.work()
    assert studio.steps(run_id)[0]["error_code"] == "INTEGRATION_INACTIVE"


def test_an_example_has_examples_of_its_parts() -> None:
    found = examples.of(WorkflowSchema)
    assert found["steps"][0]["id"] == "example"
    assert found["trigger"]["oncePerMinutes"] == 1
