"""The JSON of rules: strict, with defaults, and refusals in words."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from rmm_extension.domain.contracts.rules import load_actions, load_conditions


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
