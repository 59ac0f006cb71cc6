"""Webhooks of Huntress: which events are alerts, what is put aside, what an administrator does."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.deliveries import QUARANTINED
from rmm_extension.domain.errors import WebhookRejected
from rmm_extension.domain.types import AlertEvent, AlertKind, WebhookRequest
from rmm_extension.providers.huntress import webhooks
from tests.providers.huntress.accounts import NOON, escalation, in_webhook


def request(body: Any, **headers: str) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WebhookRequest(headers=headers, body=raw, received_at=NOON)


def told(body: Any, **headers: str) -> AlertEvent:
    (event,) = webhooks.parse(request(body, **headers))
    assert isinstance(event, AlertEvent)
    return event


def of_escalation(event: str, **changes: Any) -> dict[str, Any]:
    more = {"event_type": f"escalation.{event}", "total_organizations_impacted": 1, "api_url": "https://x"}
    return escalation(**more, **changes)


@pytest.mark.parametrize(
    "body, kind, external_id",
    [
        (in_webhook("created"), AlertKind.TRIGGERED, "1234"),
        (in_webhook("closed", status="closed"), AlertKind.RESET, "1234"),
        (in_webhook("closed", status=None), AlertKind.RESET, "1234"),
        (in_webhook("comment_added", comment="Look."), AlertKind.TRIGGERED, "1234"),
        (in_webhook("comment_added", comment="Late.", status="closed"), AlertKind.RESET, "1234"),
        (of_escalation("created"), AlertKind.TRIGGERED, "escalation:84938"),
        (of_escalation("overdue", message="Act."), AlertKind.TRIGGERED, "escalation:84938"),
        (of_escalation("closed", status="resolved"), AlertKind.RESET, "escalation:84938"),
        (of_escalation("closed", status="closed"), AlertKind.RESET, "escalation:84938"),
    ],
)
def test_what_is_an_alert(body: dict[str, Any], kind: AlertKind, external_id: str) -> None:
    event = told(body)
    assert (event.kind, event.external_id) == (kind, external_id)
    assert event.is_partial


@pytest.mark.parametrize(
    "event_type",
    [
        "platform_action.created",
        "platform_action.closed",
        "platform_action.overdue",
        "platform_action.notification",
        "account_notice.notification",
        "something.new",
    ],
)
def test_what_does_not_concern_us_is_taken_and_not_used(event_type: str) -> None:
    assert webhooks.parse(request({"event_type": event_type, "id": 3})) == ()


def test_one_that_is_being_deleted_is_not_told() -> None:
    assert webhooks.parse(request(in_webhook("closed", status="deleting"))) == ()


def test_a_comment_is_a_note_known_by_its_message() -> None:
    event = told(in_webhook("comment_added", comment="<p>Please <b>call</b>.</p>"), **{"svix-id": "msg_1"})
    assert (event.note, event.note_id) == ("Please call.", "msg_1")
    assert told(in_webhook("created"), **{"svix-id": "msg_2"}).note is None
    empty = told(in_webhook("comment_added", comment=" "), **{"svix-id": "msg_3"})
    assert (empty.note, empty.note_id) == (None, None)


def test_that_an_escalation_is_overdue_is_a_note() -> None:
    event = told(of_escalation("overdue", message="Please act."), **{"svix-id": "msg_1"})
    assert (event.note, event.note_id) == ("Please act.", "msg_1")
    assert "overdue" in (told(of_escalation("overdue", message=None)).note or "")


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "not_json"),
        (b"\xff", "not_json"),
        (b"[" * 5000, "not_json"),
        ([], "wrong_shape"),
        ({}, "wrong_shape"),
        ({"id": 7}, "wrong_shape"),
        ({"event_type": "created", "id": 7}, "wrong_shape"),
        ({"event_type": ["incident_report.created"], "id": 7}, "wrong_shape"),
        (in_webhook(id=None), "alert_id_missing"),
        (in_webhook(id={}), "alert_id_missing"),
        (of_escalation("created", id=""), "alert_id_missing"),
        (in_webhook(severity=["high"]), "wrong_shape"),
        (in_webhook(organization="Acme"), "wrong_shape"),
    ],
)
def test_what_is_put_aside(body: Any, reason: str) -> None:
    with pytest.raises(WebhookRejected, match=r"\.$") as caught:
        webhooks.parse(request(body))
    assert caught.value.reason == reason
    assert reason in QUARANTINED


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(["incident_report.created", "incident_report.comment_added", "escalation.overdue"]),
    st.dictionaries(st.sampled_from([*in_webhook(), *escalation(), "comment", "message"]), _JSON),
)
def test_whatever_stands_in_its_fields_it_is_read_or_put_aside(event_type: str, odd: dict[str, Any]) -> None:
    body = in_webhook() | odd | {"event_type": event_type}
    with suppress(WebhookRejected):
        assert len(webhooks.parse(request(body))) <= 1


def test_the_steps_tell_what_to_paste_and_that_the_secret_comes_from_there() -> None:
    steps = webhooks.steps("https://psa.example/api/webhooks/huntress/t.x")
    assert [step.paste for step in steps if step.paste] == ["https://psa.example/api/webhooks/huntress/t.x"]
    assert any("whsec_" in step.text for step in steps)
