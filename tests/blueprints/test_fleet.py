"""The fleet's page: figures that lead to their devices, charts with words."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from rmm_extension.models import utc_now
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said

OPEN = re.compile(r'data-rmm-open href="([^"]+)"')


def fill(world: World) -> None:
    connection = world.connect("Headquarters")
    facts = {"needs_reboot": True, "has_pending_patches": True, "agent_version": "2.9.1"}
    world.devices(connection, 3, client_id="one-c0", facts=facts)
    world.devices(connection, 2, client_id="one-c1", status="offline", asset_id="a1")
    world.devices(
        connection, 1, client_id="one-c2", status="overdue", missing_count=1, missing_since=utc_now()
    )
    long_ago = utc_now() - timedelta(days=40)
    world.devices(connection, 1, last_seen_at=long_ago, status="unknown", missing_count=2, kept=True)


def test_every_number_leads_to_so_many_devices(world: World) -> None:
    fill(world)
    browser = world.client("read_only")
    page = browser.get("/rmm/fleet").text
    cells = re.findall(r'<a href="(/rmm/devices\?[^"]+)">(?:<strong>)?(\d+)', page)
    lines = re.findall(r'<a href="(/rmm/devices\?[^"]+)">[^<]+</a>.*?</span><strong>(\d+)</strong>', page)
    legend = re.findall(
        r'<a href="(/rmm/devices\?[^"]+)"><span class="rmm-badge.*?<strong>(\d+)</strong>', page
    )
    assert (len(cells) >= 10, len(lines) >= 8, len(legend)) == (True, True, 4)
    for url, number in (*cells, *lines, *legend):
        listed = OPEN.findall(browser.get(html.unescape(url)).text)
        assert len(listed) == int(number), url


def test_its_words(world: World) -> None:
    fill(world)
    answer = world.client().get("/rmm/fleet")
    page = said(answer)
    for words in (
        "7 devices",
        "Client not mapped",
        "Need a reboot",
        "2.9.1",
        "Headquarters",
        "Last sync never",
    ):
        assert words in page, words
    assert 'aria-label="Devices of Beta Ltd. by status: Offline 2"' in answer.text
    assert "<script>alert(1)" not in answer.text


def test_clients_by_those_that_are_not_online_and_all_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rmm_extension.blueprints import fleet

    fill(world)
    monkeypatch.setattr(fleet, "FIRST_CLIENTS", 2)
    browser = world.client()
    page = said(browser.get("/rmm/fleet"))
    assert "Show the other 2 clients" in page
    assert page.index("Alpha") < page.index("Beta Ltd.")
    page = said(browser.get("/rmm/fleet?order=not_online&clients=all"))
    assert "Show the other" not in page
    assert page.index("Beta Ltd.") < page.index("Alpha")


def test_an_empty_fleet_says_what_to_do(world: World) -> None:
    assert "No devices yet" in said(world.client().get("/rmm/fleet"))
    assert "Connect an RMM" in said(world.client().get("/rmm/fleet"))
    world.connect()
    assert "See the connections" in said(world.client("technician").get("/rmm/fleet"))


def test_statements_do_not_grow(world: World) -> None:
    browser, connection = world.client(), world.connect()
    counted = []
    for more in (2, 30):
        for at in range(more):
            world.devices(connection, 1, client_id=f"one-c{at % 3}", facts={"agent_version": f"1.{at}"})
        browser.get("/rmm/fleet")
        with StatementCounter() as sent:
            assert browser.get("/rmm/fleet").status_code == 200
        counted.append(sent.count)
    assert counted[0] == counted[1] <= 12, sent


def test_another_tenant_sees_nothing_of_it(world: World) -> None:
    fill(world)
    assert "No devices yet" in said(world.client(tenant="two").get("/rmm/fleet"))


def test_the_overview_and_the_list_lead_there(world: World) -> None:
    fill(world)
    for path in ("/rmm/", "/rmm/devices"):
        assert 'href="/rmm/fleet"' in world.client().get(path).text, path
