"""The devices that an action may look at: those of its connection that are here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rmm_extension.domain.types import AgentStatus, Connection, Device, DeviceKind
from rmm_extension.models import Integration, new_id, utc_now
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services.actions.context import Context
from tests.harness.twin import TWIN, make_twin
from tests.harness.world import World
from tests.services.working import work


@pytest.fixture
def context(world: World) -> Context:
    """Four devices of the connection, one of them deleted, and one of another connection."""
    other = Integration(tenant_id=world.tenant, id=new_id(), provider="tacticalrmm", name="Other",
                        state="connected", instance_url="http://127.0.0.1:1")  # fmt: skip
    other_id = other.id
    with world.unit() as session:
        session.add(other)
    world.device("a-1", "SRV-1", asset_id="1", serial="XK-100")
    world.device("a-2", "PC_2", facts={"os_type": "Linux", "os_version": "12"})
    world.device("a-3", "PC-3", asset_id="1")
    world.device("a-4", "PC-4", asset_id="1", deleted_at=utc_now())
    world.device("a-5", "PC-5", asset_id="1")
    world.do("UPDATE rmm_devices SET integration_id = :id WHERE external_id = 'a-5'", id=other_id)
    with world.unit() as session:
        make_twin(session, world.tenant)
    world.do("UPDATE rmm_devices SET name = 'PC-9' WHERE tenant_id = :t", t=TWIN)
    place = {"tenant_id": world.tenant, "integration_id": str(world.integration_id)}
    return Context(world.rmm, Connection(**place, provider="tacticalrmm", instance_url=""), world.admin)


@pytest.mark.parametrize(
    "wanted, names",
    [
        ({}, ["PC-3", "PC_2", "SRV-1"]),
        ({"limit": 1}, ["PC-3"]),
        ({"text": "pc"}, ["PC-3", "PC_2"]),
        ({"text": "pc_"}, ["PC_2"]),
        ({"text": "xk-1"}, ["SRV-1"]),
        ({"asset_id": "1"}, ["PC-3", "SRV-1"]),
        ({"external_id": "a-1"}, ["SRV-1"]),
        ({"external_id": "a-4"}, []),
        ({"external_id": "a-5"}, []),
        ({"external_ids": ["a-2", "a-4", "a-5"]}, ["PC_2"]),
        ({"external_ids": []}, []),
        ({"external_id": "a-1", "text": "pc"}, []),
    ],
)
def test_devices_are_found(world: World, context: Context, wanted: dict[str, Any], names: list[str]) -> None:
    with world.app.app_context():
        found = context.find_devices(**wanted)
    assert sorted(one.name for one in found) == names


def test_a_device_as_an_action_is_given_it(world: World, context: Context) -> None:
    with world.app.app_context():
        (found,) = context.find_devices(external_id="a-2")
    assert (found.platform, found.os_name) == ("linux", "Linux 12")


def test_open_alerts_of_the_connection_the_newest_first(world: World, context: Context) -> None:
    world.post(world.body(1, check_id="1", alert_time="2026-11-20 02:00:00+00:00"))
    world.post(world.body(2, check_id="2", alert_time="2026-11-20 03:00:00+00:00"))
    world.post(world.body(3, check_id="3", alert_time="2026-11-20 01:00:00+00:00"))
    world.post(world.resolved(3, check_id="3"))
    with world.app.app_context():
        assert [one.external_id for one in context.find_alerts()] == ["2", "1"]
        assert [one.external_id for one in context.find_alerts(limit=1)] == ["2"]
        assert context.find_alerts(external_id="3") == []
        (over,) = context.find_alerts(external_id="3", open_only=False)
        assert (over.status, over.severity) == ("auto_resolved", "critical")
        world.do("UPDATE rmm_alerts SET tenant_id = :t WHERE external_id = '1'", t=TWIN)
        assert [one.external_id for one in context.find_alerts()] == ["2"]


def test_a_reset_of_the_vendor_s_is_taken_in_once_and_its_echo_changes_nothing(
    world: World, context: Context
) -> None:
    world.post(world.body())
    with world.app.app_context():
        found = context.alert_was_reset("524", "It is reset.")
    assert found is not None
    assert found.status == "auto_resolved"  # by the rule, with its ticket
    ticket = world.alert()["ticket_id"]
    notes = world.notes(ticket)
    later = (utc_now() + timedelta(minutes=1)).isoformat(sep=" ")
    assert world.post(world.resolved(resolved_on=later)).json["outcome"] == "skipped"
    assert world.notes(ticket) == notes
    assert work(world, "alert_reset") == []
    (line,) = world.rows("SELECT * FROM rmm_audit WHERE action = 'alert.vendor_reset'")
    assert (line["actor_name"], line["changes"]) == ("Ada Admin", {"the vendor says": "It is reset."})


def test_a_reset_of_an_alert_that_is_not_known_here_writes_nothing(world: World, context: Context) -> None:
    with world.app.app_context():
        assert context.alert_was_reset("999", "It is reset.") is None
    assert world.one("SELECT count(*) FROM rmm_alerts") == 0


def test_a_device_is_synced_within_the_action(
    world: World, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Device | None] = [
        Device(
            external_id="a-1",
            external_organization_id="1",
            name="SRV-1-RENAMED",
            kind=DeviceKind.SERVER,
            status=AgentStatus.ONLINE,
        ),
        None,
    ]
    monkeypatch.setattr(TacticalRmm, "device", lambda *_: told.pop(0))
    with world.app.app_context():
        found = context.sync_device("a-1")
        assert found is not None
        assert found.name == "SRV-1-RENAMED"
        assert context.sync_device("a-1") is None
    missing = "SELECT missing_since IS NOT NULL FROM rmm_devices WHERE external_id = 'a-1' AND tenant_id = :t"
    assert world.one(missing, t=world.tenant)
