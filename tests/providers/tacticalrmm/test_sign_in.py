"""Signing in by user and password: the two steps, their refusals in words, codes and seeds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import msgspec
import pyotp
import pytest
import responses

from rmm_extension.domain.errors import (
    AuthFailed,
    BadResponse,
    ConfigError,
    InvalidRequest,
    NotFound,
    RateLimited,
    Unavailable,
)
from rmm_extension.domain.sessions import MemorySessions, SessionToken
from rmm_extension.domain.types import Check, Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.tacticalrmm import TacticalRmm
from rmm_extension.providers.tacticalrmm.access import BadSeed, parse_code, parse_seed
from rmm_extension.providers.tacticalrmm.session import FIRST, SECOND, CodeNeeded, CodeRefused, SeedRefused
from simulators.tacticalrmm import keys
from tests.providers.conftest import Simulator
from tests.providers.tacticalrmm.test_recordings import load, replay

BASE = "https://93.184.216.34"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = datetime(2026, 11, 21, 14, 3, 30, tzinfo=UTC)
NO_TOTP = {"expiry": "2026-11-21T14:06:30.429585Z", "token": "a" * 64, "totp": False}
SIGNED_IN = {"expiry": "2026-11-21T19:03:30Z", "token": "b" * 64, "username": "ann", "name": None}
BAD = "Bad credentials"
HTML = "<!doctype html><title>Server Error (500)</title>"


def signing_in(url: str = BASE, user: str = "ann", seed: str = "", code: str = "", **more: Any) -> Connection:
    secrets = {"password": more.pop("password", " Pass word 1 "), "totp_seed": seed}
    return Connection(
        tenant_id="t",
        integration_id="1",
        provider="tacticalrmm",
        instance_url=url,
        auth_mode="password",
        secrets={name: value for name, value in secrets.items() if value},
        settings={"username": user},
        once={"code": code} if code else {},
        **more,
    )


@pytest.fixture
def plain() -> TacticalRmm:
    """The provider as it runs in production: no private networks."""
    return TacticalRmm(Runtime(base_urls={}))


def says(path: str, body: Any, status: int = 200, *, method: str | None = None, **headers: str) -> None:
    """Answer this address so; the server's clock shows NOW."""
    kind = "text/html" if isinstance(body, str) and body.startswith("<") else "application/json"
    text = body if kind == "text/html" else json.dumps(body)
    headers = {"Date": format_datetime(NOW, usegmt=True), **headers}
    method = method or ("POST" if path in (FIRST, SECOND) else "GET")
    responses.add(method, BASE + path, body=text, status=status, content_type=kind, headers=headers)


def sent() -> list[tuple[str, Any]]:
    """Path and body of what was sent to the log-in."""
    calls = [call.request for call in responses.calls]
    return [(str(one.path_url), json.loads(one.body or b"null")) for one in calls if one.method == "POST"]


@responses.activate
def test_a_user_without_two_step_log_in_has_a_token_at_once(plain: TacticalRmm) -> None:
    says(FIRST, NO_TOTP)
    says("/clients/", [])
    assert plain.organizations(signing_in()) == []
    assert sent() == [(FIRST, {"username": "ann", "password": " Pass word 1 "})]
    read = responses.calls[-1].request
    assert read.headers["Authorization"] == f"Token {'a' * 64}"
    assert "Cookie" not in read.headers


@responses.activate
def test_the_log_in_itself_carries_no_token(plain: TacticalRmm) -> None:
    responses.add("GET", f"{BASE}/clients/", json={"detail": "Invalid token."}, status=401)
    responses.add("GET", f"{BASE}/clients/", json=[])
    says(FIRST, NO_TOTP)
    sessions = MemorySessions(SessionToken(value="stale"))
    plain.organizations(signing_in(sessions=sessions))
    (login,) = [call.request for call in responses.calls if call.request.method == "POST"]
    assert "Authorization" not in login.headers
    current = sessions.current()
    assert current is not None
    assert current.value == "a" * 64
    assert current.expires_at == NOW + timedelta(hours=5)


