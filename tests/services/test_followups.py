"""What follows a commit: jobs, events and notifications, once."""

from __future__ import annotations

from typing import Any

from rmm_extension.services import followups
from tests.harness.world import AGENT, World
from tests.services.working import queued, relay_all


def notified(world: World) -> list[dict[str, Any]]:
    return world.rows(
        "SELECT n.*, u.name FROM notifications n"
        " JOIN users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id"
        " WHERE n.category = 'RMM Alerts' ORDER BY u.name"
    )


def test_a_delivery_starts_its_jobs_and_tells_its_events(world: World) -> None:
    world.device()
    world.post()
    assert [name for name, _ in relay_all(world)] == ["webhook_received"]
    # As when the text does not come.
    world.do("UPDATE rmm_outbox SET due_at = now()")
    sent = relay_all(world)
    assert [name for name, _ in sent] == [
        "alert_triggered",
        "ticket_created",
        "ticket_linked",
    ]
    alert, ticket = world.alert(), world.tickets()[0]
    assert dict(sent)["alert_triggered"] == {
        "tenantId": world.tenant,
        "integrationId": str(world.integration_id),
        "provider": "tacticalrmm",
        "alertId": str(alert["id"]),
        "externalAlertId": "524",
        "severity": "critical",
        "externalDeviceId": AGENT,
        "deviceId": str(alert["device_id"]),
        "ticketId": ticket["id"],
        "sourceType": "tacticalrmm_alert",
        "alertClass": "check",
        "triggeredAt": "2026-11-21T02:06:46.015151+00:00",
    }
    assert len(queued(world, "alert_details")) == 1
    assert len(queued(world, "device_refresh")) == 1


def test_deliveries_about_one_device_refresh_it_once(world: World) -> None:
    for number in range(3):
        world.post(world.body(number, check_id=str(number)))
    relay_all(world)
    assert len(queued(world, "device_refresh")) == 1
    assert len(queued(world, "alert_details")) == 3


def test_the_end_of_an_alert_is_told_with_its_time(world: World) -> None:
    world.post()
    relay_all(world)
    world.post(world.resolved())
    sent = dict(relay_all(world))
    assert sent["alert_resolved"]["resolvedAt"] == "2026-11-21T03:00:00+00:00"


def test_a_repeat_tells_nothing(world: World) -> None:
    world.post()
    relay_all(world)
    world.post()
    assert relay_all(world) == []


def test_the_users_a_rule_names_are_told_once(world: World) -> None:
    users = world.rows("SELECT id FROM users WHERE tenant_id = :t AND is_enabled LIMIT 2", t=world.tenant)
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, notifyUserIds=[user["id"] for user in users])
    world.device()
    world.post()
    payload = world.rows("SELECT payload FROM rmm_outbox")[0]["payload"]
    relay_all(world)
    # The relay may hand over a row again after a crash.
    with world.unit() as session:
        followups.alert_followups(world.rmm, session, world.tenant, payload)
    found = notified(world)
    assert len(found) == 2
    assert found[0]["title"] == "RMM Alert (critical): SERVER-01"
    assert found[0]["level"] == "error"
    assert found[0]["link"].endswith(world.tickets()[0]["id"])


def test_a_new_episode_tells_them_again(world: World) -> None:
    user = world.one("SELECT id FROM users WHERE tenant_id = :t AND role = 'admin' LIMIT 1", t=world.tenant)
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, notifyUserIds=[user])
    for body in (world.body(), world.resolved(), world.body(alert_time="2026-11-21 05:00:00+00:00")):
        world.post(body)
        relay_all(world)
    assert len(notified(world)) == 2


def test_an_alert_that_is_gone_by_then_is_no_error(world: World) -> None:
    world.post()
    world.do("DELETE FROM rmm_alerts")
    assert relay_all(world) == []


def test_a_ticket_without_alerts_starts_nothing(world: World) -> None:
    with world.unit() as session:
        payload = {"ticket_id": "no-such", "actor": "A", "actor_id": "a"}
        followups.ticket_closed(world.rmm, session, world.tenant, payload)
    assert queued(world, "alert_reset") == []


def test_a_closed_ticket_starts_one_reset_however_often_it_is_told(world: World) -> None:
    world.post()
    payload = {"ticket_id": world.tickets()[0]["id"], "actor": "A", "actor_id": "a"}
    for tenant in (world.tenant, world.tenant, "another"):
        with world.unit() as session:
            followups.ticket_closed(world.rmm, session, tenant, payload)
    assert len(queued(world, "alert_reset")) == 1
