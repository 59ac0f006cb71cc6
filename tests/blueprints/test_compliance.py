"""The page of compliance: what is counted by client, and that each number leads to so many devices."""

from __future__ import annotations

import csv
import html
import re
from datetime import timedelta

import pytest

from rmm_extension.models import utc_now
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said
from .patching import TELLS, fleet, put
from .test_fleet import OPEN

ROWS = re.compile(r"<tr[^>]*>\s*<th scope=\"row\">.*?</tr>", re.S)
CELLS = re.compile(r"<td class=\"rmm-num[^>]*data-label=\"([^\"]+)\">(.*?)</td>", re.S)


def table(text: str) -> dict[str, dict[str, str]]:
    """The numbers of the page by client and label, as they are read."""
    found = {}
    for row in ROWS.findall(text.partition("rmm-many")[2]):
        name = re.sub(r"(?s)<svg.*?</svg>|<[^>]+>", " ", row[: row.index("<td")]).split()
        cells = CELLS.findall(row)
        found[html.unescape(" ".join(name))] = {
            label: " ".join(re.sub(r"<[^>]+>", " ", cell).split()) for label, cell in cells
        }
    return found


def test_what_is_counted_of_each_client(world: World) -> None:
    fleet(world)
    found = table(world.client("read_only").get("/rmm/compliance").text)
    assert list(found) == ["All clients", "<script>alert(1)</script>", "Alpha", "Beta Ltd."]
    assert found["Alpha"] == {
        "Devices": "2",
        "Offline": "0",
        "Overdue": "0",
        "Patches pending": "2",
        "OS patches": "1",
        "Software patches": "1",
        "Failed patches": "1",
        "Scan over 14 days old": "1",
        "Antivirus at risk": "0",
        "Antivirus unknown": "0",
        "Active threats": "0",
        "Active alerts": "0",
        "Wait for a reboot": "0",
    }
    beta = found["Beta Ltd."]
    assert (beta["Devices"], beta["Overdue"]) == ("2", "1")
    assert (beta["Antivirus at risk"], beta["Active threats"]) == ("1 of 1", "1 of 1")
    assert (beta["OS patches"], beta["Wait for a reboot"]) == ("0 of 1", "1 of 1")
    assert found["All clients"]["Patches pending"] == "2 of 4"


def test_what_no_vendor_tells_is_not_available_and_never_none(world: World) -> None:
    world.devices(world.connect(provider="single"), 2, client_id="one-c0")
    answer = world.client().get("/rmm/compliance")
    found = table(answer.text)["Alpha"]
    for label in (
        "OS patches",
        "Failed patches",
        "Scan over 14 days old",
        "Antivirus at risk",
        "Active threats",
    ):
        assert found[label] == "not available", label
    assert found["Active alerts"] == "0"
    assert "None of your RMMs lists patches" in said(answer)


def test_every_number_leads_to_so_many_devices(world: World) -> None:
    connection, ids = fleet(world)
    world.devices(connection, 1, name="NOBODYS", facts=TELLS)
    world.alerts(connection, 3, device_id=ids[0], client_id="one-c0")
    browser = world.client()
    for path in ("/rmm/compliance", f"/rmm/compliance?connection={connection}&kind=workstation"):
        text = browser.get(path).text
        links = re.findall(
            r'<a (?:data-rmm-open )?href="(/rmm/(?:devices|alerts)[^"]*)"[^>]*>(?:<strong>)?(\d+)', text
        )
        legend = re.findall(
            r'<a href="(/rmm/devices[^"]*)"><span class="rmm-badge.*?<strong>(\d+)</strong>', text
        )
        assert (len(links) >= 15, len(legend) >= 5) == (True, True), path
        for url, number in (*links, *legend):
            assert len(OPEN.findall(browser.get(html.unescape(url)).text)) == int(number), url


def test_filters_tiles_and_order(world: World) -> None:
    connection, _ = fleet(world)
    browser = world.client()

    def clients(query: str) -> list[str]:
        return list(table(browser.get(f"/rmm/compliance?{query}").text))[1:]

    assert clients(f"connection={connection}&client=one-c1") == ["Beta Ltd."]
    assert clients("provider=acme") == ["<script>alert(1)</script>", "Alpha", "Beta Ltd."]
    assert clients("provider=single") == ["Beta Ltd."]
    assert clients(f"provider=single&connection={connection}") == []
    assert clients("kind=server") == []
    assert clients("with=failed") == ["Alpha"]
    assert clients("with=antivirus_unknown") == ["<script>alert(1)</script>"]
    assert clients("sort=os")[0] == "Alpha"
    assert clients("sort=at_risk")[0] == "Beta Ltd."
    assert clients("sort=nonsense&with=nonsense&kind=nonsense") == clients("")
    page = browser.get("/rmm/compliance?with=failed&sort=failed")
    assert "Clients with: Failed patches" in said(page)
    assert 'aria-current="true"><strong>1</strong>Failed patches' in page.text
    assert 'aria-sort="descending"><a class="rmm-sort" href="/rmm/compliance?with=failed"' in page.text
    assert "Nothing matches" in said(browser.get("/rmm/compliance?kind=server"))


