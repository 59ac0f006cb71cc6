"""The editor of a rule: saving, what is refused, and trying before saving."""

from __future__ import annotations

import dataclasses
import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from reference_psa.db import db
from reference_psa.models import Board
from rmm_extension.models import Alert, AlertRule, OrganizationMapping
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said
from .test_rules import CATCH_ALL, address, stored, version

FILLED: dict[str, Any] = {
    "name": "Disks",
    "is_active": "y",
    "create_ticket": "y",
    "reset_on_close": "y",
    "hold_minutes": "0",
    "reopen_within": "0",
}


def board(world: World) -> str:
    """A board of the host."""
    with world.app.app_context():
        db.session.add(Board(tenant_id="one", id="b-alerts", name="Alerts <1>", position=0, is_default=True))
        db.session.commit()
    return "b-alerts"


def without(world: World, **ports: None) -> None:
    """The host without these ports."""
    mounted = world.app.extensions["rmm"]
    host = dataclasses.replace(mounted.services.host, **ports)
    services = dataclasses.replace(mounted.services, host=host)
    world.app.extensions["rmm"] = dataclasses.replace(mounted, services=services)


def newest(world: World, connection: UUID) -> AlertRule:
    """The last rule of the connection."""
    return stored(world, connection)[-1]


def test_a_rule_is_made(world: World) -> None:
    connection, board_id = world.connect(), board(world)
    browser = world.client()
    more = {"keywords-typed": "disk\r\nvolume", "severities": ["critical", "major"], "board_id": board_id}
    more |= {"assign_to": "one-technician", "title_template": "{{device}}: full", "hold_minutes": "15"}
    answer = browser.post(address(connection, "new"), data={**FILLED, **more})
    assert answer.location == address(connection)
    page = said(browser.get(answer.location))
    assert "“Disks” was added behind the other rules." in page
    assert "Severity critical or major and keyword disk or volume" in page
    assert "waits 15 min; ticket on board Alerts <1>, for technician of one" in page
    rule = newest(world, connection)
    assert rule.conditions == {"severities": ["critical", "major"], "keywords": ["disk", "volume"]}
    assert rule.actions["ticketTemplate"] == {"titleTemplate": "{{device}}: full"}


def test_saving_says_what_changed(world: World) -> None:
    connection = world.connect()
    (rule,) = stored(world, connection)
    browser = world.client()
    before = version(world, connection)
    same = {**FILLED, "name": CATCH_ALL, "auto_resolve": "y"}
    browser.post(address(connection, rule.id), data=same)
    assert f"“{CATCH_ALL}” stays as it was." in said(browser.get(address(connection)))
    browser.post(address(connection, rule.id), data={**same, "hold_minutes": "5", "keywords-typed": "disk"})
    page = said(browser.get(address(connection)))
    assert f"“{CATCH_ALL}” is saved. Changed: Keywords, Minutes to wait before the ticket." in page
    assert version(world, connection) > before


def test_all_errors_at_once_and_nothing_typed_is_lost(world: World) -> None:
    connection = world.connect()
    data = {
        **FILLED,
        "name": " ",
        "message_pattern": "(?=x)",
        "hold_minutes": "soon",
        "reopen_within": "99999",
    }
    data |= {"keywords-typed": "disk", "description_template": "About <{{device}}>", "board_id": "gone"}
    answer = world.client().post(address(connection, "new"), data=data)
    assert answer.status_code == 422
    page = said(answer)
    assert "That was not saved" in page
    assert "Pattern: Look-ahead, look-behind and back-references are not supported" in page
    assert "Minutes to wait before the ticket: Give whole minutes, from 0 to 1,440." in page
    assert "Minutes in which a closed ticket is reopened: Give whole minutes, from 0 to 10,080." in page
    for field in ("name", "message_pattern", "hold_minutes", "reopen_within"):
        assert f'href="#{field}"' in answer.text, field
        assert f'id="{field}"' in answer.text, field
        assert f'id="{field}-error"' in answer.text, field
    assert 'value="soon"' in answer.text
    assert re.search(r'value="disk" checked', answer.text)
    assert "About &lt;{{device}}&gt;" in answer.text
    assert len(stored(world, connection)) == 1


