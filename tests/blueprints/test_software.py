"""Software: the catalog, a product and who has it, a device's and an asset's list, and asking anew."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from rmm_extension.models import Integration, utc_now
from rmm_extension.services.queries import installs
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter
from tests.harness.programs import LONG_AGO, Program, install, product_id

from .conftest import World, said
from .test_lists import OPEN, walk
from .vendor import AcmeProvider

HOUR = timedelta(hours=1)


def put(world: World, device: UUID, *programs: Program, tenant: str = "one") -> None:
    with world.app.app_context(), unit(world.rmm) as session:
        install(session, tenant, device, programs)


def synced(world: World, integration_id: UUID) -> None:
    """Let the connection have synced its software three hours ago."""
    with world.app.app_context(), unit(world.rmm) as session:
        row = session.get(Integration, ("one", integration_id))
        assert row is not None
        row.last_software_sync_at = utc_now() - 3 * HOUR


def fleet(world: World) -> tuple[UUID, list[UUID]]:
    """A connection with three devices that have Chrome in three versions, and other programs."""
    connection = world.connect()
    synced(world, connection)
    ids = [world.devices(connection, 1, name=f"PC-{at}", client_id=f"one-c{at % 2}")[0] for at in range(3)]
    for at, version in enumerate(("118.0.1", "119.0", "120.0.6099")):
        put(world, ids[at], Program("Google Chrome", version, "Google LLC"), Program(f"Tool {at}", "1"))
    put(world, ids[0], Program("Chrome Cleaner", "2.1"))
    return connection, ids


def test_the_catalog(world: World) -> None:
    fleet(world)
    answer = world.client("read_only").get("/rmm/software")
    page = said(answer)
    assert "As of the software sync 3 h ago" in page
    assert re.search(r"Google Chrome Google LLC 3 3 120\.0\.6099", page)
    assert len(OPEN.findall(answer.text)) == 5
    for query, number in {
        "?q=chrome": 2,
        "?q=google+llc": 1,
        "?q=none": 0,
        "?client=one-c1": 2,
        "?client=nobody": 0,
        "?connection=nonsense": 5,
        "?after=nonsense": 5,
    }.items():
        assert len(OPEN.findall(world.client().get(f"/rmm/software{query}").text)) == number, query
    assert "Nothing matches" in said(world.client().get("/rmm/software?q=none"))
    assert "1,000" not in page


def test_a_product_and_who_has_it(world: World) -> None:
    _, ids = fleet(world)
    address = f"/rmm/software/{product_id('one', 'Google Chrome', 'Google LLC')}"
    page = said(world.client().get(address))
    assert "3 devices, 3 versions" in page
    assert page.index("120.0.6099 1 Who has an older one than 120.0.6099") < page.index("119.0 1")
    for query, found in {
        "": ids,
        "?below=119": ids[:1],
        "?below=119.0.1": ids[:2],
        "?from=119": ids[1:],
        "?from=118.1&below=120": ids[1:2],
        "?client=one-c1": ids[1:2],
        "?below=latest": ids,
        "?sort=last": ids[::-1],
    }.items():
        listed = OPEN.findall(world.client().get(address + query).text)
        assert listed == [f"/rmm/devices/{id_}" for id_ in found], query
    assert "“latest” is no version" in said(world.client().get(f"{address}?below=latest"))
    assert "Below version: 119" in said(world.client().get(f"{address}?below=119"))


def test_who_has_what_is_named_like_this(world: World) -> None:
    _, ids = fleet(world)
    browser = world.client()
    page = browser.get("/rmm/software/devices?q=chrome")
    assert len(OPEN.findall(page.text)) == 4
    assert "2 programs are named like this" in said(page)
    page = browser.get("/rmm/software/devices?q=chrome&below=119")
    assert OPEN.findall(page.text) == [f"/rmm/devices/{ids[0]}"] * 2
    assert "Type the name of a program" in said(browser.get("/rmm/software/devices"))
    assert "Nothing matches" in said(browser.get("/rmm/software/devices?q=chrome&below=1"))
    assert "No device has a program named like this" in said(browser.get("/rmm/software/devices?q=zoom"))
    assert 'action="/rmm/software/devices"' in browser.get("/rmm/software").text


def test_a_name_of_too_many_products_asks_for_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(world)
    monkeypatch.setattr(installs, "PRODUCTS_AT_ONCE", 1)
    page = said(world.client().get("/rmm/software/devices?q=chrome"))
    assert "More than 1 programs are named like this" in page
    assert world.client().get("/rmm/software/devices.csv?q=chrome").status_code == 400


def test_what_is_selected_can_be_worked_on(world: World) -> None:
    _, ids = fleet(world)
    chrome = product_id("one", "Google Chrome", "Google LLC")
    technician = world.client("technician").get(f"/rmm/software/{chrome}").text
    assert technician.count('name="ids"') == 3
    assert 'formaction="/rmm/run"' in technician
    assert f'value="product:{chrome}"' in technician
    assert 'name="ids"' not in world.client("read_only").get(f"/rmm/software/{chrome}").text
    browser = world.client("dispatcher")
    answer = browser.post("/rmm/devices/refresh", data={"ids": [str(ids[0])], "back": f"product:{chrome}"})
    assert answer.headers["Location"] == f"/rmm/software/{chrome}"
    answer = browser.post("/rmm/devices/refresh", data={"ids": [str(ids[0])], "back": "software:q=chrome"})
    assert answer.headers["Location"] == "/rmm/software/devices?q=chrome"


def test_a_devices_list(world: World) -> None:
    _, ids = fleet(world)
    put(
        world,
        ids[0],
        Program("Gone", "7", since=LONG_AGO, gone=utc_now() - HOUR),
        Program("Fresh", "8", "<b>Acme</b>", since=utc_now() - HOUR, installed_on=date(2026, 3, 1)),
    )
    browser = world.client("read_only")
    answer = browser.get(f"/rmm/devices/{ids[0]}/software")
    page = said(answer)
    assert "4 programs, 2 changed in the last 7 days, as of the software sync 3 h ago" in page
    assert "01 Mar 2026" in page
    assert "<b>Acme" not in answer.text
    assert len(OPEN.findall(answer.text)) == 4
    assert page.index("Removed Gone 7") > 0
    assert len(OPEN.findall(browser.get(f"/rmm/devices/{ids[0]}/software?q=chrome").text)) == 2
    removed = said(browser.get(f"/rmm/devices/{ids[0]}/software?show=removed"))
    assert "Gone since" in removed
    assert "Shown: No longer there" in removed
    own = said(browser.get(f"/rmm/devices/{ids[0]}"))
    assert "4 programs, 2 changed" in own
    assert "Installed Fresh 8" in own
    assert "All software of this device" in own


def test_an_assets_list_is_that_of_all_its_devices(world: World) -> None:
    connection = world.connect()
    synced(world, connection)
    first, second = (world.devices(connection, 1, name=name, asset_id="a1")[0] for name in ("PC-A", "PC-B"))
    put(world, first, Program("Chrome", "1"))
    put(world, second, Program("Chrome", "2"), Program("Zoom", "5"))
    browser = world.client("read_only")
    page = browser.get("/rmm/assets/a1/software")
    assert len(OPEN.findall(page.text)) == 3
    assert "PC-B" in said(page)
    assert browser.get("/rmm/assets/nothing/software").status_code == 404
    lines = browser.get("/rmm/assets/a1/software.csv").text.splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [
        ["PC-A", "Chrome"],
        ["PC-B", "Chrome"],
        ["PC-B", "Zoom"],
    ]


def test_why_a_device_has_none(world: World) -> None:
    connection = world.connect("HQ")
    (device,) = world.devices(connection, 1)
    page = said(world.client().get(f"/rmm/devices/{device}"))
    assert "Software has never been synced on this connection. Sync it" in page
    assert "Sync it" not in said(world.client("read_only").get(f"/rmm/devices/{device}"))
    synced(world, connection)
    assert "its agent may not have reported yet" in said(world.client().get(f"/rmm/devices/{device}"))
    put(world, device)
    assert "Its agent lists no programs" in said(world.client().get(f"/rmm/devices/{device}"))


def test_devices_that_never_tell_say_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = world.connect()
    telling = replace(AcmeProvider.manifest, software_platforms=("windows",))
    monkeypatch.setattr(AcmeProvider, "manifest", telling)
    (mac,) = world.devices(connection, 1, facts={"platform": "darwin"})
    (windows,) = world.devices(connection, 1, facts={"platform": "windows"})
    assert "Acme RMM never tells the software of macOS devices." in said(
        world.client().get(f"/rmm/devices/{mac}")
    )
    assert "never tells" not in said(world.client().get(f"/rmm/devices/{windows}"))


def test_an_empty_catalog_says_what_to_do(world: World) -> None:
    assert "Connect an RMM" in said(world.client().get("/rmm/software"))
    assert "Connect an RMM" not in said(world.client("technician").get("/rmm/software"))
    connection = world.connect("HQ")
    answer = world.client().get("/rmm/software")
    assert "has never been synced" in said(answer)
    assert f"/rmm/connections/{connection}/sync" in answer.text
    synced(world, connection)
    assert "The last software sync found none" in said(world.client().get("/rmm/software"))


def test_a_vendor_without_software(world: World) -> None:
    connection = world.connect(provider="single")
    (device,) = world.devices(connection, 1)
    assert "Single RMM does not tell what is installed" in said(world.client().get(f"/rmm/devices/{device}"))
    assert "Connect an RMM" in said(world.client().get("/rmm/software"))


def test_refreshing_a_devices_software(world: World) -> None:
    _, ids = fleet(world)
    path = f"/rmm/devices/{ids[0]}/software"
    assert "Refresh software" in world.client("dispatcher").get(path).text
    assert "Refresh software" not in world.client("read_only").get(path).text
    assert world.client("read_only").post(path).status_code == 403
    browser = world.client("dispatcher")
    answer = browser.post(path)
    assert answer.status_code == 303
    run = said(browser.get(answer.headers["Location"]))
    assert "oftware" in run
    again = browser.post(path)
    assert again.headers["Location"] == path
    assert "Wait for its end or cancel it." in said(browser.get(path))
    assert browser.post(f"/rmm/devices/{product_id('one', 'x')}/software").status_code == 404


def test_files(world: World) -> None:
    _, ids = fleet(world)
    browser = world.client("read_only")
    chrome = product_id("one", "Google Chrome", "Google LLC")

    def rows(path: str) -> list[list[str]]:
        return list(csv.reader(browser.get(f"/rmm/{path}").text.splitlines()))

    assert rows("software.csv?q=google")[1] == ["Google Chrome", "Google LLC", "3", "3", "120.0.6099"]
    found = rows(f"software/{chrome}/devices.csv?below=120")
    assert [row[0] for row in found[1:]] == ["PC-0", "PC-1"]
    assert found[1][5] == "Alpha"
    assert len(rows("software/devices.csv?q=chrome")) == 5
    assert [row[1] for row in rows(f"devices/{ids[0]}/software.csv")[1:]] == [
        "Chrome Cleaner",
        "Google Chrome",
        "Tool 0",
    ]


def test_pages_hold_each_device_once(world: World) -> None:
    connection = world.connect()
    for device in world.devices(connection, 60):
        put(world, device, Program("Tool", "1"))
    address = f"/rmm/software/{product_id('one', 'Tool')}"
    forth = walk(world.client(), address)
    assert [len(page) for page in forth] == [50, 10]
    assert len({link for page in forth for link in page}) == 60
    second = world.client().get(f"{address}?after=00000000000000000000000000000000.PC-0050").text
    assert "60 devices" not in second, "versions stand on the first page alone"


@pytest.mark.parametrize(
    "path",
    [
        "software",
        "software?client=one-c0",
        "software/{product}",
        "software/devices?q=tool",
        "devices/{device}/software",
    ],
)
def test_statements_do_not_grow_with_rows(world: World, path: str) -> None:
    connection = world.connect()
    (device,) = world.devices(connection, 1, client_id="one-c0", asset_id="a0")
    browser = world.client()
    address = "/rmm/" + path.format(product=product_id("one", "Tool 0"), device=device)
    counted = []
    for round_ in range(2):
        put(world, device, *[Program(f"Tool {at}", f"1.{round_}") for at in range(round_ * 20 + 1)])
        for at, other in enumerate(world.devices(connection, 10, client_id="one-c0", asset_id=f"a{round_}")):
            put(world, other, Program("Tool 0", f"{at}"))
        browser.get(address)
        with StatementCounter() as sent:
            assert browser.get(address).status_code == 200
        counted.append(sent.count)
        assert (sent.commits, sent.rollbacks) == (1, 0)
    assert counted[0] == counted[1], sent
    assert counted[0] <= 16


def test_another_tenants_software_is_not_there(world: World) -> None:
    connection = world.connect(tenant="two")
    (device,) = world.devices(connection, 1, tenant_id="two", asset_id="a1")
    put(world, device, Program("Secret Tool", "1"), tenant="two")
    browser = world.client()
    product = product_id("two", "Secret Tool")
    for path in ("software", "software/devices?q=secret"):
        assert "Secret Tool" not in browser.get(f"/rmm/{path}").text
    for path in (
        f"software/{product}",
        f"devices/{device}/software",
        "assets/a1/software",
        f"devices/{device}/software.csv",
    ):
        assert browser.get(f"/rmm/{path}").status_code == 404, path
    assert browser.post(f"/rmm/devices/{device}/software").status_code == 404
    assert len(browser.get(f"/rmm/software/{product}/devices.csv").text.splitlines()) == 1
