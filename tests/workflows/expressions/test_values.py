"""What expressions give: values, comparisons, filters and tests, each in words where it cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.workflows import Binding
from rmm_extension.workflows.expressions import (
    ExpressionError,
    Missing,
    evaluate,
    parse,
    render,
    truth,
)

CONTEXT: dict[str, Any] = {
    "trigger": {"event": "RMM_ALERT_TRIGGERED", "severity": "critical", "count": 5},
    "alert": {"message": "Disk C: 97% full", "title": None, "raw": {"odd key": 1}},
    "device": {"name": "SRV-1.local", "status": "online"},
    "ticket": None,
    "run": {"started_at": "2026-11-22T10:00:00+00:00"},
    "steps": {
        "find": {
            "state": "succeeded",
            "output": {
                "devices": [{"hostname": "a", "online": True}, {"hostname": "b", "online": False}],
                "stdout": " 42\n",
            },
        }
    },
}


def value(source: str) -> Any:
    return evaluate(parse(source), CONTEXT)


@pytest.mark.parametrize(
    "source, expected",
    [
        ("1", 1),
        ("-1.5", -1.5),
        ("'it'", "it"),
        ("true", True),
        ("none", None),
        ("[1, 'a', trigger.count]", [1, "a", 5]),
        ("(1, 2)", [1, 2]),
        ("{'name': device.name}", {"name": "SRV-1.local"}),
        ("trigger.severity", "critical"),
        ("trigger['severity']", "critical"),
        ("alert.raw['odd key']", 1),
        ("steps.find.output.devices[0].hostname", "a"),
        ("steps.find.output.devices[-1].hostname", "b"),
        ("trigger.count + 2 - 1", 6),
        ("'a' + 'b'", "ab"),
        ("'a' ~ trigger.count ~ none ~ true", "a5true"),
        ("'x' ~ [1]", "x[1]"),
        ("trigger.count > 4 and trigger.count <= 5", True),
        ("1 < trigger.count < 5", False),
        ("trigger.severity == 'critical'", True),
        ("trigger.severity in ['critical', 'major']", True),
        ("trigger.severity not in ['minor']", True),
        ("'Disk' in alert.message", True),
        ("'severity' in trigger", True),
        ("'b' > 'a'", True),
        ("not ticket", True),
        ("ticket or 'none'", "none"),
        ("'yes' if trigger.count == 5 else 'no'", "yes"),
        ("'yes' if trigger.count == 6", None),
    ],
)
def test_an_expression_gives_its_value(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    "source, expected",
    [
        ("device.name | upper", "SRV-1.LOCAL"),
        ("device.name | lower | replace('.local', '')", "srv-1"),
        ("steps.find.output.stdout | trim | int + 1", 43),
        ("'4.5' | float", 4.5),
        ("'12.7' | int", 12),
        ("2.345 | round(2)", 2.35),
        ("2.6 | round", 3),
        ("5 | string", "5"),
        ("[1, 2] | string", "[1, 2]"),
        ("'abcdef' | truncate(4)", "abc…"),
        ("'abc' | truncate(4)", "abc"),
        ("'a;b' | split(';')", ["a", "b"]),
        ("['a', 1, none] | join('-')", "a-1-"),
        ("['a', 'b'] | join", "a, b"),
        ("[1, 2] | first", 1),
        ("[] | last", None),
        ("[1, 2] | length", 2),
        ("'abc' | length", 3),
        ("steps.find.output.devices | map('hostname') | join", "a, b"),
        ("steps.find.output.devices | where('online', true) | length", 1),
        ("{'a': [1, 'ü']} | tojson", '{"a": [1, "ü"]}'),
        ("'*bold* [x](y)' | escape_markdown", "\\*bold\\* \\[x\\]\\(y\\)"),
        ("run.started_at | plus(hours=1, minutes=30)", "2026-11-22T11:30:00+00:00"),
        ("run.started_at | plus(days=-1)", "2026-11-21T10:00:00+00:00"),
        ("run.started_at | in_zone('Europe/Berlin')", "2026-11-22T11:00:00+01:00"),
        ("ticket.id | default('none')", "none"),
        ("alert.title | default('Alert')", "Alert"),
        ("nothing.at.all | default(device.name)", "SRV-1.local"),
        ("device.name | default('x')", "SRV-1.local"),
    ],
)
def test_filters(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    "source, expected",
    [
        ("ticket.id is defined", False),
        ("ticket.id is undefined", True),
        ("device.name is defined", True),
        ("device.name is not defined", False),
        ("alert.title is none", True),
        ("alert.title is empty", True),
        ("'' is empty", True),
        ("[0] is empty", False),
        ("5 is number", True),
        ("true is number", False),
        ("'a' is string", True),
        ("alert.message is containing('DISK')", True),
        ("device.name is startingwith('SRV')", True),
        ("device.name is endingwith('.com')", False),
        ("alert.message is matching('9[0-9]% full')", True),
    ],
)
def test_tests(source: str, expected: bool) -> None:
    assert value(source) is expected


@pytest.mark.parametrize(
    "source, words",
    [
        ("nope", "There is no “nope” here. Known are: trigger, alert, device"),
        ("device.nmae", "There is no “nmae” in device. Known are: name, status."),
        ("ticket.id", "There is no “id” in ticket: it is empty here."),
        ("trigger.severity.x", "There is no “x” in trigger.severity, which is a text."),
        ("steps.find.output.devices[2]", "There is no item 2: the list has 2."),
    ],
)
def test_what_is_not_there_is_named_in_words(source: str, words: str) -> None:
    with pytest.raises(Missing) as caught:
        value(source)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    "source, words",
    [
        ("1 + 'a'", "put together by ~"),
        ("[1] + [2]", "“+” needs a number and got a list."),
        ("trigger.count > '4'", "Write | int or | float behind it."),
        ("true + 1", "“+” needs a number and got true or false."),
        ("5 in 'abc'", "not for a number"),
        ("'a' in 5", "not into a number"),
        ("-'a'", "needs a number"),
        ("5 | upper", "“upper” needs a text and got a number."),
        ("'a' | first", "“first” needs a list and got a text."),
        ("5 | length", "“length” needs"),
        ("['a'] | map('x')", "“map” needs a list of objects; in this one is a text."),
        ("'abc' | int", "“int” needs a number; “abc” is none."),
        ("'1e400' | float", "too large"),
        ("'nan' | float", "too large"),
        ("'x' | replace('', 'y')", "what to replace"),
        ("'x' | split('')", "at what to split"),
        ("1.5 | round(11)", "from 0 to 10 decimals"),
        ("'x' | plus(days=1)", "needs a time"),
        ("run.started_at | plus(days=1000)", "at most a year"),
        ("run.started_at | in_zone('Nowhere/At_all')", "the name of a zone"),
        ("run.started_at | in_zone('../../etc/passwd')", "the name of a zone"),
        ("'x' is matching('(')", "Not a valid pattern"),
        ("'x' is matching('(?=x)')", "Look-ahead"),
        ("{1: 2}", "The keys of an object are texts"),
        ("999999999999999999 + 999999999999999999", "too large"),
    ],
)
def test_what_cannot_be_worked_out_says_why(source: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(source)
    assert words in str(caught.value)
    assert not isinstance(caught.value, Missing)


def test_a_default_does_not_hide_another_mistake() -> None:
    with pytest.raises(ExpressionError, match="needs a text"):
        value("5 | upper | default('x')")


@pytest.mark.parametrize("source, holds", [
    ("trigger.count", True), ("0", False), ("''", False), ("'false'", True), ("[]", False), ("none", False),
])  # fmt: skip
def test_truth(source: str, holds: bool) -> None:
    assert truth(source, CONTEXT) is holds


@pytest.mark.parametrize(
    "template, expected",
    [
        ("plain", "plain"),
        ("", ""),
        ("{{ trigger.count }}", 5),
        (" {{ steps.find.output.devices }}\n", CONTEXT["steps"]["find"]["output"]["devices"]),
        ("{{ ticket }}", None),
        ("{{ trigger.count }}{{ trigger.count }}", "55"),
        ("On {{ device.name }}: {{ alert.message }}!", "On SRV-1.local: Disk C: 97% full!"),
        ("[{{ alert.title }}]", "[]"),
        ("Flag {{ true }}, {{ [1, none] }}", "Flag true, [1, null]"),
        ("{% if x %} {# no comment #} 50 %} }}", "{% if x %} {# no comment #} 50 %} }}"),
        ("{{ '{{' }}global.token}}", "{{global.token}}"),
        ("a\nb\n", "a\nb\n"),
    ],
)
def test_a_template(template: str, expected: Any) -> None:
    assert render(Binding(template=template), CONTEXT) == expected


@pytest.mark.parametrize("given", [None, 5, "{{ trigger.count }}", {"a": ["{{x}}"]}])
def test_a_value_is_given_as_it_is(given: Any) -> None:
    assert render(Binding(value=given), CONTEXT) == given
