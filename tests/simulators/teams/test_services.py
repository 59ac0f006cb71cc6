"""The simulated services answer as Microsoft's documents say."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from simulators.teams import keys
from simulators.teams.settings import REFUSALS
from tests.harness.recordings import example
from tests.harness.teams import SimulatedTeams

BOT, GRAPH = "https://api.botframework.com/.default", "https://graph.microsoft.com/.default"
HELLO = {"type": "message", "text": "hello"}


def _token(teams: SimulatedTeams, scope: str = BOT, directory: str = keys.DIRECTORY_ID, **form: str) -> Any:
    given = {
        "grant_type": "client_credentials",
        "client_id": keys.APP_ID,
        "client_secret": keys.CLIENT_SECRET,
        "scope": scope,
    }
    return teams.send("POST", f"/{directory}/oauth2/v2.0/token", data={**given, **form})


def _post(teams: SimulatedTeams, path: str, body: Any, scope: str = BOT) -> requests.Response:
    token = _token(teams, scope).json()["access_token"]
    return teams.send("POST", path, json=body, headers={"Authorization": f"Bearer {token}"})


def _thread(channel: str, **changes: Any) -> dict[str, Any]:
    wish = {
        "isGroup": True,
        "channelData": {"channel": {"id": channel}},
        "tenantId": keys.DIRECTORY_ID,
        "activity": HELLO,
    }
    return {name: value for name, value in (wish | changes).items() if value is not None}


def _official(name: str) -> Any:
    path = example(f"teams-{name}.json")
    if not path.is_file():
        pytest.skip(f"no example of Microsoft at {path}")
    return json.loads(path.read_text(encoding="utf-8"))["body"]


def test_a_token_is_told_as_microsoft_tells_it(teams: SimulatedTeams) -> None:
    official = _official("bot-openid-and-token")
    found = _token(teams).json()
    assert found.keys() == official["token_response"].keys()
    assert found["expires_in"] == 3600


def test_the_openid_document_has_microsofts_shape(teams: SimulatedTeams) -> None:
    official = _official("bot-openid-and-token")["openid"]
    found = teams.send("GET", "/v1/.well-known/openidconfiguration").json()
    assert found.keys() == official.keys()
    assert found["issuer"] == official["issuer"]
    listed = requests.get(found["jwks_uri"], timeout=20).json()["keys"]
    assert all("msteams" in one["endorsements"] and one["kty"] == "RSA" for one in listed)
    assert not any(set(one) & {"d", "p", "q"} for one in listed)


@pytest.mark.parametrize(
    "directory, form, status, number",
    [
        ("nowhere", {}, 400, 90002),
        (keys.DIRECTORY_ID, {"client_secret": "x"}, 401, 7000215),
        (keys.DIRECTORY_ID, {"client_id": "x"}, 400, 700016),
        (keys.OTHER_DIRECTORY_ID, {}, 400, 700016),
        ("botframework.com", {}, 400, 700016),
        (keys.DIRECTORY_ID, {"scope": "https://x/.default"}, 400, 900144),
        (keys.DIRECTORY_ID, {"grant_type": "password"}, 400, 900144),
    ],
)
def test_entra_refuses_by_number(
    teams: SimulatedTeams, directory: str, form: dict[str, str], status: int, number: int
) -> None:
    reply = _token(teams, directory=directory, **form)
    assert reply.status_code == status
    assert reply.json()["error_codes"] == [number]


def test_a_multi_tenant_bot_gets_its_token_from_the_bots_directory(teams: SimulatedTeams) -> None:
    given = {"client_id": keys.MULTI_APP_ID, "client_secret": keys.MULTI_CLIENT_SECRET}
    assert _token(teams, directory="botframework.com", **given).status_code == 200


def test_a_thread_is_begun_as_in_the_recorded_exchange(teams: SimulatedTeams) -> None:
    official = _official("create-conversation")
    teams.install("Service desk")
    channel = teams.channel_id("Service desk", "Alerts")
    reply = _post(teams, "/amer/v3/conversations", _thread(channel))
    assert reply.status_code == official["channel_thread"]["status"]
    assert reply.json().keys() == official["channel_thread"]["response"].keys()
    assert reply.json()["id"] == f"{channel};messageid={reply.json()['activityId']}"
    without = _post(teams, "/amer/v3/conversations", _thread(channel, activity=None))
    assert without.status_code == official["channel_without_activity"]["status"]
    assert without.json() == official["channel_without_activity"]["response"]
    group = _post(teams, "/amer/v3/conversations", {"isGroup": True, "tenantId": keys.DIRECTORY_ID})
    assert group.json() == official["group_chat_any"]["response"]


def test_a_person_is_met_as_in_the_recorded_exchange(teams: SimulatedTeams) -> None:
    official = _official("create-conversation")["personal"]
    teams.install("Priya Raman")
    wish = {
        "isGroup": False,
        "members": [{"id": teams.lab.person(name="Priya Raman").account}],
        "tenantId": keys.DIRECTORY_ID,
    }
    first, again = (_post(teams, "/amer/v3/conversations", wish) for _ in range(2))
    assert first.status_code == official["status"]
    assert first.json().keys() == official["response"].keys()
    assert first.json() == again.json()


@pytest.mark.parametrize("missing", ["tenantId", "activity"])
def test_a_thread_needs_its_parts(teams: SimulatedTeams, missing: str) -> None:
    teams.install("Service desk")
    wish = _thread(teams.channel_id("Service desk"), **{missing: None})
    reply = _post(teams, "/amer/v3/conversations", wish)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "BadSyntax")


def test_nobody_writes_where_the_app_is_not(teams: SimulatedTeams) -> None:
    person = teams.lab.person(name="Priya Raman").conversation_with(teams.lab.bots[teams.app_id])
    reply = _post(teams, f"/amer/v3/conversations/{person}/activities", HELLO)
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "ForbiddenOperationException")
    channel = teams.channel_id("Service desk")
    reply = _post(teams, "/amer/v3/conversations", _thread(channel))
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "BotNotInConversationRoster")
    reply = _post(teams, "/amer/v3/conversations/a:nobody/activities", HELLO)
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "ConversationNotFound")
    assert teams.messages() == []


@pytest.mark.parametrize("code", [code for code in REFUSALS if code != "none"])
def test_every_refusal_of_the_table_can_be_had(teams: SimulatedTeams, code: str) -> None:
    teams.install("Service desk")
    teams.lab.settings.change(refuse_sends_with=code)
    reply = _post(teams, "/amer/v3/conversations", _thread(teams.channel_id("Service desk")))
    assert (reply.status_code, reply.json()["error"]["code"]) == (REFUSALS[code], code)
    assert ("Retry-After" in reply.headers) == (code == "Throttled")


@pytest.mark.parametrize(
    "activity, status",
    [
        ({"type": "message", "text": "x" * 41_000}, 413),
        ({"type": "message"}, 400),
        ({"type": "event", "text": "x"}, 400),
        ({"type": "message", "attachments": [{"content": {"version": "1.6"}}]}, 400),
        ({"type": "message", "attachments": [{"content": {"version": "1.5"}}]}, 201),
    ],
)
def test_what_teams_takes_of_a_message(teams: SimulatedTeams, activity: Any, status: int) -> None:
    teams.install("Service desk")
    wish = _thread(teams.channel_id("Service desk"), activity=activity)
    assert _post(teams, "/amer/v3/conversations", wish).status_code == status


def test_a_token_of_one_service_is_none_of_the_other(teams: SimulatedTeams) -> None:
    assert _post(teams, "/amer/v3/conversations", {}, GRAPH).status_code == 401
    path = f"/v1.0/users/{teams.object_id('Priya Raman')}/teamwork/sendActivityNotification"
    assert _post(teams, path, {}, BOT).status_code == 401


@pytest.mark.parametrize("form", ["text_form", "entityUrl_form"])
def test_a_notification_in_each_of_microsofts_forms(teams: SimulatedTeams, form: str) -> None:
    body = _official("graph-sendActivityNotification")[form] | {"activityType": "workEscalated"}
    teams.install("Priya Raman")
    path = f"/v1.0/users/{teams.object_id('Priya Raman')}/teamwork/sendActivityNotification"
    reply = _post(teams, path, body, GRAPH)
    assert (reply.status_code, reply.content) == (204, b"")
    assert [one["name"] for one in teams.notifications()] == ["Priya Raman"]


NOTIFICATION = {
    "topic": {"source": "text", "value": "x", "webUrl": "https://teams.microsoft.com/l/x"},
    "activityType": "workEscalated",
    "previewText": {"content": "x"},
}


@pytest.mark.parametrize(
    "person, changes, status",
    [
        ("nobody", {}, 404),
        ("Jonas Petri", {}, 403),
        ("Priya Raman", {"activityType": "taskCreated"}, 400),
        ("Priya Raman", {"topic": {"source": "text", "value": "x"}}, 400),
        ("Priya Raman", {"topic": {**NOTIFICATION["topic"], "webUrl": "https://psa.example"}}, 400),  # type: ignore[dict-item]
        ("Priya Raman", {"previewText": {}}, 400),
        ("Priya Raman", {}, 204),
    ],
)
def test_what_graph_refuses(teams: SimulatedTeams, person: str, changes: dict[str, Any], status: int) -> None:
    teams.install("Priya Raman")
    who = person if person == "nobody" else teams.object_id(person)
    path = f"/v1.0/users/{who}/teamwork/sendActivityNotification"
    reply = _post(teams, path, {**NOTIFICATION, **changes}, GRAPH)
    assert reply.status_code == status
    assert status == 204 or reply.json()["error"].keys() == {"code", "message", "innerError"}


def test_the_limits_are_counted_for_each_conversation(
    teams: SimulatedTeams, monkeypatch: pytest.MonkeyPatch
) -> None:
    teams.install("Service desk")
    now = teams.lab.clock.timestamp()
    monkeypatch.setattr(teams.lab.clock, "timestamp", lambda: now)

    def post(channel: str) -> int:
        return _post(
            teams, "/amer/v3/conversations", _thread(teams.channel_id("Service desk", channel))
        ).status_code

    assert [post("Alerts") for _ in range(8)] == [201] * 7 + [429]
    assert post("General") == 201
    teams.lab.settings.change(limits=False)
    assert post("Alerts") == 201
