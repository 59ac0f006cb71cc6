"""Alerts that come with ids only: what waits for the text, and what is completed when it comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from reference_psa.adapters.tickets import SqlTickets
from rmm_extension.domain.errors import HostRejected
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, Connection, Severity
from rmm_extension.models import utc_now
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.services import details, webhooks
from tests.harness.world import World
from tests.services.ingest.incidents import REPORT, SUBJECT, incident, take, told
from tests.services.ingest.meanwhile import once_before
from tests.services.ingest.test_adoption import polled
from tests.services.working import queued, relay_all, signals, steps, work

TEXT = "Disk C: is at 95% capacity"
KEYWORD = {"keywords": ["disk c:"]}


@pytest.fixture
def vendor(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`vendor(event)`: what the vendor answers when it is asked for the alert."""
    with world.unit() as session:
        world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", "K" * 32)

    def answer(event: AlertEvent | None) -> None:
        def alert(self: TacticalRmm, connection: Connection, external_id: str) -> AlertEvent | None:
            return event

        monkeypatch.setattr(TacticalRmm, "alert", alert)

    return answer


def only(world: World, conditions: dict[str, Any], **actions: Any) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, conditions, **actions)


def ended(event: AlertEvent) -> AlertEvent:
    return msgspec.structs.replace(
        event, kind=AlertKind.RESET, occurred_at=event.occurred_at + timedelta(minutes=30)
    )


def overdue(world: World) -> int:
    world.do("UPDATE rmm_alerts SET details_due_at = now() WHERE details_due_at IS NOT NULL")
    with world.app.app_context():
        return details.decide_overdue(world.rmm)


def test_a_rule_that_needs_the_text_waits_for_it(world: World, vendor: Callable[..., None]) -> None:
    only(world, KEYWORD)
    assert world.post().json["outcome"] == "awaiting_details"
    assert world.alert()["details_due_at"] is not None
    assert "alert_triggered" not in signals(world)
    vendor(polled())
    assert work(world, "alert_details") == [{"completed": 1}]
    (ticket,) = world.tickets()
    assert ticket["title"].endswith(f"SERVER-01: {TEXT}")
    alert = world.alert()
    assert (alert["message"], alert["details_due_at"], alert["ticket_id"]) == (TEXT, None, ticket["id"])
    assert steps(world) == [
        "received",
        "awaiting_details",
        "details_received",
        "rule_matched",
        "ticket_created",
    ]
    assert signals(world) == ["alert_triggered", "ticket_created", "ticket_linked"]


def test_a_text_that_does_not_match_makes_no_ticket(world: World, vendor: Callable[..., None]) -> None:
    only(world, {"messagePattern": "^Memory"})
    world.post()
    relay_all(world)
    vendor(polled())
    work(world, "alert_details")
    assert world.tickets() == []
    assert world.alert()["details_due_at"] is None


def test_after_the_wait_it_is_decided_without(world: World) -> None:
    only(world, KEYWORD)
    world.add_rule(1)
    world.post()
    assert overdue(world) == 1
    assert len(world.tickets()) == 1
    assert "details_missing" in steps(world)
    assert overdue(world) == 0


def test_before_the_wait_is_over_nothing_is_decided(world: World) -> None:
    only(world, KEYWORD)
    world.post()
    with world.app.app_context():
        assert details.decide_overdue(world.rmm) == 0


def test_a_rule_before_it_that_needs_no_text_decides_at_once(world: World) -> None:
    world.add_rule(1, KEYWORD)
    assert world.post().json["outcome"] == "ticket_created"


def test_a_rule_that_cannot_win_is_not_waited_for(world: World) -> None:
    only(world, {**KEYWORD, "severities": ["minor"]})
    world.add_rule(1)
    assert world.post().json["outcome"] == "ticket_created"


def test_a_text_in_the_delivery_is_not_waited_for(world: World) -> None:
    only(world, KEYWORD)
    assert world.post(world.body(message=TEXT)).json["outcome"] == "ticket_created"


