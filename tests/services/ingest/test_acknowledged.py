"""Somebody takes an alert on at the vendor. Tactical RMM sends no such event, others do."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from rmm_extension.domain.types import AlertKind, Channel
from rmm_extension.services.ingest import Ingested
from rmm_extension.services.webhooks import take
from tests.harness.world import World
from tests.services.ingest.test_adoption import polled
from tests.services.working import relay_all, signals


def acknowledge(world: World, minutes: int = 5) -> Ingested:
    event = polled()
    later = msgspec.structs.replace(
        event, kind=AlertKind.ACKNOWLEDGED, occurred_at=event.occurred_at + timedelta(minutes=minutes)
    )
    with world.app.app_context():
        return take(world.rmm, world.tenant, world.integration_id, later, Channel.WEBHOOK)


def test_an_active_alert_is_acknowledged_with_its_time(world: World) -> None:
    world.post()
    relay_all(world)
    assert acknowledge(world).outcome == "acknowledged"
    alert = world.alert()
    assert (alert["status"], alert["acknowledged_at"].minute) == ("acknowledged", 11)
    assert "alert_acknowledged" in signals(world)


def test_it_stays_open_and_its_end_still_closes_the_ticket(world: World) -> None:
    world.post()
    acknowledge(world)
    assert world.post(world.body(525)).json["outcome"] == "occurrence_appended"
    world.post(world.resolved(525))
    world.post(world.resolved())
    assert world.alert()["status"] == "auto_resolved"


def test_only_an_active_alert_is_acknowledged(world: World) -> None:
    world.post()
    assert acknowledge(world).outcome == "acknowledged"
    assert acknowledge(world, 6).reason == "not_active"
    world.post(world.resolved())
    assert acknowledge(world, 90).reason == "not_active"
    assert world.alert()["status"] == "auto_resolved"


def test_one_of_an_unknown_alert_leaves_a_tombstone(world: World) -> None:
    assert acknowledge(world).reason == "tombstone"
    assert world.post().json["reason"] == "older_event"
    assert world.tickets() == []
