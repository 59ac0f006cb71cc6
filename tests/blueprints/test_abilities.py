"""What a vendor lacks is absent from its connection: no tab, no page, no button, no sentence about it."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from sqlalchemy import select

from reference_psa.db import db
from rmm_extension.models import AlertRule, JobRun

from .conftest import World, said

ALERTS = ("Rules", "Maintenance")
ALWAYS = {"Overview", "Health", "Settings", "Activity"}
TABS = re.compile(r'<ul class="rmm-tabs">.*?</ul>', re.S)
GET_OF_ALERTS = ("rules", "rules/export", "rules/new", "maintenance")
POST_OF_ALERTS = ("rules/import", "rules/catch-all", "rules/order", "rules/try", "rules/new")


def tabs_of(world: World, connection: UUID) -> dict[str, str]:
    """The labels of the tabs and where they lead."""
    nav = TABS.search(world.client().get(f"/rmm/connections/{connection}").text)
    assert nav is not None
    return {label: href for href, label in re.findall(r'<a[^>]*href="([^"]+)"[^>]*>([^<]+)</a>', nav[0])}


@pytest.mark.parametrize(
    "provider, more",
    [
        ("acme", {"Organizations", *ALERTS, "Proposals", "Webhook", "Sync", "Permissions"}),
        ("single", {"Organizations", *ALERTS, "Proposals", "Webhook", "Sync"}),
        ("stock", {"Organizations", "Proposals", "Sync"}),
        ("bare", set()),
    ],
)
def test_a_connection_has_the_parts_that_its_vendor_has(world: World, provider: str, more: set[str]) -> None:
    connection = world.connect(provider=provider)
    found = tabs_of(world, connection)
    assert set(found) == ALWAYS | more
    for label, href in found.items():
        assert world.client().get(href).status_code == 200, label


@pytest.mark.parametrize("provider", ["stock", "bare"])
def test_without_alerts_there_are_no_rules_and_no_windows(world: World, provider: str) -> None:
    connection = world.connect(provider=provider)
    browser, base = world.client(), f"/rmm/connections/{connection}"
    with world.app.app_context():
        (rule,) = db.session.scalars(select(AlertRule)).all()
    for part in (*GET_OF_ALERTS, f"rules/{rule.id}"):
        answer = browser.get(f"{base}/{part}")
        assert answer.status_code == 404, part
    assert "RMM has no such page, for it has nothing of the kind." in said(answer)
    each = [f"rules/{rule.id}/{action}" for action in ("move", "switch", "duplicate", "delete", "try")]
    for part in (*POST_OF_ALERTS, *each, "polling"):
        assert browser.post(f"{base}/{part}", data={"every": "5"}).status_code == 404, part
    with world.app.app_context():
        (left,) = db.session.scalars(select(AlertRule)).all()
        assert (left.name, left.is_active) == (rule.name, rule.is_active)


POST_OF_DEVICES = (
    *("schedule", "software", "patches", "proposals", "organizations/match"),
    *("webhook/on", "permissions"),
)


def test_without_devices_nothing_of_them_is_set_or_proposed(world: World) -> None:
    connection = world.connect(provider="bare")
    browser, base = world.client(), f"/rmm/connections/{connection}"
    for part in ("sync", "proposals", "organizations", "webhook", "permissions"):
        assert browser.get(f"{base}/{part}").status_code == 404, part
    for part in POST_OF_DEVICES:
        assert browser.post(f"{base}/{part}").status_code == 404, part


@pytest.mark.parametrize(
    "provider, what",
    [
        ("single", "alerts"),
        ("single", "software"),
        ("single", "patches"),
        ("stock", "alerts"),
        ("bare", "organizations"),
        ("bare", "devices"),
        ("bare", "devices_full"),
    ],
)
def test_what_a_vendor_lacks_cannot_be_synced(world: World, provider: str, what: str) -> None:
    connection = world.connect(provider=provider)
    answer = world.client().post(f"/rmm/connections/{connection}/sync", data={"what": what})
    assert answer.status_code == 400
    assert "RMM lists no " in said(answer)
    with world.app.app_context():
        assert db.session.scalars(select(JobRun)).all() == []


def test_a_vendor_without_alerts_is_not_reproached_for_having_no_rules(world: World) -> None:
    connection = world.connect(provider="stock")
    with world.app.app_context():
        for rule in db.session.scalars(select(AlertRule)):
            rule.is_active = False
        db.session.commit()
    for part in ("", "/health"):
        page = said(world.client().get(f"/rmm/connections/{connection}{part}"))
        for word in ("rules", "Rules", "webhook", "Deliveries", "alerts"):
            assert word not in page.partition("Activity")[2], (part, word)
    assert "Devices" in said(world.client().get(f"/rmm/connections/{connection}"))


def test_a_vendor_that_does_nothing_yet_shows_nothing_to_sync(world: World) -> None:
    connection = world.connect(provider="bare")
    page = said(world.client().get(f"/rmm/connections/{connection}")).partition("Activity")[2]
    for word in ("Organizations mapped", "Last sync", "Sync devices", "routine sync", "Active alerts"):
        assert word not in page, word
    page = said(world.client().get(f"/rmm/connections/{connection}/health"))
    assert "Every organization has a client" not in page


@pytest.mark.parametrize("provider, asked", [("acme", True), ("single", True), ("stock", False)])
def test_the_rule_for_every_alert_is_offered_where_there_are_alerts(
    world: World, provider: str, asked: bool
) -> None:
    browser, path = world.client(), f"/rmm/connect/{provider}/api_key"
    assert ("Every alert opens a ticket" in said(browser.get(path))) is asked
    typed = {"name": "New", "field_instance_url": "https://rmm.example.com", "field_api_key": "k" * 12}
    answer = browser.post(path, data={**typed, "catch_all": "y"})
    assert answer.status_code == 303, said(answer)
    with world.app.app_context():
        assert bool(db.session.scalars(select(AlertRule)).all()) is asked