@pytest.mark.parametrize(
    "seed, code", [("", "123456"), (SEED, ""), (SEED, " 123 456 "), (f" {SEED[:8]} {SEED[8:].lower()} ", "")]
)
@responses.activate
def test_a_code_is_the_typed_one_or_made_for_the_servers_clock(
    plain: TacticalRmm, seed: str, code: str
) -> None:
    says(FIRST, {"totp": True})
    says(SECOND, SIGNED_IN)
    says("/clients/", [])
    plain.organizations(signing_in(seed=seed, code=code))
    expected = "123456" if code else pyotp.TOTP(SEED).at(NOW)
    who = {"username": "ann", "password": " Pass word 1 "}
    assert sent() == [(FIRST, who), (SECOND, {**who, "twofactor": expected})]


@responses.activate
def test_without_code_and_seed_the_second_step_is_not_tried(plain: TacticalRmm) -> None:
    says(FIRST, {"totp": True})
    with pytest.raises(CodeNeeded, match=r"two-step log-in.*or store its TOTP seed"):
        plain.organizations(signing_in())
    assert [path for path, _ in sent()] == [FIRST]


@pytest.mark.parametrize(
    "path, status, body, kind, words",
    [
        (FIRST, 400, BAD, AuthFailed, "refuses this user name and password.*inactive.*SSO.*switched off"),
        (FIRST, 500, HTML, Unavailable, "failed inside"),
        (FIRST, 400, "<html>Bad Request (400)", InvalidRequest, "ALLOWED_HOSTS"),
        (FIRST, 404, "<html>Not Found", NotFound, "no Tactical RMM API at this address"),
        (FIRST, 502, "<html>Bad Gateway", Unavailable, "temporarily unavailable"),
        (FIRST, 200, "<html>dashboard", BadResponse, "web page"),
        (FIRST, 200, {"totp": False}, BadResponse, "unexpected shape"),
        (FIRST, 200, {"totp": False, "token": "\u00e4\n"}, BadResponse, "unexpected shape"),
        (FIRST, 200, ["totp"], BadResponse, "unexpected shape"),
        (SECOND, 400, BAD, CodeRefused, "refuses the code. Type the one"),
        (
            SECOND,
            400,
            {"non_field_errors": ["Unable to log in with provided credentials."]},
            AuthFailed,
            "refuses this user name and password",
        ),
        (SECOND, 500, HTML, Unavailable, "TOTP key of the user was removed"),
        (SECOND, 200, {"expiry": "x"}, BadResponse, "unexpected shape"),
    ],
)
@responses.activate
def test_refusals_in_words(
    plain: TacticalRmm, path: str, status: int, body: Any, kind: type[Exception], words: str
) -> None:
    if path == SECOND:
        says(FIRST, {"totp": True})
    says(path, body, status)
    with pytest.raises(kind, match=words) as caught:
        plain.organizations(signing_in(code="123456"))
    assert "Pass word 1" not in repr(vars(caught.value))
    assert [at for at, _ in sent()].count(path) == 1, "never more attempts than one"


@responses.activate
def test_a_code_made_from_a_wrong_seed_is_told_apart(plain: TacticalRmm) -> None:
    says(FIRST, {"totp": True})
    says(SECOND, BAD, 400)
    with pytest.raises(SeedRefused, match="not this user's seed"):
        plain.organizations(signing_in(seed=SEED))


@pytest.mark.parametrize("path", [FIRST, SECOND])
@responses.activate
def test_throttled_tells_until_when(plain: TacticalRmm, path: str) -> None:
    says(FIRST, {"totp": True})
    if path == FIRST:
        responses.remove("POST", BASE + FIRST)
    says(path, {"detail": "Request was throttled."}, 429, **{"Retry-After": "57"})
    with pytest.raises(RateLimited, match=r"until 14:05 UTC\. It takes ten a minute") as caught:
        plain.organizations(signing_in(code="123456"))
    assert caught.value.retry_after == 57


