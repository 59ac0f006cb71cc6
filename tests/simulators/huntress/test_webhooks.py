"""Webhooks of the simulated Huntress: who gets them, what they say, how they are signed and repeated."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
import requests

from simulators.huntress import svix
from tests.harness.wait import until


@pytest.fixture
def hook(huntress, receiver):
    """The endpoint that `receiver` stands behind."""
    return huntress.webhook(f"{receiver.url}/hook")


def _kinds(receiver):
    return [one["event_type"] for one in receiver.bodies]


def _headers(receiver, place=-1):
    return {name.lower(): value for name, value in receiver.got[place]["headers"]}


def test_the_signature_of_svixs_own_example():
    """Id, time, body and signature are those of Svix's document on verifying by hand."""
    secret = "whsec_plJ3nmyCDGBKInavdOK15jsl"
    body = b'{"event_type":"ping","data":{"success":true}}'
    sent = svix.headers([secret], "msg_loFOjxBNrRLzqYUf", 1731705121, body)
    assert sent["svix-signature"] == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    assert sent["svix-timestamp"] == "1731705121"


def test_a_delivery_is_signed_over_its_bytes(huntress, receiver, hook):
    huntress.raise_incident()
    (sent,) = huntress.deliver()
    assert sent["status"] == 200
    got, headers = receiver.got[0], _headers(receiver)
    key = base64.b64decode(hook["secret"].removeprefix("whsec_"))
    signed = f"{headers['svix-id']}.{headers['svix-timestamp']}.{got['raw']}".encode()
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["svix-signature"] == f"v1,{expected}"
    assert headers["svix-id"].startswith("msg_")
    assert abs(int(headers["svix-timestamp"]) - time.time()) < 30
    assert headers["content-type"] == "application/json"


def test_the_body_of_an_incident(huntress, receiver, hook):
    incident = huntress.raise_incident(agent_id=5002)
    huntress.deliver()
    (body,) = receiver.bodies
    row = huntress.get(f"/v1/incident_reports/{incident}").json()["incident_report"]
    shared = set(body) & set(row)
    assert {key: body[key] for key in shared} == {key: row[key] for key in shared}
    assert "organization_id" not in body
    assert body["organization"]["id"] == row["organization_id"]
    assert body["api_url"] == f"https://api.huntress.io/v1/incident_reports/{incident}"
    assert body["created_at"] == row["updated_at"]


def test_of_changes_only_a_close_is_told(huntress, receiver, hook):
    incident = huntress.raise_incident(status="auto_remediating")
    for status in ("sent", "dismissed", "partner_dismissed", "deleting", "sent", "closed"):
        huntress.control(f"incidents/{incident}/status", status=status)
    huntress.control(f"incidents/{incident}/severity", severity="low")
    huntress.deliver()
    assert _kinds(receiver) == ["incident_report.created", "incident_report.closed"]
    assert receiver.bodies[1]["closed_at"] is not None


def test_a_resolution_through_the_api_is_told_as_a_close(huntress, receiver, hook):
    incident = huntress.raise_incident(remediations=0)
    assert huntress.call("POST", f"/v1/incident_reports/{incident}/resolution").status_code == 201
    huntress.deliver()
    assert _kinds(receiver) == ["incident_report.created", "incident_report.closed"]


def test_a_comment_comes_with_its_incident(huntress, receiver, hook):
    incident = huntress.raise_incident()
    message = huntress.control(f"incidents/{incident}/comment", text="Please <isolate> & wait")["svix_id"]
    huntress.deliver()
    body = receiver.bodies[1]
    assert (body["event_type"], body["comment"]) == (
        "incident_report.comment_added",
        "Please <isolate> & wait",
    )
    assert body["updated_at"] == receiver.bodies[0]["updated_at"]
    assert _headers(receiver)["svix-id"] == message


def test_the_life_of_an_escalation_is_told(huntress, receiver, hook):
    one = huntress.control("escalations/raise", organization_ids=[21, 22])["id"]
    huntress.control(f"escalations/{one}/overdue")
    huntress.control(f"escalations/{one}/resolve")
    huntress.deliver()
    assert _kinds(receiver) == ["escalation.created", "escalation.overdue", "escalation.closed"]
    first, second, third = receiver.bodies
    assert [each["id"] for each in first["organizations"]] == [21, 22]
    assert first["total_organizations_impacted"] == 2
    assert second["message"]
    assert (first["resolved_at"], third["status"]) == (None, "resolved")


