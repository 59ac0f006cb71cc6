"""What activities tell: where the bot was put, where it was taken out, what was written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.messaging import BotActivity, ConversationKind
from rmm_extension.providers.teams.activities import decode, read
from tests.harness.recordings import example
from tests.providers.teams.accounts import APP_ID, DIRECTORY, PERSON, SERVICE
from tests.providers.teams.signed import activity

BOT = f"28:{APP_ID}"
GENERAL = "19:0b7f@thread.tacv2"


def _told(given: dict[str, Any]) -> BotActivity | None:
    return read(decode(json.dumps(given).encode()))


def _in_team(**changes: Any) -> dict[str, Any]:
    data = {
        "settings": {"selectedChannel": {"id": GENERAL}},
        "team": {"aadGroupId": "g", "name": "Service desk", "id": GENERAL},
        "tenant": {"id": DIRECTORY},
    }
    place = {"isGroup": True, "conversationType": "channel", "id": GENERAL, "name": "General"}
    return activity(**{"conversation": place, "channelData": data, **changes})


def test_a_bot_installed_for_a_person_has_a_conversation_with_them() -> None:
    found = _told(activity())
    assert found is not None
    assert (found.installed, found.removed, found.text) == (True, False, None)
    place = found.conversation
    assert place.kind is ConversationKind.PERSONAL
    assert (place.conversation_id, place.service_url, place.bot_id) == ("a:1p0", SERVICE, BOT)
    assert (place.person_id, place.person_name, place.directory_id) == (PERSON, "Priya Raman", DIRECTORY)
    assert place.team_id is place.channel_id is None
    assert place.seen_at == datetime(2026, 11, 22, 8, 0, 0, 123000, UTC)


def test_a_bot_put_into_a_team_is_in_its_channel_and_nobodys() -> None:
    found = _told(_in_team())
    assert found is not None
    place = found.conversation
    assert place.kind is ConversationKind.CHANNEL
    assert (place.team_id, place.team_group_id, place.team_name) == (GENERAL, "g", "Service desk")
    assert (place.channel_id, place.channel_name) == (GENERAL, "General")
    assert place.person_id is place.person_name is None


ADDED = {"type": "conversationUpdate", "action": None}
EVENTS: dict[str, tuple[dict[str, Any], tuple[bool, bool] | None]] = {
    "add": (activity(), (True, False)),
    "add-upgrade": (activity(action="add-upgrade"), (True, False)),
    "remove": (activity(action="remove"), (False, True)),
    "remove-upgrade": (activity(action="remove-upgrade"), (False, True)),
    "an update of another kind": (activity(action="other"), None),
    "the bot is added": (activity(**ADDED, membersAdded=[{"id": "29:1x"}, {"id": BOT}]), (True, False)),
    "somebody else is added": (activity(**ADDED, membersAdded=[{"id": "29:1x"}]), None),
    "the bot is removed": (_in_team(**ADDED, membersRemoved=[{"id": BOT}]), (False, True)),
    "somebody else is removed": (_in_team(**ADDED, membersRemoved=[{"id": "29:1x"}]), None),
    "the team is deleted": (
        _in_team(**ADDED, channelData={"eventType": "teamDeleted", "tenant": {"id": DIRECTORY}}),
        (False, True),
    ),
    "a channel is renamed": (
        _in_team(**ADDED, channelData={"eventType": "channelRenamed", "tenant": {"id": DIRECTORY}}),
        None,
    ),
    "somebody types": (activity(type="typing"), None),
    "a card is answered": (activity(type="invoke", name="adaptiveCard/action"), None),
    "a reaction": (activity(type="messageReaction"), None),
    "a kind of conversation of the future": (
        activity(conversation={"conversationType": "holodeck", "id": "x"}),
        None,
    ),
    "no conversation": (activity(conversation=None), None),
    "nobody it is for": (activity(recipient=None), None),
}


@pytest.mark.parametrize("name", EVENTS)
def test_what_happened_is_told(name: str) -> None:
    given, expected = EVENTS[name]
    found = _told(given)
    assert (found and (found.installed, found.removed)) == expected


@pytest.mark.parametrize(
    "text, words",
    [
        ("LINK ABC-123", "LINK ABC-123"),
        ("  link\n abc ", "link abc"),
        ("<at>PSA</at> ABC-123", "ABC-123"),
        ('<at id="0">PSA</at>&nbsp;', "&nbsp;"),
        ("\xa0ABC\xa0", "ABC"),
        (None, ""),
        ("x" * 10_000, "x" * 4000),
    ],
)
def test_what_was_written_is_read_without_mentions(text: str | None, words: str) -> None:
    found = _told(activity(type="message", action=None, text=text))
    assert found is not None
    assert found.text == words
    assert not found.installed
    assert not found.removed


def test_a_thread_of_a_channel_is_the_channels_conversation() -> None:
    place = {"conversationType": "channel", "id": f"{GENERAL};messageid=17", "name": None}
    found = _told(
        _in_team(type="message", text="hi", conversation=place, channelData={"tenant": {"id": "t"}})
    )
    assert found is not None
    assert found.conversation.conversation_id == found.conversation.channel_id == GENERAL
    assert found.conversation.team_id is None


def test_a_group_is_no_channel_though_its_id_looks_like_one() -> None:
    place = {"conversationType": "groupChat", "id": "19:1@thread.v2", "isGroup": True}
    found = _told(activity(conversation=place))
    assert found is not None
    assert found.conversation.kind is ConversationKind.GROUP
    assert found.conversation.channel_id is found.conversation.person_id is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(activity())), inner),
        max_leaves=12,
    )
)
def test_any_json_is_an_activity_or_is_refused_in_words(value: Any) -> None:
    for body in (value, {**activity(), **value} if isinstance(value, dict) else value):
        try:
            found = _told(body)
        except WebhookRejected:
            continue
        assert found is None or isinstance(found, BotActivity)


FILES = (
    "installationUpdate-add",
    "conversationUpdate-bot-added-to-team",
    "conversationUpdate-bot-added-personal",
)


@pytest.mark.parametrize("name", FILES)
def test_microsofts_own_examples_are_read(name: str) -> None:
    path = example(f"teams-{name}.json")
    if not path.is_file():
        pytest.skip(f"no example of Microsoft at {path}")
    body = json.loads(path.read_text(encoding="utf-8"))["body"]
    if name == "conversationUpdate-bot-added-personal":
        # The example's ids are placeholders that do not agree with each other.
        body["membersAdded"][0]["id"] = body["recipient"]["id"]
    found = _told(body)
    assert found is not None
    assert found.installed
    assert found.conversation.service_url.startswith("https://smba.trafficmanager.net/")
    assert found.conversation.directory_id
    is_personal = name.endswith("personal")
    assert found.conversation.kind == ("personal" if is_personal else "channel")
    assert is_personal or found.conversation.team_name == "TestTeam2022"
