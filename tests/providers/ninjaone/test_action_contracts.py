"""What NinjaOne's actions take, who may ask for them, and what a person is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.contracts.actions import (
    form_fields,
    load_input,
    runs_without_script,
    script_field,
)
from rmm_extension.domain.errors import Invalid
from tests.harness.ninjaone import ninja as ninja

from .acting import (
    DISK_CHECK,
    END,
    FIND,
    GET,
    LIST,
    REBOOT,
    RESET,
    RUN,
    SET,
    SPECS,
)


@pytest.mark.parametrize(
    "action, given, wrong",
    [
        (RUN, {}, "action_uid"),
        (RUN, {"type": "SCRIPT"}, "script_id"),
        (RUN, {"type": "ACTION"}, "action_uid"),
        (RUN, {"type": "ACTION", "script_id": 3}, "action_uid"),
        (RUN, {"type": "SCRIPT", "action_uid": DISK_CHECK}, "script_id"),
        (RUN, {"script_id": 3, "action_uid": DISK_CHECK}, "action_uid"),
        (RUN, {"type": "OTHER", "script_id": 3}, "type"),
        (RUN, {"action_uid": "no uid"}, "action_uid"),
        (RUN, {"script_id": 0}, "script_id"),
        (RUN, {"script_id": 3, "runAs": "x"}, "runAs"),
        (REBOOT, {"mode": "HARD"}, "mode"),
        (SET, {"minutes": 0}, "minutes"),
        (SET, {"alerts": False}, "alerts"),
        (FIND, {"limit": 201}, "limit"),
        (FIND, {"device_id": 0}, "device_id"),
        (GET, {}, "alert_uid"),
        (GET, {"alert_uid": "a", "external_alert_id": "b"}, "alert_uid"),
        (LIST, {"limit": 0}, "limit"),
    ],
)
def test_inputs_that_are_refused(action: str, given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        load_input(SPECS[action], given)
    assert wrong in refused.value.errors


def test_who_may_do_what() -> None:
    rights = {spec.id.removeprefix("ninjaone."): spec.permission for spec in SPECS.values()}
    assert rights == {
        "devices.find": "rmm.view",
        "devices.sync": "rmm.sync",
        "devices.reboot": "rmm.execute",
        "devices.scripting_options": "rmm.execute",
        "devices.run_script": "rmm.execute",
        "devices.set_maintenance": "rmm.execute",
        "devices.end_maintenance": "rmm.execute",
        "alerts.list_active": "rmm.view",
        "alerts.get": "rmm.view",
        "alerts.reset": "rmm.alerts.manage",
    }
    changing = {spec.id for spec in SPECS.values() if spec.side_effects}
    assert all((spec.confirmation is not None) is spec.side_effects for spec in SPECS.values())
    assert all(one.label for spec in SPECS.values() for one in form_fields(spec.input))
    # A sync changes nothing at the vendor, and may be begun again.
    assert changing == {REBOOT, RUN, SET, END, RESET}


def test_what_a_person_is_asked_for_with_a_script_and_without() -> None:
    fields = {one.name: one for one in form_fields(SPECS[RUN].input)}
    assert "type" not in fields
    assert script_field(SPECS[RUN]) == "script_id"
    assert fields["action_uid"].instead_of_script
    assert runs_without_script(SPECS[RUN])
