"""Sending a person to a vendor's sign-in and knowing them again: once, in time, the same one."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec import structs

from rmm_extension.domain.errors import ConfigError, RMMError, Unavailable
from rmm_extension.domain.sessions import MemorySessions, SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.host import Actor
from rmm_extension.services import authorization, credentials
from rmm_extension.services.authorization import SignInLost, Typed
from rmm_extension.services.schedule import TICK_HOOKS
from tests.harness.world import World

BACK = "https://psa.example.com/rmm/oauth/callback"
SECRET = "SECRET-of-the-application"
NONCE = "what-only-this-browser-holds"


def typed(world: World, **values: str) -> Connection:
    provider = world.rmm.providers.get("ninjaone")
    given = {"instance_url": "https://93.184.216.34", "client_id": "the-client", "client_secret": SECRET}
    return credentials.typed(provider, credentials.auth_mode(provider, "oauth"), given | values)


def begin(world: World, actor: Actor | None = None, nonce: str = NONCE, **more: Any) -> dict[str, str]:
    """Begin, and give the query of the address that the person is sent to."""
    provider = world.rmm.providers.get("ninjaone")
    with world.unit() as session:
        url = authorization.begin(
            world.rmm,
            session,
            actor or world.admin,
            provider,
            typed(world),
            redirect_uri=BACK,
            browser_nonce=nonce,
            **more,
        )
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def take(world: World, state: str, actor: Actor | None = None, nonce: str = NONCE) -> Typed:
    with world.app.app_context():
        return authorization.take(world.rmm, actor or world.admin, state, nonce)


def rows(world: World) -> int:
    return int(world.one("SELECT count(*) FROM rmm_pending_sign_ins"))


def test_what_was_typed_comes_back_once(world: World) -> None:
    sent = begin(world, extras={"name": "Ninja", "catch_all": "1"}, integration_id=world.integration_id)
    found = take(world, sent["state"])
    assert found.integration_id == world.integration_id
    assert found.extras == {"name": "Ninja", "catch_all": "1"}
    given = found.connection(world.tenant, "the-code")
    assert given.secrets == {"client_secret": SECRET}
    assert given.settings == {"client_id": "the-client", "access": "all"}
    assert given.instance_url == "https://93.184.216.34"
    assert given.auth_mode == "oauth"
    assert given.once == {"code": "the-code", "redirect_uri": BACK, "code_verifier": found.code_verifier}
    assert given.sessions is not None
    assert given.sessions.current() is None
    with pytest.raises(SignInLost, match="finished already"):
        take(world, sent["state"])


def test_the_vendor_sees_the_challenge_of_the_verifier(world: World) -> None:
    sent = begin(world)
    verifier = take(world, sent["state"]).code_verifier
    assert 43 <= len(verifier) <= 128
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    assert (sent["code_challenge"], sent["code_challenge_method"]) == (digest, "S256")
    assert sent["redirect_uri"] == BACK


def test_states_and_verifiers_are_never_the_same(world: World) -> None:
    first, second = begin(world), begin(world)
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]
    tenant, _, random = first["state"].rpartition(".")
    assert tenant == world.tenant
    assert len(random) >= 43, "256 bits"
    assert take(world, first["state"]).redirect_uri == take(world, second["state"]).redirect_uri == BACK


def test_the_row_holds_nothing_in_clear(world: World) -> None:
    sent = begin(world, extras={"name": "Of nobody's business"})
    (row,) = world.rows("SELECT * FROM rmm_pending_sign_ins")
    held = repr(row) + "".join(
        bytes(value).decode("latin-1") for value in row.values() if isinstance(value, (bytes, memoryview))
    )
    for text in (SECRET, sent["state"].rpartition(".")[2], NONCE, "the-client", "Of nobody's business"):
        assert text not in held
    assert "SECRET" not in repr(take(world, sent["state"]))


def test_a_ciphertext_opens_in_its_own_row_only(world: World) -> None:
    first, second = begin(world), begin(world)
    world.do(
        "UPDATE rmm_pending_sign_ins a SET ciphertext = b.ciphertext FROM rmm_pending_sign_ins b"
        " WHERE a.id <> b.id"
    )
    for sent in (first, second):
        with pytest.raises(ConfigError):
            take(world, sent["state"])


@pytest.mark.parametrize("state", ["", "nothing", "x.y", ".", "ü.\ud800", "a" * 5000])
def test_what_is_no_state_of_ours_is_refused_in_words(world: World, state: str) -> None:
    begin(world)
    for given in (state, f"{world.tenant}.{state}", f"{world.tenant}."):
        with pytest.raises(SignInLost, match=r"[Bb]egin .*\.$"):
            take(world, given)
    assert rows(world) == 1


def test_somebody_elses_sign_in_is_refused_and_used_up(world: World) -> None:
    sent = begin(world)
    other = Actor(id="other", name="Otto Other", tenant_id=world.tenant)
    with pytest.raises(SignInLost, match="somebody else") as caught:
        take(world, sent["state"], other)
    assert caught.value.provider is None, "nobody is told what others do"
    assert rows(world) == 0


def test_another_tenants_sign_in_is_not_even_looked_for(world: World) -> None:
    sent = begin(world)
    stranger = Actor(id=world.admin.id, name="Ada Admin", tenant_id="another")
    with pytest.raises(SignInLost, match="somebody else"):
        take(world, sent["state"], stranger)
    assert rows(world) == 1
    with pytest.raises(SignInLost):
        take(world, "another." + sent["state"].rpartition(".")[2], stranger)
    assert rows(world) == 1


@pytest.mark.parametrize("nonce", ["", "another", NONCE + "x"])
def test_another_browser_is_refused_and_uses_it_up(world: World, nonce: str) -> None:
    sent = begin(world, integration_id=world.integration_id)
    with pytest.raises(SignInLost, match="another browser") as caught:
        take(world, sent["state"], nonce=nonce)
    assert (caught.value.provider, caught.value.integration_id) == ("ninjaone", world.integration_id)
    with pytest.raises(SignInLost, match="not known"):
        take(world, sent["state"])


def test_a_browser_without_a_proof_sends_nobody_away(world: World) -> None:
    with pytest.raises(ConfigError):
        begin(world, nonce="")


def test_ten_minutes_are_enough_and_more_is_too_long(world: World) -> None:
    late, in_time = begin(world), begin(world)
    age = "UPDATE rmm_pending_sign_ins SET expires_at = expires_at - interval '{}' WHERE state_hash = :hash"
    world.do(age.format("10 minutes 1 second"), hash=hashlib.sha256(late["state"].encode()).digest())
    world.do(age.format("9 minutes"), hash=hashlib.sha256(in_time["state"].encode()).digest())
    with pytest.raises(SignInLost, match="more than ten minutes ago"):
        take(world, late["state"])
    assert take(world, in_time["state"]).provider == "ninjaone"


def test_the_tick_forgets_those_who_did_not_come_back(world: World) -> None:
    begin(world), begin(world)
    world.do(
        "UPDATE rmm_pending_sign_ins SET expires_at = now() - interval '1 s' WHERE id IN"
        " (SELECT id FROM rmm_pending_sign_ins LIMIT 1)"
    )
    with world.app.app_context():
        assert authorization.forget_expired(world.rmm) == 1
        assert authorization.forget_expired(world.rmm) == 0
    assert rows(world) == 1
    assert "rmm_extension.services.authorization:forget_expired" in TICK_HOOKS


def test_of_many_who_come_back_with_one_state_one_gets_on(world: World) -> None:
    sent, number = begin(world), 6
    barrier = Barrier(number)

    def work(_: int) -> str:
        with world.app.app_context():
            barrier.wait()
            try:
                return authorization.take(world.rmm, world.admin, sent["state"], NONCE).provider
            except SignInLost:
                return "lost"

    with ThreadPoolExecutor(number) as pool:
        answers = list(pool.map(work, range(number)))
    assert sorted(answers) == ["lost"] * (number - 1) + ["ninjaone"]


def test_what_the_vendor_cannot_be_asked_with_leaves_nothing_behind(world: World) -> None:
    provider = world.rmm.providers.get("ninjaone")
    bad = structs.replace(typed(world), settings={"client_id": "with a blank"})
    with pytest.raises(ConfigError), world.unit() as session:
        authorization.begin(
            world.rmm, session, world.admin, provider, bad, redirect_uri=BACK, browser_nonce=NONCE
        )
    assert rows(world) == 0


def test_a_vendor_without_a_sign_in_in_the_browser_is_said(world: World) -> None:
    provider = world.rmm.providers.get("tacticalrmm")
    with pytest.raises(ConfigError, match="no sign-in in the browser"), world.unit() as session:
        authorization.begin(
            world.rmm, session, world.admin, provider, typed(world), redirect_uri=BACK, browser_nonce=NONCE
        )


class Ending:
    """A provider that remembers what it was asked to end."""

    def __init__(self, error: RMMError | None = None) -> None:
        self.ended: list[str] = []
        self._error = error

    def end_session(self, connection: Connection) -> None:
        assert connection.sessions is not None
        token = connection.sessions.current()
        assert token is not None
        self.ended.append(token.value)
        if self._error:
            raise self._error


@pytest.mark.parametrize("error", [None, Unavailable("Away.")])
def test_a_sign_in_that_is_not_kept_is_ended_as_far_as_that_goes(
    world: World, error: RMMError | None
) -> None:
    provider: Any = Ending(error)
    given = structs.replace(typed(world), sessions=MemorySessions(SessionToken(value="new")))
    authorization.abandon(provider, given)
    assert provider.ended == ["new"]
    authorization.abandon(provider, structs.replace(given, sessions=MemorySessions()))
    assert provider.ended == ["new"]