def test_platform_actions_and_notices_are_sent_when_asked_for(huntress, receiver, hook):
    kinds = [f"platform_action.{one}" for one in ("created", "overdue", "closed", "notification")]
    kinds.append("account_notice.notification")
    for kind in kinds:
        huntress.control("events/send", event_type=kind, subject="Look here")
    huntress.deliver()
    assert _kinds(receiver) == kinds
    assert {one["subject"] for one in receiver.bodies} == {"Look here"}


def test_an_endpoint_gets_its_categories_only(huntress, receiver):
    huntress.webhook(f"{receiver.url}/a", ["Escalations"])
    huntress.webhook(f"{receiver.url}/b", ["Incident Reports", "Account Notices"])
    off = huntress.webhook(f"{receiver.url}/c")
    huntress.control(f"webhooks/{off['id']}/edit", enabled=False)
    huntress.raise_incident()
    huntress.control("escalations/raise")
    huntress.deliver()
    assert [(one["path"], kind) for one, kind in zip(receiver.got, _kinds(receiver), strict=True)] == [
        ("/b", "incident_report.created"),
        ("/a", "escalation.created"),
    ]


def test_there_are_five_endpoints_at_most(huntress):
    made = [huntress.webhook(f"http://127.0.0.1:9/{number}") for number in range(5)]
    assert len({one["secret"] for one in made}) == 5
    refused = huntress.call("POST", "/_control/api/webhooks", json={"url": "http://127.0.0.1:9/6"})
    assert refused.status_code == 400
    huntress.control(f"webhooks/{made[0]['id']}/remove")
    huntress.webhook("http://127.0.0.1:9/6")
    assert huntress.ask("webhooks")[0]["id"] == made[1]["id"]


@pytest.mark.parametrize("body", [{"url": "ftp://x"}, {}, {"url": "https://x", "categories": ["Weather"]}])
def test_an_endpoint_that_makes_no_sense_is_refused(huntress, body):
    assert huntress.call("POST", "/_control/api/webhooks", json=body).status_code == 400


def test_a_delivery_is_tried_again_under_the_same_id(huntress, receiver, hook):
    receiver.status = 500
    huntress.raise_incident()
    tries = [huntress.deliver()[0] for _ in range(3)]
    receiver.status = 204
    tries += huntress.deliver()
    assert [(one["attempt"], one["status"]) for one in tries] == [(1, 500), (2, 500), (3, 500), (4, 204)]
    assert len({one["svix_id"] for one in tries}) == 1
    assert len({entry["raw"] for entry in receiver.got}) == 1
    assert [one["next_at"] is None for one in tries] == [False, False, False, True]
    assert huntress.deliver() == []


def test_the_gaps_between_tries_grow_and_come_to_an_end(start_huntress, receiver, monkeypatch):
    receiver.status = 503
    huntress = start_huntress(retry_gaps=[10.0, 100.0], retry_scale=0.5)
    monkeypatch.setattr(huntress.lab.clock, "timestamp", lambda: 1_800_000_000.0)
    huntress.webhook(f"{receiver.url}/hook")
    huntress.raise_incident()
    while huntress.ask("deliveries/waiting"):
        huntress.deliver()
    tries = huntress.ask("deliveries")
    assert [one["attempt"] for one in tries] == [1, 2, 3]
    assert [one["next_at"] for one in tries] == ["2027-01-15T08:00:05Z", "2027-01-15T08:00:50Z", None]


def test_webhooks_are_sent_by_themselves_and_again(start_huntress, receiver):
    huntress = start_huntress(deliveries="thread", retry_scale=0.0)
    huntress.webhook(f"{receiver.url}/hook")
    receiver.status = 500
    receiver.on_request = lambda: setattr(receiver, "status", 500 if len(receiver.got) < 3 else 200)
    huntress.raise_incident()
    until(lambda: [one["status"] for one in huntress.ask("deliveries")] == [500, 500, 200])