@pytest.mark.parametrize(
    "detail, words, logins",
    [
        ("Invalid token.", "only just given", 1),
        ("The token has expired.", "check its clock", 1),
        ("User inactive or deleted.", "inactive or deleted", 0),
        ("Authentication credentials were not provided.", "remove the header Authorization", 0),
    ],
)
@responses.activate
def test_a_refused_session_in_the_words_of_a_session(
    plain: TacticalRmm, detail: str, words: str, logins: int
) -> None:
    says(FIRST, NO_TOTP)
    says("/clients/", {"detail": detail}, 401)
    with pytest.raises(AuthFailed, match=words) as caught:
        plain.organizations(signing_in(sessions=MemorySessions(SessionToken(value="kept"))))
    assert "key" not in str(caught.value)
    assert len(sent()) == logins, "a new session is asked for only where it helps"


@responses.activate
def test_a_missing_right_is_the_users(plain: TacticalRmm) -> None:
    says(FIRST, NO_TOTP)
    says("/clients/", {"detail": "You do not have permission to perform this action."}, 403)
    with pytest.raises(
        Exception, match=r"^The user has no role, or its role lacks the switch can_list_clients"
    ):
        plain.organizations(signing_in())


@pytest.mark.parametrize(
    "text",
    [
        SEED,
        f"  {SEED.lower()}\n",
        " ".join(SEED[at : at + 4] for at in range(0, 32, 4)),
        "-".join(SEED[at : at + 4] for at in range(0, 32, 4)),
        f"otpauth://totp/Tactical%20RMM:ann?secret={SEED}&issuer=Tactical%20RMM",
        f" OTPAUTH://totp/ann?secret={SEED}".replace("OTPAUTH", "otpauth"),
    ],
)
def test_a_seed_in_any_of_its_forms(text: str) -> None:
    assert parse_seed(text).at(NOW) == pyotp.TOTP(SEED).at(NOW)


@pytest.mark.parametrize(
    "text",
    [
        "123456",
        "JBSW",
        "not base32!",
        "0189" * 8,
        f"otpauth://hotp/ann?secret={SEED}",
        "otpauth://totp/ann",
        "ä" * 32,
    ],
)
def test_what_is_no_seed(text: str) -> None:
    with pytest.raises(BadSeed, match="no TOTP seed"):
        parse_seed(text)


@pytest.mark.parametrize("text", ["12345", "1234567", "12345a", "١٢٣٤٥٦"])
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(ConfigError, match="six digits"):
        parse_code(text)


@pytest.mark.parametrize(
    "change", [{"user": " "}, {"password": ""}, {"url": ""}, {"seed": "123456"}, {"code": "12"}]
)
def test_what_is_missing_is_said_before_anybody_is_asked(plain: TacticalRmm, change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"\.$"):
        plain.organizations(signing_in(**change))


# --- the connection test, against the simulated server ------------------------------------------------


def first_check(tactical: TacticalRmm, simulator: Simulator, **given: Any) -> Check:
    connection = signing_in(simulator.url, **{"password": keys.PASSWORD, **given})
    found = list(tactical.check(connection))
    assert found[0].name == "Server and sign-in"
    assert all(secret not in repr(found) for secret in (keys.PASSWORD, keys.TOTP_SECRET))
    return found[0]


@pytest.mark.parametrize(
    "given, state, field, words",
    [
        ({"user": keys.PASSWORD_USER}, "ok", None, "sign-in is valid"),
        ({"user": keys.TOTP_USER, "seed": keys.TOTP_SECRET}, "ok", None, "sign-in is valid"),
        ({"user": keys.TOTP_USER}, "failed", "code", "two-step log-in"),
        ({"user": keys.TOTP_USER, "code": "000000"}, "failed", "code", "refuses the code"),
        ({"user": keys.TOTP_USER, "seed": "A" * 32}, "failed", "totp_seed", "stored TOTP seed"),
        ({"user": keys.TOTP_USER, "seed": "123456"}, "failed", "totp_seed", "no TOTP seed"),
        ({"user": keys.TOTP_USER, "code": "1"}, "failed", "code", "six digits"),
        ({"user": keys.BLOCKED_USER}, "failed", "password", "dashboard log-in is blocked"),
        ({"user": keys.INACTIVE_USER}, "failed", "password", "inactive"),
        ({"user": keys.SSO_USER}, "failed", "password", "SSO"),
        ({"user": "ghost"}, "failed", "password", "refuses this user name"),
    ],
)
def test_the_check_of_each_kind_of_user(
    simulator: Simulator,
    tactical: TacticalRmm,
    given: dict[str, str],
    state: str,
    field: str | None,
    words: str,
) -> None:
    check = first_check(tactical, simulator, **given)
    assert (check.state, check.field) == (state, field)
    assert words in check.message