def test_the_text_by_another_way_decides_too(world: World) -> None:
    only(world, KEYWORD)
    world.post()
    with world.app.app_context():
        done = webhooks.take(world.rmm, world.tenant, world.integration_id, polled(), Channel.POLL)
    assert done.outcome == "ticket_created"
    assert world.tickets()[0]["title"].endswith(TEXT)
    assert signals(world).count("alert_triggered") == 1


def test_those_that_cannot_be_decided_keep_no_others_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(world, KEYWORD)
    world.add_rule(1)
    for number in range(4):
        world.post(world.body(number, check_id=str(number)))
    world.do("UPDATE rmm_alerts SET details_due_at = now() - interval '1 minute' WHERE external_id <> '3'")
    world.do("UPDATE rmm_alerts SET details_due_at = now() WHERE external_id = '3'")
    monkeypatch.setattr(details, "BATCH", 2)
    decide = details.decide_or_log

    whole = world.alert(3)["id"]

    def fails(rmm: Any, tenant_id: str, alert_id: Any, **options: Any) -> Any:
        return None if alert_id != whole else decide(rmm, tenant_id, alert_id, **options)

    monkeypatch.setattr(details, "decide_or_log", fails)
    with world.app.app_context():
        assert [details.decide_overdue(world.rmm) for _ in range(3)] == [0, 1, 0]
    assert world.alert(3)["ticket_id"] is not None
    assert world.alert(0)["details_due_at"] > utc_now()


def test_the_wait_does_not_outlive_the_alert(world: World) -> None:
    only(world, KEYWORD)
    world.post()
    assert world.post(world.resolved()).json["outcome"] == "resolved"
    assert overdue(world) == 0
    assert world.tickets() == []


def test_title_and_description_are_completed_when_the_text_comes(
    world: World, vendor: Callable[..., None]
) -> None:
    world.post()
    assert TEXT not in world.tickets()[0]["title"]
    relay_all(world)
    vendor(polled())
    assert work(world, "alert_details") == [{"completed": 1}]
    (ticket,) = world.tickets()
    assert ticket["title"] == f"[Tactical RMM Alert] check on SERVER-01: {TEXT}"
    assert ticket["description"].endswith(TEXT)
    assert len(world.notes(ticket["id"])) == 1


@pytest.mark.parametrize("column", ["title", "description"])
def test_what_a_person_changed_stays(world: World, vendor: Callable[..., None], column: str) -> None:
    world.post()
    relay_all(world)
    world.do(f"UPDATE tickets SET {column} = 'Mine' WHERE source = 'tacticalrmm'")
    vendor(polled())
    work(world, "alert_details")
    (ticket,) = world.tickets()
    other = "description" if column == "title" else "title"
    assert ticket[column] == "Mine"
    assert TEXT in ticket[other]


def test_a_text_that_comes_by_polling_completes_the_ticket_too(world: World) -> None:
    world.post()
    with world.app.app_context():
        webhooks.take(world.rmm, world.tenant, world.integration_id, polled(), Channel.POLL)
    assert TEXT in world.tickets()[0]["title"]


def test_a_completed_title_keeps_all_that_the_template_names(
    world: World, vendor: Callable[..., None]
) -> None:
    template = {"titleTemplate": "{{rule}} | {{severity}} | {{triggered_at}} | {{message}}"}
    only(world, {}, ticketTemplate=template)
    world.post()
    before = world.tickets()[0]["title"]
    relay_all(world)
    vendor(polled())
    work(world, "alert_details")
    assert before == "Rule 0 | critical | 2026-11-21 02:06:46 UTC |"
    assert world.tickets()[0]["title"] == f"{before} {TEXT}"


def test_what_the_vendor_does_not_know_any_more_is_decided_without(
    world: World, vendor: Callable[..., None]
) -> None:
    only(world, KEYWORD)
    world.add_rule(1)
    world.post()
    relay_all(world)
    vendor(None)
    assert work(world, "alert_details") == [{"missing": 1}]
    assert len(world.tickets()) == 1


def test_an_alert_that_was_decided_is_not_decided_again_for_want_of_a_text(
    world: World, vendor: Callable[..., None]
) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.post()
    relay_all(world)
    vendor(None)
    work(world, "alert_details")
    assert signals(world).count("alert_triggered") == 1
    assert signals(world) == []
    assert world.one("SELECT count(*) FROM rmm_alert_events") == 1


