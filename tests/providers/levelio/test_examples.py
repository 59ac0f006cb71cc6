"""Level's own examples, where they are at hand: read as they stand, each channel telling the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import responses

from rmm_extension.domain.signals import DeviceSignal, SignalKind
from rmm_extension.providers.levelio.inventory import FULL
from tests.harness.recordings import description, example
from tests.providers.levelio.accounts import connection, level, posted, says


def body(file: str) -> Any:
    path = example(file)
    if not path.is_file():
        pytest.skip("no examples of Level at hand: name their folder in VENDOR_RECORDINGS")
    return msgspec.json.decode(path.read_bytes())["body"]


@responses.activate
def test_the_alert_of_the_webhook_is_that_of_the_list() -> None:
    delivered, listed = body("level-webhook-alert-active.DERIVED.json"), body("level-list-alerts.json")
    says("/v2/alerts", listed)
    (told,) = level().parse_webhook(posted(delivered))
    assert list(level().active_alerts(connection())) == [told]


def test_the_official_envelope_is_read() -> None:
    (told,) = level().parse_webhook(posted(body("level-webhook-envelope.json")))
    assert isinstance(told, DeviceSignal)
    assert (told.kind, told.external_device_id) == (SignalKind.CHANGED, "123456789")
    assert told.external_id == "550e8400-e29b-41d4-a716-446655440000"


def test_every_call_is_one_that_is_known() -> None:
    path = description("level-v2-RECONSTRUCTED.json")
    if not path.is_file():
        pytest.skip("no description of Level at hand: name its folder in VENDOR_RECORDINGS")
    known = msgspec.json.decode(path.read_bytes())["paths"]
    ours = {
        "/v2/groups": "get",
        "/v2/devices": "get",
        "/v2/devices/{id}": "get",
        "/v2/alerts": "get",
        "/v2/alerts/{id}": "get",
        "/v2/alerts/{id}/resolve": "post",
        "/v2/updates": "get",
        "/v2/automations": "get",
        "/v2/automations/webhooks": "get",
        "/v2/automations/webhooks/{token}": "post",
        "/v2/automation-runs/{id}": "get",
    }
    assert all(method in known.get(path, {}) for path, method in ours.items())
    flags = {one["name"] for one in known["/v2/devices"]["get"]["parameters"]}
    assert {name for name in flags if name.startswith("include_")} == FULL.keys()
