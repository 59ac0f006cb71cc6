"""Alerts of the simulated Tactical RMM, and the webhooks they send."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulators.tacticalrmm import keys
from simulators.tacticalrmm.control.webhook_commands import FULL_BODY


def _alerts(server, **body):
    return server.call("PATCH", "/alerts/", json=body).json()


@pytest.fixture
def hooked(server, receiver):
    """A server whose alerts go to the receiver."""
    server.control("webhook", url=f"{receiver.url}/hook", secret="s3cret")
    return server


@pytest.fixture
def agent(server):
    return server.agent(status="online", plat="windows", maintenance_mode=False, open_alerts=[])["agent_id"]


def _trigger(server, agent, **body):
    return server.control("alerts/trigger", agent_id=agent, **body)


def test_filters(shared):
    everything = _alerts(shared)
    assert len(everything) == len(_alerts(shared, foo=1)) == len(_alerts(shared, resolvedFilter=True)) == 24
    assert {alert["alert_type"] for alert in everything} == {"availability", "check", "task", "custom"}
    unresolved = _alerts(shared, resolvedFilter=False)
    assert 0 < len(unresolved) < 24
    assert not any(alert["resolved"] for alert in unresolved)
    errors = _alerts(shared, resolvedFilter=False, snoozedFilter=False, severityFilter=["error"])
    assert {alert["severity"] for alert in errors} == {"error"}
    assert not any(a["snoozed"] for a in errors)
    assert _alerts(shared, clientFilter=[]) == _alerts(shared, severityFilter=[]) == []
    assert all("agent_id" in alert for alert in _alerts(shared, clientFilter=list(range(1, 13))))
    assert len(_alerts(shared, timeFilter="30")) == len(_alerts(shared, timeFilter=30)) < 24
    assert shared.call("PATCH", "/alerts/", json={"timeFilter": "abc"}).status_code == 500
    assert len(shared.call("PATCH", "/alerts/").json()) == 24


def test_top_is_an_object_oldest_first(shared):
    body = _alerts(shared, top=3)
    times = [alert["alert_time"] for alert in body["alerts"]]
    assert len(times) == 3 < body["alerts_count"]
    assert times == sorted(times)
    assert not any(a["hidden"] or a["resolved"] or a["snoozed"] for a in _alerts(shared, top=99)["alerts"])


def test_an_alert_without_agent_lacks_the_keys_of_its_place(shared):
    orphan = next(alert for alert in _alerts(shared) if alert["agent"] is None)
    assert not {"hostname", "agent_id", "client", "site"} & set(orphan)


def test_resolve_snooze_and_errors(server, agent):
    pk = _trigger(server, agent)["alert_id"]
    put = lambda body, number=pk: server.call("PUT", f"/alerts/{number}/", json=body)  # noqa: E731
    one = lambda: server.get(f"/alerts/{pk}/").json()  # noqa: E731
    assert put({"type": "snooze", "snooze_days": 3}).json() == "ok"
    assert one()["snoozed"] is True
    assert put({"type": "unsnooze"}).json() == "ok"
    assert one()["snooze_until"] is None
    assert put({"type": "snooze"}).json() == "Missing 'snoozed_days' when trying to snooze alert"
    assert put({"type": "bogus"}).json() == "There was an error in the request data"
    assert put({"type": "resolve"}, 99999).json() == {"detail": "No Alert matches the given query."}
    assert (
        server.call("PUT", f"/alerts/{pk}/", keys.READONLY_KEY, json={"type": "resolve"}).status_code == 403
    )
    assert put({"type": "resolve"}).json() == "ok"
    first = one()["resolved_on"]
    put({"type": "resolve"})
    assert one()["resolved_on"] > first


def test_plain_fields_resolve_without_a_time(server, agent):
    pk = _trigger(server, agent)["alert_id"]
    server.call("PUT", f"/alerts/{pk}/", json={"resolved": True})
    assert server.get(f"/alerts/{pk}/").json()["resolved_on"] is None


def test_bulk_and_custom(server, agent):
    pk = _trigger(server, agent)["alert_id"]
    bulk = lambda **body: server.call("POST", "/alerts/bulk/", json=body)  # noqa: E731
    assert bulk(bulk_action="zap", alerts=[1]).json() == "The request was invalid"
    assert bulk(bulk_action="snooze", alerts=[pk]).status_code == 400
    assert bulk(bulk_action="resolve", alerts=[pk, 99999]).json() == "ok"
    assert server.get(f"/alerts/{pk}/").json()["resolved"] is True
    number = server.ask(f"agents/{agent}")["pk"]
    body = {"alert_type": "custom", "message": "from the PSA", "severity": "warning", "agent": number}
    assert server.call("POST", "/alerts/", json=body).json() == "ok"
    assert _alerts(server)[-1]["message"] == "from the PSA"


def test_a_failure_and_its_recovery_are_sent_once_each(hooked, receiver, agent):
    first = _trigger(hooked, agent)
    again = _trigger(hooked, agent)
    hooked.control(f"alerts/{first['alert_id']}/resolve")
    hooked.control(f"alerts/{first['alert_id']}/resolve")
    assert again == first | {"fired": False, "delivery": None}
    assert [body["event"] for body in receiver.bodies] == ["failure", "resolved"]
    failure, resolved = receiver.bodies
    assert failure["alert_id"] == resolved["alert_id"] == str(first["alert_id"])
    assert failure["agent_id"] == agent
    assert failure["check_id"] == failure["resolved_on"] == "None"
    assert failure["alert_time"].endswith("+00:00")
    assert failure["alert_time"][10] == " "
    kept = hooked.get(f"/alerts/{first['alert_id']}/").json()
    assert (kept["action_retcode"], kept["action_stdout"]) == (200, '{"ok":true}')
    assert kept["resolved_action_retcode"] == 200


def test_simultaneous_failures_send_one_webhook(hooked, receiver, agent):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: _trigger(hooked, agent), range(4)))
    assert sorted(answer["fired"] for answer in answers) == [False, False, False, True]
    assert len({answer["alert_id"] for answer in answers}) == len(receiver.got) == 1


def test_a_relapse_is_a_new_alert(hooked, receiver, agent):
    first = _trigger(hooked, agent, type="check")
    hooked.control(f"alerts/{first['alert_id']}/resolve")
    second = _trigger(hooked, agent, type="check", check_id=first["check_id"])
    assert second["alert_id"] > first["alert_id"]
    assert second["fired"]
    assert [body["event"] for body in receiver.bodies] == ["failure", "resolved", "failure"]


def test_a_failed_delivery_is_not_repeated(hooked, receiver, agent):
    receiver.status = 500
    pk = _trigger(hooked, agent)["alert_id"]
    receiver.status = 200
    assert not _trigger(hooked, agent)["fired"]
    assert hooked.get(f"/alerts/{pk}/").json()["action_retcode"] == 500
    assert len(receiver.got) == 1


def test_a_refused_connection_is_a_500_with_the_text_of_the_error(server, agent):
    server.control("webhook", url="http://127.0.0.1:9/hook")
    sent = _trigger(server, agent)
    kept = server.get(f"/alerts/{sent['alert_id']}/").json()
    assert kept["action_retcode"] == 500
    assert "Connection refused" in kept["action_stdout"]


def test_resolving_through_the_api_sends_nothing_and_a_lasting_condition_opens_a_new_alert(
    hooked, receiver, agent
):
    pk = _trigger(hooked, agent)["alert_id"]
    hooked.call("PUT", f"/alerts/{pk}/", json={"type": "resolve"})
    assert len(receiver.got) == 1
    reopened = [number for number in hooked.control("cycle")["failed"] if number > pk]
    assert [body["alert_id"] for body in receiver.bodies if body["agent_id"] == agent] == [
        str(pk),
        str(reopened[0]),
    ]


def test_a_snoozed_alert_stays_silent_while_failing_but_its_recovery_is_sent(hooked, receiver, agent):
    pk = _trigger(hooked, agent)["alert_id"]
    hooked.call("PUT", f"/alerts/{pk}/", json={"type": "snooze", "snooze_days": 1})
    assert _trigger(hooked, agent)["alert_id"] == pk
    hooked.control(f"alerts/{pk}/resolve")
    assert [body["event"] for body in receiver.bodies] == ["failure", "resolved"]


def test_severity_rises_in_place_without_firing(hooked, receiver, agent):
    first = _trigger(hooked, agent, type="check", severity="warning")
    second = _trigger(hooked, agent, type="check", severity="error", check_id=first["check_id"])
    assert (first["fired"], second["fired"]) == (True, False)
    assert hooked.get(f"/alerts/{first['alert_id']}/").json()["severity"] == "error"


def test_info_and_maintenance_fire_nothing(hooked, receiver, agent):
    assert not _trigger(hooked, agent, type="check", severity="info")["fired"]
    hooked.control(f"agents/{agent}/set", maintenance_mode=True)
    quiet = _trigger(hooked, agent)
    assert not quiet["fired"]
    assert not hooked.control(f"alerts/{quiet['alert_id']}/resolve")["fired"]
    assert receiver.got == []


def test_going_offline_and_coming_back(hooked, receiver, agent):
    hooked.control(f"agents/{agent}/offline")
    hooked.control(f"agents/{agent}/online")
    assert [(body["event"], body["alert_type"]) for body in receiver.bodies] == [
        ("failure", "availability"),
        ("resolved", "availability"),
    ]


def test_the_request_on_the_wire(hooked, receiver, agent):
    _trigger(hooked, agent)
    headers = dict(receiver.got[0]["headers"])
    assert headers["User-Agent"] == "python-requests/2.34.0"
    assert headers["Accept-Encoding"] == "gzip, deflate, br"
    assert (headers["Content-Type"], headers["X-Rmm-Webhook-Secret"]) == ("application/json", "s3cret")


def test_without_rest_headers_there_is_no_content_type(hooked, receiver, agent):
    hooked.control("webhook", url=f"{receiver.url}/hook", headers="")
    _trigger(hooked, agent)
    assert "Content-Type" not in dict(receiver.got[0]["headers"])


def test_headers_that_are_no_json_stop_the_sending(hooked, receiver, agent):
    hooked.control("webhook", url=f"{receiver.url}/hook", headers="X-Secret: 1")
    pk = _trigger(hooked, agent)["alert_id"]
    kept = hooked.get(f"/alerts/{pk}/").json()
    assert (receiver.got, kept["action_retcode"]) == ([], 500)
    assert kept["action_stdout"] == "'str' object has no attribute 'items'"


def test_get_has_no_body_and_renders_the_url(hooked, receiver, agent):
    hooked.control("webhook", url=receiver.url + "/hook?a={{alert.id}}&c={{client.name}}", method="get")
    pk = _trigger(hooked, agent)["alert_id"]
    assert receiver.got[0]["path"].startswith(f"/hook?a={pk}&c=")
    assert receiver.got[0]["raw"] == ""


def test_a_redirect_turns_the_post_into_a_get(hooked, receiver, agent):
    hooked.control("webhook", url=f"{receiver.url}/redirect")
    _trigger(hooked, agent)
    assert [(entry["method"], entry["raw"] == "") for entry in receiver.got] == [
        ("POST", False),
        ("GET", True),
    ]


def test_a_quote_in_a_name_double_encodes_the_body(hooked, receiver):
    hooked.control("webhook", url=f"{receiver.url}/hook", failure_body=FULL_BODY)
    quoted = next(row for row in hooked.agents(maintenance_mode=False) if '"' in row["client"])
    sent = _trigger(hooked, quoted["agent_id"], type="check")
    assert sent["fired"]
    assert receiver.got[0]["raw"].startswith('"{')
    inner = json.loads(receiver.got[0]["raw"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(inner)


def test_values_render_as_the_real_server_renders_them(hooked, receiver, agent):
    body = (
        '{"uid": "{{alert.uid}}", "resolved": "{{alert.resolved}}", "retcode": "{{alert.get_result.retcode}}"'
        ', "out": "{{alert.get_result.stdout}}", "check": "{{alert.assigned_check.id}}"'
        ', "kv": "{{global.psa_token}}",'
        ' "task": "{{alert.assigned_task.name}}", "psa": "{{client.PSA Company ID}}", "id": {{alert.id}}}'
    )
    hooked.control("webhook", url=f"{receiver.url}/hook", failure_body=body)
    sent = _trigger(hooked, agent, type="check", message="Drive full", stdout="50% ü\nC:\\Temp", retcode=0)
    got = receiver.bodies[0]
    assert got["uid"] == "check - Drive full"
    assert (got["resolved"], got["retcode"], got["task"]) == ("None", "None", "None")
    assert got["out"] == "50% ü\nC:\\Temp"
    assert (got["check"], got["id"]) == (str(sent["check_id"]), sent["alert_id"])
    assert got["kv"] == keys.GLOBAL_STORE["psa_token"]
    assert got["psa"].startswith("CO-")
    assert receiver.got[0]["raw"].isascii()


def test_the_test_button_carries_the_agents_own_id(hooked, receiver, agent):
    number = hooked.ask(f"agents/{agent}")["pk"]
    hooked.control("webhook/test", agent_id=agent)
    body = receiver.bodies[0]
    assert body["alert_id"] == str(number)
    assert body["alert_type"] == hooked.ask(f"agents/{agent}")["hostname"]


def test_url_actions_through_the_vendor_api(server, receiver, agent):
    action = {"name": "psa", "pattern": f"{receiver.url}/hook", "rest_method": "post", "rest_headers": "{}"}
    assert (
        server.call("POST", "/core/urlaction/", json=action | {"rest_body": '{"id": "{{alert.id}}"}'}).json()
        == "ok"
    )
    pk = server.get("/core/urlaction/").json()[-1]["id"]
    template = {"action_type": "rest", "action_rest": pk}
    assert server.call("PUT", "/alerts/templates/1/", json=template).json() == "ok"
    sent = _trigger(server, agent)
    assert receiver.bodies == [{"id": str(sent["alert_id"])}]
    server.call("PUT", "/alerts/templates/1/", json={"check_script_actions": False})
    assert not _trigger(server, agent, type="check")["fired"]


@pytest.mark.parametrize("shape", ["minimal", "full", "broken", "not_json", "huge", "empty", "array"])
def test_odd_bodies_and_their_repetition(hooked, receiver, agent, shape):
    hooked.control("webhook/raw", shape=shape, agent_id=agent)
    hooked.control("webhook/repeat")
    first, second = (entry["raw"] for entry in receiver.got)
    assert first == second
    assert {"minimal": json.dumps({"agent_id": agent}), "empty": ""}.get(shape, first) == first
    assert (len(first) == 2 * 1024 * 1024) == (shape == "huge")
    assert [entry["kind"] for entry in hooked.ask("webhook/log")] == [f"raw {shape}", "repeat"]


def test_the_receiver_can_read_the_alert_while_it_handles_the_webhook(hooked, receiver, agent):
    seen = []
    receiver.on_request = lambda: seen.append(
        hooked.get(f"/alerts/{receiver.bodies[0]['alert_id']}/").status_code
    )
    _trigger(hooked, agent)
    assert seen == [200]


def test_deleting_an_agent_deletes_its_alerts(server, agent):
    pk = _trigger(server, agent)["alert_id"]
    server.control(f"agents/{agent}/delete")
    assert server.get(f"/alerts/{pk}/").status_code == 404
