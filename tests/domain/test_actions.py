"""Outcomes, outputs and contracts of actions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields

from rmm_extension.domain import action_words
from rmm_extension.domain.actions import (
    ActionState,
    ErrorCode,
    Outcome,
    failed,
    kept_output,
    shown_input,
)
from rmm_extension.domain.contracts.actions import (
    ActionModule,
    ActionSpec,
    Choice,
    Texts,
    Whole,
    check_output,
    form_fields,
    load_input,
    says,
    script_field,
    secret_fields,
)
from rmm_extension.domain.contracts.strict import Flag, Strict, Text
from rmm_extension.domain.errors import Invalid
from rmm_extension.domain.masking import HIDDEN, hide_secrets


class In(Strict):
    number = Whole(1, 9, required=True, metadata=says("Number", "One digit."))
    name = Text(5)
    long = Text(20, trimmed=False)
    word = Choice([("a", "Ah"), ("b", "Bee")], load_default="a")
    many = Texts(2, 3, metadata=says("Many", secret=True))
    really = Flag(load_default=False)


class Out(Strict):
    done = fields.Boolean(required=True)


SPEC = ActionSpec(
    id="m.x",
    module="m",
    label="X",
    description="X",
    input=In,
    output=Out,
    side_effects=True,
    category="c",
    icon="i",
)
MODULE: dict[str, Any] = {"key": "m", "label": "M", "description": "", "icon": "i", "default_action": "m.x"}
MODULE |= {"availability": "rmm:m", "actions": (SPEC,)}


@pytest.mark.parametrize(
    "given_, loaded",
    [
        ({"number": 3}, {"number": 3, "word": "a", "really": False}),
        ({"number": "3"}, {"number": 3, "word": "a", "really": False}),
        (
            {"number": 9.0, "many": ["", "abc"]},
            {"number": 9, "many": ["", "abc"], "word": "a", "really": False},
        ),
        ({"number": 1, "long": " x "}, {"number": 1, "long": " x ", "word": "a", "really": False}),
    ],
)
def test_what_fits_is_loaded_with_its_defaults(given_: dict[str, Any], loaded: dict[str, Any]) -> None:
    assert load_input(SPEC, given_) == loaded


@pytest.mark.parametrize("given_, places", [
    ({}, {"number"}),
    ({"number": 0}, {"number"}),
    ({"number": 10, "word": "c"}, {"number", "word"}),
    ({"number": True}, {"number"}),
    ({"number": 1.5}, {"number"}),
    ({"number": None}, {"number"}),
    ({"number": 10**400}, {"number"}),
    ({"number": 1, "many": ["a", "b", "c"]}, {"many"}),
    ({"number": 1, "many": "abc"}, {"many"}),
    ({"number": 1, "many": ["abcd", 3]}, {"many.0", "many.1"}),
    ({"number": 1, "many": ["a\x00"]}, {"many.0"}),
    ({"number": 1, "many": ["\ud800"]}, {"many.0"}),
    ({"number": 1, "name": "", "really": "yes", "more": 1}, {"name", "really", "more"}),
])  # fmt: skip
def test_what_does_not_fit_is_said_all_at_once(given_: dict[str, Any], places: set[str]) -> None:
    with pytest.raises(Invalid) as caught:
        load_input(SPEC, given_)
    assert set(caught.value.errors) == places
    for sentences in caught.value.errors.values():
        assert all(one.endswith(".") for one in sentences)


def test_a_form_can_be_made_of_a_contract() -> None:
    found = {one.name: one for one in form_fields(In)}
    assert {name: one.kind for name, one in found.items()} == {
        "number": "number",
        "name": "text",
        "long": "long_text",
        "word": "choice",
        "many": "texts",
        "really": "flag",
    }
    number, word = found["number"], found["word"]
    assert (number.label, number.help, number.required, number.default) == (
        "Number",
        "One digit.",
        True,
        None,
    )
    assert (number.smallest, number.largest) == (1, 9)
    assert (word.default, word.choices, found["name"].label) == ("a", (("a", "Ah"), ("b", "Bee")), "Name")
    assert secret_fields(In) == {"many"}


def test_the_input_that_is_a_script_is_told_by_its_contract_whatever_its_name() -> None:
    class Runs(Strict):
        automation = Text(50, required=True, metadata=says("Automation", kind="script"))

    assert script_field(replace(SPEC, input=Runs)) == "automation"
    assert script_field(SPEC) is None


def test_an_output_must_be_what_was_promised() -> None:
    check_output(SPEC, {"done": True})
    with pytest.raises(Invalid):
        check_output(SPEC, {"done": True, "more": 1})


@pytest.mark.parametrize("change, words", [
    ({"key": " "}, "need names"),
    ({"availability": ""}, "need names"),
    ({"actions": (SPEC, SPEC)}, "same id"),
    ({"key": "n"}, "another module"),
    ({"default_action": "m.y"}, "none of its own"),
])  # fmt: skip
def test_a_module_that_makes_no_sense_is_a_programming_error(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ActionModule(**{**MODULE, **change})


@given(st.text(max_size=400), st.integers(20, 300))
def test_an_output_is_cut_in_its_middle_and_can_be_stored(text: str, longest: int) -> None:
    kept, is_cut = kept_output(text, longest)
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode()
    assert "\x00" not in kept
    kept.encode()
    assert is_cut == (len(clean) > longest)
    if is_cut:
        head, tail = longest * 2 // 3, longest - longest * 2 // 3
        assert kept.startswith(clean[:head])
        assert kept.endswith(clean[-tail:])
        assert f"{len(clean) - longest:,} characters left out" in kept
    else:
        assert kept == clean


@pytest.mark.parametrize("words, shown", [
    (["-Days", "3"], ["-Days", "3"]),
    (["-Password", "x1"], ["-Password", HIDDEN]),
    (["--api-key", "x1", "y"], ["--api-key", HIDDEN, "y"]),
    (["/token", "x1"], ["/token", HIDDEN]),
    (["--db-password=x1"], [f"--db-password={HIDDEN}"]),
    (["run -Password x1 -Days 3"], [f"run -Password {HIDDEN} -Days 3"]),
    (["run -Password 'x 1' now"], [f"run -Password {HIDDEN} now"]),
    (["-Force", "-Password", "-Days", "3"], ["-Force", "-Password", HIDDEN, "3"]),
    (["{{global.token}}"], ["{{global.token}}"]),
])  # fmt: skip
def test_what_looks_like_a_secret_on_a_command_line_is_hidden(words: list[str], shown: list[str]) -> None:
    assert hide_secrets(words) == shown


def test_inputs_are_shown_without_secrets() -> None:
    value = {"script_id": 3, "env": ["A=1", "B=2"], "one": "x", "none": "", "command": "net use password=x1"}
    assert shown_input(value, frozenset({"env", "one", "none"})) == {
        "script_id": 3,
        "env": [HIDDEN, HIDDEN],
        "one": HIDDEN,
        "none": "",
        "command": f"net use password={HIDDEN}",
    }


def test_every_state_and_code_has_words() -> None:
    assert set(action_words.STATES) == set(ActionState)
    for code in ErrorCode:
        assert code.value == code.name
        assert failed(code).message == code.in_words
        assert code.in_words.endswith(".")
    assert {state for state in ActionState if not state.is_over} == {ActionState.QUEUED, ActionState.RUNNING}


def test_a_note_without_output_is_two_lines() -> None:
    outcome = Outcome(state=ActionState.UNKNOWN, message="Nobody knows.", output={"output": "  \n"})
    assert action_words.note("Mara", "Reboot", "SRV", outcome) == (
        "Reboot on SRV: outcome unknown. Asked for by Mara.\nNobody knows."
    )
