"""Which names an expression uses, and which of them it cannot do without."""

from __future__ import annotations

import pytest

from rmm_extension.domain.workflows import Binding
from rmm_extension.workflows.expressions import binding_uses, names, uses


@pytest.mark.parametrize(
    "source, expected",
    [
        ("1", set()),
        ("alert", {"alert"}),
        ("alert.severity == 'x'", {"alert.severity"}),
        ("steps.a.output.b and steps['c'].state", {"steps.a.output.b", "steps.c.state"}),
        ("steps.a.output.devices[0].name", {"steps.a.output.devices.name"}),
        ("steps[fields.which].output", {"steps", "fields.which"}),
        ("alert.x | replace(device.y, run.z)", {"alert.x", "device.y", "run.z"}),
        ("[a.b, {'k': c.d}] if e else h", {"a.b", "c.d", "e", "h"}),
    ],
)  # fmt: skip
def test_names(source: str, expected: set[str]) -> None:
    assert names(source) == expected


@pytest.mark.parametrize(
    "source, needed",
    [
        ("trigger.x | default(trigger.y)", {"trigger.y"}),
        ("trigger.x is defined", set()),
        ("trigger.x is defined and trigger.x == 1", set()),
        ("trigger.x is none", {"trigger.x"}),
        ("(trigger.x ~ trigger.y) | default('z')", {"trigger.x", "trigger.y"}),
        ("trigger.x | upper | default('z')", {"trigger.x"}),
    ],
)
def test_what_has_a_default_or_is_asked_for_need_not_be_there(source: str, needed: set[str]) -> None:
    assert uses(source).needed == needed


def test_the_names_of_an_input() -> None:
    assert binding_uses(Binding(value="{{ a.b }}")).names == set()
    assert binding_uses(Binding(template="no names")).names == set()
    found = binding_uses(Binding(template="{{ a.b }} and {{ c | default(1) }}"))
    assert (set(found.names), set(found.needed)) == ({"a.b", "c"}, {"a.b"})
