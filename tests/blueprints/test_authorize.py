"""Signing in at a vendor in the browser: the way there, the way back, and every way in which it fails."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from reference_psa.db import db
from rmm_extension.models import AlertRule, Audit, Integration, JobRun, PendingSignIn
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.registry import ProviderRegistry

from .conftest import World, said
from .gate import KEY, SECRET, GateProvider, LoudProvider
from .vendor import sources

DETAILS = "/rmm/connect/gate/browser"
CALLBACK = "/rmm/oauth/callback"
PUBLIC = "http://localhost"
VENDOR = "https://1.1.1.1"


@pytest.fixture
def gate(world: World) -> Iterator[World]:
    """The world with one vendor more."""
    mounted = world.app.extensions["rmm"]
    registry = ProviderRegistry(
        Runtime(), sources=[*sources(), (KEY, lambda: GateProvider), ("loud", lambda: LoudProvider)]
    )
    settings = dataclasses.replace(mounted.services.settings, public_url=PUBLIC)
    services = dataclasses.replace(mounted.services, providers=registry, settings=settings)
    world.app.extensions["rmm"] = dataclasses.replace(mounted, services=services)
    GateProvider.asked.clear(), GateProvider.ended.clear()
    yield world
    GateProvider.look = staticmethod(lambda: None)


def publish(gate: World, url: str | None) -> None:
    """Give the application another public address."""
    mounted = gate.app.extensions["rmm"]
    settings = dataclasses.replace(mounted.services.settings, public_url=url)
    services = dataclasses.replace(mounted.services, settings=settings)
    gate.app.extensions["rmm"] = dataclasses.replace(mounted, services=services)


def typed(**changes: str) -> dict[str, str]:
    values = {"name": "Gate", "field_instance_url": VENDOR, "field_client_id": "the-client"}
    return {**values, "field_client_secret": SECRET, **changes}


def leave(browser: FlaskClient, address: str = DETAILS, **changes: str) -> dict[str, str]:
    """Send the form, and give the query of the vendor's page that it leads to."""
    answer = browser.post(address, data=typed(**changes))
    assert answer.status_code == 200, said(answer)
    url = answer.headers["Refresh"].removeprefix("0; url=")
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def come_back(browser: FlaskClient, **query: str) -> TestResponse:
    answer = browser.get(CALLBACK, query_string=query)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    return answer


def stored(world: World, model: type[Any]) -> list[Any]:
    with world.app.app_context():
        return list(db.session.scalars(select(model)))


def secrets_of(world: World, integration_id: UUID) -> dict[str, str]:
    with world.app.app_context():
        return world.rmm.vault.read(db.session(), "one", integration_id)


def connected(world: World, browser: FlaskClient, code: str = "good") -> UUID:
    """A connection that was signed in to."""
    answer = come_back(browser, state=leave(browser)["state"], code=code)
    assert answer.status_code == 303
    (row,) = stored(world, Integration)
    found: UUID = row.id
    return found


class TestTheWayThere:
    def test_the_form_shows_the_redirect_uri_to_copy(self, gate: World) -> None:
        page = gate.client().get(DETAILS).text
        assert f">{PUBLIC}{CALLBACK}</code>" in page
        assert "data-rmm-copy" in page
        assert "Go on to Gate RMM" in page
        assert "opened elsewhere" not in page

    def test_it_warns_where_the_way_back_leads_to_another_host(self, gate: World) -> None:
        publish(gate, "https://psa.example.com")
        page = gate.client().get(DETAILS).text
        assert f">https://psa.example.com{CALLBACK}</code>" in page
        assert "opened elsewhere" in page
        assert 'href="https://psa.example.com"' in page

    def test_without_a_public_url_it_is_the_pages_own_host(self, gate: World) -> None:
        publish(gate, None)
        page = gate.client().get(DETAILS).text
        assert f">http://localhost{CALLBACK}</code>" in page
        assert "opened elsewhere" not in page

    def test_a_sign_in_without_a_browser_shows_none(self, gate: World) -> None:
        assert CALLBACK not in gate.client().get("/rmm/connect/gate/api_key").text

    def test_a_page_leads_on_and_no_form_is_redirected(self, gate: World) -> None:
        answer = gate.client().post(DETAILS, data=typed())
        assert answer.status_code == 200
        assert answer.headers["Refresh"].startswith(f"0; url={VENDOR}/authorize?state=one.")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Going to Gate RMM" in said(answer)
        link = re.search(r'href="(https://1\.1\.1\.1/authorize[^"]+)"', answer.text)
        assert link is not None
        assert html.unescape(link[1]) == answer.headers["Refresh"].removeprefix("0; url=")
        assert SECRET not in answer.text
        assert stored(gate, Integration) == []

    @pytest.mark.parametrize(
        "changes, words",
        [
            ({"name": ""}, "Give the connection a name."),
            ({"field_client_secret": ""}, "Fill in: Client secret."),
            ({"field_instance_url": "nowhere"}, "The address is not an address."),
            ({"field_instance_url": "https://127.0.0.1"}, "127.0.0.1"),
            ({"field_client_id": "a b"}, "The client ID has characters"),
        ],
    )
    def test_what_cannot_be_asked_with_stays_in_the_form(
        self, gate: World, changes: dict[str, str], words: str
    ) -> None:
        answer = gate.client().post(DETAILS, data=typed(**changes))
        assert answer.status_code == 422
        assert words in said(answer)
        assert stored(gate, PendingSignIn) == []

    def test_only_who_may_configure_is_sent_or_taken_back(self, gate: World) -> None:
        for role in ("technician", "read_only"):
            assert gate.client(role).post(DETAILS, data=typed()).status_code == 403
            assert gate.client(role).get(f"{CALLBACK}?state=one.x&code=good").status_code == 403
        assert gate.app.test_client().get(f"{CALLBACK}?state=one.x&code=good").status_code in (302, 401)


