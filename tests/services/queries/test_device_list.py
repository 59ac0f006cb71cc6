"""The list of devices: the same devices whichever way they are looked for."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import event, insert, text

from rmm_extension.models import DeviceRow, new_id
from rmm_extension.services.queries import paging
from rmm_extension.services.queries.device_filter import DeviceFilter
from rmm_extension.services.queries.devices import device_count, device_page
from rmm_extension.services.queries.paging import Count
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World

STATUSES = ("online", "offline", "overdue")


def fill(world: World, number: int = 40) -> None:
    """Devices in the order of their names; statuses in turn, the second half are servers."""
    rows = [
        {
            "tenant_id": world.tenant,
            "id": new_id(),
            "integration_id": world.integration_id,
            "external_id": f"d{at}",
            "external_organization_id": "1",
            "client_id": "one" if at % 2 else "two",
            "name": f"PC-{at:03}",
            "kind": "workstation" if at < number // 2 else "server",
            "status": STATUSES[at % 3],
            "facts": {},
        }
        for at in range(number)
    ]
    with world.unit() as session:
        session.execute(insert(DeviceRow), rows)


FILTERS = [
    DeviceFilter(),
    DeviceFilter(status="overdue"),
    DeviceFilter(kind="server", status="online"),
    DeviceFilter(text="pc-03"),
    DeviceFilter(text="0"),
    DeviceFilter(text="PC-0", kind="server", client_id="one"),
    DeviceFilter(text="nothing like this"),
    DeviceFilter(status="unknown"),
    DeviceFilter(deleted=True),
]


def walk(world: World, wanted: DeviceFilter, *, turned: bool = False) -> list[str]:
    names: list[str] = []
    after = None
    with world.unit() as session:
        while True:
            page = device_page(session, world.tenant, wanted, after=after, limit=3, turned=turned)
            names += [row.name for row in page.rows]
            after = page.after
            if after is None:
                return names


def expected(world: World, wanted: DeviceFilter) -> list[str]:
    rows = world.rows("SELECT name, status, kind, client_id, deleted_at FROM rmm_devices ORDER BY name")
    return [
        row["name"]
        for row in rows
        if wanted.status in (None, row["status"])
        and wanted.kind in (None, row["kind"])
        and wanted.client_id in (None, row["client_id"])
        and (wanted.text or "").lower() in row["name"].lower()
        and wanted.deleted == (row["deleted_at"] is not None)
    ]


@pytest.mark.parametrize("matches", [1, 8, 10_000])
def test_the_same_devices_whichever_way_they_are_looked_for(
    world: World, monkeypatch: pytest.MonkeyPatch, matches: int
) -> None:
    monkeypatch.setattr(paging, "MATCHES", matches)
    fill(world)
    for wanted in FILTERS:
        names = expected(world, wanted)
        assert walk(world, wanted) == names
        assert walk(world, wanted, turned=True) == names[::-1]
        with world.unit() as session:
            assert device_count(session, world.tenant, wanted) == Count(len(names))
            assert device_page(session, "another", replace(wanted)).rows == []


def test_a_first_page_knows_its_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    monkeypatch.setattr(paging, "CAP", 20)
    counts = {
        DeviceFilter(): Count(20, more=True),
        DeviceFilter(status="overdue"): Count(13),
        DeviceFilter(text="pc-00"): Count(10),
        DeviceFilter(text="pc"): Count(20, more=True),
        DeviceFilter(status="unknown"): Count(0),
    }
    for wanted, count in counts.items():
        with world.unit() as session:
            first = device_page(session, world.tenant, wanted, limit=3)
            assert first.count == count
            if first.after:
                assert device_page(session, world.tenant, wanted, after=first.after, limit=3).count is None
            assert device_count(session, world.tenant, wanted) == count


@pytest.mark.parametrize(
    "matches, wanted, statements",
    [
        (1, DeviceFilter(status="overdue"), 1),
        (40, DeviceFilter(text="pc"), 1),
        (39, DeviceFilter(text="pc"), 2),
    ],
)
def test_a_page_with_its_count_costs_one_statement_and_a_frequent_text_a_second(
    world: World, monkeypatch: pytest.MonkeyPatch, matches: int, wanted: DeviceFilter, statements: int
) -> None:
    fill(world)
    monkeypatch.setattr(paging, "MATCHES", matches)
    with world.unit() as session, StatementCounter() as sent:
        device_page(session, world.tenant, wanted, limit=3)
    assert sent.count == statements, sent


SOME = UUID(int=1)


@pytest.mark.parametrize(
    "wanted",
    [
        DeviceFilter(),
        DeviceFilter(status="unknown"),
        DeviceFilter(kind="server", status="overdue"),
        DeviceFilter(integration_id=SOME, kind="server"),
        DeviceFilter(deleted=True),
        DeviceFilter(patches="unknown"),
        DeviceFilter(reboot="no"),
        DeviceFilter(version="2.9.1"),
        DeviceFilter(patches="os"),
        DeviceFilter(patches="failed", status="offline"),
        DeviceFilter(antivirus="at_risk"),
        DeviceFilter(threats=True),
        DeviceFilter(approval=True),
    ],
)
def test_filters_are_read_out_of_the_index_in_the_order_of_the_list(
    world: World, wanted: DeviceFilter
) -> None:
    fill(world, 3)
    plan = explained(world, wanted)
    # The deleted ones have an index of their own in the same order; the smaller one is taken.
    assert "Index Only Scan using ix_rmm_devices_list " in plan or wanted.deleted, plan
    assert "Index Only Scan using ix_rmm_devices_" in plan, plan
    assert "Filter:" not in plan.partition("CTE Scan")[0], plan


def explained(world: World, wanted: DeviceFilter) -> str:
    """The plan of a page where reading all and sorting is out of the question, as it is in a large table."""
    sent = []

    def hear(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        sent.append((statement, values))

    with world.unit() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        session.execute(text("SET LOCAL enable_bitmapscan = off"))
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", hear)
        device_page(session, world.tenant, wanted)
        ((statement, values),) = sent
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        return "\n".join(row[0] for row in rows)
