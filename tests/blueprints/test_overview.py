"""The overview and the host's dashboard: right figures, told without colour, at a constant cost."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from rmm_extension.models import WebhookDelivery, utc_now
from rmm_extension.services.queries import overview
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said

NOON = datetime.combine(utc_now().date(), time(12), UTC)


def resolved(world: World, connection: UUID, minutes: int, **more: Any) -> list[UUID]:
    """An alert of today's midnight that lasted so long."""
    start = NOON - timedelta(days=1)
    end = start + timedelta(minutes=minutes)
    values = {"status": "resolved", "triggered_at": start, "last_event_at": end, "resolved_at": end}
    return world.alerts(connection, 1, **values, **more)


def read(world: World, question: Any, *arguments: Any) -> Any:
    """What a query of the overview answers for tenant ``one``."""
    with world.app.app_context():
        session = world.rmm.db.session()
        found = question(session, "one", *arguments)
        session.commit()
        return found


class TestFigures:
    """Each query by itself."""

    def test_open_alerts(self, world: World) -> None:
        connection = world.connect()
        world.alerts(connection, 3)
        world.alerts(connection, 2, severity="minor", status="acknowledged")
        world.alerts(connection, 1, severity="minor", status="suppressed")
        world.alerts(connection, 4, status="resolved", resolved_at=utc_now() + timedelta(minutes=1))
        world.alerts(world.connect("Other", "two"), 5, tenant_id="two")
        found = read(world, overview.open_alerts)
        assert list(found.by_severity.items()) == [("critical", 3), ("minor", 3)]
        assert (found.total, found.suppressed) == (6, 1)

    def test_noise_counts_by_the_day_in_utc(self, world: World) -> None:
        connection, today = world.connect(), NOON.date()
        midnight = datetime.combine(today, time(), UTC)
        for at, number, made in (
            (midnight, 2, True),
            (midnight - timedelta(microseconds=1), 3, False),
            (midnight - timedelta(days=13), 1, True),
            (midnight - timedelta(days=13, microseconds=1), 7, True),
        ):
            world.alerts(connection, number, triggered_at=at, auto_ticket_created=made)
        found = read(world, overview.noise, today, 14)
        assert len(found) == 14
        counted = {(today - one.day).days: (one.alerts, one.tickets) for one in found if one.alerts}
        assert counted == {0: (2, 2), 1: (3, 0), 13: (1, 1)}
        assert [one.day for one in found] == sorted(one.day for one in found)

    def test_what_never_fired_is_no_noise(self, world: World) -> None:
        resolved(world, world.connect(), 0)
        assert sum(one.alerts for one in read(world, overview.noise, NOON.date(), 14)) == 0
        assert read(world, overview.times_to_resolve, NOON.date() - timedelta(days=30)) == []

    def test_times_to_resolve(self, world: World) -> None:
        connection = world.connect()
        for minutes in (10, 20, 90):
            resolved(world, connection, minutes)
        resolved(world, connection, 5, severity="none")
        world.alerts(connection, 2)
        first, second = read(world, overview.times_to_resolve, NOON.date() - timedelta(days=30))
        assert (first.severity, first.alerts) == ("critical", 3)
        assert (first.median, first.mean) == (timedelta(minutes=20), timedelta(minutes=40))
        assert (second.severity, second.median) == ("none", timedelta(minutes=5))
        assert read(world, overview.times_to_resolve, NOON.date() + timedelta(days=1)) == []

    def test_the_conditions_that_fire_most(self, world: World) -> None:
        first, second = world.connect("First"), world.connect("Second")
        (device,) = world.devices(first, 1)
        world.alerts(first, 3, dedup_key="often", device_id=device, ticket_id="t1", message="Disk full")
        world.alerts(second, 2, dedup_key="often", message=None, alert_class="check")
        world.alerts(first, 1, dedup_key="once")
        world.alerts(first, 9, dedup_key="long ago", triggered_at=NOON - timedelta(days=40))
        found = read(world, overview.top_conditions, NOON.date() - timedelta(days=29))
        assert [(row.firings, row.words, row.ticket_id) for row in found] == [
            (3, "Disk full", "t1"),
            (2, "check", None),
        ]
        assert (found[0].device_id, found[0].device_name) == (device, "PC-0000")
        assert len(read(world, overview.top_conditions, NOON.date(), 1)) == 1

    def test_devices(self, world: World) -> None:
        connection = world.connect()
        world.devices(connection, 2)
        old = utc_now() - timedelta(days=8)
        world.devices(connection, 1, status="offline", last_seen_at=old)
        (oldest,) = world.devices(connection, 1, status="offline", last_seen_at=old - timedelta(days=1))
        world.devices(connection, 3, last_seen_at=old, deleted_at=old)
        world.devices(connection, 1, status="unknown", last_seen_at=None)
        found = read(world, overview.devices)
        assert (found.by_status, found.stale) == ({"online": 2, "offline": 2, "unknown": 1}, 2)
        listed = read(world, overview.stale_devices)
        assert (len(listed), listed[0].id) == (2, oldest)

    def test_what_needs_attention(self, world: World) -> None:
        connection = world.connect()
        world.alerts(connection, 2, attention="no_client")
        world.organizations(connection, ["A", "B"], last_error="Hm")
        world.run(connection, status="failed")
        world.run(connection, status="failed", queued_at=utc_now() - timedelta(days=2))
        for state in ("failed", "quarantined", "done"):
            row = {
                "integration_id": connection,
                "provider": "acme",
                "state": state,
                "attempts": 0,
                "reason": "It failed.",
                "body": b"{}",
            }
            world.insert(WebhookDelivery, [{**row, "received_at": NOON}])
        found = read(world, overview.attention)
        assert found == overview.Attention(2, 0, 2, 2, 1, 0, 0, 0)
        assert found.total == 7


