"""Scripts and built-in actions against the simulator: what is sent, and what proves how it ended."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from rmm_extension.domain.actions import ActionState, ErrorCode
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.ninjaone import NinjaOne
from rmm_extension.providers.ninjaone.contracts import JobActivity
from rmm_extension.providers.ninjaone.results import SEVERAL, Sought, ending
from tests.harness.ninjaone import Ninja
from tests.harness.ninjaone import ninja as ninja
from tests.providers.conftest import LOOPBACK
from tests.providers.ninjaone.accounts import ninjaone, says, signed_in

from .acting import (
    ASKED,
    DISK_CHECK,
    DONE,
    FAILED,
    OFFERED,
    OPTIONS,
    RUN,
    Do,
    asked,
    connection_to,
    machine,
    perform,
    target,
)
from .acting import do as do
from .acting import looks_at_once as looks_at_once


def test_a_script_of_the_library_is_handed_over(ninja: Ninja, do: Do) -> None:
    outcome = do(RUN, script_id="12", parameters="-Deep", run_as="SR_LOCAL_ADMINISTRATOR")
    assert (outcome.state, outcome.message[:28]) == (ASKED, "NinjaOne took “Clean up disk")
    assert asked(ninja) == [
        {
            "action": "script",
            "parameters": "-Deep",
            "run_as": "SR_LOCAL_ADMINISTRATOR",
            "script": 12,
            "name": "Clean up disk",
        }
    ]


def test_a_built_in_action_is_run_by_its_uid(ninja: Ninja, do: Do) -> None:
    assert do(RUN, action_uid=DISK_CHECK.upper()).state is ASKED
    assert do(RUN, type="ACTION", action_uid=DISK_CHECK, run_as="7").state is ASKED
    assert [one["script"] for one in asked(ninja)] == [DISK_CHECK, DISK_CHECK]


@pytest.mark.parametrize(
    "given, code, word",
    [
        ({"script_id": 99}, ErrorCode.NOT_FOUND, "does not offer this script"),
        ({"script_id": 13}, ErrorCode.NOT_FOUND, "another system"),  # for Linux and macOS
        ({"script_id": 14}, ErrorCode.NOT_FOUND, "switched off"),
        ({"action_uid": DISK_CHECK[:-1] + "9"}, ErrorCode.NOT_FOUND, "built-in action"),
        ({"script_id": 11, "run_as": "root"}, ErrorCode.VALIDATION_ERROR, "Known are: system"),
    ],
)
def test_what_cannot_be_run_there_is_not_sent(
    ninja: Ninja, do: Do, given: dict[str, Any], code: ErrorCode, word: str
) -> None:
    outcome = do(RUN, **given)
    assert (outcome.state, outcome.error_code) == (FAILED, code)
    assert word in outcome.message
    assert asked(ninja) == []


@pytest.mark.parametrize(
    "result, state, code",
    [
        ("SUCCESS", DONE, None),
        ("FAILURE", FAILED, ErrorCode.SCRIPT_FAILED),
        ("UNSUPPORTED", FAILED, ErrorCode.SCRIPT_FAILED),
        ("UNCOMPLETED", FAILED, ErrorCode.SCRIPT_FAILED),
    ],
)
def test_its_end_is_told_by_the_activities(
    ninja: Ninja, do: Do, result: str, state: ActionState, code: ErrorCode | None
) -> None:
    ninja.lab.settings.change(job_result=result, job_output="line of the script")
    outcome = do(RUN, script_id=11, wait_for_result=True)
    assert (outcome.state, outcome.error_code) == (state, code)
    assert outcome.output is not None
    assert outcome.output["result"] == result
    assert "line of the script" in outcome.output["output"]


def test_one_that_goes_on_is_only_asked_for(ninja: Ninja, do: Do) -> None:
    ninja.lab.settings.change(jobs="manual")
    outcome = do(RUN, script_id=11, wait_for_result=True)
    assert outcome.state is ASKED
    assert "did not say how it ended" in outcome.message


def test_an_earlier_run_of_the_same_script_is_not_taken_for_it(ninja: Ninja, do: Do) -> None:
    ninja.lab.settings.change(job_result="FAILURE")
    do(RUN, script_id=11)
    ninja.lab.settings.change(jobs="manual", job_result="SUCCESS")
    assert do(RUN, script_id=11, wait_for_result=True).state is ASKED


def test_activities_that_cannot_be_read_leave_it_asked_for(ninja: Ninja, do: Do) -> None:
    device = machine(ninja)
    ninja.fault("server_error", prefix=f"/v2/device/{device.id}/activities", after=1)
    outcome = do(RUN, script_id=11, wait_for_result=True)
    assert outcome.state is ASKED
    assert "could not be read" in outcome.message
    assert len(asked(ninja)) == 1


def row(number: int, code: str, series: str = "s", **more: Any) -> JobActivity:
    given = {"activity_type": "ACTION", "source_name": "Clean up disk"}
    return JobActivity(id=number, status_code=code, series_uid=series, **{**given, **more})


SOUGHT = Sought("7", "Clean up disk", 10)


@pytest.mark.parametrize(
    "rows, found",
    [
        ([], None),
        ([row(11, "START_REQUESTED")], None),
        ([row(11, "STARTED"), row(12, "COMPLETED")], 12),
        ([row(11, "START_REQUESTED"), row(12, "CANCELLED")], 12),
        ([row(12, "COMPLETED"), row(11, "STARTED")], 12),  # newest first
        # It began before us: it is not ours.
        ([row(9, "STARTED"), row(12, "COMPLETED")], None),
        ([row(12, "COMPLETED")], None),
        # Another script, another job of ours, a condition of that name.
        ([row(11, "STARTED", source_name="Reboot"), row(12, "COMPLETED", source_name="Reboot")], None),
        (
            [
                row(11, "STARTED", activity_type="CONDITION"),
                row(12, "COMPLETED", activity_type="CONDITION"),
            ],
            None,
        ),
        ([row(11, "STARTED"), row(12, "COMPLETED", "other")], None),
        # Two at once: nobody can say which is ours.
        ([row(11, "STARTED"), row(12, "STARTED", "other"), row(13, "COMPLETED")], SEVERAL),
        ([row(11, "STARTED", series=None), row(12, "COMPLETED", series=None)], None),  # type: ignore[arg-type]
        ([row(11, "started"), row(12, "completed")], None),
        (
            [
                row(11, "STARTED", source_name=None, subject="CLEAN UP DISK"),
                row(12, "COMPLETED", source_name="x", subject="Clean up disk"),
            ],
            12,
        ),
    ],
)
def test_only_the_one_run_that_began_behind_the_request_is_ours(
    rows: list[JobActivity], found: int | str | None
) -> None:
    ended = ending(rows, SOUGHT)
    assert (ended.id if isinstance(ended, JobActivity) else ended) == found


def test_a_built_in_action_is_known_by_its_uid_whatever_it_is_called() -> None:
    sought = Sought("7", "Clean up disk", 10, action_uid=DISK_CHECK)
    rows = [row(one, code, source_name="?", source_config_uid=DISK_CHECK.upper()) for one, code in _STEPS]
    ended = ending(rows, sought)
    assert isinstance(ended, JobActivity)
    assert ended.id == 12


_STEPS = ((11, "STARTED"), (12, "COMPLETED"))


@responses.activate
@pytest.mark.parametrize(
    "last, state",
    [
        ({"statusCode": "COMPLETED"}, ASKED),  # it does not say how
        ({"statusCode": "COMPLETED", "activityResult": "NEW_WORD"}, FAILED),
        ({"statusCode": "CANCELLED"}, FAILED),
        ({"statusCode": "BLOCKED"}, FAILED),
    ],
)
def test_only_a_success_is_one(last: dict[str, Any], state: ActionState) -> None:
    says("/v2/device/7/scripting/options", OFFERED)
    says("/v2/device/7/activities", {"lastActivityId": 999, "activities": [{"id": 10}]})
    says("/v2/device/7/script/run", "", method="POST")
    job = {"activityType": "ACTION", "seriesUid": "s", "sourceName": "Restart spooler"}
    rows = [{**job, "id": 12, **last}, {**job, "id": 11, "statusCode": "STARTED"}]
    says("/v2/device/7/activities", {"lastActivityId": 999, "activities": rows})
    given = {"script_id": 11, "wait_for_result": True}
    assert perform(ninjaone(), signed_in(), RUN, target(7), given).state is state


def test_scripts_and_roles_are_listed_without_secrets(ninja: Ninja, do: Do) -> None:
    outcome = do(OPTIONS)
    assert outcome.state is DONE
    assert outcome.output is not None
    assert {one["name"] for one in outcome.output["scripts"]} >= {"Run disk check", "Clean up disk"}
    assert "Collect logs" not in outcome.output["output"]
    assert outcome.output["run_as"] == ["system", "SR_LOCAL_ADMINISTRATOR", "loggedonuser", "7"]
    assert f"Run disk check  {DISK_CHECK}" in outcome.output["output"]
    assert "7 (Domain admin)" in outcome.output["output"]


@responses.activate
@pytest.mark.parametrize("body", [{}, {"scripts": None, "credentials": None}, {"scripts": [{}, {"id": " "}]}])
def test_empty_options_are_no_trouble(body: dict[str, Any]) -> None:
    says("/v2/device/7/scripting/options", body)
    outcome = perform(ninjaone(), signed_in(), OPTIONS, target(7), {})
    assert outcome.output is not None
    assert (outcome.state, outcome.output["count"]) == (DONE, 0)


def test_the_library_without_what_is_switched_off(ninja: Ninja) -> None:
    provider = NinjaOne(Runtime(allowed_networks=LOOPBACK, base_urls={}))
    found = {one.external_id: one for one in provider.scripts(connection_to(ninja))}
    assert sorted(found) == ["11", "12", "13"]
    assert found["13"].platforms == ("linux", "darwin")
    assert found["11"].platforms == ("windows",)
    assert found["13"].shell == "sh"


@responses.activate
def test_odd_rows_of_the_library() -> None:
    says(
        "/v2/automation/scripts",
        [
            {"id": 1, "name": None, "operatingSystems": ["Windows", "macOS", "Linux", "Windows"]},
            {
                "id": 2,
                "name": "B",
                "operatingSystems": ["Amiga", "Windows"],
                "scriptParameters": ["-p SECRET"],
            },
            {"id": 2, "name": "B again"},
            {"name": "without an id"},
            {"id": "4", "name": "D", "active": False},
            {"id": "5", "name": "E", "active": None, "operatingSystems": None},
        ],
    )
    found = ninjaone().scripts(signed_in())
    assert [(one.external_id, one.name, one.platforms) for one in found] == [
        ("1", "Script 1", ("windows", "darwin", "linux")),
        ("2", "B again", ()),
        ("5", "E", ()),
    ]
