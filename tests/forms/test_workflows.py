"""The forms of a workflow's parts: what is typed comes back as it was stored, and the other way round."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from rmm_extension.domain.contracts.actions import Texts, Whole, form_fields, says
from rmm_extension.domain.contracts.inputs import Moment
from rmm_extension.domain.contracts.strict import Flag, Section, Strict, Text
from rmm_extension.forms.workflows import inputs_of, read_fields, read_step, read_trigger, shown_inputs


class Inner(Strict):
    start = Moment(required=True, metadata=says("From"))
    note = Text(20, metadata=says("Note"))


class Outer(Strict):
    within = Section(Inner, metadata=says("Within"))


class Inputs(Strict):
    number = Whole(1, 9, load_default=5)
    is_on = Flag(load_default=True)
    lines = Texts(5, 50)
    key = Text(50, metadata=says("Key", secret=True))
    window = Section(Inner, metadata=says("Window"))
    deep = Section(Outer, metadata=says("Deep"))


INPUTS = inputs_of(form_fields(Inputs))
STEP = {"id": "a", "name": "A", "action": "x", "version": 2, "inputs": {"key": {"value": "secret"}}}


def read(**typed: Any) -> dict[str, Any]:
    return read_step(STEP, INPUTS, MultiDict({"name": "A", "in_is_on": "1", **typed}), None)


def test_parts_are_taken_apart_under_their_paths() -> None:
    assert [(one.field.name, one.part) for one in INPUTS] == [
        ("number", ""),
        ("is_on", ""),
        ("lines", ""),
        ("key", ""),
        ("window.start", "Window"),
        ("window.note", "Window"),
        ("deep.within.start", "Deep · Within"),
        ("deep.within.note", "Deep · Within"),
    ]


def test_an_untouched_form_leaves_everything_to_its_default() -> None:
    assert read() == {
        "id": "a",
        "action": "x",
        "version": 2,
        "name": "A",
        "inputs": {"key": {"value": "secret"}},
        "onError": "stop",
    }


@pytest.mark.parametrize(
    "typed, name, binding",
    [
        ({"in_number": "7"}, "number", {"value": "7"}),
        (
            {"in_number": "7", "mode_number": "template", "ex_number": "{{ 1 }}"},
            "number",
            {"template": "{{ 1 }}"},
        ),
        ({"in_is_on": ""}, "is_on", {"value": False}),
        ({"in_lines": "a\r\n{{b}}"}, "lines", {"value": ["a", "{{b}}"]}),
        ({"mode_lines": "template", "ex_lines": "a\r\nb"}, "lines", {"template": "a\nb"}),
        ({"in_window.note": " n "}, "window.note", {"value": " n "}),
        ({"in_key": "new"}, "key", {"value": "new"}),
    ],
)
def test_what_is_typed_is_bound(typed: dict[str, str], name: str, binding: dict[str, Any]) -> None:
    found = read(**typed)["inputs"]
    assert found[name] == binding
    (shown,) = [one for one in shown_inputs(INPUTS, found) if one.name == name]
    assert shown.is_template is ("template" in binding)
    assert shown.template == binding.get("template", "")


@pytest.mark.parametrize("typed", [{"mode_key": "template"}, {"mode_key": "template", "ex_key": " "}])
def test_a_stored_secret_goes_when_an_empty_expression_takes_its_place(typed: dict[str, str]) -> None:
    assert "key" not in read(**typed)["inputs"]


def test_a_stored_secret_is_not_in_what_is_shown() -> None:
    (shown,) = [one for one in shown_inputs(INPUTS, STEP["inputs"]) if one.name == "key"]  # type: ignore[arg-type]
    assert shown.is_kept
    assert shown.values == {"key": ""}


def test_a_step_is_saved_for_the_action_as_it_is_now() -> None:
    form = MultiDict({"name": "A"})
    assert read_step(STEP, INPUTS, form, 3)["version"] == 3
    assert read_step(STEP, INPUTS, form, None)["version"] == 2


@pytest.mark.parametrize(
    "text, binding",
    [("{{ device.id }}", {"template": "{{ device.id }}"}), (" d1 ", {"value": "d1"})],
)
def test_a_device_is_an_expression_or_an_id(text: str, binding: dict[str, str]) -> None:
    assert read(device=text)["device"] == binding


def test_of_an_event_only_what_is_of_events_is_read() -> None:
    form = MultiDict(
        [("event", "TICKET_CLOSED"), ("filter", " a\r\nb "), ("once", "0"), ("subjects", "alert")]
    )
    assert read_trigger(form) == {"event": "TICKET_CLOSED", "filter": "a\nb"}


def test_fields_keep_their_rows_together() -> None:
    form = MultiDict(
        [
            ("field_label", "How bad is it?"),
            ("field_label", ""),
            ("field_label", "3 reasons"),
            ("field_kind", "choice"),
            ("field_kind", "text"),
            ("field_kind", "text"),
            ("field_choices", "A\n\nB"),
            ("field_choices", ""),
            ("field_choices", "left from before"),
            ("field_required", "2"),
        ]
    )
    assert read_fields(form) == [
        {
            "name": "how_bad_is_it",
            "label": "How bad is it?",
            "kind": "choice",
            "required": False,
            "choices": ["A", "B"],
        },
        {"name": "field", "label": "", "kind": "text", "required": False},
        {"name": "reasons", "label": "3 reasons", "kind": "text", "required": True},
    ]
    named = read_trigger(MultiDict([("event", "MANUAL"), *form.items(multi=True)]))["fields"]
    assert [one["label"] for one in named] == ["How bad is it?", "3 reasons"]
