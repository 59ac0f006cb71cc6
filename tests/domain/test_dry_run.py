"""The replay of past alerts: its clock, its end, its words. That it does as ingest does: see the services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

from rmm_extension.domain.dry_run import OUTCOMES, Fate, PastAlert, Setting, simulate, steps
from rmm_extension.domain.dry_run_words import sentences
from rmm_extension.domain.rules import Rule, compile_rule
from rmm_extension.domain.types import AlertEvent, AlertKind, Severity
from rmm_extension.domain.windows import Window

NOON = datetime(2026, 6, 12, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONNECTION = UUID(int=1)


def alert(number: int, minute: int, until: int | None = None, **changes: Any) -> PastAlert:
    began = NOON + minute * MINUTE
    event = AlertEvent(
        kind=AlertKind.TRIGGERED,
        external_id=str(number),
        occurred_at=began,
        severity=Severity.MAJOR,
        message="Disk C: is full",
    )
    values = {"client_id": "client", "asset_id": None, "key": "dev|disk"} | changes
    resolved = None if until is None else NOON + until * MINUTE
    return PastAlert(UUID(int=number), event, resolved_at=resolved, **values)


def rule(conditions: dict[str, Any] | None = None, **actions: Any) -> Rule:
    return compile_rule(uuid4(), "Disks", conditions or {}, {"autoResolveTicket": True, **actions})


def setting(*rules: Rule, now: int = 10_000, **changes: Any) -> Setting:
    values = {"windows": (), "integration_id": CONNECTION, "provider": "tacticalrmm"} | changes
    return Setting(rules=rules, now=NOON + now * MINUTE, **values)


def outcomes(found: list[Fate]) -> list[str]:
    return [fate.outcome for fate in found]


def test_what_is_due_later_than_now_has_not_happened() -> None:
    night = Window(uuid4(), "Night", None, None, None, NOON, NOON + 60 * MINUTE, None)
    held = alert(1, 0, key="a")
    assert outcomes(simulate(setting(rule(holdMinutes=30), now=29), [held])) == ["held"]
    assert outcomes(simulate(setting(rule(holdMinutes=30), now=30), [held])) == ["ticket_created"]
    assert outcomes(simulate(setting(rule(), now=59, windows=[night]), [held])) == ["suppressed"]
    assert outcomes(simulate(setting(rule(), now=60, windows=[night]), [held])) == ["ticket_created"]


def test_an_end_from_before_the_beginning_ends_nothing() -> None:
    (fate,) = simulate(setting(rule(holdMinutes=5)), [alert(1, 0, -10)])
    assert fate.outcome == "ticket_created"
    assert fate.ticket is not None
    assert fate.ticket.closed_at is None


def test_an_alert_of_another_client_has_a_ticket_of_its_own() -> None:
    found = simulate(
        setting(rule()), [alert(1, 0), alert(2, 1, client_id="other"), alert(3, 2, client_id=None)]
    )
    assert outcomes(found) == ["ticket_created", "ticket_created", "occurrence_appended"]


def test_without_tickets_in_the_host_alerts_are_recorded() -> None:
    (fate,) = simulate(setting(rule(), takes_tickets=False), [alert(1, 0)])
    assert fate.outcome == "recorded_only"
    assert sentences(steps(setting(rule(), takes_tickets=False), fate))[-1] == (
        "Recorded without a ticket: this PSA takes no tickets."
    )


def test_a_rule_whose_actions_cannot_be_read_only_records() -> None:
    broken = compile_rule(uuid4(), "Broken", {}, {"teamId": "x"})
    (fate,) = simulate(setting(broken), [alert(1, 0)])
    assert (fate.outcome, fate.rule) == ("recorded_only", broken)


def test_windows_without_a_gap_suppress_for_ever() -> None:
    halves = [
        Window(uuid4(), name, None, None, None, None, None, recurrence(start, end))
        for name, start, end in (("Day", "06:00", "18:00"), ("Night", "18:00", "06:00"))
    ]
    (fate,) = simulate(setting(rule(), windows=halves), [alert(1, 0)])
    assert fate.outcome == "suppressed"


def recurrence(start: str, end: str) -> dict[str, Any]:
    return {
        "type": "weekly",
        "days": [0, 1, 2, 3, 4, 5, 6],
        "startTime": start,
        "endTime": end,
        "timezone": "UTC",
    }


def test_the_story_is_told_in_the_words_of_the_history() -> None:
    night = Window(uuid4(), "Night", None, None, None, NOON, NOON + 5 * MINUTE, None)
    met = setting(rule({"keywords": ["disk"]}, holdMinutes=10), windows=[night])
    (fate,) = simulate(met, [alert(1, 0, 30)])
    assert sentences(steps(met, fate)) == [
        "Received by webhook from Tactical RMM (severity major).",
        "Suppressed by the maintenance window “Night”.",
        sentences([{"code": "window_ended", "window": "Night"}])[0],
        "In no maintenance window.",
        "Rule “Disks” matched: keyword disk.",
        "The rule makes a ticket only of what lasts 10 minutes: waiting until 12:10 UTC.",
        "The alert has lasted as long as the rule waits for.",
        "In no maintenance window.",
        "Rule “Disks” matched: keyword disk.",
        "A ticket would be made.",
        "Cleared in Tactical RMM.",
        "Its ticket would be closed.",
    ]


def test_the_order_in_which_alerts_are_given_does_not_matter() -> None:
    alerts = [
        alert(number, number % 7, number % 7 + number % 5, key=f"k{number % 3}") for number in range(40)
    ]
    shuffled = Random(1).sample(alerts, len(alerts))
    met = setting(rule(holdMinutes=2, reopenWithinMinutes=3))
    assert [(f.alert.id, f.outcome) for f in simulate(met, shuffled)] == [
        (f.alert.id, f.outcome) for f in simulate(met, alerts)
    ]
    assert set(outcomes(simulate(met, alerts))) <= OUTCOMES.keys()
