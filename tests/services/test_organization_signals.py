"""What a vendor tells of its organizations: counted once, and listed as seldom as it can be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from rmm_extension.domain.signals import OrganizationSignal, SignalOutcome
from rmm_extension.domain.story import outcome_words, unfollowed
from rmm_extension.domain.types import Channel
from rmm_extension.models import utc_now
from rmm_extension.services import organization_signals, runs
from rmm_extension.services.ingest import Ingested
from rmm_extension.services.queries.deliveries import SIGNAL, DeliveryFilter, delivery_page
from rmm_extension.services.signals import SETTLE, TOPIC
from rmm_extension.services.webhooks import take
from tests.harness.world import World
from tests.services.working import relay_all, take_run

KIND = "organization_sync"


def tell(world: World, number: int, channel: Channel = Channel.WEBHOOK, **more: Any) -> Ingested:
    """One message of the vendor."""
    values: dict[str, Any] = {
        "external_id": f"message-{number}",
        "occurred_at": utc_now(),
        "words": "Group moved",
        "external_organization_id": "g1",
    }
    signal = OrganizationSignal(**{**values, **more})
    with world.app.app_context():
        return take(world.rmm, world.tenant, world.integration_id, signal, channel, utc_now())


def waiting(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM rmm_job_runs WHERE kind = :kind AND status = 'queued'", kind=KIND)


def test_many_at_once_start_one_run(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: tell(world, number), range(40)))
    assert {answer.outcome for answer in answers} == {SignalOutcome.ORGANIZATION_SYNC}
    (run,) = waiting(world)
    assert timedelta(0) < run["due_at"] - run["queued_at"] <= SETTLE + timedelta(seconds=1)
    assert world.one("SELECT count(*) FROM rmm_signals WHERE kind = 'organizations'") == 40
    assert world.one("SELECT count(*) FROM rmm_outbox WHERE topic = :topic", topic=TOPIC) == 0


def test_a_message_counts_once(world: World) -> None:
    """Also after its run, whichever way it comes again."""
    tell(world, 1)
    world.do("UPDATE rmm_job_runs SET status = 'succeeded', finished_at = now()")
    for channel in (Channel.WEBHOOK, Channel.POLL):
        again = tell(world, 1, channel)
        assert (again.outcome, again.reason) == (SignalOutcome.SKIPPED, "duplicate")
    assert waiting(world) == []
    assert world.one("SELECT count(*) FROM rmm_signals") == 1


def test_what_comes_while_the_list_is_read_has_it_read_once_more(world: World) -> None:
    tell(world, 1)
    take_run(world, waiting(world)[0]["id"])
    for number in (2, 3, 4):
        tell(world, number)
    assert waiting(world) == []
    world.do("UPDATE rmm_job_runs SET status = 'succeeded', finished_at = now()")
    world.do("UPDATE rmm_outbox SET due_at = now()")
    relay_all(world)
    assert len(waiting(world)) == 1


def test_a_person_need_not_wait(world: World) -> None:
    """Whoever asks for a sync meanwhile gets the waiting one at once."""
    tell(world, 1)
    (run,) = waiting(world)
    with world.unit() as session:
        assert (
            runs.start(world.rmm, session, world.admin, KIND, integration_id=world.integration_id)
            == run["id"]
        )
    assert waiting(world)[0]["due_at"] < run["due_at"]


def test_it_stands_in_the_log_of_deliveries(world: World) -> None:
    tell(world, 1)
    with world.unit() as session:
        page = delivery_page(session, world.tenant, DeliveryFilter(outcome=SIGNAL))
    (row,) = page.rows
    assert (row.words, outcome_words(row.outcome)) == ("Group moved", "Organizations asked for")
    assert row.device_id is None


def test_a_clock_that_runs_ahead_counts_as_now(world: World) -> None:
    tell(world, 1, occurred_at=utc_now() + timedelta(days=3))
    assert world.one("SELECT max(occurred_at) <= now() FROM rmm_signals") is True


def test_a_vendor_without_organizations_has_nothing_to_list(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organization_signals, "capabilities", lambda provider: frozenset({"webhook"}))
    answer = tell(world, 1)
    assert (answer.outcome, answer.reason) == (SignalOutcome.SKIPPED, "lists_no_organizations")
    assert waiting(world) == []
    assert unfollowed(answer.reason or "").startswith("This vendor lists no organizations")
