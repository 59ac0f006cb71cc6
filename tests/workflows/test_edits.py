"""Changes of a document by the designer: what they keep, whatever their order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.contracts.actions import ActionSpec, says
from rmm_extension.domain.contracts.strict import Strict, Text
from rmm_extension.domain.contracts.workflows import MOST_STEPS, load_definition
from rmm_extension.domain.errors import Conflict
from rmm_extension.workflows import edits
from rmm_extension.workflows.edits import UnknownStep


class Note(Strict):
    ticket_id = Text(36, required=True, metadata=says("Ticket", picks="ticket"))
    user_id = Text(36, metadata=says("User", picks="user"))
    text = Text(100, required=True)


def spec(label: str = "Note on it") -> ActionSpec:
    return ActionSpec(
        id="tests.note",
        module="tests",
        label=label,
        description="Notes.",
        input=Note,
        output=Strict,
        side_effects=True,
        category="Tests",
        icon="note",
        version=3,
    )


def document(*ids: str) -> dict[str, Any]:
    steps = [{"id": one, "name": one.capitalize(), "action": "tests.note", "inputs": {}} for one in ids]
    return {"trigger": {"event": "RMM_ALERT_TRIGGERED"}, "steps": steps}


def names(found: Any) -> list[str]:
    return [step["id"] for step in found["steps"]]


def test_a_step_begins_with_what_the_workflow_is_about() -> None:
    made, step_id = edits.added(document("a", "b"), spec(), 1)
    assert names(made) == ["a", "note_on_it", "b"]
    assert made["steps"][1] == {
        "id": step_id,
        "name": "Note on it",
        "action": "tests.note",
        "version": 3,
        "inputs": {"ticket_id": {"template": "{{ ticket.id }}"}},
    }


@given(st.text(max_size=120), st.integers(0, 40))
def test_whatever_an_action_is_called_its_step_can_be_kept(label: str, place: int) -> None:
    made = document()
    for _ in range(3):
        made, _ = edits.added(made, spec(label or " "), place)
    for step in made["steps"]:
        step["name"] = "Named"
    assert len(set(names(made))) == 3
    load_definition(made)


@given(st.permutations(["a", "b", "c", "d"]), st.data())
def test_moving_and_ordering_loses_nothing(order: list[str], data: st.DataObject) -> None:
    made = edits.ordered(document("a", "b", "c", "d"), order)
    assert names(made) == order
    for _ in range(data.draw(st.integers(0, 6))):
        made = edits.moved(made, data.draw(st.sampled_from(order)), up=data.draw(st.booleans()))
    assert sorted(names(made)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "step_id, up, after",
    [("a", True, "abc"), ("a", False, "bac"), ("c", False, "abc"), ("c", True, "acb")],
)
def test_a_step_is_moved_by_one_place(step_id: str, up: bool, after: str) -> None:
    assert names(edits.moved(document("a", "b", "c"), step_id, up=up)) == list(after)


def test_nothing_given_is_changed() -> None:
    before = document("a", "b")
    kept = document("a", "b")
    edits.added(before, spec(), 0)
    edits.duplicated(before, "a")
    edits.moved(before, "a", up=False)
    edits.removed(before, "a")
    edits.with_step(before, {**before["steps"][0], "name": "Other"})
    edits.with_trigger(before, {"event": "MANUAL"})
    assert before == kept


def test_a_copy_stands_behind_its_step_under_another_name() -> None:
    made, step_id = edits.duplicated(document("a", "b"), "a")
    assert names(made) == ["a", step_id, "b"]
    assert made["steps"][1]["name"] == "Copy of A"


def test_an_order_of_other_steps_is_refused() -> None:
    for ids in (["a"], ["a", "b", "c"], ["a", "a"]):
        with pytest.raises(Conflict, match="changed meanwhile"):
            edits.ordered(document("a", "b"), ids)


def test_a_step_that_is_gone_is_unknown() -> None:
    for change in (edits.removed, edits.duplicated, edits.place_of):
        with pytest.raises(UnknownStep):
            change(document("a"), "b")


def test_there_are_never_too_many() -> None:
    full = document(*(f"s{number}" for number in range(MOST_STEPS)))
    with pytest.raises(Conflict, match=f"at most {MOST_STEPS} steps"):
        edits.added(full, spec(), 0)
    with pytest.raises(Conflict):
        edits.duplicated(full, "s0")
