"""Every kind of input as a form: drawn, sent by a browser without script, and read back as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from werkzeug.datastructures import MultiDict

import rmm_extension
from rmm_extension.domain.contracts.actions import (
    Choice,
    FormField,
    Texts,
    Whole,
    form_fields,
    says,
)
from rmm_extension.domain.contracts.inputs import Choices, Json, Moment, Number, Sections
from rmm_extension.domain.contracts.strict import Flag, Section, Strict, Text
from rmm_extension.domain.masking import HIDDEN
from rmm_extension.forms.actions import PREFIX, by_field, filled, labelled, shown, typed
from tests.forms.browser import Form

WORDS = [("a", "Ah"), ("b", "Bee")]
PEOPLE = [("u1", "Mara"), ("u2", "Tom & Co")]


class Part(Strict):
    name = Text(100, required=True, metadata=says("Name"))
    kind = Choice(WORDS, load_default="a", metadata=says("Kind"))
    sure = Flag(load_default=False)
    start = Moment()


class Every(Strict):
    short = Text(100, metadata=says("Short", "A help."))
    long = Text(1000, trimmed=False)
    secret = Text(100, metadata=says("Secret", secret=True))
    number = Whole(0, 9, load_default=3)
    ratio = Number(0, 10)
    choice = Choice(WORDS)
    chosen = Choice(WORDS, load_default="b")
    choices = Choices(WORDS)
    flag = Flag(load_default=True)
    texts = Texts(5, 20)
    person = Text(100, metadata=says("Person", picks="user"))
    people = Texts(5, 100, metadata=says("People", picks="user"))
    start = Moment(metadata=says("Start"))
    part = Section(Part, metadata=says("Part"))
    parts = Sections(Part, 4, metadata=says("Parts"))
    document = Json(metadata=says("Document"))


FIELDS = form_fields(Every)
TEMPLATES = Path(rmm_extension.__file__).parent / "templates"
JINJA = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), undefined=StrictUndefined
)
JINJA.globals["rmm_zones"] = lambda: ["UTC", "Europe/Berlin"]
PAGE = JINJA.from_string(
    '{% from "rmm/actions/_fields.html" import input, zones %}'
    "{% for field in fields %}{{ input(field, prefix, values, problems, options) }}{% endfor %}{{ zones() }}"
)


def draw(value: dict[str, Any], problems: dict[str, list[str]] | None = None, fields: Any = FIELDS) -> str:
    return PAGE.render(
        fields=fields,
        prefix=PREFIX,
        values=filled(fields, value),
        problems=problems or {},
        options={"user": PEOPLE},
    )


def sent(value: dict[str, Any]) -> dict[str, Any]:
    """What comes back when nothing is changed in the form of a value."""
    return typed(FIELDS, Form(draw(value)).sent)


def loaded(value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = Every().load(value)
    return found


LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))
WORD = st.text(LETTERS, min_size=1, max_size=20).filter(lambda word: word.strip() and HIDDEN not in word)
LINES = st.lists(WORD, min_size=1, max_size=3).map("\n".join)
MOMENTS = st.datetimes().map(lambda moment: f"{moment.replace(second=0, microsecond=0).isoformat()}+00:00")
MODERN = MOMENTS.filter(lambda moment: "1000" <= moment[:4] < "9990")
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORD
DOCUMENTS = st.recursive(
    st.lists(SCALARS, max_size=3) | st.dictionaries(WORD, SCALARS, max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORD, inner, max_size=2),
    max_leaves=8,
)
PARTS = st.fixed_dictionaries(
    {"name": WORD, "kind": st.sampled_from("ab"), "sure": st.booleans()}, optional={"start": MODERN}
)
VALUES = st.fixed_dictionaries(
    {"number": st.integers(0, 9), "chosen": st.sampled_from("ab"), "flag": st.booleans()},
    optional={
        "short": WORD,
        "long": LINES | LINES.map(lambda text: f"\n{text}"),
        "secret": WORD,
        "ratio": st.floats(0, 10),
        "choice": st.sampled_from("ab"),
        "choices": st.lists(st.sampled_from("ab"), min_size=1, unique=True).map(sorted),
        "texts": st.lists(WORD, min_size=1, max_size=5),
        "person": st.sampled_from(["u1", "u2", "gone"]),
        "people": st.lists(st.sampled_from(["u1", "u2"]), min_size=1, unique=True).map(sorted),
        "start": MODERN,
        "part": PARTS,
        "parts": st.lists(PARTS, min_size=1, max_size=4),
        "document": DOCUMENTS,
    },
)


@settings(deadline=None)
@given(VALUES)
def test_what_is_stored_comes_back_from_the_form_as_it_was(value: dict[str, Any]) -> None:
    whole = loaded(value)
    assert loaded(sent(whole)) == whole


def test_an_untouched_form_sends_the_defaults_and_nothing_else() -> None:
    assert sent({}) == {"number": "3", "chosen": "b", "flag": True}


def test_every_input_has_a_label_and_a_name_of_its_own() -> None:
    page = Form(draw({"parts": [{"name": "x"}], "choices": ["a"], "people": ["u1"], "flag": True}))
    assert len(page.ids) == len(set(page.ids))
    assert {
        f"{PREFIX}{name}" for name in ("short", "number", "start", "part.name", "parts.0.name")
    } <= page.labels
    boxes = {"choices", "people"}
    single = [one for one in FIELDS if one.name not in boxes | {"part", "parts"}]
    assert {PREFIX + one.name for one in single} <= page.labels


def test_a_clock_hangs_in_the_zone_that_is_named() -> None:
    given_ = MultiDict({"in_start": "2026-11-22T10:00", "in_start.zone": "Europe/Berlin"})
    value = typed(FIELDS, given_)
    assert value["start"] == "2026-11-22T10:00[Europe/Berlin]"
    assert loaded(value)["start"] == "2026-11-22T10:00:00+01:00"
    # As it was typed, for it is shown again with what is wrong elsewhere.
    assert filled(FIELDS, value)["start"] == {"clock": "2026-11-22T10:00", "zone": "Europe/Berlin"}


@pytest.mark.parametrize("text", ["soon", "2026-11-22T10:00[Nowhere", "0001-01-01T00:00+14:00", "[", "]["])
def test_a_time_that_is_none_is_shown_as_it_was_typed(text: str) -> None:
    again = filled(FIELDS, {"start": text})["start"]
    assert again["clock"] in text
    assert "<input" in draw({"start": text})


def test_empty_parts_between_others_are_left_out_and_their_flags_do_not_count() -> None:
    given_ = MultiDict(
        {
            "in_parts.0.name": "",
            "in_parts.0.kind": "a",
            "in_parts.2.name": "two",
            "in_parts.2.kind": "b",
            "in_parts.7.name": " ",
            "in_parts.10.name": "ten",
            "in_parts.10.sure": "1",
            "in_parts.x.name": "no",
            "in_partsy.0.name": "no",
        }
    )
    assert typed(FIELDS, given_)["parts"] == [
        {"name": "two", "kind": "b", "sure": False},
        {"name": "ten", "sure": True},
    ]


def test_a_part_that_is_needed_is_there_though_nothing_was_typed() -> None:
    class Needs(Strict):
        part = Section(Part, required=True)

    assert typed(form_fields(Needs), MultiDict()) == {"part": {"sure": False}}


def test_each_sentence_stands_where_it_belongs() -> None:
    errors = {
        "part.name": ["N."],
        "part.unknown": ["U."],
        "parts.1.start": ["S."],
        "parts.1.more": ["M."],
        "parts": ["P."],
        "choices.0": ["C."],
        "document": ["D."],
        "elsewhere.x": ["E."],
        "": ["W."],
    }
    problems = by_field(errors, FIELDS)
    assert problems == {
        "part.name": ["N."],
        "part": ["U."],
        "parts.1.start": ["S."],
        "parts": ["M.", "P."],
        "choices": ["C."],
        "document": ["D."],
        "": ["E.", "W."],
    }
    assert ("parts.1.start", "Parts 2, Start", "S.") in list(labelled(FIELDS, problems))
    page = Form(draw({"parts": [{"name": "a"}, {"name": "b"}]}, problems))
    assert {f"{PREFIX}{path}-error" for path in problems if path} <= set(page.ids)
    assert {f"{PREFIX}{path}" for path in problems if path} <= set(page.ids)


@settings(deadline=None)
@given(st.sampled_from(FIELDS), st.text(max_size=12), st.text(max_size=30))
def test_nothing_that_is_sent_or_stored_breaks_a_field(field: FormField, behind: str, value: str) -> None:
    given_ = MultiDict({f"{PREFIX}{field.name}{behind}": value})
    for stored in (value, [value, {behind: value}, 3, None], {behind: value}, None):
        assert draw({field.name: stored}, fields=[field])
    assert draw(typed([field], given_), fields=[field])


def test_whatever_stands_in_a_value_is_escaped() -> None:
    evil = "</textarea><script>alert(1)</script>\"'"
    value: dict[str, Any] = {
        one.name: evil for one in FIELDS if one.kind in ("text", "long_text", "json", "moment")
    }
    value |= {"choices": [evil], "people": [evil], "choice": evil, "part": {"name": evil}}
    value |= {"parts": [{"name": evil}], "texts": [evil]}
    assert "<script" not in draw(value, {"part.name": [evil]})


def test_what_a_page_tells_of_a_stored_input() -> None:
    by_name: dict[str, FormField] = {one.name: one for one in FIELDS}
    part = {"name": "x", "kind": "b", "sure": True}
    assert shown(by_name["part"], part) == "Name: x\nKind: Bee\nSure: yes"
    assert shown(by_name["parts"], [part, part]).count("Name: x") == 2
    assert shown(by_name["document"], {"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
    assert shown(by_name["choices"], ["a", "b"]) == "Ah\nBee"
    assert shown(by_name["number"], 3) == "3"
    assert shown(by_name["flag"], False) == "no"
