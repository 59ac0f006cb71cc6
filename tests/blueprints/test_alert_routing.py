"""The page of a connection's routing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from reference_psa.db import db
from reference_psa.models import Board, Category, Priority
from rmm_extension.models import Audit, Integration

from .conftest import World, said
from .test_rule_editor import without
from .test_rules import address, stored

SEVERITIES = ("critical", "major", "minor")
"""Those that the vendor's alerts have."""


@pytest.fixture
def connection(world: World) -> UUID:
    """Of a vendor that routes, in a PSA with a board, priorities and a category."""
    with world.app.app_context():
        db.session.add(Board(tenant_id="one", id="b1", name="Security <1>", position=0, is_default=True))
        for at, name in enumerate(("Urgent", "P2", "Low")):
            db.session.add(Priority(tenant_id="one", id=name.lower(), name=name, position=at))
        db.session.add(Category(tenant_id="one", id="sec", name="Security", position=0))
        db.session.add(Category(tenant_id="one", id="inc", name="Incident", parent_id="sec", position=0))
        db.session.commit()
    return world.connect(provider="routed")


def page(connection: UUID) -> str:
    return f"/rmm/connections/{connection}/routing"


def filled(**changes: str) -> dict[str, str]:
    priorities = {f"priority_{severity}": "low" for severity in SEVERITIES}
    ids = {"board_id": "b1", "category_id": "sec", "subcategory_id": "inc", "fallback_board_id": "b1"}
    return {**ids, "fallback_client_id": "one-c0", **priorities, **changes}


def kept(world: World, connection: UUID) -> dict[str, Any]:
    with world.app.app_context():
        row = db.session.get_one(Integration, ("one", connection))
        return dict(row.settings["routing"])


def test_a_new_connection_has_priorities_by_name_and_a_rule_that_uses_them(
    world: World, connection: UUID
) -> None:
    by_name = {"critical": "urgent", "minor": "low"}
    assert kept(world, connection) == {"priorityBySeverity": by_name}
    (rule,) = stored(world, connection)
    assert rule.name == "Every alert opens a ticket by the routing"
    assert (rule.actions["useRouting"], rule.actions["autoResolveTicket"]) == (True, False)
    assert "ticket by the routing" in said(world.client().get(address(connection)))


def test_another_vendors_connection_keeps_its_rule_and_has_no_routing(world: World) -> None:
    other = world.connect()
    (rule,) = stored(world, other)
    assert (rule.name, "useRouting" in rule.actions) == ("Every alert opens a ticket", False)
    browser = world.client()
    assert browser.get(page(other)).status_code == 404
    assert browser.post(page(other), data=filled()).status_code == 404
    assert "Routing" not in said(browser.get(f"/rmm/connections/{other}"))


def test_the_routing_is_saved(world: World, connection: UUID) -> None:
    browser = world.client()
    before = said(browser.get(page(connection)))
    assert (
        "Not complete yet: no board, no priority for major, no fallback client, no fallback board." in before
    )
    answer = browser.post(page(connection), data=filled())
    assert answer.location == page(connection)
    after = browser.get(page(connection))
    assert "The routing is saved. Alerts that waited for it get their tickets now." in said(after)
    assert "Not complete yet" not in said(after)
    routing = kept(world, connection)
    assert (routing["boardId"], routing["subcategoryId"]) == ("b1", "inc")
    assert routing["priorityBySeverity"] == dict.fromkeys(SEVERITIES, "low")
    with world.app.app_context():
        assert "connection.settings_saved" in [row.action for row in db.session.query(Audit)]


def test_only_severities_of_the_vendor_are_asked_for(world: World, connection: UUID) -> None:
    text = said(world.client().get(page(connection)))
    assert "Priority of minor alerts" in text
    assert "moderate" not in text
    assert "without a severity" not in text
    world.client().post(page(connection), data=filled(priority_moderate="low", priority_none="gone"))
    assert set(kept(world, connection)["priorityBySeverity"]) == set(SEVERITIES)