def test_pages_of_clients(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from rmm_extension.blueprints import compliance

    fleet(world)
    monkeypatch.setattr(compliance, "PAGE", 2)
    browser = world.client()
    first, second = (table(browser.get(f"/rmm/compliance?page={at}").text) for at in (1, 2))
    assert [*first][1:] == ["<script>alert(1)</script>", "Alpha"]
    assert [*second][1:] == ["Beta Ltd."]
    assert first["All clients"] == second["All clients"]
    assert "Page 1 of 2" in said(browser.get("/rmm/compliance?page=-3"))
    assert "Page 2 of 2" in said(browser.get("/rmm/compliance?page=99999"))
    assert "3 clients" in said(browser.get("/rmm/compliance?page=x"))


def test_as_a_file(world: World) -> None:
    fleet(world)
    answer = world.client("read_only").get("/rmm/compliance.csv?with=patches")
    assert answer.mimetype == "text/csv"
    header, row = csv.reader(answer.text.splitlines())
    assert dict(zip(header, row, strict=True)) | {"Active alerts": ""} == {
        "Client": "Alpha",
        "Devices": "2",
        "Offline": "0",
        "Overdue": "0",
        "Patches pending": "2",
        "OS patches": "1",
        "Software patches": "1",
        "Failed patches": "1",
        "Scan over 14 days old": "1",
        "Antivirus at risk": "0",
        "Antivirus unknown": "0",
        "Active threats": "0",
        "Active alerts": "",
        "Wait for a reboot": "0",
        "OS patches known of": "2",
        "Antivirus known of": "2",
        "Scan known of": "2",
    }


def test_a_number_that_is_not_known_is_blank_in_the_file(world: World) -> None:
    world.devices(world.connect(), 1, client_id="one-c0")
    header, row = csv.reader(world.client().get("/rmm/compliance.csv").text.splitlines())
    assert dict(zip(header, row, strict=True))["OS patches"] == ""


def test_a_clients_name_is_no_formula(world: World) -> None:
    from reference_psa.db import db
    from reference_psa.models import Client

    with world.app.app_context():
        db.session.get_one(Client, ("one", "one-c0")).name = "=1+1"
        db.session.commit()
    world.devices(world.connect(), 1, client_id="one-c0")
    assert "\n'=1+1," in world.client().get("/rmm/compliance.csv").text.replace("\r", "")


def test_what_an_empty_page_says(world: World) -> None:
    assert "Connect an RMM" in said(world.client().get("/rmm/compliance"))
    connection = world.connect()
    assert "See the connections" in said(world.client("technician").get("/rmm/compliance"))
    world.devices(connection, 1)
    page = said(world.client().get("/rmm/compliance"))
    assert "have never been synced" in page
    assert "Client not mapped" in page


def test_statements_do_not_grow(world: World) -> None:
    connection, _ = fleet(world)
    browser, counted = world.client(), []
    for more in (1, 30):
        for at in range(more):
            (device,) = world.devices(connection, 1, client_id=f"one-c{at % 3}", facts=TELLS)
            put(world, device, age=timedelta(days=15))
        browser.get("/rmm/compliance")
        with StatementCounter() as sent:
            assert browser.get("/rmm/compliance").status_code == 200
        counted.append(sent.count)
    assert counted[0] == counted[1] <= 13, sent


def test_another_tenant_sees_nothing_of_it(world: World) -> None:
    fleet(world)
    assert "No devices yet" in said(world.client(tenant="two").get("/rmm/compliance"))
    assert len(world.client(tenant="two").get("/rmm/compliance.csv").text.splitlines()) == 1


def test_deleted_devices_do_not_count(world: World) -> None:
    world.devices(world.connect(), 3, client_id="one-c0", deleted_at=utc_now())
    assert "No devices yet" in said(world.client().get("/rmm/compliance"))
