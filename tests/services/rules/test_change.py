"""Making, changing, copying, switching and deleting rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from rmm_extension.host import Actor
from rmm_extension.services import rules
from rmm_extension.services.connections import UnknownConnection
from rmm_extension.services.rules import RuleDraft, RuleInvalid, UnknownRule
from tests.harness.world import World

from .conftest import Create


def order(world: World) -> list[tuple[str, int]]:
    """Names and places of the connection's rules, as they are asked."""
    found = world.rows(
        "SELECT name, priority_order FROM rmm_alert_rules WHERE integration_id = :id"
        " ORDER BY priority_order, id",
        id=world.integration_id,
    )
    return [(row["name"], row["priority_order"]) for row in found]


def version(world: World) -> int:
    found: int = world.one(
        "SELECT config_version FROM rmm_integrations WHERE id = :id", id=world.integration_id
    )
    return found


def audited(world: World) -> list[tuple[str, str, dict[str, Any]]]:
    """Actions on rules in the audit, oldest first."""
    found = world.rows(
        "SELECT action, subject_name, changes FROM rmm_audit WHERE action LIKE 'rule%' ORDER BY id"
    )
    return [(row["action"], row["subject_name"], row["changes"]) for row in found]


def stored(world: World, rule_id: UUID) -> dict[str, Any]:
    (row,) = world.rows("SELECT * FROM rmm_alert_rules WHERE id = :id", id=rule_id)
    return row


def host_id(world: World, table: str, where: str = "TRUE") -> str:
    found: str = world.one(
        f"SELECT id FROM {table} WHERE tenant_id = :tenant AND {where} ORDER BY id LIMIT 1",
        tenant=world.tenant,
    )
    return found


class TestCreate:
    def test_the_first_gets_place_0_and_each_next_one_stands_behind_all(
        self, bare: World, create: Create
    ) -> None:
        first, _, third = create("A"), create("B"), create("C")
        assert order(bare) == [("A", 0), ("B", 1), ("C", 2)]
        with bare.unit() as session:
            rules.delete(bare.rmm, session, bare.admin, first)
        create("D")
        assert order(bare) == [("B", 1), ("C", 2), ("D", 3)]
        assert stored(bare, third)["priority_order"] == 2

    def test_it_is_stored_with_its_defaults_trimmed(self, bare: World) -> None:
        draft = RuleDraft("  Disk \n space ", "  ", conditions={"keywords": [" disk ", "disk"]})
        with pytest.raises(RuleInvalid):
            keep(bare, draft)
        row = stored(bare, keep(bare, replace(draft, description=" Long. ")))
        assert (row["name"], row["description"], row["is_active"]) == ("Disk space", "Long.", True)
        assert row["conditions"] == {"keywords": ["disk"]}
        assert row["actions"]["createTicket"] is True
        assert row["actions"]["holdMinutes"] == 0

    def test_it_is_in_the_audit_with_what_it_says(self, bare: World, create: Create) -> None:
        create("Disks", {"keywords": ["disk", "full"]}, holdMinutes=10)
        ((action, name, changes),) = audited(bare)
        assert (action, name) == ("rule.created", "Disks")
        assert changes["keywords"] == [None, ["disk", "full"]]
        assert changes["holdMinutes"] == [None, 10]

    def test_all_mistakes_are_told_at_once_and_nothing_is_written(self, bare: World) -> None:
        before = version(bare)
        draft = RuleDraft(
            "",
            "x" * 2001,
            conditions={"keywords": ["ok", " "], "messagePattern": "(?=x)"},
            actions={"holdMinutes": 1441, "ticketTemplate": {"titleTemplate": " "}},
        )
        with pytest.raises(RuleInvalid) as caught:
            keep(bare, draft)
        assert set(caught.value.errors) == {
            "name",
            "description",
            "conditions.keywords.1",
            "conditions.messagePattern",
            "actions.holdMinutes",
            "actions.ticketTemplate.titleTemplate",
        }
        assert (order(bare), version(bare), audited(bare)) == ([], before, [])

    def test_a_connection_that_is_not_there_or_of_another_tenant_has_none(self, bare: World) -> None:
        stranger = Actor(id="x", name="X", tenant_id=str(uuid4()))
        with pytest.raises(UnknownConnection), bare.unit() as session:
            rules.create(bare.rmm, session, bare.admin, uuid4(), RuleDraft("A"))
        with pytest.raises(UnknownConnection), bare.unit() as session:
            rules.create(bare.rmm, session, stranger, bare.integration_id, RuleDraft("A"))