def test_what_is_over_at_the_vendor_by_now_makes_no_ticket(world: World, vendor: Callable[..., None]) -> None:
    only(world, KEYWORD, autoResolveTicket=False)
    world.post()
    relay_all(world)
    vendor(ended(polled()))
    work(world, "alert_details")
    assert world.tickets() == []
    assert world.alert()["status"] == "resolved"


def test_a_text_that_comes_with_the_end_still_completes_the_ticket(
    world: World, vendor: Callable[..., None]
) -> None:
    world.post()
    relay_all(world)
    vendor(ended(polled()))
    work(world, "alert_details")
    (ticket,) = world.tickets()
    assert ticket["title"].endswith(TEXT)
    assert ticket["closed_at"] is not None


def test_an_alert_that_cannot_be_decided_does_not_keep_others_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(world, KEYWORD)
    world.add_rule(1)
    world.post(world.body(1, check_id="1"))
    world.post(world.body(2, check_id="2"))
    original = SqlTickets.create

    def create(self: SqlTickets, session: Any, tenant_id: str, draft: Any) -> Any:
        if draft.source_reference == "1":
            raise RuntimeError("injected")
        return original(self, session, tenant_id, draft)

    monkeypatch.setattr(SqlTickets, "create", create)
    assert overdue(world) == 1
    assert [ticket["source_reference"] for ticket in world.tickets()] == ["2"]
    assert world.alert(1)["details_due_at"] is not None


def test_a_ticket_the_host_refuses_after_the_wait_is_kept_for_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(world, KEYWORD)
    world.add_rule(1)
    world.post()

    def create(self: SqlTickets, session: Any, tenant_id: str, draft: Any) -> Any:
        raise HostRejected("No board.")

    monkeypatch.setattr(SqlTickets, "create", create)
    assert overdue(world) == 1
    assert (world.alert()["attention"], world.alert()["details_due_at"]) == ("ticket_failed", None)


def test_a_stored_text_is_not_asked_for(world: World, vendor: Callable[..., None]) -> None:
    world.post()
    relay_all(world)
    world.do("UPDATE rmm_alerts SET message = 'known'")
    vendor(polled())
    assert work(world, "alert_details") == [{"unchanged": 1}]
    assert queued(world, "alert_details") == []
    assert world.alert()["message"] == "known"


def test_a_suspended_tenant_waits(world: World) -> None:
    only(world, KEYWORD)
    world.post()
    world.do("UPDATE tenants SET is_active = FALSE")
    assert overdue(world) == 0
    world.do("UPDATE tenants SET is_active = TRUE")
    assert overdue(world) == 1


def test_what_is_over_at_the_vendor_ends_although_its_clock_is_behind(
    world: World, vendor: Callable[..., None]
) -> None:
    """The delivery had no time of the vendor's, so ours counts; the vendor's end looks older than it."""
    only(world, KEYWORD)
    world.post(world.body(alert_time="None"))
    relay_all(world)
    vendor(ended(polled()))
    work(world, "alert_details")
    assert world.alert()["status"] == "resolved"
    assert overdue(world) == 0
    assert world.tickets() == []


WHOLE = f"{REPORT}\n\nHost: WS-07, Windows 11\n1. Isolate the host"


def part() -> AlertEvent:
    return incident(is_partial=True, report=REPORT)


def test_the_rest_of_a_report_completes_the_ticket(world: World, vendor: Callable[..., None]) -> None:
    assert take(world, part()).outcome == "ticket_created"
    vendor(incident(report=WHOLE, device_name="WS-07"))
    relay_all(world)
    assert work(world, "alert_details") == [{"completed": 1}]
    (ticket,) = world.tickets()
    assert (ticket["title"], ticket["description"]) == (f"[Tactical RMM] {SUBJECT}", WHOLE)
    alert = world.alert(7001)
    assert (alert["report"], alert["device_name"]) == (WHOLE, "WS-07")
    assert told(world)[-1]["code"] == "report_received"


def test_what_a_person_wrote_stays_when_the_rest_comes(world: World, vendor: Callable[..., None]) -> None:
    take(world, part())
    world.do("UPDATE tickets SET description = 'Mine'")
    vendor(incident(report=WHOLE))
    relay_all(world)
    work(world, "alert_details")
    assert world.tickets()[0]["description"] == "Mine"
    assert world.alert(7001)["report"] == WHOLE


