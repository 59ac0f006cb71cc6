"""Connecting by user and password, and everything that is saved afterwards, against a simulated server."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from html.parser import HTMLParser
from uuid import UUID

import pyotp
import pytest
from flask.testing import FlaskClient

from reference_psa.db import db
from rmm_extension.models import Integration
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services import connections
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app, lab_of
from simulators.tacticalrmm.fleet import FleetOptions
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.misbehaviour import Fault
from simulators.testing import serve_in_thread
from tests.providers.conftest import RUNTIME

from .conftest import World, said

DETAILS = "/rmm/connect/tacticalrmm/password"
EVERYTHING = {
    "dashboard_url": "https://rmm.example.com",
    "remote_link_template": "{dashboard}/takecontrol/{agent_id}",
    "source": "standard",
    "reset_mode": "snooze",
    "snooze_days": "9",
}
"""Every plain setting of the form, none as it is by default."""


@dataclasses.dataclass
class Pages:
    """A browser on the app, and the simulated server it connects to."""

    world: World
    browser: FlaskClient
    url: str
    lab: Lab

    def typed(self, **changes: str) -> dict[str, str]:
        """The wizard's form, filled in well for a user without two-step log-in, with these changes."""
        fields = {"instance_url": self.url, "username": keys.PASSWORD_USER, "password": keys.PASSWORD}
        fields |= {"code": "", "totp_seed": "", **EVERYTHING, **changes}
        form = {f"field_{name}": value for name, value in fields.items()}
        return {"name": "Tactical", "catch_all": "y", **form}

    def connect(self, **changes: str) -> UUID:
        """Go through the wizard's first half."""
        answer = self.browser.post(DETAILS, data=self.typed(**changes))
        assert answer.status_code == 303, said(answer)
        return self.row().id

    def code(self) -> str:
        return pyotp.TOTP(keys.TOTP_SECRET).at(self.lab.clock.now())

    def row(self) -> Integration:
        with self.world.app.app_context():
            (found,) = connections.all_of(db.session(), "one")
            return found

    def secrets(self) -> dict[str, str]:
        with self.world.app.app_context():
            return self.world.rmm.vault.read(db.session(), "one", self.row().id)

    def logins(self) -> tuple[int, int]:
        return self.lab.counters["POST /v2/checkcreds/"], self.lab.counters["POST /v2/login/"]


@pytest.fixture
def pages(world: World) -> Iterator[Pages]:
    mounted = world.app.extensions["rmm"]
    world.app.extensions["rmm"] = dataclasses.replace(
        mounted, services=dataclasses.replace(mounted.services, providers=ProviderRegistry(RUNTIME))
    )
    app = create_app(FleetOptions(10, 2, 7, 6))
    url, stop = serve_in_thread(app)
    yield Pages(world, world.client(), url, lab_of(app))
    stop()


class _Form(HTMLParser):
    """What a browser sends of the first form that has fields of a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name = found.get("name")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in found:
            self.values[self._select] = found.get("value") or ""
        elif tag == "input" and name and (found.get("type") != "checkbox" or "checked" in found):
            self.values[name] = found.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None


def as_it_stands(page: str) -> dict[str, str]:
    """The page's fields with the values they show."""
    parser = _Form()
    parser.feed(page)
    return parser.values


def test_the_way_to_sign_in_is_chosen(pages: Pages) -> None:
    page = said(pages.browser.get("/rmm/connect/tacticalrmm"))
    assert "API key" in page
    assert "User and password" in page
    details = said(pages.browser.get(DETAILS))
    assert "Prefer an API key where you can" in details
    assert "Only if the user has two-step log-in" in details


def test_a_user_with_two_step_log_in_is_asked_for_the_code_in_words(pages: Pages) -> None:
    answer = pages.browser.post(DETAILS, data=pages.typed(username=keys.TOTP_USER))
    page = said(answer)
    assert answer.status_code == 422
    assert "This user has two-step log-in in Tactical RMM" in page
    assert "Code of the two-step log-in: Type the code that the authenticator shows now" in page
    assert 'href="#field_code"' in answer.text
    assert pages.logins() == (1, 0)
    code = pages.code()
    refused = pages.browser.post(DETAILS, data=pages.typed(username=keys.TOTP_USER, code="000000"))
    assert "Tactical RMM refuses the code" in said(refused)
    for text in (answer.text, refused.text):
        assert keys.PASSWORD not in text
        assert 'value="000000"' not in text, "a code is never sent back to the page"
    pages.connect(username=keys.TOTP_USER, code=code)
    row = pages.row()
    assert (row.auth_mode, row.state) == ("password", "connected")
    assert row.settings == {"username": keys.TOTP_USER, **EVERYTHING}
    assert set(pages.secrets()) == {"password", "session"}


def test_one_sign_in_for_the_whole_wizard(pages: Pages) -> None:
    connection = pages.connect(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
    assert pages.logins() == (1, 1)
    page = said(pages.browser.post(f"/rmm/connections/{connection}/test"))
    assert "the sign-in is valid" in page
    assert pages.logins() == (1, 1)


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"password": "wrong"}, "Password: Type both again."),
        ({"username": keys.SSO_USER}, "Password: Type both again."),
        ({"totp_seed": "123456"}, "TOTP seed: This is no TOTP seed."),
        ({"code": "12"}, "Code of the two-step log-in: The code has six digits."),
        ({"username": ""}, "Fill in: User name."),
        ({"password": ""}, "Fill in: Password."),
    ],
)
def test_what_fails_is_said_at_its_field(pages: Pages, changes: dict[str, str], expected: str) -> None:
    answer = pages.browser.post(DETAILS, data=pages.typed(**changes))
    assert answer.status_code == 422
    assert expected in said(answer)


