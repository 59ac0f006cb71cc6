"""The three actions: what is sent, and what each answer means."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import responses

from rmm_extension.domain.actions import ActionState, ErrorCode, Outcome
from rmm_extension.domain.contracts.actions import check_output, load_input
from rmm_extension.domain.errors import (
    AuthFailed,
    ConfigError,
    Invalid,
    InvalidRequest,
    PermissionMissing,
    RateLimited,
    Unavailable,
)
from rmm_extension.providers.teams.action_specs import DIRECT, MODULE, NOTIFY, POST
from tests.providers.teams.accounts import (
    APP_ID,
    CHANNEL,
    DIRECTORY,
    GRAPH,
    PERSON,
    SERVICE,
    TOKEN,
    connection,
    gives_token,
    in_channel,
    perform,
    personal,
    refuses,
    says,
    sent,
    side,
)

SEND = f"{SERVICE}v3/conversations/a%3A1p0/activities"
CREATE = f"{SERVICE}v3/conversations"
NOTIFICATION = f"{GRAPH}/v1.0/users/{PERSON}/teamwork/sendActivityNotification"
HELLO = {"user_id": "u1", "message": "Disk [full](http://x) <b>*now*</b>"}
CARD = {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Disk full"}]}


def _keeps_its_promise(spec_id: str, outcome: Outcome) -> None:
    spec = next(one for one in MODULE.actions if one.id == spec_id)
    assert outcome.output is not None
    check_output(spec, outcome.output)


@responses.activate
def test_a_direct_message_is_sent_as_plain_text_into_the_newest_conversation() -> None:
    gives_token()
    says(SEND, {"id": "1"}, 201)
    outcome = perform("send_dm", HELLO, side(personal()))
    assert outcome.state is ActionState.SUCCEEDED
    assert outcome.output == {"sent": True, "user_id": "u1", "conversation_id": "a:1p0"}
    _keeps_its_promise(DIRECT.id, outcome)
    activity = sent()
    assert (activity["type"], activity["textFormat"]) == ("message", "plain")
    assert activity["text"] == HELLO["message"]
    assert responses.calls[-1].request.headers["Authorization"] == f"Bearer {TOKEN}"


@responses.activate
def test_a_card_goes_with_the_message_and_gets_its_version() -> None:
    gives_token()
    says(SEND, "", 201)
    outcome = perform("send_dm", {**HELLO, "card": json.dumps(CARD)}, side(personal()))
    assert outcome.state is ActionState.SUCCEEDED
    (attached,) = sent()["attachments"]
    assert attached["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attached["content"] == {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        **CARD,
    }


@responses.activate
@pytest.mark.parametrize(
    "name, wish",
    [
        ("send_dm", {"user_id": "u2", "message": "x"}),
        ("notify_user", {"user_id": "u2", "title": "x"}),
    ],
)
def test_a_user_without_an_account_is_named_so(name: str, wish: dict[str, Any]) -> None:
    outcome = perform(name, wish, side(personal()))
    assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.USER_NOT_LINKED)
    assert not responses.calls


@responses.activate
def test_a_person_the_bot_never_met_is_no_conversation() -> None:
    outcome = perform("send_dm", HELLO, side(in_channel()))
    assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.NO_CONVERSATION)
    assert not responses.calls


@responses.activate
@pytest.mark.parametrize(
    "status, code",
    [
        (403, "BotDisabledByAdmin"),
        (403, "BotNotInConversationRoster"),
        (403, "ConversationBlockedByUser"),
        (403, "ForbiddenOperationException"),
        (403, "NotEnoughPermissions"),
        (403, "MessageWritesBlocked"),
        (404, "ConversationNotFound"),
        (404, "ActivityNotFoundInConversation"),
        (403, "SomethingNew"),
    ],
)
def test_a_conversation_that_is_gone_is_told_dead(status: int, code: str) -> None:
    gives_token()
    refuses(SEND, status, code)
    ours = side(personal())
    outcome = perform("send_dm", HELLO, ours)
    assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.NO_CONVERSATION)
    ((place, reason),) = ours.messaging.dead
    assert place == "a:1p0"
    assert reason.endswith(".")
    assert outcome.message.endswith(".")


@responses.activate
@pytest.mark.parametrize(
    "status, body",
    [(404, "<html>no</html>"), (403, "<html>proxy</html>"), (404, ""), (403, '{"message": "no"}')],
)
def test_what_is_not_said_by_teams_kills_no_conversation(status: int, body: str) -> None:
    gives_token()
    says(SEND, body, status)
    ours = side(personal())
    with pytest.raises((PermissionMissing, Exception), match=r"\.$") as caught:
        perform("send_dm", HELLO, ours)
    assert not getattr(caught.value, "may_have_arrived", True)
    assert ours.messaging.dead == []


@responses.activate
def test_another_cloud_is_no_reason_to_give_a_conversation_up() -> None:
    gives_token()
    refuses(SEND, 403, "InvalidBotApiHost")
    ours = side(personal())
    with pytest.raises(InvalidRequest, match="government cloud"):
        perform("send_dm", HELLO, ours)
    assert ours.messaging.dead == []


@responses.activate
@pytest.mark.parametrize(
    "status, code, kind, arrived",
    [
        (412, "PreconditionFailed", Unavailable, False),
        (503, "ServiceUnavailable", Unavailable, False),
        (429, "Throttled", RateLimited, False),
        (500, "InternalServerError", Unavailable, True),
        (502, "BadGateway", Unavailable, True),
        (504, "GatewayTimeout", Unavailable, True),
        (400, "BadSyntax", InvalidRequest, False),
        (401, "BotNotRegistered", AuthFailed, False),
    ],
)
def test_what_is_sent_once_more_and_what_never(
    status: int, code: str, kind: type[Exception], arrived: bool
) -> None:
    gives_token()
    refuses(SEND, status, code, headers={"Retry-After": "7"})
    ours = side(personal())
    with pytest.raises(kind, match=r"\.$") as caught:
        perform("send_dm", HELLO, ours)
    error: Any = caught.value
    assert error.may_have_arrived is arrived
    assert error.status == status
    assert status != 429 or error.retry_after == 7
    assert ours.messaging.dead == []
    asked = [call.request.url for call in responses.calls]
    # A refused token is renewed once; nothing else is sent twice.
    assert asked.count(SEND) == (2 if status == 401 else 1)


@responses.activate
@pytest.mark.parametrize("status", [500, 502, 503, 504, None])
@pytest.mark.parametrize("renewed", [False, True])
def test_without_a_token_surely_nothing_was_sent(status: int | None, renewed: bool) -> None:
    """Entra gives none, at first or after Bot Connector refused the one that was kept."""
    token_url = f"https://login.microsoftonline.com/{DIRECTORY}/oauth2/v2.0/token"
    if renewed:
        gives_token()
        refuses(SEND, 401, "Unauthorized")
    if status is None:
        responses.post(token_url, body=requests.ReadTimeout("No answer."))
    else:
        says(token_url, {}, status)
    with pytest.raises(Unavailable) as caught:
        perform("send_dm", HELLO, side(personal()))
    assert caught.value.may_have_arrived is False
    assert [call.request.url for call in responses.calls].count(SEND) == renewed


@responses.activate
@pytest.mark.parametrize("status", [413, 400])
def test_a_message_that_teams_finds_too_large_does_not_fit(status: int) -> None:
    gives_token()
    refuses(SEND, status, "MessageSizeTooBig")
    outcome = perform("send_dm", HELLO, side(personal()))
    assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.VALIDATION_ERROR)


@responses.activate
def test_what_is_too_large_is_not_sent() -> None:
    with pytest.raises(Invalid, match="at most 40,960"):
        perform("send_dm", {"user_id": "u1", "message": "\u20ac" * 15_000}, side(personal()))
    assert not responses.calls


@responses.activate
def test_a_post_begins_a_thread_and_names_the_directory() -> None:
    gives_token()
    says(CREATE, {"id": f"{CHANNEL};messageid=17", "activityId": "17"}, 201)
    outcome = perform("post_to_channel", {"channel_id": CHANNEL, "message": "x"}, side(in_channel()))
    assert outcome.output == {
        "posted": True,
        "channel_id": CHANNEL,
        "conversation_id": f"{CHANNEL};messageid=17",
    }
    _keeps_its_promise(POST.id, outcome)
    assert sent() == {
        "isGroup": True,
        "channelData": {"channel": {"id": CHANNEL}},
        "tenantId": DIRECTORY,
        "activity": {"type": "message", "text": "x", "textFormat": "plain", "summary": "x"},
    }


@responses.activate
def test_a_post_that_is_answered_with_nothing_is_posted_all_the_same() -> None:
    gives_token()
    says(CREATE, "", 201)
    outcome = perform("post_to_channel", {"channel_id": CHANNEL, "card": CARD}, side(in_channel()))
    assert outcome.output == {"posted": True, "channel_id": CHANNEL, "conversation_id": None}
    _keeps_its_promise(POST.id, outcome)


@responses.activate
def test_a_channel_that_is_not_known_is_posted_to_where_the_bot_was_heard_last() -> None:
    gives_token()
    newest = "https://smba.trafficmanager.net/emea/"
    says(f"{newest}v3/conversations", {"id": "x"}, 201)
    ours = side(personal(), personal(conversation_id="a:2", service_url=newest))
    outcome = perform("post_to_channel", {"channel_id": "19:other@thread.tacv2", "message": "x"}, ours)
    assert outcome.state is ActionState.SUCCEEDED


@responses.activate
def test_nowhere_to_post_from_is_no_service_url() -> None:
    outcome = perform("post_to_channel", {"channel_id": CHANNEL, "message": "x"}, side())
    assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.NO_SERVICE_URL)
    assert not responses.calls


@responses.activate
@pytest.mark.parametrize("status, code", [(403, "BotNotInConversationRoster"), (404, "ConversationNotFound")])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_team_without_the_app_is_named_so(status: int, code: str, is_known: bool) -> None:
    gives_token()
    refuses(CREATE, status, code)
    ours = side(in_channel() if is_known else personal())
    outcome = perform("post_to_channel", {"channel_id": CHANNEL, "message": "x"}, ours)
    assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.APP_NOT_IN_TEAM)
    assert [place for place, _ in ours.messaging.dead] == ([CHANNEL] if is_known else [])


@responses.activate
def test_a_mistyped_channel_does_not_give_up_the_team_it_was_found_by() -> None:
    gives_token()
    refuses(CREATE, 404, "ConversationNotFound")
    ours = side(in_channel(channel_id="19:general", conversation_id="19:general", team_id="19:typo"))
    perform("post_to_channel", {"channel_id": "19:typo", "message": "x"}, ours)
    assert ours.messaging.dead == []


@responses.activate
@pytest.mark.parametrize("name", ["send_dm", "post_to_channel"])
def test_the_token_goes_to_no_strange_address(name: str) -> None:
    gives_token()
    strange = "https://smba.trafficmanager.net.attacker.example/"
    ours = side(personal(service_url=strange), in_channel(service_url=strange))
    with pytest.raises(ConfigError, match="not sent there"):
        perform(name, {"user_id": "u1", "message": "x"} if name == "send_dm" else _post("x"), ours)
    assert not responses.calls


def _post(message: str) -> dict[str, Any]:
    return {"channel_id": CHANNEL, "message": message}


def test_the_address_is_no_input() -> None:
    with pytest.raises(Invalid, match="service_url"):
        load_input(POST, {**_post("x"), "service_url": SERVICE})


@responses.activate
def test_a_notification_says_what_it_is_about_and_leads_into_teams() -> None:
    gives_token()
    says(NOTIFICATION, "", 204)
    wish = {"user_id": "u1", "title": "Disk full", "link": "/tickets/7", "message": "word " * 100}
    outcome = perform("notify_user", wish, side())
    assert outcome.output == {"delivered": True, "user_id": "u1", "activity_type": "workEscalated"}
    _keeps_its_promise(NOTIFY.id, outcome)
    body = sent()
    assert body["activityType"] == "workEscalated"
    assert len(body["previewText"]["content"]) <= 150
    assert body["templateParameters"] == [{"name": "title", "value": "Disk full"}]
    assert (body["topic"]["source"], body["topic"]["value"]) == ("text", "Disk full")
    assert body["topic"]["webUrl"] == (
        f"https://teams.microsoft.com/l/entity/{APP_ID}/conversations"
        "?webUrl=https%3A%2F%2Fpsa.example.com%2Ftickets%2F7&label=Disk%20full"
    )
    assert "recipient" not in body


@responses.activate
@pytest.mark.parametrize(
    "category, kind",
    [
        ("assignment", "assignmentCreated"),
        ("customer_reply", "customerReplyReceived"),
        ("approval_request", "approvalRequested"),
        ("escalation", "workEscalated"),
        ("sla_risk", "slaRiskDetected"),
    ],
)
def test_each_kind_is_an_activity_of_the_app(category: str, kind: str) -> None:
    gives_token()
    says(NOTIFICATION, "", 204)
    outcome = perform("notify_user", {"user_id": "u1", "title": "x", "category": category}, side())
    assert outcome.output == {"delivered": True, "user_id": "u1", "activity_type": kind}
    assert sent()["previewText"] == {"content": "x"}


@responses.activate
def test_a_feed_that_is_switched_off_is_not_asked() -> None:
    off = connection(activity_feed="off")
    outcome = perform("notify_user", {"user_id": "u1", "title": "x"}, side(), on=off)
    assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.CAPABILITY_DISABLED)
    assert not responses.calls


@responses.activate
def test_a_person_whom_graph_does_not_find_is_not_found() -> None:
    gives_token()
    refuses(NOTIFICATION, 404, "NotFound", "User could not be found")
    outcome = perform("notify_user", {"user_id": "u1", "title": "x"}, side())
    assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.NOT_FOUND)


@responses.activate
def test_graph_without_consent_says_what_is_missing() -> None:
    gives_token()
    refuses(NOTIFICATION, 403, "Forbidden", "Missing role permissions")
    with pytest.raises(PermissionMissing, match=r"TeamsActivity\.Send"):
        perform("notify_user", {"user_id": "u1", "title": "x"}, side())


@responses.activate
@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example", "ftp://x", "https://[", "x"])
def test_a_link_that_is_no_address_is_refused_before_anybody_is_asked(link: str) -> None:
    with pytest.raises(Invalid, match=r"link: .* begins with https://"):
        perform("notify_user", {"user_id": "u1", "title": "x", "link": link}, side())
    assert not responses.calls


@responses.activate
@pytest.mark.parametrize("name", ["send_dm", "post_to_channel", "notify_user"])
def test_no_error_tells_a_secret(name: str) -> None:
    gives_token()
    wish = {"send_dm": HELLO, "post_to_channel": _post("x"), "notify_user": {"user_id": "u1", "title": "x"}}
    for url in (SEND, CREATE, NOTIFICATION):
        refuses(url, 400, "BadSyntax", f"Your token {TOKEN} is odd")
    with pytest.raises(InvalidRequest) as caught:
        perform(name, wish[name], side(personal(), in_channel()))
    assert TOKEN not in f"{caught.value!r} {vars(caught.value)}"
    assert "is odd" in str(caught.value)
