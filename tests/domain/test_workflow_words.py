"""Workflows in words."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.contracts.workflows import EVENTS as STARTING
from rmm_extension.domain.workflow_words import (
    EVENTS,
    LONGEST_SUMMARY,
    STATES,
    binding_words,
    condition_words,
    event_groups,
    event_words,
    in_minutes,
    starting,
)
from rmm_extension.domain.workflows import Binding, OnError, Step, Trigger, WorkflowState


def test_every_event_that_starts_workflows_has_words_of_its_own() -> None:
    assert set(STARTING) == set(EVENTS)
    offered = [name for _, options in event_groups() for name, _ in options]
    assert sorted(offered) == sorted(STARTING)


def test_an_event_without_words_is_called_by_its_name() -> None:
    assert event_words("SOMETHING_NEW").label == "something new"


def test_every_state_has_a_word() -> None:
    assert set(STATES) == set(WorkflowState)


@pytest.mark.parametrize(
    "trigger, words",
    [
        (Trigger(event="RMM_DEVICE_OFFLINE"), "When a device goes offline"),
        (
            Trigger(event="RMM_ALERT_TRIGGERED", once_per_minutes=1440),
            "When an alert fires, at most once in 1 day about the same",
        ),
        (Trigger(event="MANUAL", subjects=["alert"]), "A person starts it from an alert"),
        (
            Trigger(event="MANUAL", subjects=["alert", "ticket", "asset"]),
            "A person starts it from an alert, a ticket or an asset",
        ),
        (Trigger(event="MANUAL"), "A person starts it from nowhere yet"),
    ],
)
def test_what_starts_it(trigger: Trigger, words: str) -> None:
    assert starting(trigger) == words


@pytest.mark.parametrize(
    "minutes, words",
    [(1, "1 minute"), (90, "90 minutes"), (60, "1 hour"), (120, "2 hours"), (10_080, "7 days")],
)
def test_minutes(minutes: int, words: str) -> None:
    assert in_minutes(minutes) == words


@pytest.mark.parametrize(
    "value, words",
    [
        (True, "yes"),
        (None, "nothing"),
        (["a", 2], "a, 2"),
        ({"a": False}, "a no"),
        ("a\n b", "a b"),
        ("", ""),
    ],
)
def test_values(value: Any, words: str) -> None:
    assert binding_words(Binding(value=value)) == words


def test_long_ones_are_cut() -> None:
    for binding in (Binding(value="x" * 500), Binding(template="x" * 500), Binding(value=["x" * 99] * 99)):
        assert len(binding_words(binding)) == LONGEST_SUMMARY


def test_conditions() -> None:
    step = Step(id="a", name="A", action="x")
    assert condition_words(step) == ""
    held = Step(id="a", name="A", action="x", when="ticket", on_error=OnError.CONTINUE)
    assert condition_words(held) == "only if ticket; if it fails, the next step follows"
