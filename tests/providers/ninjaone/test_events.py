"""What NinjaOne tells, by the one table: identity, condition, kind, severity, and signals."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.identity import dedup_key
from rmm_extension.domain.signals import DeviceSignal, SignalKind
from rmm_extension.domain.types import AgentStatus, AlertEvent, AlertKind, Severity
from rmm_extension.providers.ninjaone.activity_words import SIGNALS
from rmm_extension.providers.ninjaone.events import Nameless, of_activity, of_alert
from tests.providers.ninjaone.bodies import (
    CODE,
    CONFIG,
    MESSAGE,
    NOON,
    ORGANIZATION,
    UID,
    WHEN,
    activity,
    alert,
    delivery,
    told,
)

OF_CHANNEL = {"raw", "external_organization_id", "device_name"}
"""What only the webhook says; the pipeline takes it from the device that is stored."""


def event(body: dict[str, Any]) -> AlertEvent:
    found = of_activity(body, NOON)
    assert isinstance(found, AlertEvent)
    return found


def signal(body: dict[str, Any]) -> DeviceSignal:
    found = of_activity(body, NOON)
    assert isinstance(found, DeviceSignal)
    return found


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"severity": "CRITICAL", "priority": "HIGH"},
        {"severity": "NONE", "priority": "NONE"},
        {"priority": "MEDIUM"},
        {"sourceName": ""},
        {"sourceName": "Disk is full", "data": None},
        {"sourceConfigUid": None},
        {"sourceConfigUid": None, "sourceName": None, "data": None},
        {"message": " "},
    ],
)
def test_an_alert_is_the_same_by_every_channel(more: dict[str, Any]) -> None:
    by_webhook, by_log, by_list = (
        event(delivery(**more)),
        event(activity(**more)),
        of_alert(alert(**more), NOON),
    )
    fields = [name for name in AlertEvent.__struct_fields__ if name not in OF_CHANNEL]
    said = [{name: getattr(one, name) for name in fields} for one in (by_webhook, by_log, by_list)]
    assert said[0] == said[1] == said[2]
    assert dedup_key(by_webhook) == dedup_key(by_log) == dedup_key(by_list)
    assert by_webhook.external_organization_id == str(ORGANIZATION)


def test_a_trigger() -> None:
    found = event(delivery())
    assert (found.kind, found.external_id, found.occurred_at) == (AlertKind.TRIGGERED, UID, WHEN)
    assert (found.external_device_id, found.device_name) == ("7", "192.168.50.43")
    assert (found.condition, found.severity, found.message) == (CONFIG, Severity.NONE, MESSAGE)
    assert (found.alert_class, found.activity_type, found.source_type) == ("_average_", "CONDITION", CODE)
    assert found.raw["device"]["locationId"] == 2


@pytest.mark.parametrize(
    "code, status, kind",
    [
        ("TRIGGERED", "Triggered", AlertKind.TRIGGERED),
        ("triggered", None, AlertKind.TRIGGERED),
        (None, "Triggered", AlertKind.TRIGGERED),
        ("RESET", "Reset", AlertKind.RESET),
        ("RESET_BY_PSA_TICKET_CALLBACK", None, AlertKind.RESET),
        (None, "reset", AlertKind.RESET),
        ("ACKNOWLEDGED", "Acknowledged", AlertKind.ACKNOWLEDGED),
        ("DISABLED", "Disabled", AlertKind.RESET),
        ("UNKNOWN_CODE", "TRIGGERED", AlertKind.TRIGGERED),
    ],
)
def test_the_kind_is_the_word_of_the_life_cycle(
    code: str | None, status: str | None, kind: AlertKind
) -> None:
    assert event(delivery(statusCode=code, status=status)).kind is kind


def test_the_end_of_another_system_counts_too() -> None:
    body = delivery(activityType="PSA", statusCode="RESET_BY_PSA_TICKET_CALLBACK")
    assert event(body).kind is AlertKind.RESET


@pytest.mark.parametrize(
    "body",
    [
        delivery(statusCode="EVALUATION_FAILURE", status="Failed"),
        delivery(activityType="SYSTEM", statusCode="BITLOCKER_DISABLED", status="Disabled"),
        delivery(activityType="SCHEDULED_TASK", statusCode="DISABLED", status="Disabled"),
        delivery(activityType="ACTION", statusCode="COMPLETED", status="Completed"),
        delivery(activityType="PSA", statusCode="RESET", seriesUid=None),
        told("APP_USER_LOGGED_IN"),
        told("SYSTEM_REBOOTED", deviceId=None, device=None),
        {},
    ],
)
def test_what_does_not_concern_us(body: dict[str, Any]) -> None:
    assert of_activity(body, NOON) is None


@pytest.mark.parametrize(
    "more, severity",
    [
        *[({"severity": one.value.upper()}, one) for one in Severity],
        ({"severity": "Moderate"}, Severity.MODERATE),
        ({"priority": "HIGH"}, Severity.MAJOR),
        ({"priority": "MEDIUM"}, Severity.MODERATE),
        ({"priority": "LOW"}, Severity.MINOR),
        ({"priority": "NONE"}, Severity.NONE),
        ({"severity": "NONE", "priority": "HIGH"}, Severity.NONE),
        ({"severity": "CRITICAL", "priority": "LOW"}, Severity.CRITICAL),
        ({"severity": "odd", "priority": "odd"}, Severity.NONE),
        ({}, Severity.NONE),
    ],
)
def test_severity_as_named_else_from_the_priority(more: dict[str, Any], severity: Severity) -> None:
    assert event(delivery(**more)).severity is severity


@pytest.mark.parametrize(
    "more, condition",
    [
        ({}, CONFIG),
        ({"statusCode": None}, CONFIG),
        ({"statusCode": "RESET_BY_PSA_TICKET_CALLBACK"}, CONFIG),
        ({"statusCode": "AGENT_DOWN"}, "AGENT_DOWN"),
        ({"sourceConfigUid": None}, "_average_"),
        ({"sourceConfigUid": "null", "sourceName": ""}, "CONDITION"),
        ({"statusCode": None, "sourceConfigUid": None, "sourceName": None}, "CONDITION"),
        ({"activityType": None, "sourceConfigUid": None, "sourceName": None}, "CONDITION"),
    ],
)
def test_the_condition_is_what_the_policy_has(more: dict[str, Any], condition: str) -> None:
    assert event(delivery(**more)).condition == condition


@pytest.mark.parametrize(
    "device, more",
    [
        ({"organizationId": 5}, {}),
        ({"references": {"organization": {"id": 5}}}, {}),
        ({}, {"organizationId": "5"}),
        (None, {"organizationId": 5}),
    ],
)
def test_the_organization_wherever_it_stands(device: dict[str, Any] | None, more: dict[str, Any]) -> None:
    assert event(delivery(device=device, **more)).external_organization_id == "5"


def test_a_channel_without_references_says_the_same() -> None:
    plain = {"id": 7, "organizationId": ORGANIZATION, "displayName": "192.168.50.43"}
    short = msgspec.structs.replace(event(delivery(device=plain)), raw={})
    assert short == msgspec.structs.replace(event(delivery()), raw={})


def test_an_alert_without_its_series_is_named_so() -> None:
    with pytest.raises(Nameless, match="seriesUid"):
        of_activity(delivery(seriesUid=None), NOON)
    with pytest.raises(Nameless, match="uid"):
        of_alert(alert(uid=" "), NOON)


def test_a_time_that_is_missing_or_mad_is_that_of_arrival() -> None:
    assert event(delivery(activityTime=None)).occurred_at == NOON
    assert event(delivery(activityTime=1e30)).occurred_at == NOON
    assert of_alert(alert(createTime=None), NOON).occurred_at == WHEN


@pytest.mark.parametrize(
    "code, kind",
    [
        ("NODE_CREATED", SignalKind.CHANGED),
        ("NODE_RE_ENROLLED", SignalKind.CHANGED),
        ("NODE_MANUALLY_APPROVED", SignalKind.CHANGED),
        ("MEMORY_REMOVED", SignalKind.CHANGED),
        ("DISK_VOLUME_ADDED", SignalKind.CHANGED),
        ("NODE_DELETED", SignalKind.DELETED),
        ("SYSTEM_REBOOTED", SignalKind.SEEN),
        ("USER_LOGGED_IN", SignalKind.SEEN),
        ("PATCH_MANAGEMENT_SCAN_COMPLETED", SignalKind.PATCHES),
        ("SOFTWARE_PATCH_MANAGEMENT_INSTALL_FAILED", SignalKind.PATCHES),
        ("SOFTWARE_ADDED", SignalKind.SOFTWARE),
    ],
)
def test_signals_by_their_code_whatever_the_type(code: str, kind: SignalKind) -> None:
    for activity_type in ("SYSTEM", "MONITOR", None):
        found = signal(told(code, activityType=activity_type))
        assert (found.kind, found.external_id, found.external_device_id) == (kind, "177300", "7")
        assert (found.occurred_at, found.external_organization_id) == (WHEN, str(ORGANIZATION))


def test_every_signal_has_words() -> None:
    assert all(words and words[0].isupper() for _, words in SIGNALS.values())
    assert signal(told("SOFTWARE_ADDED", subject="7-Zip 24")).words == "Software added: 7-Zip 24"


def test_a_deleted_device_may_come_without_its_body() -> None:
    found = signal(told("NODE_DELETED", device=None))
    assert (found.external_device_id, found.external_organization_id) == ("7", None)


def test_what_a_restart_tells() -> None:
    found = signal(told("SYSTEM_REBOOTED"))
    assert (found.status, found.boot_at, found.current_user) == (AgentStatus.ONLINE, WHEN, None)


@pytest.mark.parametrize(
    "more, user",
    [
        ({"subject": "ACME\\ada"}, "ACME\\ada"),
        ({"data": {"message": {"params": {"username": "ada"}}}, "subject": "x"}, "ada"),
        ({}, None),
    ],
)
def test_who_signed_in(more: dict[str, Any], user: str | None) -> None:
    assert signal(told("USER_LOGGED_IN", **more)).current_user == user
    assert signal(told("USER_LOGGED_OUT", **more)).current_user == ""


def test_when_patches_were_looked_for() -> None:
    assert signal(told("PATCH_MANAGEMENT_SCAN_COMPLETED")).scanned_at == WHEN
    assert signal(told("PATCH_MANAGEMENT_INSTALLED")).scanned_at is None


@pytest.mark.parametrize(
    "code, is_used",
    [
        ("BDAS_BITDEFENDER_THREAT_PRESENT", True),
        ("WEBROOT_THREAT_DETECTED", True),
        ("BITDEFENDER_SCAN_STARTED", False),
    ],
)
def test_of_the_antivirus_only_threats(code: str, is_used: bool) -> None:
    found = of_activity(told(code, activityType="ANTIVIRUS"), NOON)
    assert (found is not None) is is_used
    if isinstance(found, DeviceSignal):
        assert found.kind is SignalKind.CHANGED
        assert found.words[0].isupper()


def test_a_signal_needs_the_id_it_is_counted_by() -> None:
    with pytest.raises(Nameless, match="id"):
        of_activity(told("SYSTEM_REBOOTED", id=None), NOON)


LOOSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([*delivery(), "severity", "priority", "organizationId"])
CODES = st.sampled_from([*SIGNALS, "TRIGGERED", "RESET", "odd"])


@given(changes=st.dictionaries(KEYS, LOOSE, max_size=5), code=CODES)
def test_no_body_breaks_the_table(changes: dict[str, Any], code: str) -> None:
    with suppress(Nameless):
        found = of_activity({**delivery(), "statusCode": code, **changes}, NOON)
        assert found is None or found.external_id
