"""Alerts of a simulated NinjaOne, by webhook, list and activity log: one alert, one ticket, exact ends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.ninjaone.conftest import Scene
from tests.services.working import queued, relay_all, steps


def test_a_trigger_makes_a_ticket_and_its_reset_closes_it(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    uid = scene.trigger(device)
    assert [one["outcome"] for one in scene.deliver()] == ["ticket_created"]
    alert = scene.world.alert(uid)
    assert (alert["severity"], alert["alert_class"]) == ("moderate", "Disk almost full")
    assert (alert["client_id"], alert["device_name"]) == (scene.world.client_id, alert["device_name"])
    assert alert["external_organization_id"] == scene.organization
    scene.ninja.control(f"alerts/{uid}/reset")
    assert [one["outcome"] for one in scene.deliver()] == ["resolved"]
    (ticket,) = scene.tickets()
    assert ticket["closed_at"] is not None


def test_every_channel_brings_the_same_alert(scene: Scene) -> None:
    scene.known()
    scene.read_log()
    scene.subscribe()
    uid = scene.trigger(str(scene.machines[0].id), "Memory")
    assert scene.deliver()[0]["outcome"] == "ticket_created"
    before, lines = scene.world.alert(uid), scene.history()
    assert scene.poll()["counts"] == {"processed": 1}
    assert scene.read_log()["counts"] == {"skipped": 1}
    assert (scene.world.alert(uid), scene.history(), len(scene.tickets())) == (before, lines, 1)


@pytest.mark.parametrize("channel", ["webhook", "poll", "log"])
@pytest.mark.parametrize(
    "conditions",
    [
        {"organizationIds": ["the mapped one"]},
        {"severities": ["moderate"]},
        {"alertClasses": ["Disk almost full"]},
        {"sourceTypes": ["agent_cond_disk_free_space_lt"]},
        {"activityTypes": ["CONDITION"]},
        {"keywords": ["free disk"]},
    ],
)
def test_the_same_rule_takes_it_by_every_channel(
    scene: Scene, channel: str, conditions: dict[str, Any]
) -> None:
    """Neither the list nor the log says the organization: it is the device's."""
    scene.world.do("DELETE FROM rmm_alert_rules")
    if "organizationIds" in conditions:
        conditions = {"organizationIds": [scene.organization]}
    rule = scene.world.add_rule(conditions=conditions)
    device = scene.known()
    scene.read_log()
    scene.subscribe()
    uid = scene.trigger(device)
    {"webhook": scene.deliver, "poll": scene.poll, "log": scene.read_log}[channel]()
    alert = scene.world.alert(uid)
    assert (alert["matched_rule_id"], alert["first_channel"]) == (rule, channel.replace("log", "poll"))
    assert alert["client_id"] == scene.world.client_id
    assert len(scene.tickets()) == 1


def test_twice_is_once(scene: Scene) -> None:
    scene.known()
    scene.subscribe()
    scene.ninja.control("deliveries/double", count=1)
    scene.trigger(str(scene.machines[0].id))
    assert [one["outcome"] for one in scene.deliver()] == ["ticket_created", "skipped"]
    assert scene.world.one("SELECT max(occurrence_count) FROM rmm_alert_conditions") == 1


def test_an_end_that_overtakes_its_beginning(scene: Scene) -> None:
    scene.known()
    scene.subscribe()
    uid = scene.trigger(str(scene.machines[0].id))
    scene.ninja.control(f"alerts/{uid}/reset")
    assert [one.get("reason") for one in scene.deliver(reverse=True)] == ["tombstone", "older_event"]
    assert scene.world.alert(uid)["status"] == "resolved"
    assert scene.tickets() == []
    assert scene.poll()["counts"] == {"processed": 0}


def test_acknowledged_at_the_vendor(scene: Scene) -> None:
    scene.known()
    scene.subscribe()
    uid = scene.trigger(str(scene.machines[0].id))
    scene.deliver()
    scene.ninja.control(f"alerts/{uid}/acknowledge")
    assert scene.deliver()[0]["outcome"] == "acknowledged"
    assert scene.world.alert(uid)["status"] == "acknowledged"
    scene.poll()
    assert scene.world.alert(uid)["status"] == "acknowledged"


