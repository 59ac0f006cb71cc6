"""A device's page: all that is known of it, what may be done, what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from reference_psa.models import Asset
from rmm_extension.blueprints.vitals import vitals
from rmm_extension.models import ActionInvocation, Audit, DeviceRow, new_id, utc_now
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said
from .vendor import RoutedProvider


def audited(world: World, device: UUID, *actions: str, tenant: str = "one") -> None:
    """Lines of the audit on a device, the last one newest."""
    now = utc_now()
    world.insert(
        Audit,
        [
            {
                "tenant_id": tenant,
                "at": now - timedelta(minutes=len(actions) - at),
                "actor_id": "x",
                "actor_name": "Tom <Tech>",
                "action": action,
                "subject_type": "device",
                "subject_id": str(device),
                "changes": {"kept": True},
            }
            for at, action in enumerate(actions)
        ],
    )


def test_what_happened_with_a_device_newest_first(world: World) -> None:
    connection = world.connect()
    device, other = world.devices(connection, 2)
    audited(world, device, "device.kept", "device.remote_access")
    audited(world, other, "device.not_kept")
    (alert,) = world.alerts(connection, 1, device_id=device, message="<b>Disk</b>")
    world.history(alert, connection, [{"code": "no_window"}])
    (quiet,) = world.alerts(connection, 1, device_id=other, message="Somewhere else")
    world.history(quiet, connection, [{"code": "no_window"}])
    answer = world.client("read_only").get(f"/rmm/devices/{device}")
    page = said(answer)
    activity = page[page.rindex("Activity") :]
    places = [activity.index(words) for words in ("<b>Disk</b>", "Device remote access", "Device kept")]
    assert places == sorted(places)
    assert "Tom <Tech>" in activity
    assert "Device not kept" not in page
    assert "Somewhere else" not in page
    assert "<b>Disk" not in answer.text


def test_an_action_is_one_line_that_leads_to_its_page_for_those_who_may(world: World) -> None:
    connection = world.connect()
    (device,) = world.devices(connection, 1)
    audited(world, device, "action.requested", "action.finished")
    invocation_id = new_id()
    asked = {
        "tenant_id": "one",
        "id": invocation_id,
        "integration_id": connection,
        "device_id": device,
        "action": "tacticalrmm.agents.reboot",
        "state": "failed",
        "message": "SERVER-1 is not connected.",
        "actor_id": "u1",
        "actor_name": "Tom <Tech>",
    }
    world.insert(ActionInvocation, [asked])
    for role, may in (("admin", True), ("read_only", False)):
        answer = world.client(role).get(f"/rmm/devices/{device}")
        activity = said(answer)[said(answer).rindex("Activity") :]
        assert "tacticalrmm.agents.reboot Failed" in activity
        assert "requested" not in activity
        assert ("SERVER-1 is not connected." in activity) is may
        assert (f"/rmm/actions/{invocation_id}" in answer.text) is may


def test_a_refresh_is_shown_while_it_runs_and_in_the_activity_afterwards(world: World) -> None:
    connection = world.connect()
    (device,) = world.devices(connection, 1, external_id="d1")
    browser = world.client("dispatcher")
    assert ">Refresh</button>" in browser.get(f"/rmm/devices/{device}").text
    key = f"device_refresh:{connection}:d1"
    run = {"kind": "device_refresh", "exclusive_key": key, "actor_name": "Tom"}
    world.run(connection, **run, status="queued")
    page = browser.get(f"/rmm/devices/{device}")
    assert "Refreshing this device" in said(page)
    assert 'data-rmm-reload="1"' in page.text
    assert ">Refresh</button>" not in page.text
    world.run(connection, **run, status="succeeded", finished_at=utc_now())
    assert "Device refresh succeeded" in said(browser.get(f"/rmm/devices/{device}"))


def test_refreshing_leads_back_to_the_device(world: World) -> None:
    (device,) = world.devices(world.connect(), 1)
    sent = {"ids": str(device), "back": f"device:{device}"}
    answer = world.client("dispatcher").post("/rmm/devices/refresh", data=sent)
    assert (answer.status_code, answer.location) == (303, f"/rmm/devices/{device}")
    reader = world.client("read_only")
    assert reader.post("/rmm/devices/refresh", data=sent).status_code == 403
    assert ">Refresh</button>" not in reader.get(f"/rmm/devices/{device}").text


@pytest.mark.parametrize(
    "columns, words",
    [
        ({"missing_count": 1, "missing_since": utc_now()}, ["Not in the last list", "may be a slip"]),
        ({"missing_count": 2, "missing_since": utc_now()}, ["Missing at the vendor", "no longer name it"]),
        ({"missing_count": 3, "missing_since": utc_now(), "kept": True}, ["Kept active", "is kept active"]),
        ({"deleted_at": utc_now()}, ["Deleted at the vendor"]),
        ({"last_error": "It has no name."}, ["last sync of this device failed: It has no name."]),
        ({"facts": {"has_pending_patches": True}}, ["Patches pending", "does not say which or how many"]),
        ({"facts": {"has_pending_patches": False}}, ["None pending"]),
        ({"facts": {}}, ["Patches have never been synced on this connection"]),
        ({"facts": {"needs_reboot": True}}, ["needs a reboot", "Reboot Needed"]),
        ({"facts": {"needs_reboot": False}}, ["Reboot Not needed"]),
        ({"facts": {"boot_at": (utc_now() - timedelta(hours=5)).isoformat()}}, ["Running for 5 h"]),
    ],
)
def test_how_it_stands_in_words(world: World, columns: dict[str, Any], words: list[str]) -> None:
    (device,) = world.devices(world.connect(), 1, **columns)
    page = said(world.client().get(f"/rmm/devices/{device}"))
    for one in words:
        assert one in page, one


def test_other_devices_of_its_asset_are_named(world: World) -> None:
    first, second = world.connect("First"), world.connect("Second")
    (mine,) = world.devices(first, 1, asset_id="a1", name="MINE")
    world.devices(second, 1, asset_id="a1", name="TWIN", status="overdue")
    world.devices(second, 1, asset_id="a2", name="STRANGER")
    page = said(world.client().get(f"/rmm/devices/{mine}"))
    assert "On the same asset Overdue TWIN Acme RMM · Second" in page
    assert "STRANGER" not in page


def test_what_a_vendor_writes_strangely_breaks_nothing() -> None:
    odd = {
        "disks": "none",
        "hardware": ["x"],
        "custom_fields": [1],
        "boot_at": "yesterday",
        "memory_gb": "lots",
        "os_version": ["a", "b"],
    }
    found = vitals(
        DeviceRow(facts=odd, status="online", macs=None, serial=None, needs_reboot=None, patches_pending=None)
    )
    assert (found.disks, found.custom) == ([], [])
    assert dict(found.facts)["OS version"] == "a, b"


def test_numbers_of_patches_protection_approval_and_network() -> None:
    told = {
        "os_patches_pending": 2,
        "software_patches_pending": 1,
        "os_patches_failed": 0,
        "antivirus": "at_risk",
        "antivirus_product": "Defender",
        "threats": 4,
        "approval": "pending",
        "hardware": {
            "cpu_cores": 8,
            "storage_gb": 953.87,
            "interfaces": [
                {"name": "Ethernet", "mac": "00:11:22:33:44:55", "ips": ["10.0.0.5"]},
                {"name": "VPN"},
            ],
        },
    }
    found = vitals(
        DeviceRow(
            facts=told, status="online", macs=None, serial=None, needs_reboot=None, patches_pending=True
        )
    )
    facts = dict(found.facts)
    assert facts["Patches"] == found.patches == "3 pending (2 of the system, 1 of software)"
    assert facts["Antivirus"] == "At risk, Defender"
    assert (facts["Active threats"], facts["CPU cores"], facts["Storage (GB)"]) == ("4", "8", "953.87")
    assert found.facts[0] == ("Approval", "Waits for approval at the vendor")
    assert found.network == [("Ethernet", "00:11:22:33:44:55, 10.0.0.5"), ("VPN", "no address")]


def test_what_the_vendor_never_tells_is_said(world: World) -> None:
    connection = world.connect(provider="routed")
    facts = {"security_score": 82, "agent_version": None}
    (device,) = world.devices(connection, 1, asset_id="a1", facts=facts)
    page = said(world.client().get(f"/rmm/devices/{device}"))
    assert "Security score 82 of 100" in page
    assert "Agent version Not available from Routed RMM" in page
    assert "Reboot Not available from Routed RMM" in page
    assert "Memory" not in page, "what it tells of others is left out where it is not known"


def test_what_came_all_the_same_is_shown() -> None:
    manifest = RoutedProvider.manifest
    row = DeviceRow(facts={"agent_version": "2.1"}, status="online", needs_reboot=True, patches_pending=None)
    facts = vitals(row, manifest).facts
    assert [value for name, value in facts if name == "Agent version"] == ["2.1"]
    assert [value for name, value in facts if name == "Reboot"] == ["Needed"]


@pytest.mark.parametrize(
    "told, patches",
    [
        ({"os_patches_pending": 0, "software_patches_pending": 0}, "0 pending"),
        ({"os_patches_pending": 0, "os_patches_failed": 2}, "0 pending, 2 failed (2 of the system)"),
        ({"os_patches_pending": "many"}, "None pending"),
        ({}, "None pending"),
    ],
)
def test_patches_in_words(told: dict[str, Any], patches: str) -> None:
    row = DeviceRow(facts=told, status="online", needs_reboot=None, patches_pending=False)
    assert vitals(row).patches == patches


def test_statements_do_not_grow_with_what_happened(world: World) -> None:
    connection = world.connect()
    (device,) = world.devices(connection, 1, asset_id="a1", client_id="one-c0")
    browser, counted = world.client(), []
    for more in (1, 25):
        world.devices(connection, more, asset_id="a1")
        audited(world, device, *["device.kept"] * more)
        for alert in world.alerts(connection, more, device_id=device, ticket_id=f"t{new_id()}"):
            world.history(alert, connection, [{"code": "no_window"}])
        browser.get(f"/rmm/devices/{device}")
        with StatementCounter() as sent:
            assert browser.get(f"/rmm/devices/{device}").status_code == 200
        counted.append(sent.count)
    assert counted[0] == counted[1] <= 25, sent


def test_another_tenants_device_is_not_found(world: World) -> None:
    (device,) = world.devices(world.connect(tenant="two"), 1, tenant_id="two")
    assert world.client().get(f"/rmm/devices/{device}").status_code == 404


def test_a_device_without_an_asset_is_joined_with_one(world: World) -> None:
    connection = world.connect(provider="routed")
    (device,) = world.devices(connection, 1, client_id="one-c0")
    world.insert(Asset, [{"id": "a9", "client_id": "one-c0", "name": "Reception", "asset_type": "server"}])
    browser = world.client()
    address = f"/rmm/devices/{device}"
    assert "It is the asset named" in said(browser.get(address))
    assert "It is the asset named" not in said(world.client("technician").get(address))
    browser.post(f"{address}/asset", data={"asset": "Nobody"})
    assert "The device's client has no asset named “Nobody”." in said(browser.get(address))
    assert browser.post(f"{address}/asset", data={"asset": "\x00"}).status_code == 303
    browser.post(f"{address}/asset", data={"asset": "recep\x00tion"})
    page = said(browser.get(address))
    assert "The device belongs to “Reception” now" in page
    assert "It is the asset named" not in page
    assert world.client("technician").post(f"{address}/asset", data={"asset": "x"}).status_code == 403
