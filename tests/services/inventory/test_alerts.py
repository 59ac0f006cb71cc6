"""Alerts that came before their devices were known here."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from rmm_extension.models import Alert, new_id
from rmm_extension.services.inventory import refresh_device
from rmm_extension.services.unit import unit

from .conftest import NOON, World, device


def store(world: World, external_device_id: str | None, status: str = "active") -> UUID:
    number = new_id()
    row = Alert(
        tenant_id=world.tenant,
        id=number,
        integration_id=world.integration_id,
        external_id=str(number),
        external_device_id=external_device_id,
        external_organization_id="1",
        status=status,
        severity="major",
        dedup_key=str(number),
        first_channel="poll",
        triggered_at=NOON,
        last_event_at=NOON,
    )
    with unit(world.rmm) as session:
        session.add(row)
    return number


def place(world: World, alert_id: UUID) -> tuple[UUID | None, str | None]:
    with unit(world.rmm) as session:
        row = session.execute(
            select(Alert.device_id, Alert.asset_id).where(
                Alert.tenant_id == world.tenant, Alert.id == alert_id
            )
        ).one()
        return row.device_id, row.asset_id


@pytest.mark.parametrize("way", ["sync", "refresh"])
def test_an_open_alert_gets_its_device_when_that_becomes_known(world: World, way: str) -> None:
    world.map()
    world.script.devices = [device("d1"), device("d2")]
    early = store(world, "d1")
    strange, nobodys, over = store(world, "d9"), store(world, None), store(world, "d1", "resolved")
    other = world.connect()
    foreign = store(other, "d1")
    if way == "sync":
        world.sync()
    else:
        run = world.run("device_refresh", external_id="d1")
        refresh_device(world.rmm, run)
    found = world.device("d1")
    assert found.asset_id is not None
    assert place(world, early) == (found.id, found.asset_id)
    for untouched in (strange, nobodys, over, foreign):
        assert place(world, untouched) == (None, None)


def test_one_that_is_being_decided_on_is_left_to_the_next_sync(world: World) -> None:
    world.map()
    world.script.devices = [device("d1")]
    early = store(world, "d1")
    with world.rmm.db.engine.connect() as elsewhere:
        elsewhere.execute(select(Alert.id).where(Alert.id == early).with_for_update())
        world.sync()
        assert place(world, early) == (None, None)
    world.sync()
    assert place(world, early)[0] == world.device("d1").id