def test_part_of_a_report_does_not_replace_the_whole(world: World, vendor: Callable[..., None]) -> None:
    take(world, part())
    vendor(incident(report=WHOLE))
    relay_all(world)
    work(world, "alert_details")
    take(world, incident(10, is_partial=True, report=REPORT, title="CRITICAL - another subject"))
    (ticket,) = world.tickets()
    assert (ticket["title"], ticket["description"]) == ("[Tactical RMM] CRITICAL - another subject", WHOLE)


def test_without_the_rest_the_ticket_stays_as_it_is(world: World, vendor: Callable[..., None]) -> None:
    take(world, part())
    vendor(None)
    relay_all(world)
    assert work(world, "alert_details") == [{"missing": 0}]
    assert world.tickets()[0]["description"] == REPORT


def test_only_the_first_event_asks_for_the_rest(world: World, vendor: Callable[..., None]) -> None:
    take(world, part())
    relay_all(world)
    vendor(incident(report=WHOLE))
    work(world, "alert_details")
    take(world, incident(10, is_partial=True, vendor_status="auto_remediating"))
    relay_all(world)
    assert queued(world, "alert_details") == []


def test_a_whole_event_asks_for_nothing(world: World, vendor: Callable[..., None]) -> None:
    take(world, incident())
    relay_all(world)
    assert queued(world, "alert_details") == []


def next_to_nothing(**changes: Any) -> AlertEvent:
    """That there is an alert, and nothing of it."""
    values = dict.fromkeys(("title", "report", "message", "alert_class", "condition", "vendor_status"))
    return incident(is_partial=True, severity=Severity.NONE, **{**values, **changes})


def test_what_tells_next_to_nothing_waits_for_all_of_it(world: World, vendor: Callable[..., None]) -> None:
    only(world, {"severities": ["critical"], "alertClasses": ["incident"]})
    world.add_rule(1, {}, createTicket=False)
    device = world.device("agent-7", name="WS-07", asset_id="asset-1")
    assert take(world, next_to_nothing(external_organization_id=None)).outcome == "awaiting_details"
    vendor(incident(external_device_id="agent-7", device_name="WS-07"))
    relay_all(world)
    assert work(world, "alert_details") == [{"completed": 1}]
    alert = world.alert(7001)
    found = [alert[name] for name in ("severity", "alert_class", "device_id", "asset_id", "client_id")]
    assert found == ["critical", "incident", device, "asset-1", world.client_id]
    assert alert["dedup_key"] == "agent-7|7001"
    assert alert["external_organization_id"] == "1"
    assert [ticket["title"] for ticket in world.tickets()] == [f"[Tactical RMM] {SUBJECT}"]


def test_all_of_it_may_come_by_polling(world: World) -> None:
    only(world, {"severities": ["critical"]})
    take(world, next_to_nothing())
    assert take(world, incident(), Channel.POLL).outcome == "ticket_created"
    assert world.alert(7001)["severity"] == "critical"


def test_details_are_no_news_of_a_decided_alert(world: World, vendor: Callable[..., None]) -> None:
    take(world, msgspec.structs.replace(part(), severity=Severity.MINOR))
    vendor(incident(report=WHOLE))
    relay_all(world)
    work(world, "alert_details")
    assert world.alert(7001)["severity"] == "minor"
    take(world, incident(10))
    assert "Severity rose from minor to critical." in world.notes(world.tickets()[0]["id"])


PLACE: dict[str, Any] = {
    "external_device_id": "agent-7",
    "device_name": "WS-07",
    "external_organization_id": "1",
}


def without_a_place(world: World, event: AlertEvent) -> None:
    """An alert that was decided before anybody told whose it is."""
    world.device("agent-7", name="WS-07", asset_id="asset-1")
    take(world, event)
    relay_all(world)
    overdue(world)
    assert world.alert(7001)["attention"] == "no_client"


