"""The connection test, the table of permissions and the actions, against the simulated services."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rmm_extension.domain.actions import ActionState, ErrorCode
from rmm_extension.domain.errors import AuthFailed, BadResponse, ConfigError, RateLimited
from rmm_extension.domain.messaging import Conversation, ConversationKind
from rmm_extension.domain.sessions import MemorySessions
from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.teams import Teams, checks
from simulators.teams import keys
from tests.harness.teams import SimulatedTeams
from tests.harness.teams import teams as teams
from tests.providers.conftest import LOOPBACK
from tests.providers.teams.accounts import Messaging, Side, perform


@pytest.fixture
def provider(teams: SimulatedTeams) -> Teams:
    """The provider, with the simulator in the place of Microsoft's hosts."""
    return Teams(Runtime(allowed_networks=LOOPBACK, base_urls={"teams": teams.url}))


def _connection(mode: str = "single_tenant", **changes: Any) -> Connection:
    multi = mode == "multi_tenant"
    settings = {
        "app_id": keys.MULTI_APP_ID if multi else keys.APP_ID,
        "directory_id": keys.DIRECTORY_ID,
        "activity_feed": "on",
    }
    secret = keys.MULTI_CLIENT_SECRET if multi else keys.CLIENT_SECRET
    return Connection(
        tenant_id="t",
        integration_id="1",
        provider="teams",
        instance_url="",
        auth_mode=mode,
        secrets={"client_secret": changes.pop("client_secret", secret)},
        settings=settings | changes,
        sessions=MemorySessions(),
    )


def _states(provider: Teams, connection: Connection) -> dict[str, str]:
    return {one.name: one.state for one in provider.check(connection)}


@pytest.mark.parametrize("mode", ["single_tenant", "multi_tenant"])
def test_a_bot_of_each_kind_connects(provider: Teams, mode: str) -> None:
    assert _states(provider, _connection(mode)) == {
        checks.FIRST: "ok",
        checks.FEED: "ok",
        checks.KEYS: "ok",
        checks.BOT: "not_checked",
    }


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"client_secret": "wrong"}, "client_secret"),
        ({"directory_id": "5e1f0000-0000-4000-8000-0000000000ff"}, "directory_id"),
        ({"app_id": "5e1f0000-0000-4000-8000-0000000000ff"}, "directory_id"),
        ({"directory_id": keys.OTHER_DIRECTORY_ID}, "directory_id"),
    ],
)
def test_what_is_typed_wrong_is_found_and_named(provider: Teams, changes: dict[str, str], field: str) -> None:
    first, *others = provider.check(_connection(**changes))
    assert (first.state, first.field) == ("failed", field)
    assert first.remedy
    assert {one.state for one in others} == {"not_checked"}


def test_a_bot_of_the_other_kind_is_told_so(provider: Teams) -> None:
    single = _connection("multi_tenant", app_id=keys.APP_ID, client_secret=keys.CLIENT_SECRET)
    first = next(iter(provider.check(single)))
    assert first.state == "failed"
    assert "other kind" in first.message


def test_a_missing_consent_is_a_warning_and_a_missing_line(provider: Teams, teams: SimulatedTeams) -> None:
    teams.control(f"bots/{teams.app_id}/set", may_notify=False)
    assert _states(provider, _connection())[checks.FEED] == "warning"
    lines = {line.feature: line.state for line in provider.permissions(_connection())}
    assert lines[checks.FEED] == "missing"
    teams.control(f"bots/{teams.app_id}/set", may_notify=True)
    lines = {line.feature: line.state for line in provider.permissions(_connection())}
    assert lines[checks.FEED] == "ok"


def test_a_feed_that_is_off_asks_for_no_token_of_graph(provider: Teams, teams: SimulatedTeams) -> None:
    off = _connection(activity_feed="off")
    assert _states(provider, off)[checks.FEED] == "not_checked"
    assert {line.state for line in provider.permissions(off) if line.feature == checks.FEED} == {
        "not_checked"
    }
    assert {one.scope for one in teams.lab.tokens.values()} == {"https://api.botframework.com/.default"}


def test_a_refused_app_has_no_table(provider: Teams) -> None:
    with pytest.raises(AuthFailed):
        list(provider.permissions(_connection(client_secret="wrong")))


def test_keys_of_no_use_are_an_error_in_words(provider: Teams, teams: SimulatedTeams) -> None:
    teams.fault("wrong_shape", prefix="/v1/.well-known/keys", body='{"keys": [{"kty": "EC", "kid": "x"}]}')
    with pytest.raises(BadResponse, match="no key"):
        provider.signing_keys()
    assert _states(provider, _connection())[checks.KEYS] == "failed"


@pytest.mark.parametrize("uri", ["https://evil.example/keys", "", "http://127.0.0.1:9/v1/keys", 5])
def test_keys_are_taken_from_the_host_that_names_them_alone(
    provider: Teams, teams: SimulatedTeams, uri: object
) -> None:
    body = msgspec.json.encode({"jwks_uri": uri}).decode()
    teams.fault("wrong_shape", prefix="/v1/.well-known/openidconfiguration", body=body)
    with pytest.raises(BadResponse):
        provider.signing_keys()


