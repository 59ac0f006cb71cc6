"""Two people change a ticket's status at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from sqlalchemy import text

from reference_psa.services.closing import close_ticket
from tests.harness.wait import until
from tests.harness.world import World

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
MOVE = """UPDATE tickets t SET status_id = s.id FROM ticket_statuses s
WHERE t.id = :ticket AND s.tenant_id = t.tenant_id AND s.board_id = t.board_id AND s.name = 'In progress'"""


def test_a_close_that_waited_for_a_status_change_still_finds_the_ticket(world: World) -> None:
    world.post()
    (ticket,) = world.tickets()
    moved, waited = Event(), Event()

    def move() -> None:
        with world.unit() as session:
            session.execute(text(MOVE), {"ticket": ticket["id"]})
            moved.set()
            waited.wait(20)

    def close() -> object:
        moved.wait(20)
        with world.unit() as session:
            return close_ticket(session, world.tenant, ticket["id"], None, None)

    with ThreadPoolExecutor(2) as pool:
        moving, closing = pool.submit(move), pool.submit(close)
        until(lambda: world.one(WAITING) > 0, "the close waits for the lock")
        waited.set()
        moving.result()
        assert closing.result() is not None
    assert world.tickets()[0]["closed_at"] is not None
