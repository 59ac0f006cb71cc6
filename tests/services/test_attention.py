"""Alerts that wait under Needs attention: decided as soon as their obstacle is gone, told once."""

from __future__ import annotations

from typing import Any

import pytest

from reference_psa.adapters.tickets import SqlTickets
from rmm_extension.domain.errors import HostRejected
from rmm_extension.domain.types import Organization
from rmm_extension.services import attention, followups, mapping
from rmm_extension.services.inventory.organizations import write_organizations
from tests.harness.world import AGENT, World
from tests.services.working import queued, relay_all, signals, steps, work


def unmapped(world: World) -> None:
    world.do("UPDATE rmm_organization_mappings SET client_id = NULL")


def mapped(world: World) -> None:
    world.do("UPDATE rmm_organization_mappings SET client_id = :client", client=world.client_id)


def tick(world: World) -> list[Any]:
    with world.app.app_context():
        attention.retry_due(world.rmm)
    return work(world, "alert_decisions")


def rested(world: World) -> None:
    world.do("UPDATE rmm_alerts SET attention_at = now() - interval '6 minutes' WHERE attention IS NOT NULL")


def refuse(monkeypatch: pytest.MonkeyPatch, error: Exception, references: tuple[str, ...] = ()) -> None:
    """The host makes no ticket, for these alerts or for any."""
    original = SqlTickets.create

    def create(self: SqlTickets, session: Any, tenant_id: str, draft: Any) -> Any:
        if not references or draft.source_reference in references:
            raise error
        return original(self, session, tenant_id, draft)

    monkeypatch.setattr(SqlTickets, "create", create)


class TestNoClient:
    def test_nothing_is_tried_while_there_is_none(self, world: World) -> None:
        unmapped(world)
        world.post()
        assert tick(world) == []
        assert world.alert()["attention"] == "no_client"

    def test_once_mapped_the_open_alerts_are_decided(self, world: World) -> None:
        unmapped(world)
        world.post(world.body(1, check_id="1"))
        world.post(world.body(2, check_id="2"))
        world.post(world.body(3, check_id="3"))
        world.post(world.resolved(3, check_id="3"))
        mapped(world)
        with world.unit() as session:
            payload = {"integration_id": str(world.integration_id)}
            followups.organization_mapped(world.rmm, session, world.tenant, payload)
        assert work(world, "alert_decisions") == [{"decided": 2, "still_waiting": 0}]
        assert [ticket["source_reference"] for ticket in world.tickets()] == ["1", "2"]
        assert world.alert(1)["attention"] is None
        assert world.alert(1)["client_id"] == world.client_id
        assert world.alert(3)["attention"] is None

    def test_the_tick_finds_it_too(self, world: World) -> None:
        unmapped(world)
        world.post()
        mapped(world)
        assert tick(world) == [{"decided": 1, "still_waiting": 0}]
        assert tick(world) == []

    def test_a_client_that_it_comes_to_follow_is_enough(self, world: World) -> None:
        """The group of the alert lies in one that lies in the one that gets a client."""
        unmapped(world)
        groups = [("top", None), ("middle", "top"), ("1", "middle")]
        listed = [Organization(external_id=own, name=own, parent_id=above) for own, above in groups]
        with world.unit() as session:
            write_organizations(session, world.tenant, world.integration_id, listed)
        world.post()
        assert world.alert()["attention"] == "no_client"
        top = world.one("SELECT id FROM rmm_organization_mappings WHERE external_id = 'top'")
        with world.unit() as session:
            mapping.update_mapping(world.rmm, session, world.admin, top, client_id=world.client_id)
        relay_all(world)
        work(world, "alert_decisions")
        assert world.alert()["client_id"] == world.client_id
        assert len(world.tickets()) == 1

    def test_the_devices_client_is_enough(self, world: World) -> None:
        unmapped(world)
        world.post()
        world.device(AGENT)
        assert tick(world) == [{"decided": 1, "still_waiting": 0}]

    def test_the_devices_organization_is_enough(self, world: World) -> None:
        """The delivery names no organization; the device comes with one, and that is mapped later."""
        unmapped(world)
        assert world.post(world.body(client_id="None")).json["outcome"] == "recorded_only"
        world.device(AGENT, client_id=None)
        assert tick(world) == []
        mapped(world)
        assert tick(world) == [{"decided": 1, "still_waiting": 0}]
        assert world.alert()["client_id"] == world.client_id

    def test_a_rule_for_an_organization_knows_it_by_then(self, world: World) -> None:
        unmapped(world)
        world.post(world.body(client_id="None"))
        world.device(AGENT)
        world.do("DELETE FROM rmm_alert_rules")
        world.add_rule(0, {"organizationIds": ["1"]})
        assert tick(world) == [{"decided": 1, "still_waiting": 0}]
        assert world.alert()["external_organization_id"] == "1"

    def test_a_suspended_tenant_waits(self, world: World) -> None:
        unmapped(world)
        world.post()
        mapped(world)
        world.do("UPDATE tenants SET is_active = FALSE")
        assert tick(world) == []
        world.do("UPDATE tenants SET is_active = TRUE")
        assert tick(world) == [{"decided": 1, "still_waiting": 0}]

    def test_alerts_of_one_condition_share_the_late_ticket(self, world: World) -> None:
        unmapped(world)
        for number in (1, 2, 3):
            world.post(world.body(number))
        mapped(world)
        tick(world)
        (ticket,) = world.tickets()
        assert {world.alert(number)["ticket_id"] for number in (1, 2, 3)} == {ticket["id"]}
        assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 3

    def test_a_device_whose_name_holds_our_separator_keeps_its_condition(self, world: World) -> None:
        odd = {"agent_id": "A|B", "check_id": "7"}
        unmapped(world)
        world.post(world.body(1, **odd))
        mapped(world)
        tick(world)
        assert world.post(world.body(2, **odd)).json["outcome"] == "occurrence_appended"
        assert world.one("SELECT count(*) FROM rmm_alert_conditions") == 1

    def test_it_is_told_once_that_it_opened(self, world: World) -> None:
        unmapped(world)
        world.post(world.body(message="Disk full"))
        assert signals(world).count("alert_triggered") == 1
        mapped(world)
        tick(world)
        assert signals(world) == ["ticket_created", "ticket_linked"]

    def test_one_run_at_a_time(self, world: World) -> None:
        unmapped(world)
        world.post()
        mapped(world)
        with world.app.app_context():
            assert attention.retry_due(world.rmm) == 1
            assert attention.retry_due(world.rmm) == 0
        assert len(queued(world, "alert_decisions")) == 1


