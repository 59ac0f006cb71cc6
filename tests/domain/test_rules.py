"""Rules: what they match, in which order, and what becomes of broken ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.rules import Rule, compile_rule, evaluate, winner
from rmm_extension.domain.types import AlertEvent, AlertKind, Severity

RULE = UUID(int=7)
EVENT = AlertEvent(
    kind=AlertKind.TRIGGERED,
    external_id="1",
    occurred_at=datetime(2026, 6, 12, tzinfo=UTC),
    severity=Severity.MAJOR,
    message="Disk C: is at 95% capacity",
    alert_class="DISK_SPACE",
    activity_type="CONDITION",
    source_type="condition",
    external_organization_id="org-9",
)


def event(**changes: Any) -> AlertEvent:
    values = {name: getattr(EVENT, name) for name in EVENT.__struct_fields__}
    return AlertEvent(**(values | changes))


def rule(
    conditions: Any = None, actions: Any = None, name: str = "Rule", rule_id: UUID | None = None
) -> Rule:
    return compile_rule(
        rule_id or uuid4(), name, {} if conditions is None else conditions, {} if actions is None else actions
    )


def matches(conditions: dict[str, Any], **changes: Any) -> bool:
    return evaluate([rule(conditions)], event(**changes)).rule is not None


@pytest.mark.parametrize(
    "conditions, expected",
    [
        ({}, True),
        ({"activityTypes": ["CONDITION"]}, True),
        ({"activityTypes": ["OTHER"]}, False),
        ({"activityTypes": ["condition"]}, False),
        ({"activityTypes": []}, True),
        ({"alertClasses": ["X", "DISK_SPACE"]}, True),
        ({"alertClasses": ["disk_space"]}, False),
        ({"sourceTypes": ["condition"]}, True),
        ({"sourceTypes": ["Condition"]}, False),
        ({"organizationIds": ["org-9"]}, True),
        ({"organizationIds": ["org-1"]}, False),
        ({"keywords": ["disk c:"]}, True),
        ({"keywords": ["DISK"]}, True),
        ({"keywords": ["memory"]}, False),
        ({"keywords": ["memory", "disk"]}, True),
        ({"keywords": []}, True),
        ({"severities": ["major"], "keywords": ["memory"]}, False),
        ({"severities": ["major"], "keywords": ["disk"]}, True),
        ({"severities": ["minor"]}, False),
        ({"messagePattern": "9[0-9]%"}, True),
        ({"messagePattern": "disk"}, False),
        ({"messagePattern": "(?i)disk"}, True),
        ({"messagePattern": "^capacity"}, False),
        ({"messagePattern": "capacity$", "keywords": ["disk"]}, True),
        ({"messagePattern": "nothing", "keywords": ["disk"]}, False),
    ],
)
def test_conditions(conditions: dict[str, Any], expected: bool) -> None:
    assert matches(conditions) is expected


@pytest.mark.parametrize(
    "conditions, expected",
    [
        ({"keywords": ["incident"]}, True),
        ({"keywords": ["disk"]}, True),
        ({"keywords": ["memory"]}, False),
        ({"keywords": ["memory", "ws-07"]}, True),
        ({"messagePattern": "^CRITICAL"}, True),
        ({"messagePattern": "^Disk"}, True),
        ({"messagePattern": "WS-07$"}, True),
        ({"messagePattern": "WS-07.Disk"}, False),
        ({"messagePattern": "^Disk", "keywords": ["ws-07"]}, True),
    ],
)
def test_a_title_is_looked_at_beside_the_message(conditions: dict[str, Any], expected: bool) -> None:
    happened = event(title="CRITICAL - Incident on WS-07")
    one = rule(conditions)
    assert (evaluate([one], happened).rule is one) is expected
    assert (winner([one], happened) is one) is expected


def test_what_neither_title_nor_message_has_is_told() -> None:
    happened = event(title="CRITICAL")
    (keyword, pattern, _) = evaluate(
        [rule({"keywords": ["x"]}), rule({"messagePattern": "x"})], happened
    ).steps
    assert keyword["reason"] == "the title and message have none of the keywords x"
    assert pattern["reason"] == "the title and message do not match its pattern"


@pytest.mark.parametrize(
    "conditions, field",
    [
        ({"organizationIds": ["org-9"]}, "external_organization_id"),
        ({"activityTypes": ["CONDITION"]}, "activity_type"),
        ({"alertClasses": ["DISK_SPACE"]}, "alert_class"),
        ({"sourceTypes": ["condition"]}, "source_type"),
        ({"keywords": ["disk"]}, "message"),
    ],
)
def test_what_is_absent_satisfies_no_condition(conditions: dict[str, Any], field: str) -> None:
    assert matches(conditions)
    assert not matches(conditions, **{field: None})


def test_an_absent_message_is_an_empty_one_for_a_pattern() -> None:
    assert matches({"messagePattern": "^$"}, message=None)
    assert not matches({"messagePattern": "^$"})


def test_the_first_match_wins_in_the_given_order() -> None:
    first, second, third = rule({"severities": ["minor"]}), rule(name="Second"), rule(name="Third")
    verdict = evaluate([first, second, third], EVENT)
    assert verdict.rule is second
    assert [step["code"] for step in verdict.steps] == ["rule_skipped", "rule_matched"]


def test_no_rule_says_so() -> None:
    assert evaluate([], EVENT).steps == ({"code": "no_rule"},)
    assert evaluate([rule({"severities": ["none"]})], EVENT).steps[-1] == {"code": "no_rule"}


@pytest.mark.parametrize(
    "broken",
    [
        {"messagePattern": "([invalid"},
        {"messagePattern": "(?=x)"},
        {"unknown": ["x"]},
        {"severities": "major"},
        {"severities": ["huge"]},
        {"keywords": [""]},
        {"keywords": None},
        "not json",
        "[]",
        [],
        None,
        5,
    ],
)
def test_a_broken_stored_rule_warns_and_the_next_one_wins(broken: Any) -> None:
    bad = compile_rule(RULE, "Broken", broken, {})
    good = rule(name="Good")
    verdict = evaluate([bad, good], EVENT)
    assert verdict.rule is good
    (warning,) = [step for step in verdict.steps if step["code"] == "warning"]
    assert str(RULE) in warning["message"]
    assert "Broken" in warning["message"]


def test_conditions_and_actions_stored_as_text_are_read() -> None:
    stored = compile_rule(RULE, "Text", json.dumps({"severities": ["major"]}), json.dumps({"boardId": "b"}))
    assert evaluate([stored], EVENT).rule is stored
    assert stored.actions is not None
    assert stored.actions["boardId"] == "b"
    assert evaluate([stored], event(severity=Severity.MINOR)).rule is None


@pytest.mark.parametrize("actions", [None, "x", [], {"createTicket": "perhaps"}, {"teamId": "t"}])
def test_a_rule_with_unreadable_actions_matches_without_any(actions: Any) -> None:
    stored = compile_rule(RULE, "Rule", {}, actions)
    assert stored.actions is None
    assert evaluate([stored], EVENT).rule is stored


class TestWaitingForTheText:
    """With ``text_may_come``, what only the text can tell is not decided without it."""

    def test_the_first_rule_that_could_win_stops_the_evaluation(self) -> None:
        verdict = evaluate([rule({"keywords": ["disk"]}), rule()], event(message=None), text_may_come=True)
        assert (verdict.rule, verdict.needs_text) == (None, True)

    def test_a_match_before_it_decides(self) -> None:
        first = rule()
        verdict = evaluate([first, rule({"keywords": ["disk"]})], event(message=None), text_may_come=True)
        assert (verdict.rule, verdict.needs_text) == (first, False)

    def test_a_rule_that_fails_otherwise_is_passed_over(self) -> None:
        narrowed = rule({"messagePattern": "x", "severities": ["minor"]})
        verdict = evaluate([narrowed], event(message=None), text_may_come=True)
        assert (verdict.rule, verdict.needs_text) == (None, False)

    def test_an_empty_text_is_a_text(self) -> None:
        verdict = evaluate([rule({"keywords": ["disk"]})], event(message=""), text_may_come=True)
        assert verdict.needs_text is False

    def test_without_hope_it_is_decided(self) -> None:
        verdict = evaluate([rule({"keywords": ["disk"]})], event(message=None))
        assert (verdict.rule, verdict.needs_text) == (None, False)


@pytest.mark.parametrize("message", ["\ud800", "a\udfffb", "\x00", "ä" * 10_000])
def test_no_message_breaks_a_pattern(message: str) -> None:
    assert matches({"messagePattern": "^.*"}, message=message)


def test_a_pattern_that_would_take_others_for_ever_takes_no_time_to_speak_of() -> None:
    """(a+)+$ against a long run of a and one b: exponential for a backtracking engine, linear for ours."""
    assert not matches({"messagePattern": "^(a+)+$"}, message="a" * 50_000 + "b")


WORDS = st.lists(st.text(min_size=1, max_size=5), max_size=3)
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "severities": st.lists(st.sampled_from([s.value for s in Severity]), max_size=3),
        "activityTypes": WORDS,
        "alertClasses": WORDS,
        "sourceTypes": WORDS,
        "organizationIds": WORDS,
        "keywords": WORDS,
        "messagePattern": st.sampled_from(["a", "^$", "[0-9]", "(", "b.*c"]),
    },
)
EVENTS = st.builds(
    event,
    severity=st.sampled_from(Severity),
    message=st.none() | st.text(max_size=20),
    title=st.none() | st.text(max_size=20),
    alert_class=st.none() | st.text(max_size=5),
    activity_type=st.none() | st.text(max_size=5),
)


@given(CONDITIONS, EVENTS)
def test_all_given_conditions_are_required(conditions: dict[str, Any], happened: AlertEvent) -> None:
    """A rule matches exactly when each of its conditions alone matches."""
    whole = evaluate([rule(conditions)], happened).rule is not None
    parts = [evaluate([rule({key: value})], happened).rule is not None for key, value in conditions.items()]
    assert whole == all(parts)


@given(st.lists(CONDITIONS, max_size=4), EVENTS)
def test_the_winner_is_the_one_that_the_words_tell_of(
    conditions: list[dict[str, Any]], happened: AlertEvent
) -> None:
    rules = [rule(each, name=f"Rule {place}") for place, each in enumerate(conditions)]
    assert winner(rules, happened) is evaluate(rules, happened).rule


def test_a_long_list_is_cut_in_the_story() -> None:
    wanted = [f"org-{number:03}" for number in range(300)]
    (step, _) = evaluate([rule({"organizationIds": wanted})], event(external_organization_id="x")).steps
    assert step["reason"] == (
        "organization x is not org-000 or org-001 or org-002 or org-003 or one of 296 others"
    )


@given(
    st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()), st.dictionaries(st.text(), st.text()))
)
def test_anything_stored_is_a_rule_or_a_warning(stored: Any) -> None:
    verdict = evaluate([compile_rule(RULE, "Rule", stored, stored)], EVENT)
    assert verdict.rule is not None or verdict.steps
