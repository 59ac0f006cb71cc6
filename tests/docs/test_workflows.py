"""The page on workflows: its example is one, and it names every function and limit as they are."""

from __future__ import annotations

import json
import re

from rmm_extension.domain.contracts.workflows import (
    LONGEST_EXPRESSION,
    LONGEST_TEMPLATE,
    MOST_FIELDS,
    MOST_STEPS,
    StepSchema,
    load_definition,
)
from rmm_extension.domain.workflow_objects import NAMES
from rmm_extension.domain.workflows import MANUAL_KINDS, SUBJECTS, StepState
from rmm_extension.workflows import guard, places
from rmm_extension.workflows.check import check
from rmm_extension.workflows.expressions.budget import LONGEST
from rmm_extension.workflows.expressions.filters import FILTERS
from rmm_extension.workflows.expressions.functions import Functions
from rmm_extension.workflows.expressions.parsing import DEEPEST, parse
from rmm_extension.workflows.expressions.tests import TESTS
from tests.docs.documents import PROJECT, blocks, text
from tests.workflows.definitions.conftest import desk
from tests.workflows.definitions.desk import Desk

__all__ = ["desk"]
PAGE = PROJECT / "docs" / "workflows.md"


def table(header: str) -> list[list[str]]:
    """The rows of the table whose first column is called so, without the marks of code."""
    whole = text(PAGE)
    begin = whole.index(f"| {header} |")
    rows = whole[begin:].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_the_example_can_be_published(desk: Desk) -> None:
    (code,) = blocks(PAGE, "json")
    document = json.loads(code)
    load_definition(document)
    with desk.world.unit() as session:
        report = check(desk.world.rmm, session, desk.person(session), document)
    assert (report.errors, report.warnings) == ({}, {})


def test_every_function_stands_there_as_it_is() -> None:
    for header, functions in (("filter", FILTERS), ("test", TESTS)):
        assert table(header) == [
            [f"`{one.name}`", one.sentence, "`" + one.example.replace("|", "\\|") + "`"]
            for one in functions.values()
        ]


def test_every_example_of_a_function_reads() -> None:
    everything: list[Functions] = [FILTERS, TESTS]
    for functions in everything:
        for one in functions.values():
            assert parse(one.example)
            assert one.name in one.example


def test_every_name_key_and_state_stands_there() -> None:
    named = " ".join(row[0] for row in table("name"))
    assert set(re.findall(r"`([a-z]+)", named)) == set(NAMES)
    keys = " ".join(row[0] for row in table("key of a step"))
    assert set(re.findall(r"`(\w+)`", keys)) == set(StepSchema().fields)
    states = " ".join(row[0] for row in table("state of a step"))
    assert set(re.findall(r"`(\w+)`", states)) == {state.value for state in StepState}
    page = text(PAGE)
    for word in (*SUBJECTS, *MANUAL_KINDS):
        assert f"`{word}`" in page


def test_the_limits_are_those_in_force() -> None:
    page = text(PAGE)
    for words in (
        f"at most {MOST_STEPS} steps",
        f"at most {MOST_FIELDS})",
        f"{LONGEST_EXPRESSION:,} characters (a template {LONGEST_TEMPLATE:,}), {DEEPEST} levels,"
        f" results of {LONGEST:,} characters",
        f"| {places.MOST_UNDER_WAY} runs of a tenant under way |",
        f"| {places.MOST_AT_A_VENDOR} actions of workflows at one connection |",
        f"| {guard.MOST_UNFINISHED:,} runs of a tenant that wait or are under way |",
        f"| {guard.MOST_ABOUT_ONE} runs of a workflow about the same thing within an hour |",
        f"those after {guard.MOST_OF_A_CLOCK})",
    ):
        assert words in page, words
