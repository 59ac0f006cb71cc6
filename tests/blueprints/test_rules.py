"""The list of rules: order, switches, copies, import and export."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from reference_psa.db import db
from rmm_extension.domain.contracts.rules import load_rule
from rmm_extension.models import AlertHistory, AlertRule, Audit, Integration, utc_now
from rmm_extension.services.rules import FORMAT, VERSION
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said

CATCH_ALL = "Every alert opens a ticket"


def stored(world: World, connection: UUID) -> list[AlertRule]:
    """The connection's rules in their order."""
    with world.app.app_context():
        statement = select(AlertRule).where(AlertRule.integration_id == connection)
        return list(db.session.scalars(statement.order_by(AlertRule.priority_order)))


def names(world: World, connection: UUID) -> list[str]:
    """The names of the connection's rules in their order."""
    return [rule.name for rule in stored(world, connection)]


def version(world: World, connection: UUID) -> int:
    """The configuration's version, which every process looks at."""
    with world.app.app_context():
        found = db.session.get(Integration, ("one", connection))
        assert found is not None
        return found.config_version


def address(connection: UUID, *parts: object) -> str:
    """An address below the list."""
    return "/".join(["/rmm/connections", str(connection), "rules", *map(str, parts)])


def document(*rules: dict[str, Any]) -> str:
    """Rules as an export writes them."""
    return json.dumps({"format": FORMAT, "version": VERSION, "rules": list(rules)})


def test_the_list_says_what_each_rule_does(world: World) -> None:
    connection = world.connect()
    world.organizations(connection, ["Northwind"])
    conditions = {"severities": ["critical", "major"], "keywords": ["disk"], "organizationIds": ["o0"]}
    (rule,) = world.rules(connection, "Disks", conditions=conditions, actions={"holdMinutes": 10})
    now = utc_now()
    (alert,) = world.alerts(connection)
    event = {"alert_id": alert, "integration_id": connection, "occurred_at": now, "rule_id": rule}
    event |= {"channel": "webhook", "kind": "triggered", "outcome": "ticket_created", "steps": []}
    world.insert(AlertHistory, [{**event, "at": now - timedelta(days=ago)} for ago in (2, 3, 40)])
    page = said(world.client().get(address(connection)))
    assert "2 rules, asked from the first to the last" in page
    assert "Every alert → : ticket; closes itself" in page
    words = "Severity critical or major and organization Northwind and keyword disk → : waits 10 min; ticket"
    assert words in page
    assert f"{words} 2 2 d ago" in page, "hits of 30 days, and the last one"


def test_a_broken_rule_is_named(world: World) -> None:
    connection = world.connect()
    world.rules(connection, "Broken", conditions={"wings": 2})
    world.rules(connection, "Odd", actions={"boardId": 7})
    page = said(world.client().get(address(connection)))
    assert page.count("Not in force:") == 2


