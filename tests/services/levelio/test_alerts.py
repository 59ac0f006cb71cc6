"""Alerts of a simulated Level, by signed webhook, by an automation and by list: one alert, one ticket."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.services import details
from rmm_extension.services.webhook_access import drop_previous
from tests.services.levelio.conftest import Scene
from tests.services.working import queued, relay_all, steps, work

SECRET = "of-an-automation"


def by_automation(scene: Scene, **more: Any) -> None:
    """Let an automation send a request for every alert that begins, and for every one that ends."""
    scene.keep(SECRET)
    for event in ("alert.triggered", "alert.resolved"):
        scene.level.control(
            "steps", url=scene.hook, event=event, headers={"X-RMM-Webhook-Secret": SECRET}, **more
        )


def test_an_alert_makes_a_ticket_and_its_end_closes_it(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    alert = scene.level.raise_alert(device, severity="emergency")
    assert [one["outcome"] for one in scene.deliver()] == ["ticket_created"]
    row = scene.world.alert(alert)
    assert (row["severity"], row["alert_class"], row["client_id"]) == (
        "critical",
        "Disk space low",
        scene.world.client_id,
    )
    assert row["external_organization_id"] == scene.group
    scene.level.control(f"alerts/{alert}/resolve")
    assert [one["outcome"] for one in scene.deliver()] == ["resolved"]
    (ticket,) = scene.tickets()
    assert ticket["closed_at"] is not None


def test_every_channel_brings_the_same_alert(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    alert = scene.level.raise_alert(device)
    assert scene.deliver()[0]["outcome"] == "ticket_created"
    before, lines = scene.world.alert(alert), scene.history()
    assert scene.poll()["counts"] == {"processed": 1}
    assert (scene.world.alert(alert), scene.history(), len(scene.tickets())) == (before, lines, 1)


@pytest.mark.parametrize("channel", ["webhook", "automation", "poll"])
@pytest.mark.parametrize(
    "conditions",
    [
        {"organizationIds": ["the mapped one"]},
        {"severities": ["moderate"]},
        {"alertClasses": ["Disk space low"]},
        {"sourceTypes": ["levelio_alert"]},
        {"activityTypes": ["levelio_alert"]},
        {"keywords": ["disk space low: "]},
    ],
)
def test_the_same_rule_takes_it_by_every_channel(
    scene: Scene, channel: str, conditions: dict[str, Any]
) -> None:
    """None of them says the organization: it is the device's."""
    scene.world.do("DELETE FROM rmm_alert_rules")
    if "organizationIds" in conditions:
        conditions = {"organizationIds": [scene.group]}
    rule = scene.world.add_rule(conditions=conditions)
    device = scene.known()
    if channel == "webhook":
        scene.subscribe()
    if channel == "automation":
        by_automation(scene)
    alert = scene.level.raise_alert(device, severity="warning")
    if channel == "poll":
        scene.poll()
    else:
        scene.deliver()
    assert scene.world.alert(alert)["matched_rule_id"] == rule
    assert len(scene.tickets()) == 1


