"""Writers that meet on the same devices: whoever comes second waits, and never in a ring."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from rmm_extension.domain.errors import Conflict
from rmm_extension.domain.signals import DeviceSignal, SignalKind
from rmm_extension.domain.types import AgentStatus, Channel, Hardware
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import utc_now
from rmm_extension.services.devices import keep_devices
from rmm_extension.services.hooks import asset_client_changed
from rmm_extension.services.inventory import confirm_missing, sync_devices
from rmm_extension.services.inventory.ageing import age_statuses
from rmm_extension.services.unit import unit
from rmm_extension.services.webhooks import take

from .conftest import NOON, World, device

NAMES = [f"d{number:02}" for number in range(20)]
_LARGE_TABLES = (
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off"
)
_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def database_url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Rows are looked for as in large tables: by the index, in the order in which they are named."""
    monkeypatch.setenv("PGOPTIONS", _LARGE_TABLES)
    return database_url


class Meeting:
    """Lets works begin one after the other while somebody holds a device, and all go on at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._engine = create_engine(world.rmm.db.engine.url)

    def errors(self, held: str, *works: Callable[[], Any], table: str = "rmm_devices") -> list[BaseException]:
        """What the works raise that each wait behind the device ``held``, or behind one another.

        ``table`` names another one whose row of this id is held.
        """
        with ThreadPoolExecutor(len(works)) as pool, self._engine.connect() as holder:
            locking = f"SELECT FROM {table} WHERE external_id = :id FOR UPDATE"
            holder.execute(text(locking), {"id": held})
            begun = [self._begin(pool, number, work) for number, work in enumerate(works, 1)]
            holder.rollback()
            found = [one.exception() for one in begun]
        self._engine.dispose()
        return [error for error in found if error]

    def _begin(self, pool: ThreadPoolExecutor, number: int, work: Callable[[], Any]) -> Future[Any]:
        begun = pool.submit(work)
        with self._engine.connect() as look:
            while not begun.done() and look.scalar(_WAITING) < number:
                look.rollback()
        return begun


@pytest.fixture
def meeting(world: World) -> Meeting:
    world.tenants.active = [world.tenant]
    world.map()
    return Meeting(world)


def reversed_fleet(world: World, **values: Any) -> Callable[[], Any]:
    """A sync whose vendor names all in another order, half of them changed, half only seen again."""
    later = NOON + timedelta(hours=1)
    world.script.devices = [
        device(name, last_seen_at=later, **values, **({"lan_ip": "10.0.0.1"} if number % 2 else {}))
        for number, name in reversed(list(enumerate(NAMES)))
    ]
    return partial(sync_devices, world.rmm, world.run())


def test_a_page_and_a_person_s_choice_of_its_devices(world: World, meeting: Meeting) -> None:
    world.script.devices = [device(name) for name in NAMES]
    world.sync()
    ids = [world.device(name).id for name in NAMES]

    def keep() -> None:
        with unit(world.rmm) as session:
            keep_devices(session, SYSTEM_ACTOR(world.tenant), ids, True)

    assert meeting.errors("d09", reversed_fleet(world), keep) == []
    assert {row.kept for row in world.devices().values()} == {True}
    assert {row.last_seen_at for row in world.devices().values()} == {NOON + timedelta(hours=1)}


def test_a_page_and_what_grows_overdue_meanwhile(world: World, meeting: Meeting) -> None:
    times: dict[str, Any] = {
        "status": AgentStatus.OFFLINE,
        "hardware": Hardware(),
        "offline_after_minutes": 4,
        "overdue_after_minutes": 30,
    }
    earlier = utc_now() - timedelta(minutes=45)
    world.script.devices = [device(name, last_seen_at=earlier, **times) for name in NAMES]
    world.sync()
    with unit(world.rmm) as session:
        session.execute(text("UPDATE rmm_devices SET last_synced_at = now() - interval '30 minutes'"))
    assert meeting.errors("d09", reversed_fleet(world, **times), lambda: age_statuses(world.rmm)) == []
    assert {row.last_seen_at for row in world.devices().values()} == {NOON + timedelta(hours=1)}


def test_pages_of_two_vendors_whose_devices_are_the_same_machines(world: World, meeting: Meeting) -> None:
    """Each has half of them silent, so that the other's are to tell the assets anew."""
    other = world.connect("other")
    other.map()
    for one in (world, other):
        one.script.devices = [device(name) for name in NAMES]
        one.sync()
    works = []
    for at, one in enumerate((world, other)):
        silent = {name for number, name in enumerate(NAMES) if number % 2 == at}
        one.script.devices = [
            device(
                name,
                last_seen_at=NOON + timedelta(hours=-1 if name in silent else 1),
                status=AgentStatus.OFFLINE if name in silent else AgentStatus.ONLINE,
            )
            for name in (reversed(NAMES) if at else NAMES)
        ]
        works.append(partial(sync_devices, one.rmm, one.run()))
    assert meeting.errors("d10", *works) == []