def test_a_code_typed_now_is_good(simulator: Simulator, tactical: TacticalRmm) -> None:
    code = pyotp.TOTP(keys.TOTP_SECRET).at(simulator.lab.clock.now())
    assert first_check(tactical, simulator, user=keys.TOTP_USER, code=code).state == "ok"


def test_a_seed_is_good_whatever_our_own_clock_says(simulator: Simulator, tactical: TacticalRmm) -> None:
    simulator.lab.clock.shift(7200)
    assert first_check(tactical, simulator, user=keys.TOTP_USER, seed=keys.TOTP_SECRET).state == "ok"


def test_where_local_log_ins_are_off(simulator: Simulator, tactical: TacticalRmm) -> None:
    simulator.lab.block_local_user_logon = True
    assert first_check(tactical, simulator, user=keys.TOTP_USER).field == "password"
    assert first_check(tactical, simulator, user=keys.PASSWORD_USER).state == "ok"


def test_a_whole_test_signs_in_once(simulator: Simulator, tactical: TacticalRmm) -> None:
    first_check(tactical, simulator, user=keys.TOTP_USER, seed=keys.TOTP_SECRET)
    logins = [line for line in simulator.paths() if "/v2/" in line]
    assert logins == [f"POST {FIRST}?", f"POST {SECOND}?"]


def test_a_session_is_good_for_many_hours_of_use_and_renewed_after_a_rest(
    simulator: Simulator, tactical: TacticalRmm
) -> None:
    connection = signing_in(
        simulator.url, keys.PASSWORD_USER, password=keys.PASSWORD, sessions=MemorySessions()
    )
    for hours in (0, 4, 4, 4, 6):
        simulator.lab.clock.shift(hours * 3600)
        assert tactical.organizations(connection)
    assert [line for line in simulator.paths() if "/v2/" in line] == [f"POST {FIRST}?"] * 2


# --- recorded answers of a real server ----------------------------------------------------------------


@pytest.mark.parametrize(
    "name, kind, words",
    [
        ("auth_checkcreds_wrong_password", AuthFailed, "refuses this user name and password"),
        ("auth_checkcreds_unknown_user", AuthFailed, "refuses this user name and password"),
        ("auth_checkcreds_inactive_user", AuthFailed, "inactive"),
        ("auth_checkcreds_blocked_dashboard_user", AuthFailed, "dashboard log-in is blocked"),
        ("auth_checkcreds_missing_password", AuthFailed, "refuses this user name and password"),
        ("auth_checkcreds_missing_username_500", Unavailable, "failed inside"),
        ("auth_checkcreds_throttled_429", RateLimited, "takes no log-ins from here until"),
        ("auth_checkcreds_ok_totp_required", CodeNeeded, "two-step log-in"),
    ],
)
@responses.activate
def test_recorded_refusals_of_the_first_step(
    recordings: Path, plain: TacticalRmm, name: str, kind: type[Exception], words: str
) -> None:
    replay(recordings, name, "POST", FIRST)
    with pytest.raises(kind, match=words):
        plain.organizations(signing_in())


@pytest.mark.parametrize(
    "name, kind, words",
    [
        ("auth_login_wrong_totp", CodeRefused, "refuses the code"),
        ("auth_login_wrong_password", AuthFailed, "refuses this user name and password"),
        ("auth_login_user_without_totp_key", Unavailable, "TOTP key of the user was removed"),
        ("auth_login_missing_twofactor_500", Unavailable, "second step"),
    ],
)
@responses.activate
def test_recorded_refusals_of_the_second_step(
    recordings: Path, plain: TacticalRmm, name: str, kind: type[Exception], words: str
) -> None:
    replay(recordings, "auth_checkcreds_ok_totp_required", "POST", FIRST)
    replay(recordings, name, "POST", SECOND)
    with pytest.raises(kind, match=words):
        plain.organizations(signing_in(code="995122"))


