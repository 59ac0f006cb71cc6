"""Signing in at NinjaOne in a browser: there and back between two sites, agreed to, cancelled, and again."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from reference_psa.db import db
from rmm_extension.models import Integration
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services import connections
from simulators.ninjaone import keys
from simulators.ninjaone.app import create_app, lab_of
from simulators.ninjaone.fleet import FleetOptions
from simulators.ninjaone.lab import Lab
from simulators.testing import serve_in_thread
from tests.blueprints.conftest import World, world
from tests.browser.conftest import NARROW, WIDE
from tests.browser.seeing import see
from tests.browser.test_pages import base
from tests.providers.conftest import RUNTIME

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["base", "world"]


@dataclasses.dataclass
class Ninja:
    """The simulated server, at another site than the application: cookies are as strict as they will be."""

    world: World
    url: str
    lab: Lab
    base: str

    def rows(self) -> list[Integration]:
        with self.world.app.app_context():
            return list(connections.all_of(db.session(), "one"))

    def secrets(self, integration_id: UUID) -> dict[str, str]:
        with self.world.app.app_context():
            return self.world.rmm.vault.read(db.session(), "one", integration_id)


@pytest.fixture
def ninja(world: World, base: str, page: Page) -> Iterator[Ninja]:
    """The server, which knows the application's redirect URI. It has no icon, which is no fault of ours."""
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    mounted = world.app.extensions["rmm"]
    settings = dataclasses.replace(mounted.services.settings, public_url=None)
    services = dataclasses.replace(mounted.services, providers=ProviderRegistry(RUNTIME), settings=settings)
    world.app.extensions["rmm"] = dataclasses.replace(mounted, services=services)
    app = create_app(FleetOptions(10, 2), redirect_uris=(f"{base}/rmm/oauth/callback",))
    url, stop = serve_in_thread(app)
    yield Ninja(world, url.replace("127.0.0.1", "localhost"), lab_of(app), base)
    stop()


def fill(page: Page, ninja: Ninja, **changes: str) -> None:
    values = {
        "instance_url": ninja.url,
        "client_id": keys.WEB_CLIENT_ID,
        "client_secret": keys.WEB_CLIENT_SECRET,
        **changes,
    }
    for name, value in values.items():
        page.fill(f"[name=field_{name}]", value)


def sign_in(page: Page, ninja: Ninja, decision: str = "Allow", *, without: tuple[str, ...] = ()) -> None:
    """What the person does at the vendor."""
    page.wait_for_url(re.compile(re.escape(ninja.url)))
    page.fill("[name=email]", keys.ADMIN_USER)
    page.fill("[name=password]", keys.PASSWORD)
    page.click("button:has-text('Sign in')")
    for scope in without:
        page.uncheck(f"[value={scope}]")
    page.click(f"button:has-text('{decision}')")


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_an_administrator_connects(ninja: Ninja, page: Page) -> None:
    page.goto(f"{ninja.base}/rmm/connect/ninjaone")
    page.click("text=Use this: Sign-in in the browser")
    see(page.locator(".rmm-copy-text")).to_have_text(f"{ninja.base}/rmm/oauth/callback")
    see(page.locator("[data-rmm-copy]")).to_be_visible()
    see(page.locator("datalist option")).to_have_count(6)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"
    fill(page, ninja)
    page.click("button:has-text('Go on to NinjaOne')")
    sign_in(page, ninja, without=("control",))
    page.wait_for_url(re.compile("/setup/organizations"))
    page.click("summary:has-text('The connection was tested')")
    see(page.locator("text=Without Control, this does not work: remote access")).to_be_visible()
    (row,) = ninja.rows()
    assert (row.provider, row.state, row.auth_mode) == ("ninjaone", "connected", "oauth")
    assert set(ninja.secrets(row.id)) == {"client_secret", "session"}


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_who_does_not_agree_comes_back_to_the_form(ninja: Ninja, page: Page) -> None:
    page.goto(f"{ninja.base}/rmm/connect/ninjaone/oauth")
    fill(page, ninja)
    page.click("button:has-text('Go on to NinjaOne')")
    sign_in(page, ninja, "Deny")
    page.wait_for_selector("#errors")
    see(page.locator("#errors")).to_contain_text("cancelled at NinjaOne, or not agreed to")
    see(page.locator("[name=field_client_id]")).to_have_value(keys.WEB_CLIENT_ID)
    see(page.locator("[name=field_client_secret]"), "a secret is never sent back").to_have_value("")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"
    assert ninja.rows() == []
    fill(page, ninja)
    page.click("button:has-text('Go on to NinjaOne')")
    sign_in(page, ninja)
    page.wait_for_url(re.compile("/setup/organizations"))


def test_a_sign_in_that_ends_within_the_hour_is_not_kept(ninja: Ninja, page: Page) -> None:
    page.goto(f"{ninja.base}/rmm/connect/ninjaone/oauth")
    fill(page, ninja)
    page.click("button:has-text('Go on to NinjaOne')")
    sign_in(page, ninja, without=("offline_access",))
    page.wait_for_selector("#errors")
    see(page.locator("text=would end within an hour")).to_be_visible()
    see(page.locator("text=Tick the grant type Refresh token")).to_be_visible()
    assert ninja.rows() == []
    with ninja.lab.lock:
        assert all(grant.revoked for grant in ninja.lab.tokens.values()), "what was not kept was ended"


def test_one_signs_in_again_without_the_secret(ninja: Ninja, page: Page) -> None:
    page.goto(f"{ninja.base}/rmm/connect/ninjaone/oauth")
    fill(page, ninja)
    page.click("button:has-text('Go on to NinjaOne')")
    sign_in(page, ninja)
    page.wait_for_url(re.compile("/setup/organizations"))
    (row,) = ninja.rows()
    before = ninja.secrets(row.id)["session"]
    with ninja.world.app.app_context():
        db.session.execute(db.text("UPDATE rmm_integrations SET state = 'needs_reauth'"))
        db.session.commit()
    page.goto(f"{ninja.base}/rmm/connections/{row.id}/settings")
    see(page.locator("text=Everything (all three scopes)"), "words, not the setting").to_be_visible()
    page.goto(f"{ninja.base}/rmm/connections/{row.id}/credentials")
    page.click("button:has-text('Sign in at NinjaOne')")
    sign_in(page, ninja)
    page.wait_for_url(f"{ninja.base}/rmm/connections/{row.id}")
    see(page.locator("text=were tested and saved")).to_be_visible()
    (row,) = ninja.rows()
    assert row.state == "connected"
    assert ninja.secrets(row.id)["session"] != before
    assert ninja.secrets(row.id)["client_secret"] == keys.WEB_CLIENT_SECRET
