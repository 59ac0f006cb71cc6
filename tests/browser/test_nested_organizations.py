"""Groups that lie in each other, mapped in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.blueprints.conftest import World, world
from tests.blueprints.test_organizations import mapping_of, nested
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.browser.test_pages import base

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["base", "world"]


def test_what_follows_gets_a_client_of_its_own_and_follows_again(world: World, page: Page, base: str) -> None:
    connection, ids = nested(world, provider="routed")
    page.goto(f"{base}/rmm/connections/{connection}/organizations")
    rows = page.locator("#rmm-results tbody tr")
    see(rows).to_have_count(4)
    office = rows.filter(has_text="Office")
    see(office.get_by_text("As Alpine (Alpha)")).to_be_visible()
    see(office.get_by_role("checkbox", name="Sync devices")).to_have_count(0)
    office.get_by_label("Client of Office").fill("Beta Ltd.")
    office.get_by_role("button", name="Save").click()
    see(page.get_by_text("“Office” is mapped to Beta Ltd.")).to_be_visible()
    office.get_by_label("Alerts may become tickets").uncheck()
    office.get_by_role("button", name="Save").click()
    see(office.get_by_label("Alerts may become tickets")).not_to_be_checked()
    assert mapping_of(world, ids["Office"]).auto_tickets is False
    office.get_by_label("Client of Office").fill("")
    office.get_by_role("button", name="Save").click()
    see(page.get_by_text("“Office” follows what it lies in, and so belongs to Alpha.")).to_be_visible()
    see(office.get_by_text("Sync on, tickets on")).to_be_visible()


def test_the_link_leads_to_what_is_followed_and_all_in_it(world: World, page: Page, base: str) -> None:
    connection, _ = nested(world)
    page.goto(f"{base}/rmm/connections/{connection}/organizations?state=inherited")
    page.get_by_role("link", name="Branch").click()
    rows = page.locator("#rmm-results tbody tr")
    see(rows).to_have_count(2)
    see(rows.first).to_contain_text("Alpine / Branch")
    page.locator("[data-rmm-all]").check()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Unmap").click()
    see(page.get_by_text("1 organization unmapped")).to_be_visible()
    see(rows.get_by_text("As Alpine (Alpha)")).to_have_count(2)


@pytest.mark.parametrize("viewport, scheme", [(WIDE, "light"), (NARROW, "dark")])
def test_the_pages_fit_the_window(world: World, page: Page, base: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    connection, _ = nested(world, provider="routed")
    device = world.devices(connection, 1, client_id="one-c0", external_organization_id="d")[0]
    for path in (
        f"connections/{connection}/organizations",
        f"connections/{connection}/setup/organizations",
        f"connections/{connection}/sync",
        f"devices/{device}",
    ):
        page.goto(f"{base}/rmm/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