class TestTheWayBack:
    def test_a_good_code_makes_the_connection_and_goes_on(self, gate: World) -> None:
        browser = gate.client()
        sent = leave(browser)
        answer = come_back(browser, state=sent["state"], code="limited")
        assert answer.status_code == 303
        (row,) = stored(gate, Integration)
        assert answer.location == f"/rmm/connections/{row.id}/setup"
        assert (row.name, row.state, row.auth_mode, row.instance_url) == (
            "Gate",
            "connected",
            "browser",
            VENDOR,
        )
        assert row.settings == {"client_id": "the-client"}
        kept = secrets_of(gate, row.id)
        assert kept["client_secret"] == SECRET
        assert '"value":"token-of-limited"' in kept["session"]
        (brought,) = GateProvider.asked
        assert brought["redirect_uri"] == sent["redirect_uri"] == f"{PUBLIC}{CALLBACK}"
        assert brought["code_verifier"]
        assert {run.kind for run in stored(gate, JobRun)} >= {"organization_sync"}
        page = said(browser.get(f"/rmm/connections/{row.id}/setup/organizations"))
        assert "2 checks, 1 with a warning" in page
        assert "Without Control there is no remote access." in page

    def test_nothing_of_it_is_written_down(self, gate: World) -> None:
        browser = gate.client()
        sent = leave(browser)
        come_back(browser, state=sent["state"], code="good")
        with gate.app.app_context():
            rows = db.session.execute(text("SELECT changes::text FROM rmm_audit")).scalars().all()
        assert rows
        (brought,) = GateProvider.asked
        for told in ("good", sent["state"], SECRET, brought["code_verifier"], "token-of"):
            assert not any(told in row for row in rows)
        assert {row.action for row in stored(gate, Audit)} == {"connection.created"}
        assert stored(gate, PendingSignIn) == []

    @pytest.mark.parametrize("ticked, rules", [("y", 1), (None, 0)])
    def test_the_rule_that_was_chosen_is_made(self, gate: World, ticked: str | None, rules: int) -> None:
        browser = gate.client()
        chosen = {"catch_all": ticked} if ticked else {}
        sent = leave(browser, "/rmm/connect/loud/browser", **chosen)
        assert come_back(browser, state=sent["state"], code="good").status_code == 303
        assert len(stored(gate, AlertRule)) == rules

    def test_no_transaction_is_open_while_the_vendor_is_asked(self, gate: World) -> None:
        seen = []
        GateProvider.look = staticmethod(lambda: seen.append(db.session().in_transaction()))
        browser = gate.client()
        come_back(browser, state=leave(browser)["state"], code="good")
        assert seen == [False]


