"""A rule as a form, and back."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from rmm_extension.domain.contracts.rules import LONGEST_HOLD, LONGEST_REOPEN, load_rule
from rmm_extension.domain.types import Severity
from rmm_extension.forms.rules import RuleChoices, RuleForm, rule_form
from rmm_extension.services.rules import RuleDraft

APP = Flask(__name__)
APP.config.update(SECRET_KEY="test", WTF_CSRF_ENABLED=False)
OFFERED = RuleChoices(
    activity_types=["check", "task"],
    organizations=[("1", "Northwind"), ("2", "Contoso")],
    boards=[("b1", "Alerts"), ("b2", "Service")],
    priorities=[("p1", "High")],
    closed_statuses=[("s1", "Closed", "Alerts")],
    users=[("u1", "Mara"), ("u2", "Tom")],
    assignees=[("u1", "Mara")],
    routes=True,
)

line = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
text = st.lists(line, min_size=1, max_size=4).map("\n".join)
one_of_many = st.lists(line, unique=True, max_size=4)
severities = st.lists(st.sampled_from([one.value for one in Severity]), unique=True).map(
    lambda chosen: [one.value for one in Severity if one.value in chosen]
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "severities": severities,
        "activityTypes": one_of_many,
        "alertClasses": one_of_many,
        "sourceTypes": one_of_many,
        "organizationIds": one_of_many,
        "keywords": one_of_many,
        "messagePattern": line.map(
            lambda word: "".join(f"[{sign}]" for sign in word if sign.isalnum()) or "a"
        ),
    },
).map(lambda found: {key: value for key, value in found.items() if value})
maybe_id = st.none() | line
actions = st.fixed_dictionaries(
    {
        "createTicket": st.booleans(),
        "useRouting": st.booleans(),
        "boardId": maybe_id,
        "priorityOverride": maybe_id,
        "assignToUserId": maybe_id,
        "ticketTemplate": st.fixed_dictionaries(
            {}, optional={"titleTemplate": line, "descriptionTemplate": text}
        ),
        "autoResolveTicket": st.booleans(),
        "autoResolveStatusId": maybe_id,
        "resetAlertOnTicketClose": st.booleans(),
        "holdMinutes": st.integers(0, LONGEST_HOLD),
        "reopenWithinMinutes": st.integers(0, LONGEST_REOPEN),
        "notifyUserIds": one_of_many,
    }
)
drafts = st.builds(
    RuleDraft,
    name=line,
    description=st.none() | text,
    is_active=st.booleans(),
    conditions=conditions,
    actions=actions,
)


def sent(form: RuleForm) -> MultiDict[str, str]:
    """What a browser sends of the form as it stands, its line ends included."""
    pairs: list[tuple[str, str]] = []
    for field in form:
        if field.type == "PickField":
            pairs += [(field.name, value) for value, _, picked in field.rows() if picked]
        elif field.type == "BooleanField":
            pairs += [(field.name, "y")] if field.data else []
        else:
            pairs.append((field.name, str(field.data or "").replace("\n", "\r\n")))
    return MultiDict(pairs)


def posted(data: Any, choices: RuleChoices = OFFERED) -> RuleForm:
    """The form after this was sent."""
    with APP.test_request_context("/", method="POST", data=data):
        return rule_form(choices)


@given(drafts)
def test_a_rule_survives_the_form(draft: RuleDraft) -> None:
    with APP.test_request_context("/"):
        shown = rule_form(OFFERED, draft)
        assert shown.draft() == draft
    assert posted(sent(shown)).draft() == draft


@given(drafts)
def test_the_form_says_what_the_contract_takes(draft: RuleDraft) -> None:
    taken = posted(sent(_shown(draft))).draft()
    load_rule(
        {
            "name": taken.name,
            "description": taken.description,
            "isActive": taken.is_active,
            "conditions": taken.conditions,
            "actions": taken.actions,
        }
    )


def _shown(draft: RuleDraft) -> RuleForm:
    with APP.test_request_context("/"):
        return rule_form(OFFERED, draft)


@given(drafts)
def test_what_the_host_gives_no_field_for_is_kept(draft: RuleDraft) -> None:
    bare = RuleChoices()
    with APP.test_request_context("/"):
        shown = rule_form(bare, draft)
    names = {field.name for field in shown}
    absent = {
        "board_id",
        "priority_override",
        "assign_to",
        "auto_resolve_status",
        "notify_users",
        "use_routing",
    }
    assert not names & absent
    assert posted(sent(shown), bare).draft(draft) == draft


def test_a_new_rule_has_the_defaults() -> None:
    with APP.test_request_context("/"):
        draft = rule_form(OFFERED).draft()
    assert draft.is_active
    assert draft.conditions == {}
    assert draft.actions["createTicket"]
    assert draft.actions["resetAlertOnTicketClose"]
    assert not draft.actions["autoResolveTicket"]


def test_values_are_picked_and_typed() -> None:
    form = posted({"keywords": ["disk"], "keywords-typed": " volume \r\n\r\ndisk\r\n", "severities": "minor"})
    assert form.draft().conditions == {"severities": ["minor"], "keywords": ["disk", "volume"]}
    assert form.keywords.rows() == [("disk", "disk", True), ("volume", "volume", True)]


def test_only_free_fields_take_typed_values() -> None:
    assert posted({"organization_ids-typed": "9"}).draft().conditions == {}


def test_picked_values_come_first_and_gone_ones_stay() -> None:
    form = posted({"organization_ids": ["9", "2"]})
    assert form.organization_ids.rows() == [
        ("9", "9", True),
        ("2", "Contoso", True),
        ("1", "Northwind", False),
    ]
    board = posted({"board_id": "gone"}).board_id
    assert ("gone", "gone (not there any more)") in [(one.value, one.label) for one in board.choices]


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("", 0),
        (" 15 ", 15),
        ("1441", 1441),
        ("soon", "soon"),
        ("-1", "-1"),
        ("1.5", "1.5"),
        ("9" * 5000,) * 2,
    ],
)
def test_minutes_are_numbers_or_what_was_typed(typed: str, kept: int | str) -> None:
    assert posted({"hold_minutes": typed}).draft().actions["holdMinutes"] == kept


def test_a_refusal_stands_at_its_field() -> None:
    form = posted({"name": "", "keywords": ["ok", "x" * 300]})
    left = form.refuse(
        {
            "name": ["Fill this in."],
            "conditions.keywords.1": ["This is too long."],
            "actions.ticketTemplate.titleTemplate": ["This is empty."],
            "actions.holdMinutes": ["Give whole minutes."],
            "conditions.wings": ["There is no such setting here."],
        }
    )
    assert left == ["There is no such setting here."]
    assert form.errors == {
        "name": ["Fill this in."],
        "keywords": [f"“{'x' * 300}”: This is too long."],
        "title_template": ["This is empty."],
        "hold_minutes": ["Give whole minutes."],
    }


def test_a_refusal_of_a_field_that_is_not_there_stands_on_top() -> None:
    form = posted({}, RuleChoices())
    assert form.refuse({"actions.boardId": ["This board is gone."]}) == ["This board is gone."]


def test_changes_are_named() -> None:
    before = RuleDraft("Disks", conditions={"keywords": ["disk"]}, actions={"boardId": "b1"})
    after = RuleDraft("Disks", conditions={"keywords": ["disk", "volume"]}, actions={"holdMinutes": 5})
    form = _shown(after)
    assert form.changes(before, after) == ["Keywords", "Board", "Minutes to wait before the ticket"]
    assert form.changes(after, after) == []


def test_stored_nonsense_is_shown_as_nothing() -> None:
    broken = RuleDraft("Broken", conditions={"keywords": 7}, actions={"notifyUserIds": "u1"})
    assert _shown(broken).draft().conditions == {}
