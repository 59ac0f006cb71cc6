"""Webhooks: proof of the secret, the shapes of the body, what is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.types import AlertEvent, AlertKind, Severity, WebhookRequest
from rmm_extension.providers.tacticalrmm import webhooks
from rmm_extension.providers.tacticalrmm.contracts import TEMPLATE_KEYS

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FAILURE = {
    "event": "failure",
    "alert_id": "523",
    "alert_type": "check",
    "severity": "error",
    "agent_id": "Z" * 40,
    "client_id": "1",
    "site_id": "3",
    "check_id": "201",
    "task_id": "None",
    "alert_time": "2026-11-21 02:06:45.819561+00:00",
    "resolved_on": "None",
}


def request(body: bytes, **headers: str) -> WebhookRequest:
    return WebhookRequest(headers=headers, body=body, received_at=NOON)


def parse(body: Any) -> AlertEvent:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    (event,) = webhooks.parse(request(raw))
    return event


def rejected(body: Any) -> str:
    with pytest.raises(WebhookRejected, match=r"\.$") as caught:
        parse(body)
    return caught.value.reason


@pytest.mark.parametrize("name", ["x-rmm-webhook-secret", "x-alga-webhook-secret"])
def test_either_header_and_any_secret(name: str) -> None:
    delivery = WebhookRequest(headers={name: "new"}, body=b"{}", received_at=NOON)
    assert webhooks.verify(delivery, ["old", "new"])
    assert not webhooks.verify(delivery, ["old"])


@pytest.mark.parametrize(
    "headers", [{}, {"x-rmm-webhook-secret": ""}, {"authorization": "s"}, {"x-rmm-webhook-secret": "ß"}]
)
def test_no_proof(headers: dict[str, str]) -> None:
    delivery = WebhookRequest(headers=headers, body=b"{}", received_at=NOON)
    assert not webhooks.verify(delivery, ["s", ""])
    assert not webhooks.verify(delivery, [])


def test_a_failure_of_a_check() -> None:
    event = parse(FAILURE)
    assert (event.kind, event.external_id, event.severity) == (AlertKind.TRIGGERED, "523", Severity.CRITICAL)
    assert (event.external_device_id, event.external_organization_id) == ("Z" * 40, "1")
    assert (event.condition, event.alert_class) == ("check:201", "check")
    assert (event.activity_type, event.source_type) == ("tacticalrmm_alert", "tacticalrmm_alert")
    assert event.occurred_at == datetime(2026, 11, 21, 2, 6, 45, 819561, UTC)
    assert not event.synthesized
    assert event.raw["site_id"] == "3"


def test_a_resolved_task() -> None:
    event = parse(
        FAILURE
        | {
            "event": "resolved",
            "check_id": "None",
            "task_id": "61",
            "resolved_on": "2026-11-21 02:07:00+00:00",
        }
    )
    assert (event.kind, event.condition) == (AlertKind.RESET, "task:61")
    assert event.occurred_at == datetime(2026, 11, 21, 2, 7, tzinfo=UTC)


def test_without_an_event_the_time_of_resolution_tells() -> None:
    assert parse({"agent_id": "A", "resolved_on": "2026-11-21T02:07:00Z"}).kind is AlertKind.RESET
    assert parse({"agent_id": "A", "resolved_on": "None"}).kind is AlertKind.TRIGGERED
    assert parse({"agent_id": "A", "event": "alert_RESOLVED"}).kind is AlertKind.RESET


def test_the_minimal_body_meets_its_own_reset() -> None:
    trigger = parse({"agent_id": "A", "event": "failure", "alert_time": "1795262400"})
    reset = parse({"agent_id": "A", "event": "resolved", "alert_time": "1795262999"})
    assert trigger.external_id == reset.external_id
    assert trigger.synthesized
    assert reset.synthesized
    assert parse({"agent_id": "B"}).external_id != trigger.external_id
    assert parse({"agent_id": "A", "check_id": 5}).external_id != trigger.external_id


def test_a_real_alert_names_the_ids_it_may_be_stored_under() -> None:
    made = [
        parse({"agent_id": "A", "alert_type": "check", "check_id": "5"}),
        parse({"agent_id": "A", "alert_type": "check"}),
        parse({"agent_id": "A"}),
    ]
    real = parse({"agent_id": "A", "alert_type": "check", "check_id": "5", "alert_id": "9"})
    assert real.adopts == tuple(event.external_id for event in made)
    assert all(event.adopts == () for event in made)


@pytest.mark.parametrize(
    "told",
    [
        "2026-11-21T12:00:00Z",
        "2026-11-21 12:00:00+00:00",
        "1795262400",
        1795262400,
        1795262400000,
        "None",
        None,
    ],
)
def test_forms_of_the_time(told: Any) -> None:
    assert parse({"agent_id": "A", "alert_time": told}).occurred_at == NOON


def test_the_texts_of_older_templates_are_taken() -> None:
    event = parse(
        {"agent_id": "A", "agent_hostname": "PC", "message": "Disk full", "site": "HQ", "severity": "warning"}
    )
    assert (event.device_name, event.message, event.severity) == ("PC", "Disk full", Severity.MODERATE)
    assert event.raw["site"] == "HQ"


@pytest.mark.parametrize("alert_type", ["SRV-1 in Acme, HQ", "None of these", "PC-1 \\ x"])
def test_the_test_button_brings_nothing(alert_type: str) -> None:
    body = FAILURE | {"alert_type": alert_type}
    assert webhooks.parse(request(json.dumps(body).encode())) == ()


@pytest.mark.parametrize("name", ["check", "CUSTOM"])
def test_the_test_button_of_an_agent_that_is_named_like_a_type(name: str) -> None:
    body = FAILURE | {"alert_type": name, "severity": name}
    assert webhooks.parse(request(json.dumps(body).encode())) == ()


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"{", "not_json"),
        (b'{"agent_id": NaN}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'"hello"', "not_json"),
        (b"[]", "wrong_shape"),
        (b"5", "wrong_shape"),
        (b"null", "wrong_shape"),
        ({"agent_id": ["A"]}, "wrong_shape"),
        ({"agent_id": True}, "wrong_shape"),
        ({"agent_id": "A", "alert_id": {"id": 5}}, "wrong_shape"),
        ({"agent_id": "A" * 300}, "wrong_shape"),
        ({}, "agent_id_missing"),
        ({"agent_id": "None", "alert_id": "5"}, "agent_id_missing"),
        (b'{"agent_id": "A", "event": "failure", "event": "resolved"}', "wrong_shape"),
    ],
)
def test_what_is_refused(body: Any, reason: str) -> None:
    assert rejected(body) == reason


def test_a_refusal_does_not_repeat_the_body() -> None:
    with pytest.raises(WebhookRejected) as caught:
        parse({"agent_id": ["hunter2"], "password": "hunter2"})
    assert "hunter2" not in str(caught.value)


def doubled(inner: str) -> bytes:
    """How the server sends a template that a quote has broken: as one JSON string."""
    return json.dumps(inner).encode()


def test_a_merely_wrapped_body_is_unwrapped() -> None:
    assert parse(doubled(json.dumps(FAILURE))) == parse(FAILURE)


def test_ids_are_taken_out_of_a_body_that_a_quote_has_broken() -> None:
    broken = json.dumps(FAILURE)[:-1] + ', "message": "Disk "C:" in Acme "West" is full"}'
    event = parse(doubled(broken))
    assert (event.external_id, event.external_device_id, event.condition) == ("523", "Z" * 40, "check:201")
    assert event.message is None


@pytest.mark.parametrize(
    "broken",
    [
        '{"event": "failure", "alert_id": "5", "agent_id": "A", "message": "x", "alert_id": "6" y"}',
        '{"event": "failure", "alert_id": "a"b", "agent_id": "A"}',
        '{"alert_id": "5", "agent_id": "A", "message": "a "b" c"}',
        '{"event": "failure", "agent_id": "A", "message": "a "b" c"}',
        'alert "x" is open',
    ],
)
def test_what_cannot_be_told_for_certain_is_not_guessed(broken: str) -> None:
    assert rejected(doubled(broken)) == "not_json"


def test_nothing_that_a_database_cannot_store_comes_through() -> None:
    event = parse(
        b'{"agent_id": "A", "message": "a\\u0000b\\ud800c", "x": {"y\\u0000": ["\\u0000"]}, "Secret": "s"}'
    )
    assert event.message == "ab?c"
    assert event.raw["x"] == {"y": [""]}
    assert "Secret" not in event.raw


VALUE = st.text() | st.integers() | st.none()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(TEMPLATE_KEYS) | st.text(), inner, max_size=5)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()) | st.text().map(doubled))
def test_any_body_is_parsed_or_refused(body: bytes) -> None:
    # Any other exception fails the test.
    with suppress(WebhookRejected):
        assert all(event.external_id and event.external_device_id for event in webhooks.parse(request(body)))


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {"agent_id": st.text(min_size=1, max_size=40)},
        optional={key: VALUE for key in TEMPLATE_KEYS if key != "agent_id"},
    )
)
def test_any_values_are_parsed_or_refused(body: dict[str, Any]) -> None:
    with suppress(WebhookRejected):
        webhooks.parse(request(json.dumps(body).encode()))


def test_the_steps_are_ready_to_paste() -> None:
    steps = webhooks.steps("https://psa.example.com/api/webhooks/tacticalrmm/t.x", "the-secret")
    pasted = [step.paste for step in steps if step.paste]
    headers = [json.loads(text) for text in pasted if "Content-Type" in text]
    assert headers == [{"Content-Type": "application/json", "X-RMM-Webhook-Secret": "the-secret"}] * 2
    bodies = [json.loads(text) for text in pasted if '"event"' in text]
    assert [body["event"] for body in bodies] == ["failure", "resolved"]
    assert all(tuple(body) == TEMPLATE_KEYS for body in bodies)
    assert all(step.is_secret for step in steps if step.paste and "the-secret" in step.paste)
    assert all(step.text.endswith(".") for step in steps)