class TestFailures:
    def failed(self, gate: World, **query: str) -> TestResponse:
        browser = gate.client()
        answer = come_back(browser, state=leave(browser)["state"], **query)
        assert answer.status_code == 422
        assert stored(gate, Integration) == []
        # The form is back with what was typed, and sent to where it came from.
        assert f'action="{DETAILS}"' in answer.text
        assert f'value="{VENDOR}"' in answer.text
        assert 'value="the-client"' in answer.text
        assert 'value="Gate"' in answer.text
        assert SECRET not in answer.text
        assert leave(browser)["state"]
        return answer

    @pytest.mark.parametrize(
        "error, words",
        [
            ("access_denied", "The sign-in was cancelled at Gate RMM, or not agreed to."),
            ("unauthorized_client", "the grant type is not allowed"),
            ("invalid_scope", "refuses the scopes"),
            ("server_error", "failed inside"),
            ("temporarily_unavailable", "Try again later"),
            ("<b>odd</b> one", "Gate RMM did not let you sign in (it says: boddbone)."),
            ("<>", "Gate RMM did not let you sign in."),
        ],
    )
    def test_the_vendors_refusal_is_said(self, gate: World, error: str, words: str) -> None:
        answer = self.failed(gate, error=error, error_description="<script>x</script>", code="good")
        assert words in said(answer)
        assert "script>x" not in answer.text
        assert GateProvider.asked == [], "a code beside an error is not used"

    def test_no_code_is_said(self, gate: World) -> None:
        assert "sent no code" in said(self.failed(gate))

    def test_a_code_that_is_refused_shows_the_check(self, gate: World) -> None:
        page = said(self.failed(gate, code="refused"))
        assert "The code is refused." in page
        assert "What to do: Begin again." in page
        assert "because a check failed" in page
        assert GateProvider.ended == []

    def test_what_is_about_a_field_stands_at_it(self, gate: World) -> None:
        assert "Client secret: Copy it." in said(self.failed(gate, code="bad-secret"))

    def test_a_vendor_that_is_away_is_said(self, gate: World) -> None:
        assert "Gate RMM does not answer." in said(self.failed(gate, code="away"))

    def test_a_sign_in_that_is_not_kept_is_ended(self, gate: World) -> None:
        page = said(self.failed(gate, code="short"))
        assert "It ends within an hour." in page
        assert GateProvider.ended == ["token-of-short"]

    def test_a_name_that_was_taken_meanwhile_is_said(self, gate: World) -> None:
        browser = gate.client()
        sent = leave(browser)
        gate.connect("Gate", provider=KEY)
        answer = come_back(browser, state=sent["state"], code="good")
        assert answer.status_code == 422
        assert "There is a connection named “Gate” already" in said(answer)
        assert GateProvider.ended == ["token-of-good"]


class TestStates:
    def lost(self, answer: TestResponse, words: str) -> None:
        assert answer.status_code == 409
        page = said(answer)
        assert words in page
        assert "Nothing was changed." in page
        assert GateProvider.asked == []

    def test_one_that_was_used_is_used_up(self, gate: World) -> None:
        browser = gate.client()
        state = leave(browser)["state"]
        come_back(browser, state=state, code="good")
        GateProvider.asked.clear()
        self.lost(come_back(browser, state=state, code="good"), "finished already")
        assert len(stored(gate, Integration)) == 1

    @pytest.mark.parametrize("state", ["one.unknown", "nonsense", "one.", "."])
    def test_one_that_nobody_knows(self, gate: World, state: str) -> None:
        self.lost(come_back(gate.client(), state=state, code="good"), "egin")

    @pytest.mark.parametrize(
        "query", [{}, {"code": "good"}, {"error": "access_denied"}, {"error": "<script>"}]
    )
    def test_none_at_all(self, gate: World, query: dict[str, str]) -> None:
        answer = come_back(gate.client(), **query)
        self.lost(answer, "without saying which sign-in")
        assert ("cancelled" in said(answer)) == (query.get("error") == "access_denied")
        assert "<script>" not in answer.text.replace('<script src="', "")

    def test_one_of_ten_minutes_ago(self, gate: World) -> None:
        browser = gate.client()
        state = leave(browser)["state"]
        with gate.app.app_context():
            db.session.execute(text("UPDATE rmm_pending_sign_ins SET expires_at = now()"))
            db.session.commit()
        answer = come_back(browser, state=state, code="good")
        self.lost(answer, "more than ten minutes ago")
        assert 'href="/rmm/connect/gate"' in answer.text

    def test_one_of_another_person_of_the_same_tenant(self, gate: World) -> None:
        state = leave(gate.client())["state"]
        with gate.app.app_context():
            db.session.execute(text("UPDATE rmm_pending_sign_ins SET actor_id = 'somebody'"))
            db.session.commit()
        self.lost(come_back(gate.client(), state=state, code="good"), "begun by somebody else")

    def test_one_of_another_tenant(self, gate: World) -> None:
        state = leave(gate.client())["state"]
        self.lost(come_back(gate.client(tenant="two"), state=state, code="good"), "begun by somebody else")
        assert len(stored(gate, PendingSignIn)) == 1, "it can still be finished by whose it is"

    def test_one_of_another_browser(self, gate: World) -> None:
        state = leave(gate.client())["state"]
        self.lost(come_back(gate.client(), state=state, code="good"), "another browser")
        assert stored(gate, PendingSignIn) == []

    def test_two_at_once_in_one_browser_are_both_known(self, gate: World) -> None:
        browser = gate.client()
        first, second = leave(browser)["state"], leave(browser, name="Gate 2")["state"]
        assert come_back(browser, state=first, code="one").status_code == 303
        assert come_back(browser, state=second, code="two").status_code == 303
        assert {row.name for row in stored(gate, Integration)} == {"Gate", "Gate 2"}


