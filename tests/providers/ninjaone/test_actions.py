"""NinjaOne's actions against the simulator: reboots, maintenance, devices and alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rmm_extension.domain.actions import ErrorCode, LocalAlert
from rmm_extension.domain.errors import NotFound
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.ninjaone import NinjaOne
from tests.harness.ninjaone import Ninja
from tests.harness.ninjaone import ninja as ninja
from tests.providers.conftest import LOOPBACK

from .acting import (
    ASKED,
    DONE,
    END,
    FAILED,
    FIND,
    GET,
    LIST,
    OPTIONS,
    REBOOT,
    RESET,
    RUN,
    SET,
    SYNC,
    Do,
    Ours,
    asked,
    connection_to,
    machine,
    target,
)
from .acting import do as do


def test_a_reboot_is_handed_over_in_its_mode_and_with_its_reason(ninja: Ninja, do: Do) -> None:
    assert do(REBOOT).state is ASKED
    outcome = do(REBOOT, mode="FORCED", reason="Patches")
    assert outcome.state is ASKED
    assert "activities" in outcome.message
    assert [(one["mode"], one["reason"]) for one in asked(ninja)] == [("NORMAL", None), ("FORCED", "Patches")]


def test_an_offline_device_is_told(ninja: Ninja, do: Do) -> None:
    outcome = do(REBOOT, on=target(machine(ninja, offline=True).id, status="offline"))
    assert outcome.state is ASKED
    assert "SRV-1 was offline when last looked at" in outcome.message


def test_maintenance_is_set_and_ended(ninja: Ninja, do: Do) -> None:
    device = machine(ninja)
    before = ninja.lab.clock.timestamp()
    outcome = do(SET, minutes=30, reason="Disk swap", patching=True)
    assert outcome.state is DONE
    held = device.maintenance
    assert held is not None
    assert (held.features, held.reason) == (["ALERTS", "PATCHING"], "Disk swap")
    assert 29 * 60 < held.end - before < 31 * 60
    assert do(END).state is DONE
    assert device.maintenance is None
    assert do(END).state is DONE  # none to end


def test_a_window_s_maintenance_keeps_alerts_back_and_nothing_else(ninja: Ninja) -> None:
    provider = NinjaOne(Runtime(allowed_networks=LOOPBACK, base_urls={}))
    device = machine(ninja)
    until = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    connection = connection_to(ninja)
    for _ in range(2):  # safe to repeat
        provider.set_maintenance(connection, str(device.id), until=until, reason="Patch night " * 40)
    held = device.maintenance
    assert held is not None
    assert (held.features, held.end, len(held.reason)) == (["ALERTS"], until.timestamp(), 255)
    provider.end_maintenance(connection, str(device.id))
    provider.end_maintenance(connection, "999999")
    with pytest.raises(NotFound):
        provider.set_maintenance(connection, "999999", until=until, reason="x")


def test_a_sign_in_without_management_may_not_act_and_is_told_the_scope(ninja: Ninja, do: Do) -> None:
    for action, given in ((REBOOT, {}), (RUN, {"script_id": 11}), (SET, {}), (OPTIONS, {})):
        outcome = do(action, readonly=True, **given)
        assert (outcome.state, outcome.error_code) == (FAILED, ErrorCode.PERMISSION_DENIED)
        assert "Management" in outcome.message
    assert asked(ninja) == []


def test_a_sync_is_our_own(do: Do) -> None:
    ours = Ours(devices=[target(7, asset_id="a")])
    outcome = do(SYNC, on=target(7), ours=ours)
    assert outcome.output == {"synced": True, "external_device_id": "7", "asset_id": "a"}
    assert do(SYNC, on=target(8), ours=ours).error_code is ErrorCode.NOT_FOUND
    assert ours.synced == ["7", "8"]


def test_devices_are_found_here_and_there(ninja: Ninja, do: Do) -> None:
    device = machine(ninja)
    ours = Ours(devices=[target(device.id, name="HERE", asset_id="a1", status="offline")])

    def found(**given: Any) -> list[dict[str, Any]]:
        outcome = do(FIND, ours=ours, **given)
        assert outcome.output is not None
        devices: list[dict[str, Any]] = outcome.output["devices"]
        return devices

    (local,) = found(asset_id="a1")
    assert (local["source"], local["display_name"], local["agent_online"]) == ("local", "HERE", False)
    (live,) = found(asset_id="a1", live=True)
    assert (live["source"], live["external_device_id"], live["asset_id"]) == (
        "ninjaone",
        str(device.id),
        "a1",
    )
    assert live["agent_online"] is True
    assert live["node_class"] == "WINDOWS_WORKSTATION"
    assert found(device_id=device.id, live=True) == [live]
    assert found(device_id=999999, live=True) == []
    assert found(asset_id="other", live=True) == []
    assert len(found(live=True, limit=3)) == 3
    searched = found(query=live["hostname"], live=True)
    assert live["external_device_id"] in [one["external_device_id"] for one in searched]


NOW = datetime(2026, 11, 21, tzinfo=UTC)


def here(uid: str, **more: Any) -> LocalAlert:
    given = {"alert_id": "ours", "status": "acknowledged", "severity": "major", "acknowledged_at": NOW}
    return LocalAlert(external_id=uid, triggered_at=NOW, updated_at=NOW, **{**given, **more})


def test_alerts_are_listed_here_and_there(ninja: Ninja, do: Do) -> None:
    ninja.control("conditions/trigger", device_id=machine(ninja).id)
    (alert,) = ninja.lab.active_alerts()
    known = here(alert.uid, raw={"priority": "HIGH"}, asset_id="a1")
    outcome = do(LIST, ours=Ours(alerts=[known]))
    assert outcome.output is not None
    assert [(one["external_alert_id"], one["priority"]) for one in outcome.output["alerts"]] == [
        (alert.uid, "HIGH")
    ]
    outcome = do(LIST, live=True, ours=Ours(alerts=[known]))
    assert outcome.output is not None
    (live,) = outcome.output["alerts"]
    assert (live["alert_id"], live["status"], live["acknowledged"]) == ("ours", "acknowledged", True)
    outcome = do(LIST, live=True)
    assert outcome.output is not None
    (live,) = outcome.output["alerts"]
    assert (live["alert_id"], live["status"], live["acknowledged"]) == (None, "active", False)
    assert live["device_id"] == str(machine(ninja).id)


def test_one_alert_by_either_name(do: Do) -> None:
    ours = Ours(alerts=[here("u1")])
    for given in ({"alert_uid": "u1"}, {"external_alert_id": "u1"}):
        outcome = do(GET, ours=ours, **given)
        assert outcome.output is not None
        assert outcome.output["alert"]["alert_id"] == "ours"
    assert do(GET, ours=ours, alert_uid="u2").error_code is ErrorCode.NOT_FOUND


def test_a_reset_is_asked_of_ninjaone_first_and_then_taken_in(ninja: Ninja, do: Do) -> None:
    ninja.control("conditions/trigger", device_id=machine(ninja).id)
    (alert,) = ninja.lab.active_alerts()
    ours = Ours(alerts=[here(alert.uid)])
    ninja.fault("forbidden", prefix="/v2/alert", count=1)
    outcome = do(RESET, ours=ours, alert_uid=alert.uid)
    assert (outcome.error_code, ours.reset) == (ErrorCode.PERMISSION_DENIED, [])
    outcome = do(RESET, ours=ours, alert_uid=alert.uid)
    assert outcome.output == {"acknowledged": True, "alert_id": "ours"}
    assert (ninja.lab.active_alerts(), ours.reset) == ([], [alert.uid])
    # Gone there already: it is over all the same. Not known here: nothing is ended here.
    again = do(RESET, alert_uid=alert.uid)
    assert again.output == {"acknowledged": True, "alert_id": None}