def test_what_the_host_does_not_have_any_more_is_said_at_its_field(world: World) -> None:
    connection = world.connect()
    (rule,) = world.rules(connection, "Old", actions={"boardId": "gone", "notifyUserIds": ["nobody"]})
    browser = world.client()
    page = browser.get(address(connection, rule)).text
    assert "gone (not there any more)" in page
    data = {**FILLED, "board_id": "gone", "notify_users": "nobody", "auto_resolve_status": "gone"}
    answer = browser.post(address(connection, rule), data=data)
    assert answer.status_code == 422
    for words in ("Board: This board does not exist", "Tell: “nobody”: This user does not exist"):
        assert words in said(answer)
    assert "Status when it closes itself: This is not a status of closed tickets" in said(answer)


def test_a_host_without_ports_hides_their_fields_and_keeps_their_values(world: World) -> None:
    connection, board_id = world.connect(), board(world)
    (rule,) = world.rules(connection, "Old", actions={"boardId": board_id, "notifyUserIds": ["one-admin"]})
    without(world, users=None, catalog=None)
    browser = world.client()
    page = browser.get(address(connection, rule)).text
    for name in ("board_id", "priority_override", "assign_to", "auto_resolve_status", "notify_users"):
        assert f'name="{name}"' not in page
    assert browser.post(address(connection, rule), data={**FILLED, "hold_minutes": "5"}).status_code == 303
    kept = newest(world, connection).actions
    assert (kept["boardId"], kept["notifyUserIds"], kept["holdMinutes"]) == (board_id, ["one-admin"], 5)
    assert browser.get(address(connection)).status_code == 200


def test_the_editor_offers_what_was_seen_and_mapped(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, alert_class="DISK_SPACE", activity_type="CONDITION", source_type="agent")
    rows = [
        {"external_id": "o1", "name": "Zed", "client_id": "one-c0"},
        {"external_id": "o2", "name": "Alpha"},
    ]
    world.insert(OrganizationMapping, [{"integration_id": connection, **row} for row in rows])
    page = said(world.client().get(address(connection, "new")))
    for words in ("Zed – Alpha", "DISK_SPACE", "CONDITION", "agent"):
        assert words in page