@pytest.mark.parametrize("heals", ["poll", "log"])
def test_what_a_webhook_lost_is_healed_and_counted(scene: Scene, heals: str) -> None:
    device = scene.known()
    scene.read_log()
    scene.subscribe()
    scene.world.do("UPDATE rmm_integrations SET webhook_since = now() - interval '1 day'")
    scene.ninja.control("deliveries/lose", count=2)
    uid = scene.trigger(device)
    with scene.ninja.lab.lock:
        # It was a while ago: a webhook may come two minutes late.
        scene.ninja.lab.alerts[uid].created -= 300
        scene.ninja.lab.journal.entries[-1].row["activityTime"] -= 300
    look = {"poll": scene.poll, "log": scene.read_log}[heals]
    look()
    assert scene.world.alert(uid)["webhook_lost"] is True
    assert len(scene.tickets()) == 1
    scene.ninja.control(f"alerts/{uid}/reset")
    other = scene.trigger(device, "Memory")
    look()
    assert scene.world.alert(uid)["status"] in ("resolved", "auto_resolved")
    assert scene.world.alert(other)["status"] == "active"


def test_an_alert_that_just_went_is_over(scene: Scene) -> None:
    """Its policy was taken away: no activity says so, and its series ends with a trigger."""
    device = scene.known()
    uid, other = scene.trigger(device), scene.trigger(device, "Memory")
    scene.poll()
    scene.ninja.control(f"alerts/{uid}/vanish")
    scene.poll()
    assert scene.world.alert(uid)["status"] == "auto_resolved"
    assert scene.world.alert(other)["status"] == "active"


def test_a_ticket_that_a_person_closes_resets_and_the_echo_changes_nothing(scene: Scene) -> None:
    device = scene.known()
    scene.read_log()
    scene.subscribe()
    uid = scene.trigger(device)
    scene.deliver()
    (ticket,) = scene.tickets()
    scene.close(ticket["id"])
    (run_id,) = queued(scene.world, "alert_reset")
    assert scene.perform(run_id)["counts"]["reset"] == 1
    assert scene.ninja.ask("alerts") == []
    assert any("NinjaOne has reset the alert." in note for note in scene.world.notes(ticket["id"]))
    status = scene.world.alert(uid)["status"]
    assert [one["reason"] for one in scene.deliver()] == ["already_resolved"]
    scene.read_log()
    scene.poll()
    relay_all(scene.world)
    assert scene.world.alert(uid)["status"] == status == "resolved"
    assert queued(scene.world, "alert_reset") == []
    assert len(scene.tickets()) == 1
    assert len([one for one in scene.ninja.paths("/v2/alert/") if "reset" in one]) == 1
    assert steps(scene.world, uid).count("vendor_reset") == 1


def test_an_alert_that_is_gone_there_counts_as_reset(scene: Scene) -> None:
    device = scene.known()
    scene.subscribe()
    uid = scene.trigger(device)
    scene.deliver()
    (ticket,) = scene.tickets()
    scene.ninja.control(f"alerts/{uid}/vanish")
    scene.close(ticket["id"])
    (run_id,) = queued(scene.world, "alert_reset")
    assert scene.perform(run_id)["counts"]["reset"] == 1
    assert any("over there already" in note for note in scene.world.notes(ticket["id"]))
    assert scene.world.alert(uid)["status"] == "resolved"


@pytest.mark.parametrize("mode", ["dashboard_html", "cut_body", "wrong_shape", "server_error"])
def test_a_list_that_is_none_changes_nothing(scene: Scene, mode: str) -> None:
    uid = scene.trigger(scene.known())
    scene.poll()
    scene.ninja.fault(mode, prefix="/v2/alerts")
    assert scene.poll()["status"] != "succeeded"
    assert scene.world.alert(uid)["status"] == "active"
