"""Every kind of input: what it takes, what it refuses, what a form is told of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields, missing

from rmm_extension.domain import values
from rmm_extension.domain.actions import shown_input
from rmm_extension.domain.contracts.actions import (
    ActionModule,
    ActionSpec,
    Texts,
    Whole,
    form_fields,
    load_input,
    says,
    secret_fields,
)
from rmm_extension.domain.contracts.inputs import Choices, Json, Moment, Number, Sections
from rmm_extension.domain.contracts.strict import Section, Strict, Text
from rmm_extension.domain.errors import Invalid
from rmm_extension.domain.masking import HIDDEN


class Window(Strict):
    start = Moment(required=True)
    note = Text(20, metadata=says("Note", secret=True))


class Pair(Strict):
    name = Text(10, required=True)
    value = Whole(0, 9, load_default=0)


class In(Strict):
    ratio = Number(0, 1.5)
    start = Moment()
    days = Choices([("mo", "Monday"), ("tu", "Tuesday")], fewest=1)
    window = Section(Window, metadata=says("When"))
    pairs = Sections(Pair, 2, fewest=1)
    card = Json(30)
    people = Texts(3, 36, fewest=1, metadata=says("Who", picks="user"))


class Out(Strict):
    pass


def spec(contract: type[Strict]) -> ActionSpec:
    return ActionSpec(
        id="m.x",
        module="m",
        label="X",
        description="X",
        input=contract,
        output=Out,
        side_effects=True,
        category="c",
        icon="i",
    )


@pytest.mark.parametrize("given_, loaded", [
    ({"ratio": 1}, {"ratio": 1.0}),
    ({"ratio": "0.25"}, {"ratio": 0.25}),
    ({"start": "2026-11-22T10:00Z"}, {"start": "2026-11-22T10:00:00+00:00"}),
    ({"start": " 2026-11-22T10:00:00+01:00 "}, {"start": "2026-11-22T10:00:00+01:00"}),
    ({"start": datetime(2026, 11, 22, 10, tzinfo=UTC)}, {"start": "2026-11-22T10:00:00+00:00"}),
    ({"start": "2026-11-22T10:00[Europe/Berlin]"}, {"start": "2026-11-22T10:00:00+01:00"}),
    ({"days": ["tu", "mo", "tu"]}, {"days": ["tu", "mo"]}),
    ({"window": {"start": "2026-11-22T10:00Z"}}, {"window": {"start": "2026-11-22T10:00:00+00:00"}}),
    ({"pairs": [{"name": "a"}]}, {"pairs": [{"name": "a", "value": 0}]}),
    ({"card": {"a": [1, None]}}, {"card": {"a": [1, None]}}),
    ({"card": '[1, "b"]'}, {"card": [1, "b"]}),
])  # fmt: skip
def test_what_fits_is_loaded_as_json(given_: dict[str, Any], loaded: dict[str, Any]) -> None:
    found = load_input(spec(In), given_)
    assert found == loaded
    assert json.loads(json.dumps(found)) == found


NAIVE = datetime(2026, 11, 22, tzinfo=UTC).replace(tzinfo=None)
DEEP: list[Any] = []
for _ in range(3000):
    DEEP = [DEEP]


@pytest.mark.parametrize("given_, places", [
    ({"ratio": 1.6}, {"ratio"}),
    ({"ratio": "nan"}, {"ratio"}),
    ({"ratio": float("inf")}, {"ratio"}),
    ({"ratio": True}, {"ratio"}),
    ({"ratio": 10**400}, {"ratio"}),
    ({"start": "2026-11-22T10:00"}, {"start"}),
    ({"start": "2026-11-22"}, {"start"}),
    ({"start": "2026-03-29T02:30[Europe/Berlin]"}, {"start"}),
    ({"start": "2026-11-22T10:00[Europe/Nowhere]"}, {"start"}),
    ({"start": "2026-11-22T10:00[]"}, {"start"}),
    ({"start": "[UTC]"}, {"start"}),
    ({"start": "2026-11-22T10:00[../../etc/passwd]"}, {"start"}),
    ({"start": "soon"}, {"start"}),
    ({"start": 5}, {"start"}),
    ({"start": None}, {"start"}),
    ({"start": "0001-01-01T00:00+14:00"}, {"start"}),
    ({"start": NAIVE}, {"start"}),
    ({"days": []}, {"days"}),
    ({"days": ["we", 3, "mo"]}, {"days.0", "days.1"}),
    ({"days": "mo"}, {"days"}),
    ({"days": [["mo"]]}, {"days.0"}),
    ({"window": {}}, {"window.start"}),
    ({"window": {"start": "x", "end": 1}}, {"window.start", "window.end"}),
    ({"window": "now"}, {"window"}),
    ({"pairs": []}, {"pairs"}),
    ({"pairs": [{"name": "a"}] * 3}, {"pairs"}),
    ({"pairs": [{"name": "a"}, {"value": 10}]}, {"pairs.1.name", "pairs.1.value"}),
    ({"pairs": [1]}, {"pairs.0"}),
    ({"pairs": {"name": "a"}}, {"pairs"}),
    ({"card": "{"}, {"card"}),
    ({"card": "NaN"}, {"card"}),
    ({"card": '{"a": Infinity}'}, {"card"}),
    ({"card": {"a": float("nan")}}, {"card"}),
    ({"card": 3}, {"card"}),
    ({"card": "[" * 5000 + "]" * 5000}, {"card"}),
    ({"card": DEEP}, {"card"}),
    ({"card": {"a": "x" * 40}}, {"card"}),
    ({"card": ["\x00"]}, {"card"}),
    ({"card": ["\ud800"]}, {"card"}),
    ({"card": {"a": {1, 2}}}, {"card"}),
    ({"card": None}, {"card"}),
    ({"people": []}, {"people"}),
])  # fmt: skip
def test_what_does_not_fit_is_refused_in_sentences_by_path(given_: dict[str, Any], places: set[str]) -> None:
    with pytest.raises(Invalid) as caught:
        load_input(spec(In), given_)
    assert set(caught.value.errors) == places
    for sentences in caught.value.errors.values():
        assert all(one.endswith(".") for one in sentences), sentences


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])))
def test_a_moment_stays_the_same_moment(moment: datetime) -> None:
    try:
        loaded = Moment().deserialize(moment)
    except ValidationError:
        assert moment.year in (1, 9999)
    else:
        assert datetime.fromisoformat(loaded) == moment


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_JSON)
def test_what_json_takes_can_be_stored_and_is_the_same_from_its_text(document: Any) -> None:
    try:
        loaded = Json().deserialize(document)
    except ValidationError:
        return
    assert isinstance(loaded, (dict, list))
    assert values.storable(loaded) == loaded
    assert Json().deserialize(json.dumps(loaded, allow_nan=False)) == loaded


def test_a_form_is_told_every_kind() -> None:
    found = {one.name: one for one in form_fields(In)}
    assert {name: one.kind for name, one in found.items()} == {
        "ratio": "decimal",
        "start": "moment",
        "days": "choices",
        "window": "section",
        "pairs": "sections",
        "card": "json",
        "people": "texts",
    }
    limits = {name: (one.smallest, one.largest) for name, one in found.items()}
    assert limits["ratio"] == (0, 1.5)
    assert limits["pairs"] == (1, 2)
    assert limits["people"] == (1, 3)
    assert limits["days"] == (1, None)
    assert limits["card"] == (None, 30)
    assert found["days"].choices == (("mo", "Monday"), ("tu", "Tuesday"))
    assert found["people"].picks == "user"
    assert [(one.name, one.kind) for one in found["window"].fields] == [("start", "moment"), ("note", "text")]
    assert [(one.name, one.default) for one in found["pairs"].fields] == [("name", None), ("value", 0)]


def test_an_input_that_no_form_can_ask_for_is_told_when_the_module_is_made() -> None:
    class Bad(Strict):
        when = fields.DateTime()

    words = {"key": "m", "label": "M", "description": "", "icon": "i", "availability": "m"}
    with pytest.raises(ValueError, match="No form can ask for when"):
        ActionModule(default_action="m.x", actions=(spec(Bad),), **words)


def test_secrets_in_parts_are_hidden_wherever_they_are() -> None:
    class Many(Strict):
        window = Section(Window)
        windows = Sections(Window, 2)
        whole = Section(Window, metadata=says("Whole", secret=True))

    secret = secret_fields(Many)
    assert secret == {"window.note", "windows.note", "whole"}
    window = {"start": "x", "note": "n"}
    given_ = {
        "window": window,
        "windows": [window],
        "whole": window,
        "card": {"password": "p", "a": [1, "b"]},
    }
    assert shown_input(given_, secret) == {
        "window": {"start": "x", "note": HIDDEN},
        "windows": [{"start": "x", "note": HIDDEN}],
        "whole": HIDDEN,
        "card": {"password": HIDDEN, "a": [1, "b"]},
    }


def test_nothing_is_made_up_where_nothing_is_given() -> None:
    assert load_input(spec(In), {}) == {}
    assert all(field.load_default is missing for field in In().fields.values())
