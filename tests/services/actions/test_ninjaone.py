"""NinjaOne's actions and maintenance as workers do them, from the wish to what the simulator holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from reference_psa.models import User
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Severity
from rmm_extension.host import Actor
from rmm_extension.jobs.execute import perform
from rmm_extension.models import DeviceRow, new_id, utc_now
from rmm_extension.services import actions, maintenance, vendor_maintenance
from rmm_extension.services.webhooks import take
from simulators.ninjaone.misbehaviour import Fault
from simulators.ninjaone.models import Device
from tests.harness.ninjaone_connection import NinjaConnection, ninja, server
from tests.harness.world import World
from tests.services.working import queued

__all__ = ["ninja", "server"]


def machines(ninja: NinjaConnection, number: int) -> list[Device]:
    return sorted(ninja.lab.devices(), key=lambda one: not one.node_class.startswith("WINDOWS"))[:number]


def known(ninja: NinjaConnection, device: Device) -> UUID:
    """The device as a sync left it."""
    with ninja.world.unit() as session:
        row = DeviceRow(
            tenant_id=ninja.tenant,
            id=new_id(),
            integration_id=ninja.integration_id,
            external_id=str(device.id),
            external_organization_id="1",
            client_id=ninja.world.client_id,
            name=f"PC-{device.id}",
            kind="workstation",
            status="online",
            facts={"platform": "windows"},
        )
        session.add(row)
        return row.id


def person(world: World, role: str = "admin") -> Actor:
    with world.unit() as session:
        wanted = select(User).where(User.tenant_id == world.tenant, User.role == role)
        found = session.scalars(wanted).first()
        assert found is not None
        return Actor(id=found.id, name=found.name, tenant_id=found.tenant_id)


def done(ninja: NinjaConnection, action: str, device_id: UUID | None = None, **given: Any) -> dict[str, Any]:
    """Ask, work, and the row after that."""
    world = ninja.world
    with world.unit() as session:
        asked = actions.request(
            world.rmm,
            session,
            person(world),
            action,
            integration_id=ninja.integration_id,
            device_id=device_id,
            input=given,
        )
    work(ninja, "device_action")
    (row,) = world.rows("SELECT * FROM rmm_action_invocations WHERE id = :id", id=asked)
    return row


def work(ninja: NinjaConnection, kind: str) -> list[str]:
    return ninja.work(kind)


def counted(ninja: NinjaConnection, method: str) -> int:
    return sum(
        number
        for name, number in ninja.lab.counters.items()
        if name.startswith(f"{method} ") and name.endswith("/maintenance")
    )


def test_from_the_wish_to_the_device(ninja: NinjaConnection) -> None:
    (device,) = machines(ninja, 1)
    device.offline = False
    device_id = known(ninja, device)
    row = done(ninja, "ninjaone.devices.reboot", device_id, mode="FORCED", reason="Patches")
    assert (row["state"], row["output"]["reboot_requested"]) == ("requested", True)
    row = done(ninja, "ninjaone.devices.run_script", device_id, script_id="11")
    assert row["state"] == "requested"
    assert [one["action"] for one in ninja.lab.actions] == ["reboot", "script"]
    device.display_name = "RENAMED"
    ninja.map(str(device.organization_id), ninja.world.client_id)
    row = done(ninja, "ninjaone.devices.sync", device_id)
    assert (row["state"], row["message"]) == ("succeeded", "RENAMED is as NinjaOne describes it now.")
    assert ninja.world.one("SELECT name FROM rmm_devices WHERE id = :id", id=device_id) == "RENAMED"


@pytest.mark.parametrize(
    "mode, state, code",
    [
        ("forbidden", "failed", "PERMISSION_DENIED"),
        ("server_error", "unknown", "VENDOR_ERROR"),
        ("dashboard_html", "unknown", "VENDOR_ERROR"),
        ("cut_body", "requested", None),  # the answer to a reboot has no body to be cut
    ],
)
def test_what_goes_wrong_is_told_as_it_is(
    ninja: NinjaConnection, mode: str, state: str, code: str | None
) -> None:
    (device,) = machines(ninja, 1)
    ninja.lab.misbehaviours.add(Fault(mode=mode, prefix=f"/v2/device/{device.id}/reboot"))
    row = done(ninja, "ninjaone.devices.reboot", known(ninja, device))
    assert (row["state"], row["error_code"]) == (state, code)


def test_a_vendor_that_asks_for_patience_is_asked_again_later(ninja: NinjaConnection) -> None:
    (device,) = machines(ninja, 1)
    ninja.lab.misbehaviours.add(Fault(mode="throttled", prefix=f"/v2/device/{device.id}/reboot", count=1))
    row = done(ninja, "ninjaone.devices.reboot", known(ninja, device))
    assert row["state"] == "queued"
    ninja.world.do("UPDATE rmm_job_runs SET due_at = now()")
    assert work(ninja, "device_action") == ["succeeded"]
    assert [one["action"] for one in ninja.lab.actions] == ["reboot"]


def test_a_reset_ends_the_alert_here_and_its_echo_changes_nothing(ninja: NinjaConnection) -> None:
    (device,) = machines(ninja, 1)
    known(ninja, device)
    ninja.lab.settings.change(deliveries="manual")
    alert = _trigger(ninja, device)
    event = AlertEvent(
        kind=AlertKind.TRIGGERED,
        external_id=alert,
        occurred_at=utc_now() - timedelta(minutes=2),
        severity=Severity.MAJOR,
        external_device_id=str(device.id),
        condition="c",
    )
    world = ninja.world
    with world.app.app_context():
        take(world.rmm, world.tenant, ninja.integration_id, event, Channel.POLL)
    row = done(ninja, "ninjaone.alerts.reset", alert_uid=alert)
    assert row["state"] == "succeeded"
    assert ninja.lab.active_alerts() == []
    assert row["output"]["acknowledged"] is True
    (stored,) = world.rows("SELECT * FROM rmm_alerts WHERE external_id = :id", id=alert)
    assert (str(stored["id"]), stored["status"]) == (row["output"]["alert_id"], "resolved")
    echo = AlertEvent(kind=AlertKind.RESET, external_id=alert, occurred_at=utc_now() + timedelta(seconds=5))
    with world.app.app_context():
        again = take(world.rmm, world.tenant, ninja.integration_id, echo, Channel.WEBHOOK)
    assert again.outcome == "skipped"
    assert queued(world, "alert_reset") == []
    resets = [name for name in ninja.lab.counters if name.endswith("/reset")]
    assert sum(ninja.lab.counters[name] for name in resets) == 1


def _trigger(ninja: NinjaConnection, device: Device) -> str:
    with ninja.lab.lock:
        from simulators.ninjaone.conditions import trigger

        return trigger(ninja.lab, device).uid


def window(ninja: NinjaConnection, **more: Any) -> UUID:
    now = utc_now()
    given = {
        "name": "Patch night",
        "atVendor": True,
        "integrationId": str(ninja.integration_id),
        "startsAt": (now - timedelta(minutes=1)).isoformat(),
        "endsAt": (now + timedelta(hours=2)).isoformat(),
        **more,
    }
    world = ninja.world
    with world.unit() as session:
        return maintenance.create(world.rmm, session, ninja.actor, given).id


def tick(ninja: NinjaConnection) -> None:
    with ninja.world.app.app_context():
        vendor_maintenance.follow_windows(ninja.world.rmm)


def test_a_window_is_told_once_and_taken_back_once(ninja: NinjaConnection) -> None:
    devices = machines(ninja, 4)
    for device in devices:
        known(ninja, device)
    found = window(ninja)
    for _ in range(3):
        tick(ninja)
        work(ninja, "vendor_maintenance")
    assert (counted(ninja, "PUT"), counted(ninja, "DELETE")) == (4, 0)
    assert all(one.maintenance and one.maintenance.features == ["ALERTS"] for one in devices)
    end = ninja.world.one("SELECT ends_at FROM rmm_maintenance_windows WHERE id = :id", id=found)
    assert {one.maintenance.end for one in devices if one.maintenance} == {round(end.timestamp(), 3)}
    with ninja.world.unit() as session:
        maintenance.end_now(session, ninja.actor, found)
    for _ in range(3):
        tick(ninja)
        work(ninja, "vendor_maintenance")
    assert (counted(ninja, "PUT"), counted(ninja, "DELETE")) == (4, 4)
    assert all(one.maintenance is None for one in devices)


def test_patience_and_devices_that_are_gone(ninja: NinjaConnection) -> None:
    one, gone, other = machines(ninja, 3)
    for device in (one, gone, other):
        known(ninja, device)
    ninja.lab.fleet.devices.pop(gone.id)
    ninja.lab.misbehaviours.add(Fault(mode="throttled", prefix=f"/v2/device/{one.id}/maintenance", count=1))
    window(ninja)
    tick(ninja)
    assert work(ninja, "vendor_maintenance") == ["rescheduled"]
    ninja.world.do("UPDATE rmm_job_runs SET due_at = now()")
    assert work(ninja, "vendor_maintenance") == ["succeeded"]
    assert one.maintenance is not None
    assert other.maintenance is not None
    states = ninja.world.rows("SELECT state, error FROM rmm_vendor_maintenance ORDER BY state")
    assert [row["state"] for row in states] == ["failed", "set", "set"]
    assert "does not know this object" in states[0]["error"]


def test_one_attempt_after_another_goes_on(ninja: NinjaConnection) -> None:
    """The worker that took the run over does what was left, and nothing of it is lost."""
    for device in machines(ninja, 3):
        known(ninja, device)
    window(ninja)
    tick(ninja)
    (run_id,) = queued(ninja.world, "vendor_maintenance")
    ninja.lab.misbehaviours.add(Fault(mode="server_error", prefix="/v2/device", after=1, count=1))
    world = ninja.world
    with world.app.app_context():
        assert perform(world.rmm, world.tenant, run_id, 0) == "rescheduled"
    world.do("UPDATE rmm_job_runs SET due_at = now()")
    world.do("UPDATE rmm_vendor_maintenance SET due_at = now() WHERE due_at IS NOT NULL")
    with world.app.app_context():
        assert perform(world.rmm, world.tenant, run_id, 1) == "succeeded"
    row = world.rows("SELECT counts, done_count FROM rmm_job_runs WHERE id = :id", id=run_id)[0]
    assert row["counts"]["set"] == 3