def test_the_list_costs_the_same_for_many_rules(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    browser.get(address(connection))
    with StatementCounter() as few:
        browser.get(address(connection))
    world.rules(connection, *(f"Rule {at}" for at in range(40)), conditions={"organizationIds": ["o0"]})
    with StatementCounter() as many:
        browser.get(address(connection))
    assert len(many.statements) == len(few.statements)


def test_whoever_may_only_see_changes_nothing(world: World) -> None:
    connection = world.connect()
    browser = world.client("technician")
    page = browser.get(address(connection))
    assert CATCH_ALL in said(page)
    for word in ("Delete", "Duplicate", "New rule", "Import"):
        assert word not in said(page)
    assert browser.get(address(connection, "export")).status_code == 200
    assert browser.get(address(connection, "new")).status_code == 403
    (rule,) = stored(world, connection)
    for action in ("move", "switch", "duplicate", "delete", "try"):
        assert browser.post(address(connection, rule.id, action)).status_code == 403, action
    for action in ("order", "import", "catch-all", "try"):
        assert browser.post(address(connection, action)).status_code == 403, action
    assert names(world, connection) == [CATCH_ALL]


def test_no_rules_no_tickets(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    (rule,) = stored(world, connection)
    browser.post(address(connection, rule.id, "delete"))
    page = said(browser.get(address(connection)))
    assert f"“{CATCH_ALL}” is deleted." in page
    assert "No rules, no tickets" in page
    assert "New rule" in page
    assert "No rules, no tickets" in said(browser.get(f"/rmm/connections/{connection}"))
    before = version(world, connection)
    for _ in range(2):
        browser.post(address(connection, "catch-all"))
    page = said(browser.get(address(connection)))
    assert "There are rules already." in page
    assert names(world, connection) == [CATCH_ALL]
    assert version(world, connection) == before + 1
    assert "No rules, no tickets" not in said(browser.get(f"/rmm/connections/{connection}"))


def test_switching_copying_and_deleting(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    (rule,) = stored(world, connection)
    browser.post(address(connection, rule.id, "switch"), data={"active": "0"})
    page = said(browser.get(address(connection)))
    assert f"“{CATCH_ALL}” is off" in page
    assert "All rules are off" in page
    browser.post(address(connection, rule.id, "switch"), data={"active": "1"})
    browser.post(address(connection, rule.id, "duplicate"))
    assert f"“Copy of {CATCH_ALL}” was added, switched off." in said(browser.get(address(connection)))
    assert [rule.is_active for rule in stored(world, connection)] == [True, False]
    browser.post(address(connection, rule.id, "delete"))
    assert names(world, connection) == [f"Copy of {CATCH_ALL}"]


def test_a_deletion_names_its_consequence(world: World) -> None:
    connection = world.connect()
    page = world.client().get(address(connection)).text
    assert (
        f'data-rmm-confirm="Delete the rule “{CATCH_ALL}”? Alerts it would take go to the rules after it'
        in page
    )


def test_the_order_is_changed_by_buttons(world: World) -> None:
    connection = world.connect()
    first, second = world.rules(connection, "B", "C")
    browser = world.client()
    browser.post(address(connection, second, "move"), data={"way": "up"})
    assert "“C” is asked earlier now." in said(browser.get(address(connection)))
    assert names(world, connection) == [CATCH_ALL, "C", "B"]
    browser.post(address(connection, second, "move"), data={"way": "down"})
    browser.post(address(connection, first, "move"), data={"way": "up"})
    assert names(world, connection) == ["B", CATCH_ALL, "C"]


def test_the_order_is_changed_at_once(world: World) -> None:
    connection = world.connect()
    ids = [rule.id for rule in stored(world, connection)] + world.rules(connection, "B", "C")
    browser = world.client()
    before = version(world, connection)
    browser.post(address(connection, "order"), data={"ids": [str(one) for one in reversed(ids)]})
    assert names(world, connection) == ["C", "B", CATCH_ALL]
    assert version(world, connection) == before + 1


def test_an_order_that_is_out_of_date_is_refused(world: World) -> None:
    connection = world.connect()
    ids = world.rules(connection, "B")
    browser = world.client()
    browser.post(address(connection, "order"), data={"ids": [str(one) for one in ids]})
    assert f"The new order leaves out “{CATCH_ALL}”" in said(browser.get(address(connection)))
    assert browser.post(address(connection, "order"), data={"ids": ["rubbish"]}).status_code == 404
    assert names(world, connection) == [CATCH_ALL, "B"]


def test_the_order_takes_the_token_in_a_header(world: World) -> None:
    connection = world.connect()
    ids = [str(rule.id) for rule in stored(world, connection)] + list(map(str, world.rules(connection, "B")))
    world.app.config["WTF_CSRF_ENABLED"] = True
    browser = world.client()
    sent = {"ids": list(reversed(ids))}
    assert browser.post(address(connection, "order"), data=sent).status_code == 400
    token = browser.get(address(connection)).text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = browser.post(address(connection, "order"), data=sent, headers={"X-CSRFToken": token})
    assert answer.status_code == 303
    assert names(world, connection) == ["B", CATCH_ALL]


def test_a_rule_belongs_to_its_connection(world: World) -> None:
    mine, other = world.connect(), world.connect("Other")
    (rule,) = stored(world, other)
    browser = world.client()
    for action in ("move", "switch", "duplicate", "delete", "try"):
        data = {"do": "pattern"} if action == "try" else {}
        assert browser.post(address(mine, rule.id, action), data=data).status_code == 404, action
    assert browser.get(address(mine, rule.id)).status_code == 404
    assert names(world, other) == [CATCH_ALL]


def test_what_is_exported_can_be_imported(world: World) -> None:
    source, target = world.connect("Acme: North & South"), world.connect("Target")
    world.rules(source, "Disks “full”", conditions={"keywords": ["disk"]}, actions={"holdMinutes": 5})
    browser = world.client()
    answer = browser.get(address(source, "export"))
    assert answer.mimetype == "application/json"
    assert 'filename="rules-acme-north-south.json"' in answer.headers["Content-Disposition"]
    file = (io.BytesIO(b"\xef\xbb\xbf" + answer.data), "rules.json")
    sent = browser.post(address(target, "import"), data={"file": file, "how": "replace"})
    assert sent.status_code == 303
    assert "2 rules were imported instead of those there were." in said(browser.get(address(target)))
    copied = json.loads(browser.get(address(target, "export")).data)
    assert copied["rules"] == [load_rule(rule) for rule in json.loads(answer.data)["rules"]]


def test_pasted_rules_stand_behind_the_others(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    browser.post(address(connection, "import"), data={"document": document({"name": "B"}), "how": "append"})
    assert "1 rule was imported behind those there were." in said(browser.get(address(connection)))
    assert names(world, connection) == [CATCH_ALL, "B"]


@pytest.mark.parametrize(
    "sent, words",
    [
        ("", "Choose a file, or paste what an export made."),
        ("{", "This is no JSON: line 1, column 2."),
        ("[" * 100_000, "This JSON cannot be read."),
        ("[]", "This is not a document of rules"),
        (document({"name": ""}), "Rule 1, name: This is empty. Fill it in."),
        (
            document({"name": "Fine"}, {"name": "B", "conditions": {"keywords": ["ok", ""]}}),
            "Rule 2, conditions.keywords.1: This is empty.",
        ),
        (document({"name": "B", "actions": {"boardId": "nowhere"}}), "Rule 1, actions.boardId: This board"),
    ],
)
def test_what_cannot_be_imported_is_said_beside_it(world: World, sent: str, words: str) -> None:
    connection = world.connect()
    answer = world.client().post(address(connection, "import"), data={"document": sent, "how": "replace"})
    assert answer.status_code == 422
    page = said(answer)
    assert "Nothing was imported" in page
    assert words in page
    assert names(world, connection) == [CATCH_ALL]
    if len(sent) < 1000:
        assert sent in page, "what was pasted can be mended"


def test_a_file_that_is_no_text_is_refused(world: World) -> None:
    connection = world.connect()
    data = {"file": (io.BytesIO(b"\xff\xfe\x00"), "rules.json")}
    answer = world.client().post(address(connection, "import"), data=data)
    assert answer.status_code == 422
    assert "This file is no text." in said(answer)


def test_a_file_that_is_too_large_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmm_extension.blueprints.rules.LONGEST_DOCUMENT", 1000)
    connection = world.connect()
    data = {"file": (io.BytesIO(b"[" * 1001), "rules.json")}
    answer = world.client().post(address(connection, "import"), data=data)
    assert answer.status_code == 422
    assert "This is too large: at most 1 MB." in said(answer)


def test_outside_words_are_escaped(world: World) -> None:
    connection = world.connect()
    bad = "<img src=x onerror=alert(1)>"
    (rule,) = world.rules(
        connection, bad, conditions={"keywords": [bad], "organizationIds": [bad]}, description=bad
    )
    world.alerts(connection, message=bad, device_name=bad, alert_class=bad)
    browser = world.client()
    for path in (address(connection), address(connection, rule), address(connection, "new")):
        assert "<img" not in browser.get(path).text, path
    sent = browser.post(address(connection, "import"), data={"document": document({"name": bad, bad: 1})})
    assert "<img" not in sent.text


def test_every_change_is_in_the_activity(world: World) -> None:
    connection = world.connect()
    browser = world.client()
    (rule,) = stored(world, connection)
    browser.post(address(connection, rule.id, "switch"), data={"active": "0"})
    with world.app.app_context():
        found = db.session.scalars(select(Audit.action).where(Audit.tenant_id == "one")).all()
    assert "rule.switched_off" in found
