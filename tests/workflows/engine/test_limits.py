"""How many go on at once: of a tenant, and at a vendor; who waits, and who goes on when there is room."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text

from rmm_extension.jobs.execute import perform as execute
from rmm_extension.models import new_id
from rmm_extension.services import relay
from rmm_extension.testing.statements import StatementCounter
from rmm_extension.workflows import definitions, healing, places
from tests.harness.wait import until
from tests.services.working import relay_all, relay_once
from tests.workflows.engine.studio import Studio, document, step
from tests.workflows.engine.vendor import REBOOT, Vendor


def counts(studio: Studio) -> dict[str, int]:
    found: dict[str, int] = {}
    for run in studio.runs():
        found[run["state"]] = found.get(run["state"], 0) + 1
    return found


def tell_all(studio: Studio, number: int, **payload: Any) -> None:
    """Events about as many things."""
    for _ in range(number):
        studio.tell(integrationId=str(new_id()), **payload)
    relay_all(studio.world)


def test_twenty_runs_of_a_tenant_go_on_and_the_others_wait_without_a_job(studio: Studio) -> None:
    studio.publish(document(step("one"), step("two")))
    tell_all(studio, 23)
    assert counts(studio) == {"running": 20, "queued": 3}
    assert len(studio.jobs()) == 20
    first = [run["id"] for run in studio.runs()[:20]]
    assert {run["id"] for run in studio.runs() if run["state"] == "running"} == set(first)
    for _ in range(2):
        studio.do(next(job for job in studio.jobs() if job["subject"]["run_id"] == str(first[0])))
    assert counts(studio) == {"succeeded": 1, "running": 20, "queued": 2}
    studio.work()
    assert counts(studio) == {"succeeded": 23}
    assert len(studio.written()) == 46


def test_two_actions_of_a_connection_are_under_way_and_the_other_runs_wait_at_their_step(
    vendor: Vendor,
) -> None:
    studio = vendor.studio
    studio.publish(document(step("reboot", REBOOT, device={"value": vendor.scene.agent.agent_id})))
    tell_all(studio, 5)
    for job in studio.jobs("workflow_step"):
        studio.do(job)
    assert counts(studio) == {"waiting": 2, "queued": 3}
    assert len(studio.jobs("device_action")) == 2
    assert studio.states().count("queued") == 3
    assert len(studio.jobs("workflow_step")) == 0
    vendor.do_next("device_action")
    vendor.relay()
    assert counts(studio) == {"succeeded": 1, "waiting": 1, "running": 1, "queued": 2}
    studio.work()
    assert counts(studio) == {"succeeded": 5}
    assert vendor.sent() == ["rebootnow"] * 5


def test_a_vendor_has_room_again_though_the_workflow_that_asked_it_is_gone(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run was cancelled while the vendor was asked, and the workflow deleted then."""
    monkeypatch.setattr(places, "MOST_AT_A_VENDOR", 1)
    first = vendor.studio.publish(document(step("reboot", REBOOT)))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    vendor.die()
    vendor.studio.cancel(vendor.studio.run()["id"])
    vendor.studio.publish(document(step("reboot", REBOOT)), name="Other")
    vendor.world.do("UPDATE rmm_workflows SET state = 'paused' WHERE id = :id", id=first)
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    with vendor.world.unit() as session:
        definitions.delete(session, vendor.studio.person_in(session), first)
    (waiting,) = vendor.studio.runs()
    assert waiting["state"] == "queued"
    vendor.scene.work(vendor.action()["id"])
    vendor.studio.work()
    assert vendor.studio.run()["state"] == "succeeded"