class TestAgain:
    def address(self, integration_id: UUID) -> str:
        return f"/rmm/connections/{integration_id}/credentials"

    def test_a_blank_secret_keeps_the_stored_one(self, gate: World) -> None:
        browser = gate.client()
        row_id = connected(gate, browser)
        with gate.app.app_context():
            db.session.execute(text("UPDATE rmm_integrations SET state = 'needs_reauth', last_error = 'No.'"))
            db.session.commit()
        page = browser.get(self.address(row_id)).text
        assert "Sign in at Gate RMM" in page
        assert f">{PUBLIC}{CALLBACK}</code>" in page
        sent = leave(browser, self.address(row_id), field_client_secret="", field_client_id="another")
        answer = come_back(browser, state=sent["state"], code="new")
        assert answer.status_code == 303
        assert answer.location == f"/rmm/connections/{row_id}"
        (row,) = stored(gate, Integration)
        assert (row.state, row.last_error, row.settings["client_id"]) == ("connected", None, "another")
        kept = secrets_of(gate, row_id)
        assert kept["client_secret"] == SECRET
        assert '"value":"token-of-new"' in kept["session"]
        assert "connection.credentials_saved" in {row.action for row in stored(gate, Audit)}
        assert "session_end" in {run.kind for run in stored(gate, JobRun)}, "the old session is ended"

    def test_another_server_gets_nothing_that_is_stored(self, gate: World) -> None:
        browser = gate.client()
        row_id = connected(gate, browser)
        answer = browser.post(
            self.address(row_id),
            data=typed(field_instance_url="https://9.9.9.9", field_client_secret=""),
            base_url=PUBLIC,
        )
        assert answer.status_code == 422
        assert "Type this again: the address is another server's now" in said(answer)
        assert stored(gate, PendingSignIn) == []

    def test_a_failure_leaves_what_is_stored_and_shows_the_form(self, gate: World) -> None:
        browser = gate.client()
        row_id = connected(gate, browser)
        before = secrets_of(gate, row_id)
        sent = leave(browser, self.address(row_id), field_client_secret="another-secret-012345")
        answer = come_back(browser, state=sent["state"], code="refused")
        assert answer.status_code == 422
        assert f'action="{self.address(row_id)}?mode=browser"' in answer.text
        assert "Credentials of Gate" in said(answer)
        assert "another-secret" not in answer.text
        assert secrets_of(gate, row_id) == before
        (row,) = stored(gate, Integration)
        assert row.state == "connected"

    def test_a_refusal_at_the_vendor_leads_back_to_the_connection(self, gate: World) -> None:
        browser = gate.client()
        row_id = connected(gate, browser)
        state = leave(browser, self.address(row_id), field_client_secret="")["state"]
        with gate.app.app_context():
            db.session.execute(text("UPDATE rmm_pending_sign_ins SET expires_at = now()"))
            db.session.commit()
        answer = come_back(browser, state=state, code="good")
        assert answer.status_code == 409
        assert f'href="{self.address(row_id)}"' in answer.text

    def test_it_changes_to_the_browser_from_another_sign_in(self, gate: World) -> None:
        browser = gate.client()
        row_id = gate.connect("Gate", provider=KEY)
        sent = leave(browser, f"{self.address(row_id)}?mode=browser")
        assert come_back(browser, state=sent["state"], code="new").status_code == 303
        (row,) = stored(gate, Integration)
        assert row.auth_mode == "browser"
        assert set(secrets_of(gate, row_id)) == {"client_secret", "session"}
