"""Alerts, devices and jobs: filters, pages, counts, words, statements."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from rmm_extension.blueprints import export
from rmm_extension.models import WebhookDelivery, utc_now
from rmm_extension.services.queries import alerts as alert_queries
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said

OPEN = re.compile(r'data-rmm-open href="([^"]+)"')
NEXT = re.compile(r'rel="next" href="([^"]+)"')
PREVIOUS = re.compile(r'rel="prev" href="([^"]+)"')


def walk(browser: FlaskClient, address: str, pattern: re.Pattern[str] = NEXT) -> list[list[str]]:
    """The links of every page from here on."""
    found = []
    while address:
        text = browser.get(address).text
        found.append(OPEN.findall(text))
        following = pattern.search(text)
        address = following[1].replace("&amp;", "&") if following else ""
    return found


def test_pages_of_alerts_hold_each_once_and_lead_back(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, 120)
    world.alerts(connection, 10, triggered_at=utc_now() - timedelta(days=3))  # ten of the same instant
    browser = world.client()
    forth = walk(browser, "/rmm/alerts?state=open")
    assert [len(page) for page in forth] == [50, 50, 30]
    assert len({link for page in forth for link in page}) == 130
    last = "/rmm/alerts?state=open"
    for _ in range(2):
        last = NEXT.search(browser.get(last).text)[1].replace("&amp;", "&")  # type: ignore[index]
    back = walk(browser, last, PREVIOUS)
    assert back == list(reversed(forth))


def test_filters_of_alerts(world: World) -> None:
    first, second = world.connect("First"), world.connect("Second")
    world.alerts(first, 3)
    world.alerts(first, 2, status="resolved", severity="minor", client_id="one-c0")
    (old,) = world.alerts(second, 1, message="Backup failed", triggered_at=utc_now() - timedelta(days=40))
    browser = world.client("read_only")
    expected = {
        "": 6,
        "?state=open": 4,
        "?state=resolved": 2,
        "?state=active": 4,
        "?severity=minor": 2,
        f"?connection={second}": 1,
        "?provider=acme": 6,
        "?client=one-c0": 2,
        "?time=7d": 5,
        "?time=1h&state=open": 3,
        "?q=backup": 1,
        "?q=pc-0001": 2,
        "?q=100%25": 0,
        "?state=nonsense&severity=&time=forever": 6,
        "?connection=nonsense": 6,
        "?after=nonsense": 6,
        "?client=nobody": 0,
    }
    for query, number in expected.items():
        assert len(OPEN.findall(browser.get(f"/rmm/alerts{query}").text)) == number, query
    assert str(old) in browser.get("/rmm/alerts?q=backup").text
    assert "at least three characters" in said(browser.get("/rmm/alerts?q=ba"))


def test_active_filters_are_chips(world: World) -> None:
    connection = world.connect("Headquarters")
    page = world.client().get(f"/rmm/alerts?state=open&severity=minor&connection={connection}").text
    chips = re.findall(r'<a class="rmm-chip" href="([^"]+)"><span>([^<]+)', page)
    assert [label for _, label in chips] == [
        "State: Open",
        "Severity: Minor",
        "Connection: Acme RMM · Headquarters",
    ]
    assert chips[0][0] == f"/rmm/alerts?severity=minor&amp;connection={connection}"


def test_a_count_stops_at_a_thousand(world: World) -> None:
    world.alerts(world.connect(), 1002)
    assert "1,000+" in said(world.client().get("/rmm/alerts"))
    assert len(OPEN.findall(world.client().get("/rmm/alerts?q=disk").text)) == 50


@pytest.mark.parametrize(
    "path", ["alerts", "alerts?q=disk&state=open", "devices", "devices?q=pc", "jobs", "attention"]
)
def test_statements_do_not_grow_with_rows(world: World, path: str) -> None:
    connection = world.connect()
    browser = world.client()
    counted = []
    for more in (5, 40):
        world.alerts(connection, more, client_id="one-c0", ticket_id=f"t{more}", attention="ticket_failed")
        world.devices(connection, more, client_id="one-c0", asset_id=f"a{more}")
        for _ in range(more // 5):
            world.run(connection)
        browser.get(f"/rmm/{path}")
        with StatementCounter() as sent:
            assert browser.get(f"/rmm/{path}").status_code == 200
        counted.append(sent.count)
        assert (sent.commits, sent.rollbacks) == (1, 0), "reading ends with a commit"
    assert counted[0] == counted[1], sent
    assert counted[0] <= 16


def test_an_alert_tells_its_story_newest_first(world: World) -> None:
    connection = world.connect()
    (alert,) = world.alerts(connection, 1, message="<script>alert(1)</script>", attention="no_client")
    world.history(
        alert,
        connection,
        [{"code": "received", "channel": "webhook", "provider": "tacticalrmm", "severity": "major"}],
    )
    world.history(
        alert, connection, [{"code": "rule_matched", "rule": "<i>Disks</i>", "reason": "keyword disk"}]
    )
    answer = world.client().get(f"/rmm/alerts/{alert}")
    page = said(answer)
    assert page.index("Rule “<i>Disks</i>” matched: keyword disk.") < page.index(
        "Received by webhook from Tactical RMM (severity major)."
    )
    assert "Map the organization; the ticket is then made by itself." in page
    assert "<script>alert" not in answer.text
    assert "<i>Disks" not in answer.text


def test_an_alert_alone_has_a_page(world: World) -> None:
    connection = world.connect()
    (alert,) = world.alerts(
        connection,
        1,
        message=None,
        device_name=None,
        status="auto_resolved",
        resolved_at=utc_now(),
        resolved_by="acme",
    )
    page = said(world.client().get(f"/rmm/alerts/{alert}"))
    assert "Alert without text" in page
    assert "Auto-resolved" in page


def test_pages_of_devices_go_by_name(world: World) -> None:
    connection = world.connect()
    world.devices(connection, 60)
    world.devices(connection, 5)  # the same names again
    browser = world.client()
    forth = walk(browser, "/rmm/devices")
    assert [len(page) for page in forth] == [50, 15]
    second = NEXT.search(browser.get("/rmm/devices").text)
    assert second is not None
    assert walk(browser, second[1].replace("&amp;", "&"), PREVIOUS) == list(reversed(forth))


def test_filters_of_devices(world: World) -> None:
    connection = world.connect()
    world.devices(connection, 1)
    facts = {"has_pending_patches": True, "needs_reboot": False, "agent_version": "2.9.1"}
    (device,) = world.devices(connection, 1, facts=facts, kept=True)
    world.alerts(connection, 1, device_id=device)
    server = {"status": "offline", "kind": "server", "client_id": "one-c0", "name": "srv_1"}
    long_ago = utc_now() - timedelta(days=9)
    world.devices(connection, 1, **server, last_seen_at=long_ago, missing_count=1, missing_since=long_ago)
    world.devices(connection, 1, deleted_at=utc_now())
    browser = world.client()
    expected = {
        "": 3,
        "?status=offline": 1,
        "?kind=server": 1,
        "?client=one-c0": 1,
        "?q=SRV_": 1,
        "?q=s_v": 0,
        "?deleted=1": 1,
        f"?connection={connection}": 3,
        "?status=not_online": 1,
        "?managed=none": 3,
        "?managed=unmapped": 2,
        "?managed=asset": 0,
        "?provider=acme": 3,
        "?provider=nobody": 0,
        "?alerts=active": 1,
        "?patches=yes": 1,
        "?patches=unknown": 2,
        "?reboot=no": 1,
        "?unseen=7d": 1,
        "?unseen=never": 0,
        "?missing=once": 1,
        "?missing=missing": 0,
        "?kept=1": 1,
        "?version=2.9.1": 1,
        "?status=x&managed=x&alerts=x&patches=x&reboot=x&unseen=x&missing=x&kept=x": 3,
    }
    for query, number in expected.items():
        assert len(OPEN.findall(browser.get(f"/rmm/devices{query}").text)) == number, query


def test_what_a_row_of_the_device_list_says(world: World) -> None:
    connection = world.connect("Headquarters")
    facts = {"has_pending_patches": True, "needs_reboot": True, "agent_version": "2.9.1"}
    (device,) = world.devices(connection, 1, facts=facts, kept=True, missing_count=2, missing_since=utc_now())
    world.alerts(connection, 3, device_id=device)
    answer = world.client().get("/rmm/devices?reboot=yes&unseen=never")
    assert "Reboot: Needed" in said(answer)
    assert "Last seen: Never" in said(answer)
    answer = world.client().get("/rmm/devices")
    for words in ("Needs a reboot", "Patches pending", "Kept active", "Missing at the vendor", "Agent 2.9.1"):
        assert words in said(answer), words
    assert f'href="/rmm/alerts?device={device}&amp;state=active">3</a>' in answer.text
    lines = list(csv.DictReader(world.client().get("/rmm/devices.csv?kept=1").text.splitlines()))
    assert [line["Device"] for line in lines] == ["PC-0000"]
    told = {"Active alerts": "3", "Needs a reboot": "yes", "Patches pending": "yes", "Agent version": "2.9.1"}
    assert {key: lines[0][key] for key in told} == told


def test_a_device_in_words(world: World) -> None:
    connection = world.connect()
    facts: dict[str, Any] = {
        "os_version": "Windows 11",
        "current_user": "anna",
        "needs_reboot": True,
        "boot_at": "2026-06-01T10:00:00Z",
        "custom_fields": {"Warranty until": "2027-01-01", "Leased": True, "Blank": ""},
        "hardware": {
            "memory_gb": 16.0,
            "disks": [{"name": "C:", "total_gb": 100.0, "free_gb": 4.5, "utilization_percent": 95.5}],
        },
    }
    (device,) = world.devices(
        connection,
        1,
        status="offline",
        last_seen_at=utc_now() - timedelta(hours=3),
        facts=facts,
        name="<b>PC</b>",
    )
    world.alerts(connection, 1, device_id=device)
    answer = world.client().get(f"/rmm/devices/{device}")
    page = said(answer)
    assert "Offline for 3 h, last user anna, needs a reboot" in page
    assert "Started 01 Jun 2026, 10:00 UTC" in page
    assert "Memory (GB) 16" in page
    assert "C: 96 %, nearly full 4.5 GB 100.0 GB" in page
    assert "Warranty until 2027-01-01" in page
    assert "Leased yes" in page
    assert "Blank" not in page
    assert "Patches have never been synced on this connection" in page
    assert "Disk 0 is full" in page
    assert "<b>PC</b>" not in answer.text


def test_a_run_shows_its_progress(world: World) -> None:
    now = utc_now()
    run = world.run(
        world.connect(),
        started_at=now - timedelta(seconds=10),
        heartbeat_at=now,
        done_count=40,
        total_count=100,
        doing="Reading devices",
        counts={"created": 3, "failed": 0},
        errors=[{"device": "PC-1", "message": "No name."}, "Plain."],
    )
    answer = world.client().get(f"/rmm/jobs/{run}/progress")
    page = said(answer)
    assert "Reading devices" in page
    assert re.search(r"40 of 100 done, [34]\.\d per second", page)
    assert "Created 3" in page
    assert "PC-1 : No name." in page
    assert 'max="100" value="40"' in answer.text
    assert "data-rmm-poll" in answer.text
    assert '<noscript><meta http-equiv="refresh"' in answer.text


def test_a_silent_run_is_stalled(world: World) -> None:
    run = world.run(world.connect(), heartbeat_at=utc_now() - timedelta(minutes=5))
    assert "Its worker has not been heard of for 5 min" in said(world.client().get(f"/rmm/jobs/{run}"))
    assert "Stalled" in said(world.client().get("/rmm/jobs"))
    assert len(OPEN.findall(world.client().get("/rmm/jobs?status=stalled").text)) == 1


def test_cancelling_a_run(world: World) -> None:
    run = world.run(world.connect(), status="queued")
    browser = world.client("dispatcher")
    browser.post(f"/rmm/jobs/{run}/cancel")
    page = browser.get(f"/rmm/jobs/{run}")
    assert "Cancelled" in said(page)
    assert "data-rmm-poll" not in page.text
    browser.post(f"/rmm/jobs/{run}/cancel")
    assert "This run is over already." in said(browser.get(f"/rmm/jobs/{run}"))


def test_what_needs_attention_and_what_to_do(world: World) -> None:
    connection = world.connect("Headquarters")
    world.organizations(connection, ["Zed"])
    world.organizations(world.connect("Other"), ["Broken"], last_error="It broke.")
    world.alerts(connection, 3, attention="no_client", external_organization_id="o0")
    world.alerts(connection, 1, attention="ticket_failed", message="No board")
    world.run(connection, status="failed", error="The vendor is away.")
    world.insert(
        WebhookDelivery,
        [
            {
                "integration_id": connection,
                "provider": "acme",
                "received_at": utc_now(),
                "state": state,
                "reason": "Odd.",
                "body": b"SECRET-BODY",
                "headers": {},
            }
            for state in ("failed", "quarantined", "processed")
        ],
    )
    answer = world.client().get("/rmm/attention")
    page = said(answer)
    assert "3 alerts wait for a client" in page
    assert "Map it" in page
    assert "The ticket could not be made" in page
    assert "It broke." in page
    assert "It is kept and tried again by itself" in page
    assert "could not be read" in page
    assert "The vendor is away." in page
    assert "SECRET-BODY" not in answer.text
    assert "Nothing needs attention" not in page
    assert "Map it" not in said(world.client("technician").get("/rmm/attention"))


def test_empty_pages_say_what_will_be_there(world: World) -> None:
    browser = world.client()
    assert "No RMM is connected yet" in said(browser.get("/rmm/"))
    assert "No alerts yet" in said(browser.get("/rmm/alerts"))
    assert "No devices yet" in said(browser.get("/rmm/devices"))
    assert "No runs yet" in said(browser.get("/rmm/jobs"))
    assert "Nothing needs attention" in said(browser.get("/rmm/attention"))


def test_the_overview_counts_open_alerts(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, 3)
    world.alerts(connection, 1, status="suppressed")
    world.devices(connection, 2, status="offline")
    page = said(world.client().get("/rmm/"))
    assert "Critical 4" in page
    assert "1 of them is suppressed by a maintenance window." in page
    assert "Offline 2" in page


def test_the_text_search_finds_old_alerts_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_queries, "NEAREST", 5)
    connection = world.connect()
    world.alerts(connection, 30, message="common")
    world.alerts(connection, 1, message="needle", triggered_at=utc_now() - timedelta(days=9))
    assert len(OPEN.findall(world.client().get("/rmm/alerts?q=needle").text)) == 1


def test_sorting_turns_around(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, 60)
    world.devices(connection, 60)
    browser = world.client()
    for path, turned in (("alerts", "oldest"), ("devices", "last")):
        forth = [link for page in walk(browser, f"/rmm/{path}") for link in page]
        back = [link for page in walk(browser, f"/rmm/{path}?sort={turned}") for link in page]
        assert back == list(reversed(forth)), path
    pages = walk(browser, "/rmm/alerts?sort=oldest")
    second = NEXT.search(browser.get("/rmm/alerts?sort=oldest").text)
    assert second is not None
    assert walk(browser, second[1].replace("&amp;", "&"), PREVIOUS) == list(reversed(pages))


def test_a_text_is_paged_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = world.connect()
    world.alerts(connection, 120)
    world.alerts(connection, 30, message="Something else")
    for nearest, matches in ((20_000, 20_000), (40, 20_000), (40, 10)):
        monkeypatch.setattr(alert_queries, "NEAREST", nearest)
        monkeypatch.setattr(alert_queries, "MATCHES", matches)
        pages = walk(world.client(), "/rmm/alerts?q=is full")
        assert [len(page) for page in pages] == [50, 50, 20]
        assert len({link for page in pages for link in page}) == 120


def test_lists_as_csv(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = world.connect()
    world.alerts(connection, 7, message="=cmd()|'x'", client_id="one-c2")
    world.alerts(connection, 2, severity="minor")
    world.devices(connection, 5)
    monkeypatch.setattr(export, "BATCH", 3)
    browser = world.client("read_only")
    answer = browser.get("/rmm/alerts.csv?severity=critical")
    assert answer.mimetype == "text/csv"
    lines = list(csv.reader(answer.text.splitlines()))
    assert lines[0][:3] == ["Triggered", "State", "Severity"]
    assert len(lines) == 8
    assert lines[1][3] == "'=cmd()|'x'"
    assert lines[1][5] == "<script>alert(1)</script>"
    assert len(browser.get("/rmm/devices.csv").text.splitlines()) == 6
    monkeypatch.setattr(export, "MOST", 3)
    assert len(browser.get("/rmm/devices.csv").text.splitlines()) == 4
    assert len(world.client(tenant="two").get("/rmm/alerts.csv").text.splitlines()) == 1


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n"]
)
def test_what_a_spreadsheet_would_compute_is_text(start: str) -> None:
    assert next(csv.reader([export._line([f"{start}1+1"])]))[0] == f"'{start}1+1"


def test_strange_parameters_are_only_parameters(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, 60)
    world.devices(connection, 60)
    odd = "endpoint=x&_scheme=javascript&_external=1&_anchor=a&self=1&state=open&name=%22%3E%3Cscript%3E"
    for path in ("alerts", "devices", "jobs", f"connections/{connection}/organizations", "alerts.csv"):
        answer = world.client().get(f"/rmm/{path}?{odd}")
        assert answer.status_code == 200, path
        assert "javascript:" not in answer.text
        assert '"><script>' not in answer.text
