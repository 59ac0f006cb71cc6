"""What becomes of an expression that is being typed, at its place and with the values of a run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from rmm_extension.workflows import trying
from rmm_extension.workflows.trying import Tried
from tests.workflows.definitions.desk import Desk
from tests.workflows.definitions.test_shapes import past_run
from tests.workflows.engine.acme import WRITE
from tests.workflows.engine.studio import document, step

FOUND = document(step("write"), step("next"), step("last"))
SAID = {"text": "Disk C: is full", "count": 3}


@pytest.fixture
def run_id(desk: Desk) -> UUID:
    """A run that did its first two steps, about an alert and no device."""
    return past_run(
        desk, FOUND, {"write": SAID, "next": {"text": "", "count": 0}}, alert={"severity": "critical"}
    )


def attempt(
    desk: Desk, source: str, position: int | None = 1, run_id: UUID | None = None, **more: Any
) -> Tried:
    with desk.world.unit() as session:
        return trying.attempt(
            desk.world.rmm,
            session,
            more.pop("tenant", desk.world.tenant),
            FOUND,
            position,
            source,
            is_template=more.pop("is_template", False),
            run_id=run_id,
            readable=more.pop("readable", lambda _action: True),
        )


@pytest.mark.parametrize(
    "source, value",
    [
        ('alert.severity == "critical"', "true"),
        ('alert.severity == "minor"', "false"),
        ("alert.severity", "critical, which counts as true"),
        ("steps.write.output.count - 3", "0, which counts as false"),
        ("device", "nothing, which counts as false"),
        ("[1, steps.write.output.count - 1]", "[1, 2], which counts as true"),
        ('""', "an empty text, which counts as false"),
    ],
)
def test_a_condition_says_whether_it_would_hold(desk: Desk, run_id: UUID, source: str, value: str) -> None:
    assert attempt(desk, source, run_id=run_id) == Tried(value=value)


@pytest.mark.parametrize(
    "source, value",
    [
        ("Severity: {{ alert.severity }}", "Severity: critical"),
        ("{{ steps.write.output.count }}", "3"),
        ("{{ steps.write.output }}", '{"text": "Disk C: is full", "count": 3}'),
        ("{{ device }}", "nothing: it is left out"),
        ("{{ ticket.id | default('') }}", "an empty text"),
        ("{{ alert.severity | upper }}" * 100, "CRITICAL" * 62 + "CRIT…"),
        ("without any", "without any"),
    ],
)
def test_an_input_shows_what_it_would_be(desk: Desk, run_id: UUID, source: str, value: str) -> None:
    assert attempt(desk, source, run_id=run_id, is_template=True) == Tried(value=value)


@pytest.mark.parametrize(
    "source, words",
    [
        ("alert.severity ==", "This does not read: it ends too early"),
        ("alert.nonsense", "There is no “nonsense” in alert. Known are: "),
        ("nonsense", "There is no “nonsense”. Known are: "),
        ("steps.last.output", "The step “last” does not come before"),
        ("steps.next.output", "The step “next” does not come before"),
        ("fields.why", "There is no “why” in fields: the trigger asks for no fields."),
    ],
)
def test_what_cannot_be_published_says_why_with_and_without_a_run(
    desk: Desk, run_id: UUID, source: str, words: str
) -> None:
    for run in (None, run_id):
        tried = attempt(desk, source, run_id=run)
        assert words in (tried.problem or "")
        assert (tried.value, tried.obstacle) == (None, None)


@pytest.mark.parametrize(
    "source, words",
    [
        ("device.name", "there is no “name” in device: it is empty here."),
        ("alert.message", "there is no “message” in alert. Known are: severity."),
        ("alert.severity + 1 == 2", "a text and something else are put together by ~ and not by +."),
    ],
)
def test_what_the_run_has_no_value_for_is_named(desk: Desk, run_id: UUID, source: str, words: str) -> None:
    assert attempt(desk, source, run_id=run_id) == Tried(obstacle=words)


def test_a_step_sees_what_it_would_have_seen_and_no_later_values(desk: Desk, run_id: UUID) -> None:
    assert attempt(desk, "steps | length", 1, run_id).value == "1, which counts as true"
    assert attempt(desk, "steps | length", 2, run_id).value == "2, which counts as true"
    assert "There is no “steps”" in (attempt(desk, "steps.write.state", None, run_id).problem or "")
    assert "There is no “run”" in (attempt(desk, "run.id", None, run_id).problem or "")
    assert attempt(desk, "alert.severity", None, run_id).value == "critical, which counts as true"


@pytest.mark.parametrize("source", ["steps.write.output.text", "steps | tojson", "steps.write | tojson"])
def test_what_came_of_a_step_is_for_those_who_may_do_it(desk: Desk, run_id: UUID, source: str) -> None:
    tried = attempt(desk, source, 2, run_id, readable=lambda action: action != WRITE)
    assert tried.value is None
    assert "is shown to those who may do it" in (tried.obstacle or "")
    assert "full" not in str(tried)


def test_a_run_of_another_tenant_gives_nothing(desk: Desk, run_id: UUID) -> None:
    other = desk.world.one("SELECT id FROM tenants WHERE id <> :tenant LIMIT 1", tenant=desk.world.tenant)
    assert attempt(desk, "alert.severity", run_id=run_id, tenant=other) == Tried()


def test_without_a_run_or_without_words_there_is_nothing_to_say(desk: Desk, run_id: UUID) -> None:
    assert attempt(desk, "alert.severity") == Tried()
    assert attempt(desk, "  ", run_id=run_id) == Tried()
