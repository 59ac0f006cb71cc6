"""Linking users: by an administrator, and by oneself with a code."""

from __future__ import annotations

import re

import pytest

from tests.blueprints.conftest import said
from tests.harness.bot import PERSON, personal
from tests.services.working import work

from .conftest import Pages

CODE = re.compile(r">([A-Z2-9]{5}-[A-Z2-9]{5})<")


@pytest.fixture
def met(pages: Pages) -> Pages:
    """The bot has met one person."""
    work(pages.bot.world, "signing_keys")
    pages.bot.say(personal(person_name="<i>Megan</i>"), installed=True)
    return pages


def linked(pages: Pages) -> list[tuple[str, str | None]]:
    rows = pages.bot.world.rows("SELECT user_id, person_id FROM rmm_teams_user_links")
    return [(row["user_id"], row["person_id"]) for row in rows]


def test_before_the_bot_met_anybody_it_says_what_to_do(pages: Pages) -> None:
    words = pages.words("users")
    assert "The bot has met nobody yet" in words
    assert "Choose an account" not in words


def test_an_administrator_links_and_unlinks(met: Pages) -> None:
    assert "&lt;i&gt;Megan&lt;/i&gt;" in met.get("users").text
    user = met.user("technician")
    assert "Linked with <i>Megan</i>." in met.press("users/link", user=user, account=PERSON)
    assert linked(met) == [(user, PERSON)]
    assert "is not linked any more." in met.press("users/unlink", user=user)
    assert linked(met) == []


@pytest.mark.parametrize(
    "user, account, said_so",
    [
        ("", PERSON, "This user does not exist"),
        ("nobody", PERSON, "This user does not exist"),
        ("technician", "", "Choose an account."),
        ("technician", "unknown", "The bot has not met this account."),
        ("no\x00body", PERSON, "This user does not exist"),
        ("technician", "un\x00known", "The bot has not met this account."),
    ],
)
def test_what_cannot_be_linked_is_said(met: Pages, user: str, account: str, said_so: str) -> None:
    chosen = met.user(user) if user == "technician" else user
    assert said_so in met.press("users/link", user=chosen, account=account)
    assert linked(met) == []


@pytest.mark.parametrize("part", ["users/link", "users/unlink"])
def test_only_an_administrator_does_it_for_others(met: Pages, part: str) -> None:
    browser = met.browser("technician")
    answer = browser.post(f"{met.root}/{part}", data={"user": met.user("technician"), "account": PERSON})
    assert answer.status_code == 403
    assert linked(met) == []


def test_a_link_whose_conversation_is_gone_says_so(met: Pages) -> None:
    met.press("users/link", user=met.user("technician"), account=PERSON)
    assert "Linked" in met.words("users")
    met.bot.world.do("UPDATE rmm_teams_conversations SET dead_at = now()")
    assert "No conversation" in met.words("users")


@pytest.mark.parametrize("role", ["technician", "read_only"])
def test_everybody_links_themselves_with_a_code(met: Pages, role: str) -> None:
    assert "Not linked" in met.words("account", role)
    answer = met.browser(role).post(f"{met.root}/account")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    (code,) = CODE.findall(answer.text)
    assert code not in met.get("account", role).text, "it is shown once"
    assert "A code was given out" in met.words("users")
    assert met.bot.say(personal(), text=code).get_json()["outcome"] == "linked"
    assert linked(met) == [(met.user(role), PERSON)]
    assert "Workflows reach you as Megan Bowen" in met.words("account", role)
    assert "Your account is not linked any more." in met.press("account/unlink", role)
    assert linked(met) == []


def test_no_code_while_the_connection_is_paused(met: Pages) -> None:
    met.bot.world.do("UPDATE rmm_integrations SET state = 'paused' WHERE provider = 'chat'")
    assert "no account can be linked now" in met.words("account")
    answer = met.browser().post(f"{met.root}/account")
    assert answer.status_code == 409
    assert "is paused" in said(answer)


def test_a_user_who_left_can_still_be_unlinked(met: Pages) -> None:
    user = met.user("technician")
    met.press("users/link", user=user, account=PERSON)
    met.bot.world.do("UPDATE users SET is_enabled = false WHERE id = :id", id=user)
    assert "(not active)" in met.words("users")
    met.press("users/unlink", user=user)
    assert linked(met) == []