class TestThePage:
    """What a person sees."""

    def test_empty_it_says_what_to_do(self, world: World) -> None:
        page = said(world.client().get("/rmm/"))
        assert "No RMM is connected yet" in page
        assert "Connect an RMM" in page

    def test_connected_and_quiet(self, world: World) -> None:
        world.devices(world.connect(), 1)
        page = said(world.client("read_only").get("/rmm/"))
        for words in (
            "No alert is open.",
            "No alert in 14 days.",
            "Nothing fired more than once.",
            "No alert of this time is over yet.",
            "Every device was seen lately.",
        ):
            assert words in page

    def test_full(self, world: World) -> None:
        connection = world.connect("<b>HQ</b>")
        world.alerts(connection, 3, dedup_key="k", message="<script>alert(1)</script>")
        world.alerts(connection, 1, severity="minor", attention="ticket_failed", auto_ticket_created=True)
        resolved(world, connection, 90)
        world.devices(connection, 1, status="offline", last_seen_at=utc_now() - timedelta(days=9))
        answer = world.client("technician").get("/rmm/")
        page = said(answer)
        for words in (
            "Critical 3",
            "Minor 1",
            "5 alerts in 14 days made 1 ticket: 5.0 alerts a ticket.",
            "1 alert without the ticket or reset it should have",
            "Critical 1 1 h 1 h",
            "Not seen for 7 days 1",
        ):
            assert words in page
        assert "<script>alert" not in answer.text
        assert "<b>HQ" not in answer.text

    @pytest.mark.parametrize("days", [14, 30])
    def test_days_are_chosen_by_the_address(self, world: World, days: int) -> None:
        world.alerts(world.connect(), 1)
        answer = world.client().get(f"/rmm/?days={days}")
        assert answer.text.count('class="rmm-day"') == days
        assert f"1 alert in {days} days" in said(answer)
        assert f'<strong aria-current="true">{days} days' in answer.text

    def test_every_chart_has_its_text_and_its_table(self, world: World) -> None:
        connection = world.connect()
        world.alerts(connection, 2)
        world.devices(connection, 1)
        for path in ("/rmm/", "/"):
            text = world.client().get(path).text
            charts = re.findall(r'<svg [^>]*role="img" aria-labelledby="(\S+) (\S+)"', text)
            assert charts
            for title, described in charts:
                assert re.search(rf'<title id="{title}">[^<]+</title>', text)
                assert re.search(rf'<desc id="{described}">[^<]+</desc>', text)
            ids = re.findall(r'\bid="([^"]+)"', text)
            assert len(ids) == len(set(ids))
            assert " style=" not in re.search(r'(?s)<section class="rmm.*', text)[0]  # type: ignore[index]
        assert text.count("Show as a table") == 2

    def test_other_tenants_are_not_counted(self, world: World) -> None:
        world.connect()
        other = world.connect("Other", "two")
        world.alerts(other, 4, tenant_id="two", attention="no_client")
        world.devices(other, 4, tenant_id="two")
        page = said(world.client().get("/rmm/"))
        assert "No alert is open." in page
        assert "None yet; they come with the first sync" in page


def statements(world: World, path: str) -> int:
    browser = world.client()
    browser.get(path)
    with StatementCounter() as sent:
        browser.get(path)
    return sent.count


def test_the_cost_does_not_grow_with_the_rows(world: World) -> None:
    connection = world.connect()
    for at in range(2):
        world.alerts(connection, 2, dedup_key=f"k{at}", ticket_id="t1", attention="no_client")
        resolved(world, connection, 5)
        world.devices(connection, 1, status="offline", last_seen_at=NOON - timedelta(days=9))
    few = {path: statements(world, path) for path in ("/rmm/", "/")}
    for at in range(9):
        world.alerts(connection, 5, dedup_key=f"m{at}", ticket_id=f"t{at}", attention="no_client")
        resolved(world, connection, 7, severity="major")
        world.devices(connection, 3, status="overdue", last_seen_at=NOON - timedelta(days=9))
    assert {path: statements(world, path) for path in few} == few
    assert few["/rmm/"] <= 16
