"""Keys of the simulated Level: raw, read-only or read/write, regenerated, limited."""

from __future__ import annotations

import pytest
import requests


def test_a_key_is_sent_raw(level):
    assert level.get("/v2/groups?limit=1").status_code == 200
    assert level.get("/v2/groups?limit=1", level.readonly_key).status_code == 200


@pytest.mark.parametrize("key", ["", "wrong", "Bearer {key}", "Basic {key}", "{key}x"])
def test_anything_else_is_refused(level, key):
    reply = level.get("/v2/groups", key.format(key=level.key))
    assert (reply.status_code, reply.json()) == (401, {"error": "Access denied"})


def test_a_read_only_key_does_not_write(level):
    alert = level.raise_alert(level.lab.device(online=True, maintenance=False).id)
    refused = level.call("POST", f"/v2/alerts/{alert}/resolve", level.readonly_key)
    assert (refused.status_code, refused.json()) == (403, {"error": "Forbidden"})
    assert not level.get(f"/v2/alerts/{alert}").json()["is_resolved"]


def test_a_regenerated_key_kills_the_old_one_at_once(level):
    made = level.control("keys/PSA/regenerate")
    assert level.get("/v2/groups").status_code == 401
    assert level.get("/v2/groups", made["value"]).status_code == 200
    assert level.get("/v2/groups", level.readonly_key).status_code == 200


def test_calls_above_the_limit_are_refused_until_the_minute_is_over(level):
    level.control("settings", rate_limit=3, retry_after="7")
    assert [level.get("/v2/groups").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = level.get("/v2/groups")
    assert refused.headers["Retry-After"] == "7"
    assert level.get("/v2/groups", level.readonly_key).status_code == 200, "each key has its own minute"
    level.control("time", shift_seconds=60)
    assert level.get("/v2/groups").status_code == 200


def test_a_limit_can_come_without_advice(level):
    level.control("settings", rate_limit=0, retry_after=None)
    assert "Retry-After" not in level.get("/v2/groups").headers


@pytest.mark.parametrize(
    "mode, status, told",
    [
        ("unauthorized", 401, "Access denied"),
        ("forbidden", 403, "Forbidden"),
        ("not_found_html", 404, "<!doctype html>"),
        ("throttled", 429, "Too many requests"),
        ("server_error", 500, "Internal server error"),
        ("dashboard_html", 200, "<!doctype html>"),
        ("wrong_shape", 200, "unexpected"),
    ],
)
def test_faults_answer_in_place_of_the_server(level, mode, status, told):
    level.fault(mode, prefix="/v2/devices", count=1)
    reply = level.get("/v2/devices")
    assert reply.status_code == status
    assert told in reply.text
    assert level.get("/v2/devices").json()["data"]


def test_a_body_is_cut(level):
    level.fault("cut_body", prefix="/v2/devices")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        level.get("/v2/devices")


def test_lists_can_be_empty(level):
    level.empty("/v2/devices", count=1)
    assert level.get("/v2/devices").json() == {"data": [], "has_more": False}


@pytest.mark.parametrize("method, path", [("DELETE", "/v2/groups"), ("PUT", "/v2/alerts/x/resolve")])
def test_another_method_is_not_allowed(level, method, path):
    assert level.call(method, path).status_code == 405


def test_an_unknown_address_is_not_found(level):
    reply = level.get("/v2/software")
    assert (reply.status_code, reply.headers["Content-Type"]) == (404, "application/json")


def test_the_log_names_a_key_and_does_not_hold_it(level):
    level.get("/v2/groups")
    level.get("/v2/groups", "wrong")
    assert [one["user"] for one in level.ask("requests")] == ["PSA", None]
    assert level.key not in str(level.ask("requests"))
