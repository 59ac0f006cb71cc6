"""From the wizard to what stands in Teams: provider, door and actions against simulated services."""

from __future__ import annotations

import json

import pytest

from rmm_extension.services.messaging.links import make_code
from simulators.teams import keys
from simulators.teams.signing import ALL_FORGERIES
from tests.blueprints.conftest import said
from tests.harness.teams import SimulatedTeams
from tests.harness.world import World
from tests.services.working import queued, work

from .conftest import Connected, browser, connect


def test_the_wizard_tells_a_wrong_secret_beside_its_field(world: World, teams: SimulatedTeams) -> None:
    page = said(connect(world, teams, client_secret="wrong~secret"))
    assert "does not accept the client secret" in page
    assert "wrong~secret" not in page
    assert world.rows("SELECT 1 FROM rmm_integrations WHERE provider = 'teams'") == []


def test_the_wizard_refuses_an_id_that_is_none(world: World, teams: SimulatedTeams) -> None:
    assert "It looks like" in said(connect(world, teams, directory_id="northbeam.example"))


def test_a_multi_tenant_bot_connects(world: World, teams: SimulatedTeams) -> None:
    secrets = {"app_id": keys.MULTI_APP_ID, "client_secret": keys.MULTI_CLIENT_SECRET}
    assert connect(world, teams, "multi_tenant", **secrets).status_code == 303
    assert "POST /botframework.com/oauth2/v2.0/token" in teams.paths()


def test_no_secret_is_stored_in_clear_or_shown(connected: Connected) -> None:
    page = browser(connected.world).get(f"/rmm/connections/{connected.integration_id}/settings")
    assert keys.CLIENT_SECRET not in page.text
    connected.teams.install("Service desk")
    connected.deliver()
    connected.done("post_to_channel", channel_id=connected.teams.channel_id("Service desk"), message="x")
    tables = connected.world.rows(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = current_schema() AND table_name LIKE 'rmm%'"
    )
    everything = json.dumps(
        [connected.world.rows(f"SELECT * FROM {one['table_name']}") for one in tables], default=str
    )
    assert keys.CLIENT_SECRET not in everything
    assert connected.teams.lab.tokens
    assert not any(token in everything for token in connected.teams.lab.tokens)


def test_where_the_bot_is_put_is_where_it_writes(connected: Connected) -> None:
    teams = connected.teams
    teams.install("Service desk")
    teams.install("Priya Raman")
    assert {status for status, _ in connected.deliver()} == {200}
    assert [(row["kind"], row["team_name"] or row["person_name"]) for row in connected.places()] == [
        ("channel", "Service desk"),
        ("personal", "Priya Raman"),
    ]
    user = connected.link("tech@northbeam.example", "Priya Raman")
    alerts = teams.channel_id("Service desk", "Alerts")
    rows = [
        connected.done("send_dm", user_id=user, message="Disk full on SRV-1"),
        connected.done("post_to_channel", channel_id=alerts, message="Disk full on SRV-1"),
        connected.done("notify_user", user_id=user, title="Disk full", link="/tickets/7"),
    ]
    assert [(row["state"], row["error_code"]) for row in rows] == [("succeeded", None)] * 3
    assert [one["where"] for one in teams.messages()] == ["Priya Raman", "Service desk › Alerts"]
    assert [one["name"] for one in teams.notifications()] == ["Priya Raman"]
    tokens = [path for path in teams.paths() if path.endswith("/token")]
    # Two of the wizard's test, one of each kind for the three messages.
    assert len(tokens) == 4


def test_who_is_not_linked_or_was_never_met_is_told_so(connected: Connected) -> None:
    user = connected.user("tech@northbeam.example").id
    assert connected.done("send_dm", user_id=user, message="x")["error_code"] == "USER_NOT_LINKED"
    channel = connected.teams.channel_id("Service desk")
    assert (
        connected.done("post_to_channel", channel_id=channel, message="x")["error_code"] == "NO_SERVICE_URL"
    )
    assert connected.teams.messages() == []


@pytest.mark.parametrize("forge", ALL_FORGERIES)
def test_nothing_forged_is_believed(connected: Connected, forge: str) -> None:
    connected.teams.install("Priya Raman", forge=forge)
    answers = connected.deliver()
    assert len(answers) == 2
    assert {status for status, _ in answers} == {403}
    assert connected.places() == []


def test_a_message_sent_again_changes_nothing(connected: Connected) -> None:
    connected.teams.install("Priya Raman")
    connected.deliver()
    (before,) = connected.places()
    for entry in list(connected.teams.lab.deliveries):
        connected.teams.control("deliveries/again", activity_id=entry["activity_id"])
    assert {status for status, _ in connected.deliver()} == {200}
    assert connected.places() == [before]


