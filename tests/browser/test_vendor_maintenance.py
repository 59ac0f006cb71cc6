"""A window that is heard at the vendor, in a browser: offered where it can be, and how its devices stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.seeing import see
from tests.browser.test_registration import base, ninja, server, world
from tests.services.actions.test_ninjaone import done, known, machines, tick, work

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.harness.ninjaone_connection import NinjaConnection

__all__ = ["base", "ninja", "server", "world"]

BOX = "[name=at_vendor]"


def test_from_the_box_to_the_device(ninja: NinjaConnection, page: Page, base: str) -> None:
    root = base.split("/rmm/")[0]
    (device,) = machines(ninja, 1)
    device_id = known(ninja, device)
    page.goto(f"{root}/rmm/maintenance/new?for=1h")
    page.wait_for_load_state()
    assert page.is_visible(BOX), "every connection, and one of them can be told"
    page.select_option("[name=connection]", str(ninja.world.integration_id))
    page.wait_for_selector(BOX, state="hidden")
    page.select_option("[name=connection]", str(ninja.integration_id))
    page.wait_for_selector(BOX)
    page.check(BOX)
    page.fill("[name=name]", "Disk swap")
    page.click("text=Save the window")
    page.wait_for_selector("text=It holds now, until")
    page.wait_for_selector("text=At the vendor too")
    tick(ninja)
    page.goto(f"{root}/rmm/devices/{device_id}")
    page.wait_for_selector("text=Being set")
    work(ninja, "vendor_maintenance")
    page.reload()
    page.click(".rmm-note >> text=Disk swap")
    page.wait_for_selector("text=1 device in maintenance")
    assert page.is_checked(BOX)
    page.click("text=Delete…")
    page.wait_for_selector("text=taken out of maintenance at the vendor (1 set)")
    page.click("text=Delete the window")
    page.wait_for_selector("text=“Disk swap” is deleted.")
    tick(ninja)
    work(ninja, "vendor_maintenance")
    assert device.maintenance is None


def test_a_built_in_action_from_its_uid_to_its_end(ninja: NinjaConnection, page: Page, base: str) -> None:
    root = base.split("/rmm/")[0]
    (device,) = machines(ninja, 1)
    device_id = known(ninja, device)
    listed = done(ninja, "ninjaone.devices.scripting_options", device_id)
    page.goto(f"{root}/rmm/actions/{listed['id']}")
    page.wait_for_selector("text=Run disk check  5a5f5c5e-0001-4000-8000-000000000001")
    page.goto(f"{root}/rmm/run?ids={device_id}")
    # The page begins anew when the library has been listed.
    work(ninja, "script_list")
    page.wait_for_selector("text=Restart print spooler")
    page.wait_for_load_state()
    page.click("text=Run script or action…")
    page.wait_for_load_state()
    page.fill("[name=in_action_uid]", "5a5f5c5e-0001-4000-8000-000000000001")
    page.click("main button:has-text('Run script or action')")
    page.wait_for_selector("text=Waiting for a worker")
    work(ninja, "device_action")
    page.wait_for_selector("text=NinjaOne took “Run disk check” on")
    page.goto(f"{root}/rmm/run/ninjaone.devices.run_script?ids={device_id}&script=11")
    see(page.locator("[name=in_action_uid]")).to_be_hidden()
    see(page.locator("[name=in_type]")).to_be_hidden()
