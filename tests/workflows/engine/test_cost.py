"""What the engine's work costs: the SQL statements of a start, a step, and a vendor's answer.

The figures stand in docs/performance.md.
"""

from __future__ import annotations

import pytest

from rmm_extension.testing.statements import StatementCounter
from tests.services.working import relay_once
from tests.workflows.engine.studio import Studio, document, step
from tests.workflows.engine.vendor import REBOOT, Vendor


def relayed(studio: Studio) -> StatementCounter:
    """What it costs to hand over what waits in the outbox now."""
    with StatementCounter(this_thread=True) as sent:
        relay_once(studio.world)
    return sent


def done(studio: Studio) -> StatementCounter:
    """What the next job of a step costs, from its being taken to its end."""
    (job,) = studio.jobs("workflow_step")
    with StatementCounter(this_thread=True) as sent:
        assert studio.do(job) == "succeeded"
    return sent


def listed(sent: StatementCounter) -> str:
    """What was sent, for a failure's sentence."""
    return "\n".join(sent.statements)


@pytest.mark.parametrize("steps", [3, 20])
def test_a_start_and_a_step_of_our_own(studio: Studio, steps: int) -> None:
    studio.publish(document(*(step(f"s{at}") for at in range(steps))))
    studio.tell()
    event, start = relayed(studio), relayed(studio)
    assert event.count <= 6, listed(event)
    assert start.count <= 14, listed(start)
    for _ in range(2):
        one = done(studio)
        assert one.count <= 14, listed(one)


def test_the_last_step_lets_others_go_on(studio: Studio) -> None:
    studio.publish(document(step("only")))
    studio.tell()
    relayed(studio), relayed(studio)
    last = done(studio)
    assert studio.run()["state"] == "succeeded"
    assert last.count <= 17, listed(last)


def test_an_event_that_nobody_wants_costs_what_it_did_without_workflows(studio: Studio) -> None:
    studio.publish(document(step("one"), event="RMM_DEVICE_OFFLINE"))
    studio.tell()
    assert relayed(studio).count <= 2


def test_what_a_filter_keeps_out_does_not_wait_for_those_who_count(studio: Studio) -> None:
    """Most events are kept out; each would hold up whatever goes on in the tenant."""
    studio.publish(document(step("one"), filter="trigger.severity == 'info'"))
    studio.tell()
    relayed(studio)
    kept_out = relayed(studio)
    assert not studio.runs()
    assert not [one for one in kept_out.statements if "pg_advisory" in one]
    assert kept_out.count <= 5, listed(kept_out)


def test_a_step_that_asks_a_vendor(vendor: Vendor) -> None:
    vendor.studio.publish(document(step("reboot", REBOOT), step("note")))
    vendor.tell()
    vendor.relay()
    asked = done(vendor.studio)
    assert asked.count <= 22, listed(asked)
    vendor.do_next("device_action")
    over = relayed(vendor.studio)
    assert over.count <= 15, listed(over)
