"""The webhook's page of a vendor that makes the secret: what stands where, and pasting it."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from rmm_extension.services import connections
from rmm_extension.services.unit import unit

from .conftest import World, said

WAITING = "Waiting for the secret: deliveries are refused until then"
FIRST, SECOND = "whsec_first-0123456789", "whsec_second-0123456789"
PLACES = ("webhook", "setup/webhook")

each_place = pytest.mark.parametrize("place", PLACES)


@pytest.fixture
def connection(world: World) -> UUID:
    return world.connect("Sealed", provider="sealed")


@pytest.fixture
def browser(world: World) -> FlaskClient:
    return world.client()


def press(browser: FlaskClient, connection: UUID, name: str, **fields: str) -> str:
    """Send a form; the words of the page that follows."""
    answer = browser.post(f"/rmm/connections/{connection}/webhook/{name}", data=fields)
    assert answer.status_code == 303
    return said(browser.get(answer.location))


def stored(world: World, connection: UUID) -> dict[str, str]:
    with world.app.app_context(), unit(world.rmm) as session:
        return world.rmm.vault.read(session, "one", connection)


@each_place
def test_first_the_address_with_the_steps_then_the_field(
    browser: FlaskClient, connection: UUID, place: str
) -> None:
    press(browser, connection, "on")
    page = browser.get(f"/rmm/connections/{connection}/{place}")
    words = said(page)
    places = [
        words.index(part)
        for part in (
            "Waiting for the secret Deliveries are refused until it is pasted.",
            "Address",
            "In Sealed RMM",
            "Secret that Sealed RMM made",
        )
    ]
    assert places == sorted(places)
    assert "/api/webhooks/sealed/one." in page.text
    assert "Make a new secret" not in words
    assert "shown this once" not in words
    (field,) = re.findall(r'<input[^>]*name="secret"[^>]*>', page.text)
    assert 'type="password"' in field
    assert "value=" not in field
    assert " required" in field


def test_nothing_is_asked_for_before_the_webhook_is_on(browser: FlaskClient, connection: UUID) -> None:
    page = browser.get(f"/rmm/connections/{connection}/webhook")
    assert 'name="secret"' not in page.text
    assert "Waiting" not in said(page)
    assert "never switched on" in press(browser, connection, "secret", secret=FIRST)


@each_place
def test_pasted_it_is_stored_and_only_its_end_is_shown(
    world: World, browser: FlaskClient, connection: UUID, place: str
) -> None:
    on = press(browser, connection, "on")
    assert "Deliveries are refused until the vendor's secret is pasted below." in on
    back = {"back_to": "setup"} if place.startswith("setup") else {}
    words = press(browser, connection, "secret", secret=f" {FIRST} ", **back)
    assert ("Continue" in words) == bool(back)
    assert "The secret is stored." in words
    assert "On: deliveries are taken" in words
    assert f"Stored: •••• {FIRST[-4:]}" in words
    assert "Waiting" not in words
    assert stored(world, connection)["webhook_secret"] == FIRST
    for _ in range(2):  # also off and on again, soon after it was stored
        press(browser, connection, "off")
        press(browser, connection, "on")
        for path in PLACES:
            assert FIRST not in browser.get(f"/rmm/connections/{connection}/{path}").text


def test_left_blank_it_is_kept(world: World, browser: FlaskClient, connection: UUID) -> None:
    press(browser, connection, "on")
    assert "begin with whsec_" in press(browser, connection, "secret", secret="")
    press(browser, connection, "secret", secret=FIRST)
    assert "left blank" in press(browser, connection, "secret", secret="  ")
    assert stored(world, connection)["webhook_secret"] == FIRST
    assert 'name="secret" maxlength="500" autocomplete="new-password" spellcheck="false"' in (
        browser.get(f"/rmm/connections/{connection}/webhook").text
    )


def test_another_one_is_taken_beside_the_old_one(
    world: World, browser: FlaskClient, connection: UUID
) -> None:
    press(browser, connection, "on")
    press(browser, connection, "secret", secret=FIRST)
    assert "There is a new secret" in press(browser, connection, "secret", secret=SECOND)
    assert "nothing was changed" in press(browser, connection, "secret", secret=SECOND)
    assert stored(world, connection)["webhook_secret_previous"] == FIRST
    assert "signs with the new one" in said(browser.get(f"/rmm/connections/{connection}/webhook"))
    press(browser, connection, "drop-previous")
    assert "webhook_secret_previous" not in stored(world, connection)


def test_what_is_no_secret_is_refused_in_words_and_never_repeated(
    world: World, browser: FlaskClient, connection: UUID
) -> None:
    press(browser, connection, "on")
    words = press(browser, connection, "secret", secret="<b>other-secret-0123</b>")
    assert "begin with whsec_" in words
    assert "other-secret" not in words
    assert "webhook_secret" not in stored(world, connection)
    assert "vendor makes this secret" in press(browser, connection, "rotate", hint="")


def test_saving_it_changes_no_other_setting(world: World, browser: FlaskClient, connection: UUID) -> None:
    browser.post(f"/rmm/connections/{connection}/sync/schedule", data={"enabled": "y", "minutes": "30"})
    with world.app.app_context(), unit(world.rmm) as session:
        before = dict(connections.get(session, "one", connection).settings)
    press(browser, connection, "on")
    press(browser, connection, "secret", secret=FIRST)
    with world.app.app_context(), unit(world.rmm) as session:
        row = connections.get(session, "one", connection)
        assert (row.settings, row.webhook_enabled) == (before, True)


def test_health_says_what_is_waited_for(browser: FlaskClient, connection: UUID) -> None:
    health = f"/rmm/connections/{connection}/health"
    assert WAITING not in said(browser.get(health))
    press(browser, connection, "on")
    words = said(browser.get(health))
    assert f"Look at it Webhook {WAITING}" in words
    assert "pastes the secret that Sealed RMM made" in words
    assert "Last webhook waits for its secret" in said(browser.get(f"/rmm/connections/{connection}"))
    press(browser, connection, "secret", secret=FIRST)
    assert WAITING not in said(browser.get(health))


def test_the_activity_tells_of_it(browser: FlaskClient, connection: UUID) -> None:
    press(browser, connection, "on")
    press(browser, connection, "secret", secret=FIRST)
    page = browser.get(f"/rmm/connections/{connection}/activity")
    assert "secret pasted" in said(page).lower()
    assert FIRST not in page.text


def test_only_for_those_who_configure_and_only_for_such_a_vendor(world: World, connection: UUID) -> None:
    other = world.connect("Other", provider="single")
    path = "/rmm/connections/{}/webhook/secret"
    assert world.client("technician").post(path.format(connection)).status_code == 403
    assert world.client(tenant="two").post(path.format(connection)).status_code == 404
    assert world.client().post(path.format(other), data={"secret": FIRST}).status_code == 404