def test_a_machine_s_move_to_another_client_and_a_person_s_choice_of_its_devices(
    world: World, meeting: Meeting
) -> None:
    other = world.connect("other")
    other.map()
    for one, name in ((world, "first"), (other, "second")):
        one.script.devices = [device(name, serial="SN-1")]
        one.sync()
    first, second = world.device("first"), other.device("second")
    assert first.asset_id == second.asset_id
    with unit(world.rmm) as session:
        # Written anew, its row lies behind the other's.
        session.execute(text("UPDATE rmm_devices SET name = 'a' WHERE external_id = 'first'"))

    def keep() -> None:
        with unit(world.rmm) as session:
            keep_devices(session, SYSTEM_ACTOR(world.tenant), [first.id, second.id], True)

    def move() -> None:
        with unit(world.rmm) as session:
            asset_client_changed(session, world.tenant, first.asset_id or "", "birch-dental")

    assert meeting.errors("first", keep, move) == []
    found = (world.device("first"), other.device("second"))
    assert {(row.kept, row.client_id) for row in found} == {(True, "birch-dental")}


def test_a_removal_and_a_person_s_choice_of_its_devices(world: World, meeting: Meeting) -> None:
    world.script.devices = [device(name) for name in reversed(NAMES)]
    world.sync()
    world.script.devices = [device("stays")]
    world.sync()
    world.sync()
    ids = [world.device(name).id for name in NAMES]
    mapping = world.mappings()["1"].id

    def keep() -> None:
        with unit(world.rmm) as session:
            keep_devices(session, SYSTEM_ACTOR(world.tenant), ids, True)

    def remove() -> None:
        with unit(world.rmm) as session:
            confirm_missing(world.rmm, session, SYSTEM_ACTOR(world.tenant), mapping)

    # Kept first, none of them is to be removed any more; a person is told so.
    assert [type(error) for error in meeting.errors("d09", keep, remove)] == [Conflict]
    assert {(world.device(name).kept, world.device(name).deleted_at) for name in NAMES} == {(True, None)}


@pytest.mark.parametrize("kind", [SignalKind.SEEN, SignalKind.DELETED])
def test_a_page_and_what_the_vendor_tells_of_its_devices(
    world: World, meeting: Meeting, kind: SignalKind
) -> None:
    world.script.devices = [device(name) for name in NAMES]
    world.sync()

    def tell(name: str) -> None:
        signal = DeviceSignal(
            kind=kind,
            external_id=name,
            occurred_at=utc_now(),
            external_device_id=name,
            words="Restarted",
            status=AgentStatus.ONLINE,
        )
        take(world.rmm, world.tenant, world.integration_id, signal, Channel.WEBHOOK)

    # Before the page, of a device that it has by then, and of the one that it waits for.
    works = [partial(tell, "d10"), reversed_fleet(world), partial(tell, "d02"), partial(tell, "d09")]
    assert meeting.errors("d10", works[0], *works[1:3]) == []
    tell("d09")
    outcome = "device_seen" if kind is SignalKind.SEEN else "device_deleted"
    with unit(world.rmm) as session:
        told = session.execute(text("SELECT external_device_id, outcome FROM rmm_signals ORDER BY 1")).all()
    assert [tuple(row) for row in told] == [(name, outcome) for name in ("d02", "d09", "d10")]


def test_ends_of_two_listings_that_miss_the_same_machines(world: World, meeting: Meeting) -> None:
    other = world.connect("other")
    other.map()
    for one in (world, other):
        one.script.devices = [device(name) for name in NAMES]
        one.sync()
        one.script.devices = [device("stays")]
    works = [partial(sync_devices, one.rmm, one.run()) for one in (world, other)]
    assert meeting.errors("d09", *works) == []
    assert all(one.device(name).missing_count == 1 for one in (world, other) for name in NAMES)
