"""Linking oneself by the code of one's page, sent to the bot in Teams; and the app package of the bot."""

from __future__ import annotations

import re

from tests.providers.teams.test_app_package import opened_bytes

from .conftest import Connected, browser


def made(connected: Connected, mail: str) -> str:
    """The code that the person's page shows."""
    world, user = connected.world, connected.user(mail)
    client = world.app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = f"{world.tenant}/{user.id}", True
    page = client.post(f"/rmm/connections/{connected.integration_id}/account")
    (code,) = re.findall(r">([A-Z2-9]{5}-[A-Z2-9]{5})<", page.text)
    return str(code)


def test_the_code_of_ones_page_links_the_account_that_sends_it(connected: Connected) -> None:
    teams, user = connected.teams, connected.user("tech@northbeam.example")
    teams.install("Priya Raman")
    connected.deliver()
    teams.write("Priya Raman", f"link {made(connected, 'tech@northbeam.example')}")
    assert [body["outcome"] for _, body in connected.deliver()] == ["linked"]
    (row,) = connected.world.rows("SELECT * FROM rmm_teams_user_links")
    assert (row["user_id"], row["person_id"]) == (user.id, teams.object_id("Priya Raman"))
    assert connected.done("send_dm", user_id=user.id, message="Hello")["state"] == "succeeded"
    assert [one["where"] for one in teams.messages()] == ["Priya Raman"]


def test_a_forged_message_with_the_right_code_links_nobody(connected: Connected) -> None:
    code = made(connected, "tech@northbeam.example")
    connected.teams.write("Priya Raman", code, forge="bad_signature")
    assert {status for status, _ in connected.deliver()} == {403}
    assert connected.world.rows("SELECT 1 FROM rmm_teams_user_links WHERE person_id IS NOT NULL") == []


def test_the_package_of_the_connection_has_its_bot(connected: Connected) -> None:
    answer = browser(connected.world).get(f"/rmm/connections/{connected.integration_id}/bot/package")
    assert answer.mimetype == "application/zip"
    assert 'filename="teams-app.zip"' in answer.headers["Content-Disposition"]
    manifest = opened_bytes(answer.data)["manifest.json"].decode()
    assert connected.teams.app_id in manifest
    assert "Northbeam IT" in manifest
    assert "psa.example.com" in manifest
