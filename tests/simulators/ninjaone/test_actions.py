"""Scripts, reboots, links and maintenance windows of the simulated NinjaOne."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests

UID = "5a5f5c5e-0001-4000-8000-000000000001"


@pytest.fixture
def machine(ninja):
    return ninja.lab.device(node_class="WINDOWS_WORKSTATION", offline=False, approval="APPROVED").id


def _steps(ninja, machine):
    rows = ninja.get(f"/v2/device/{machine}/activities?activityType=ACTION").json()["activities"]
    return [(row["statusCode"], row.get("activityResult")) for row in rows][::-1]


def _run(ninja, machine, **body):
    return ninja.call("POST", f"/v2/device/{machine}/script/run", json=body)


@pytest.mark.parametrize("body", [{"type": "SCRIPT", "id": 12}, {"type": "ACTION", "uid": UID}])
def test_a_script_runs_and_its_steps_are_told(ninja, machine, body):
    reply = _run(ninja, machine, **body, parameters="-Deep", runAs="system")
    assert (reply.status_code, reply.content) == (200, b"")
    assert _steps(ninja, machine) == [("START_REQUESTED", None), ("STARTED", None), ("COMPLETED", "SUCCESS")]
    (asked,) = ninja.ask("actions")
    assert (asked["action"], asked["device_id"], asked["parameters"]) == ("script", machine, "-Deep")
    rows = ninja.get(f"/v2/device/{machine}/activities?activityType=ACTION").json()["activities"]
    assert len({row["seriesUid"] for row in rows}) == 1
    assert rows[0]["data"]["message"]["params"]["output"] == "script stdout line\n"


@pytest.mark.parametrize("result", ["FAILURE", "UNSUPPORTED", "UNCOMPLETED"])
def test_a_completed_job_can_have_failed(ninja, machine, result):
    ninja.control("settings", job_result=result)
    _run(ninja, machine, type="SCRIPT", id=11)
    assert _steps(ninja, machine)[-1] == ("COMPLETED", result)


def test_a_job_goes_on_when_told_to(ninja, machine):
    ninja.control("settings", jobs="manual")
    _run(ninja, machine, type="SCRIPT", id=11)
    (job,) = ninja.get("/v2/jobs").json()
    assert (job["jobStatus"], job["deviceId"]) == ("START_REQUESTED", machine)
    ninja.control(f"jobs/{job['uid']}/advance", status="IN_PROCESS")
    assert [one["jobStatus"] for one in ninja.get(f"/v2/device/{machine}/jobs").json()] == ["IN_PROCESS"]
    ninja.control(f"jobs/{job['uid']}/advance", result="FAILURE", output="disk is full")
    assert ninja.get("/v2/jobs").json() == []
    assert _steps(ninja, machine)[-1] == ("COMPLETED", "FAILURE")


def test_nothing_runs_on_a_device_that_is_offline(ninja, machine):
    ninja.control(f"devices/{machine}/offline")
    assert _run(ninja, machine, type="SCRIPT", id=11).status_code == 200
    assert _steps(ninja, machine) == [("START_REQUESTED", None)]


@pytest.mark.parametrize(
    "body, status",
    [
        ({"type": "SCRIPT", "id": 999}, 404),
        ({"type": "SCRIPT", "id": 14}, 404),
        ({"type": "SCRIPT", "uid": UID}, 400),
        ({"type": "OTHER", "id": 11}, 400),
        ({}, 400),
    ],
)
def test_what_cannot_run_is_refused(ninja, machine, body, status):
    assert _run(ninja, machine, **body).status_code == status
    assert _steps(ninja, machine) == []


def test_scripts_are_refused_where_there_is_no_agent(ninja):
    switch = ninja.lab.device(node_class="NMS_SWITCH").id
    assert _run(ninja, switch, type="SCRIPT", id=11).status_code == 400


def test_the_library_and_what_suits_a_device(ninja, machine):
    library = {row["id"]: row for row in ninja.get("/v2/automation/scripts").json()}
    assert library[14]["active"] is False
    assert [one["name"] for one in library[12]["scriptVariables"]] == ["days", "scope", "notify"]
    options = ninja.get(f"/v2/device/{machine}/scripting/options").json()
    assert {one.get("id") for one in options["scripts"] if one["type"] == "SCRIPT"} == {11, 12}
    linux = ninja.lab.device(node_class="LINUX_SERVER").id
    offered = ninja.get(f"/v2/device/{linux}/scripting/options").json()["scripts"]
    assert [one.get("id") for one in offered] == [13]


@pytest.mark.parametrize("mode", ["NORMAL", "FORCED"])
def test_a_reboot(ninja, machine, mode):
    system = ninja.lab.device(id=machine).system
    system.needs_reboot, before = True, system.boot_time
    reply = ninja.call("POST", f"/v2/device/{machine}/reboot/{mode}", json={"reason": "Patches"})
    assert (reply.status_code, reply.content) == (200, b"")
    assert system.boot_time > before
    assert not system.needs_reboot
    newest = ninja.get("/v2/activities?pageSize=10").json()["activities"][0]
    assert newest["statusCode"] == "SYSTEM_REBOOTED"
    (asked,) = ninja.ask("actions")
    assert (asked["mode"], asked["reason"]) == (mode, "Patches")


def test_a_reboot_that_makes_no_sense(ninja, machine):
    assert ninja.call("POST", f"/v2/device/{machine}/reboot/SOFT").status_code == 400
    phone = ninja.lab.device(node_class="ANDROID").id
    assert ninja.call("POST", f"/v2/device/{phone}/reboot/NORMAL").status_code == 400


def test_a_link_lasts_a_while_and_needs_a_device_that_is_there(ninja, machine):
    link = ninja.get(f"/v2/device/{machine}/dashboard-url").json()
    assert str(machine) in link["url"]
    assert link["expires"] > ninja.lab.now()
    assert requests.get(link["url"], timeout=10).headers["Content-Type"].startswith("text/html")
    redirected = ninja.get(f"/v2/device/{machine}/dashboard-url?redirect=true")
    assert (redirected.status_code, redirected.headers["Location"]) == (302, link["url"])
    ninja.control(f"devices/{machine}/offline")
    assert ninja.get(f"/v2/device/{machine}/dashboard-url").status_code == 409


def _milliseconds(hours):
    return int((datetime.now(UTC) + timedelta(hours=hours)).timestamp() * 1000)


@pytest.mark.parametrize("as_text", [True, False])
def test_a_maintenance_window_keeps_alerts_off(ninja, machine, as_text):
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat() if as_text else _milliseconds(1)
    body = {"disabledFeatures": ["ALERTS"], "end": end, "reasonMessage": "Umbau"}
    assert ninja.call("PUT", f"/v2/device/{machine}/maintenance", json=body).status_code == 204
    told = ninja.get(f"/v2/device/{machine}").json()["maintenance"]
    assert (told["status"], told["reasonMessage"]) == ("IN_MAINTENANCE", "Umbau")
    assert ninja.control("conditions/trigger", device_id=machine)["uid"] is None
    ninja.control("time", shift_seconds=3700)
    assert "maintenance" not in ninja.get(f"/v2/device/{machine}").json()
    assert ninja.control("conditions/trigger", device_id=machine)["uid"] is not None


def test_a_window_to_come_and_its_end(ninja, machine):
    body = {"disabledFeatures": ["PATCHING"], "start": _milliseconds(1), "end": _milliseconds(2)}
    assert ninja.call("PUT", f"/v2/device/{machine}/maintenance", json=body).status_code == 204
    assert ninja.get(f"/v2/device/{machine}").json()["maintenance"]["status"] == "PENDING"
    for _ in range(2):
        assert ninja.call("DELETE", f"/v2/device/{machine}/maintenance").status_code == 204
    assert "maintenance" not in ninja.get(f"/v2/device/{machine}").json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"disabledFeatures": []},
        {"disabledFeatures": ["SLEEP"]},
        {"disabledFeatures": ["ALERTS"], "end": "yesterday"},
        {"disabledFeatures": ["ALERTS"], "end": "2020-01-01T00:00:00Z"},
        {"disabledFeatures": ["ALERTS"], "end": 1999999999},
    ],
)
def test_a_window_of_the_wrong_shape_is_refused(ninja, machine, body):
    """Seconds where milliseconds are meant lie in the past."""
    assert ninja.call("PUT", f"/v2/device/{machine}/maintenance", json=body).status_code == 400


def test_a_device_is_changed(ninja, machine):
    body = {"displayName": "Empfang", "userData": {"asset": "A-7"}}
    assert ninja.call("PATCH", f"/v2/device/{machine}", json=body).status_code == 204
    told = ninja.get(f"/v2/device/{machine}").json()
    assert (told["displayName"], told["userData"]) == ("Empfang", {"asset": "A-7"})
