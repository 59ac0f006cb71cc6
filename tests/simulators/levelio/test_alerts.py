"""Alerts, webhooks and automation steps of the simulated Level."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import quote

import pytest

from tests.harness.wait import until


@pytest.fixture
def device(level):
    """A device that alerts can be raised on."""
    return level.lab.device(online=True, maintenance=False)


def _rows(level, query=""):
    return level.get(f"/v2/alerts{query}").json()["data"]


def _types(receiver):
    return [one["event_type"] for one in receiver.bodies]


def _signature(entry):
    return dict(entry["headers"]).get("X-Level-Signature")


def test_an_alert_is_active_until_it_is_resolved(level, device):
    alert = level.raise_alert(device.id)
    assert level.raise_alert(device.id) == alert, "the monitor has found it already"
    (row,) = _rows(level, "?status=active")
    assert (row["id"], row["severity"], row["is_resolved"], row["resolved_at"]) == (
        alert,
        "critical",
        False,
        None,
    )
    assert _rows(level, "?status=resolved") == []
    level.control(f"alerts/{alert}/resolve")
    assert _rows(level, "?status=active") == []
    (row,) = _rows(level, "?status=resolved")
    assert row["is_resolved"]
    assert row["resolved_at"] >= row["started_at"]
    assert level.raise_alert(device.id) != alert
    assert len(_rows(level)) == 2


def test_alerts_of_one_device(level, device):
    alert = level.raise_alert(device.id)
    other = level.lab.device(online=False, maintenance=False)
    level.raise_alert(other.id)
    assert [row["id"] for row in _rows(level, f"?device_id={quote(device.id)}")] == [alert]
    assert level.get("/v2/alerts?status=open").status_code == 422


def test_maintenance_keeps_alerts_off(level):
    assert level.control("alerts/raise", device_id=level.lab.device(maintenance=True).id) == {"id": None}


@pytest.mark.parametrize("answer", ["alert", "empty"])
def test_the_api_resolves_once(level, device, receiver, answer):
    level.control("settings", resolve_answer=answer)
    level.add_webhook(f"{receiver.url}/hook")
    alert = level.raise_alert(device.id)
    replies = [level.call("POST", f"/v2/alerts/{quote(alert, safe='')}/resolve") for _ in range(2)]
    assert [one.status_code for one in replies] == [200, 200]
    assert [bool(one.content) for one in replies] == [answer == "alert"] * 2
    assert replies[0].content == replies[1].content
    level.deliver()
    assert _types(receiver) == ["alert_active", "alert_resolved"]
    assert level.call("POST", "/v2/alerts/none/resolve").status_code == 404


def test_a_webhook_is_signed_over_its_bytes_with_a_secret_that_is_shown_once(level, device, receiver):
    secret = level.add_webhook(f"{receiver.url}/hook")
    level.raise_alert(device.id, description="Platte voll – “C:”")
    level.deliver()
    (sent,) = receiver.got
    expected = hmac.new(secret.encode(), sent["raw"].encode(), hashlib.sha256).hexdigest()
    assert _signature(sent) == f"sha256={expected}"
    assert secret not in json.dumps(level.ask("webhooks"))
    assert level.ask("webhooks")[0]["signed"] is True


def test_a_fixed_signature():
    from simulators.levelio.courier import signature

    known = "sha256=b82fcb791acec57859b989b430a826488ce2e479fdf92326bd0a2e8375a42ba4"
    assert signature("secret", b"payload") == known


def test_a_new_secret_signs_from_then_on(level, device, receiver):
    old = level.add_webhook(f"{receiver.url}/hook", secret="old")
    number = level.ask("webhooks")[0]["number"]
    assert level.control(f"webhooks/{number}/secret")["secret"] != old
    level.raise_alert(device.id)
    level.deliver()
    (sent,) = receiver.got
    assert _signature(sent) != f"sha256={hmac.new(b'old', sent['raw'].encode(), hashlib.sha256).hexdigest()}"


def test_a_webhook_without_a_secret_is_not_signed(level, device, receiver):
    level.add_webhook(f"{receiver.url}/hook", secret="none")
    level.raise_alert(device.id)
    level.deliver()
    assert _signature(receiver.got[0]) is None


def test_a_webhook_tells_the_row_of_the_api_or_its_id_only(level, device, receiver):
    level.add_webhook(f"{receiver.url}/hook")
    alert = level.raise_alert(device.id)
    level.control("settings", webhook_data="id")
    level.raise_alert(device.id, "Reboot required")
    level.deliver()
    whole, bare = receiver.bodies
    assert whole["data"] == level.get(f"/v2/alerts/{alert}").json()
    assert list(bare["data"]) == ["id"]
    assert set(whole) == {"event_type", "event_id", "occurred_at", "data"}


def test_a_webhook_gets_the_events_it_asked_for_while_it_is_on(level, device, receiver):
    level.add_webhook(f"{receiver.url}/hook", event_types=["alert_resolved"])
    number = level.ask("webhooks")[0]["number"]
    alert = level.raise_alert(device.id)
    level.control(f"alerts/{alert}/resolve")
    level.control(f"webhooks/{number}", enabled=False)
    other = level.raise_alert(device.id)
    level.control(f"alerts/{other}/resolve")
    level.deliver()
    assert _types(receiver) == ["alert_resolved"]
    level.control(f"webhooks/{number}", remove=True)
    assert level.ask("webhooks") == []


@pytest.mark.parametrize(
    "path, body, told",
    [
        ("devices", {}, ["device_created"]),
        ("devices/{device}/move", {"group_id": "null"}, ["device_updated"]),
        ("devices/{device}/serial", {"serial": "NEW"}, ["device_updated"]),
        ("devices/{device}/delete", {}, ["device_deleted"]),
        ("devices/{device}/offline", {}, ["device_updated", "alert_active"]),
        ("groups", {"name": "New", "group_id": "{group}"}, ["group_created"]),
        ("groups/{group}/change", {"name": "Other"}, ["group_updated"]),
        ("groups/{group}/delete", {}, ["group_deleted"]),
    ],
)
def test_what_happens_to_devices_and_groups_is_told(level, device, receiver, path, body, told):
    level.add_webhook(f"{receiver.url}/hook")
    group = level.lab.fleet.children(None)[0]
    body = {key: value.format(group=group.id) for key, value in body.items()}
    level.control(path.format(device=device.id, group=group.id), **body)
    level.deliver()
    assert _types(receiver) == told
    assert all(one["data"]["id"] for one in receiver.bodies)


def test_a_device_that_is_back_ends_its_alert(level, device, receiver):
    level.add_webhook(f"{receiver.url}/hook")
    level.control(f"devices/{device.id}/offline")
    level.control(f"devices/{device.id}/offline", offline=False)
    level.deliver()
    assert _types(receiver) == ["device_updated", "alert_active", "device_updated", "alert_resolved"]


def test_a_failed_webhook_is_tried_three_times_with_one_event_id(level, device, receiver):
    level.add_webhook(f"{receiver.url}/hook")
    receiver.status = 503
    level.raise_alert(device.id)
    for _ in range(4):
        level.deliver()
    assert [one["attempt"] for one in level.ask("deliveries")] == [1, 2, 3]
    assert len({one["raw"] for one in receiver.got}) == 1
    assert level.ask("deliveries/waiting") == []


def test_a_person_sends_it_again_from_the_log(level, device, receiver):
    level.add_webhook(f"{receiver.url}/hook")
    receiver.status = 500
    level.raise_alert(device.id)
    (failed,) = level.deliver()
    level.control("deliveries/forget")
    receiver.status = 200
    assert level.control("deliveries/retry", event_id=failed["event_id"])["status"] == 200
    assert receiver.got[0]["raw"] == receiver.got[1]["raw"]
    assert _signature(receiver.got[0]) == _signature(receiver.got[1])


def test_webhooks_go_out_by_themselves_and_again_when_it_is_time(level, device, receiver):
    level.control("settings", deliveries="thread")
    level.add_webhook(f"{receiver.url}/hook")
    receiver.status = 500
    level.raise_alert(device.id)
    until(lambda: len(receiver.got) == 1, "the first attempt")
    until(lambda: level.ask("deliveries/waiting") != [], "the second is planned")
    receiver.status = 200
    level.control("time", shift_seconds=200)
    until(
        lambda: [one["status"] for one in level.ask("deliveries")] == [500, 200],
        "the second attempt, now that its time has come",
    )


def test_webhooks_come_lost_twice_late_and_out_of_order(level, device, receiver):
    level.add_webhook(f"{receiver.url}/hook")
    level.control("deliveries/lose", count=1)
    lost = level.raise_alert(device.id)
    level.control("deliveries/double", count=1)
    twice = level.raise_alert(device.id, "Reboot required")
    level.control(f"alerts/{twice}/resolve")
    assert len(level.deliver(reverse=True)) == 3
    assert _types(receiver) == ["alert_resolved", "alert_active", "alert_active"]
    assert receiver.bodies[1]["event_id"] == receiver.bodies[2]["event_id"]
    assert lost in [row["id"] for row in _rows(level)]


def test_an_automation_makes_an_http_request_once(level, device, receiver):
    for event in ("alert.triggered", "alert.resolved"):
        level.control("steps", url=f"{receiver.url}/step", headers={"X-Key": "s"}, event=event)
    receiver.status = 500
    alert = level.raise_alert(device.id, description='8" disk\nfull \\o/')
    level.control(f"alerts/{alert}/resolve")
    level.deliver()
    level.deliver()
    assert [dict(one["headers"])["X-Key"] for one in receiver.got] == ["s", "s"]
    first, second = receiver.bodies
    assert first == {
        "event": "alert.triggered",
        "alert_id": alert,
        "device_id": device.id,
        "hostname": device.hostname,
        "name": "Disk space low",
        "severity": "critical",
        "description": '8" disk\nfull \\o/',
    }
    assert second == first | {"event": "alert.resolved"}


def test_an_automation_fills_in_what_it_knows(level, device, receiver):
    level.control("steps", url=f"{receiver.url}/step", body='{"a":"{{ alert_id }}","b":"{{nothing}}"}')
    alert = level.raise_alert(device.id)
    level.deliver()
    assert receiver.bodies == [{"a": alert, "b": "{{nothing}}"}]


def test_alerts_vanish(level, device, receiver):
    level.add_webhook(f"{receiver.url}/hook")
    alert = level.raise_alert(device.id)
    level.deliver()
    level.control(f"alerts/{alert}/vanish")
    assert _rows(level) == []
    assert level.deliver() == []
