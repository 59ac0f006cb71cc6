"""Working off what a test left in outbox and runs, in this thread, as workers would."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rmm_extension.domain.contracts.events import check
from rmm_extension.domain.errors import RMMError
from rmm_extension.jobs.execute import perform
from rmm_extension.services import kinds, relay, runs
from rmm_extension.services.unit import unit
from tests.harness.world import World


def relay_all(world: World) -> list[tuple[str, dict[str, Any]]]:
    """Hand over every outbox row; the signals that are sent by it, in order, each as its contract wants."""
    sent = []
    with world.app.app_context():
        while messages := relay.claim(world.rmm):
            for message in messages:
                if relay.is_signal(message):
                    check(message.payload["name"], message.payload["payload"])
                    sent.append((message.payload["name"], message.payload["payload"]))
                    relay.settle(world.rmm, [message])
                else:
                    relay.deliver(world.rmm, message)
    return sent


def relay_once(world: World) -> None:
    """Hand over what waits in the outbox now, and not what comes of that."""
    with world.app.app_context():
        for message in relay.claim(world.rmm):
            if not relay.is_signal(message):
                relay.deliver(world.rmm, message)


def take_run(world: World, run_id: UUID) -> runs.Run:
    """The run in a worker's hands."""
    with world.app.app_context():
        attempt = world.one("SELECT attempt FROM rmm_job_runs WHERE id = :id", id=run_id)
        taken = runs.take(world.rmm, world.tenant, run_id, attempt)
    assert taken is not None
    return taken


def queued(world: World, kind: str) -> list[UUID]:
    """Runs of the kind that wait for a worker, oldest first."""
    found = world.rows(
        "SELECT id FROM rmm_job_runs WHERE kind = :kind AND status = 'queued' ORDER BY queued_at, id",
        kind=kind,
    )
    return [row["id"] for row in found]


def work(world: World, kind: str) -> list[dict[str, Any] | str]:
    """Do every queued run of the kind; what each returned, or the words it failed with for good."""
    return [work_one(world, run_id) for run_id in queued(world, kind)]


def work_one(world: World, run_id: UUID) -> dict[str, Any] | str:
    """Do one run to its end."""
    run = take_run(world, run_id)
    with world.app.app_context():
        try:
            counts = kinds.resolve(kinds.get(run.kind).handler)(world.rmm, run)
        except RMMError as error:
            with unit(world.rmm) as session:
                runs.fail(world.rmm, session, run, "failed", str(error))
            return str(error)
        with unit(world.rmm) as session:
            runs.finish(session, run, counts)
        return dict(counts)


def signals(world: World) -> list[str]:
    """Names of the signals that everything so far asks for."""
    return [name for name, _ in relay_all(world)]


def steps(world: World, external_id: str | int = 524) -> list[str]:
    """The codes of an alert's whole history, oldest first."""
    found = world.rows(
        "SELECT e.steps FROM rmm_alert_events e JOIN rmm_alerts a ON a.tenant_id = e.tenant_id"
        " AND a.id = e.alert_id WHERE a.external_id = :id ORDER BY e.at, e.id",
        id=str(external_id),
    )
    return [step["code"] for row in found for step in row["steps"]]


def work_off(world: World, *kinds: str) -> int:
    """Relay, and do runs of these kinds as they get due, until neither leaves any; how many there were."""
    done = 0
    relay_all(world)
    while rows := due(world, *kinds):
        for row in rows:
            with world.app.app_context():
                perform(world.rmm, world.tenant, row["id"], row["attempt"])
            done += 1
        relay_all(world)
    return done


def due(world: World, *kinds: str) -> list[dict[str, Any]]:
    """Runs of these kinds that wait and are due, oldest first."""
    return world.rows(
        "SELECT * FROM rmm_job_runs WHERE kind = ANY(:kinds) AND status = 'queued' AND due_at <= now()"
        " ORDER BY queued_at, id",
        kinds=list(kinds),
    )
