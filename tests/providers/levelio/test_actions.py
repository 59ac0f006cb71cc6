"""The actions of Level, on a simulated account."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rmm_extension.domain.actions import ActionState, ErrorCode, LocalAlert, Order, Outcome, Target
from rmm_extension.domain.contracts.actions import check_output, load_input
from rmm_extension.domain.errors import Invalid, ProviderError
from rmm_extension.domain.types import Connection
from rmm_extension.providers import http
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.levelio import Level as LevelProvider
from rmm_extension.providers.levelio import action_specs
from rmm_extension.services.actions.outcomes import outcome_of
from tests.harness.levelio import Level
from tests.harness.levelio import level as level
from tests.providers.conftest import LOOPBACK
from tests.providers.ours import Ours, target

SPECS = {spec.id.removeprefix("levelio."): spec for spec in action_specs.MODULE.actions}
Do = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


def provider(level: Level) -> LevelProvider:
    networks, urls = LOOPBACK, {"levelio": level.url}
    return LevelProvider(Runtime(networks, urls, connect_timeout=2, read_timeout=5))


def account(level: Level, key: str | None = None) -> Connection:
    return Connection(
        tenant_id="t",
        integration_id="1",
        provider="levelio",
        instance_url="",
        secrets={"api_key": key or level.key},
    )


@pytest.fixture
def do(level: Level) -> Do:
    """Does an action as a worker does it: checked input, an error judged, a checked output."""

    def run(
        action: str, on: Target | None = None, ours: Ours | None = None, key: str | None = None, **given: Any
    ) -> Outcome:
        spec = SPECS[action]
        order = Order(action=spec.id, input=load_input(spec, given), target=on)
        try:
            outcome = provider(level).perform_action(account(level, key), order, ours or Ours())
        except ProviderError as error:
            return outcome_of(error, spec)
        if outcome.output is not None:
            check_output(spec, outcome.output)
        return outcome

    return run


def output(outcome: Outcome) -> dict[str, Any]:
    assert outcome.output is not None, outcome
    return outcome.output


def machine(level: Level) -> Any:
    return next(one for one in level.lab.devices() if one.group_id and one.online)


def startable(level: Level) -> Any:
    """A webhook that anybody may call who has its token, and the name of its automation."""
    return next(one for one in level.lab.triggers if not one.requires_authorization)


class TestAutomations:
    def test_they_are_listed_without_their_tokens(self, level: Level, do: Do) -> None:
        found = output(do("automations.list", limit=200))
        assert found["count"] == len(level.lab.automations)
        having = {one["automation_id"] for one in found["automations"] if one["has_webhook"]}
        assert having == {one.automation_id for one in level.lab.triggers}
        assert not any(one.token in json.dumps(found) for one in level.lab.triggers)

    def test_they_are_found_by_a_part_of_the_name(self, level: Level, do: Do) -> None:
        name = next(iter(level.lab.automations.values())).name
        found = output(do("automations.list", query=name[1:].upper()))
        assert [one["name"] for one in found["automations"]] == [name]

    def test_the_library_has_those_that_can_be_started(self, level: Level) -> None:
        found = provider(level).scripts(account(level))
        assert {one.external_id for one in found} == {one.automation_id for one in level.lab.triggers}
        assert not any(one.token in repr(found) for one in level.lab.triggers)

    @pytest.mark.parametrize("shape", [{}, {"trigger_list": "array"}, {"trigger_token": "token"}])
    def test_one_is_started_by_its_id(
        self, level: Level, do: Do, shape: dict[str, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        level.lab.settings.change(**shape)
        trigger, device = startable(level), machine(level)
        with caplog.at_level(logging.DEBUG):
            done = do(
                "automations.trigger", target(device.id, name="SRV-1"), automation_id=trigger.automation_id
            )
        name = level.lab.automations[trigger.automation_id].name
        assert done.state is ActionState.REQUESTED
        assert done.message == (
            f"Level took “{name}” on for SRV-1. Level tells no run id: see the automation's runs in Level."
        )
        assert output(done) == {
            "triggered": True,
            "automation_id": trigger.automation_id,
            "automation_name": name,
            "device_id": device.id,
            "run_id": None,
            "vendor_response": None,
        }
        (run,) = level.lab.runs.values()
        assert (run.automation_id, run.device_id) == (trigger.automation_id, device.id)
        assert trigger.token not in caplog.text + repr(done)
        assert "/automations/webhooks/•••" in caplog.text

    def test_the_webhook_is_asked_for_each_time(self, level: Level, do: Do) -> None:
        trigger, on = startable(level), target(machine(level).id)
        do("automations.trigger", on, automation_id=trigger.automation_id)
        trigger.token = "regenerated-meanwhile"
        assert (
            do("automations.trigger", on, automation_id=trigger.automation_id).state is ActionState.REQUESTED
        )
        assert len(level.lab.runs) == 2

    def test_an_offline_device_is_said_to_be_so(self, level: Level, do: Do) -> None:
        on = target(machine(level).id, status="offline")
        done = do("automations.trigger", on, automation_id=startable(level).automation_id)
        assert "was offline when last looked at" in done.message

    def test_what_is_not_there_is_not_started(self, level: Level, do: Do) -> None:
        on = target(machine(level).id)
        with_webhook = {one.automation_id for one in level.lab.triggers}
        without = next((key for key in level.lab.automations if key not in with_webhook), None)
        for wanted in filter(None, ("no-such-automation", without)):
            done = do("automations.trigger", on, automation_id=wanted)
            assert (done.state, done.error_code) == (ActionState.FAILED, ErrorCode.NOT_FOUND)
        assert not level.lab.runs

    @pytest.mark.parametrize(
        "mode, state, code",
        [
            ("unauthorized", ActionState.FAILED, ErrorCode.INTEGRATION_MISCONFIGURED),
            ("forbidden", ActionState.FAILED, ErrorCode.PERMISSION_DENIED),
            ("server_error", ActionState.UNKNOWN, ErrorCode.VENDOR_ERROR),
            ("dashboard_html", ActionState.UNKNOWN, ErrorCode.VENDOR_ERROR),
        ],
    )
    def test_what_the_start_is_answered_decides(
        self, level: Level, do: Do, mode: str, state: ActionState, code: ErrorCode
    ) -> None:
        trigger = startable(level)
        level.fault(mode, prefix=f"/v2/automations/webhooks/{trigger.token}")
        done = do("automations.trigger", target(machine(level).id), automation_id=trigger.automation_id)
        assert done.state is state, done
        assert trigger.token not in repr(done)
        posts = [one for one in level.paths("/v2") if one.startswith("POST")]
        assert len(posts) == 1

    def test_an_error_before_the_start_leaves_nothing_behind(self, level: Level, do: Do) -> None:
        level.fault("server_error", prefix="/v2/automations/webhooks")
        done = do("automations.trigger", target(machine(level).id), automation_id="x")
        assert done.state is ActionState.FAILED
        assert not [one for one in level.paths("/v2") if one.startswith("POST")]

    def test_a_run_is_told_by_its_id(self, level: Level, do: Do) -> None:
        trigger, device = startable(level), machine(level)
        do("automations.trigger", target(device.id), automation_id=trigger.automation_id)
        (run,) = level.lab.runs.values()
        told = output(do("automations.run_status", run_id=run.id))
        assert (told["run"]["run_id"], told["run"]["device_id"], told["steps"]) == (run.id, device.id, None)
        assert told["run"]["status"] == "success"
        assert output(do("automations.run_status", run_id=run.id, include_steps=True))["steps"]
        assert do("automations.run_status", run_id="nobody").error_code is ErrorCode.NOT_FOUND

    def test_a_token_is_nobodys_input(self) -> None:
        with pytest.raises(Invalid):
            load_input(SPECS["automations.trigger"], {"automation_id": "a", "webhook_token": "t"})


class TestDevices:
    def test_live_ones_are_found_by_id_name_and_group(self, level: Level, do: Do) -> None:
        device = machine(level)
        (found,) = output(do("devices.find", device_id=device.id, live=True))["devices"]
        assert (found["device_id"], found["hostname"], found["online"]) == (device.id, device.hostname, True)
        assert (found["group_id"], found["source"]) == (device.group_id, "levelio")
        by_name = output(do("devices.find", query=device.hostname.lower(), live=True))["devices"]
        assert device.id in [one["device_id"] for one in by_name]
        by_group = output(do("devices.find", group_id=device.group_id, live=True))["devices"]
        assert {one["group_id"] for one in by_group} == {device.group_id}
        assert output(do("devices.find", live=True, limit=3))["count"] == 3
        assert output(do("devices.find", live=True, device_id="nobody"))["count"] == 0

    def test_live_ones_bear_the_asset_that_is_known(self, level: Level, do: Do) -> None:
        known = target(machine(level).id, asset_id="A7")
        (found,) = output(do("devices.find", ours=Ours([known]), asset_id="A7", live=True))["devices"]
        assert (found["device_id"], found["asset_id"]) == (known.external_id, "A7")
        assert output(do("devices.find", ours=Ours(), asset_id="A8", live=True))["count"] == 0

    def test_known_ones_are_listed_without_asking(self, level: Level, do: Do) -> None:
        ours = Ours([target("a"), target("b", external_organization_id="null", status="unknown")])
        first, second = output(do("devices.find", ours=ours))["devices"]
        assert (first["device_id"], first["group_id"], first["online"]) == ("a", "1", True)
        assert (second["group_id"], second["online"], second["source"]) == (None, None, "local")
        in_group = output(do("devices.find", ours=ours, group_id="1"))["devices"]
        assert [one["device_id"] for one in in_group] == ["a"]
        assert level.paths("/v2") == []

    def test_one_is_read_as_it_is_now(self, level: Level, do: Do) -> None:
        device = machine(level)
        assert output(do("devices.get", target(device.id)))["device"]["hostname"] == device.hostname
        assert do("devices.get", target("nobody")).error_code is ErrorCode.NOT_FOUND


class TestAlerts:
    def test_live_ones_come_newest_first(self, level: Level, do: Do) -> None:
        one, other, *_ = level.lab.devices()
        first, second = level.raise_alert(one.id), level.raise_alert(other.id, name="CPU high")
        found = output(do("alerts.list_active", live=True))["alerts"]
        assert {entry["alert_id"] for entry in found} == {first, second}
        assert [entry["started_at"] for entry in found] == sorted(
            (entry["started_at"] for entry in found), reverse=True
        )
        (mine,) = output(do("alerts.list_active", live=True, device_id=other.id))["alerts"]
        assert (mine["alert_id"], mine["name"], mine["is_resolved"]) == (second, "CPU high", False)

    def test_known_ones_are_listed_without_asking(self, level: Level, do: Do) -> None:
        moment = datetime(2026, 11, 21, tzinfo=UTC)
        known = [
            LocalAlert(
                alert_id=f"ours-{number}",
                external_id=f"al_{number}",
                external_device_id=f"d{number}",
                status="active",
                severity="major",
                triggered_at=moment,
                updated_at=moment,
                raw={"name": "Disk", "severity": "critical"} if number else {},
            )
            for number in range(2)
        ]
        found = output(do("alerts.list_active", ours=Ours(alerts=known)))["alerts"]
        assert [(one["alert_id"], one["severity"]) for one in found] == [
            ("al_0", "major"),
            ("al_1", "critical"),
        ]
        (mine,) = output(do("alerts.list_active", ours=Ours(alerts=known), device_id="d1"))["alerts"]
        assert mine["name"] == "Disk"
        assert level.paths("/v2") == []

    def test_one_is_resolved_there_and_then_here(self, level: Level, do: Do) -> None:
        ours, alert = Ours(), level.raise_alert(machine(level).id)
        assert output(do("alerts.resolve", ours=ours, alert_id=alert)) == {
            "resolved": True,
            "alert_id": alert,
        }
        assert ours.reset == [alert]
        assert level.lab.alerts[alert].resolved is not None

    def test_a_key_that_only_reads_resolves_nothing(self, level: Level, do: Do) -> None:
        ours, alert = Ours(), level.raise_alert(machine(level).id)
        done = do("alerts.resolve", ours=ours, key=level.readonly_key, alert_id=alert)
        assert (done.error_code, ours.reset) == (ErrorCode.PERMISSION_DENIED, [])
        assert "read and write" in done.message


class TestUpdates:
    def test_they_are_listed_as_level_tells_them(self, level: Level, do: Do) -> None:
        found = output(do("updates.list", status="available", limit=3))
        assert found["count"] == 3
        assert all(one["is_available"] for one in found["updates"])
        assert level.paths("/v2") == ["GET /v2/updates"]
        device = found["updates"][0]["device_id"]
        mine = output(do("updates.list", device_id=device, limit=500))["updates"]
        assert {one["device_id"] for one in mine} == {device}