def test_who_waits_for_a_vendor_takes_nobodys_place(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor that does not answer holds up its own runs and no others."""
    monkeypatch.setattr(places, "MOST_UNDER_WAY", 3)
    studio = vendor.studio
    studio.publish(document(step("reboot", REBOOT, device={"value": vendor.scene.agent.agent_id})))
    tell_all(studio, 6)
    while jobs := studio.jobs("workflow_step"):
        studio.do(jobs[0])
    assert counts(studio) == {"waiting": 2, "queued": 4}
    studio.publish(document(step("note"), event="RMM_ALERT_RESOLVED"))
    studio.tell("alert_resolved")
    relay_all(studio.world)
    while jobs := studio.jobs("workflow_step"):
        studio.do(jobs[0])
    assert (studio.written(), vendor.sent()) == (["note"], [])


def test_a_run_that_waits_for_a_person_takes_nobodys_place(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOST_UNDER_WAY", 1)
    studio = vendor.studio
    studio.publish(document(step("reboot", REBOOT), step("note")))
    vendor.tell()
    vendor.relay()
    vendor.do_next("workflow_step")
    vendor.die()
    vendor.scene.work(vendor.action()["id"])
    vendor.relay()
    assert studio.run()["state"] == "unknown"
    studio.publish(document(step("other"), event="RMM_ALERT_RESOLVED"))
    studio.tell("alert_resolved")
    studio.work()
    assert studio.written() == ["other"]
    # And whoever is decided on takes a place like everybody.
    studio.decide(studio.runs()[0]["id"], "happened")
    studio.work()
    assert studio.written() == ["other", "note"]


def test_eight_workers_at_once_keep_the_number_and_do_each_step_once(studio: Studio) -> None:
    studio.publish(document(step("one"), step("two")))
    tell_all(studio, 30)
    seen: list[int] = []
    while jobs := studio.jobs():
        chosen = jobs[:8]
        gate = threading.Barrier(len(chosen))
        threads = [threading.Thread(target=_work, args=(studio, gate, job)) for job in chosen]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen.append(counts(studio).get("running", 0))
    assert max(seen) <= 20
    assert counts(studio) == {"succeeded": 30}
    assert len(studio.written()) == 60


def _work(studio: Studio, gate: threading.Barrier, job: dict[str, Any]) -> None:
    gate.wait()
    with studio.world.app.app_context():
        execute(studio.world.rmm, studio.world.tenant, job["id"], job["attempt"])


def test_people_who_start_at_the_same_moment_get_one_place(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOST_UNDER_WAY", 1)
    made = document(step("one"), event="MANUAL", subjects=["device"])
    workflow, device, gate = studio.publish(made), str(studio.world.device()), threading.Barrier(4)

    def start() -> None:
        gate.wait()
        studio.start(workflow, "device", device)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(studio) == {"running": 1, "queued": 3}
    studio.work()
    assert counts(studio) == {"succeeded": 4}


def test_two_jobs_at_one_step_do_it_once(studio: Studio) -> None:
    """Whatever asked twice: the run's row decides."""
    studio.publish(document(step("one")))
    tell_all(studio, 1)
    run = studio.run()
    with studio.world.unit() as session:
        places.ask_for_step(session, studio.world.tenant, run["id"], 0)
    jobs, gate = studio.jobs(), threading.Barrier(2)
    threads = [threading.Thread(target=_work, args=(studio, gate, job)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(jobs), studio.written(), studio.states()) == (2, ["one"], ["succeeded"])


def test_events_at_the_same_moment_start_one_run_within_the_minutes(studio: Studio) -> None:
    studio.publish(document(step("one"), oncePerMinutes=10))
    for _ in range(8):
        studio.tell()
    relay_once(studio.world)
    gate = threading.Barrier(4)
    threads = [threading.Thread(target=_relay, args=(studio, gate)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(studio.runs()) == 1


def _relay(studio: Studio, gate: threading.Barrier) -> None:
    with studio.world.app.app_context():
        found = relay.claim(studio.world.rmm, 4)
        gate.wait()
        for message in found:
            if not relay.is_signal(message):
                relay.deliver(studio.world.rmm, message)


def test_who_waits_for_a_workflow_does_not_hold_the_tenant_meanwhile(studio: Studio) -> None:
    """Whoever deletes the workflow may itself wait for a step, and that for the tenant's lock."""
    workflow, world = studio.publish(document(step("one"))), studio.world
    studio.tell()
    relay_once(studio.world)
    gate = threading.Barrier(1)
    with world.app.app_context():
        engine = world.rmm.db.engine
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with engine.connect() as other:
        other.execute(text("SELECT 1 FROM rmm_workflows WHERE id = :id FOR UPDATE"), {"id": workflow})
        thread = threading.Thread(target=_relay, args=(studio, gate))
        thread.start()
        until(lambda: world.one(waiting) > 0, "the start waiting", 30, 0.01)
        with world.unit() as session:
            session.execute(text("SET LOCAL lock_timeout = '1s'"))
            places.lock(session, world.tenant)
        other.rollback()
    thread.join()
    assert len(studio.runs()) == 1


def test_a_step_costs_the_same_however_many_wait(studio: Studio) -> None:
    def cost() -> int:
        with StatementCounter() as sent:
            studio.do(studio.jobs()[0])
        return sent.count

    studio.publish(document(step("one"), step("two")))
    tell_all(studio, 1)
    alone = cost()
    tell_all(studio, 40)
    studio.do(studio.jobs()[0])
    assert cost() == alone


def test_in_a_suspended_tenant_runs_wait(studio: Studio) -> None:
    studio.publish(document(step("one"), step("two")))
    tell_all(studio, 2)
    studio.world.do("UPDATE tenants SET is_active = false WHERE id = :t", t=studio.world.tenant)
    studio.do(studio.jobs()[0])
    assert counts(studio) == {"running": 1, "queued": 1}
    with studio.world.app.app_context():
        healing.heal(studio.world.rmm)
    studio.work()
    assert (counts(studio), studio.written()) == ({"queued": 2}, [])
    studio.world.do("UPDATE tenants SET is_active = true WHERE id = :t", t=studio.world.tenant)
    with studio.world.app.app_context():
        assert healing.heal(studio.world.rmm) == 2
    studio.work()
    assert counts(studio) == {"succeeded": 2}