class TestTheHostsIds:
    """What actions name must be the host's, now."""

    def test_ids_of_the_host_are_kept(self, bare: World, create: Create) -> None:
        board = host_id(bare, "boards")
        user = host_id(bare, "users", "is_enabled AND role <> 'read_only'")
        wanted = {
            "boardId": board,
            "priorityOverride": host_id(bare, "priorities"),
            "assignToUserId": user,
            "autoResolveStatusId": host_id(bare, "ticket_statuses", "is_closed"),
            "notifyUserIds": [user],
        }
        row = stored(bare, create("A", **wanted))
        assert {name: row["actions"][name] for name in wanted} == wanted

    def test_ids_it_does_not_have_are_refused_each_at_its_place(self, bare: World, create: Create) -> None:
        open_status = host_id(bare, "ticket_statuses", "NOT is_closed")
        with pytest.raises(RuleInvalid) as caught:
            create(
                boardId="gone",
                priorityOverride="gone",
                assignToUserId="gone",
                autoResolveStatusId=open_status,
                notifyUserIds=[host_id(bare, "users", "is_enabled"), "gone"],
            )
        assert set(caught.value.errors) == {
            "actions.boardId",
            "actions.priorityOverride",
            "actions.assignToUserId",
            "actions.autoResolveStatusId",
            "actions.notifyUserIds.1",
        }
        assert caught.value.errors["actions.boardId"] == [
            "This board does not exist (any more). Choose another one."
        ]

    def test_another_tenants_ids_are_no_ids(self, bare: World, create: Create) -> None:
        foreign = bare.one(
            "SELECT id FROM boards WHERE tenant_id <> :tenant ORDER BY id LIMIT 1", tenant=bare.tenant
        )
        with pytest.raises(RuleInvalid):
            create(boardId=foreign)

    def test_without_a_port_to_ask_ids_are_taken_unchecked(self, bare: World) -> None:
        without = replace(bare.rmm, host=replace(bare.rmm.host, catalog=None, users=None))
        draft = RuleDraft("A", actions={"boardId": "queue:7", "notifyUserIds": ["u/1"]})
        with bare.unit() as session:
            made = rules.create(without, session, bare.admin, bare.integration_id, draft)
            assert made.actions["boardId"] == "queue:7"

    def test_a_user_who_takes_no_tickets_is_only_told(self, bare: World, create: Create) -> None:
        reader = host_id(bare, "users", "role = 'read_only'")
        assert stored(bare, create("A", notifyUserIds=[reader]))["actions"]["notifyUserIds"] == [reader]
        with pytest.raises(RuleInvalid) as caught:
            create("B", assignToUserId=reader)
        (sentence,) = caught.value.errors["actions.assignToUserId"]
        assert "takes no tickets" in sentence

    def test_a_user_who_left_is_refused(self, bare: World, create: Create) -> None:
        user = host_id(bare, "users", "is_enabled")
        bare.do("UPDATE users SET is_enabled = FALSE WHERE id = :id", id=user)
        with pytest.raises(RuleInvalid):
            create(assignToUserId=user)


