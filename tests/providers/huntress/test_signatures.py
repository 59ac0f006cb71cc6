"""Svix's signature: known answers that no code of ours made, and everything that is no proof."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.types import WebhookRequest
from rmm_extension.providers.huntress import signatures

# The example in Svix's documents and in the specification of Standard Webhooks; openssl gives the same:
#   printf '%s' 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}' |
#     openssl dgst -sha256 -mac HMAC -macopt hexkey:<base64 -d of the secret, in hex> -binary | base64
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
SENT = datetime.fromtimestamp(1614265330, UTC)
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def delivery(*, late: float = 0.0, body: bytes = BODY, **headers: Any) -> WebhookRequest:
    given = {"svix-id": MESSAGE, "svix-timestamp": TIMESTAMP, "svix-signature": SIGNATURE}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in given.items() if value is not None}
    return WebhookRequest(headers=kept, body=body, received_at=SENT + timedelta(seconds=late))


def test_the_published_example_is_taken() -> None:
    assert signatures.verify(delivery(), [SECRET])
    assert signatures.verify(delivery(), [OTHER, SECRET])


def test_svix_s_second_example_is_taken_too() -> None:
    headers = {
        "svix-id": "msg_loFOjxBNrRLzqYUf",
        "svix-timestamp": "1731705121",
        "svix-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    }
    request = WebhookRequest(
        headers=headers,
        body=b'{"event_type":"ping","data":{"success":true}}',
        received_at=datetime.fromtimestamp(1731705121, UTC),
    )
    assert signatures.verify(request, ["whsec_plJ3nmyCDGBKInavdOK15jsl"])


@pytest.mark.parametrize("late", [-300.0, -1.0, 0.0, 299.9, 300.0])
def test_within_five_minutes_of_its_arrival(late: float) -> None:
    assert signatures.verify(delivery(late=late), [SECRET])


@pytest.mark.parametrize("late", [-3600.0, -300.5, 300.5, 86_400.0])
def test_a_stale_or_future_one_is_refused(late: float) -> None:
    assert not signatures.verify(delivery(late=late), [SECRET])


def test_one_of_several_signatures_is_enough() -> None:
    several = f"v1,{'A' * 43}= v1a,xyz v2,{SIGNATURE[3:]} {SIGNATURE}"
    assert signatures.verify(delivery(svix_signature=several), [SECRET])


@pytest.mark.parametrize(
    "changes",
    [
        {"body": BODY + b" "},
        {"body": b""},
        {"svix_id": "msg_another"},
        {"svix_id": None},
        {"svix_id": ""},
        {"svix_timestamp": "1614265331"},
        {"svix_timestamp": None},
        {"svix_timestamp": "soon"},
        {"svix_timestamp": "1614265330.0"},
        {"svix_timestamp": "-1614265330"},
        {"svix_timestamp": "1" * 400},
        {"svix_timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"svix_signature": None},
        {"svix_signature": ""},
        {"svix_signature": "v1,"},
        {"svix_signature": SIGNATURE[3:]},
        {"svix_signature": SIGNATURE.replace("v1", "v2")},
        {"svix_signature": SIGNATURE[:-1]},
        {"svix_signature": "v1,ß"},
        {"svix_signature": " ".join(["v1,AAAA"] * 50) + " " + SIGNATURE},
    ],
)
def test_what_is_no_proof(changes: dict[str, Any]) -> None:
    assert not signatures.verify(delivery(**changes), [SECRET])


@pytest.mark.parametrize(
    "secrets",
    [[], [""], [OTHER], ["whsec_"], ["whsec_AAAA"], ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], ["whsec_ß"]],
)
def test_secrets_that_did_not_sign_it(secrets: list[str]) -> None:
    assert not signatures.verify(delivery(), secrets)


def test_other_names_of_the_headers_are_not_read() -> None:
    headers = {"webhook-id": MESSAGE, "webhook-timestamp": TIMESTAMP, "webhook-signature": SIGNATURE}
    assert not signatures.verify(WebhookRequest(headers=headers, body=BODY, received_at=SENT), [SECRET])


@given(st.text(max_size=80), st.text(max_size=30), st.text(max_size=120), st.binary(max_size=40))
def test_nothing_invented_is_proof(message: str, timestamp: str, signature: str, body: bytes) -> None:
    headers = {"svix-id": message, "svix-timestamp": timestamp, "svix-signature": signature}
    request = WebhookRequest(headers=headers, body=body, received_at=SENT)
    assert not signatures.verify(request, [SECRET])


@pytest.mark.parametrize("pasted", [SECRET, f"  {SECRET}\n", f"{SECRET[:20]}\n{SECRET[20:]}"])
def test_a_secret_in_its_one_form(pasted: str) -> None:
    assert signatures.checked_secret(pasted) == SECRET


@pytest.mark.parametrize(
    "pasted",
    ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_%%%", SECRET[:-1], "whsec_ß"],
)
def test_what_is_no_secret_is_refused_without_repeating_it(pasted: str) -> None:
    with pytest.raises(ConfigError, match=r"\.$") as caught:
        signatures.checked_secret(pasted)
    assert len(pasted) < 8 or pasted not in str(caught.value)
