"""Who has a product: the same devices whichever way they are looked for, by versions as numbers."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest

from rmm_extension.domain.versions import version_key
from rmm_extension.models import utc_now
from rmm_extension.services.queries import installs as queries
from rmm_extension.services.queries import paging
from rmm_extension.services.queries.installs import InstallFilter, install_count, install_page, products_named
from rmm_extension.services.queries.paging import Count
from rmm_extension.services.queries.whose import Whose
from rmm_extension.testing.statements import StatementCounter
from tests.harness.programs import Program, install, product_id
from tests.harness.world import World

VERSIONS = ("1.2", "1.10", "1.9.9", "2.0", "2.0.0", "10", "latest", "")
Row = tuple[str, str, str]


def fill(world: World) -> list[dict[str, Any]]:
    """Twenty devices, three of one name, one deleted, with two products in one or two versions."""
    chance = random.Random(11)
    rows = []
    for at in range(20):
        name = "SAME" if at in (4, 5, 6) else f"PC-{at:02}"
        deleted = utc_now() if at == 13 else None
        client = "one" if at % 4 else "two"
        device = world.device(f"d{at}", name, client_id=client, deleted_at=deleted)
        programs = [
            Program(product, version, gone=chance.choice([None, None, None, utc_now()]))
            for product in ("Tool", "Tool Box")
            for version in chance.sample(VERSIONS, chance.randint(0, 2))
        ]
        with world.unit() as session:
            install(session, world.tenant, device, programs)
        rows += [
            {"device": name, "client": client, "product": one.name, "version": one.version}
            for one in programs
            if one.gone is None and deleted is None
        ]
    return rows


def expected(world: World, rows: list[dict[str, Any]], wanted: InstallFilter) -> list[Row]:
    names = {product_id(world.tenant, name): name for name in ("Tool", "Tool Box")}
    products = {names[id_] for id_ in wanted.software_ids}
    return [
        (row["device"], row["product"], row["version"])
        for row in rows
        if row["product"] in products
        and wanted.whose.client_id in (None, row["client"])
        and wanted.whose.integration_id in (None, world.integration_id)
        and (wanted.below is None or [] < version_key(row["version"]) < list(wanted.below))
        and (wanted.at_least is None or version_key(row["version"]) >= list(wanted.at_least))
    ]


def walk(world: World, wanted: InstallFilter, *, turned: bool = False) -> list[Row]:
    found: list[Row] = []
    after = None
    with world.unit() as session:
        while True:
            page = install_page(session, world.tenant, wanted, after=after, limit=3, turned=turned)
            found += [(row.device_name, row.product, row.version) for row in page.rows]
            after = page.after
            if after is None:
                return found


@pytest.mark.parametrize("matches", [1, 2_000])
def test_the_same_devices_whichever_way_they_are_looked_for(
    world: World, monkeypatch: pytest.MonkeyPatch, matches: int
) -> None:
    monkeypatch.setattr(paging, "MATCHES", matches)
    rows = fill(world)
    tool, box = product_id(world.tenant, "Tool"), product_id(world.tenant, "Tool Box")
    for wanted in [
        InstallFilter(software_ids=[tool]),
        InstallFilter(software_ids=[tool, box]),
        InstallFilter(software_ids=[tool], below=version_key("2.0")),
        InstallFilter(software_ids=[tool, box], below=version_key("1.10")),
        InstallFilter(software_ids=[box], at_least=version_key("1.10")),
        InstallFilter(software_ids=[tool], at_least=version_key("1.9"), below=version_key("2")),
        InstallFilter(software_ids=[tool], below=version_key("1.2")),
        InstallFilter(software_ids=[tool, box], whose=Whose(client_id="two")),
        InstallFilter(software_ids=[tool], whose=Whose(integration_id=UUID(int=1))),
        InstallFilter(software_ids=[tool], below=version_key("2"), whose=Whose(client_id="one")),
    ]:
        should = expected(world, rows, wanted)
        forth = walk(world, wanted)
        assert sorted(forth) == sorted(should), wanted
        assert [row[0] for row in forth] == sorted(row[0] for row in should), "by the name of the device"
        assert walk(world, wanted, turned=True) == forth[::-1]
        with world.unit() as session:
            assert install_count(session, world.tenant, wanted) == Count(len(should))
            assert install_page(session, "another", wanted).rows == []


def test_a_page_costs_the_same_for_one_device_and_for_many(world: World) -> None:
    counts = []
    for at, number in enumerate((1, 30)):
        for n in range(number):
            device = world.device(f"d{at}-{n}", f"PC-{at}-{n}")
            with world.unit() as session:
                install(session, world.tenant, device, [Program("Tool", f"1.{n}")])
        wanted = InstallFilter(software_ids=[product_id(world.tenant, "Tool")], below=[2])
        with world.unit() as session, StatementCounter() as sent:
            assert len(install_page(session, world.tenant, wanted).rows) == number + at
        counts.append(sent.count)
    assert counts == [1, 1], sent


def test_products_are_named_by_a_part_of_name_or_publisher(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = world.device("d1", "PC")
    named = [Program("Chrome", "1", "Google LLC"), Program("Google Drive", "1"), Program("100% Tool", "1")]
    with world.unit() as session:
        install(session, world.tenant, device, named)
        assert [row.name for row in products_named(session, world.tenant, "google")] == [
            "Chrome",
            "Google Drive",
        ]
        assert [row.name for row in products_named(session, world.tenant, "100%")] == ["100% Tool"]
        assert products_named(session, "another", "google") == []
        monkeypatch.setattr(queries, "PRODUCTS_AT_ONCE", 1)
        assert len(products_named(session, world.tenant, "o")) == 2