class TestUpdate:
    def test_the_rule_becomes_the_draft_and_keeps_its_place(self, bare: World, create: Create) -> None:
        create("A")
        rule_id = create("B", {"severities": ["major"]})
        change(
            bare, rule_id, RuleDraft("C", "Why", False, {"severities": ["minor"]}, {"createTicket": False})
        )
        row = stored(bare, rule_id)
        assert (row["name"], row["description"], row["is_active"]) == ("C", "Why", False)
        assert (row["priority_order"], row["conditions"]) == (1, {"severities": ["minor"]})
        action, _, changes = audited(bare)[-1]
        assert action == "rule.updated"
        assert changes == {
            "name": ["B", "C"],
            "description": [None, "Why"],
            "is_active": [True, False],
            "severities": [["major"], ["minor"]],
            "createTicket": [True, False],
        }

    def test_what_changes_nothing_is_no_change(self, bare: World, create: Create) -> None:
        rule_id = create("A", {"keywords": ["disk"]})
        before = (version(bare), len(audited(bare)))
        change(bare, rule_id, RuleDraft(" A ", conditions={"keywords": ["disk "]}))
        assert (version(bare), len(audited(bare))) == before

    def test_an_unreadable_stored_rule_can_be_mended(self, bare: World, create: Create) -> None:
        rule_id = create("A")
        bare.do("UPDATE rmm_alert_rules SET conditions = '\"broken\"', actions = '[1]'")
        change(bare, rule_id, RuleDraft("A", conditions={"keywords": ["disk"]}))
        assert stored(bare, rule_id)["conditions"] == {"keywords": ["disk"]}

    def test_a_rule_of_another_tenant_is_not_there(self, bare: World, create: Create) -> None:
        rule_id = create("A")
        stranger = Actor(id="x", name="X", tenant_id=str(uuid4()))
        with bare.unit() as session:
            for attempt in (
                lambda: rules.update(bare.rmm, session, stranger, rule_id, RuleDraft("B")),
                lambda: rules.delete(bare.rmm, session, stranger, rule_id),
                lambda: rules.duplicate(bare.rmm, session, stranger, rule_id),
                lambda: rules.set_active(bare.rmm, session, stranger, rule_id, False),
                lambda: rules.move(bare.rmm, session, stranger, rule_id, up=True),
            ):
                with pytest.raises(UnknownRule, match="does not exist"):
                    attempt()


class TestDelete:
    def test_it_is_gone_with_a_trace(self, bare: World, create: Create) -> None:
        rule_id = create("A", {"severities": ["major"]})
        with bare.unit() as session:
            rules.delete(bare.rmm, session, bare.admin, rule_id)
        assert order(bare) == []
        action, name, changes = audited(bare)[-1]
        assert (action, name) == ("rule.deleted", "A")
        assert changes["severities"] == [["major"], None]
        with pytest.raises(UnknownRule), bare.unit() as session:
            rules.delete(bare.rmm, session, bare.admin, rule_id)


class TestDuplicate:
    def test_the_copy_stands_right_behind_and_is_off(self, bare: World, create: Create) -> None:
        create("A")
        rule_id = create("B", {"keywords": ["disk"]}, holdMinutes=5)
        create("C")
        with bare.unit() as session:
            copy_id = rules.duplicate(bare.rmm, session, bare.admin, rule_id).id
        assert order(bare) == [("A", 0), ("B", 1), ("Copy of B", 2), ("C", 3)]
        original, copy = stored(bare, rule_id), stored(bare, copy_id)
        assert copy["is_active"] is False
        assert (copy["conditions"], copy["actions"]) == (original["conditions"], original["actions"])
        assert audited(bare)[-1][0] == "rule.duplicated"

    def test_a_long_name_stays_within_its_length(self, bare: World, create: Create) -> None:
        rule_id = create("x" * 255)
        with bare.unit() as session:
            copied = rules.duplicate(bare.rmm, session, bare.admin, rule_id)
            assert len(copied.name) == 255


class TestSetActive:
    def test_on_and_off_with_a_trace_each(self, bare: World, create: Create) -> None:
        rule_id = create("A")
        switch(bare, rule_id, False)
        assert stored(bare, rule_id)["is_active"] is False
        switch(bare, rule_id, True)
        assert [action for action, *_ in audited(bare)[1:]] == ["rule.switched_off", "rule.switched_on"]

    def test_what_is_so_already_is_no_change(self, bare: World, create: Create) -> None:
        rule_id = create("A")
        before = (version(bare), len(audited(bare)))
        switch(bare, rule_id, True)
        assert (version(bare), len(audited(bare))) == before


def keep(world: World, draft: RuleDraft) -> UUID:
    with world.unit() as session:
        return rules.create(world.rmm, session, world.admin, world.integration_id, draft).id


def change(world: World, rule_id: UUID, draft: RuleDraft) -> None:
    with world.unit() as session:
        rules.update(world.rmm, session, world.admin, rule_id, draft)


def switch(world: World, rule_id: UUID, active: bool) -> None:
    with world.unit() as session:
        rules.set_active(world.rmm, session, world.admin, rule_id, active)
