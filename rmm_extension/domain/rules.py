"""Which rule an alert meets: compiled once, evaluated in order, the first match wins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from marshmallow import ValidationError

from .contracts.rules import load_actions, load_conditions
from .contracts.strict import problems
from .patterns import compiled, found
from .types import AlertEvent

NAMED = 5
"""A list of more values is cut to so many in a sentence."""


class Narrowing(NamedTuple):
    """A field of the event that must have one of these values; ``word`` is what people call it."""

    field: str
    word: str
    wanted: frozenset[str]


_LISTS = (
    ("severities", "severity", "severity"),
    ("activityTypes", "activity_type", "activity type"),
    ("alertClasses", "alert_class", "alert class"),
    ("sourceTypes", "source_type", "source type"),
    ("organizationIds", "external_organization_id", "organization"),
)
"""A condition of the contract, the event's field it is about, and its word."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule ready to be asked. ``fault`` says why it cannot be: then it matches nothing and warns.

    ``lists`` are the lists it narrows by. ``actions`` is ``None`` when the stored actions are invalid: the
    rule matches but only records.
    """

    id: UUID
    name: str
    lists: tuple[Narrowing, ...]
    keywords: tuple[str, ...]
    pattern: Any
    actions: dict[str, Any] | None
    fault: str | None = None

    @property
    def needs_text(self) -> bool:
        """Whether the answer depends on the alert's message."""
        return bool(self.keywords) or self.pattern is not None


def uses_routing(rule: Rule) -> bool:
    """Whether the connection's routing stands in for what the rule leaves open."""
    return rule.actions is not None and bool(rule.actions["useRouting"])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say. ``needs_text``: the text may change the answer and is not here yet.

    ``steps`` are the history's words: each rule asked and why it did or did not match.
    """

    rule: Rule | None
    needs_text: bool
    steps: tuple[dict[str, Any], ...]


def compile_rule(rule_id: UUID, name: str, conditions: Any, actions: Any) -> Rule:
    """Make a stored rule askable; broken JSON or a broken pattern becomes its ``fault``."""
    try:
        checked, fault = load_conditions(_as_object(conditions)), None
    except (ValidationError, ValueError) as error:
        checked, fault = {}, f"its conditions cannot be read ({_flat(error)})"
    return Rule(
        id=rule_id,
        name=name,
        lists=tuple(
            Narrowing(name, word, frozenset(checked[key])) for key, name, word in _LISTS if checked.get(key)
        ),
        keywords=tuple(word.lower() for word in checked.get("keywords", ())),
        pattern=_pattern(checked.get("messagePattern")),
        actions=_actions(actions),
        fault=fault,
    )


def evaluate(rules: Sequence[Rule], event: AlertEvent, *, text_may_come: bool = False) -> Verdict:
    """Ask the rules in order.

    With ``text_may_come`` and no message in the event, the first rule that passes everything but its text
    conditions stops the evaluation: the decision waits for the text.
    """
    steps: list[dict[str, Any]] = []
    for rule in rules:
        if rule.fault:
            steps.append(
                {"code": "warning", "message": f"Rule {rule.name} ({rule.id}) was skipped: {rule.fault}."}
            )
            continue
        reason = _mismatch(rule, event)
        if reason is None and rule.needs_text and event.message is None and text_may_come:
            return Verdict(None, True, tuple(steps))
        reason = reason or _text_mismatch(rule, event)
        if reason is None:
            steps.append({"code": "rule_matched", "rule": rule.name, "reason": _grounds(rule, event)})
            return Verdict(rule, False, tuple(steps))
        steps.append({"code": "rule_skipped", "rule": rule.name, "reason": reason})
    steps.append({"code": "no_rule"})
    return Verdict(None, False, tuple(steps))


def winner(rules: Sequence[Rule], event: AlertEvent) -> Rule | None:
    """The rule that :func:`evaluate` finds, without the words: several times as fast."""
    for rule in rules:
        if not rule.fault and _missed(rule, event) is None and _text_fits(rule, event):
            return rule
    return None


def _missed(rule: Rule, event: AlertEvent) -> Narrowing | None:
    """The first list that the event is not in."""
    for narrowing in rule.lists:
        if getattr(event, narrowing.field) not in narrowing.wanted:
            return narrowing
    return None


def _mismatch(rule: Rule, event: AlertEvent) -> str | None:
    missed = _missed(rule, event)
    if missed is None:
        return None
    return f"{missed.word} {getattr(event, missed.field) or 'unknown'} is not {_listed(missed.wanted)}"


def _texts(event: AlertEvent) -> tuple[str, ...]:
    """What keywords and patterns are looked for in: the message and, where there is one, the title."""
    message = event.message or ""
    return (message,) if event.title is None else (event.title, message)


def _text_fits(rule: Rule, event: AlertEvent) -> bool:
    if not rule.needs_text:
        return True
    texts = _texts(event)
    if rule.keywords and _keyword(rule, texts) is None:
        return False
    return rule.pattern is None or any(found(rule.pattern, text) for text in texts)


def _keyword(rule: Rule, texts: Sequence[str]) -> str | None:
    """The first of the rule's keywords that one of the texts has."""
    lowered = [text.lower() for text in texts]
    return next((word for word in rule.keywords if any(word in text for text in lowered)), None)


def _text_mismatch(rule: Rule, event: AlertEvent) -> str | None:
    if _text_fits(rule, event):
        return None
    what = "message has" if event.title is None else "title and message have"
    if rule.keywords and _keyword(rule, _texts(event)) is None:
        return f"the {what} none of the keywords {_listed(rule.keywords)}"
    return f"the {'message does' if event.title is None else 'title and message do'} not match its pattern"


def _grounds(rule: Rule, event: AlertEvent) -> str:
    hit = _keyword(rule, _texts(event))
    if hit:
        return f"keyword {hit}"
    if rule.lists and rule.lists[0].field == "severity":
        return f"severity {event.severity.value}"
    return "its conditions hold" if rule.lists or rule.pattern is not None else "it takes every alert"


@lru_cache(maxsize=4096)
def _listed(words: Sequence[str] | frozenset[str]) -> str:
    """Some words in a sentence. A rule has the same ones for every alert."""
    named = sorted(words)
    if len(named) > NAMED:
        named = [*named[: NAMED - 1], f"one of {len(named) - NAMED + 1} others"]
    return " or ".join(named)


def _pattern(value: str | None) -> Any:
    return None if value is None else compiled(value)


def _actions(value: Any) -> dict[str, Any] | None:
    try:
        return load_actions(_as_object(value))
    except (ValidationError, ValueError):
        return None


def _as_object(value: Any) -> dict[str, Any]:
    """Rules stored as JSON text are tolerated."""
    loaded = json.loads(value) if isinstance(value, str) else value
    if not isinstance(loaded, dict):
        raise ValueError("not a JSON object")
    return loaded


def _flat(error: Exception) -> str:
    if isinstance(error, ValidationError):
        told = [f"{path}: {text.rstrip('.')}" for path, texts in problems(error).items() for text in texts]
        return "; ".join(told)
    return str(error)
