"""Keys of the simulated Huntress: whose they are, and what they may."""

from __future__ import annotations

import base64

import pytest
import requests

from tests.harness.huntress import Huntress


def _plain(huntress: Huntress, header: str | None) -> requests.Response:
    headers = {"Authorization": header} if header else {}
    return requests.get(f"{huntress.url}/v1/account", headers=headers, timeout=20)


def test_every_key_reads_the_account(huntress):
    for label in ("writer", "reader", "limited"):
        account = huntress.get("/v1/account", by=label).json()["account"]
        assert (account["name"], account["status"]) == ("Simulated MSP", "enabled")


@pytest.mark.parametrize("header", [None, "Bearer x", "Basic ###", "Basic /////w==", "Token {pair}"])
def test_a_wrong_sign_in_is_refused(huntress, header):
    pair = base64.b64encode(f"{huntress.key}:{huntress.secret}".encode()).decode()
    reply = _plain(huntress, header and header.replace("{pair}", pair))
    assert (reply.status_code, reply.json()) == (401, {"error": "Unauthorized"})
    assert reply.headers["WWW-Authenticate"].startswith("Basic")


def test_a_wrong_secret_is_refused(huntress):
    for pair in ((huntress.key, "wrong"), (huntress.key, huntress.reader_secret), ("", "")):
        assert huntress.get("/v1/account", auth=pair).status_code == 401


def test_the_actor_tells_a_users_key_from_the_accounts(huntress):
    users = {
        label: huntress.get("/v1/actor", by=label).json()["user"] for label in ("writer", "reader", "limited")
    }
    assert users["reader"] is None
    assert users["writer"]["email"] == "security@msp.example"
    assert users["limited"]["email"] == "viewer@msp.example"


def test_only_a_key_with_the_right_writes(huntress):
    incident, agent = huntress.raise_incident(remediations=0), huntress.lab.agent().id
    escalation = huntress.control("escalations/raise")["id"]
    writes = [
        ("POST", f"/v1/incident_reports/{incident}/resolution"),
        ("POST", f"/v1/incident_reports/{incident}/remediations/bulk_approval"),
        ("POST", f"/v1/incident_reports/{incident}/remediations/bulk_rejection"),
        ("POST", f"/v1/escalations/{escalation}/resolution"),
        ("POST", f"/v1/agents/{agent}/isolation"),
        ("DELETE", f"/v1/agents/{agent}/isolation"),
    ]
    for label in ("reader", "limited"):
        assert {huntress.call(*one, by=label).status_code for one in writes} == {403}
    huntress.control("keys/limited/rights", writes=True)
    assert huntress.call(*writes[0], by="limited").status_code == 201


def test_a_regenerated_key_ends_the_old_one(huntress):
    made = huntress.control("keys/writer/regenerate")
    assert huntress.get("/v1/account", auth=(huntress.key, huntress.secret)).status_code == 401
    assert huntress.get("/v1/account", auth=(made["key"], made["secret"])).status_code == 200
    assert huntress.get("/v1/account", by="reader").status_code == 200


def test_secrets_are_not_in_the_request_log(huntress):
    huntress.get("/v1/account")
    _plain(huntress, "Basic bm9ib2R5OmFueXRoaW5n")
    entries = huntress.ask("requests")
    assert [(one["user"], one["status"]) for one in entries] == [("writer", 200), (None, 401)]
    assert huntress.secret not in str(entries)


def test_what_is_not_there_is_a_404_for_those_who_may_ask(huntress):
    assert huntress.get("/v1/nothing").status_code == 404
    assert huntress.get("/v1/nothing", auth=("a", "b")).status_code == 401
    assert huntress.get("/v1/agents/1").json() == {"error": "Agent not found"}
    assert huntress.call("PUT", "/v1/agents").status_code == 405


@pytest.mark.parametrize(
    "style, text",
    [
        ("error", '{"error":"Agent not found"}'),
        ("errors", '{"errors":[{"message":"Agent not found"}]}'),
        ("text", "Agent not found"),
        ("empty", ""),
    ],
)
def test_an_error_comes_in_any_form(huntress, style, text):
    huntress.control("settings", error_style=style)
    reply = huntress.get("/v1/agents/1")
    assert (reply.status_code, reply.text) == (404, text)