@pytest.mark.parametrize("given", ["", "x", "5e1f0000", "5e1f0000-0000-4000-8000-0000000000a", "https://x"])
@pytest.mark.parametrize("name", ["app_id", "directory_id"])
def test_ids_that_are_none_are_refused_with_the_fields_name(provider: Teams, name: str, given: str) -> None:
    settings = {"app_id": keys.APP_ID, "directory_id": keys.DIRECTORY_ID, name: given}
    with pytest.raises(ConfigError, match="ID"):
        provider.check_settings(settings)


def test_ids_are_kept_in_their_one_form(provider: Teams) -> None:
    given = {"app_id": f" {{{keys.APP_ID.upper()}}} ", "directory_id": keys.DIRECTORY_ID, "more": "x"}
    assert provider.check_settings(given) == {
        "app_id": keys.APP_ID,
        "directory_id": keys.DIRECTORY_ID,
        "more": "x",
    }


@pytest.fixture
def ours(teams: SimulatedTeams) -> Side:
    """Priya is linked, and the bot is with her and in the service desk's team."""
    teams.install("Priya Raman")
    teams.install("Service desk")
    person, general = teams.lab.person(name="Priya Raman"), teams.channel_id("Service desk")
    bot = teams.lab.bots[teams.app_id]
    common: dict[str, Any] = {
        "service_url": teams.lab.service_url,
        "bot_id": bot.account,
        "directory_id": teams.directory_id,
    }
    places = [
        Conversation(
            conversation_id=person.conversation_with(bot),
            kind=ConversationKind.PERSONAL,
            person_id=person.object_id,
            **common,
        ),
        Conversation(
            conversation_id=general,
            kind=ConversationKind.CHANNEL,
            channel_id=general,
            team_id=general,
            **common,
        ),
    ]
    return Side(chat=Messaging({"u1": person.object_id}, places))


def _perform(provider: Teams, ours: Side, name: str, wish: dict[str, Any], **on: Any) -> Any:
    return perform(name, wish, ours, by=provider, on=on.get("on") or _connection())


def test_a_message_a_post_and_a_notification_arrive(
    provider: Teams, ours: Side, teams: SimulatedTeams
) -> None:
    alerts = teams.channel_id("Service desk", "Alerts")
    connection = _connection()
    card = {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Disk"}]}
    wishes: list[tuple[str, dict[str, Any]]] = [
        ("send_dm", {"user_id": "u1", "message": "Grüße 🙂"}),
        ("post_to_channel", {"channel_id": alerts, "message": "x", "card": card}),
        ("notify_user", {"user_id": "u1", "title": "Disk full", "link": "/tickets/7"}),
    ]
    for name, wish in wishes:
        outcome = _perform(provider, ours, name, wish, on=connection)
        assert outcome.state is ActionState.SUCCEEDED, outcome.message
    assert [one["where"] for one in teams.messages()] == ["Priya Raman", "Service desk › Alerts"]
    assert teams.messages()[0]["activity"]["text"] == "Grüße 🙂"
    (notification,) = teams.notifications()
    assert notification["name"] == "Priya Raman"
    assert teams.paths(f"/{teams.directory_id}") == [f"POST /{teams.directory_id}/oauth2/v2.0/token"] * 2


def test_a_bot_that_was_taken_away_without_a_word_is_found_out(
    provider: Teams, ours: Side, teams: SimulatedTeams
) -> None:
    teams.control("people/3/lose")
    outcome = _perform(provider, ours, "send_dm", {"user_id": "u1", "message": "x"})
    assert outcome.error_code is ErrorCode.NO_CONVERSATION
    teams.control("teams/1/lose")
    channel = teams.channel_id("Service desk")
    outcome = _perform(provider, ours, "post_to_channel", {"channel_id": channel, "message": "x"})
    assert outcome.error_code is ErrorCode.APP_NOT_IN_TEAM
    assert [place for place, _ in ours.chat.dead] == [one.conversation_id for one in ours.chat.places]


def test_a_token_that_counts_no_more_is_renewed_and_the_message_sent_once(
    provider: Teams, ours: Side, teams: SimulatedTeams
) -> None:
    connection = _connection()
    wish = {"user_id": "u1", "message": "x"}
    _perform(provider, ours, "send_dm", wish, on=connection)
    teams.control("tokens/revoke")
    assert _perform(provider, ours, "send_dm", wish, on=connection).state is ActionState.SUCCEEDED
    assert len(teams.messages()) == 2
    assert len(teams.paths(f"/{teams.directory_id}")) == 2


def test_a_deleted_bot_is_a_connection_that_needs_a_person(
    provider: Teams, ours: Side, teams: SimulatedTeams
) -> None:
    teams.control(f"bots/{teams.app_id}/set", is_registered=False)
    with pytest.raises(AuthFailed, match="Azure Bot"):
        _perform(provider, ours, "send_dm", {"user_id": "u1", "message": "x"})


def test_the_eighth_message_of_a_second_waits(
    provider: Teams, ours: Side, teams: SimulatedTeams, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = teams.lab.clock.timestamp()
    monkeypatch.setattr(teams.lab.clock, "timestamp", lambda: now)
    connection = _connection()
    wish = {"user_id": "u1", "message": "x"}
    for _ in range(7):
        _perform(provider, ours, "send_dm", wish, on=connection)
    with pytest.raises(RateLimited) as caught:
        _perform(provider, ours, "send_dm", wish, on=connection)
    assert caught.value.retry_after == 5
    monkeypatch.setattr(teams.lab.clock, "timestamp", lambda: now + 3)
    assert _perform(provider, ours, "send_dm", wish, on=connection).state is ActionState.SUCCEEDED
    assert len(teams.messages()) == 8
