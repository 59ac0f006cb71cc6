"""One failing token for each thing that is checked, and a genuine one for each thing that may differ."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.messaging import KeyUnknown
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.teams import Teams
from simulators.teams.signing import ALL_FORGERIES, private_key
from tests.harness.teams import SimulatedTeams
from tests.harness.teams import teams as teams
from tests.providers.conftest import LOOPBACK
from tests.providers.teams.accounts import APP_ID, DIRECTORY, SERVICE, connection
from tests.providers.teams.signed import KEY, Message, activity

PUBLIC = private_key(1).public_key()
PEM = PUBLIC.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
STRANGER = rsa.generate_private_key(65537, 2048)
FALSE: dict[str, tuple[Message, str]] = {
    "expired": (Message(claims={"exp": timedelta(seconds=-400)}), "expired"),
    "not yet": (Message(claims={"nbf": timedelta(seconds=400)}), "not_yet"),
    "issued later": (Message(claims={"iat": timedelta(seconds=400)}), "not_yet"),
    "no expiry": (Message(claims={"exp": None}), "claim_missing"),
    "no issuer": (Message(claims={"iss": None}), "claim_missing"),
    "no audience": (Message(claims={"aud": None}), "claim_missing"),
    "expiry of no time": (Message(claims={"exp": "soon"}), "bad_token"),
    "another issuer": (Message(claims={"iss": "https://sts.windows.net/"}), "wrong_issuer"),
    "another bot": (Message(claims={"aud": "another"}), "wrong_audience"),
    "also another bot": (Message(claims={"aud": [APP_ID, "another"]}), "wrong_audience"),
    "another service": (Message(claims={"serviceurl": f"{SERVICE}x"}), "wrong_service"),
    "no service": (Message(claims={"serviceurl": None}), "wrong_service"),
    "no key named": (Message(header={"kid": None}), "bad_token"),
    "a key of no text": (Message(header={"kid": ""}), "bad_token"),
    "another's signature": (Message(signed_by=STRANGER), "bad_signature"),
    "unsigned": (Message(algorithm="none", signed_by=""), "bad_algorithm"),
    "a signature by text": (Message(algorithm="HS256", signed_by=b"x" * 32), "bad_algorithm"),
    "another algorithm": (Message(algorithm="PS256"), "bad_algorithm"),
    "another channel": (Message(activity(channelId="webchat")), "wrong_channel"),
    "another directory": (Message(activity(channelData={"tenant": {"id": "x"}})), "wrong_directory"),
    "no directory": (Message(activity(channelData=None)), "wrong_directory"),
    "no activity": (Message(body=b"[]"), "no_activity"),
    "no JSON": (Message(body=b"\xff{"), "no_activity"),
    "a deep body": (Message(body=b"[" * 50_000), "no_activity"),
    "no service in the activity": (Message(activity(serviceUrl=None)), "no_activity"),
}


def test_a_genuine_message_is_taken() -> None:
    found = Message().arrives()
    assert found is not None
    assert found.installed


@pytest.mark.parametrize("name", FALSE)
def test_a_message_with_one_thing_wrong_is_refused(name: str) -> None:
    message, reason = FALSE[name]
    with pytest.raises(WebhookRejected, match=r"\.$") as caught:
        message.arrives()
    assert caught.value.reason == reason
    assert not isinstance(caught.value, KeyUnknown)


def test_the_public_key_as_the_secret_of_a_signature_is_refused() -> None:
    """The classic confusion: who knows the public key signs with it as if it were a shared secret."""

    def part(value: Any) -> bytes:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        return urlsafe_b64encode(raw).rstrip(b"=")

    claims = jwt.decode(Message().token(), options={"verify_signature": False})
    signed = part({"alg": "HS256", "kid": KEY.kid}) + b"." + part(claims)
    token = signed + b"." + part(hmac.new(PEM, signed, hashlib.sha256).digest())
    with pytest.raises(WebhookRejected) as caught:
        Message().arrives(f"Bearer {token.decode()}")
    assert caught.value.reason == "bad_algorithm"


@pytest.mark.parametrize(
    "header, reason",
    [
        ("", "no_token"),
        ("Bearer", "no_token"),
        ("Bearer ", "no_token"),
        ("Basic dXNlcjpwYXNz", "no_token"),
        ("Bearer x", "bad_token"),
        ("Bearer a.b.c", "bad_token"),
        ("Bearer é.é.é", "bad_token"),
        (f"Bearer {'x' * 20_000}", "no_token"),
    ],
)
def test_a_message_without_a_token_is_refused(header: str, reason: str) -> None:
    with pytest.raises(WebhookRejected) as caught:
        Message().arrives(header)
    assert caught.value.reason == reason


def test_an_unknown_key_asks_for_the_keys_anew() -> None:
    with pytest.raises(KeyUnknown) as caught:
        Message(header={"kid": "new"}).arrives()
    assert caught.value.reason == "unknown_key"
    with pytest.raises(KeyUnknown):
        Message().arrives(keys=[])


def _other(**changes: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in {**KEY.public(), **changes}.items() if value is not None}]


@pytest.mark.parametrize(
    "keys, reason",
    [
        (_other(endorsements=["webchat"]), "not_endorsed"),
        (_other(endorsements=None), "not_endorsed"),
        (_other(endorsements="msteams"), "not_endorsed"),
        (_other(n=None), "bad_key"),
        (_other(n="!!"), "bad_key"),
        (_other(kty="oct", k="eA"), "bad_key"),
        (_other(kty="EC"), "bad_key"),
    ],
)
def test_a_key_that_cannot_vouch_vouches_for_nothing(keys: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(WebhookRejected) as caught:
        Message().arrives(keys=keys)
    assert caught.value.reason == reason


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits")
def test_a_short_key_is_refused() -> None:
    short = rsa.generate_private_key(65537, 1024)
    jwk = {**json.loads(RSAAlgorithm.to_jwk(short.public_key())), "kid": KEY.kid, "endorsements": ["msteams"]}
    jwk.pop("key_ops", None)
    message = Message(signed_by=short)
    with pytest.raises(WebhookRejected) as caught:
        message.arrives(keys=[jwk])
    assert caught.value.reason == "bad_key"


@pytest.mark.parametrize(
    "message",
    [
        Message(claims={"exp": timedelta(seconds=-200)}),
        Message(claims={"nbf": timedelta(seconds=200)}),
        Message(claims={"nbf": None}),
        Message(claims={"serviceurl": None, "serviceUrl": SERVICE}),
        Message(algorithm="RS384"),
        Message(algorithm="RS512"),
        Message(activity(channelData={"tenant": {"id": DIRECTORY.upper()}})),
    ],
    ids=["a late clock", "an early clock", "no beginning", "the other spelling", "RS384", "RS512", "case"],
)
def test_what_may_differ_is_taken(message: Message) -> None:
    assert message.arrives() is not None


def test_the_scheme_is_of_any_case_and_several_keys_count() -> None:
    message = Message(header={"kid": "sim-key-2"}, signed_by=private_key(2))
    assert message.arrives(f"bearer {message.token()}") is not None


def test_a_connection_that_is_not_set_up_takes_nothing() -> None:
    with pytest.raises(WebhookRejected) as caught:
        Message().arrives(app_id="")
    assert caught.value.reason == "not_configured"
    with pytest.raises(WebhookRejected):
        Message(activity(channelData=None)).arrives(directory_id="")


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_no_token_with_a_changed_byte_is_taken(place: int, value: int) -> None:
    """Base64 leaves some bits of a part's last letter without a meaning: the bytes are compared, too."""
    token = bytearray(TOKEN.encode())
    token[place % len(token)] = value
    changed = bytes(token).decode("latin-1")
    try:
        Message().arrives(f"Bearer {changed}")
    except WebhookRejected:
        return
    assert _parts(changed) == _parts(TOKEN)


