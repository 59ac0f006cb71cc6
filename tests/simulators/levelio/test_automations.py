"""Automations of the simulated Level: listed, run by the token of a webhook, looked at."""

from __future__ import annotations

from urllib.parse import quote

import pytest


def _triggers(level):
    reply = level.get("/v2/automations/webhooks").json()
    return {row["automation_id"]: row for row in reply["data"]}


def _token(row):
    return row["url"].rpartition("/")[2]


@pytest.fixture
def trigger(level):
    """The webhook of the first automation."""
    return next(iter(_triggers(level).values()))


def test_automations_have_webhooks_or_none_and_share_names(level):
    rows = level.get("/v2/automations").json()["data"]
    names = [row["name"] for row in rows]
    assert len(set(names)) < len(names)
    triggers = _triggers(level)
    assert [row["id"] in triggers for row in rows] == [True] * 4 + [False]
    assert all(triggers[row["id"]]["automation_name"] == row["name"] for row in rows[:4])


def test_the_webhooks_come_in_either_envelope_with_the_token_in_either_place(level):
    rows = level.get("/v2/automations/webhooks").json()["data"]
    level.control("settings", trigger_list="array", trigger_token="token")
    listed = level.get("/v2/automations/webhooks").json()
    assert [one["token"] for one in listed] == [_token(one) for one in rows]
    assert [one["requires_authorization"] for one in listed] == [
        one["requires_authorization_header"] for one in rows
    ]


def test_a_trigger_answers_nothing_and_runs_on_each_device(level, trigger):
    devices = list(level.lab.fleet.devices)[:2]
    path = f"/v2/automations/webhooks/{_token(trigger)}"
    reply = level.call("POST", path, json={"device_ids": devices, "folder": "C:\\Temp"})
    assert (reply.status_code, reply.content) == (200, b"")
    runs = level.ask("runs")
    assert [one["device_id"] for one in runs] == devices
    assert runs[0]["parameters"] == {"folder": "C:\\Temp"}
    told = level.get(f"/v2/automation-runs/{quote(runs[0]['id'], safe='')}").json()
    assert (told["status"], "steps" in told) == ("success", False)
    assert told["ended_at"]


def test_a_trigger_needs_no_device(level, trigger):
    assert level.call("POST", f"/v2/automations/webhooks/{_token(trigger)}").status_code == 200
    assert [one["device_id"] for one in level.ask("runs")] == [None]


def test_a_run_goes_on_until_it_is_over(level, trigger):
    level.control("settings", runs="manual")
    level.call("POST", f"/v2/automations/webhooks/{_token(trigger)}", json={})
    (run,) = level.ask("runs")
    path = f"/v2/automation-runs/{quote(run['id'], safe='')}?include_steps=true"
    assert level.get(path).json()["steps"][0]["status"] == "running"
    level.control(f"runs/{run['id']}/finish", status="failed")
    assert level.get(path).json()["status"] == "failed"


@pytest.mark.parametrize(
    "key, needs_none, needs_write",
    [("", 200, 401), ("wrong", 200, 401), ("readonly", 200, 403), ("write", 200, 200)],
)
def test_the_token_is_enough_unless_the_webhook_wants_a_key(level, key, needs_none, needs_write):
    value = {"readonly": level.readonly_key, "write": level.key}.get(key, key)
    for row in _triggers(level).values():
        expected = needs_write if row["requires_authorization_header"] else needs_none
        path = f"/v2/automations/webhooks/{_token(row)}"
        assert level.call("POST", path, value, json={}).status_code == expected
    assert any(row["requires_authorization_header"] for row in _triggers(level).values())


@pytest.mark.parametrize(
    "body, status",
    [
        ({"device_ids": ["nobody"]}, 422),
        ({"device_ids": "one"}, 422),
        ({"folder": 7}, 422),
        (["device_ids"], 400),
    ],
)
def test_what_makes_no_sense_runs_nothing(level, trigger, body, status):
    path = f"/v2/automations/webhooks/{_token(trigger)}"
    assert level.call("POST", path, json=body).status_code == status
    assert level.ask("runs") == []


def test_an_unknown_token_is_not_found(level):
    assert level.call("POST", "/v2/automations/webhooks/nothing", json={}).status_code == 404
