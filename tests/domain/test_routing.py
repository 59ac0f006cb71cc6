"""Where a ticket goes by a rule and its connection's routing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from rmm_extension.domain.contracts.routing import load_routing
from rmm_extension.domain.contracts.rules import load_actions
from rmm_extension.domain.routing import NO_ROUTING, Place, place, proposed_priorities, read_routing
from rmm_extension.domain.types import Severity

WHOLE: dict[str, Any] = {
    "boardId": "b",
    "categoryId": "c",
    "subcategoryId": "s",
    "priorityBySeverity": {severity.value: f"p-{severity.value}" for severity in Severity},
    "fallbackClientId": "f",
    "fallbackBoardId": "fb",
}
ROUTING = read_routing({"routing": WHOLE})
MAPPED = Place("k", board_id="b", category_id="c", subcategory_id="s", priority_id="p-major")
RATED = (Severity.CRITICAL, Severity.MAJOR, Severity.MINOR)
"""The severities that alerts of the vendor have."""
UNMAPPED = Place("f", is_unmapped=True, board_id="fb", priority_id="p-major")


@pytest.mark.parametrize(
    "client, rule, expected",
    [
        ("k", {"useRouting": True}, MAPPED),
        (None, {"useRouting": True}, UNMAPPED),
        (
            "k",
            {"useRouting": True, "boardId": "own", "priorityOverride": "p"},
            Place("k", board_id="own", category_id="c", subcategory_id="s", priority_id="p"),
        ),
        (
            None,
            {"useRouting": True, "boardId": "own"},
            Place("f", is_unmapped=True, board_id="own", priority_id="p-major"),
        ),
        ("k", {}, Place("k")),
        ("k", {"boardId": "own", "priorityOverride": "p"}, Place("k", board_id="own", priority_id="p")),
    ],
)
def test_place(client: str | None, rule: dict[str, Any], expected: Place) -> None:
    assert place(ROUTING, load_actions(rule), client, Severity.MAJOR) == expected


def without(*path: str) -> dict[str, Any]:
    """The whole routing but for one choice."""
    *above, last = path
    routing = {**WHOLE, "priorityBySeverity": dict(WHOLE["priorityBySeverity"])}
    inner: dict[str, Any] = routing[above[0]] if above else routing
    del inner[last]
    return routing


@pytest.mark.parametrize(
    "routing, lacks",
    [
        (WHOLE, ()),
        (without("categoryId"), ()),
        (without("subcategoryId"), ()),
        (without("boardId"), ("no board",)),
        (without("fallbackClientId"), ("no fallback client",)),
        (without("fallbackBoardId"), ("no fallback board",)),
        (without("priorityBySeverity", "major"), ("no priority for major",)),
        (without("priorityBySeverity", "minor"), ("no priority for minor",)),
        (without("priorityBySeverity", "moderate"), ()),
        (without("priorityBySeverity", "none"), ()),
    ],
)
def test_what_a_routing_lacks(routing: dict[str, Any], lacks: tuple[str, ...]) -> None:
    assert read_routing({"routing": routing}).lacks(RATED) == lacks


def test_a_host_without_a_catalog_needs_the_client_alone() -> None:
    assert NO_ROUTING.lacks(RATED, has_catalog=False) == ("no fallback client",)
    assert read_routing({"routing": {"fallbackClientId": "f"}}).lacks(RATED, has_catalog=False) == ()


@pytest.mark.parametrize("stored", [None, {}, "x", 7, [], {"routing": None}, {"routing": {"what": 1}}])
def test_what_cannot_be_read_is_no_routing(stored: Any) -> None:
    settings = stored if isinstance(stored, dict) and "routing" in stored else {"routing": stored}
    assert read_routing(settings) == NO_ROUTING


@given(
    st.dictionaries(
        st.sampled_from(sorted(WHOLE)),
        st.none() | st.text(max_size=3) | st.integers() | st.just({"major": ""}),
    )
)
def test_any_json_is_read_or_refused_and_never_half(value: dict[str, Any]) -> None:
    try:
        loaded = load_routing(value)
    except ValidationError:
        assert read_routing({"routing": value}) == NO_ROUTING
        return
    assert load_routing(loaded) == loaded
    assert None not in loaded.values()


@pytest.mark.parametrize(
    "names, expected",
    [
        (
            ("Urgent", "High", "Medium", "Low"),
            {"critical": "Urgent", "major": "High", "moderate": "Medium", "minor": "Medium", "none": "Low"},
        ),
        (
            ("critical", "Urgent", "HIGH", " low "),
            {"critical": "critical", "major": "HIGH", "minor": " low ", "none": " low "},
        ),
        (("P1 - Critical", "Highest"), {}),
        ((), {}),
    ],
)
def test_priorities_are_proposed_by_their_exact_names(
    names: tuple[str, ...], expected: dict[str, str]
) -> None:
    assert proposed_priorities([(name, name) for name in names], Severity) == expected
    of_the_vendor = {one: expected[one] for one in RATED if one in expected}
    assert proposed_priorities([(name, name) for name in names], RATED) == of_the_vendor
