"""The JSON of rules: strict, with defaults, and refusals in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from rmm_extension.domain.contracts.rules import load_actions, load_conditions, load_rule
from rmm_extension.domain.contracts.strict import problems


def test_the_defaults_of_actions() -> None:
    found = load_actions({})
    assert (found["createTicket"], found["autoResolveTicket"], found["resetAlertOnTicketClose"]) == (
        True,
        False,
        True,
    )
    assert found["ticketTemplate"] == {}
    assert found["notifyUserIds"] == []
    names = ("boardId", "priorityOverride", "assignToUserId", "autoResolveStatusId")
    assert [found[name] for name in names] == [None] * 4


def test_defaults_are_not_shared() -> None:
    load_actions({})["notifyUserIds"].append("x")
    assert load_actions({})["notifyUserIds"] == []


def test_conditions_have_no_defaults() -> None:
    assert load_conditions({}) == {}


def test_ids_are_the_hosts_own_texts() -> None:
    assert load_actions({"boardId": "queue:7", "notifyUserIds": ["u/1"]})["boardId"] == "queue:7"


@pytest.mark.parametrize(
    "value, key",
    [
        ({"severity": ["major"]}, "severity"),
        ({"severities": ["urgent"]}, "severities"),
        ({"severities": ["MAJOR"]}, "severities"),
        ({"keywords": [""]}, "keywords"),
        ({"keywords": "disk"}, "keywords"),
        ({"organizationIds": [1]}, "organizationIds"),
        ({"messagePattern": ""}, "messagePattern"),
        ({"messagePattern": "("}, "messagePattern"),
        ({"messagePattern": "x" * 1001}, "messagePattern"),
        ({"messagePattern": None}, "messagePattern"),
        ({"keywords": ["  "]}, "keywords"),
        ({"keywords": ["x" * 256]}, "keywords"),
        ({"keywords": ["nul\x00"]}, "keywords"),
        ({"alertClasses": ["half \ud800"]}, "alertClasses"),
        ({"keywords": [str(number) for number in range(201)]}, "keywords"),
        ({"organizationIds": [str(number) for number in range(2001)]}, "organizationIds"),
    ],
)
def test_wrong_conditions_are_named(value: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        load_conditions(value)
    assert set(caught.value.messages_dict) == {key}


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?!a)b", "(?<=a)b", r"(a)\1", "(?P<x>a)(?P=x)"])
def test_what_re2_cannot_run_is_refused_in_words(pattern: str) -> None:
    with pytest.raises(ValidationError) as caught:
        load_conditions({"messagePattern": pattern})
    (text,) = caught.value.messages_dict["messagePattern"]
    assert "Look-ahead, look-behind and back-references are not supported" in text


@pytest.mark.parametrize(
    "value, key",
    [
        ({"createTickets": True}, "createTickets"),
        ({"teamId": "t"}, "teamId"),
        ({"ticketTemplate": {"titleTemplate": ""}}, "ticketTemplate"),
        ({"ticketTemplate": {"descriptionTemplate": ""}}, "ticketTemplate"),
        ({"ticketTemplate": {"title": "x"}}, "ticketTemplate"),
        ({"notifyUserIds": "u"}, "notifyUserIds"),
        ({"boardId": 5}, "boardId"),
        ({"createTicket": None}, "createTicket"),
        ({"createTicket": 1}, "createTicket"),
        ({"autoResolveTicket": "yes"}, "autoResolveTicket"),
        ({"boardId": " "}, "boardId"),
        ({"ticketTemplate": None}, "ticketTemplate"),
        ({"ticketTemplate": {"titleTemplate": " \n"}}, "ticketTemplate"),
        ({"ticketTemplate": {"titleTemplate": "x" * 501}}, "ticketTemplate"),
        ({"ticketTemplate": {"descriptionTemplate": "x" * 10_001}}, "ticketTemplate"),
        ({"notifyUserIds": [str(number) for number in range(101)]}, "notifyUserIds"),
        ({"holdMinutes": -1}, "holdMinutes"),
        ({"holdMinutes": 1441}, "holdMinutes"),
        ({"holdMinutes": 1.5}, "holdMinutes"),
        ({"holdMinutes": "5"}, "holdMinutes"),
        ({"holdMinutes": True}, "holdMinutes"),
        ({"holdMinutes": None}, "holdMinutes"),
        ({"reopenWithinMinutes": 10_081}, "reopenWithinMinutes"),
    ],
)
def test_wrong_actions_are_named(value: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        load_actions(value)
    assert set(caught.value.messages_dict) == {key}


def test_all_errors_are_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        load_conditions({"messagePattern": "(", "severities": ["x"], "y": 1})
    assert set(caught.value.messages_dict) == {"messagePattern", "severities", "y"}


@pytest.mark.parametrize("minutes", [0, 1, 1440])
def test_a_hold_of_up_to_a_day(minutes: int) -> None:
    assert load_actions({"holdMinutes": minutes})["holdMinutes"] == minutes


@pytest.mark.parametrize("minutes", [0, 10_080])
def test_reopening_within_up_to_a_week(minutes: int) -> None:
    assert load_actions({"reopenWithinMinutes": minutes})["reopenWithinMinutes"] == minutes


def test_words_are_trimmed_and_told_once() -> None:
    found = load_conditions({"keywords": [" disk ", "disk", "Disk"], "organizationIds": ["7 ", "7"]})
    assert found == {"keywords": ["disk", "Disk"], "organizationIds": ["7"]}


def test_blanks_of_a_pattern_and_of_a_description_count() -> None:
    assert load_conditions({"messagePattern": " x "})["messagePattern"] == " x "
    template = {"titleTemplate": " a ", "descriptionTemplate": "  a\n"}
    loaded = load_actions({"ticketTemplate": template})["ticketTemplate"]
    assert loaded == {"titleTemplate": "a", "descriptionTemplate": "  a\n"}


def test_a_whole_rule_has_defaults() -> None:
    assert load_rule({"name": " Disk\n space "}) == {
        "name": "Disk space",
        "description": None,
        "isActive": True,
        "conditions": {},
        "actions": load_actions({}),
    }


def refused(value: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        load_rule(value)
    return problems(caught.value)


def test_every_refusal_has_its_place_and_a_sentence() -> None:
    found = refused(
        {
            "name": "x" * 256,
            "description": "x" * 2001,
            "colour": "red",
            "conditions": {"severities": ["major", "huge"], "keywords": ["a", ""], "words": []},
            "actions": {"ticketTemplate": {"titleTemplate": ""}, "holdMinutes": 2000, "notifyUserIds": [1]},
        }
    )
    assert found == {
        "name": ["This is too long: at most 255 characters."],
        "description": ["This is too long: at most 2,000 characters."],
        "colour": [
            "There is no such setting here. Known are: name, description, isActive, conditions, actions."
        ],
        "conditions.severities.1": [
            "This is no severity. Known are: critical, major, moderate, minor, none."
        ],
        "conditions.keywords.1": ["This is empty. Fill it in, or leave it out."],
        "conditions.words": [
            "There is no such setting here. Known are: severities, activityTypes, alertClasses, sourceTypes,"
            " organizationIds, keywords, messagePattern."
        ],
        "actions.ticketTemplate.titleTemplate": ["This is empty. Fill it in, or leave it out."],
        "actions.holdMinutes": ["Give whole minutes, from 0 to 1,440."],
        "actions.notifyUserIds.0": ["This must be text."],
    }


@pytest.mark.parametrize("value", [None, [], "rule", 5])
def test_what_is_no_object_is_no_rule(value: Any) -> None:
    assert refused(value) == {"": ["This must be an object."]}


def test_parts_that_are_no_objects_are_named() -> None:
    found = refused({"name": "A", "conditions": None, "actions": []})
    assert found == {"conditions": ["This must be an object."], "actions": ["This must be an object."]}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
SETTINGS = st.sampled_from(
    [
        "severities",
        "keywords",
        "organizationIds",
        "messagePattern",
        "ticketTemplate",
        "holdMinutes",
        "boardId",
    ]
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "name": ANYTHING,
            "description": ANYTHING,
            "isActive": ANYTHING,
            "conditions": ANYTHING | st.dictionaries(SETTINGS, ANYTHING, max_size=3),
            "actions": ANYTHING | st.dictionaries(SETTINGS, ANYTHING, max_size=3),
        },
    )
)
def test_anything_is_a_rule_or_refused_in_sentences(value: dict[str, Any]) -> None:
    try:
        load_rule(value)
    except ValidationError as error:
        for texts in problems(error).values():
            assert texts
            assert all(text.endswith(".") for text in texts), texts
