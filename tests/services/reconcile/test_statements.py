"""What a reconciliation costs: it follows change, not the number of alerts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rmm_extension.domain.types import AlertEvent, AlertKind, Severity
from rmm_extension.models import Alert, new_id, utc_now
from rmm_extension.testing.statements import StatementCounter, is_write
from tests.harness.world import World
from tests.services.reconcile.conftest import Script, Vendor


@pytest.mark.parametrize("number", [20, 2_000])
def test_an_unchanged_list_costs_the_same_however_long_it_is(
    world: World, vendor: Vendor, script: Script, number: int
) -> None:
    began = utc_now() - timedelta(hours=1)
    script.events = [
        AlertEvent(
            kind=AlertKind.TRIGGERED,
            external_id=str(at),
            occurred_at=began,
            severity=Severity.MAJOR,
            external_device_id=f"agent-{at}",
            message=f"Disk {at} is full",
            adopts=(f"agent:agent-{at}:check", f"agent:agent-{at}:alert"),
        )
        for at in range(number)
    ]
    with world.unit() as session:
        session.add_all(
            Alert(
                tenant_id=world.tenant,
                id=new_id(),
                integration_id=world.integration_id,
                external_id=event.external_id,
                status="active",
                severity=event.severity,
                message=event.message,
                dedup_key=f"agent|{event.external_id}",
                first_channel="poll",
                triggered_at=began,
                last_event_at=began,
                created_at=began,
                updated_at=began,
            )
            for event in script.events
        )
    run_id = vendor.start()
    with StatementCounter(this_thread=True) as sent:
        vendor.perform(run_id)
    assert vendor.row(run_id)["counts"] == {"processed": number}
    assert sent.count <= 9 + 1, sent  # the helper itself asks for the run's attempt
    assert [text for text in sent.statements if is_write(text) and "rmm_alert" in text] == []
    assert sent.rollbacks == 0
