"""Which rule an alert meets: compiled once, evaluated in order, the first match wins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from marshmallow import ValidationError

from .contracts.rules import load_actions, load_conditions
from .contracts.strict import problems
from .patterns import compiled, found
from .types import AlertEvent

NAMED = 5
"""A list of more values is cut to so many in a sentence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule ready to be asked. ``fault`` says why it cannot be: then it matches nothing and warns.

    ``actions`` is ``None`` when the stored actions are invalid: the rule matches but only records.
    """

    id: UUID
    name: str
    severities: frozenset[str]
    activity_types: frozenset[str]
    alert_classes: frozenset[str]
    source_types: frozenset[str]
    organization_ids: frozenset[str]
    keywords: tuple[str, ...]
    pattern: Any
    actions: dict[str, Any] | None
    fault: str | None = None

    @property
    def needs_text(self) -> bool:
        """Whether the answer depends on the alert's message."""
        return bool(self.keywords) or self.pattern is not None


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
        severities=frozenset(checked.get("severities", ())),
        activity_types=frozenset(checked.get("activityTypes", ())),
        alert_classes=frozenset(checked.get("alertClasses", ())),
        source_types=frozenset(checked.get("sourceTypes", ())),
        organization_ids=frozenset(checked.get("organizationIds", ())),
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
        reason = reason or _text_mismatch(rule, event.message or "")
        if reason is None:
            steps.append({"code": "rule_matched", "rule": rule.name, "reason": _grounds(rule, event)})
            return Verdict(rule, False, tuple(steps))
        steps.append({"code": "rule_skipped", "rule": rule.name, "reason": reason})
    steps.append({"code": "no_rule"})
    return Verdict(None, False, tuple(steps))


def _mismatch(rule: Rule, event: AlertEvent) -> str | None:
    for wanted, value, word in (
        (rule.severities, event.severity.value, "severity"),
        (rule.activity_types, event.activity_type, "activity type"),
        (rule.alert_classes, event.alert_class, "alert class"),
        (rule.source_types, event.source_type, "source type"),
        (rule.organization_ids, event.external_organization_id, "organization"),
    ):
        if wanted and value not in wanted:
            return f"{word} {value or 'unknown'} is not {_listed(wanted)}"
    return None


def _text_mismatch(rule: Rule, message: str) -> str | None:
    lowered = message.lower()
    if rule.keywords and not any(word in lowered for word in rule.keywords):
        return f"the message has none of the keywords {_listed(rule.keywords)}"
    if rule.pattern is not None and not found(rule.pattern, message):
        return "the message does not match its pattern"
    return None


def _grounds(rule: Rule, event: AlertEvent) -> str:
    lowered = (event.message or "").lower()
    hit = next((word for word in rule.keywords if word in lowered), None)
    if hit:
        return f"keyword {hit}"
    if rule.severities:
        return f"severity {event.severity.value}"
    narrowed = rule.activity_types or rule.alert_classes or rule.source_types or rule.organization_ids
    return "its conditions hold" if narrowed or rule.pattern is not None else "it takes every alert"


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
