"""Windows that change, ticks that meet and people who cancel while a run tells the vendor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from rmm_extension.models import utc_now
from rmm_extension.services import maintenance, runs, vendor_maintenance
from rmm_extension.services.vendor_maintenance import telling
from tests.harness.world import World
from tests.services.working import queued, take_run, work

from .vendor import HOUR, KIND, Vendor, edit, errors, go, run_once, stands, tick, window


def test_a_window_that_is_edited_while_the_run_works(known: World, vendor: Vendor) -> None:
    """The tick changes rows between the vendor's call and our note of it."""
    found = window(known)
    later = (utc_now() + 6 * HOUR).replace(microsecond=0)

    def edited(_: str) -> None:
        vendor.between = lambda _: None
        thread = threading.Thread(target=lambda: (edit(known, found, endsAt=later.isoformat()), tick(known)))
        thread.start()
        thread.join(timeout=20)

    vendor.between = edited
    tick(known)
    assert work(known, KIND) == [{"set": 4, "ended": 0, "failed": 0}]
    assert {until for until, _ in vendor.held.values()} == {later}
    assert set(stands(known).values()) == {"set"}
    assert go(known) == []


def test_a_window_that_is_deleted_while_the_run_works(known: World, vendor: Vendor) -> None:
    found = window(known)

    def deleted(_: str) -> None:
        vendor.between = lambda _: None
        with known.unit() as session:
            maintenance.delete(known.rmm, session, known.admin, found)
        tick(known)

    tick(known)
    vendor.between = deleted
    (run_id,) = queued(known, KIND)
    run = take_run(known, run_id)
    tell = partial(vendor_maintenance.tell_vendor, known.rmm, run)
    thread = threading.Thread(target=_in_app, args=(known, tell))
    thread.start()
    thread.join(timeout=30)
    assert vendor.held == {}
    assert stands(known) == {}


def _in_app(world: World, do: Callable[[], Any]) -> None:
    with world.app.app_context():
        do()


def test_ticks_at_once_write_each_device_once(known: World, vendor: Vendor) -> None:
    for number in range(60):
        known.device(f"more{number}", f"M-{number}")
    window(known)
    start = threading.Barrier(4)
    failed: list[Exception] = []

    def one() -> None:
        start.wait()
        try:
            for _ in range(5):
                tick(known)
        except Exception as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failed == []
    assert len(queued(known, KIND)) == 1
    assert work(known, KIND) == [{"set": 63, "ended": 0, "failed": 0}]
    assert len(vendor.told) == 63


def test_a_cancelled_run_is_left_alone_for_a_while(known: World, vendor: Vendor) -> None:
    window(known)
    tick(known)
    (run_id,) = queued(known, KIND)
    with known.unit() as session:
        runs.cancel(known.rmm, session, known.admin, run_id)
    tick(known)
    assert queued(known, KIND) == []
    assert vendor.told == []
    assert errors(known) == {telling.CALLED_OFF}


def test_cancelled_in_its_midst_no_more_devices_are_told(known: World, vendor: Vendor) -> None:
    window(known)
    tick(known)
    (run_id,) = queued(known, KIND)

    def cancel(_: str) -> None:
        vendor.between = lambda _: None
        thread = threading.Thread(target=_cancel, args=(known, run_id))
        thread.start()
        thread.join(timeout=20)

    vendor.between = cancel
    assert run_once(known) == "cancelled"
    assert len(vendor.told) == 1
    assert sorted(stands(known).values()) == ["failed", "failed", "set"]


def _cancel(world: World, run_id: UUID) -> None:
    with world.unit() as session:
        runs.cancel(world.rmm, session, world.admin, run_id)
