"""Devices that may be an asset that exists already, decided in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from reference_psa.models import Asset
from rmm_extension.models import Audit, DeviceRow, new_id
from rmm_extension.services.unit import unit
from tests.blueprints.conftest import World, world
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.browser.test_pages import base

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["base", "world"]


def pairs(world: World, *names: str) -> UUID:
    """Devices with an asset of their own, each proposed to be an older asset of that name."""
    connection = world.connect()
    rows = []
    with world.app.app_context(), unit(world.rmm) as session:
        client = session.scalars(select(Asset.client_id).where(Asset.tenant_id == "one")).first()
    for name in names:
        own, older = str(new_id()), f"older-{name[:20]}"
        for identity, called in ((own, name), (older, name)):
            rows.append({"id": identity, "name": called, "client_id": client, "asset_type": "workstation"})
        world.devices(
            connection,
            1,
            name=name,
            asset_id=own,
            facts={"adoption_proposal": {"asset_ids": [older], "reason": "name"}},
        )
    with world.app.app_context(), unit(world.rmm) as session:
        session.add_all(Asset(tenant_id="one", **row) for row in rows)
    return connection


def stored(world: World, model: type[Any], *conditions: Any) -> Any:
    """One row."""
    with world.app.app_context(), unit(world.rmm) as session:
        found = session.scalars(select(model).where(model.tenant_id == "one", *conditions)).one()
        session.expunge_all()
    return found


def said(world: World) -> list[str]:
    """What the audit says of devices, oldest first."""
    with world.app.app_context(), unit(world.rmm) as session:
        statement = select(Audit.action).where(Audit.subject_type == "device").order_by(Audit.at)
        return list(session.scalars(statement))


def test_accepted_rejected_and_gone_meanwhile(world: World, page: Page, base: str) -> None:
    connection = pairs(world, "ANNA", "BEN", "CARLA")
    page.goto(f"{base}/rmm/connections/{connection}/proposals")
    lines = page.locator(".rmm-lines > li")
    see(lines).to_have_count(3)

    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    own = stored(world, DeviceRow, DeviceRow.name == "ANNA").asset_id
    lines.filter(has_text="ANNA").get_by_role("button", name="It is ANNA").click()
    see(page.get_by_text("belongs to the existing asset now")).to_be_visible()
    assert "becomes inactive" in asked[0]
    assert stored(world, DeviceRow, DeviceRow.name == "ANNA").asset_id == "older-ANNA"
    assert stored(world, Asset, Asset.id == own).status == "inactive"
    see(lines).to_have_count(2)

    own = stored(world, DeviceRow, DeviceRow.name == "BEN").asset_id
    lines.filter(has_text="BEN").get_by_role("button", name="Keep separate").click()
    see(page.get_by_text("keeps its own asset")).to_be_visible()
    assert stored(world, DeviceRow, DeviceRow.name == "BEN").asset_id == own

    with world.app.app_context(), unit(world.rmm) as session:
        session.execute(delete(Asset).where(Asset.tenant_id == "one", Asset.id == "older-CARLA"))
    page.once("dialog", lambda dialog: dialog.accept())
    lines.filter(has_text="CARLA").get_by_role("button", name="It is CARLA").click()
    see(page.get_by_text("does not exist any more")).to_be_visible()
    see(page.get_by_text("an asset that is gone")).to_be_visible()
    lines.get_by_role("button", name="Keep separate").click()
    see(page.get_by_text("No device to compare")).to_be_visible()
    assert said(world) == ["device.asset_adopted", *["device.asset_kept_separate"] * 2]


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_the_page_fits_the_window(world: World, page: Page, base: str) -> None:
    connection = pairs(world, "DESKTOP-" + "X" * 60, "ANNA")
    page.goto(f"{base}/rmm/connections/{connection}/proposals")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