@pytest.mark.parametrize(
    "first, second",
    [
        ("auth_checkcreds_ok_no_totp", None),
        ("auth_checkcreds_ok_totp_required", "auth_login_ok_totp"),
        ("auth_checkcreds_ok_totp_required", "auth_login_code_reuse"),
        ("auth_checkcreds_ok_totp_required", "auth_login_code_4m50s_old"),
        ("auth_checkcreds_ok_totp_required", "auth_login_int_twofactor"),
    ],
)
@responses.activate
def test_recorded_sign_ins(recordings: Path, plain: TacticalRmm, first: str, second: str | None) -> None:
    replay(recordings, first, "POST", FIRST)
    if second:
        replay(recordings, second, "POST", SECOND)
    responses.add("GET", f"{BASE}/clients/", json=[])
    assert plain.organizations(signing_in(code="871665")) == []
    token = load(recordings, second or first)["response"]["json"]["token"]
    assert responses.calls[-1].request.headers["Authorization"] == f"Token {token}"


@pytest.mark.parametrize("name", ["auth_token_invalid", "auth_token_expired", "auth_token_after_logout"])
@responses.activate
def test_recorded_ends_of_a_session_are_renewed(recordings: Path, plain: TacticalRmm, name: str) -> None:
    replay(recordings, name, "GET", "/clients/")
    replay(recordings, "auth_checkcreds_ok_no_totp", "POST", FIRST)
    responses.add("GET", f"{BASE}/clients/", json=[])
    assert plain.organizations(signing_in(sessions=MemorySessions(SessionToken(value="deadbeef")))) == []


def leaving(token: str = "a" * 64) -> Connection:
    """A connection that is left: its session, and no password."""
    return signing_in(password="", sessions=MemorySessions(SessionToken(value=token)))


@responses.activate
def test_a_session_is_ended_with_its_token_alone(plain: TacticalRmm) -> None:
    responses.add("POST", f"{BASE}/logout/", status=204)
    plain.end_session(leaving())
    (call,) = responses.calls
    assert call.request.headers["Authorization"] == f"Token {'a' * 64}"
    assert not call.request.body


@pytest.mark.parametrize(
    "status, body, expected",
    [
        (401, {"detail": "Invalid token."}, AuthFailed),
        (401, {"detail": "User inactive or deleted."}, AuthFailed),
        (200, HTML, BadResponse),
        (200, "ok", BadResponse),
        (404, HTML, NotFound),
        (500, HTML, Unavailable),
    ],
)
@responses.activate
def test_a_session_that_was_not_ended(
    plain: TacticalRmm, status: int, body: Any, expected: type[Exception]
) -> None:
    says("/logout/", body, status, method="POST")
    with pytest.raises(expected):
        plain.end_session(leaving())
    assert len(responses.calls) == 1, "nobody signs in for it, and it is not repeated here"


def test_without_a_session_nobody_is_asked(plain: TacticalRmm) -> None:
    with pytest.raises(ConfigError, match="no session to end"):
        plain.end_session(signing_in())


@responses.activate
def test_a_recorded_log_out(recordings: Path, plain: TacticalRmm) -> None:
    answer = load(recordings, "auth_logout")["response"]
    responses.add("POST", f"{BASE}/logout/", status=answer["status"], body=answer["text"])
    plain.end_session(leaving())


def test_a_session_that_was_ended_is_taken_no_more(simulator: Simulator, tactical: TacticalRmm) -> None:
    connection = signing_in(simulator.url, keys.PASSWORD_USER, password=keys.PASSWORD)
    sessions = MemorySessions()
    connection = msgspec.structs.replace(connection, sessions=sessions)
    tactical.organizations(connection)
    token = sessions.current()
    assert token is not None
    tactical.end_session(connection)
    with pytest.raises(AuthFailed):
        tactical.end_session(connection)
    assert sessions.current() == token
