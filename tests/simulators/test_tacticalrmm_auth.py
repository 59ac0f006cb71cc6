"""Keys, tokens, roles and the error bodies of the simulated Tactical RMM."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyotp
import pytest

from simulators.tacticalrmm import keys

PROVE = "/beta/v1/client/"
DENIED = {"detail": "You do not have permission to perform this action."}


@pytest.mark.parametrize(
    "key, status, detail",
    [
        (None, 401, "Authentication credentials were not provided."),
        ("NOTAKEY", 401, "Invalid token."),
        (keys.ADMIN_KEY.lower(), 401, "Invalid token."),
        (keys.EXPIRED_KEY, 401, "The token has expired."),
        (keys.INACTIVE_KEY, 401, "User inactive or deleted."),
        (keys.NOPERM_KEY, 403, DENIED["detail"]),
        (keys.NOROLE_KEY, 403, DENIED["detail"]),
    ],
)
def test_bad_keys_get_the_bodies_of_the_real_server(shared, key, status, detail):
    reply = shared.get(PROVE, key)
    assert (reply.status_code, reply.json()) == (status, {"detail": detail})
    assert reply.headers.get("WWW-Authenticate") == ("Token" if status == 401 else None)


@pytest.mark.parametrize("key", [keys.ADMIN_KEY, keys.INTEGRATION_KEY, keys.READONLY_KEY, keys.SCOPED_KEY])
def test_good_keys_list_clients(shared, key):
    assert shared.get(PROVE, key).status_code == 200


def test_keys_are_32_upper_case_characters():
    assert all(len(key) == 32 and key == key.upper() for key in keys.ALL_KEYS.values())


@pytest.mark.parametrize("key", [keys.NOROLE_KEY, keys.NOPERM_KEY])
@pytest.mark.parametrize("path", ["/core/version/", "/core/dashinfo/", "/beta/v1/"])
def test_any_valid_key_may_ask_for_the_version(shared, key, path):
    assert shared.get(path, key).status_code == 200


def test_an_unknown_address_is_html_before_any_key_is_looked_at(shared):
    reply = shared.get("/nope/", None)
    assert reply.status_code == 404
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert shared.get("/agents/shortid/", None).status_code == 404


def test_the_wrong_method_is_a_json_405(shared):
    reply = shared.get("/alerts/")
    assert (reply.status_code, reply.json()) == (405, {"detail": 'Method "GET" not allowed.'})


def test_an_address_without_slash_redirects_relatively(shared):
    reply = shared.get("/agents?detail=false", allow_redirects=False)
    assert (reply.status_code, reply.headers["Location"]) == (301, "/agents/?detail=false")


def test_every_answer_carries_the_date_of_the_server_clock(server):
    server.control("time", shift_seconds=86400 * 400)
    assert server.lab.clock.now().strftime("%b %Y") in server.get("/core/version/").headers["Date"]


def test_the_integration_role_reads_acts_and_does_not_configure(shared):
    agent = shared.agent(status="online", plat="windows")
    for path in (
        "/agents/",
        "/clients/",
        "/clients/sites/",
        "/software/",
        "/scripts/",
        "/core/customfields/",
    ):
        assert shared.get(path, keys.INTEGRATION_KEY).status_code == 200
    assert shared.get("/core/urlaction/", keys.INTEGRATION_KEY).json() == DENIED
    assert shared.get("/alerts/templates/", keys.INTEGRATION_KEY).status_code == 403
    assert shared.call("POST", f"/agents/{agent['agent_id']}/reboot/", keys.READONLY_KEY).status_code == 403


def test_a_scoped_key_is_held_to_its_client_except_by_the_beta_api(shared):
    own = [row for row in shared.agents() if row["client_id"] == 1]
    other = next(row for row in shared.agents() if row["client_id"] != 1)
    assert len(shared.get("/agents/", keys.SCOPED_KEY).json()) == len(own)
    assert [row["id"] for row in shared.get("/clients/", keys.SCOPED_KEY).json()] == [1]
    assert shared.get(f"/agents/{other['agent_id']}/", keys.SCOPED_KEY).status_code == 403
    assert shared.get("/beta/v1/agent/?page_size=1", keys.SCOPED_KEY).json()["count"] == 60
    assert len(shared.get("/beta/v1/client/", keys.SCOPED_KEY).json()) == 12


def _post(server: Any, path: str, **body: Any) -> Any:
    return server.call("POST", path, None, json=body)


def test_password_login_without_totp_is_one_step(server):
    reply = _post(server, "/v2/checkcreds/", username=keys.PASSWORD_USER, password=keys.PASSWORD)
    assert reply.json()["totp"] is False
    assert set(reply.cookies.keys()) == {"csrftoken", "sessionid"}
    token = {"Authorization": f"Token {reply.json()['token']}"}
    assert server.get("/agents/?detail=false", None, headers=token).status_code == 200
    assert server.call("POST", "/logout/", None, headers=token).status_code == 204
    assert server.get("/core/version/", None, headers=token).json() == {"detail": "Invalid token."}


def test_an_unused_first_step_token_dies_after_180_seconds(server):
    token = _post(server, "/v2/checkcreds/", username=keys.PASSWORD_USER, password=keys.PASSWORD).json()[
        "token"
    ]
    server.control("time", shift_seconds=181)
    assert server.get("/core/version/", None, headers={"Authorization": f"Token {token}"}).status_code == 401


def test_first_use_extends_the_token_to_five_hours(server):
    token = _post(server, "/v2/checkcreds/", username=keys.PASSWORD_USER, password=keys.PASSWORD).json()[
        "token"
    ]
    headers = {"Authorization": f"Token {token}"}
    assert server.get("/core/version/", None, headers=headers).status_code == 200
    server.control("time", shift_seconds=4 * 3600)
    assert server.get("/core/version/", None, headers=headers).status_code == 200


def test_bearer_is_ignored(shared):
    reply = shared.get("/core/version/", None, headers={"Authorization": "Bearer abc"})
    assert reply.json()["detail"] == "Authentication credentials were not provided."


def test_totp_login_accepts_codes_of_the_last_five_minutes(server):
    assert _post(server, "/v2/checkcreds/", username=keys.TOTP_USER, password=keys.PASSWORD).json() == {
        "totp": True
    }
    now = server.lab.clock.now()
    totp = pyotp.TOTP(keys.TOTP_SECRET)

    def login(code: Any) -> Any:
        return _post(server, "/v2/login/", username=keys.TOTP_USER, password=keys.PASSWORD, twofactor=code)

    code = totp.at(now)
    assert login(code).json()["username"] == keys.TOTP_USER
    assert login(int(code)).status_code in ((200,) if not code.startswith("0") else (200, 400))
    assert login(totp.at(now - timedelta(seconds=270))).status_code == 200
    wrong = login(totp.at(now - timedelta(seconds=900)))
    assert (wrong.status_code, wrong.json()) == (400, "Bad credentials")


@pytest.mark.parametrize(
    "path, body, status, answer",
    [
        ("checkcreds", {"username": "ghost", "password": "x"}, 400, "Bad credentials"),
        ("checkcreds", {"username": keys.PASSWORD_USER}, 400, "Bad credentials"),
        ("checkcreds", {"username": keys.BLOCKED_USER, "password": keys.PASSWORD}, 400, "Bad credentials"),
        ("checkcreds", {"username": keys.INACTIVE_USER, "password": keys.PASSWORD}, 400, "Bad credentials"),
        ("checkcreds", {"username": keys.SSO_USER, "password": keys.PASSWORD}, 400, "Bad credentials"),
        ("checkcreds", {"password": "x"}, 500, None),
        ("login", {"username": keys.TOTP_USER, "password": keys.PASSWORD}, 500, None),
        ("login", {"username": keys.PASSWORD_USER, "password": keys.PASSWORD, "twofactor": "0"}, 500, None),
        (
            "login",
            {"username": keys.TOTP_USER, "password": "bad", "twofactor": "1"},
            400,
            {"non_field_errors": ["Unable to log in with provided credentials."]},
        ),
    ],
)
def test_failing_logins(server, path, body, status, answer):
    reply = server.call("POST", f"/v2/{path}/", None, json=body)
    assert reply.status_code == status
    if answer is None:
        assert reply.headers["Content-Type"].startswith("text/html")
    else:
        assert reply.json() == answer


def test_without_local_log_ins_only_superusers_use_a_password(server):
    server.control("local-logon", blocked=True)
    for user, status in ((keys.TOTP_USER, 400), (keys.PASSWORD_USER, 200)):
        assert _post(server, "/v2/checkcreds/", username=user, password=keys.PASSWORD).status_code == status
    code = pyotp.TOTP(keys.TOTP_SECRET).at(server.lab.clock.now())
    reply = _post(server, "/v2/login/", username=keys.TOTP_USER, password=keys.PASSWORD, twofactor=code)
    assert (reply.status_code, reply.json()) == (400, "Bad credentials")
    server.control("local-logon", blocked=False)
    assert _post(server, "/v2/checkcreds/", username=keys.TOTP_USER, password=keys.PASSWORD).json()["totp"]


def test_the_control_page_shows_who_can_sign_in_and_ends_sessions(server):
    token = _post(server, "/v2/checkcreds/", username=keys.PASSWORD_USER, password=keys.PASSWORD).json()
    users = {user["name"]: user for user in server.ask("users")}
    assert users[keys.PASSWORD_USER]["sessions"] == 1
    assert users[keys.TOTP_USER]["totp_seed"] == keys.TOTP_SECRET
    page = server.get("/_control/", None).text
    assert keys.TOTP_SECRET in page
    assert keys.SSO_USER in page
    assert server.control("sessions/end", user=keys.TOTP_USER) == {"ended": 0}
    assert server.control("sessions/end") == {"ended": 1}
    signed = {"Authorization": f"Token {token['token']}"}
    assert server.get("/core/version/", None, headers=signed).status_code == 401


def test_the_eleventh_login_of_a_minute_is_throttled_but_keys_never_are(server):
    for _ in range(10):
        _post(server, "/v2/checkcreds/", username="x", password="y")
    reply = _post(server, "/v2/checkcreds/", username="x", password="y")
    seconds = reply.headers["Retry-After"]
    assert reply.status_code == 429
    assert reply.json() == {"detail": f"Request was throttled. Expected available in {seconds} seconds."}
    assert server.get("/core/version/").status_code == 200
    server.control("time", shift_seconds=61)
    assert _post(server, "/v2/checkcreds/", username="x", password="y").status_code == 400
