"""What a workflow's document may be, what is refused in which words, and that storing it loses nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.contracts.workflows import (
    LONGEST_TEMPLATE,
    LONGEST_VALUE,
    MOST_INPUTS,
    MOST_STEPS,
    kept_document,
    load_definition,
)
from rmm_extension.domain.errors import Invalid
from rmm_extension.domain.workflows import Binding, OnError

TRIGGER = {"event": "RMM_ALERT_TRIGGERED"}
MANUAL = {"event": "MANUAL", "subjects": ["alert"]}
STEP = {"id": "look", "name": "Look", "action": "tacticalrmm.agents.get"}


def document(*steps: dict[str, Any], trigger: dict[str, Any] = TRIGGER) -> dict[str, Any]:
    return {"trigger": trigger, "steps": list(steps)}


def refused(found: dict[str, Any]) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as caught:
        load_definition(found)
    return caught.value.errors


def test_what_goes_without_saying_is_filled_in() -> None:
    (step,) = load_definition(document(STEP)).steps
    assert (step.version, step.on_error, step.inputs, step.when) == (1, OnError.STOP, {}, None)
    assert load_definition(document()).trigger.once_per_minutes == 0


def test_a_null_is_kept_as_the_value_it_is() -> None:
    kept = kept_document(document({**STEP, "inputs": {"a": {"value": None}, "b": {"template": "{{ x }}"}}}))
    assert kept["steps"][0]["inputs"] == {"a": {"value": None}, "b": {"template": "{{ x }}"}}
    assert load_definition(kept).steps[0].inputs["a"] == Binding(value=None)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=10,
)


@given(JSON, st.sampled_from(["stop", "continue"]), st.integers(0, 10_080))
def test_what_is_stored_is_what_was_meant(value: Any, on_error: str, minutes: int) -> None:
    step = {**STEP, "onError": on_error, "inputs": {"x": {"value": value}, "y.z": {"template": "a {{ b }}"}}}
    given_ = document(step, trigger={**TRIGGER, "filter": "true", "oncePerMinutes": minutes})
    kept = kept_document(given_)
    assert kept_document(kept) == kept
    assert load_definition(kept) == load_definition(given_)


@pytest.mark.parametrize(
    "found, path, words",
    [
        ({}, "trigger", "Fill this in"),
        ({"trigger": TRIGGER}, "steps", "Fill this in"),
        (
            document(trigger={"event": "SUNRISE"}),
            "trigger.event",
            "Choose one of: MANUAL, RMM_ALERT_TRIGGERED",
        ),
        (document(trigger={"event": "MANUAL"}), "trigger.subjects", "at least one place"),
        (
            document(trigger={**TRIGGER, "subjects": ["alert"]}),
            "trigger.subjects",
            "Only a workflow that people",
        ),
        (
            document(trigger={**MANUAL, "subjects": ["moon"]}),
            "trigger.subjects.0",
            "Choose one of: alert, ticket",
        ),
        (document(trigger={**TRIGGER, "oncePerMinutes": -1}), "trigger.oncePerMinutes", "from 0 to 10,080"),
        (document({**STEP, "id": "Look"}), "steps.0.id", "small letters"),
        (document({**STEP, "id": "a b"}), "steps.0.id", "small letters"),
        (document({**STEP, "id": None}), "steps.0.id", "Fill this in"),
        (document({**STEP, "name": " "}), "steps.0.name", "This is empty"),
        (document({**STEP, "onError": "panic"}), "steps.0.onError", "stop, continue"),
        (document({**STEP, "version": 0}), "steps.0.version", "whole number"),
        (document({**STEP, "colour": "red"}), "steps.0.colour", "no such setting"),
        (document({**STEP, "connection": "mine"}), "steps.0.connection", "no connection"),
        (document({**STEP, "when": "x" * 2_001}), "steps.0.when", "too long"),
        (document({**STEP, "device": {}}), "steps.0.device", "either a value or a template"),
        (
            document({**STEP, "inputs": {"a": {"value": 1, "template": "1"}}}),
            "steps.0.inputs.a",
            "either a value",
        ),
        (document({**STEP, "inputs": {"a": 1}}), "steps.0.inputs.a", "must be an object"),
        (
            document({**STEP, "inputs": {"a": {"value": "\x00"}}}),
            "steps.0.inputs.a.value",
            "cannot be stored",
        ),
        (
            document({**STEP, "inputs": {"a": {"value": "\ud800"}}}),
            "steps.0.inputs.a.value",
            "cannot be stored",
        ),
        (document({**STEP, "inputs": {"a": {"value": float("nan")}}}), "steps.0.inputs.a.value", "of JSON"),
        (
            document({**STEP, "inputs": {"a": {"value": "x" * LONGEST_VALUE}}}),
            "steps.0.inputs.a.value",
            "too long",
        ),
        (
            document({**STEP, "inputs": {"a": {"template": "x" * (LONGEST_TEMPLATE + 1)}}}),
            "steps.0.inputs.a.template",
            "too long",
        ),
        (
            document({**STEP, "inputs": {f"n{i}": {"value": 1} for i in range(MOST_INPUTS + 1)}}),
            "steps.0.inputs",
            "too many",
        ),
        (document(STEP, {**STEP, "name": "Again"}), "steps.1.id", "Another step has this name"),
        (
            document(*({**STEP, "id": f"s{i}"} for i in range(MOST_STEPS + 1))),
            "steps",
            "too many: at most 30",
        ),
        (
            document(trigger={**MANUAL, "fields": [{"name": "a", "label": "A"}] * 2}),
            "trigger.fields.1.name",
            "Another field",
        ),
        (
            document(trigger={**MANUAL, "fields": [{"name": "a", "label": "A", "kind": "choice"}]}),
            "trigger.fields.0.choices",
            "has choices",
        ),
        (
            document(trigger={**MANUAL, "fields": [{"name": "a", "label": "A", "choices": ["x"]}]}),
            "trigger.fields.0.choices",
            "nothing else has",
        ),
    ],
)
def test_what_is_refused_says_where_and_why(found: dict[str, Any], path: str, words: str) -> None:
    errors = refused(found)
    assert list(errors) == [path] or (not found and path in errors)
    assert words in errors[path][0]


def test_a_value_may_be_deep_but_not_bottomless() -> None:
    deep: Any = "x"
    for _ in range(15):
        deep = [deep]
    load_definition(document({**STEP, "inputs": {"a": {"value": deep}}}))
    for _ in range(50):
        deep = [deep]
    assert (
        "levels" in refused(document({**STEP, "inputs": {"a": {"value": deep}}}))["steps.0.inputs.a.value"][0]
    )


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = document(
        {**STEP, "id": "A"}, {**STEP, "name": ""}, trigger={"event": "MANUAL", "subjects": ["moon"]}
    )
    assert set(refused(wrong)) == {"steps.0.id", "steps.1.name", "trigger.subjects.0"}
