"""The help with expressions: what can be named at a place, as what, and with which value."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.workflow_objects import NAMES, OBJECTS, RUN
from rmm_extension.models import WorkflowInvocation, new_id
from rmm_extension.workflows import context, shapes
from rmm_extension.workflows.expressions import evaluate, parse
from rmm_extension.workflows.scope import Known
from rmm_extension.workflows.shapes import Group, Name
from tests.harness.world import World
from tests.workflows.definitions.desk import Desk
from tests.workflows.definitions.test_definitions import run_of
from tests.workflows.engine.acme import GUARDED, WRITE
from tests.workflows.engine.studio import document, step

FIND, GET = "tacticalrmm.agents.find", "tacticalrmm.agents.get"


def shape(desk: Desk, found: dict[str, Any], position: int, run_id: UUID | None = None) -> list[Group]:
    with desk.world.unit() as session:
        return shapes.shape(desk.world.rmm, session, desk.world.tenant, found, position, run_id=run_id)


def names(groups: list[Group]) -> dict[str, Name]:
    return {name.path: name for group in groups for name in group.names}


def test_a_step_sees_the_trigger_the_things_the_run_and_the_steps_before(desk: Desk) -> None:
    found = document(step("first"), step("find", FIND), step("last"))
    groups = shape(desk, found, 2)
    assert [group.label for group in groups] == [
        "What started it", "Alert", "Device", "Ticket", "Asset", "Client", "Connection", "The run",
        "First", "Find",
    ]  # fmt: skip
    known = names(groups)
    assert known["trigger.severity"].type == "text"
    assert known["trigger.triggeredAt"].type == "time"
    assert known["steps.first.output.count"] == Name("steps.first.output.count", "Count", "number")
    assert known["steps.find.output.agents"].type == "list"
    assert "steps.find.output.agents[0].hostname" in known
    assert not [path for path in known if path.startswith("steps.last")]


def test_the_first_step_sees_no_steps(desk: Desk) -> None:
    assert not [path for path in names(shape(desk, document(step("one")), 0)) if path.startswith("steps")]


def test_a_form_shows_its_fields(desk: Desk) -> None:
    fields = [{"name": "why", "label": "Why"}, {"name": "many", "label": "How many", "kind": "number"}]
    found = document(step("one"), event="MANUAL", subjects=["alert"], fields=fields)
    known = names(shape(desk, found, 0))
    assert (known["fields.why"].label, known["fields.many"].type) == ("Why", "number")


def test_an_action_that_is_gone_is_no_obstacle(desk: Desk) -> None:
    known = names(shape(desk, document(step("gone", "acme.gone"), step("two")), 1))
    assert {path for path in known if path.startswith("steps")} == {
        "steps.gone.output", "steps.gone.state", "steps.gone.error", "steps.gone.message",
    }  # fmt: skip


def past_run(desk: Desk, found: dict[str, Any], outputs: dict[str, Any], **seen: Any) -> UUID:
    """A run of the workflow that saw this and whose steps gave that."""
    workflow_id = desk.make(found)
    desk.publish(workflow_id)
    (version,) = desk.versions(workflow_id)
    with desk.world.unit() as session:
        run = run_of(desk, session, workflow_id, version["id"], "succeeded")
        run.context = {"trigger": {"event": "RMM_ALERT_TRIGGERED"}, **dict.fromkeys(OBJECTS), **seen}
        session.add(run)
        session.flush()
        for place, (name, output) in enumerate(outputs.items()):
            session.add(
                WorkflowInvocation(
                    tenant_id=run.tenant_id,
                    id=new_id(),
                    run_id=run.id,
                    step_id=name,
                    position=place,
                    action=found["steps"][place]["action"],
                    state="succeeded",
                    output=output,
                    message="Done.",
                )
            )
        return run.id


def test_the_values_of_a_run_stand_beside_the_names(desk: Desk) -> None:
    found = document(step("write"), step("find", FIND), step("last"))
    run_id = past_run(
        desk,
        found,
        {
            "write": {"text": "x" * 500, "count": 1},
            "find": {"agents": [{"hostname": "SRV-1"}, {"hostname": "SRV-2"}], "count": 2},
        },
        alert={"id": "7", "severity": "critical"},
    )
    known = names(shape(desk, found, 2, run_id))
    assert known["alert.severity"].example == "critical"
    assert known["device.name"].example is None
    assert known["steps.write.output.count"].example == 1
    assert known["steps.write.output.text"].example == "x" * 200 + "…"
    assert known["steps.find.output.agents"].example == "2 items"
    assert known["steps.find.output.agents[0].hostname"].example == "SRV-1"
    assert known["steps.find.message"].example == "Done."
    assert known["run.id"].example == str(run_id)


def test_what_a_contract_leaves_open_is_named_by_what_there_was(desk: Desk) -> None:
    found = document(step("gone", "acme.gone"), step("last"))
    output = {"disk": {"free gb": 3, "name": "C:"}, "list": [{"a": 1}], "none": None}
    # An action that is gone cannot be published: the run is of an earlier time.
    run_id = past_run(desk, document(step("gone"), step("last")), {"gone": output})
    known = names(shape(desk, found, 1, run_id))
    assert known['steps.gone.output.disk["free gb"]'] == Name(
        'steps.gone.output.disk["free gb"]', "free gb", "number", 3
    )
    assert known["steps.gone.output.list[0].a"].example == 1
    assert known["steps.gone.output.none"].type == ""


def test_a_run_of_another_tenant_shows_nothing(desk: Desk) -> None:
    found = document(step("write"), step("last"))
    run_id = past_run(desk, found, {"write": {"text": "secret of another", "count": 1}})
    other = desk.world.one("SELECT id FROM tenants WHERE id <> :tenant LIMIT 1", tenant=desk.world.tenant)
    with desk.world.unit() as session:
        groups = shapes.shape(desk.world.rmm, session, other, found, 1, run_id=run_id)
    assert all(name.example is None for name in names(groups).values())


def test_values_of_a_step_are_for_those_who_may_do_what_was_done_there(desk: Desk) -> None:
    """By the run, whatever the draft would do there by now."""
    run_id = past_run(desk, document(step("write"), step("last")), {"write": {"text": "said", "count": 1}})

    def shown(action: str, readable: str) -> dict[str, Any]:
        found = document(step("write", action), step("last"))
        with desk.world.unit() as session:
            rmm, tenant = desk.world.rmm, desk.world.tenant
            groups = shapes.shape(
                rmm, session, tenant, found, 1, run_id=run_id, readable=lambda done: done == readable
            )
        return {path: name.example for path, name in names(groups).items()}

    assert shown(WRITE, readable=WRITE)["steps.write.output.text"] == "said"
    assert shown(GUARDED, readable=WRITE)["steps.write.message"] == "Done."
    for action in (WRITE, GUARDED):
        hidden = shown(action, readable=GUARDED)
        assert {value for path, value in hidden.items() if path.startswith("steps.")} == {None}
        assert hidden["run.workflow"] == "Mend"


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)
KEYS = TEXT | st.sampled_from(["in", "true", "not", "0", 'a"b', "a\\n", "\r\n", "{{", "a.b", "😀"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_every_name_that_is_told_is_one_that_can_be_written(value: dict[str, Any]) -> None:
    """Whatever keys a vendor's answer has: the path, as it is inserted, reads and finds the value."""
    group = shapes._group("out", Known(label="Output", is_open=True), value)
    for name in group.names:
        found = evaluate(parse(name.path), {"out": value})
        assert name.example == shapes._example(found)


def test_the_things_of_a_run_have_the_keys_that_are_told(world: World) -> None:
    """What the engine keeps of them is what the help, the check and the documentation name."""
    device = world.device()
    world.post()
    alert = world.alert()
    with world.unit() as session:
        scene = context.look(world.rmm, session, world.tenant, context.About(alert_id=alert["id"]))
    assert device
    assert scene.objects.keys() == OBJECTS.keys()
    assert {*scene.objects, "trigger", "fields", "run", "steps"} == set(NAMES)
    for name, known in OBJECTS.items():
        if name != "asset":  # the device has none yet
            assert scene.objects[name].keys() == known.keys(), name
    assert set(RUN) == {"id", "workflow", "started_at", "actor_name"}
