"""What rules and windows make of alerts that are known from their beginning to their end.

The replay obeys the clock of the alerts: each is decided on when it was triggered, again when its maintenance
window or its hold ends, and is over when it was resolved. Nobody works on the tickets meanwhile. It is the
pipeline of ingest without a database; what it says must be what ingest would do to an empty tenant.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any
from uuid import UUID

from .routing import NO_ROUTING, Routing
from .routing import place as where
from .rules import Rule, evaluate, uses_routing, winner
from .ticket_text import still_active
from .types import AlertEvent, Channel
from .window_calendar import Calendar
from .windows import Window, matching

OUTCOMES: Mapping[str, str] = {
    "ticket_created": "Ticket",
    "occurrence_appended": "Joined a ticket",
    "ticket_reopened": "Reopened a ticket",
    "recorded_only": "Recorded only",
    "no_client": "No client, so no ticket",
    "routing_incomplete": "Routing incomplete, so no ticket",
    "suppressed": "In a maintenance window",
    "held": "Still waiting",
    "held_back": "Over before its ticket was due",
    "awaiting_details": "Without its text",
}
"""What can become of an alert, in a few words."""

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PastAlert:
    """A stored alert as it would arrive: ``event`` is how it began, ``resolved_at`` when it was over.

    ``text_may_come``: its text is not known and is asked for before rules that need it are decided.
    ``makes_tickets`` is what its organization's mapping wants; ``channel`` the way it was first heard of.
    """

    id: UUID
    event: AlertEvent
    key: str
    resolved_at: datetime | None
    client_id: str | None
    asset_id: str | None
    organization: str | None = None
    text_may_come: bool = False
    makes_tickets: bool = True
    channel: Channel = Channel.WEBHOOK


@dataclass(frozen=True, slots=True)
class Setting:
    """What the alerts meet. ``now`` ends the replay: what is due later has not happened.

    ``detail_wait`` is how long a text is waited for; ``takes_tickets`` whether the host does.
    ``routing_lacks`` is what the routing is not complete for, in words.
    """

    rules: Sequence[Rule]
    windows: Sequence[Window]
    integration_id: UUID
    provider: str
    now: datetime
    detail_wait: timedelta = timedelta(0)
    takes_tickets: bool = True
    routing: Routing = NO_ROUTING
    routing_lacks: Sequence[str] = ()


@dataclass(slots=True)
class Ticket:
    """A ticket of the replay; ``holding`` are the alerts on it that are not over."""

    number: int
    client_id: str | None
    closed_at: datetime | None = None
    holding: int = 0


@dataclass(slots=True)
class Fate:
    """What became of one alert: the last ``outcome``, the ``rule`` that took it and its ``ticket``."""

    alert: PastAlert
    outcome: str = ""
    rule: Rule | None = None
    ticket: Ticket | None = None
    held_until: datetime | None = None
    over: bool = False
    story: list[_Chapter] = field(default_factory=list)


@dataclass(slots=True)
class _Chapter:
    """One decision, or the end: the windows that held, and what is told before and after the rules."""

    windows: Sequence[Window] = ()
    asks_rules: bool = False
    may_wait: bool = False
    before: tuple[Step, ...] = ()
    after: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class _Condition:
    """What alerts with the same key share: their last ticket, and how many firings are on it."""

    ticket: Ticket | None = None
    count: int = 0


class _Due(IntEnum):
    """What happens first when several things happen at the same time."""

    TRIGGER = 0
    RESET = 1
    DECISION = 2


def simulate(setting: Setting, alerts: Iterable[PastAlert]) -> list[Fate]:
    """The fate of every alert, in the order in which they began."""
    return _Replay(setting).run(sorted(alerts, key=lambda alert: (alert.event.occurred_at, alert.id)))


def steps(setting: Setting, fate: Fate) -> list[Step]:
    """The alert's history in steps, as ingest would write them; its tickets have no numbers."""
    told: list[Step] = [
        {
            "code": "received",
            "channel": fate.alert.channel,
            "provider": setting.provider,
            "severity": fate.alert.event.severity,
        }
    ]
    for chapter in fate.story:
        told += [*chapter.before, *_window_steps(setting, chapter)]
        if chapter.asks_rules:
            waits = chapter.may_wait
            told += evaluate(setting.rules, fate.alert.event, text_may_come=waits).steps
        told += chapter.after
    return told


_MEETING = 1_000
"""So many windows that follow each other without a gap are seen through; after that none ends."""


