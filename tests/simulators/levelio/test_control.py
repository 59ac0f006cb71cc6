"""The control page and planned changes of the simulated Level."""

from __future__ import annotations

import pytest
import requests


def _ids(level, query="limit=100"):
    return [row["id"] for row in level.get(f"/v2/devices?{query}").json()["data"]]


def test_the_page_shows_what_there_is(level):
    device = level.lab.device(online=True, maintenance=False)
    level.raise_alert(device.id)
    level.add_webhook("https://psa.test/hook")
    text = requests.get(f"{level.url}/_control/", params={"search": device.hostname}, timeout=20).text
    for told in (device.hostname, "Disk space low", "https://psa.test/hook", level.key, "alert_resolved"):
        assert told in text


def test_a_form_leads_back_to_the_page_with_the_result(level):
    form = {"url": "https://psa.test/hook", "event_types": "alert_active device_deleted", "_search": "LPC"}
    reply = requests.post(f"{level.url}/_control/api/webhooks", data=form, timeout=20)
    assert reply.history[0].status_code == 303
    assert "lvlsec_" in reply.text
    (made,) = level.ask("webhooks")
    assert made["event_types"] == ["alert_active", "device_deleted"]
    assert "lvlsec_" not in requests.get(f"{level.url}/_control/", timeout=20).text


@pytest.mark.parametrize(
    "path, body",
    [
        ("webhooks", {"url": "ftp://x"}),
        ("webhooks", {"url": "https://x", "event_types": ["other"]}),
        ("steps", {"url": "https://x", "event": "other"}),
        ("alerts/raise", {"device_id": "nobody"}),
        ("devices", {"platform": "Amiga"}),
        ("settings", {"runs": "never"}),
        ("settings", {"nothing": 1}),
        ("deliveries/retry", {}),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(level, path, body):
    reply = requests.post(f"{level.url}/_control/api/{path}", json=body, timeout=20)
    assert reply.status_code in (400, 404)


def test_a_device_disappears_in_the_middle_of_a_crawl(level):
    ids = _ids(level)
    level.control(f"devices/{ids[0]}/delete", after_requests=2, prefix="/v2/devices")
    assert _ids(level) == ids
    assert _ids(level) == ids
    assert _ids(level) == ids[1:]


def test_a_device_is_moved_and_another_arrives_later(level):
    device = level.lab.device(online=True)
    home = level.lab.fleet.children(None)[1].id
    level.control(f"devices/{device.id}/move", group_id=home, after_requests=1)
    assert level.control("devices", after_requests=1, hostname="NEW-1") == {"scheduled": True}
    before = set(_ids(level))
    assert len(_ids(level)) == len(before) + 1
    assert level.get(f"/v2/devices/{device.id}").json()["group_id"] == home


def test_alerts_come_and_go_in_the_middle_of_a_poll(level):
    first, second = [one for one in level.lab.devices() if one.online and not one.maintenance][:2]
    alert = level.raise_alert(first.id)
    later = {"after_requests": 1, "prefix": "/v2/alerts"}
    level.control(f"alerts/{alert}/resolve", **later)
    level.control("alerts/raise", device_id=second.id, **later)
    level.control(f"devices/{first.id}/offline", **later)

    def active():
        rows = level.get("/v2/alerts?status=active").json()["data"]
        return {(row["device_id"], row["name"]) for row in rows}

    assert active() == {(first.id, "Disk space low")}
    assert active() == {(second.id, "Disk space low"), (first.id, "Device offline")}


def test_a_group_goes_and_what_was_in_it_moves_up(level):
    top = level.lab.fleet.children(None)[0]
    branch = level.lab.fleet.children(top.id)[0]
    inner = level.lab.fleet.children(branch.id)
    level.control(f"groups/{branch.id}/delete")
    rows = {row["id"]: row for row in level.get("/v2/groups?limit=100").json()["data"]}
    assert branch.id not in rows
    assert {rows[one.id]["parent_id"] for one in inner} == {top.id}


def test_a_group_is_not_put_below_itself(level):
    top = level.lab.fleet.children(None)[0]
    branch = level.lab.fleet.children(top.id)[0]
    path = f"{level.url}/_control/api/groups/{top.id}/change"
    assert requests.post(path, json={"group_id": branch.id}, timeout=20).status_code == 400
    assert level.control(f"groups/{branch.id}/change", group_id="null")["parent_id"] is None


def test_a_reset_brings_back_the_first_fleet(start_level):
    level = start_level(devices=12, alerts_at_start=3)
    before = _ids(level)
    alerts = level.get("/v2/alerts").json()["data"]
    assert len(alerts) == 3
    level.control(f"devices/{before[0]}/delete")
    level.control("settings", runs="manual")
    level.control("reset")
    assert _ids(level) == before
    assert level.ask("state")["settings"]["runs"] == "instant"
    assert len(level.get("/v2/alerts").json()["data"]) == 3