def test_the_editor_costs_the_same_for_many_organizations(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    world.alerts(connection)
    world.organizations(connection, ["One"], client_id="one-c0")
    browser.get(address(connection, "new"))
    with StatementCounter() as few:
        browser.get(address(connection, "new"))
    rows = [{"external_id": f"x{at}", "name": f"X {at}", "client_id": "one-c1"} for at in range(60)]
    world.insert(OrganizationMapping, [{"integration_id": connection, **row} for row in rows])
    with StatementCounter() as many:
        browser.get(address(connection, "new"))
    assert len(many.statements) == len(few.statements)


@pytest.mark.parametrize(
    "pattern, sample, words",
    [
        ("Disk [0-9]", "Disk 7 is full", "Found"),
        ("disk [0-9]", "Disk 7 is full", "Not found"),
        ("(", "Disk 7 is full", "Not a pattern"),
        ("", "Disk 7 is full", "Type a pattern"),
    ],
)
def test_a_pattern_is_tried(world: World, pattern: str, sample: str, words: str) -> None:
    connection = world.connect()
    data = {**FILLED, "message_pattern": pattern, "sample": sample, "do": "pattern"}
    browser = world.client()
    alone = browser.post(address(connection, "try"), data=data)
    assert said(alone).startswith(words)
    page = browser.post(address(connection, "new"), data=data)
    assert page.status_code == 200
    assert words in said(page)
    assert 'value="Disks"' in page.text
    assert len(stored(world, connection)) == 1


def test_the_sample_is_a_real_alert(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, message="Volume <D:> is full")
    page = world.client().get(address(connection, "new")).text
    assert re.search(r'<textarea[^>]* id="sample"[^>]*>\s*Volume &lt;D:&gt; is full', page)


def test_the_tickets_words_are_shown(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, device_name="SRV-1", message="Disk is full")
    (older,) = world.alerts(connection, device_name="SRV-2", message="Backup failed")
    browser = world.client()
    data = {**FILLED, "title_template": "Mind {{device}}", "keywords-typed": "backup", "do": "preview"}
    data["preview_alert"] = str(older)
    for answer in (
        browser.post(address(connection, "try"), data=data),
        browser.post(address(connection, "new"), data=data),
    ):
        assert "Mind SRV-2" in said(answer)
        assert "The rule takes this alert" in said(answer)
    answer = browser.post(address(connection, "try"), data={**data, "name": "", "hold_minutes": "soon"})
    assert "Minutes to wait before the ticket: Give whole minutes" in said(answer)
    assert "Name" not in said(answer), "a rule that has no name yet can be tried"


def test_without_an_alert_there_are_no_words(world: World) -> None:
    connection = world.connect()
    assert "There is no alert yet" in said(world.client().get(address(connection, "new")))


def test_past_alerts_are_asked(world: World) -> None:
    connection = world.connect()
    world.organizations(connection, ["Zed"], client_id="one-c0")
    (rule,) = stored(world, connection)
    world.alerts(connection, 3, external_organization_id="o0", client_id="one-c0", severity="critical")
    world.alerts(connection, 2, external_organization_id="o0", client_id="one-c0", severity="minor")
    browser = world.client()
    data = {**FILLED, "name": "", "severities": "critical", "do": "dry_run", "days": "7"}
    new = said(browser.post(address(connection, "try"), data=data))
    assert "0 alerts of 5 would be taken by this rule." in new
    assert f"{CATCH_ALL} 3 alerts that this rule would match" in new
    own = browser.post(address(connection, rule.id, "try"), data=data)
    assert "3 alerts of 5 would be taken by this rule." in said(own)
    assert "New tickets 3" in said(own)
    assert 'width="60.00"' in own.text
    page = browser.post(
        address(connection, rule.id), data={**data, "name": "Changed", "keywords-typed": "disk"}
    )
    assert page.status_code == 200
    assert "3 alerts of 5" in said(page)
    assert 'value="Changed"' in page.text
    assert re.search(r'value="disk" checked', page.text)
    assert stored(world, connection)[0].name == CATCH_ALL


def test_a_try_changes_nothing(world: World) -> None:
    connection = world.connect()
    world.alerts(connection, 2)
    browser = world.client()
    before = version(world, connection)
    for part in ("pattern", "preview", "dry_run"):
        data = {**FILLED, "message_pattern": "x", "do": part}
        assert browser.post(address(connection, "try"), data=data).status_code == 200
    assert version(world, connection) == before
    with world.app.app_context():
        assert (
            db.session.scalar(select(func.count()).select_from(Alert).where(Alert.ticket_id.isnot(None))) == 0
        )


def test_past_alerts_are_not_asked_for_a_rule_that_is_wrong(world: World) -> None:
    connection = world.connect()
    data = {**FILLED, "message_pattern": "(", "do": "dry_run"}
    answer = world.client().post(address(connection, "try"), data=data)
    assert answer.status_code == 200
    assert "Past alerts can be asked once this is right: Pattern: Not a valid pattern" in said(answer)


def test_unknown_tries_are_not_found(world: World) -> None:
    connection = world.connect()
    assert world.client().post(address(connection, "try"), data={"do": "explode"}).status_code == 404
    assert world.client().post(address(connection, "try")).status_code == 404


def test_another_tenants_alert_is_not_shown(world: World) -> None:
    connection = world.connect()
    theirs = world.connect("Theirs", tenant="two")
    (alert,) = world.alerts(theirs, tenant_id="two", message="Secret alert")
    data = {**FILLED, "do": "preview", "preview_alert": str(alert)}
    answer = world.client().post(address(connection, "try"), data=data)
    assert "Secret" not in answer.text