def test_twice_is_once(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    scene.level.control("deliveries/double", count=1)
    scene.level.raise_alert(device)
    assert [one["outcome"] for one in scene.deliver()] == ["ticket_created", "skipped"]
    lines = scene.history()
    assert scene.level.control("deliveries/retry")["status"] == 200
    assert (scene.history(), len(scene.tickets())) == (lines, 1)


def test_a_delivery_that_somebody_sends_again_opens_nothing(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    alert = scene.level.raise_alert(device)
    scene.deliver()
    begun = scene.level.ask("deliveries")[0]["event_id"]
    scene.level.control(f"alerts/{alert}/resolve")
    scene.deliver()
    before, lines = scene.world.alert(alert), scene.history()
    assert scene.level.control("deliveries/retry", event_id=begun)["status"] == 200
    assert (scene.world.alert(alert), len(scene.tickets())) == (before, 1)
    assert before["status"] == "auto_resolved"
    assert scene.history() == lines


def test_an_end_that_overtakes_its_beginning(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    alert = scene.level.raise_alert(device)
    scene.level.control(f"alerts/{alert}/resolve")
    assert [one.get("reason") for one in scene.deliver(reverse=True)] == ["tombstone", "older_event"]
    assert scene.world.alert(alert)["status"] == "resolved"
    assert scene.tickets() == []


def test_a_delivery_that_is_not_signed_by_the_secret_is_refused(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    scene.keep("another-secret-of-another-webhook")
    world = scene.world
    with world.unit() as session:
        drop_previous(world.rmm, session, world.admin, world.integration_id)
    scene.level.raise_alert(device)
    assert [one["status"] for one in scene.level.deliver()] == [401]
    assert scene.tickets() == []


def test_while_the_secret_is_replaced_both_hold(scene: Scene) -> None:
    device = scene.known()
    old = scene.subscribe()
    number = scene.level.ask("webhooks")[0]["number"]
    new = scene.level.control(f"webhooks/{number}/secret")["secret"]
    assert new != old
    scene.keep(new)
    scene.level.raise_alert(device)
    assert [one["outcome"] for one in scene.deliver()] == ["ticket_created"]


def test_a_body_that_was_changed_on_its_way_is_refused(scene: Scene) -> None:
    scene.subscribe()
    signature = "sha256=" + "0" * 64
    body = '{"event_type":"alert_active","event_id":"e","data":{"id":"a"}}'
    sent = scene.level.control("deliveries/raw", body=body, headers={"X-Level-Signature": signature})
    assert sent["status"] == 401


def test_what_a_webhook_lost_is_healed_and_counted(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    scene.world.do("UPDATE rmm_integrations SET webhook_since = now() - interval '1 day'")
    scene.level.control("deliveries/lose", count=2)
    alert = scene.level.raise_alert(device)
    with scene.level.lab.lock:
        # It was a while ago: a webhook may come two minutes late.
        scene.level.lab.alerts[alert].started -= 300
    scene.poll()
    assert scene.world.alert(alert)["webhook_lost"] is True
    assert len(scene.tickets()) == 1
    scene.level.control(f"alerts/{alert}/resolve")
    other = scene.level.raise_alert(device, "Memory")
    scene.poll()
    assert scene.world.alert(alert)["status"] in ("resolved", "auto_resolved")
    assert scene.world.alert(other)["status"] == "active"


def test_a_ticket_that_a_person_closes_resolves_and_the_echo_changes_nothing(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    alert = scene.level.raise_alert(device)
    scene.deliver()
    (ticket,) = scene.tickets()
    scene.close(ticket["id"])
    (run_id,) = queued(scene.world, "alert_reset")
    assert scene.perform(run_id)["counts"]["reset"] == 1
    assert scene.level.ask("alerts") == []
    assert any("Level resolved the alert." in note for note in scene.world.notes(ticket["id"]))
    status = scene.world.alert(alert)["status"]
    assert [one["reason"] for one in scene.deliver()] == ["already_resolved"]
    scene.poll()
    relay_all(scene.world)
    assert scene.world.alert(alert)["status"] == status == "resolved"
    assert queued(scene.world, "alert_reset") == []
    assert len([one for one in scene.level.paths("/v2/alerts/") if one.endswith("/resolve")]) == 1
    assert steps(scene.world, alert).count("vendor_reset") == 1


def test_an_alert_that_is_gone_there_counts_as_resolved(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    alert = scene.level.raise_alert(device)
    scene.deliver()
    (ticket,) = scene.tickets()
    scene.level.control(f"alerts/{alert}/vanish")
    scene.close(ticket["id"])
    (run_id,) = queued(scene.world, "alert_reset")
    assert scene.perform(run_id)["counts"]["reset"] == 1
    assert scene.world.alert(alert)["status"] == "resolved"


def test_a_key_that_only_reads_leaves_the_alert_and_says_so(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    with scene.world.unit() as session:
        scene.world.rmm.vault.store(
            session, scene.world.tenant, scene.world.integration_id, "api_key", scene.level.readonly_key
        )
    alert = scene.level.raise_alert(device)
    scene.deliver()
    (ticket,) = scene.tickets()
    scene.close(ticket["id"])
    (run_id,) = queued(scene.world, "alert_reset")
    scene.perform(run_id)
    assert scene.level.lab.alerts[alert].resolved is None
    assert any("read and write" in note for note in scene.world.notes(ticket["id"]))


def test_an_automation_without_the_alerts_id_meets_the_alert_later(scene: Scene) -> None:
    """A variable that nobody filled in is no id: the first list brings it, and takes the alert over."""
    device = scene.known()
    by_automation(
        scene,
        body='{"event": "{{event}}", "alert_id": "{{alert.id}}", "device_id": "{{device_id}}",'
        ' "name": "{{name}}", "severity": "{{severity}}", "description": "{{description}}"}',
    )
    alert = scene.level.raise_alert(device)
    assert scene.deliver()[0]["outcome"] == "ticket_created"
    made_up = scene.world.alert(f"device:{device}:disk space low")
    assert made_up["synthesized"] is True
    scene.poll()
    taken = scene.world.alert(alert)
    assert (taken["id"], taken["synthesized"], taken["ticket_id"]) == (
        made_up["id"],
        False,
        made_up["ticket_id"],
    )
    assert len(scene.tickets()) == 1


@pytest.mark.parametrize("mode", ["dashboard_html", "cut_body", "wrong_shape", "server_error"])
def test_a_list_that_is_none_changes_nothing(scene: Scene, mode: str) -> None:
    alert = scene.level.raise_alert(scene.known())
    scene.poll()
    scene.level.fault(mode, prefix="/v2/alerts")
    assert scene.poll()["status"] != "succeeded"
    assert scene.world.alert(alert)["status"] == "active"


def test_an_empty_list_is_looked_at_twice(scene: Scene) -> None:
    alert = scene.level.raise_alert(scene.known())
    scene.poll()
    scene.level.empty("/v2/alerts", count=1)
    scene.poll()
    assert scene.world.alert(alert)["status"] == "active"


def test_a_wish_for_patience_puts_the_poll_off(scene: Scene) -> None:
    alert = scene.level.raise_alert(scene.known())
    scene.level.fault("throttled", prefix="/v2/alerts", retry_after="120")
    run = scene.poll()
    assert run["status"] == "queued"
    assert run["due_at"] is not None
    calls = len(scene.level.paths("/v2/alerts"))
    assert calls == 1
    scene.level.lab.misbehaviours.clear()
    assert scene.perform(run["id"])["status"] == "succeeded"
    assert scene.world.alert(alert)["status"] == "active"


def test_a_webhook_that_tells_an_id_alone_is_decided_on_what_level_knows(scene: Scene) -> None:
    scene.level.lab.settings.change(webhook_data="id")
    scene.world.do("DELETE FROM rmm_alert_rules")
    rule = scene.world.add_rule(conditions={"severities": ["critical"], "organizationIds": [scene.group]})
    device = scene.known()
    scene.subscribe()
    alert = scene.level.raise_alert(device, severity="emergency")
    assert [one["outcome"] for one in scene.deliver()] == ["awaiting_details"]
    assert scene.tickets() == []
    relay_all(scene.world)
    work(scene.world, "alert_details")
    row = scene.world.alert(alert)
    assert (row["severity"], row["external_device_id"], row["matched_rule_id"]) == ("critical", device, rule)
    assert (row["alert_class"], row["dedup_key"]) == ("Disk space low", f"{device}|disk space low")
    assert len(scene.tickets()) == 1


def test_what_level_could_not_tell_in_time_is_made_up_for_by_its_list(scene: Scene) -> None:
    scene.level.lab.settings.change(webhook_data="id")
    device = scene.known()
    scene.subscribe()
    alert = scene.level.raise_alert(device, severity="emergency")
    scene.deliver()
    scene.world.do("UPDATE rmm_alerts SET details_due_at = now()")
    with scene.world.app.app_context():
        assert details.decide_overdue(scene.world.rmm) == 1
    assert scene.world.alert(alert)["attention"] == "no_client"
    scene.poll()
    row = scene.world.alert(alert)
    assert (row["attention"], row["external_device_id"]) == (None, device)
    assert row["dedup_key"] == f"{device}|disk space low"
    assert [ticket["id"] for ticket in scene.tickets()] == [row["ticket_id"]]
    before = scene.history()
    scene.poll()
    assert scene.history() == before
