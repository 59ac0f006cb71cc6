"""Moving rules up and down, and putting them all into a new order."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from rmm_extension.domain.errors import Conflict
from rmm_extension.services import rules
from tests.harness.world import World

from .conftest import Create
from .test_change import audited, order, version


@pytest.fixture
def three(create: Create) -> dict[str, UUID]:
    """Rules A, B and C."""
    return {name: create(name) for name in "ABC"}


def names(world: World) -> str:
    return "".join(name for name, _ in order(world))


def reorder(world: World, ids: list[UUID]) -> None:
    with world.unit() as session:
        rules.reorder(world.rmm, session, world.admin, world.integration_id, ids)


@pytest.mark.parametrize(
    "name, up, expected",
    [
        ("A", True, "ABC"),
        ("A", False, "BAC"),
        ("B", True, "BAC"),
        ("B", False, "ACB"),
        ("C", True, "ACB"),
        ("C", False, "ABC"),
    ],
)
def test_a_rule_changes_places_with_its_neighbour(
    bare: World, three: dict[str, UUID], name: str, up: bool, expected: str
) -> None:
    before = version(bare)
    with bare.unit() as session:
        rules.move(bare.rmm, session, bare.admin, three[name], up=up)
    assert names(bare) == expected
    assert (version(bare) > before) is (expected != "ABC")


def test_equal_places_are_told_apart_by_moving(bare: World, three: dict[str, UUID]) -> None:
    bare.do("UPDATE rmm_alert_rules SET priority_order = 7")
    with bare.unit() as session:
        rules.move(bare.rmm, session, bare.admin, three["C"], up=True)
    assert order(bare) == [("A", 0), ("C", 1), ("B", 2)]


def test_a_new_order_takes_the_places_from_0_in_one_version(bare: World, three: dict[str, UUID]) -> None:
    before = version(bare)
    reorder(bare, [three[name] for name in "CAB"])
    assert order(bare) == [("C", 0), ("A", 1), ("B", 2)]
    assert version(bare) == before + 1
    assert audited(bare)[-1][0::2] == ("rules.reordered", {"order": "C, A, B"})


def test_the_same_order_is_no_change(bare: World, three: dict[str, UUID]) -> None:
    before = version(bare)
    reorder(bare, list(three.values()))
    assert version(bare) == before


def test_rules_of_another_connection_stay_where_they_are(bare: World, three: dict[str, UUID]) -> None:
    other = World(bare.app).connect(name="Second")
    before = other.rows("SELECT * FROM rmm_alert_rules WHERE integration_id = :id", id=other.integration_id)
    with pytest.raises(Conflict, match="does not have"):
        reorder(bare, [*three.values(), before[0]["id"]])
    reorder(bare, [three[name] for name in "CBA"])
    after = other.rows("SELECT * FROM rmm_alert_rules WHERE integration_id = :id", id=other.integration_id)
    assert after == before


@pytest.mark.parametrize(
    "ids, words",
    [
        (lambda three: [three["A"], three["B"]], "leaves out “C”"),
        (lambda three: [three["B"]], "leaves out “A” and 1 more"),
        (lambda three: [*three.values(), uuid4()], "does not have"),
        (lambda three: [*three.values(), three["A"]], "twice"),
    ],
)
def test_an_order_that_is_not_of_these_rules_is_refused_in_words(
    bare: World, three: dict[str, UUID], ids: Any, words: str
) -> None:
    before = version(bare)
    with pytest.raises(Conflict, match=words):
        reorder(bare, ids(three))
    assert (names(bare), version(bare)) == ("ABC", before)


def test_places_that_stay_are_not_written(
    bare: World, three: dict[str, UUID], statement_counter: Any
) -> None:
    with statement_counter() as sent:
        reorder(bare, [three[name] for name in "ACB"])
    written = [text for text in sent.statements if text.lstrip().startswith("UPDATE rmm_alert_rules")]
    assert len(written) <= 2