def test_a_part_may_be_saved_and_the_page_says_what_is_missing(world: World, connection: UUID) -> None:
    world.alerts(connection, 2, attention="routing_incomplete")
    browser = world.client()
    browser.post(page(connection), data=filled(fallback_client_id=""))
    text = said(browser.get(page(connection)))
    assert "It is not complete yet: no fallback client." in text
    assert "Not complete yet: no fallback client. 2 alerts wait for it without a ticket" in text


def test_what_is_gone_is_refused_at_its_field(world: World, connection: UUID) -> None:
    before = kept(world, connection)
    answer = world.client().post(page(connection), data=filled(board_id="gone", subcategory_id="sec"))
    assert answer.status_code == 422
    text = said(answer)
    assert "Board: This board does not exist (any more). Choose another one." in text
    assert "Subcategory: This is no subcategory of the chosen category." in text
    assert "gone (not there any more)" in text
    assert kept(world, connection) == before


def test_only_who_may_configure_sees_it(world: World, connection: UUID) -> None:
    for role in ("technician", "readonly"):
        assert world.client(role).get(page(connection)).status_code in (302, 403, 404)
    assert "Routing" in said(world.client().get(f"/rmm/connections/{connection}"))


def test_without_categories_the_fields_are_absent(world: World, connection: UUID) -> None:
    without(world, categories=None)
    text = said(world.client().get(page(connection)))
    assert "Fallback board" in text
    assert "Subcategory" not in text
    saved = filled()
    del saved["category_id"], saved["subcategory_id"]
    assert world.client().post(page(connection), data=saved).status_code == 303


def test_an_alert_that_waits_leads_to_the_page(world: World, connection: UUID) -> None:
    (alert,) = world.alerts(connection, 1, attention="routing_incomplete")
    for url in (f"/rmm/alerts/{alert}", "/rmm/attention"):
        answer = world.client().get(url)
        assert "Complete it on the connection's page Routing" in said(answer), url
        assert page(connection) in answer.text, url


def test_the_switch_is_in_the_editor_of_rules_that_can_use_it(world: World, connection: UUID) -> None:
    label = "Use the connection's routing"
    browser = world.client()
    assert label in said(browser.get(address(connection, "new")))
    other = world.connect()
    assert label not in said(browser.get(address(other, "new")))


def test_a_document_with_the_switch_is_refused_where_there_is_no_routing(world: World) -> None:
    other = world.connect()
    rule = '{"name": "A", "actions": {"useRouting": true}}'
    document = f'{{"format": "rmm-alert-rules", "version": 1, "rules": [{rule}]}}'
    answer = world.client().post(address(other, "import"), data={"document": document, "how": "add"})
    assert "Connections of this vendor have no routing." in said(answer)


def test_an_alerts_page_has_the_vendors_words(world: World, connection: UUID) -> None:
    words = {"title": "Incident on <PC-1>", "report": "A stealer ran.\nIsolate it.", "vendor_status": "sent"}
    (alert,) = world.alerts(connection, 1, **words)
    text = said(world.client().get(f"/rmm/alerts/{alert}"))
    for part in ("Incident on <PC-1>", "Report A stealer ran. Isolate it.", "Vendor's status Sent"):
        assert part in text
    assert "Incident on <PC-1>" in said(world.client().get("/rmm/alerts"))


def test_the_connections_page_says_what_is_missing(world: World, connection: UUID) -> None:
    browser, overview = world.client(), f"/rmm/connections/{connection}"
    text = said(browser.get(overview))
    assert "The routing is not complete (no board, no priority for major, no fallback client," in text
    browser.post(page(connection), data=filled())
    assert "The routing is not complete" not in said(browser.get(overview))
    assert "The routing is not complete" not in said(browser.get(f"/rmm/connections/{world.connect()}"))