def test_throttled_is_told_until_when(pages: Pages) -> None:
    pages.lab.misbehaviours.add(Fault(mode="throttled", prefix="/v2/", retry_after="57", count=1))
    answer = pages.browser.post(DETAILS, data=pages.typed())
    assert answer.status_code == 422
    assert "Tactical RMM takes no log-ins from here until" in said(answer)
    assert "What to do: Wait, then test again." in said(answer)


def test_saving_any_form_as_it_stands_loses_nothing(pages: Pages) -> None:
    connection = pages.connect(username=keys.TOTP_USER, code=pages.code())
    base = f"/rmm/connections/{connection}"
    schedule = {"enabled": "y", "minutes": "45", "deletion_policy": "mark_inactive"}
    assert pages.browser.post(f"{base}/schedule", data=schedule).status_code == 303
    assert pages.browser.post(f"{base}/polling", data={"polling": "y", "every": "10"}).status_code == 303
    before, logins = pages.row().settings, pages.logins()
    assert before.items() >= {"username": keys.TOTP_USER, **EVERYTHING}.items()
    for address in ("credentials", "name", "schedule", "polling"):
        shown = pages.browser.get(f"{base}/{_PAGES[address]}").text
        values = {**as_it_stands(shown), **({"minutes": "45"} if address == "schedule" else {})}
        assert pages.browser.post(f"{base}/{address}", data=values).status_code == 303, address
        assert pages.row().settings == before, address
        assert set(pages.secrets()) == {"password", "session"}
    assert pages.logins() == logins, "nobody had to sign in again"


_PAGES = {"credentials": "credentials", "name": "settings", "schedule": "sync", "polling": "sync"}
"""The page on which each form stands."""


def test_a_setting_that_was_saved_as_a_number_is_shown_and_kept(pages: Pages) -> None:
    connection = pages.connect()
    with pages.world.app.app_context():
        row = db.session().get(Integration, ("one", connection))
        row.settings = {**row.settings, "snooze_days": 5}
        db.session().commit()
    address = f"/rmm/connections/{connection}/credentials"
    pages.browser.post(address, data=as_it_stands(pages.browser.get(address).text))
    assert pages.row().settings["snooze_days"] == "5"


def test_switching_the_way_to_sign_in_drops_the_other_ones_secrets_and_no_setting(pages: Pages) -> None:
    connection = pages.connect(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
    before = pages.row().settings
    for mode, secrets in (
        ("api_key", {"field_api_key": keys.INTEGRATION_KEY}),
        ("password", {"field_password": keys.PASSWORD, "field_totp_seed": keys.TOTP_SECRET}),
    ):
        address = f"/rmm/connections/{connection}/credentials?mode={mode}"
        values = as_it_stands(pages.browser.get(address).text)
        answer = pages.browser.post(address, data=values | secrets)
        assert answer.status_code == 303, said(answer)
        expected = {name.removeprefix("field_") for name in secrets}
        assert set(pages.secrets()) == expected | ({"session"} if mode == "password" else set())
        assert pages.row().settings == before
        assert pages.row().auth_mode == mode


def test_signing_in_again_with_a_new_code_ends_an_expired_sign_in(pages: Pages) -> None:
    connection = pages.connect(username=keys.TOTP_USER, code=pages.code())
    pages.lab.tokens.clear()
    tested = said(pages.browser.post(f"/rmm/connections/{connection}/test"))
    assert "This user has two-step log-in" in tested
    assert pages.row().state == "needs_reauth"
    address = f"/rmm/connections/{connection}/credentials"
    values = as_it_stands(pages.browser.get(address).text)
    assert values["field_password"] == "", "blank keeps the stored one"
    answer = pages.browser.post(address, data=values | {"field_code": pages.code()})
    assert answer.status_code == 303
    assert pages.row().state == "connected"


def test_no_page_shows_any_end_of_a_password(pages: Pages) -> None:
    connection = pages.connect(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
    assert keys.TOTP_USER in said(pages.browser.get(f"/rmm/connections/{connection}/settings"))
    token = pages.secrets()["session"]
    for path in ("settings", "credentials", "activity", "health", ""):
        page = pages.browser.get(f"/rmm/connections/{connection}/{path}".rstrip("/"))
        assert page.status_code == 200, path
        assert keys.PASSWORD[-4:] not in page.text
        assert keys.TOTP_SECRET not in page.text
        assert token[10:40] not in page.text


def test_disconnecting_deletes_everything_of_the_sign_in(pages: Pages) -> None:
    connection = pages.connect(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
    pages.browser.post(f"/rmm/connections/{connection}/disconnect")
    assert pages.secrets() == {}
    row = pages.row()
    assert (row.state, row.sign_in_lease_until, row.sign_in_blocked_until) == ("not_connected", None, None)
