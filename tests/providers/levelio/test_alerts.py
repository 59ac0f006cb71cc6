"""Alerts of Level through its API: the list, one of them, resolving it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from rmm_extension.domain.errors import (
    AuthFailed,
    BadResponse,
    InvalidRequest,
    PermissionMissing,
    RateLimited,
    Unavailable,
)
from rmm_extension.domain.types import AlertKind, Severity
from rmm_extension.providers import http
from tests.providers.levelio.accounts import alert, connection, event, level, lists, queries, says

ALERTS, ONE = "/v2/alerts", "/v2/alerts/al_123"
RESOLVE = f"{ONE}/resolve"
OVER = {"is_resolved": True, "resolved_at": "2026-11-21T12:30:00Z"}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BACKOFF", 0.0)


@responses.activate
def test_an_alert_with_everything() -> None:
    lists(ALERTS, [alert()])
    (found,) = level().active_alerts(connection())
    assert (found.kind, found.external_id, found.severity) == (AlertKind.TRIGGERED, "al_123", Severity.MAJOR)
    assert found.occurred_at == datetime(2026, 11, 21, 11, 59, 58, tzinfo=UTC)
    assert (found.external_device_id, found.device_name) == ("dev_456", "WS-014")
    assert (found.condition, found.alert_class) == ("disk space low", "Disk space low")
    assert found.activity_type == found.source_type == "levelio_alert"
    assert found.message == "Disk space low: C: below 10%"
    assert (found.synthesized, found.is_partial) == (False, False)
    assert found.adopts == ("device:dev_456:disk space low",)
    assert found.raw == alert()
    assert queries(ALERTS) == [{"status": "active", "limit": "100"}]


@responses.activate
@pytest.mark.parametrize(
    "changes, message, occurred_second",
    [(alert(), "al_123", 58), (alert(**OVER), "al_123", 0), (alert(description=None), "al_123", 58)],
    ids=["active", "resolved", "without a description"],
)
def test_one_alert_is_the_same_in_every_channel(
    changes: dict[str, Any], message: str, occurred_second: int
) -> None:
    is_over = changes["is_resolved"]
    lists(ALERTS, [changes])
    says(ONE, changes)
    (told,) = level().parse_webhook(event("alert_resolved" if is_over else "alert_active", changes))
    alone = level().alert(connection(), "al_123")
    listed = level().active_alerts(connection())
    assert told == alone
    assert listed == ([] if is_over else [told])
    assert (told.external_id, told.occurred_at.second) == (message, occurred_second)


@responses.activate
def test_the_list_is_read_to_its_end() -> None:
    lists(ALERTS, [alert(id="a")], [alert(id="b"), alert(id="c", **OVER)], [alert(id="d")])
    assert [one.external_id for one in level().active_alerts(connection())] == ["a", "b", "d"]


@responses.activate
def test_an_empty_list_is_a_list() -> None:
    lists(ALERTS)
    assert list(level().active_alerts(connection())) == []


@responses.activate
@pytest.mark.parametrize("odd", [alert(id=None), {}, 5, None, "text"])
def test_a_list_with_a_row_that_cannot_be_read_is_none(odd: Any) -> None:
    lists(ALERTS, [alert(), odd], [alert(id="b")])
    with pytest.raises(BadResponse):
        level().active_alerts(connection())


@responses.activate
def test_a_list_that_breaks_off_is_none() -> None:
    says(ALERTS, {"data": [alert()], "has_more": True})
    for _ in range(4):
        says(ALERTS, {}, 502)
    with pytest.raises(Unavailable):
        level().active_alerts(connection())


@pytest.mark.parametrize(
    "word, severity",
    [
        ("emergency", Severity.CRITICAL),
        ("critical", Severity.MAJOR),
        ("warning", Severity.MODERATE),
        ("information", Severity.MINOR),
        ("Emergency", Severity.CRITICAL),
        ("error", Severity.CRITICAL),
        ("high", Severity.MAJOR),
        ("info", Severity.MINOR),
        ("purple", Severity.NONE),
        (None, Severity.NONE),
        ({}, Severity.NONE),
    ],
)
@responses.activate
def test_severities(word: Any, severity: Severity) -> None:
    says(ONE, alert(severity=word))
    found = level().alert(connection(), "al_123")
    assert found is not None
    assert found.severity is severity


@responses.activate
def test_names_that_differ_by_spaces_and_case_are_one_condition() -> None:
    lists(ALERTS, [alert(id="a", name=" Disk  Space LOW"), alert(id="b")])
    first, second = level().active_alerts(connection())
    assert first.condition == second.condition
    assert first.adopts == second.adopts


@responses.activate
def test_an_alert_that_level_does_not_know_is_none() -> None:
    says(ONE, {"error": "Not found"}, 404)
    assert level().alert(connection(), "al_123") is None


@responses.activate
@pytest.mark.parametrize("body", [{}, alert(id="other"), [], {"data": alert()}])
def test_what_is_not_the_alert_is_an_error(body: Any) -> None:
    says(ONE, body)
    with pytest.raises(BadResponse):
        level().alert(connection(), "al_123")


@responses.activate
@pytest.mark.parametrize("body, status", [("", 200), ("", 204), (alert(**OVER), 200), ("anything", 201)])
def test_whatever_a_success_says_it_is_one(body: Any, status: int) -> None:
    says(RESOLVE, body, status, method="POST")
    receipt = level().reset_alert(connection(), "al_123")
    assert (receipt.accepted, receipt.status, receipt.message) == (True, status, "Level resolved the alert.")
    assert not responses.calls[0].request.body


@responses.activate
def test_one_that_is_gone_counts_as_resolved() -> None:
    says(RESOLVE, {"error": "Not found"}, 404, method="POST")
    receipt = level().reset_alert(connection(), "al_123")
    assert (receipt.accepted, receipt.status) == (True, 404)


@responses.activate
@pytest.mark.parametrize("state, accepted", [(alert(**OVER), True), (alert(), False)])
def test_a_refusal_counts_only_for_one_that_is_not_over(state: Any, accepted: bool) -> None:
    says(RESOLVE, {"error": "already resolved"}, 422, method="POST")
    says(ONE, state)
    if accepted:
        assert level().reset_alert(connection(), "al_123").accepted
    else:
        with pytest.raises(InvalidRequest, match="already resolved"):
            level().reset_alert(connection(), "al_123")


@responses.activate
@pytest.mark.parametrize(
    "status, body, kind",
    [
        (401, {}, AuthFailed),
        (403, {}, PermissionMissing),
        (403, "<html>", BadResponse),
        (404, "<html>", BadResponse),
        (429, {}, RateLimited),
        (500, {}, Unavailable),
        (200, "<html>", BadResponse),
    ],
)
def test_everything_else_is_an_error_and_sent_once(status: int, body: Any, kind: type[Exception]) -> None:
    says(RESOLVE, body, status, method="POST")
    with pytest.raises(kind):
        level().reset_alert(connection(), "al_123")
    assert len(responses.calls) == 1


@responses.activate
def test_an_alert_without_levels_id_cannot_be_asked_about() -> None:
    for ask in (level().alert, level().reset_alert):
        with pytest.raises(InvalidRequest, match="without its id"):
            ask(connection(), "device:dev_456:disk space low")
    assert len(responses.calls) == 0