class _Replay:
    """The state of the tenant while the alerts arrive."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.conditions: dict[str, _Condition] = {}
        self.tickets = 0
        self.due: list[tuple[datetime, _Due, int]] = []
        self.calendar = Calendar(setting.windows)

    def run(self, alerts: Sequence[PastAlert]) -> list[Fate]:
        fates = [Fate(alert) for alert in alerts]
        self.due = [(fate.alert.event.occurred_at, _Due.TRIGGER, place) for place, fate in enumerate(fates)]
        while self.due:
            at, what, place = heapq.heappop(self.due)
            fate = fates[place]
            if what is _Due.TRIGGER:
                self._begin(fate, place)
            elif what is _Due.RESET:
                self._end(fate, at)
            elif not fate.over:
                self._decide(fate, place, at)
        return fates

    def _begin(self, fate: Fate, place: int) -> None:
        began, resolved = fate.alert.event.occurred_at, fate.alert.resolved_at
        # An end from before the beginning is older news: the alert stays open.
        if resolved is not None and resolved >= began:
            heapq.heappush(self.due, (resolved, _Due.RESET, place))
        self._decide(fate, place, began)

    def _decide(self, fate: Fate, place: int, at: datetime) -> None:
        first = not fate.story
        holding = self._holding(fate.alert, at)
        windows = [window for window, _ in holding.values()]
        chapter = _Chapter(before=_why_again(fate), windows=windows)
        fate.story.append(chapter)
        fate.rule = None
        if holding:
            fate.outcome, fate.held_until = "suppressed", None
            self._again(place, self._free_at(fate.alert, at))
            return
        chapter.asks_rules = True
        chapter.may_wait = first and fate.alert.text_may_come and bool(self.setting.detail_wait)
        if chapter.may_wait and self._needs_text(fate.alert.event):
            self._await_text(fate, chapter, place, at)
            return
        fate.rule = winner(self.setting.rules, fate.alert.event)
        self._act(fate, chapter, place, at)

    def _needs_text(self, event: AlertEvent) -> bool:
        return evaluate(self.setting.rules, event, text_may_come=True).needs_text

    def _await_text(self, fate: Fate, chapter: _Chapter, place: int, at: datetime) -> None:
        wait = self.setting.detail_wait
        chapter.after.append({"code": "awaiting_details", "seconds": int(wait.total_seconds())})
        fate.outcome = "awaiting_details"
        self._again(place, at + wait)

    def _act(self, fate: Fate, chapter: _Chapter, place: int, at: datetime) -> None:
        rule = fate.rule
        fate.outcome = "recorded_only"
        if rule is None:
            return
        if rule.actions is None:
            message = f"The actions of rule {rule.name} ({rule.id}) cannot be read: treated as record-only."
            chapter.after.append({"code": "warning", "message": message})
        elif not rule.actions["createTicket"]:
            reason = f"rule {rule.name} makes no ticket"
            chapter.after.append({"code": "record_only", "reason": reason})
        elif not fate.alert.makes_tickets:
            chapter.after.append({"code": "opted_out", "organization": fate.alert.organization})
        elif not self.setting.takes_tickets:
            chapter.after.append({"code": "record_only", "reason": "this PSA takes no tickets"})
        else:
            self._ticket(fate, chapter, rule, place, at)

    def _ticket(self, fate: Fate, chapter: _Chapter, rule: Rule, place: int, at: datetime) -> None:
        assert rule.actions is not None
        actions = rule.actions
        condition = self.conditions.setdefault(fate.alert.key, _Condition())
        waited, fate.held_until = fate.held_until, None
        count = condition.count + 1
        if self._joins(fate, chapter, condition, count):
            return
        if waited is None and self._held(fate, chapter, actions["holdMinutes"], place, at):
            return
        if self._reopens(fate, chapter, condition, count, actions["reopenWithinMinutes"]):
            return
        obstacle = self._obstacle(fate.alert, rule)
        if obstacle is not None:
            chapter.after.append(obstacle)
            fate.outcome = obstacle["code"]
            return
        self.tickets += 1
        goes = where(self.setting.routing, actions, fate.alert.client_id, fate.alert.event.severity)
        condition.ticket, condition.count = Ticket(self.tickets, goes.client_id), 1
        self._is_on(fate, condition.ticket, "ticket_created")
        chapter.after.append({"code": "ticket_created"})

    def _obstacle(self, alert: PastAlert, rule: Rule) -> Step | None:
        lacks = self.setting.routing_lacks
        if uses_routing(rule) and lacks:
            return {"code": "routing_incomplete", "lacks": list(lacks)}
        if alert.client_id is None and not uses_routing(rule):
            return {"code": "no_client", "organization": alert.organization}
        return None

    def _joins(self, fate: Fate, chapter: _Chapter, condition: _Condition, count: int) -> bool:
        ticket = condition.ticket
        if ticket is None or ticket.closed_at is not None or not _same_client(fate, ticket):
            return False
        condition.count = count
        self._is_on(fate, ticket, "occurrence_appended")
        chapter.after.append({"code": "joined_ticket", "count": count})
        return True

    def _held(self, fate: Fate, chapter: _Chapter, minutes: int, place: int, at: datetime) -> bool:
        until = fate.alert.event.occurred_at + timedelta(minutes=minutes)
        if not minutes or until <= at:
            return False
        fate.outcome, fate.held_until = "held", until
        chapter.after.append({"code": "held", "minutes": minutes, "until": until.isoformat()})
        self._again(place, until)
        return True

    def _reopens(
        self, fate: Fate, chapter: _Chapter, condition: _Condition, count: int, minutes: int
    ) -> bool:
        ticket = condition.ticket
        since = fate.alert.event.occurred_at - timedelta(minutes=minutes)
        if not minutes or ticket is None or not _same_client(fate, ticket):
            return False
        if ticket.closed_at is None or ticket.closed_at < since:
            return False
        ticket.closed_at, condition.count = None, count
        self._is_on(fate, ticket, "ticket_reopened")
        chapter.after.append({"code": "ticket_reopened", "minutes": minutes})
        return True

    def _is_on(self, fate: Fate, ticket: Ticket, outcome: str) -> None:
        fate.ticket, fate.outcome = ticket, outcome
        ticket.holding += 1

    def _end(self, fate: Fate, at: datetime) -> None:
        fate.over = True
        chapter = _Chapter(before=({"code": "cleared", "provider": self.setting.provider},))
        fate.story.append(chapter)
        if fate.outcome == "held":
            fate.outcome = "held_back"
        ticket = fate.ticket
        if ticket is None:
            return
        ticket.holding -= 1
        assert fate.rule is not None
        assert fate.rule.actions is not None
        if not fate.rule.actions["autoResolveTicket"]:
            chapter.after.append({"code": "ticket_untouched_rule_off"})
        elif ticket.closed_at is None and ticket.holding == 0:
            ticket.closed_at = at
            chapter.after.append({"code": "ticket_closed"})
        elif ticket.closed_at is None:
            chapter.after.append({"code": "ticket_kept", "reason": still_active(ticket.holding)})

    def _again(self, place: int, at: datetime | None) -> None:
        if at is not None and at <= self.setting.now:
            heapq.heappush(self.due, (at, _Due.DECISION, place))

    def _holding(self, alert: PastAlert, at: datetime) -> dict[UUID, tuple[Window, datetime]]:
        """The windows that hold for the alert, each with its end."""
        near = {window.id: (window, end) for window, end in self.calendar.holding(at)}
        if not near:
            return {}
        found = matching(
            [window for window, _ in near.values()],
            at,
            integration_id=self.setting.integration_id,
            client_id=alert.client_id,
            asset_id=alert.asset_id,
        )
        return {window.id: near[window.id] for window in found}

    def _free_at(self, alert: PastAlert, at: datetime) -> datetime | None:
        """When no window holds for the alert any more; windows that overlap or meet are one long one."""
        for _ in range(_MEETING):
            holding = self._holding(alert, at)
            if not holding:
                return at
            at = max(end for _, end in holding.values())
        return None


def _why_again(fate: Fate) -> tuple[Step, ...]:
    """What is told before an alert is decided on once more: what it waited for."""
    if fate.outcome == "suppressed":
        return ({"code": "window_ended", "window": fate.story[-1].windows[0].name},)
    code = {"held": "hold_over", "awaiting_details": "details_missing"}.get(fate.outcome)
    return ({"code": code},) if code else ()


def _window_steps(setting: Setting, chapter: _Chapter) -> list[Step]:
    if chapter.windows:
        return [{"code": "suppressed", "window": window.name} for window in chapter.windows]
    return [{"code": "no_window"}] if chapter.asks_rules and setting.windows else []


def _same_client(fate: Fate, ticket: Ticket) -> bool:
    """An alert without a client joins whatever ticket its condition has."""
    return fate.alert.client_id is None or fate.alert.client_id == ticket.client_id
