"""A rule in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.rule_words import RuleNames, doing, matching, minutes

NAMES = RuleNames(
    organizations={"1": "Northwind"},
    boards={"b1": "Alerts"},
    priorities={"p1": "high"},
    statuses={"s1": "Resolved"},
    users={"u1": "Mara", "u2": "Tom"},
)


@pytest.mark.parametrize(
    "conditions, said",
    [
        ({}, "Every alert"),
        ({"keywords": [], "severities": []}, "Every alert"),
        (
            {"severities": ["critical", "major"], "keywords": ["disk"]},
            "Severity critical or major and keyword disk",
        ),
        ({"organizationIds": ["1", "2"]}, "Organization Northwind or 2"),
        ({"keywords": ["1", "2", "3", "4"]}, "Keyword 1, 2, 3 or 4"),
        ({"keywords": ["1", "2", "3", "4", "5"]}, "Keyword 1, 2, 3 or 2 more"),
        (
            {"alertClasses": ["check"], "activityTypes": ["X"], "sourceTypes": ["y"]},
            "Activity type X and alert class check and source type y",
        ),
        ({"messagePattern": "^Disk [A-Z]:"}, "Text like “^Disk [A-Z]:”"),
    ],
)
def test_what_a_rule_matches(conditions: dict[str, Any], said: str) -> None:
    assert matching(conditions, NAMES) == said


@pytest.mark.parametrize(
    "actions, said",
    [
        ({}, "ticket"),
        ({"useRouting": True}, "ticket by the routing"),
        ({"useRouting": True, "boardId": "b1"}, "ticket by the routing on board Alerts"),
        (
            {"boardId": "b1", "priorityOverride": "p1", "autoResolveTicket": True},
            "ticket on board Alerts, priority high; closes itself",
        ),
        ({"boardId": "gone", "assignToUserId": "u1"}, "ticket on board gone, for Mara"),
        (
            {"holdMinutes": 10, "reopenWithinMinutes": 2880},
            "waits 10 min; ticket; reopens one closed less than 2 d ago",
        ),
        (
            {"autoResolveTicket": True, "autoResolveStatusId": "s1", "resetAlertOnTicketClose": False},
            "ticket; closes itself as Resolved; closing it leaves the alert alone",
        ),
        ({"createTicket": False, "boardId": "b1"}, "recorded only"),
        ({"notifyUserIds": ["u1", "u2"]}, "ticket; tells Mara and Tom"),
        ({"createTicket": False, "notifyUserIds": ["u1"]}, "recorded only"),
    ],
)
def test_what_a_rule_does(actions: dict[str, Any], said: str) -> None:
    assert doing(actions, NAMES) == said


@pytest.mark.parametrize("number, said", [(1, "1 min"), (90, "90 min"), (60, "1 h"), (1440, "1 d")])
def test_minutes(number: int, said: str) -> None:
    assert minutes(number) == said