def test_a_receiver_that_is_away_is_tried_again(huntress):
    huntress.webhook("http://127.0.0.1:9/nobody")
    huntress.raise_incident()
    (sent,) = huntress.deliver()
    assert sent["status"] is None
    assert len(huntress.ask("deliveries/waiting")) == 1


def test_a_changed_secret_signs_beside_the_old_one(huntress, receiver, hook):
    new = huntress.control(f"webhooks/{hook['id']}/rotate")["secret"]
    huntress.raise_incident()
    huntress.deliver()
    headers, raw = _headers(receiver), receiver.got[0]["raw"].encode()
    moment = int(headers["svix-timestamp"])
    both = [svix.signature(one, headers["svix-id"], moment, raw) for one in (new, hook["secret"])]
    assert headers["svix-signature"].split() == both
    huntress.control(f"webhooks/{hook['id']}/rotate", keep=False)
    huntress.raise_incident()
    huntress.deliver()
    assert len(_headers(receiver)["svix-signature"].split()) == 1


def test_a_test_is_sent_at_once(huntress, receiver, hook):
    assert huntress.control(f"webhooks/{hook['id']}/test")["status"] == 200
    (body,) = receiver.bodies
    assert (body["event_type"], body["organization"]["name"]) == ("incident_report.created", None)
    huntress.control(f"webhooks/{hook['id']}/edit", categories="Escalations")
    huntress.control(f"webhooks/{hook['id']}/test")
    assert _kinds(receiver)[1] == "account_notice.notification"


def test_a_replay_has_the_same_bytes_and_headers(huntress, receiver, hook):
    huntress.raise_incident()
    huntress.deliver()
    huntress.control("time", shift_seconds=60)
    huntress.control("deliveries/repeat")
    first, second = receiver.got
    assert second["raw"] == first["raw"]
    assert _headers(receiver, 0) == _headers(receiver, 1)


def test_deliveries_come_on_odd_ways(huntress, receiver, hook):
    huntress.control("deliveries/lose", count=1)
    huntress.raise_incident()
    huntress.control("deliveries/double", count=1)
    two, three = huntress.raise_incident(), huntress.raise_incident()
    huntress.deliver(reverse=True)
    assert [one["id"] for one in receiver.bodies] == [three, two, two]


def test_forged_and_stale_deliveries_can_be_sent(huntress, receiver, hook):
    def raw(**given):
        huntress.control("deliveries/raw", body="{}", **given)
        headers = _headers(receiver)
        return headers.get("svix-signature"), int(headers.get("svix-timestamp", 0)), headers.get("svix-id")

    def fits(signature, moment, message):
        return signature == svix.signature(hook["secret"], message, moment, b"{}")

    assert fits(*raw())
    stale = raw(shift=-3600)
    assert fits(*stale)
    assert stale[1] < time.time() - 3500
    assert not fits(*raw(secret=svix.new_secret()))
    assert raw(signature="v1,Zm9yZ2Vk")[0] == "v1,Zm9yZ2Vk"
    assert raw(unsigned=True) == (None, 0, None)
    receiver.status = 401
    raw()
    assert huntress.ask("deliveries/waiting") == [], "what is forged is sent once"


def test_a_burst_is_sent_in_full(huntress, receiver, hook):
    ids = huntress.control("incidents/burst", count=25, announced=True)["ids"]
    huntress.raise_incident(announced=False)
    huntress.deliver()
    assert [one["id"] for one in receiver.bodies] == ids


def test_the_control_page_shows_it_all(huntress, receiver, hook):
    incident = huntress.raise_incident(agent_id=5001)
    huntress.control(f"incidents/{incident}/poison")
    huntress.control("escalations/raise", organization_id=21)
    huntress.deliver()
    page = requests.get(f"{huntress.url}/_control/", timeout=20).text
    for part in (hook["secret"], hook["url"], "poisoned", "Defender Disabled", huntress.key):
        assert part in page
    form = {"agent_id": "5001", "severity": "low", "indicators": "footholds, ai_misuse", "remediations": "1"}
    after = requests.post(f"{huntress.url}/_control/api/incidents/raise", data=form, timeout=20)
    assert (after.status_code, "raise incident" in after.text) == (200, True)
    newest = huntress.ask("incidents")[-1]
    assert (newest["severity"], newest["remediations"]) == ("low", 1)
