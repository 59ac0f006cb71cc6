"""The gallery: what recipes make of answers, and what their expressions give where little is known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.contracts.workflows import load_definition
from rmm_extension.domain.errors import Invalid
from rmm_extension.domain.workflow_objects import OBJECTS
from rmm_extension.workflows import recipes
from rmm_extension.workflows.expressions import parse, parse_template, render, truth

CONNECTION = "0199c0de-0000-7000-8000-000000000001"
ANSWERS: dict[str, dict[str, Any]] = {
    "disk-full": {"script": f"{CONNECTION}:7"},
    "huntress-close": {},
    "escalate": {"channel_id": "19:x@thread.tacv2", "technicians": ["t1", "t2"]},
    "reboot-after-patch": {"connection": f"ninjaone:{CONNECTION}"},
}


def made(key: str, **more: Any) -> Any:
    recipe = recipes.find(key)
    assert recipe is not None
    return load_definition(recipes.document(recipe, {**ANSWERS[key], **more}))


def scene(**changes: Any) -> dict[str, Any]:
    """What expressions see: objects whose every key is null, but for the changes."""
    empty = {name: dict.fromkeys(keys) for name, keys in OBJECTS.items()}
    run = {"id": "r", "workflow": "W", "started_at": "2026-11-22T10:00:00+00:00", "actor_name": "A"}
    return {"trigger": {}, "run": run, "fields": {}, "steps": {}, **empty, **changes}


def test_there_is_one_answer_here_for_each_recipe() -> None:
    assert set(ANSWERS) == {one.key for one in recipes.RECIPES}


@pytest.mark.parametrize("key", ANSWERS)
def test_every_expression_reads(key: str) -> None:
    found = made(key)
    for source in (found.trigger.filter, *(step.when for step in found.steps if step.when)):
        parse(source)
    for step in found.steps:
        for binding in step.inputs.values():
            parse_template(binding.template or "")


@pytest.mark.parametrize("key", ANSWERS)
def test_an_alert_or_device_of_which_nothing_is_known_starts_nothing_and_breaks_nothing(key: str) -> None:
    assert truth(made(key).trigger.filter, scene()) is False


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip() and text.isprintable()))
def test_whatever_the_words_are_they_are_only_words(words: str) -> None:
    found = made("disk-full", words=words).trigger.filter
    objects = scene(connection={"provider": "tacticalrmm"}, device={}, alert={"message": f"a {words} b"})
    assert truth(found, objects)


class TestEscalation:
    def book(self, **changes: Any) -> dict[str, Any]:
        step = made("escalate", begins=10, minutes=20).steps[1]
        return {name: render(binding, scene(**changes)) for name, binding in step.inputs.items()}

    def test_it_is_for_the_ticket_where_there_is_one(self) -> None:
        found = self.book(
            ticket={"id": "42", "number": "T-42"}, alert={**scene()["alert"], "severity": "major"}
        )
        assert (found["link.type"], found["link.id"]) == ("ticket", "42")
        assert found["window.start"] == "2026-11-22T10:10:00+00:00"
        assert found["window.end"] == "2026-11-22T10:30:00+00:00"

    def test_without_a_ticket_it_is_for_nothing(self) -> None:
        found = self.book(ticket=None, alert={**scene()["alert"], "severity": "major"})
        assert found["link.type"] is None
        assert found["link.id"] is None

    def test_the_message_says_what_is_known(self) -> None:
        alert = {**scene()["alert"], "severity": "critical", "message": "Down", "device_name": "SRV"}
        tell = made("escalate").steps[0].inputs["message"]
        some = scene(alert=alert, ticket={"number": "T-1"}, client={"name": "Acme"})
        assert render(tell, some) == "CRITICAL on SRV of Acme\nDown\nTicket T-1"
        little = scene(alert={**alert, "message": None, "device_name": None}, ticket=None, client=None)
        assert render(tell, little) == "CRITICAL on a device\n\nThere is no ticket."


DEVICE = {
    **dict.fromkeys(OBJECTS["device"]),
    "kind": "workstation",
    "status": "online",
    "needs_reboot": True,
}


class TestReboot:
    @pytest.mark.parametrize(
        "change, starts",
        [
            ({}, True),
            ({"needs_reboot": None}, False),
            ({"patches_pending": True}, False),
            ({"patches_pending": False}, True),
            ({"status": "offline"}, False),
            ({"kind": "server"}, False),
            ({"current_user": "anna"}, False),
        ],
    )
    def test_only_what_needs_it_and_bears_it(self, change: dict[str, Any], starts: bool) -> None:
        objects = scene(device={**DEVICE, **change}, connection={"id": CONNECTION})
        assert truth(made("reboot-after-patch").trigger.filter, objects) is starts

    def test_somebody_at_work_may_be_left_out_of_account(self) -> None:
        objects = scene(device={**DEVICE, "current_user": "anna"}, connection={"id": CONNECTION})
        assert truth(made("reboot-after-patch", nobody=False).trigger.filter, objects)

    def test_another_connections_devices_are_left_alone(self) -> None:
        objects = scene(device=DEVICE, connection={"id": "another"})
        assert not truth(made("reboot-after-patch").trigger.filter, objects)

    def test_a_vendor_without_reboots_is_refused(self) -> None:
        with pytest.raises(Invalid) as refused:
            made("reboot-after-patch", connection=f"huntress:{CONNECTION}")
        assert set(refused.value.errors) == {"connection"}


def test_answers_are_held_to_their_contract() -> None:
    with pytest.raises(Invalid) as refused:
        made("escalate", technicians=[], severities=["awful"], minutes=1)
    assert {path.partition(".")[0] for path in refused.value.errors} == {
        "technicians",
        "severities",
        "minutes",
    }
