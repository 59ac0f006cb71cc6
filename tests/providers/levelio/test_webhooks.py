"""Webhooks of Level: signatures, events, and an automation's HTTP request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.errors import ConfigError, WebhookRejected
from rmm_extension.domain.signals import DeviceSignal, OrganizationSignal, SignalKind
from rmm_extension.domain.types import AlertEvent, AlertKind, Severity, WebhookRequest
from tests.providers.levelio.accounts import NOON, alert, event, level, posted

SECRET = "Level-shows-this-once"
BODY = (
    '{"event_type":"alert_active","event_id":"8f14e45f-ceea-467f-a1d5-2f2a0b7f8a11",'
    '"occurred_at":"2026-03-15T14:30:00.000Z","data":{"id":"al_123","name":"Größe"}}'
).encode()
# By `openssl dgst -sha256 -hmac`, and the second test case of RFC 4231.
OPENSSL = "ea294bf6a2f9fdf1756c7c84b9b1b0644b017e8ab4f91a1c4655aef94a54b5cb"
RFC_4231 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
VECTORS = [(SECRET, BODY, OPENSSL), ("Jefe", b"what do ya want for nothing?", RFC_4231)]


def signed(body: bytes, signature: str) -> WebhookRequest:
    return posted(body, x_level_signature=signature)


class TestSignatures:
    @pytest.mark.parametrize("secret, body, digest", VECTORS)
    def test_those_of_others_hold(self, secret: str, body: bytes, digest: str) -> None:
        for written in (f"sha256={digest}", f"SHA256={digest.upper()}", f" sha256={digest} "):
            assert level().verify_webhook(signed(body, written), [secret])

    @pytest.mark.parametrize("secret, body, digest", VECTORS)
    def test_while_rotating_either_secret_holds(self, secret: str, body: bytes, digest: str) -> None:
        request = signed(body, f"sha256={digest}")
        assert level().verify_webhook(request, ["the new one", secret])
        assert level().verify_webhook(request, [secret, "the new one"])
        assert not level().verify_webhook(request, ["the new one", "another"])
        assert not level().verify_webhook(request, [])
        assert not level().verify_webhook(request, ["", secret + " "])

    @given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
    def test_another_byte_of_the_body_breaks_it(self, place: int, change: int) -> None:
        body = bytearray(BODY)
        body[place] ^= change
        assert not level().verify_webhook(signed(bytes(body), f"sha256={OPENSSL}"), [SECRET])

    @pytest.mark.parametrize(
        "signature",
        [
            "",
            "sha256=",
            "sha256",
            OPENSSL[:-1],
            f"sha256={OPENSSL}0",
            f"sha1={OPENSSL}",
            "sha256=ü",
            "0" * 64,
        ],
    )
    def test_what_is_no_signature_is_none(self, signature: str) -> None:
        assert not level().verify_webhook(signed(BODY, signature), [SECRET])

    def test_the_empty_body_is_not_signed_by_an_empty_secret(self) -> None:
        of_nothing = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        assert not level().verify_webhook(signed(b"", f"sha256={of_nothing}"), [""])

    @pytest.mark.parametrize("header", ["x_rmm_webhook_secret", "x_alga_webhook_secret"])
    def test_an_automation_bears_the_secret_in_a_header(self, header: str) -> None:
        request = posted(b"{}", **{header: SECRET})
        assert level().verify_webhook(request, ["another", SECRET])
        assert not level().verify_webhook(request, ["another"])
        assert not level().verify_webhook(posted(b"{}", **{header: ""}), [""])

    @pytest.mark.parametrize("signature", ["", "sha256=", f"sha256={OPENSSL}0", "0" * 64])
    def test_where_there_is_a_signature_it_alone_counts(self, signature: str) -> None:
        both = posted(BODY, x_level_signature=signature, x_rmm_webhook_secret=SECRET)
        assert not level().verify_webhook(both, [SECRET])
        right = posted(BODY, x_level_signature=f"sha256={OPENSSL}", x_rmm_webhook_secret="another")
        assert level().verify_webhook(right, [SECRET])


class TestSecrets:
    def test_blanks_around_it_are_not_its_own(self) -> None:
        assert level().check_webhook_secret(f" {SECRET}\n") == SECRET

    @pytest.mark.parametrize("value", ["", "  ", "two words", "two\nlines", "a\x00b"])
    def test_what_is_none_is_refused_in_words(self, value: str) -> None:
        with pytest.raises(ConfigError, match=r"\.$") as caught:
            level().check_webhook_secret(value)
        assert not value.strip() or value not in str(caught.value)

    def test_no_step_has_one(self) -> None:
        assert not any(step.is_secret for step in level().webhook_steps("https://psa.example/hook", ""))


def one(request: WebhookRequest) -> Any:
    (found,) = level().parse_webhook(request)
    return found


def told(event_type: str, data: Any, **changes: Any) -> Any:
    return one(event(event_type, data, **changes))


class TestAlerts:
    @pytest.mark.parametrize(
        "event_type, data, kind",
        [
            ("alert_active", alert(), AlertKind.TRIGGERED),
            ("alert_resolved", alert(), AlertKind.RESET),
            ("alert_resolved", {"id": "al_123"}, AlertKind.RESET),
            ("alert_active", alert(is_resolved=True), AlertKind.RESET),
        ],
    )
    def test_what_is_said_to_be_over_is_over(self, event_type: str, data: Any, kind: AlertKind) -> None:
        assert told(event_type, data).kind is kind

    def test_times_are_the_alerts_own_then_the_envelopes_then_ours(self) -> None:
        noon = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        assert told("alert_active", alert()).occurred_at == noon.replace(hour=11, minute=59, second=58)
        assert told("alert_active", alert(started_at=None)).occurred_at == noon
        assert told("alert_resolved", alert()).occurred_at == noon
        assert told("alert_active", {"id": "a"}, occurred_at=None).occurred_at == NOON

    def test_an_id_alone_is_a_beginning(self) -> None:
        found = told("alert_active", {"id": "al_123"})
        assert (found.external_id, found.is_partial, found.message) == ("al_123", True, None)
        assert (found.external_device_id, found.severity, found.adopts) == (None, Severity.NONE, ())

    def test_what_nobody_knows_is_kept(self) -> None:
        data = alert(monitor={"id": 5}, note="a\x00b")
        assert told("alert_active", data).raw == alert(monitor={"id": 5}, note="ab")

    @pytest.mark.parametrize(
        "data, reason",
        [({}, "id_missing"), ({"id": None}, "id_missing"), (None, "wrong_shape"), ([], "wrong_shape")],
    )
    def test_without_its_id_it_is_rejected(self, data: Any, reason: str) -> None:
        with pytest.raises(WebhookRejected) as caught:
            told("alert_active", data)
        assert caught.value.reason == reason


class TestDevicesAndGroups:
    @pytest.mark.parametrize(
        "event_type, kind, words",
        [
            ("device_created", SignalKind.CHANGED, "Added in Level"),
            ("device_updated", SignalKind.CHANGED, "Changed in Level"),
            ("device_deleted", SignalKind.DELETED, "Deleted in Level"),
        ],
    )
    def test_devices(self, event_type: str, kind: SignalKind, words: str) -> None:
        found = told(event_type, {"id": "d1", "hostname": "WS-1", "nickname": "", "group_id": "g1"})
        assert found == DeviceSignal(
            kind=kind,
            external_id="8f14e45f-ceea-467f-a1d5-2f2a0b7f8a11",
            occurred_at=NOON,
            external_device_id="d1",
            words=words,
            external_organization_id="g1",
            device_name="WS-1",
        )

    @pytest.mark.parametrize(
        "data, group",
        [({"id": "d"}, None), ({"id": "d", "group_id": None}, "null"), ({"id": "d", "group_id": 7}, "7")],
    )
    def test_no_word_of_the_group_is_not_no_group(self, data: Any, group: str | None) -> None:
        assert told("device_updated", data).external_organization_id == group

    @pytest.mark.parametrize("word", ["created", "updated", "deleted"])
    def test_groups(self, word: str) -> None:
        found = told(f"group_{word}", {"id": "g1", "name": "Acme"})
        assert isinstance(found, OrganizationSignal)
        assert (found.external_organization_id, found.occurred_at) == ("g1", NOON)
        assert found.external_id == "8f14e45f-ceea-467f-a1d5-2f2a0b7f8a11"
        assert found.words == f"Group {word}".replace("updated", "changed")

    @pytest.mark.parametrize(
        "event_type, changes, reason",
        [
            ("device_updated", {"event_id": None}, "event_id_missing"),
            ("group_created", {"event_id": " "}, "event_id_missing"),
            ("device_created", {"data": {"hostname": "x"}}, "device_id_missing"),
            ("group_deleted", {"data": 5}, "wrong_shape"),
        ],
    )
    def test_what_cannot_be_known_again_is_rejected(
        self, event_type: str, changes: dict[str, Any], reason: str
    ) -> None:
        request = event(event_type, **{"data": {"id": "x"}, **changes})
        with pytest.raises(WebhookRejected) as caught:
            level().parse_webhook(request)
        assert caught.value.reason == reason

    @pytest.mark.parametrize("event_type", ["alert_acknowledged", "script_run", "", None, 5])
    def test_an_event_that_nobody_knows_is_not_used(self, event_type: Any) -> None:
        request = posted({"event_type": event_type, "event_id": "e", "data": {"id": "x"}})
        assert list(level().parse_webhook(request)) == []


FORM = {
    "event": "alert.triggered",
    "alert_id": "al_123",
    "device_id": "dev_456",
    "hostname": "WS-014",
    "name": "Disk space low",
    "severity": "critical",
    "description": "C: below 10%",
}


def form(**changes: Any) -> AlertEvent:
    body = {key: value for key, value in {**FORM, **changes}.items() if value is not ...}
    found = one(posted(body))
    assert isinstance(found, AlertEvent)
    return found


class TestAutomationsRequest:
    def test_it_meets_the_alert_of_the_other_channels(self) -> None:
        found, other = form(), told("alert_active", alert())
        same = (
            "kind",
            "external_id",
            "severity",
            "external_device_id",
            "device_name",
            "condition",
            "message",
        )
        for name in (*same, "alert_class", "activity_type", "source_type", "adopts"):
            assert getattr(found, name) == getattr(other, name), name
        assert found.occurred_at == NOON

    @pytest.mark.parametrize("word", ["alert.resolved", "RESOLVE", "alert_resolved"])
    def test_what_is_resolved_is_over(self, word: str) -> None:
        assert form(event=word).kind is AlertKind.RESET

    @pytest.mark.parametrize("word", [..., None, "", "{{event}}", "alert.triggered"])
    def test_everything_else_is_on(self, word: Any) -> None:
        assert form(event=word).kind is AlertKind.TRIGGERED

    @pytest.mark.parametrize(
        "absent", [..., None, "", "null", "{{alert.id}}", "{{ alert_id }}", "${alert.id}"]
    )
    def test_without_an_id_trigger_and_end_meet(self, absent: Any) -> None:
        begun, over = form(alert_id=absent), form(alert_id=absent, event="alert.resolved", severity=...)
        assert begun.external_id == over.external_id == "device:dev_456:disk space low"
        assert begun.synthesized
        assert begun.adopts == ()
        assert form().adopts == (begun.external_id,)

    def test_alerts_of_other_names_stay_apart(self) -> None:
        assert form(alert_id=...).external_id != form(alert_id=..., name="CPU").external_id
        assert form(alert_id=...).external_id != form(alert_id=..., device_id="d2").external_id

    def test_without_a_name_it_has_one(self) -> None:
        found = form(name=..., description="{{description}}")
        assert (found.alert_class, found.message) == ("Level alert", "Level alert")

    @pytest.mark.parametrize("absent", [..., None, " ", "{{device.id}}"])
    def test_without_its_device_it_is_rejected(self, absent: Any) -> None:
        with pytest.raises(WebhookRejected) as caught:
            form(device_id=absent)
        assert caught.value.reason == "device_id_missing"

    def test_what_else_it_holds_is_not_kept(self) -> None:
        found = form(secret="s3cret", webhook_token="t0ken", url="https://psa.example/hook/t.RANDOM")
        assert found == form()

    def test_its_group_is_taken_where_it_is_told(self) -> None:
        assert form(group_id="g1").external_organization_id == "g1"


BODIES = st.dictionaries(
    st.sampled_from(["event_type", "event_id", "occurred_at", "data", *FORM]),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one)),
)


@given(BODIES, st.sampled_from(["alert_active", "device_deleted", "group_updated", None]))
def test_whatever_comes_is_taken_or_rejected(body: dict[str, Any], event_type: str | None) -> None:
    try:
        found = level().parse_webhook(posted({**body, "event_type": event_type} if event_type else body))
    except WebhookRejected:
        return
    assert all(one.external_id for one in found)
