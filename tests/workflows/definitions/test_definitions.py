"""Drafts, publishing, pausing and deleting: who may, what is kept, and what happens at once."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from rmm_extension.domain.errors import Conflict, Forbidden, Invalid
from rmm_extension.models import WorkflowRun, new_id
from rmm_extension.services.unit import unit
from rmm_extension.workflows import definitions
from tests.harness.wait import until
from tests.workflows.definitions.desk import PLAIN, Desk
from tests.workflows.engine.acme import GUARDED, WRITE
from tests.workflows.engine.studio import document, step

OTHER = document(step("write"), step("more"))


def refused(desk: Desk, name: str, **more: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as caught:
        desk.make(name=name, **more)
    return caught.value.errors


def test_a_new_workflow_is_a_draft_that_nothing_starts(desk: Desk) -> None:
    row = desk.row(desk.make(name="  Mend disks ", description="When full.", recipe="disk_full"))
    assert (row["name"], row["description"], row["recipe"]) == ("Mend disks", "When full.", "disk_full")
    assert (row["state"], row["revision"], row["trigger"]) == ("draft", 1, None)
    assert row["draft"] == PLAIN
    assert desk.audited()[0]["action"] == "workflow.created"


def test_what_cannot_be_kept_is_refused_by_path(desk: Desk) -> None:
    assert refused(desk, " ") == {"name": ["Give it a name."]}
    assert set(refused(desk, "x" * 101, description="x" * 1_001)) == {"name", "description"}
    assert set(refused(desk, "x", found={"steps": []})) == {"trigger"}
    assert desk.world.one("SELECT count(*) FROM rmm_workflows") == 0


def test_a_nul_in_a_name_is_taken_out(desk: Desk) -> None:
    assert desk.row(desk.make(name="Me\x00nd"))["name"] == "Mend"


def test_a_workflow_of_another_tenant_does_not_exist(desk: Desk) -> None:
    workflow_id = desk.make()
    other = desk.world.one("SELECT id FROM tenants WHERE id <> :tenant LIMIT 1", tenant=desk.world.tenant)
    with desk.world.unit() as session:
        for tenant, name in ((other, workflow_id), (desk.world.tenant, uuid4())):
            with pytest.raises(definitions.UnknownWorkflow):
                definitions.get(session, tenant, name)


def test_saving_moves_the_revision_and_touches_no_version(desk: Desk) -> None:
    workflow_id = desk.make()
    desk.publish(workflow_id)
    desk.save(workflow_id, OTHER)
    row = desk.row(workflow_id)
    assert (row["revision"], row["published_revision"], row["draft"]) == (2, 1, OTHER)
    assert [one["document"] for one in desk.versions(workflow_id)] == [PLAIN]


def test_saving_the_same_changes_nothing(desk: Desk) -> None:
    workflow_id = desk.make()
    desk.save(workflow_id, PLAIN)
    assert desk.row(workflow_id)["revision"] == 1
    assert [line["action"] for line in desk.audited()] == ["workflow.created"]


def test_of_two_who_save_one_is_told(desk: Desk) -> None:
    workflow_id = desk.make()
    desk.save(workflow_id, OTHER)
    with pytest.raises(Conflict, match=r"has saved this workflow meanwhile\. Look at what it is now"):
        desk.save(workflow_id, PLAIN)
    with pytest.raises(Conflict):
        desk.publish(workflow_id, 1)
    assert desk.row(workflow_id)["draft"] == OTHER


def at_once(desk: Desk, *works: Any) -> list[str]:
    """What became of each, all begun together by threads of their own."""
    barrier, outcomes = threading.Barrier(len(works)), []

    def run(work: Any) -> None:
        with desk.world.app.app_context():
            barrier.wait()
            try:
                with unit(desk.world.rmm) as session:
                    work(session)
                outcomes.append("done")
            except (Conflict, definitions.UnknownWorkflow) as error:
                outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_of_many_who_save_at_once_one_does(desk: Desk) -> None:
    workflow_id = desk.make()

    def saving(number: int) -> Any:
        changed = document(step("write"), step(f"more_{number}"))
        return lambda session: definitions.save(session, desk.person(session), workflow_id, changed, 1)

    assert at_once(desk, *(saving(number) for number in range(4))) == ["Conflict"] * 3 + ["done"]
    assert desk.row(workflow_id)["revision"] == 2


def test_publishing_twice_at_once_makes_one_version(desk: Desk) -> None:
    workflow_id = desk.make()

    def publish(session: Any) -> None:
        definitions.publish(desk.world.rmm, session, desk.person(session), workflow_id, 1)

    assert at_once(desk, publish, publish, publish) == ["done"] * 3
    assert [one["number"] for one in desk.versions(workflow_id)] == [1]


def test_publishing_makes_what_runs(desk: Desk) -> None:
    workflow_id = desk.make()
    desk.publish(workflow_id)
    row = desk.row(workflow_id)
    assert (row["state"], row["trigger"], row["published_version"]) == ("published", "RMM_ALERT_TRIGGERED", 1)
    with desk.world.unit() as session:
        admin = desk.person(session)
    assert (row["publisher_id"], row["publisher_name"]) == (admin.id, admin.name)
    desk.save(workflow_id, document(step("write"), event="TICKET_CLOSED"))
    assert desk.row(workflow_id)["trigger"] == "RMM_ALERT_TRIGGERED", "the draft starts nothing"
    desk.publish(workflow_id, 2)
    assert desk.row(workflow_id)["trigger"] == "TICKET_CLOSED"
    assert [one["number"] for one in desk.versions(workflow_id)] == [1, 2]
    assert [line["changes"] for line in desk.audited() if line["action"] == "workflow.published"] == [
        {"version": 1},
        {"version": 2},
    ]


def test_another_publisher_gives_it_other_rights(desk: Desk) -> None:
    workflow_id = desk.make()
    desk.publish(workflow_id)
    desk.publish(workflow_id, role="technician")
    row = desk.row(workflow_id)
    with desk.world.unit() as session:
        assert row["publisher_id"] == desk.person(session, "technician").id
    assert row["published_version"] == 2


def test_who_lacks_a_right_publishes_nothing(desk: Desk) -> None:
    workflow_id = desk.make(document(step("write"), step("guarded", GUARDED)))
    with pytest.raises(Invalid) as caught:
        desk.publish(workflow_id, role="read_only")
    assert list(caught.value.errors) == ["steps.1.action"]
    assert desk.row(workflow_id)["state"] == "draft"
    assert not desk.versions(workflow_id)


def test_what_the_check_refuses_is_not_published(desk: Desk) -> None:
    workflow_id = desk.make(document(step("write", inputs={"text": {"template": "{{ nope }}"}})))
    with pytest.raises(Invalid) as caught:
        desk.publish(workflow_id)
    assert list(caught.value.errors) == ["steps.0.inputs.text"]


def test_pausing_and_resuming(desk: Desk) -> None:
    workflow_id = desk.make()
    resume = partial(definitions.resume, desk.world.rmm)
    for work in (definitions.pause, resume):
        with pytest.raises(Conflict, match="never published"):
            desk.act(work, workflow_id)
    desk.publish(workflow_id)
    for work, state in (
        (definitions.pause, "paused"),
        (definitions.pause, "paused"),
        (resume, "published"),
    ):
        desk.act(work, workflow_id)
        assert desk.row(workflow_id)["state"] == state
    told = [line["action"] for line in desk.audited()]
    assert told == ["workflow.created", "workflow.published", "workflow.paused", "workflow.resumed"]
    assert len(desk.versions(workflow_id)) == 1


def test_nobody_turns_on_again_what_they_could_not_publish(desk: Desk) -> None:
    """Its runs have the rights of whoever published it."""
    workflow_id = desk.make(document(step("x", GUARDED)))
    desk.publish(workflow_id)
    desk.act(definitions.pause, workflow_id)
    resume = partial(definitions.resume, desk.world.rmm)
    with pytest.raises(Forbidden, match="has no right to “Guarded”"):
        desk.act(resume, workflow_id, role="technician")
    assert desk.row(workflow_id)["state"] == "paused"
    desk.act(resume, workflow_id)
    assert desk.row(workflow_id)["state"] == "published"


def test_publishing_a_paused_one_starts_it_again(desk: Desk) -> None:
    workflow_id = desk.make()
    desk.publish(workflow_id)
    desk.act(definitions.pause, workflow_id)
    desk.publish(workflow_id)
    assert desk.row(workflow_id)["state"] == "published"


def test_a_copy_is_a_draft_of_its_own(desk: Desk) -> None:
    first = desk.make(recipe="disk_full")
    desk.publish(first)
    copy = desk.act(definitions.copy, first)
    row = desk.row(copy)
    assert (row["name"], row["state"], row["draft"], row["recipe"]) == (
        "Copy of Mend",
        "draft",
        PLAIN,
        "disk_full",
    )
    assert not desk.versions(copy)


def test_renaming(desk: Desk) -> None:
    workflow_id = desk.make()
    desk.act(definitions.rename, workflow_id, "Heal", "What it does.")
    desk.act(definitions.rename, workflow_id, "Heal", "What it does.")
    assert desk.row(workflow_id)["name"] == "Heal"
    assert [line["changes"] for line in desk.audited()][1:] == [
        {"name": ["Mend", "Heal"], "description": ["", "What it does."]}
    ]
    with pytest.raises(Invalid):
        desk.act(definitions.rename, workflow_id, "", "")


def test_the_audit_names_parts_and_shows_no_input(desk: Desk) -> None:
    workflow_id = desk.make(document(step("one"), step("two"), step("three")))
    changed = document(
        step("three"),
        step("one", inputs={"text": {"value": "x"}, "secret": {"value": "hunter-2-x"}}),
        step("four"),
        event="TICKET_CREATED",
    )
    desk.save(workflow_id, changed)
    assert desk.audited()[-1]["changes"] == {
        "added": ["four"],
        "removed": ["two"],
        "changed": ["one"],
        "order": ["three", "one", "four"],
        "trigger": ["RMM_ALERT_TRIGGERED", "TICKET_CREATED"],
    }
    assert "hunter" not in desk.world.one("SELECT string_agg(t::text, '') FROM rmm_audit t")


# --- Deleting


def run_of(desk: Desk, session: Any, workflow_id: Any, version_id: Any, state: str) -> WorkflowRun:
    return WorkflowRun(
        tenant_id=desk.world.tenant,
        id=new_id(),
        workflow_id=workflow_id,
        version_id=version_id,
        source="event",
        event="RMM_ALERT_TRIGGERED",
        event_key=str(new_id()),
        state=state,
        actor_id="x",
        actor_name="X",
    )


@pytest.mark.parametrize("state", ["queued", "running", "waiting", "unknown"])
def test_a_workflow_with_runs_under_way_stays(desk: Desk, state: str) -> None:
    workflow_id = desk.make()
    desk.publish(workflow_id)
    (version,) = desk.versions(workflow_id)
    with desk.world.unit() as session:
        session.add(run_of(desk, session, workflow_id, version["id"], state))
    with pytest.raises(Conflict, match="1 of its runs are under way"):
        desk.act(definitions.delete, workflow_id)
    desk.world.do("UPDATE rmm_workflow_runs SET state = 'succeeded'")
    desk.act(definitions.delete, workflow_id)
    for table in ("rmm_workflows", "rmm_workflow_versions", "rmm_workflow_runs"):
        assert desk.world.one(f"SELECT count(*) FROM {table}") == 0
    assert desk.audited()[-1]["action"] == "workflow.deleted"


def test_a_run_that_starts_while_it_is_deleted_is_not_lost_unseen(desk: Desk) -> None:
    """The run's row is written and not committed: deleting waits for it, and is refused then."""
    workflow_id = desk.make()
    desk.publish(workflow_id)
    (version,) = desk.versions(workflow_id)
    outcome: list[str] = []

    def delete() -> None:
        with desk.world.app.app_context():
            try:
                with unit(desk.world.rmm) as session:
                    definitions.delete(session, desk.person(session), workflow_id)
                outcome.append("deleted")
            except Conflict:
                outcome.append("refused")

    thread = threading.Thread(target=delete)
    with desk.world.unit() as session:
        session.add(run_of(desk, session, workflow_id, version["id"], "queued"))
        session.flush()
        thread.start()
        until(lambda: somebody_waits(desk), "the delete that waits")
    thread.join()
    assert outcome == ["refused"]
    assert desk.world.one("SELECT count(*) FROM rmm_workflow_runs") == 1


def somebody_waits(desk: Desk) -> bool:
    """Whether a statement of this database waits for a lock, asked by a connection of its own."""
    with desk.world.rmm.db.engine.connect() as connection:
        return bool(connection.exec_driver_sql(_WAITING).scalar_one())


_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def test_a_run_keeps_what_was_published_when_it_began(desk: Desk) -> None:
    workflow_id = desk.make()
    desk.publish(workflow_id)
    desk.save(workflow_id, OTHER)
    desk.publish(workflow_id, 2)
    assert [one["document"]["steps"][-1]["action"] for one in desk.versions(workflow_id)] == [WRITE, WRITE]
    assert [len(one["document"]["steps"]) for one in desk.versions(workflow_id)] == [1, 2]
