"""Rules as a document: out of one connection, into another, wholly or not at all."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from rmm_extension.services import rules
from rmm_extension.services.connections import UnknownConnection
from rmm_extension.services.rules import RuleInvalid
from tests.harness.world import World

from .conftest import Create
from .test_change import audited, order, version


def exported(world: World) -> dict[str, Any]:
    """The document as a file brings it back."""
    with world.unit() as session:
        document = rules.export_rules(session, world.tenant, world.integration_id)
    found: dict[str, Any] = json.loads(json.dumps(document))
    return found


def put(world: World, document: Any, *, replace: bool = False) -> int:
    with world.unit() as session:
        return rules.import_rules(
            world.rmm, session, world.admin, world.integration_id, document, replace=replace
        )


def a_document(*given: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"format": "rmm-alert-rules", "version": 1, "rules": list(given), **changes}


def test_what_was_taken_out_comes_back_the_same(bare: World, create: Create) -> None:
    create("Disks", {"keywords": ["disk"], "messagePattern": "9[0-9]%"}, holdMinutes=10)
    create("Rest", ticketTemplate={"titleTemplate": "{{ device }}"})
    with bare.unit() as session:
        last = rules.create(
            bare.rmm, session, bare.admin, bare.integration_id, rules.RuleDraft("Off", "Why", False)
        )
        assert last.priority_order == 2
    document = exported(bare)
    assert put(bare, document, replace=True) == 3
    assert exported(bare) == document
    assert order(bare) == [("Disks", 0), ("Rest", 1), ("Off", 2)]


def test_it_is_added_behind_what_is_there(bare: World, create: Create) -> None:
    create("A")
    before = version(bare)
    assert put(bare, a_document({"name": "B"}, {"name": "C", "isActive": False})) == 2
    assert order(bare) == [("A", 0), ("B", 1), ("C", 2)]
    assert version(bare) == before + 1
    action, subject, changes = audited(bare)[-1]
    assert (action, subject) == ("rules.imported", "Tactical")
    assert changes == {"rules": "B, C", "placed": "behind the rules there were"}


def test_another_connections_rules_are_left_alone_by_a_replacement(bare: World) -> None:
    other = World(bare.app).connect(name="Second")
    put(bare, a_document({"name": "B"}), replace=True)
    assert order(other) == [("Rule 0", 0)]


@pytest.mark.parametrize(
    "document, errors",
    [
        (None, {""}),
        ([], {""}),
        ({"rules": []}, {""}),
        (a_document({"name": "A"}, format="other"), {""}),
        (a_document({"name": "A"}, version=2), {"version"}),
        (a_document({"name": "A"}, version=True), {"version"}),
        (a_document({"name": "A"}, tenant="x", owner="y"), {"tenant", "owner"}),
        (a_document(), {"rules"}),
        (a_document(rules={"name": "A"}), {"rules"}),
        (a_document(*[{"name": "A"}] * 501), {"rules"}),
        (a_document({"name": "A"}, "B", 5), {"rules.1", "rules.2"}),
        (a_document({"name": "A"}, {"name": "B", "id": "1"}), {"rules.1.id"}),
        (
            a_document(
                {"conditions": {"severities": ["huge"]}},
                {"name": "B", "isActive": 1, "actions": {"boardId": 5}},
            ),
            {
                "rules.0.name",
                "rules.0.conditions.severities.0",
                "rules.1.isActive",
                "rules.1.actions.boardId",
            },
        ),
        # Ids the host does not have: all of them at once, when the form is right.
        (
            a_document(
                {"name": "A", "actions": {"boardId": "gone"}},
                {"name": "B"},
                {"name": "C", "actions": {"notifyUserIds": ["gone"], "priorityOverride": "gone"}},
            ),
            {
                "rules.0.actions.boardId",
                "rules.2.actions.notifyUserIds.0",
                "rules.2.actions.priorityOverride",
            },
        ),
    ],
)
def test_a_wrong_document_changes_nothing_and_says_everything(
    bare: World, create: Create, document: Any, errors: set[str]
) -> None:
    create("A")
    before = version(bare)
    with pytest.raises(RuleInvalid) as caught:
        put(bare, document, replace=True)
    assert set(caught.value.errors) == errors
    assert (order(bare), version(bare)) == ([("A", 0)], before)


def test_checking_many_rules_asks_the_host_once(bare: World, statement_counter: Any) -> None:
    board = bare.one("SELECT id FROM boards WHERE tenant_id = :tenant LIMIT 1", tenant=bare.tenant)
    given = [{"name": f"R{number}", "actions": {"boardId": board}} for number in range(50)]
    with statement_counter() as sent:
        put(bare, a_document(*given[:2]))
    few = sent.count
    with statement_counter() as sent:
        put(bare, a_document(*given))
    assert sent.count == few, sent


def test_there_is_no_document_of_no_connection(bare: World) -> None:
    with bare.unit() as session:
        with pytest.raises(UnknownConnection):
            rules.export_rules(session, bare.tenant, uuid4())
        with pytest.raises(UnknownConnection):
            rules.export_rules(session, "another", bare.integration_id)