@pytest.mark.parametrize("has_text", [True, False])
def test_a_place_that_comes_after_the_decision_has_it_decided_again(
    world: World, vendor: Callable[..., None], has_text: bool
) -> None:
    told_first = part() if has_text else next_to_nothing()
    without_a_place(world, msgspec.structs.replace(told_first, external_organization_id=None))
    vendor(incident(**PLACE))
    assert work(world, "alert_details") == [{"completed": 1}]
    alert = world.alert(7001)
    assert [alert[name] for name in PLACE] == list(PLACE.values())
    assert (alert["dedup_key"], alert["asset_id"], alert["attention"]) == ("agent-7|7001", "asset-1", None)
    (ticket,) = world.tickets()
    assert (ticket["client_id"], ticket["id"]) == (world.client_id, alert["ticket_id"])


def test_a_place_that_comes_by_polling_has_it_decided_again(world: World) -> None:
    without_a_place(world, msgspec.structs.replace(part(), external_organization_id=None))
    assert take(world, incident(**PLACE), Channel.POLL).outcome == "ticket_created"
    assert world.alert(7001)["dedup_key"] == "agent-7|7001"


def test_a_place_of_nobodys_is_kept_until_it_is_mapped(world: World, vendor: Callable[..., None]) -> None:
    world.do("UPDATE rmm_devices SET client_id = NULL")
    world.do("UPDATE rmm_organization_mappings SET client_id = NULL")
    take(world, incident(is_partial=True, external_organization_id=None))
    relay_all(world)
    vendor(incident(external_organization_id="2"))
    work(world, "alert_details")
    alert = world.alert(7001)
    assert (alert["external_organization_id"], alert["attention"]) == ("2", "no_client")
    assert take(world, incident(external_organization_id="2"), Channel.POLL).reason == "duplicate"


def test_newer_words_that_come_while_the_vendor_is_asked_stay(
    world: World, vendor: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    take(world, part())
    relay_all(world)
    newer = incident(10, is_partial=True, title="HIGH - another subject", message="It was something else.")
    vendor(incident(report=WHOLE, device_name="WS-07"))
    done = once_before(monkeypatch, TacticalRmm, "alert", lambda: take(world, newer))
    assert work(world, "alert_details") == [{"completed": 1}]
    assert len(done) == 1
    alert = world.alert(7001)
    assert (alert["title"], alert["message"]) == ("HIGH - another subject", "It was something else.")
    assert (alert["report"], alert["device_name"]) == (WHOLE, "WS-07")
    (ticket,) = world.tickets()
    assert (ticket["title"], ticket["description"]) == ("[Tactical RMM] HIGH - another subject", WHOLE)


def test_events_of_an_alert_wait_for_its_text(world: World, vendor: Callable[..., None]) -> None:
    assert world.post().json["outcome"] == "ticket_created"
    assert signals(world) == ["webhook_received"]
    vendor(polled())
    assert work(world, "alert_details") == [{"completed": 1}]
    sent = dict(relay_all(world))
    assert list(sent) == ["alert_triggered", "ticket_created", "ticket_linked"]
    assert sent["alert_triggered"]["message"] == TEXT


def test_they_are_told_without_it_where_the_vendor_knows_none(
    world: World, vendor: Callable[..., None]
) -> None:
    world.post()
    relay_all(world)
    vendor(None)
    assert work(world, "alert_details") == [{"missing": 0}]
    sent = dict(relay_all(world))
    assert "message" not in sent["alert_triggered"]


def test_they_do_not_wait_for_ever(world: World) -> None:
    world.post()
    assert signals(world) == ["webhook_received"]
    waits = world.one("SELECT due_at - created_at FROM rmm_outbox")
    assert timedelta(seconds=119) < waits < timedelta(seconds=121)
    world.do("UPDATE rmm_outbox SET due_at = now()")
    assert signals(world) == ["alert_triggered", "ticket_created", "ticket_linked"]


def test_what_follows_is_told_after_them(world: World) -> None:
    world.post()
    relay_all(world)
    world.post(world.resolved())
    names = [name for name in signals(world) if name != "webhook_received"]
    assert names == ["alert_triggered", "ticket_created", "ticket_linked", "alert_resolved", "ticket_closed"]
    assert world.one("SELECT count(*) FROM rmm_outbox") == 0
