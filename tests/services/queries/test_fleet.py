"""The fleet in figures: they are those of the list."""

from __future__ import annotations

from datetime import timedelta

from rmm_extension.services.queries.device_filter import NEVER, DeviceFilter
from rmm_extension.services.queries.devices import device_count
from rmm_extension.services.queries.fleet import Fleet, Standing, fleet
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World

from .test_device_filter import EVERY
from .test_device_filter import fleet as make_fleet


def figures(world: World, tenant: str | None = None) -> Fleet:
    with world.unit() as session:
        return fleet(session, tenant or world.tenant)


def test_every_figure_is_what_the_list_counts(world: World) -> None:
    make_fleet(world)
    found = figures(world)
    assert found.total == len(EVERY) == sum(found.connections.values())
    asked = {
        "reboot": DeviceFilter(reboot="yes"),
        "patches": DeviceFilter(patches="yes"),
        "patches_unknown": DeviceFilter(patches="unknown"),
        "no_asset": DeviceFilter(managed="none"),
        "no_client": DeviceFilter(managed="unmapped"),
        "unlisted": DeviceFilter(missing="once"),
        "missing": DeviceFilter(missing="missing"),
        "kept": DeviceFilter(kept=True),
    }
    with world.unit() as session:
        listed = {name: device_count(session, world.tenant, wanted).number for name, wanted in asked.items()}
        for span, number in found.unseen.items():
            assert device_count(session, world.tenant, DeviceFilter(unseen=span)).number == number, span
        for status, number in found.by_status.items():
            assert device_count(session, world.tenant, DeviceFilter(status=status)).number == number
        for version, number in found.versions:
            wanted = DeviceFilter(version=version)
            assert version is None or device_count(session, world.tenant, wanted).number == number
    assert found.standing == Standing(**listed)
    assert found.unseen == {timedelta(days=7): 2, timedelta(days=30): 1, timedelta(days=90): 0, NEVER: 1}
    assert found.versions == [(None, 9), ("2.9.1", 1)]
    assert found.by_status == {"online": 7, "offline": 1, "overdue": 1, "unknown": 1}


def test_clients_with_most_devices_come_first(world: World) -> None:
    make_fleet(world)
    first, second = figures(world).clients
    assert (first.client_id, first.total, first.not_online) == (world.client_id, 9, 3)
    assert (second.client_id, second.total, second.not_online) == (None, 1, 0)


def test_a_status_that_nobody_knows_is_unknown(world: World) -> None:
    world.device("d1", "ODD", status="hibernating")
    world.device("d2", "UNKNOWN", status="unknown")
    assert figures(world).by_status == {"unknown": 2}


def test_three_statements_however_many_devices(world: World) -> None:
    make_fleet(world)
    with world.unit() as session, StatementCounter() as sent:
        fleet(session, world.tenant)
    assert sent.count == 3, sent


def test_another_tenant_has_none_of_it(world: World) -> None:
    make_fleet(world)
    assert figures(world, "another").total == 0
    assert figures(world, "another").standing == Standing()
