"""The tab that waits for a vendor's link, and what it says when there is none."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from rmm_extension.jobs.short_store import RedisStore
from simulators.ninjaone.misbehaviour import Fault
from tests.conftest import world
from tests.harness.ninjaone_connection import server
from tests.services.test_remote_links import Desk, desk, device_of

from .conftest import said
from .test_alert_actions import browser

__all__ = ["desk", "server", "world"]


@pytest.fixture
def tab(desk: Desk) -> FlaskClient:
    return browser(desk.world)


def press(desk: Desk, tab: FlaskClient) -> Any:
    return tab.post(f"/rmm/devices/{desk.device_id}/remote")


def fetch(desk: Desk, outcome: str = "succeeded") -> None:
    (run,) = desk.world.rows("SELECT id FROM rmm_job_runs WHERE kind = 'remote_link' AND status = 'queued'")
    assert desk.work(run["id"]) == outcome


def test_the_tab_waits_and_then_goes_on(desk: Desk, tab: FlaskClient) -> None:
    answer = press(desk, tab)
    assert answer.status_code == 303
    waiting = tab.get(answer.location)
    assert "Getting the link This tab goes on to the device by itself." in said(waiting)
    assert f'data-rmm-poll="{answer.location}/progress"' in waiting.text
    assert 'data-rmm-reload="1"' in waiting.text
    fetch(desk)
    part = tab.get(f"{answer.location}/progress")
    assert "data-rmm-poll" not in part.text
    assert "deviceDashboard" not in part.text
    gone_on = tab.get(answer.location)
    url = f"{desk.ninja.url}/#/deviceDashboard/{desk.external_id}/overview"
    assert gone_on.headers["Refresh"] == f"0; url={url}"
    assert gone_on.headers["Referrer-Policy"] == "no-referrer"
    assert f'href="{url}" rel="noopener noreferrer"' in gone_on.text
    for page in (waiting, part, gone_on):
        assert page.headers["Cache-Control"] == "no-store"


def test_pressed_again_it_goes_on_at_once(desk: Desk, tab: FlaskClient) -> None:
    first = press(desk, tab)
    fetch(desk)
    again = press(desk, tab)
    assert again.location == first.location
    assert "Refresh" in tab.get(again.location).headers


def test_another_persons_tab_is_not_there(desk: Desk, tab: FlaskClient) -> None:
    answer = press(desk, tab)
    fetch(desk)
    admin = browser(desk.world, "admin")
    for path in (answer.location, f"{answer.location}/progress"):
        assert admin.get(path).status_code == 404
    assert browser(desk.world, "viewer").get(answer.location).status_code == 403


def test_a_failure_is_said_with_the_way_on(desk: Desk, tab: FlaskClient) -> None:
    desk.ninja.lab.misbehaviours.add(Fault(mode="forbidden", prefix="/v2/device"))
    answer = press(desk, tab)
    fetch(desk, "failed")
    page = tab.get(answer.location)
    assert "lacks the scope Control" in said(page)
    assert "Ask again Back to the device" in said(page)
    assert f'action="/rmm/devices/{desk.device_id}/remote"' in page.text
    assert "Refresh" not in page.headers


def test_redis_that_goes_away_is_said_by_the_page_and_holds_nothing_up(desk: Desk, tab: FlaskClient) -> None:
    answer = press(desk, tab)
    fetch(desk)
    desk.store(RedisStore("redis://127.0.0.1:1/0"))
    assert tab.get(f"{answer.location}/progress").status_code == 200, "the tab goes on to the page"
    page = tab.get(answer.location)
    assert page.status_code == 409
    assert "Redis does not answer just now" in said(page)


def test_a_link_that_ended_is_said(desk: Desk, tab: FlaskClient) -> None:
    answer = press(desk, tab)
    fetch(desk)
    Redis.from_url(desk.redis_url).flushdb()
    assert "The link has ended: it is good for ten minutes at most." in said(tab.get(answer.location))


def test_an_obstacle_is_said_on_the_device_and_keeps_the_button_from_working(
    desk: Desk, tab: FlaskClient
) -> None:
    desk.world.do("UPDATE rmm_devices SET status = 'offline'")
    page = tab.get(f"/rmm/devices/{desk.device_id}")
    assert "No remote access: The device is offline." in said(page)
    assert "/remote" not in page.text
    assert press(desk, tab).status_code == 409


def test_the_button_is_the_same_for_every_vendor(desk: Desk, tab: FlaskClient) -> None:
    page = tab.get(f"/rmm/devices/{desk.device_id}")
    assert f'action="/rmm/devices/{desk.device_id}/remote" target="_blank" rel="noopener"' in page.text


def test_it_stands_on_the_assets_page_too(desk: Desk, tab: FlaskClient) -> None:
    asset = desk.world.one("SELECT min(id) FROM assets WHERE tenant_id = :t", t=desk.world.tenant)
    desk.world.do("UPDATE rmm_devices SET asset_id = :asset", asset=asset)
    assert f'action="/rmm/devices/{desk.device_id}/remote"' in tab.get(f"/assets/{asset}").text


def test_without_the_scope_an_administrator_is_led_to_the_sign_in(desk: Desk, tab: FlaskClient) -> None:
    desk.ninja.application("plain")
    ninja = desk.ninja.connect(
        "Plain", client_id="plain", scopes=("monitoring", "management", "offline_access")
    )
    device_id, _ = device_of(ninja)
    page = browser(desk.world, "admin").get(f"/rmm/devices/{device_id}")
    assert "did not grant the scope Control" in said(page)
    assert f'href="/rmm/connections/{ninja.integration_id}/credentials"' in page.text
