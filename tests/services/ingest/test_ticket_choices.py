"""Where a new ticket goes: client, contact, board, priority, assignee, texts; and which ticket is joined."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.models import new_id
from tests.harness.world import World
from tests.services.working import steps


def contact(world: World, client_id: str, *, active: bool = True) -> str:
    contact_id = str(new_id())
    world.do(
        "INSERT INTO contacts (tenant_id, id, client_id, name, is_active)"
        " VALUES (:t, :id, :c, 'Somebody', :a)",
        t=world.tenant,
        id=contact_id,
        c=client_id,
        a=active,
    )
    return contact_id


def other_client(world: World) -> str:
    found: str = world.one(
        "SELECT id FROM clients WHERE tenant_id = :t AND id <> :c ORDER BY name LIMIT 1",
        t=world.tenant,
        c=world.client_id,
    )
    return found


def prefer(world: World, contact_id: str | None, primary: str | None) -> None:
    world.do("UPDATE rmm_organization_mappings SET default_contact_id = :id", id=contact_id)
    world.do("UPDATE clients SET primary_contact_id = :id WHERE id = :c", id=primary, c=world.client_id)


def made(world: World, **changes: Any) -> dict[str, Any]:
    assert world.post(world.body(**changes)).json["outcome"] == "ticket_created"
    return world.tickets()[-1]


def rule(world: World, **actions: Any) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, **actions)


class TestContact:
    def test_the_organizations_default_comes_first(self, world: World) -> None:
        mine, primary = contact(world, world.client_id), contact(world, world.client_id)
        prefer(world, mine, primary)
        assert made(world)["contact_id"] == mine

    @pytest.mark.parametrize("flaw", ["inactive", "foreign", "gone", "none"])
    def test_else_the_clients_primary_contact(self, world: World, flaw: str) -> None:
        preferred = {
            "inactive": lambda: contact(world, world.client_id, active=False),
            "foreign": lambda: contact(world, other_client(world)),
            "gone": lambda: str(new_id()),
            "none": lambda: None,
        }[flaw]()
        primary = contact(world, world.client_id)
        prefer(world, preferred, primary)
        assert made(world)["contact_id"] == primary

    def test_else_nobody(self, world: World) -> None:
        prefer(world, None, contact(world, world.client_id, active=False))
        assert made(world)["contact_id"] is None
        prefer(world, None, None)
        assert made(world, alert_id=2, check_id="2")["contact_id"] is None

    def test_a_device_of_another_client_gets_that_clients_contact(self, world: World) -> None:
        other = other_client(world)
        prefer(world, contact(world, world.client_id), None)
        theirs = contact(world, other)
        world.do("UPDATE clients SET primary_contact_id = :id WHERE id = :c", id=theirs, c=other)
        world.device(client_id=other)
        ticket = made(world)
        assert (ticket["client_id"], ticket["contact_id"]) == (other, theirs)


class TestGone:
    @pytest.mark.parametrize(
        "action, column, word",
        [
            ("boardId", "board_id", "board"),
            ("assignToUserId", "assignee_id", "assignee"),
            ("priorityOverride", "priority_id", "priority"),
        ],
    )
    def test_what_is_gone_is_left_out_with_a_warning(
        self, world: World, action: str, column: str, word: str
    ) -> None:
        usual = made(world, alert_id=1, check_id="1")[column]
        rule(world, **{action: str(new_id())})
        assert made(world, alert_id=2, check_id="2")[column] == usual
        assert "warning" in steps(world, 2)
        (row,) = world.rows(
            "SELECT steps FROM rmm_alert_events WHERE alert_id = :id", id=world.alert(2)["id"]
        )
        (warning,) = [step["message"] for step in row["steps"] if step["code"] == "warning"]
        assert word in warning

    def test_what_is_there_is_taken(self, world: World) -> None:
        board = world.one(
            "SELECT id FROM boards WHERE tenant_id = :t AND NOT is_default LIMIT 1", t=world.tenant
        )
        user = world.one(
            "SELECT id FROM users WHERE tenant_id = :t AND role = 'technician' LIMIT 1", t=world.tenant
        )
        low = world.one("SELECT id FROM priorities WHERE tenant_id = :t AND name = 'Low'", t=world.tenant)
        rule(world, boardId=board, assignToUserId=user, priorityOverride=low)
        ticket = made(world)
        assert (ticket["board_id"], ticket["assignee_id"], ticket["priority_id"]) == (board, user, low)

    def test_a_user_who_left_gets_no_ticket(self, world: World) -> None:
        user = world.one(
            "SELECT id FROM users WHERE tenant_id = :t AND role <> 'admin' LIMIT 1", t=world.tenant
        )
        world.do("UPDATE users SET is_enabled = FALSE WHERE id = :id", id=user)
        rule(world, assignToUserId=user)
        assert made(world)["assignee_id"] is None

    def test_a_user_who_may_only_read_by_now_gets_no_ticket(self, world: World) -> None:
        reader = world.one("SELECT id FROM users WHERE tenant_id = :t AND role = 'read_only'", t=world.tenant)
        rule(world, assignToUserId=reader)
        assert made(world, alert_id=1)["assignee_id"] is None
        assert "warning" in steps(world, 1)


class TestPriority:
    @pytest.mark.parametrize("severity, name", [("error", "Urgent"), ("warning", "Medium"), ("info", "Low")])
    def test_by_severity(self, world: World, severity: str, name: str) -> None:
        found = made(world, severity=severity)["priority_id"]
        assert world.one("SELECT name FROM priorities WHERE id = :id", id=found) == name

    def test_a_rise_leaves_a_priority_that_a_rule_fixed(self, world: World) -> None:
        low = world.one("SELECT id FROM priorities WHERE tenant_id = :t AND name = 'Low'", t=world.tenant)
        rule(world, priorityOverride=low)
        made(world, severity="info")
        world.post(world.body(severity="error"))
        (ticket,) = world.tickets()
        assert ticket["priority_id"] == low
        assert "Severity rose from minor to critical." in world.notes(ticket["id"])[-1]

    def test_a_fall_is_written_down_and_changes_no_ticket(self, world: World) -> None:
        ticket = made(world, severity="error")
        assert world.post(world.body(severity="info")).json["outcome"] == "updated"
        assert world.alert()["severity"] == "minor"
        assert world.tickets() == [ticket]
        assert len(world.notes(ticket["id"])) == 1
        assert "severity_changed" in steps(world)

    def test_a_rise_on_a_closed_ticket_leaves_it_alone(self, world: World) -> None:
        ticket = made(world, severity="info")
        world.do("UPDATE tickets SET closed_at = now() WHERE id = :id", id=ticket["id"])
        world.post(world.body(severity="error"))
        assert len(world.notes(ticket["id"])) == 1


class TestTexts:
    def test_a_rules_templates(self, world: World) -> None:
        template = {"titleTemplate": "[{{client}}] {{device}}: {{foo}}", "descriptionTemplate": "By {{rule}}"}
        rule(world, ticketTemplate=template)
        world.device(name="SERVER-01")
        ticket = made(world)
        name = world.one("SELECT name FROM clients WHERE id = :id", id=world.client_id)
        assert ticket["title"] == f"[{name}] SERVER-01: {{{{foo}}}}"
        assert ticket["description"] == "By Rule 0"

    def test_the_default_description_knows_device_and_client(self, world: World) -> None:
        facts = {"location": "HQ", "lan_ip": "10.0.0.5", "wan_ip": "8.8.8.8", "current_user": "mara"}
        device = world.device(facts=facts)
        text = made(world)["description"]
        for line in ("Location: HQ", "LAN address: 10.0.0.5", "WAN address: 8.8.8.8", "Last user: mara"):
            assert line in text
        assert f"Device page: http://psa.example.com/rmm/devices/{device}" in text
        assert "Triggered at: 2026-11-21 02:06:46 UTC" in text


class TestJoining:
    def test_a_ticket_of_another_client_is_never_joined(self, world: World) -> None:
        first = made(world, alert_id=1)
        world.device(client_id=other_client(world))
        second = made(world, alert_id=2)
        assert second["id"] != first["id"]
        assert world.post(world.body(3)).json["outcome"] == "occurrence_appended"
        assert world.alert(3)["ticket_id"] == second["id"]

    def test_other_devices_and_connections_have_tickets_of_their_own(self, world: World) -> None:
        made(world, alert_id=1)
        made(world, alert_id=2, agent_id="B" * 40)
        other = World(world.app, integration_id=new_id()).connect(name="Second")
        assert other.post(other.body(1)).json["outcome"] == "ticket_created"
        assert len(world.tickets()) == 3

    def test_a_deleted_ticket_is_not_joined(self, world: World) -> None:
        ticket = made(world, alert_id=1)
        world.do("DELETE FROM comments WHERE ticket_id = :id", id=ticket["id"])
        world.do("DELETE FROM tickets WHERE id = :id", id=ticket["id"])
        assert world.post(world.body(2)).json["outcome"] == "ticket_created"

    def test_without_a_client_the_open_ticket_is_joined_all_the_same(self, world: World) -> None:
        made(world, alert_id=1)
        world.do("UPDATE rmm_organization_mappings SET client_id = NULL")
        assert world.post(world.body(2)).json["outcome"] == "occurrence_appended"


class TestRules:
    def test_an_organization_named_by_the_device_alone_meets_its_rule(self, world: World) -> None:
        """The delivery names no organization; the device is known."""
        world.do("DELETE FROM rmm_alert_rules")
        world.add_rule(0, {"organizationIds": ["1"]})
        world.device()
        assert world.post(world.body(client_id="None")).json["outcome"] == "ticket_created"
        assert world.alert()["external_organization_id"] == "1"

    def test_rules_of_another_connection_or_tenant_are_never_asked(self, world: World) -> None:
        other = World(world.app, integration_id=new_id()).connect(name="Second")
        world.do("DELETE FROM rmm_alert_rules WHERE integration_id = :id", id=world.integration_id)
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        assert world.post().json["outcome"] == "recorded_only"
        assert other.post(other.body()).json["outcome"] == "ticket_created"

    def test_a_broken_rule_is_told_and_passed_over(self, world: World) -> None:
        broken = world.add_rule(-1, {"messagePattern": "([invalid"})
        assert world.post().json["outcome"] == "ticket_created"
        (row,) = world.rows("SELECT steps FROM rmm_alert_events")
        (warning,) = [step["message"] for step in row["steps"] if step["code"] == "warning"]
        assert str(broken) in warning

    def test_unreadable_actions_only_record(self, world: World) -> None:
        world.do("UPDATE rmm_alert_rules SET actions = '{\"teamId\": 5}'")
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        assert world.post().json["outcome"] == "recorded_only"
        assert world.alert()["matched_rule_id"] is not None
        assert "warning" in steps(world)

    def test_a_rule_that_only_records(self, world: World) -> None:
        rule(world, createTicket=False)
        assert world.post().json["outcome"] == "recorded_only"
        assert world.tickets() == []
        assert world.one("SELECT count(*) FROM rmm_alert_conditions") == 0


class TestClosing:
    def test_the_rules_status_if_it_is_a_closed_one(self, world: World) -> None:
        closed = world.one(
            "SELECT s.id FROM ticket_statuses s"
            " JOIN boards b ON b.id = s.board_id AND b.tenant_id = s.tenant_id"
            " WHERE s.tenant_id = :t AND s.is_closed AND b.is_default ORDER BY s.position DESC LIMIT 1",
            t=world.tenant,
        )
        rule(world, autoResolveStatusId=closed)
        world.post()
        world.post(world.resolved())
        assert world.tickets()[0]["status_id"] == closed

    def test_without_a_closed_status_it_stays_open_and_says_why(self, world: World) -> None:
        world.post()
        world.do("UPDATE ticket_statuses SET is_closed = FALSE")
        world.post(world.resolved())
        (ticket,) = world.tickets()
        assert ticket["closed_at"] is None
        assert world.alert()["status"] == "resolved"
        assert steps(world)[-1] == "ticket_kept"

    def test_a_rule_edited_since_decides_as_it_is_now(self, world: World) -> None:
        world.post()
        world.do("UPDATE rmm_alert_rules SET actions = '{\"autoResolveTicket\": false}'")
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        world.post(world.resolved())
        assert world.tickets()[0]["closed_at"] is None

    def test_a_rule_deleted_since_decides_as_it_was(self, world: World) -> None:
        world.post()
        world.do("DELETE FROM rmm_alert_rules")
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        world.post(world.resolved())
        assert world.tickets()[0]["closed_at"] is not None


class TestEpisodes:
    def test_an_alert_resolved_here_stays_so_while_the_vendor_only_repeats_it(self, world: World) -> None:
        world.post()
        world.do("UPDATE rmm_alerts SET status = 'resolved', resolved_at = now(), resolved_here = TRUE")
        assert world.post().json == {"recorded": True, "outcome": "skipped", "reason": "resolved_here"}
        assert (world.alert()["status"], world.alert()["resolved_here"]) == ("resolved", True)
        again = world.post(world.body(alert_time="2026-11-21 02:06:47+00:00"))
        assert again.json["outcome"] in ("ticket_created", "occurrence_appended")
        alert = world.alert()
        assert (alert["status"], alert["resolved_here"], alert["episode"]) == ("active", False, 2)

    def test_a_new_episode_starts_afresh(self, world: World) -> None:
        world.post()
        world.do(
            "UPDATE rmm_alerts SET acknowledged_at = now(), acknowledged_by = 'x', resolved_by = 'y',"
            " attention = 'reset_failed'"
        )
        world.post(world.resolved())
        world.do("DELETE FROM rmm_alert_rules")
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        world.post(world.body(alert_time="2026-11-21 05:00:00+00:00"))
        alert = world.alert()
        empty = ("ticket_id", "matched_rule_id", "acknowledged_at", "acknowledged_by", "resolved_at")
        assert [alert[name] for name in (*empty, "resolved_by", "attention")] == [None] * 7
        assert alert["auto_ticket_created"] is False
        assert world.one("SELECT count(*) FROM rmm_alert_events") == 3

    def test_an_end_older_than_the_beginning_moves_nothing(self, world: World) -> None:
        world.post(world.body(alert_time="2026-11-21 05:00:00+00:00"))
        assert world.post(world.resolved()).json["reason"] == "older_event"
        assert world.alert()["status"] == "active"

    def test_a_beginning_after_the_end_that_came_first_opens(self, world: World) -> None:
        world.post(world.resolved())
        later = world.body(alert_time="2026-11-21 05:00:00+00:00")
        assert world.post(later).json["outcome"] == "ticket_created"


def test_an_alert_without_a_severity_is_only_recorded_by_a_rule_that_wants_one(world: World) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, {"severities": ["critical", "major", "moderate", "minor"]})
    assert world.post(world.body(severity="None")).json["outcome"] == "recorded_only"
    assert (world.alert()["severity"], world.alert()["status"]) == ("none", "active")
    assert world.tickets() == []
