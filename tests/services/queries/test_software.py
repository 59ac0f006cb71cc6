"""The catalog: the same products and figures whichever way they are found, and nobody else's."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from rmm_extension.domain.versions import version_key
from rmm_extension.models import utc_now
from rmm_extension.services.queries import software as queries
from rmm_extension.services.queries.paging import Count
from rmm_extension.services.queries.software import CatalogFilter, catalog_count, catalog_page, product
from rmm_extension.services.queries.whose import Whose
from rmm_extension.testing.statements import StatementCounter
from tests.harness.programs import Program, install, product_id
from tests.harness.world import World

NAMES = ("7-Zip", "Adobe Reader", "Chrome", "Chrome Remote Desktop", "Edge", "Firefox", "Zoom")
VERSIONS = ("1.0", "1.10", "1.9", "2.0b", "2.0c", "")


def fill(world: World) -> dict[UUID, dict[str, Any]]:
    """Twelve devices of two clients, one of them deleted, each with some programs."""
    chance = random.Random(3)
    found = {}
    for at in range(12):
        gone = utc_now() if at == 11 else None
        client = "one" if at % 3 else "two"
        device = world.device(f"d{at}", f"PC-{at:02}", client_id=client, deleted_at=gone)
        programs = [
            Program(
                name,
                version,
                "Acme" if name in NAMES[:3] else "",
                gone=chance.choice([None, None, utc_now()]),
            )
            for name in NAMES
            for version in chance.sample(VERSIONS, chance.randint(0, 2))
        ]
        found[device] = {"client": client, "deleted": gone, "programs": programs}
        with world.unit() as session:
            install(session, world.tenant, device, programs)
    return found


Found = tuple[str, int, int, list[int]]


def expected(filled: dict[UUID, dict[str, Any]], wanted: CatalogFilter) -> list[Found]:
    """Name, number of devices and of version keys, and greatest key of each product that matches."""
    devices: dict[str, set[UUID]] = defaultdict(set)
    versions: dict[str, set[tuple[int, ...]]] = defaultdict(set)
    for device, row in filled.items():
        if row["deleted"] or wanted.whose.client_id not in (None, row["client"]):
            continue
        for one in row["programs"]:
            if one.gone is None and (wanted.text or "").lower() in f"{one.name} {one.publisher}".lower():
                devices[one.name].add(device)
                versions[one.name].add(tuple(version_key(one.version)))
    return [
        (name, len(devices[name]), len(versions[name]), list(max(versions[name])))
        for name in sorted(devices, key=str.lower)
    ]


FILTERS = [
    CatalogFilter(),
    CatalogFilter(text="chrome"),
    CatalogFilter(text="acme"),
    CatalogFilter(text="nothing like this"),
    CatalogFilter(whose=Whose(client_id="one")),
    CatalogFilter(whose=Whose(client_id="two"), text="o"),
    CatalogFilter(whose=Whose(client_id="nobody")),
]


def walk(world: World, wanted: CatalogFilter, *, turned: bool = False) -> list[Found]:
    found: list[Found] = []
    after = None
    with world.unit() as session:
        while True:
            page = catalog_page(session, world.tenant, wanted, after=after, limit=2, turned=turned)
            found += [(row.name, row.devices, row.versions, version_key(row.newest)) for row in page.rows]
            after = page.after
            if after is None:
                return found


@pytest.mark.parametrize("few", [0, 500])
def test_the_same_products_whichever_way_they_are_found(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("rmm_extension.services.queries.whose.FEW", few)
    filled = fill(world)
    for wanted in [*FILTERS, CatalogFilter(whose=Whose(integration_id=world.integration_id))]:
        rows = expected(filled, wanted)
        assert walk(world, wanted) == rows, wanted
        assert walk(world, wanted, turned=True) == rows[::-1], wanted
        with world.unit() as session:
            assert catalog_count(session, world.tenant, wanted) == Count(len(rows))
            assert catalog_page(session, world.tenant, wanted).count == Count(len(rows))
            assert catalog_page(session, "another", replace(wanted)).rows == []


def test_a_page_leads_back(world: World) -> None:
    fill(world)
    with world.unit() as session:
        first = catalog_page(session, world.tenant, CatalogFilter(), limit=3)
        second = catalog_page(session, world.tenant, CatalogFilter(), after=first.after, limit=3)
        back = catalog_page(session, world.tenant, CatalogFilter(), before=second.before, limit=3)
    assert [row.name for row in back.rows] == [row.name for row in first.rows]
    assert back.before is None


@pytest.mark.parametrize("cursor", ["nonsense", "0" * 32])
def test_a_cursor_of_nothing_is_the_first_page(world: World, cursor: str) -> None:
    fill(world)
    with world.unit() as session:
        page = catalog_page(session, world.tenant, CatalogFilter(), after=cursor)
    assert page.rows[0].name == "7-Zip"
    assert page.before is None


@pytest.mark.parametrize("few", [0, 500])
def test_the_newest_version_is_the_greatest_not_the_last_in_the_alphabet(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("rmm_extension.services.queries.whose.FEW", few)
    device = world.device("d1", "PC")
    programs = [
        Program("Tool", "9.2"),
        Program("Tool", "10.0.1"),
        Program("Tool", ""),
        Program("Tool", "11", gone=utc_now()),
    ]
    with world.unit() as session:
        install(session, world.tenant, device, programs)
        for wanted in (CatalogFilter(), CatalogFilter(whose=Whose(client_id=world.client_id))):
            (row,) = catalog_page(session, world.tenant, wanted).rows
            assert (row.newest, row.devices, row.versions) == ("10.0.1", 1, 3)


def test_a_count_stops_behind_the_cap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "CAP", 4)
    for at in range(6):
        device = world.device(f"d{at}", f"PC-{at}")
        with world.unit() as session:
            install(session, world.tenant, device, [Program("Tool", "1")])
    with world.unit() as session:
        (row,) = catalog_page(session, world.tenant, CatalogFilter()).rows
    assert row.devices == 5


@pytest.mark.parametrize("whose", [Whose(), Whose(client_id="one"), Whose(integration_id=UUID(int=1))])
def test_a_page_costs_the_same_for_few_products_and_for_many(world: World, whose: Whose) -> None:
    counts = []
    for at in range(2):
        device = world.device(f"d{at}", f"PC-{at}", client_id="one")
        with world.unit() as session:
            install(
                session, world.tenant, device, [Program(f"Tool {n}", f"{at}") for n in range(at * 30 + 1)]
            )
        with world.unit() as session, StatementCounter() as sent:
            catalog_page(session, world.tenant, CatalogFilter(whose=whose))
        counts.append(sent.count)
    assert counts[0] == counts[1] == (1 if whose == Whose() else 2), sent


def test_products_are_counted_out_of_the_index_alone(world: World) -> None:
    fill(world)
    plan = explained(world, CatalogFilter())
    assert plan.count("Index Only Scan using ix_rmm_device_software_product") >= 2, plan
    assert "Index Only Scan Backward using ix_rmm_device_software_product" in plan, plan


def explained(world: World, wanted: CatalogFilter) -> str:
    """The plan of a page where reading all is out of the question, as it is in a large table."""
    sent = []

    def hear(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        sent.append((statement, values))

    world.do("ANALYZE rmm_device_software")
    with world.unit() as session:
        for way in ("seqscan", "bitmapscan", "sort"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", hear)
        catalog_page(session, world.tenant, wanted)
        ((statement, values),) = sent
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        return "\n".join(row[0] for row in rows)


def test_a_product_with_its_versions(world: World) -> None:
    ids = [world.device(f"d{at}", f"PC-{at}", client_id="one" if at else "two") for at in range(4)]
    gone = world.device("d9", "GONE", deleted_at=utc_now())
    installed = {
        ids[0]: ["9.0", "10.1"],
        ids[1]: ["10.1"],
        ids[2]: ["10.1"],
        ids[3]: [""],
        gone: ["99"],
    }
    for device, versions in installed.items():
        with world.unit() as session:
            install(session, world.tenant, device, [Program("Tool", version) for version in versions])
    tool = product_id(world.tenant, "Tool")
    with world.unit() as session:
        found = product(session, world.tenant, tool, Whose())
        assert found is not None
        assert found.devices == 4
        assert [(one.version, one.devices) for one in found.versions] == [("10.1", 3), ("9.0", 1), ("", 1)]
        assert found.versions[0].share == 100.0
        ones = product(session, world.tenant, tool, Whose(client_id="one"))
        assert ones is not None
        assert [(one.version, one.devices) for one in ones.versions] == [("10.1", 2), ("", 1)]
        assert product(session, "another", tool, Whose()) is None
        nobody = product(session, world.tenant, tool, Whose(client_id="nobody"))
        assert nobody is not None
        assert (nobody.devices, nobody.versions, nobody.older) == (0, [], 0)


def test_versions_that_are_too_many_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "VERSIONS", 3)
    device = world.device("d1", "PC")
    with world.unit() as session:
        install(session, world.tenant, device, [Program("Tool", f"{at}") for at in range(1, 8)])
        found = product(session, world.tenant, product_id(world.tenant, "Tool"), Whose())
    assert found is not None
    assert [one.version for one in found.versions] == ["7", "6", "5"]
    assert found.older == 4
