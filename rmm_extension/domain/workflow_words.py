"""Workflows in words: what starts one, how it stands, and what its steps take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .contracts.events import BY_NAME
from .values import one_line
from .workflows import Binding, OnError, Step, Trigger, WorkflowState

LONGEST_SUMMARY = 120
"""So many characters of an input stand on the card of its step."""

STATES = {
    WorkflowState.DRAFT: "Draft",
    WorkflowState.PUBLISHED: "On",
    WorkflowState.PAUSED: "Paused",
}
"""Every state of a workflow in a word."""

SUBJECT_WORDS = {"alert": "an alert", "ticket": "a ticket", "asset": "an asset", "device": "a device"}
"""What a person may start a workflow from."""


@dataclass(frozen=True, slots=True)
class EventWords:
    """An event as pages name it: ``label`` reads “Starts when …”, ``about`` is what it is about."""

    label: str
    group: str
    about: str


EVENTS = {
    "RMM_ALERT_TRIGGERED": EventWords("an alert fires", "Alerts", "alert"),
    "RMM_ALERT_ACKNOWLEDGED": EventWords("an alert is acknowledged", "Alerts", "alert"),
    "RMM_ALERT_RESOLVED": EventWords("an alert is over", "Alerts", "alert"),
    "RMM_ALERT_TICKET_LINKED": EventWords("an alert gets its ticket", "Alerts", "alert"),
    "RMM_WEBHOOK_RECEIVED": EventWords("a vendor's webhook changes an alert", "Alerts", "alert"),
    "TICKET_CREATED": EventWords("a ticket is made from an alert", "Tickets", "ticket"),
    "TICKET_CLOSED": EventWords("a ticket is closed", "Tickets", "ticket"),
    "RMM_DEVICE_CREATED": EventWords("a device is seen for the first time", "Devices", "device"),
    "RMM_DEVICE_UPDATED": EventWords("a device changes", "Devices", "device"),
    "RMM_DEVICE_SYNCED": EventWords("a device is read anew by itself", "Devices", "device"),
    "RMM_DEVICE_ONLINE": EventWords("a device comes online", "Devices", "device"),
    "RMM_DEVICE_OFFLINE": EventWords("a device goes offline", "Devices", "device"),
    "RMM_DEVICE_DELETED": EventWords("a device is gone", "Devices", "device"),
    "RMM_SYNC_STARTED": EventWords("a sync begins", "Syncs", "connection"),
    "RMM_SYNC_COMPLETED": EventWords("a sync ends well", "Syncs", "connection"),
    "RMM_SYNC_FAILED": EventWords("a sync fails", "Syncs", "connection"),
    "INTEGRATION_CONNECTED": EventWords("a connection works", "Connections", "connection"),
    "INTEGRATION_FAILED": EventWords("a connection needs a person", "Connections", "connection"),
    "INTEGRATION_DISCONNECTED": EventWords("a connection is taken away", "Connections", "connection"),
}
"""How pages name the events that start workflows, in the order of the list they are chosen from."""


def event_words(name: str) -> EventWords:
    """The words of an event; one without words of its own is called by its name."""
    return EVENTS.get(name) or EventWords(name.replace("_", " ").lower(), "Others", "")


def event_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every event by group, as (name, label), for the list it is chosen from."""
    found: dict[str, list[tuple[str, str]]] = {}
    known = set(BY_NAME)
    for name in [*(name for name in EVENTS if name in known), *sorted(known - set(EVENTS))]:
        words = event_words(name)
        found.setdefault(words.group, []).append((name, f"When {words.label}"))
    return list(found.items())


def starting(trigger: Trigger) -> str:
    """What starts a workflow, in a sentence without its full stop."""
    if trigger.is_manual:
        return f"A person starts it from {_either([SUBJECT_WORDS.get(one, one) for one in trigger.subjects])}"
    pause = f", at most once in {in_minutes(trigger.once_per_minutes)} about the same"
    return f"When {event_words(trigger.event).label}{pause if trigger.once_per_minutes else ''}"


def in_minutes(minutes: int) -> str:
    """A number of minutes in the largest whole unit: “2 hours”, “1 day”, “90 minutes”."""
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0:
            number = minutes // size
            return f"{number} {unit}{'' if number == 1 else 's'}"
    raise AssertionError("every number of minutes is a multiple of one")


def binding_words(binding: Binding) -> str:
    """An input as the card of its step shows it, in one line."""
    return _line(binding.template) if binding.template is not None else value_words(binding.value)


def condition_words(step: Step) -> str:
    """When a step is done and what follows its failure; empty where both are as usual."""
    parts = [f"only if {step.when}"] if step.when else []
    if step.on_error is OnError.CONTINUE:
        parts.append("if it fails, the next step follows")
    return "; ".join(parts)


def value_words(value: Any) -> str:
    """A value in one line, cut where it is long."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _line(", ".join(value_words(one) for one in value))
    if isinstance(value, dict):
        return _line(", ".join(f"{name} {value_words(one)}" for name, one in value.items()))
    return "nothing" if value is None else _line(str(value))


def _line(text: str) -> str:
    return one_line(text, LONGEST_SUMMARY)


def _either(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words) or "nowhere yet"
    return f"{', '.join(words[:-1])} or {words[-1]}"
