"""One alert, the same through every channel; resolving and snoozing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from rmm_extension.domain.errors import BadResponse, InvalidRequest, PermissionMissing, ProviderError
from rmm_extension.domain.types import AlertEvent, AlertKind, Severity, WebhookRequest
from rmm_extension.providers.tacticalrmm import TacticalRmm
from simulators.tacticalrmm import keys
from tests.providers.conftest import Simulator, connection_to
from tests.providers.wire import Wire, answer, serve

SAME = (
    "external_id",
    "severity",
    "external_device_id",
    "condition",
    "alert_class",
    "activity_type",
    "source_type",
    "synthesized",
    "adopts",
)


@pytest.fixture
def receiver() -> Iterator[Wire]:
    """Takes the webhooks."""
    with serve(answer(body=b"{}")) as wire:
        yield wire


@pytest.fixture
def simulator(start: Callable[..., Simulator], receiver: Wire) -> Simulator:
    """A server that sends its alerts to the receiver."""
    return start(webhook_url=receiver.url, webhook_secret="s", alerts_at_start=0)


def control(simulator: Simulator, path: str, **body: Any) -> Any:
    found = requests.post(f"{simulator.url}/_control/api/{path}", json=body, timeout=10)
    found.raise_for_status()
    return found.json()


def an_agent(simulator: Simulator) -> str:
    return next(
        one.agent_id
        for one in simulator.lab.agents()
        if not one.maintenance_mode and simulator.lab.status(one) == "online" and one.plat == "windows"
    )


def delivered(tactical: TacticalRmm, receiver: Wire) -> AlertEvent:
    request = WebhookRequest(headers={}, body=receiver.bodies[-1], received_at=datetime.now(UTC))
    (event,) = tactical.parse_webhook(request)
    return event


@pytest.mark.parametrize("kind", ["availability", "check", "task"])
@pytest.mark.parametrize("severity", ["error", "warning"])
def test_one_alert_through_each_channel(
    simulator: Simulator, tactical: TacticalRmm, receiver: Wire, kind: str, severity: str
) -> None:
    triggered = control(
        simulator, "alerts/trigger", agent_id=an_agent(simulator), type=kind, severity=severity
    )
    by_webhook = delivered(tactical, receiver)
    by_poll = next(
        one
        for one in tactical.active_alerts(simulator.connection())
        if one.external_id == str(triggered["alert_id"])
    )
    alone = tactical.alert(simulator.connection(), by_poll.external_id)
    assert alone is not None
    for name in (*SAME, "kind", "occurred_at"):
        assert getattr(by_webhook, name) == getattr(by_poll, name) == getattr(alone, name), name
    assert by_webhook.external_organization_id == by_poll.external_organization_id
    assert by_poll.message == alone.message
    assert by_poll.severity is {"error": Severity.CRITICAL, "warning": Severity.MODERATE}[severity]

    control(simulator, f"alerts/{triggered['alert_id']}/resolve")
    assert len(receiver.bodies) == 2
    reset = delivered(tactical, receiver)
    alone = tactical.alert(simulator.connection(), by_poll.external_id)
    assert alone is not None
    for name in (*SAME, "kind", "occurred_at"):
        assert getattr(reset, name) == getattr(alone, name), name
    assert reset.kind is AlertKind.RESET


def test_an_alert_without_an_agent(simulator: Simulator, tactical: TacticalRmm) -> None:
    body = {"alert_type": "custom", "message": "backup failed", "severity": "info", "agent": None}
    headers = {"X-API-KEY": keys.ADMIN_KEY}
    requests.post(f"{simulator.url}/alerts/", json=body, headers=headers, timeout=10).raise_for_status()
    (event,) = tactical.active_alerts(simulator.connection())
    assert (event.external_device_id, event.external_organization_id, event.device_name) == (None, None, None)
    assert (event.condition, event.severity, event.message) == ("custom", Severity.MINOR, "backup failed")
    assert event.adopts == ()


def test_resolving_is_repeatable_and_leaves_the_list(simulator: Simulator, tactical: TacticalRmm) -> None:
    alert_id = str(control(simulator, "alerts/trigger", agent_id=an_agent(simulator))["alert_id"])
    for _ in range(2):
        receipt = tactical.reset_alert(simulator.connection(), alert_id)
        assert (receipt.accepted, receipt.status) == (True, 200)
    assert tactical.active_alerts(simulator.connection()) == []


@pytest.mark.parametrize("days, sent", [(7, 7), ("5", 5), (0, 3), ("junk", 3), (9999, 365)])
def test_snoozing_instead(tactical: TacticalRmm, days: object, sent: int) -> None:
    with serve(answer(body=b'"ok"')) as wire:
        connection = connection_to(wire.url, reset_mode="snooze", snooze_days=days)
        receipt = tactical.reset_alert(connection, "5")
    assert f"{sent} days" in receipt.message
    assert wire.bodies == [b'{"type": "snooze", "snooze_days": %d}' % sent]


def test_a_snoozed_alert_is_open_and_says_so(simulator: Simulator, tactical: TacticalRmm) -> None:
    alert_id = str(control(simulator, "alerts/trigger", agent_id=an_agent(simulator))["alert_id"])
    tactical.reset_alert(simulator.connection(reset_mode="snooze"), alert_id)
    (event,) = tactical.active_alerts(simulator.connection())
    assert event.raw["snoozed"] is True


def test_an_alert_that_is_gone(simulator: Simulator, tactical: TacticalRmm) -> None:
    assert tactical.alert(simulator.connection(), "99999") is None
    receipt = tactical.reset_alert(simulator.connection(), "99999")
    assert (receipt.accepted, receipt.status) == (True, 404)


def test_a_key_that_may_not_resolve(simulator: Simulator, tactical: TacticalRmm) -> None:
    alert_id = str(control(simulator, "alerts/trigger", agent_id=an_agent(simulator))["alert_id"])
    with pytest.raises(
        PermissionMissing, match=r"lacks the switch .* can_manage_alerts \(to resolve it\) in Tactical RMM\.$"
    ):
        tactical.reset_alert(simulator.connection(keys.READONLY_KEY), alert_id)


@pytest.mark.parametrize("alert_id", ["agent:A:check", "1/../2", "", "-1", "\u0661"])
def test_ids_that_are_no_numbers_are_not_sent(tactical: TacticalRmm, alert_id: str) -> None:
    connection = connection_to("http://127.0.0.1:1")
    for call in (tactical.alert, tactical.reset_alert):
        with pytest.raises(InvalidRequest):
            call(connection, alert_id)


@pytest.mark.parametrize(
    "body", [b'{"alerts": []}', b"[1]", b'[{"id": "x"}]', b'[{"id": 1, "resolved": "no"}]', b"null"]
)
def test_a_list_of_another_shape_is_never_an_empty_list(tactical: TacticalRmm, body: bytes) -> None:
    bodies = [body, b"[]", b"[]"]
    with serve(lambda number: answer(body=bodies[number])) as wire, pytest.raises(BadResponse):
        tactical.active_alerts(connection_to(wire.url))


def test_a_resolved_alert_without_a_time_has_the_servers_time(tactical: TacticalRmm) -> None:
    body = b'{"id": 5, "resolved": true, "resolved_on": null, "alert_time": "2026-11-01T00:00:00Z"}'
    with serve(answer(body=body, Date="Sat, 21 Nov 2026 10:00:00 GMT")) as wire:
        event = tactical.alert(connection_to(wire.url), "5")
    assert event is not None
    assert (event.kind, event.occurred_at) == (AlertKind.RESET, datetime(2026, 11, 21, 10, tzinfo=UTC))


def test_output_of_webhook_actions_is_not_kept(tactical: TacticalRmm) -> None:
    row = b'{"id": 5, "action_retcode": 500, "action_stdout": "refused: /api/webhooks/tacticalrmm/t.TOKEN"}'
    with serve(answer(body=row)) as wire:
        event = tactical.alert(connection_to(wire.url), "5")
    assert event is not None
    assert event.raw["action_retcode"] == 500
    assert "TOKEN" not in repr(event)


@pytest.mark.parametrize(
    "code, failed",
    [
        ("null", False),
        ("0", False),
        ("200", False),
        ("299", False),
        ("300", True),
        ("404", True),
        ("599", True),
    ],
)
def test_a_webhook_that_was_not_delivered(tactical: TacticalRmm, code: str, failed: bool) -> None:
    with serve(answer(body=b'{"id": 5, "action_retcode": %s}' % code.encode())) as wire:
        event = tactical.alert(connection_to(wire.url), "5")
    assert event is not None
    assert event.delivery_failed is failed


def test_a_snoozed_alert_is_put_aside_and_a_hidden_one_is_not(
    simulator: Simulator, tactical: TacticalRmm
) -> None:
    number = control(simulator, "alerts/trigger", agent_id=an_agent(simulator))["alert_id"]
    simulator.lab.alerts[number].hidden = True
    (event,) = tactical.active_alerts(simulator.connection())
    assert event.silenced is False
    tactical.reset_alert(simulator.connection(reset_mode="snooze"), str(number))
    (event,) = tactical.active_alerts(simulator.connection())
    assert event.silenced is True


def test_a_wrong_host_does_not_say_that_an_alert_is_gone(simulator: Simulator, tactical: TacticalRmm) -> None:
    simulator.fault("not_found_html", prefix="/alerts/")
    for call in (tactical.alert, tactical.reset_alert):
        with pytest.raises(ProviderError):
            call(simulator.connection(), "5")
