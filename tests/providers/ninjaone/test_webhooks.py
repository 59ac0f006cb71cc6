"""Webhooks of NinjaOne: proof of the secret, the shapes of the body, what to subscribe to."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.deliveries import QUARANTINED
from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.types import WebhookRequest
from rmm_extension.providers.ninjaone import webhooks
from tests.providers.ninjaone.bodies import NOON, UID, activity, delivery, told


def request(body: Any, **headers: str) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WebhookRequest(headers=headers, body=raw, received_at=NOON)


@pytest.mark.parametrize("name", ["x-rmm-webhook-secret", "x-alga-webhook-secret"])
def test_either_header_and_any_secret(name: str) -> None:
    sent = request(delivery(), **{name: "new"})
    assert webhooks.verify(sent, ["old", "new"])
    assert not webhooks.verify(sent, ["old"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-rmm-webhook-secret": ""},
        {"authorization": "Bearer s"},
        {"x-ninja-signature": "s"},
        {"x-rmm-webhook-secret": "ß"},
    ],
)
def test_no_proof(headers: dict[str, str]) -> None:
    assert not webhooks.verify(request(delivery(), **headers), ["s", ""])
    assert not webhooks.verify(request(delivery(), **headers), [])


def test_one_activity_is_one_event() -> None:
    (event,) = webhooks.parse(request(delivery()))
    assert event.external_id == UID
    (same,) = webhooks.parse(request(b"\xef\xbb\xbf" + json.dumps(activity()).encode()))
    assert same.external_id == UID


@pytest.mark.parametrize(
    "body", [told("PROCESS_STARTED"), delivery(activityType="ACTION", statusCode="STARTED")]
)
def test_nothing_of_what_does_not_concern_us(body: dict[str, Any]) -> None:
    assert webhooks.parse(request(body)) == ()


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 5000, "not_json"),
        ([], "wrong_shape"),
        ({}, "wrong_shape"),
        ({"id": 5, "text": "test"}, "wrong_shape"),
        ("text", "wrong_shape"),
        ([delivery()], "wrong_shape"),
        (delivery(seriesUid=None), "alert_id_missing"),
        (told("SYSTEM_REBOOTED", id=None), "message_id_missing"),
    ],
)
def test_what_is_put_aside(body: Any, reason: str) -> None:
    with pytest.raises(WebhookRejected, match=r"\.$") as caught:
        webhooks.parse(request(body))
    assert caught.value.reason == reason
    assert reason in QUARANTINED


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_body_is_read_or_put_aside(body: bytes) -> None:
    with suppress(WebhookRejected):
        assert len(webhooks.parse(request(body))) <= 1


def test_whole_types_are_subscribed() -> None:
    subscribed = webhooks.activity_map()
    assert {"CONDITION", "SYSTEM", "PATCH_MANAGEMENT", "SOFTWARE_PATCH_MANAGEMENT", "ANTIVIRUS"} <= set(
        subscribed
    )
    assert all(list(codes) == ["*"] for codes in subscribed.values())


def test_the_steps_have_everything_to_paste() -> None:
    steps = webhooks.steps("https://psa.example/api/webhooks/ninjaone/t.x", "the-secret")
    pasted = {step.paste: step.is_secret for step in steps if step.paste}
    assert pasted == {
        "https://psa.example/api/webhooks/ninjaone/t.x": True,
        "X-RMM-Webhook-Secret": False,
        "the-secret": True,
    }
