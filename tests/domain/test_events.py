"""The catalogue of events, and what their contracts take and refuse."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from rmm_extension import signals
from rmm_extension.domain.contracts.events import CATALOGUE, check

ID = "01a1fcf4-453a-7695-94e6-ef02a83a9ad4"
CONNECTION = {"tenantId": "t1", "integrationId": ID, "provider": "tacticalrmm"}
ALERT = {**CONNECTION, "alertId": ID, "externalAlertId": "524", "severity": "critical"}
SYNC = {**CONNECTION, "syncType": "devices", "actorType": "SYSTEM"}
DEVICE = {
    **CONNECTION,
    "deviceId": ID,
    "externalDeviceId": "xZGKz",
    "externalOrganizationId": "1",
    "name": "PC-1",
    "kind": "workstation",
    "status": "online",
}
COUNTS = {"itemsProcessed": 3, "itemsCreated": 1, "itemsUpdated": 0, "itemsFailed": 0}
ERROR = {"error": {"message": "The vendor does not answer."}}
SMALLEST: dict[str, dict[str, Any]] = {
    "alert_triggered": ALERT,
    "alert_resolved": ALERT,
    "alert_acknowledged": ALERT,
    "ticket_linked": {**ALERT, "ticketId": "7"},
    "ticket_created": {
        "tenantId": "t1",
        "ticketId": "7",
        "source": "tacticalrmm",
        "integrationId": ID,
        "alertId": ID,
    },
    "ticket_closed": {"tenantId": "t1", "ticketId": "7"},
    "device_created": DEVICE,
    "device_updated": DEVICE,
    "device_synced": DEVICE,
    "device_deleted": DEVICE,
    "device_online": DEVICE,
    "device_offline": DEVICE,
    "sync_started": SYNC,
    "sync_finished": {**SYNC, **COUNTS},
    "sync_failed": {**SYNC, **COUNTS, **ERROR},
    "webhook_received": ALERT,
    "integration_connected": CONNECTION,
    "integration_disconnected": CONNECTION,
    "integration_failed": {**CONNECTION, **ERROR},
}
"""Each event with nothing but what it must say."""


def test_every_event_is_here_and_has_its_signal() -> None:
    assert SMALLEST.keys() == CATALOGUE.keys() == signals.ALL.keys()
    assert len({event.name for event in CATALOGUE.values()}) == len(CATALOGUE)
    for name, event in CATALOGUE.items():
        assert signals.ALL[name] is getattr(signals, name)
        assert signals.ALL[name].__doc__ == event.sentence


@pytest.mark.parametrize("name", SMALLEST)
def test_what_must_be_said_is_enough(name: str) -> None:
    check(name, SMALLEST[name])


@pytest.mark.parametrize("name, key", [(name, key) for name, payload in SMALLEST.items() for key in payload])
def test_nothing_of_it_may_be_missing_or_null(name: str, key: str) -> None:
    without = {other: value for other, value in SMALLEST[name].items() if other != key}
    for payload in (without, {**SMALLEST[name], key: None}):
        with pytest.raises(ValidationError) as error:
            check(name, payload)
        assert key in error.value.messages_dict


@pytest.mark.parametrize("name", SMALLEST)
def test_an_unknown_key_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="unknown"):
        check(name, {**SMALLEST[name], "unknown": 1})


@pytest.mark.parametrize(
    "key, value",
    [
        ("severity", "fatal"),
        ("alertId", "524"),
        ("integrationId", 7),
        ("provider", ""),
        ("message", None),
        ("assetId", None),
        ("triggeredAt", "2026-11-21T02:06:46"),
        ("triggeredAt", "yesterday"),
        ("resolvedAt", "2026-11-21T02:06:46+00:00"),
    ],
)
def test_values_that_are_none_of_an_alert_are_refused(key: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        check("alert_triggered", {**ALERT, key: value})


@pytest.mark.parametrize("value", [-1, "3", 1.5, None])
def test_counts_are_whole_numbers(value: Any) -> None:
    with pytest.raises(ValidationError):
        check("sync_finished", {**SMALLEST["sync_finished"], "itemsFailed": value})


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(LookupError, match="no event alert_exploded"):
        check("alert_exploded", ALERT)