def test_a_bot_taken_out_is_forgotten_and_one_lost_is_found_out_once(connected: Connected) -> None:
    teams = connected.teams
    teams.install("Priya Raman")
    teams.install("Service desk")
    connected.deliver()
    user = connected.link("tech@northbeam.example", "Priya Raman")
    teams.control("people/3/lose")
    assert connected.done("send_dm", user_id=user, message="x")["error_code"] == "NO_CONVERSATION"
    asked = len(teams.paths("/amer"))
    assert connected.done("send_dm", user_id=user, message="x")["error_code"] == "NO_CONVERSATION"
    assert len(teams.paths("/amer")) == asked, "what is known to be gone is not asked for again"
    teams.install("Priya Raman")
    teams.remove("Service desk")
    connected.deliver()
    assert connected.done("send_dm", user_id=user, message="x")["state"] == "succeeded"
    assert [row["kind"] for row in connected.places()] == ["personal"]
    channel = teams.channel_id("Service desk")
    row = connected.done("post_to_channel", channel_id=channel, message="x")
    assert row["error_code"] == "APP_NOT_IN_TEAM"


def test_keys_that_were_replaced_are_fetched_and_the_next_message_is_taken(connected: Connected) -> None:
    teams, world = connected.teams, connected.world
    # As if they had been fetched yesterday.
    world.do("UPDATE rmm_signing_keys SET fetched_at = fetched_at - interval '1 day', wanted_at = NULL")
    teams.control("keys/rotate", keep=False)
    teams.install("Priya Raman")
    assert {status for status, _ in connected.deliver()} == {503}
    assert len(queued(world, "signing_keys")) == 1
    assert work(world, "signing_keys") == [{"keys": 1}]
    teams.write("Priya Raman", "hello")
    assert [status for status, _ in connected.deliver()] == [200]
    assert [row["person_name"] for row in connected.places()] == ["Priya Raman"]


@pytest.mark.parametrize(
    "code, state, error, sends",
    [
        ("ServiceUnavailable", "queued", None, 2),
        ("PreconditionFailed", "queued", None, 2),
        ("Throttled", "queued", None, 2),
        ("BadGateway", "unknown", "VENDOR_ERROR", 1),
        ("InternalServerError", "unknown", "VENDOR_ERROR", 1),
        ("MessageSizeTooBig", "failed", "VALIDATION_ERROR", 1),
        ("BadSyntax", "failed", "VENDOR_ERROR", 1),
        ("InvalidBotApiHost", "failed", "VENDOR_ERROR", 1),
    ],
)
def test_only_what_surely_did_not_arrive_is_sent_again(
    connected: Connected, code: str, state: str, error: str | None, sends: int
) -> None:
    teams = connected.teams
    teams.install("Service desk")
    connected.deliver()
    teams.lab.settings.change(refuse_sends_with=code)
    asked = connected.ask("post_to_channel", channel_id=teams.channel_id("Service desk"), message="x")
    connected.attempt(asked)
    row = connected.row(asked)
    assert (row["state"], row["error_code"]) == (state, error)
    teams.lab.settings.change(refuse_sends_with="none")
    connected.world.do("UPDATE rmm_job_runs SET due_at = now() WHERE status = 'queued'")
    connected.attempt(asked)
    assert len(teams.paths("/amer/v3/conversations")) == sends
    assert len(teams.messages()) == sends - 1


def test_a_deleted_bot_asks_for_a_person(connected: Connected) -> None:
    teams, world = connected.teams, connected.world
    teams.install("Service desk")
    connected.deliver()
    teams.control(f"bots/{teams.app_id}/set", is_registered=False)
    row = connected.done("post_to_channel", channel_id=teams.channel_id("Service desk"), message="x")
    assert (row["state"], row["error_code"]) == ("failed", "INTEGRATION_MISCONFIGURED")
    assert world.one("SELECT state FROM rmm_integrations WHERE id = :id", id=connected.integration_id) == (
        "needs_reauth"
    )


def test_a_person_links_themselves_by_a_code(connected: Connected) -> None:
    teams = connected.teams
    teams.install("Priya Raman")
    connected.deliver()
    with connected.world.unit() as session:
        code = make_code(session, connected.user("tech@northbeam.example"), connected.integration_id)
        text = code.text
    teams.write("Priya Raman", "QQQQQ-QQQQQ")
    teams.write("Priya Raman", f"my code: {text}")
    assert [body["outcome"] for _, body in connected.deliver()] == ["kept", "linked"]
    (row,) = connected.world.rows("SELECT * FROM rmm_teams_user_links")
    assert row["person_id"] == teams.object_id("Priya Raman")
    assert connected.done("send_dm", user_id=row["user_id"], message="x")["state"] == "succeeded"
