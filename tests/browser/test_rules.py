"""Rules in a browser: made, tried, saved and put in order, with the keyboard and by dragging."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import select

from rmm_extension.models import AlertRule, OrganizationMapping
from rmm_extension.services.unit import unit
from tests.blueprints.conftest import World, world
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.browser.test_pages import base

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

__all__ = ["base", "world"]

CATCH_ALL = "Every alert opens a ticket"


def shown(page: Page) -> list[str]:
    """The names of the list, in its order."""
    return page.locator("tr[data-rmm-item] [data-rmm-open]").all_inner_texts()


def stored(world: World, connection: UUID) -> list[str]:
    """The names as they are asked."""
    with world.app.app_context(), unit(world.rmm) as session:
        statement = select(AlertRule.name).where(AlertRule.integration_id == connection)
        return list(session.scalars(statement.order_by(AlertRule.priority_order)))


def test_a_rule_is_made_tried_saved_and_moved(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    world.alerts(connection, 3, client_id="one-c0")
    page.goto(f"{base}/rmm/connections/{connection}/rules")
    page.click("text=New rule")
    page.fill("#name", "Disks")
    page.fill("#keywords-typed", "disk")
    page.fill("#message_pattern", "disk [0-9]")
    see(page.locator("#rmm-part-pattern")).to_contain_text("Not found")
    page.fill("#message_pattern", "(?=disk)")
    see(page.locator("#rmm-part-pattern")).to_contain_text("Look-ahead")
    page.fill("#message_pattern", "Disk [0-9]")
    see(page.locator("#rmm-part-pattern")).to_contain_text("Found")
    page.fill("#title_template", "Mind ")
    page.click("button[data-rmm-insert='{{device}}']")
    see(page.locator("#title_template")).to_have_value("Mind {{device}}")
    see(page.locator("#rmm-part-preview")).to_contain_text("Mind PC-0000")
    page.click("text=Try it on these alerts")
    see(page.locator("#rmm-part-dry_run")).to_contain_text("0 alerts of 3 would be taken")
    see(page.locator("#rmm-said")).to_contain_text("0 alerts of 3")
    see(page.locator("#keywords-typed"), "nothing typed is lost").to_have_value("disk")
    page.fill("#hold_minutes", "soon")
    page.press("#hold_minutes", "Enter")
    page.wait_for_selector(".rmm-summary")
    see(page.locator("#errors")).to_be_focused()
    see(page.locator("[name=keywords][value=disk]")).to_be_checked()
    page.fill("#hold_minutes", "5")
    page.click("text=Save the rule")
    page.wait_for_selector("text=“Disks” was added behind the other rules.")
    assert shown(page) == [CATCH_ALL, "Disks"]
    # The words are there before the page's script is.
    page.wait_for_load_state()
    page.focus("[aria-label='Move Disks up']")
    page.keyboard.press("Enter")
    see(page.locator("#rmm-said")).to_have_text("Disks is number 1 of 2.")
    assert shown(page) == ["Disks", CATCH_ALL]
    see(page.locator("[aria-label='Move Disks down']"), "the other end is reached").to_be_focused()
    assert stored(world, connection) == ["Disks", CATCH_ALL]


def test_a_pattern_typed_before_the_script_is_there_is_checked(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    held: list[Route] = []
    page.route("**/rules.js*", lambda route: held.append(route))
    page.goto(f"{base}/rmm/connections/{connection}/rules/new", wait_until="commit")
    page.fill("#message_pattern", "(?=disk)")
    held[0].continue_()
    see(page.locator("#rmm-part-pattern")).to_contain_text("Look-ahead")


def test_a_rule_is_dragged(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    world.rules(connection, "B", "C")
    page.goto(f"{base}/rmm/connections/{connection}/rules")
    page.evaluate("window.kept = true")
    rows = page.locator("tr[data-rmm-item]")
    rows.nth(2).locator("[data-rmm-grip]").drag_to(rows.nth(0), target_position={"x": 60, "y": 4})
    see(page.locator("#rmm-said")).to_have_text("C is number 1 of 3.")
    assert shown(page) == ["C", CATCH_ALL, "B"]
    assert stored(world, connection) == ["C", CATCH_ALL, "B"]
    assert page.evaluate("window.kept"), "the page was not loaded anew"


def test_an_order_that_is_out_of_date_is_not_saved(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    world.rules(connection, "B")
    page.goto(f"{base}/rmm/connections/{connection}/rules")
    world.rules(connection, "Meanwhile", priority_order=9)
    rows = page.locator("tr[data-rmm-item]")
    rows.nth(1).locator("[data-rmm-grip]").drag_to(rows.nth(0), target_position={"x": 60, "y": 4})
    see(page.locator("#rmm-said")).to_contain_text("was not saved")
    see(page.locator("[data-rmm-ordered] [role=alert]")).to_contain_text("leaves out “Meanwhile”")
    assert shown(page) == [CATCH_ALL, "B", "Meanwhile"]


def test_a_rule_is_switched_without_loading_the_page(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    page.goto(f"{base}/rmm/connections/{connection}/rules")
    switch = page.get_by_role("switch", name=CATCH_ALL)
    see(switch).to_be_checked()
    switch.focus()
    page.keyboard.press("Space")
    see(switch).not_to_be_checked()
    see(switch).to_be_focused()
    see(page.locator("main")).to_contain_text("All rules are off", use_inner_text=True)


def test_a_deletion_asks_once(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    page.goto(f"{base}/rmm/connections/{connection}/rules")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click("button:has-text('Delete')")
    assert stored(world, connection) == [CATCH_ALL]
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("button:has-text('Delete')")
    page.wait_for_selector("text=No rules, no tickets")
    assert re.match("Delete the rule .* Alerts it would take go to the rules after it", asked[0])


def test_organizations_are_found_by_name(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    rows = [{"external_id": f"o{at}", "name": f"Organization {at}"} for at in range(30)]
    world.insert(OrganizationMapping, [{"integration_id": connection, **row} for row in rows])
    page.goto(f"{base}/rmm/connections/{connection}/rules/new")
    page.check("[name=organization_ids][value=o3]")
    page.fill("#organization_ids-narrow", "29")
    picks = page.locator("#organization_ids .rmm-pick:visible")
    assert picks.all_inner_texts() == ["Organization 29", "Organization 3"], "what is ticked stays in sight"


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_the_pages_fit_the_window(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    long = "X" * 120
    conditions = {"keywords": [long], "organizationIds": [long], "alertClasses": [long]}
    (rule,) = world.rules(connection, long, conditions=conditions, description=long)
    world.alerts(connection, message=long, device_name=long, alert_class=long)
    for path in ("rules", "rules/new", f"rules/{rule}"):
        page.goto(f"{base}/rmm/connections/{connection}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        see(page.locator("main h1"), path).to_have_count(1)
    page.click("text=Try it on these alerts")
    page.wait_for_selector(".rmm-share")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_try_says_that_it_works_and_is_not_started_twice(world: World, page: Page, base: str) -> None:
    connection = world.connect()
    world.alerts(connection, 1)
    asked: list[Route] = []
    page.route("**/rules/try", lambda route: asked.append(route))
    page.goto(f"{base}/rmm/connections/{connection}/rules/new")
    button, part = page.locator("text=Try it on these alerts"), page.locator("#rmm-part-dry_run")
    button.click()
    see(part).to_contain_text("Trying the rule on past alerts…")
    see(page.locator("#rmm-said")).to_have_text("Trying the rule on past alerts…")
    assert part.get_attribute("aria-busy") == "true"
    button.click(force=True)
    assert len(asked) == 1
    asked[0].continue_()
    see(part).to_contain_text("of 1 would be taken")
    assert button.get_attribute("aria-disabled") is None