class TestTicketFailed:
    def test_it_is_tried_again_after_a_rest(self, world: World) -> None:
        world.do("UPDATE boards SET is_active = FALSE")
        world.post()
        assert world.alert()["attention"] == "ticket_failed"
        world.do("UPDATE boards SET is_active = TRUE")
        assert tick(world) == []
        rested(world)
        assert tick(world) == [{"decided": 1, "still_waiting": 0}]
        assert len(world.tickets()) == 1
        assert world.one("SELECT occurrence_count FROM rmm_alert_conditions") == 1

    def test_a_host_that_still_refuses_leaves_it_with_its_reason(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refuse(monkeypatch, HostRejected("The first reason."))
        world.post()
        monkeypatch.undo()
        refuse(monkeypatch, HostRejected("The second reason."))
        rested(world)
        assert tick(world) == [{"decided": 0, "still_waiting": 1}]
        assert world.alert()["attention"] == "ticket_failed"
        last = world.rows("SELECT steps FROM rmm_alert_events ORDER BY at DESC LIMIT 1")[0]["steps"]
        assert last[-1] == {"code": "ticket_failed", "reason": "The second reason."}
        assert tick(world) == []

    def test_trying_again_tells_nobody_anything(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        refuse(monkeypatch, HostRejected("No board."))
        world.post()
        relay_all(world)
        for _ in range(3):
            rested(world)
            tick(world)
        assert signals(world) == []
        assert queued(world, "alert_details") == queued(world, "alert_details")[:1]

    def test_one_that_breaks_does_not_keep_others_waiting(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unmapped(world)
        world.post(world.body(1, check_id="1", alert_time="2026-11-20 00:00:00+00:00"))
        world.post(world.body(2, check_id="2"))
        mapped(world)
        refuse(monkeypatch, RuntimeError("injected"), ("1",))
        assert tick(world) == [{"decided": 1, "still_waiting": 1}]
        assert [ticket["source_reference"] for ticket in world.tickets()] == ["2"]
        assert world.alert(1)["attention"] == "no_client"

    def test_a_rule_that_went_away_meanwhile_settles_it(self, world: World) -> None:
        world.do("UPDATE boards SET is_active = FALSE")
        world.post()
        world.do("DELETE FROM rmm_alert_rules")
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        rested(world)
        tick(world)
        assert world.alert()["attention"] is None
        assert steps(world)[-1] == "no_rule"


class TestManyThatFail:
    """Those that cannot be decided, whatever is done, stand first and are more than one batch."""

    @pytest.fixture(autouse=True)
    def small_batches(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(attention, "BATCH", 2)
        unmapped(world)
        for number in range(5):
            at = f"2026-11-20 00:00:0{number}+00:00"
            world.post(world.body(number, check_id=str(number), alert_time=at))
        world.post(world.body(9, check_id="9"))
        mapped(world)
        refuse(monkeypatch, RuntimeError("injected"), tuple(str(number) for number in range(5)))

    def test_keep_no_later_one_from_its_turn(self, world: World) -> None:
        assert tick(world) == [{"decided": 1, "still_waiting": 5}]
        assert [ticket["source_reference"] for ticket in world.tickets()] == ["9"]

    def test_a_later_attempt_goes_on_where_the_first_came_to(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried, decide = [], attention.decide_or_log

        def dies_in_the_middle(rmm: Any, tenant_id: str, alert_id: Any, **options: Any) -> Any:
            if len(tried) == 3:
                raise RuntimeError("killed")
            tried.append(alert_id)
            return decide(rmm, tenant_id, alert_id, **options)

        monkeypatch.setattr(attention, "decide_or_log", dies_in_the_middle)
        with pytest.raises(RuntimeError):
            tick(world)
        monkeypatch.setattr(attention, "decide_or_log", decide)
        world.do("UPDATE rmm_job_runs SET status = 'queued' WHERE kind = 'alert_decisions'")
        assert work(world, "alert_decisions") == [{"decided": 1, "still_waiting": 5}]
        assert len(tried) == 3


def test_what_waits_for_a_person_is_left_alone(world: World) -> None:
    world.post()
    world.do("UPDATE rmm_alerts SET attention = 'reset_failed', attention_at = now() - interval '1 day'")
    assert tick(world) == []
