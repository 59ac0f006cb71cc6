"""Mapping organizations to clients, without script."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from reference_psa.db import db
from reference_psa.models import Client
from rmm_extension.domain.types import Organization
from rmm_extension.models import OrganizationMapping
from rmm_extension.services.inventory.organizations import write_organizations
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said


def mapping_of(world: World, mapping_id: UUID) -> OrganizationMapping:
    """The mapping as it is now."""
    with world.app.app_context():
        found = db.session.get(OrganizationMapping, ("one", mapping_id))
        assert found is not None
        return found


def test_a_row_is_saved_by_the_clients_name(world: World) -> None:
    connection = world.connect()
    (mapping,) = world.organizations(connection, ["Zed"])
    browser = world.client()
    address = f"/rmm/connections/{connection}/organizations"
    data = {"client": "  beta   ltd. ", "client_before": "", "auto_sync": "1", "back_q": "z"}
    answer = browser.post(f"{address}/{mapping}", data=data)
    assert answer.location == f"{address}?q=z"
    assert "“Zed” is mapped to Beta Ltd.; its devices follow" in said(browser.get(answer.location))
    assert mapping_of(world, mapping).client_id == "one-c1"


@pytest.mark.parametrize(
    "client,expected",
    [
        ("Nobody", "There is no active client named “Nobody”"),
        ("Twin", "Several clients are named “Twin”"),
    ],
)
def test_a_name_that_is_no_client_is_said(world: World, client: str, expected: str) -> None:
    connection = world.connect()
    (mapping,) = world.organizations(connection, ["Zed"])

    class Twins:
        """Clients of which two share a name."""

        def search(self, *_: object, **__: object) -> list[Client]:
            """Both, whatever is asked for."""
            return [Client(id=key, name="Twin") for key in ("t1", "t2")] if client == "Twin" else []

        def get_many(self, *_: object, **__: object) -> dict[str, Client]:
            """None."""
            return {}

    object.__setattr__(world.rmm.host, "clients", Twins())
    browser = world.client()
    address = f"/rmm/connections/{connection}/organizations"
    answer = browser.post(f"{address}/{mapping}", data={"client": client})
    assert expected in said(browser.get(answer.location))
    if client == "Twin":
        assert 'value="Twin [t1]"' in browser.get(address).text


def test_a_blank_name_unmaps_and_clears_the_contact(world: World) -> None:
    connection = world.connect()
    (mapping,) = world.organizations(connection, ["Zed"], client_id="one-c0", default_contact_id="one-k0")
    browser = world.client()
    address = f"/rmm/connections/{connection}/organizations/{mapping}"
    data = {"client": "", "client_before": "one-c0", "contact": "one-k0", "switches": "auto_sync"}
    browser.post(address, data=data)
    found = mapping_of(world, mapping)
    assert (found.client_id, found.default_contact_id, found.auto_sync) == (None, None, False)


@pytest.mark.parametrize("data", [{"client": "a\x00"}, {"client": "a [\x00]"}, {"client_id": "b\x00"}])
def test_what_cannot_be_stored_names_no_client(world: World, data: dict[str, str]) -> None:
    connection = world.connect()
    (mapping,) = world.organizations(connection, ["Zed"], client_id="one-c0")
    browser = world.client()
    address = f"/rmm/connections/{connection}/organizations/{mapping}"
    assert browser.post(address, data=data).status_code == 303
    assert mapping_of(world, mapping).client_id == "one-c0"


def test_the_contact_is_one_of_the_client(world: World) -> None:
    connection = world.connect()
    (mapping,) = world.organizations(connection, ["Alpha"], client_id="one-c0")
    browser = world.client()
    address = f"/rmm/connections/{connection}/organizations"
    page = browser.get(address).text
    assert "Ann of Alpha" in page
    assert "Bob of Beta" not in page
    data = {"client": "Alpha", "client_before": "one-c0", "auto_sync": "1"}
    browser.post(f"{address}/{mapping}", data={**data, "contact": "one-k0"})
    assert mapping_of(world, mapping).default_contact_id == "one-k0"
    answer = browser.post(f"{address}/{mapping}", data={**data, "contact": "one-k1"})
    assert "does not belong to the client" in said(browser.get(answer.location))
    browser.post(f"{address}/{mapping}", data={**data, "client": "Beta Ltd.", "contact": "one-k0"})
    found = mapping_of(world, mapping)
    assert (found.client_id, found.default_contact_id) == ("one-c1", None)


def test_a_suggestion_is_accepted_with_one_click(world: World) -> None:
    connection = world.connect()
    (mapping,) = world.organizations(connection, ["Beta"])
    browser = world.client()
    address = f"/rmm/connections/{connection}/organizations"
    page = said(browser.get(address))
    assert "Use Beta Ltd." in page
    assert "% alike" in page
    browser.post(f"{address}/{mapping}", data={"client_id": "one-c1"})
    assert mapping_of(world, mapping).client_id == "one-c1"
    assert mapping_of(world, mapping).auto_sync is True


def test_exact_matches_at_once(world: World) -> None:
    connection = world.connect()
    exact, close = world.organizations(connection, ["Alpha", "Beta"])
    browser = world.client()
    address = f"/rmm/connections/{connection}/organizations"
    browser.post(f"{address}/match")
    assert "1 organization mapped to the client of the same name." in said(browser.get(address))
    assert mapping_of(world, exact).client_id == "one-c0"
    assert mapping_of(world, close).client_id is None
    browser.post(f"{address}/match")
    assert "No further organization" in said(browser.get(address))


def test_many_at_once(world: World) -> None:
    connection = world.connect()
    mappings = world.organizations(connection, ["A", "B", "C"], client_id="one-c0")
    browser = world.client()
    address = f"/rmm/connections/{connection}/organizations"
    chosen = [str(one) for one in mappings[:2]]
    browser.post(f"{address}/bulk", data={"ids": chosen, "action": "sync_off"})
    assert "2 organizations switched off" in said(browser.get(address))
    browser.post(f"{address}/bulk", data={"ids": chosen, "action": "unmap"})
    assert [mapping_of(world, one).client_id for one in mappings] == [None, None, "one-c0"]
    browser.post(f"{address}/bulk", data={"action": "unmap"})
    assert "Select at least one organization first." in said(browser.get(address))
    browser.post(f"{address}/bulk", data={"ids": chosen, "action": "explode"})
    assert "Choose what to do" in said(browser.get(address))


def nested(world: World, **more: Any) -> tuple[UUID, dict[str, UUID]]:
    """Alpine with two groups in it, one of a client of its own, as the vendor listed them."""
    connection = world.connect(**more)
    groups = {"Alpine": ("a", None), "Office": ("b", "a"), "Branch": ("c", "a"), "Rack": ("d", "c")}
    listed = [
        Organization(external_id=own, name=name, parent_id=parent) for name, (own, parent) in groups.items()
    ]
    with world.app.app_context(), unit(world.rmm) as session:
        write_organizations(session, "one", connection, listed)
        rows = session.scalars(
            select(OrganizationMapping).where(OrganizationMapping.integration_id == connection)
        )
        ids = {row.name: row.id for row in rows}
    browser = world.client()
    for name, client in (("Alpine", "one-c0"), ("Branch", "one-c1")):
        browser.post(f"/rmm/connections/{connection}/organizations/{ids[name]}", data={"client_id": client})
    return connection, ids


def test_one_that_lies_in_another_follows_it(world: World) -> None:
    connection, ids = nested(world)
    browser = world.client()
    address = f"/rmm/connections/{connection}/organizations"
    page = said(browser.get(address))
    assert "Alpine / Office" in page
    assert "Alpine / Branch / Rack" in page
    assert "As Alpine (Alpha)" in page
    assert "As Branch (Beta Ltd.)" in page
    assert "Inherited (2)" in page
    assert [name for name in ids if name in said(browser.get(f"{address}?state=inherited"))] == [
        *("Alpine", "Office", "Branch", "Rack")
    ], "both with what they lie in"
    # Saved as it stands: it goes on to follow, whatever a box that is not there would say.
    browser.post(f"{address}/{ids['Office']}", data={"client": "", "client_before": ""})
    assert "“Office” follows what it lies in, and so belongs to Alpha." in said(browser.get(address))
    assert mapping_of(world, ids["Office"]).auto_sync is True
    browser.post(f"{address}/{ids['Office']}", data={"client": "Alpha", "client_before": ""})
    assert mapping_of(world, ids["Office"]).inherited_from is None
    data = {"ids": [str(ids["Rack"])], "action": "sync_off"}
    browser.post(f"{address}/bulk", data=data)
    assert "“Rack” follows “Branch”: choose a client of its own first." in said(browser.get(address))


def test_the_wizard_names_what_each_follows(world: World) -> None:
    connection, _ = nested(world)
    page = said(world.client().get(f"/rmm/connections/{connection}/setup/organizations"))
    assert "As Alpine (Alpha)" in page
    assert "Exact matches are applied to those that lie in no other." in page


@pytest.mark.parametrize(
    "provider, where",
    [("acme", "wait under Needs attention."), ("routed", "of the fallback client that you choose on")],
)
def test_the_wizard_says_where_alerts_of_nobody_go(world: World, provider: str, where: str) -> None:
    connection = world.connect(provider=provider)
    assert where in said(world.client().get(f"/rmm/connections/{connection}/setup/organizations"))


def test_who_may_not_configure_reads_whom_each_follows(world: World) -> None:
    connection, _ = nested(world)
    page = said(world.client("technician").get(f"/rmm/connections/{connection}/organizations"))
    assert "Alpha As Alpine" in page
    assert "Sync on" in page


def test_what_follows_counts_as_mapped(world: World) -> None:
    connection, ids = nested(world)
    browser = world.client()
    assert "Organizations mapped 4 of 4" in said(browser.get(f"/rmm/connections/{connection}"))
    assert "Every organization has a client" in said(browser.get(f"/rmm/connections/{connection}/health"))
    data = {"ids": [str(one) for one in ids.values()], "action": "unmap"}
    browser.post(f"/rmm/connections/{connection}/organizations/bulk", data=data)
    assert "4 of 4 organizations have no client" in said(browser.get(f"/rmm/connections/{connection}/health"))
    world.alerts(connection, 1, attention="no_client", external_organization_id="d", client_id=None)
    assert "Alpine / Branch / Rack Acme" in said(browser.get("/rmm/attention"))


def test_flat_vendors_have_nothing_to_follow(world: World) -> None:
    connection = world.connect()
    world.organizations(connection, ["Zed"])
    page = said(world.client().get(f"/rmm/connections/{connection}/organizations"))
    assert "Inherited" not in page
    assert "lie in no other" not in page


def test_tickets_are_switched_where_alerts_are_routed(world: World) -> None:
    connection = world.connect(provider="routed")
    first, second = world.organizations(connection, ["First", "Second"], client_id="one-c0")
    browser = world.client()
    address = f"/rmm/connections/{connection}/organizations"
    assert said(browser.get(address)).count("Alerts may become tickets") == 2
    data = {"client": "Alpha", "client_before": "one-c0", "switches": ["auto_sync", "auto_tickets"]}
    browser.post(f"{address}/{first}", data={**data, "auto_sync": "1"})
    row = mapping_of(world, first)
    assert (row.auto_sync, row.auto_tickets) == (True, False)
    browser.post(f"{address}/bulk", data={"ids": [str(first), str(second)], "action": "tickets_off"})
    assert "Alerts of 1 organization become no tickets from now on." in said(browser.get(address))
    assert mapping_of(world, second).auto_tickets is False
    other = world.connect("Other")
    world.organizations(other, ["Third"])
    assert "may become tickets" not in said(browser.get(f"/rmm/connections/{other}/organizations"))


def test_filters_and_search(world: World) -> None:
    connection = world.connect()
    world.organizations(connection, ["Mapped one"], client_id="one-c1")
    world.insert(
        OrganizationMapping,
        [
            {"integration_id": connection, "external_id": "x", "name": "Open one"},
            {"integration_id": connection, "external_id": "y", "name": "Failing", "last_error": "It broke."},
        ],
    )
    browser = world.client("technician")
    address = f"/rmm/connections/{connection}/organizations"
    assert "Open one" not in said(browser.get(f"{address}?state=mapped"))
    assert "It broke." in said(browser.get(f"{address}?state=error"))
    assert "Mapped one" in said(browser.get(f"{address}?q=beta"))
    nothing = said(browser.get(f"{address}?q=zzz"))
    assert "Nothing matches" in nothing
    assert "Text: zzz" in nothing
    assert "Save" not in said(browser.get(address)), "whoever may not configure only reads"


def test_outside_names_are_escaped(world: World) -> None:
    connection = world.connect("<b>name</b>")
    world.organizations(connection, ["<img src=x onerror=alert(1)>"], client_id="one-c2")
    for path in ("/organizations", "", "/settings", "/activity", "/disconnect"):
        text = world.client().get(f"/rmm/connections/{connection}{path}").text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "<b>name" not in text, path


def test_statements_do_not_grow_with_rows(world: World) -> None:
    few, many = world.connect("Few"), world.connect("Many")
    world.organizations(few, [f"F{at}" for at in range(5)], client_id="one-c0")
    world.organizations(many, [f"M{at}" for at in range(50)], client_id="one-c0")
    browser = world.client()
    counted = []
    for connection in (few, many):
        browser.get(f"/rmm/connections/{connection}/organizations")
        with StatementCounter() as sent:
            browser.get(f"/rmm/connections/{connection}/organizations")
        counted.append(sent.count)
    assert counted[0] == counted[1]