TOKEN = Message().token()


def _parts(token: str) -> list[bytes]:
    return [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.strip().split(".")]


EXPECTED: dict[str, str] = {
    "no_service": "wrong_service",
    "no_expiry": "claim_missing",
    "symmetric": "bad_algorithm",
    "unsigned": "bad_algorithm",
}


@pytest.mark.parametrize("forge", ALL_FORGERIES)
def test_every_forgery_of_the_simulator_is_refused_for_its_own_reason(
    teams: SimulatedTeams, forge: str
) -> None:
    found = _sent(teams, lambda: teams.write("Priya Raman", "hello", forge=forge))
    with pytest.raises(WebhookRejected) as caught:
        found()
    assert caught.value.reason == EXPECTED.get(forge, forge)


def test_the_simulators_own_activities_are_genuine(teams: SimulatedTeams) -> None:
    found = _sent(teams, lambda: teams.write("Priya Raman", "hello"))()
    assert found.text == "hello"
    assert found.conversation.person_id == teams.object_id("Priya Raman")


def test_keys_that_are_renewed_are_fetched_anew(teams: SimulatedTeams) -> None:
    provider = Teams(_runtime(teams))
    before = provider.signing_keys()
    teams.control("keys/rotate", keep=False)
    check = _sent(teams, lambda: teams.write("Priya Raman", "hello"), keys=before)
    with pytest.raises(KeyUnknown):
        check()
    assert _sent(teams, lambda: teams.write("Priya Raman", "hello"))().text == "hello"
    assert {one["kid"] for one in before}.isdisjoint(one["kid"] for one in provider.signing_keys())


def _runtime(teams: SimulatedTeams) -> Runtime:
    return Runtime(allowed_networks=LOOPBACK, base_urls={"teams": teams.url})


def _sent(
    teams: SimulatedTeams, happens: Callable[[], None], keys: list[dict[str, Any]] | None = None
) -> Callable[[], Any]:
    """What the provider makes of the activity that the simulator sends then."""
    teams.listen_at(f"{teams.url}/nowhere")
    happens()
    (entry,) = teams.lab.courier.deliver_now()
    on = connection(app_id=teams.app_id, directory_id=teams.directory_id)
    provider = Teams(_runtime(teams))
    known = provider.signing_keys() if keys is None else keys
    return lambda: provider.verify_bot_message(on, entry["headers"], entry["body"].encode(), known)
