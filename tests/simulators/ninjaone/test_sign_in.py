"""OAuth of the simulated NinjaOne: consent, codes, refresh tokens, client credentials, revoking."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from simulators.ninjaone.oauth import challenge_of

VERIFIER = "v" * 64
SCOPE = "monitoring management control offline_access"


def _url(ninja, path="/ws/oauth/authorize", **wanted):
    parameters = {
        "response_type": "code",
        "client_id": ninja.web_client_id,
        "redirect_uri": ninja.redirect_uri,
        "scope": SCOPE,
        "state": "st&te",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    } | wanted
    return f"{ninja.url}{path}?{urlencode({k: v for k, v in parameters.items() if v is not None})}"


def _query(location):
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def _code(ninja, **wanted):
    return _query(ninja.consent(_url(ninja, **wanted)))["code"]


def _token(ninja, path="/ws/oauth/token", **form):
    credentials = {"client_id": ninja.web_client_id, "client_secret": ninja.web_client_secret}
    return requests.post(ninja.url + path, data=credentials | form, timeout=20)


def _exchange(ninja, code, **form):
    wanted = {"grant_type": "authorization_code", "code": code, "redirect_uri": ninja.redirect_uri}
    return _token(ninja, **(wanted | {"code_verifier": VERIFIER} | form))


def _refresh(ninja, token):
    return _token(ninja, grant_type="refresh_token", refresh_token=token)


def test_a_person_signs_in_and_the_application_gets_its_tokens(ninja):
    location = ninja.consent(_url(ninja))
    assert location.startswith(f"{ninja.redirect_uri}?")
    assert _query(location)["state"] == "st&te"
    answer = _exchange(ninja, _query(location)["code"]).json()
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 3600, SCOPE)
    assert ninja.get("/v2/organizations", answer["access_token"]).status_code == 200
    renewed = _refresh(ninja, answer["refresh_token"]).json()
    assert "refresh_token" not in renewed
    assert ninja.get("/v2/organizations", renewed["access_token"]).status_code == 200
    assert ninja.ask("tokens")["calls"] == {"authorization_code": 1, "refresh_token": 1}


def test_the_page_names_the_application_and_what_it_asks_for(ninja):
    page = requests.get(_url(ninja), timeout=20).text
    assert "E-mail address" in page
    ticket = page.split('name="ticket" value="')[1].split('"')[0]
    form = {"ticket": ticket, "email": ninja.admin, "password": "wrong"}
    assert requests.post(f"{ninja.url}/ws/oauth/login", data=form, timeout=20).status_code == 401
    shown = requests.post(f"{ninja.url}/ws/oauth/login", data=form | {"password": ninja.password}, timeout=20)
    assert "PSA (sign-in) asks for access" in shown.text
    assert "System Administrator" in shown.text
    assert shown.text.count("checkbox") == 4


def test_nobody_signs_in_as_a_disabled_user(ninja):
    ninja.control("users/2", enabled=False)
    with pytest.raises(AssertionError, match="password is wrong"):
        ninja.consent(_url(ninja), user=ninja.technician)


def test_denied_access_goes_back_to_the_application(ninja):
    found = _query(ninja.consent(_url(ninja), allow=False))
    assert (found["error"], found["state"]) == ("access_denied", "st&te")


def test_an_unticked_scope_is_not_granted(ninja):
    ninja.control("settings", declined_scopes=["management"])
    answer = _exchange(ninja, _code(ninja)).json()
    assert answer["scope"] == "monitoring control offline_access"
    ninja.control("settings", declined_scopes=["offline_access"])
    assert "refresh_token" not in _exchange(ninja, _code(ninja)).json()


@pytest.mark.parametrize(
    "wanted, error",
    [
        ({"client_id": "nobody"}, "invalid_client"),
        ({"redirect_uri": "http://127.0.0.1:8000/rmm/oauth/callback/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
    ],
)
def test_what_cannot_be_told_to_the_application_is_told_at_the_vendor(ninja, wanted, error):
    location = ninja.consent(_url(ninja, **wanted))
    assert location.startswith("/ws/oauth/error?")
    assert _query(location)["error"] == error
    page = requests.get(ninja.url + location, timeout=20)
    assert page.status_code == 400
    assert error in page.text


@pytest.mark.parametrize(
    "wanted, error",
    [
        ({"scope": "monitoring everything"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_other_faults_are_told_to_the_application(ninja, wanted, error):
    location = ninja.consent(_url(ninja, **wanted))
    assert location.startswith(f"{ninja.redirect_uri}?")
    assert (_query(location)["error"], _query(location)["state"]) == (error, "st&te")


def test_the_default_scope_is_monitoring(ninja):
    assert _exchange(ninja, _code(ninja, scope=None)).json()["scope"] == "monitoring"


def test_the_code_flow_needs_its_grant(ninja):
    ninja.control(f"applications/{ninja.web_client_id}", grants=["client_credentials"])
    assert _query(ninja.consent(_url(ninja)))["error"] == "unauthorized_client"


def test_a_code_counts_once_and_for_a_minute(ninja):
    code = _code(ninja)
    assert _exchange(ninja, code).status_code == 200
    assert _exchange(ninja, code).json()["error"] == "invalid_grant"
    late = _code(ninja)
    ninja.control("time", shift_seconds=61)
    assert _exchange(ninja, late).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "form, error",
    [
        ({"redirect_uri": "http://127.0.0.1:8000/other"}, "invalid_client"),
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ],
)
def test_an_exchange_is_held_against_the_authorization(ninja, form, error):
    assert _exchange(ninja, _code(ninja), **form).json()["error"] == error


def test_without_a_challenge_none_is_asked_for_unless_it_must_be(ninja):
    plain = {"code_challenge": None, "code_challenge_method": None}
    assert _exchange(ninja, _code(ninja, **plain), code_verifier="").status_code == 200
    ninja.control("settings", pkce_required=True)
    assert _query(ninja.consent(_url(ninja, **plain)))["error"] == "invalid_request"


def test_a_refresh_can_give_the_same_token_or_a_new_one_that_ends_the_old(ninja):
    first = _exchange(ninja, _code(ninja)).json()["refresh_token"]
    ninja.control("settings", refresh_answer="same")
    assert _refresh(ninja, first).json()["refresh_token"] == first
    ninja.control("settings", refresh_answer="rotate")
    second = _refresh(ninja, first).json()["refresh_token"]
    assert second != first
    assert _refresh(ninja, first).json()["error"] == "invalid_grant"
    assert _refresh(ninja, second).status_code == 200


def test_tokens_end(ninja):
    ninja.control("settings", expires_in=120)
    answer = _exchange(ninja, _code(ninja)).json()
    assert answer["expires_in"] == 120
    ninja.control("time", shift_seconds=121)
    gone = ninja.get("/v2/organizations", answer["access_token"])
    assert (gone.status_code, gone.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert ninja.control("tokens/revoke", kind="refresh") == {"ended": 1}
    assert _refresh(ninja, answer["refresh_token"]).json()["error"] == "invalid_grant"


def test_revoking_a_refresh_token_ends_its_access_tokens(ninja):
    answer = _exchange(ninja, _code(ninja)).json()
    form = {"client_id": ninja.web_client_id, "client_secret": ninja.web_client_secret}
    form["token"] = answer["refresh_token"]
    assert requests.post(f"{ninja.url}/ws/oauth/revoke", data=form, timeout=20).status_code == 200
    assert _refresh(ninja, answer["refresh_token"]).status_code == 400
    assert ninja.get("/v2/organizations", answer["access_token"]).status_code == 401
    assert requests.post(f"{ninja.url}/ws/oauth/revoke", data=form | {"token": "unknown"}, timeout=20).ok


def test_client_credentials_by_post_and_basic(ninja):
    form = {"grant_type": "client_credentials", "scope": "monitoring management"}
    posted = _token(ninja, **form, client_id=ninja.client_id, client_secret=ninja.client_secret).json()
    assert posted["scope"] == "monitoring management"
    assert "refresh_token" not in posted
    basic = base64.b64encode(f"{ninja.client_id}:{ninja.client_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    reply = requests.post(f"{ninja.url}/oauth/token", data=form, headers=headers, timeout=20)
    assert reply.json()["token_type"] == "Bearer"
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "form, status, error",
    [
        ({"grant_type": "client_credentials"}, 400, "unauthorized_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token", "client_id": "nobody"}, 401, "invalid_client"),
    ],
)
def test_errors_of_the_token_endpoint(ninja, form, status, error):
    reply = _token(ninja, **form)
    assert (reply.status_code, reply.json()["error"]) == (status, error)


def test_a_scope_beyond_the_application_is_refused(ninja):
    form = {"client_id": ninja.readonly_client_id, "client_secret": ninja.readonly_client_secret}
    reply = _token(ninja, **form, grant_type="client_credentials", scope="monitoring control")
    assert reply.json()["error"] == "invalid_scope"


def test_the_description_names_the_host_it_was_asked_at(ninja):
    headers = {"Host": "msp.rmmservice.example"}
    reply = requests.get(f"{ninja.url}/.well-known/oauth-authorization-server", headers=headers, timeout=20)
    assert reply.json()["token_endpoint"] == "http://msp.rmmservice.example/ws/oauth/token"
    assert reply.json()["code_challenge_methods_supported"] == ["S256"]


def test_neither_tokens_nor_secrets_are_in_the_request_log(ninja):
    answer = _exchange(ninja, _code(ninja)).json()
    ninja.get("/v2/organizations", answer["access_token"])
    log = str(ninja.ask("requests"))
    assert ninja.admin in log
    assert not any(one in log for one in (answer["access_token"], ninja.web_client_secret, VERIFIER))
