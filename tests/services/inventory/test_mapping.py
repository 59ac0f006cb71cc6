"""Mapping organizations to clients: the list, suggestions, choices."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from rmm_extension.domain.errors import ConfigError
from rmm_extension.host import Actor, Client, Contact
from rmm_extension.models import Audit, DeviceRow, OrganizationMapping, new_id, utc_now
from rmm_extension.services import hooks, mapping
from rmm_extension.services.unit import unit

from .conftest import World

ADA = Actor("ada", "Ada", "t1")


def listed(w: World, **narrowed: Any) -> mapping.MappingPage:
    with unit(w.rmm) as session:
        return mapping.list_mappings(
            w.rmm, session, w.tenant, w.integration_id, mapping.MappingFilter(**narrowed)
        )


def names(page: mapping.MappingPage) -> list[str]:
    return [item.name for item in page.items]


def rename(w: World, organization: str, name: str, **values: Any) -> None:
    with unit(w.rmm) as session:
        row = session.scalars(
            select(OrganizationMapping).where(OrganizationMapping.external_id == organization)
        ).one()
        row.name = name
        for key, value in values.items():
            setattr(row, key, value)


def update(w: World, mapping_id: UUID, actor: Actor = ADA, **patch: Any) -> None:
    with unit(w.rmm) as session:
        mapping.update_mapping(w.rmm, session, actor, mapping_id, **patch)


def audited(w: World) -> list[Audit]:
    with unit(w.rmm) as session:
        rows = list(session.scalars(select(Audit).order_by(Audit.id)))
        session.expunge_all()
    return rows


def test_states_counts_and_filters(world: World) -> None:
    for number, name in enumerate(["Alpha", "Bravo", "Charlie", "Delta"]):
        world.map(str(number), "acme" if number in (0, 2) else None)
        rename(world, str(number), name)
    rename(world, "2", "Charlie", last_error="Something")
    rename(world, "3", "Delta", missing_since=utc_now())
    page = listed(world)
    assert [(item.name, item.state) for item in page.items] == [
        ("Alpha", "mapped"),
        ("Bravo", "unmapped"),
        ("Charlie", "error"),
        ("Delta", "vanished"),
    ]
    assert page.counts == {"mapped": 1, "inherited": 0, "unmapped": 1, "error": 1, "vanished": 1}
    assert page.items[0].client_name == "Acme"
    assert names(listed(world, state="error")) == ["Charlie"]
    assert names(listed(world, text="rav")) == ["Bravo"]
    by_client = listed(world, text="acm")
    assert names(by_client) == ["Alpha", "Charlie"]
    assert (by_client.total, by_client.counts["unmapped"]) == (2, 1)
    assert names(listed(world, text="100%")) == []


def test_statements_do_not_grow_with_the_list(world: World, statement_counter: Any) -> None:
    def cost() -> int:
        with statement_counter() as sent:
            listed(world)
        return int(sent.count)

    world.map("0", None)
    world.map("1", "acme")
    few = cost()
    for number in range(2, 40):
        world.map(str(number), None if number % 2 else "acme")
    assert cost() == few


def test_device_counts(world: World) -> None:
    world.map("0")
    with unit(world.rmm) as session:
        for number in range(3):
            session.add(
                DeviceRow(
                    tenant_id=world.tenant,
                    id=new_id(),
                    integration_id=world.integration_id,
                    external_id=str(number),
                    external_organization_id="0",
                    name="x",
                    kind="server",
                    status="online",
                    last_error="no" if number == 0 else None,
                )
            )
    item = listed(world).items[0]
    assert (item.device_count, item.failed_count) == (3, 1)


def test_suggestions(world: World) -> None:
    world.clients.add(world.tenant, "Twin", "O'Brien and Sons LLC")
    world.clients.by_tenant[world.tenant]["twin-2"] = Client("twin-2", "TWIN!")
    for number, name in enumerate([" acme ", "Birch Dentl", "Twin", "OBrien and Sons", "Zebra"]):
        world.map(str(number), None)
        rename(world, str(number), name)
    found = {item.external_id: item.suggestion for item in listed(world).items}
    assert found["0"] is not None
    assert (found["0"].client_id, found["0"].is_exact) == ("acme", True)
    assert found["1"] is not None
    assert (found["1"].client_name, found["1"].is_exact) == ("Birch Dental", False)
    assert 0.72 <= found["1"].score < 1
    assert found["2"] is None
    assert found["3"] is not None
    assert found["3"].score == 0.95
    assert found["4"] is None


def test_exact_matches_are_applied_together(world: World) -> None:
    for number, name in enumerate(["ACME", "Birch Dental", "Birch Dentl", "Cedar Law"]):
        world.map(str(number), None)
        rename(world, str(number), name)
    update(world, world.mappings()["3"].id, client_id="acme")
    with unit(world.rmm) as session:
        assert mapping.apply_exact_matches(world.rmm, session, ADA, world.integration_id) == 2
    assert {key: row.client_id for key, row in world.mappings().items()} == {
        "0": "acme",
        "1": "birch-dental",
        "2": None,
        "3": "acme",
    }
    told = [event["external_organization_id"] for event in world.events("organization_mapped")]
    assert told == ["3", "0", "1"]
    assert audited(world)[-1].changes == {"ACME": "Acme", "Birch Dental": "Birch Dental"}
    with unit(world.rmm) as session:
        assert mapping.apply_exact_matches(world.rmm, session, ADA, world.integration_id) == 0


def test_update_audits_and_tells(world: World) -> None:
    mapping_id = world.map("1", None)
    update(world, mapping_id, client_id="acme")
    assert world.mappings()["1"].client_id == "acme"
    assert world.events("organization_mapped") == [
        {"integration_id": str(world.integration_id), "external_organization_id": "1"}
    ]
    entry = audited(world)[0]
    assert (entry.actor_name, entry.changes) == ("Ada", {"client": [None, "Acme"]})
    update(world, mapping_id, client_id="")
    assert world.mappings()["1"].client_id is None
    assert len(world.events("organization_mapped")) == 1


@pytest.mark.parametrize(
    "patch", [{}, {"client_id": "acme"}, {"auto_sync": True}, {"default_contact_id": ""}]
)
def test_nothing_new_is_no_change(world: World, patch: dict[str, Any]) -> None:
    mapping_id = world.map("1", "acme")
    update(world, mapping_id, **patch)
    assert audited(world) == []
    assert world.events("organization_mapped") == []


def test_contacts_belong_to_their_client(world: World) -> None:
    world.contacts.contacts = [Contact("c1", "Cora", "acme"), Contact("c2", "Dan", "birch-dental")]
    mapping_id = world.map("1", "acme")
    update(world, mapping_id, default_contact_id="c1")
    assert listed(world).items[0].default_contact_name == "Cora"
    with pytest.raises(ConfigError, match="does not belong"):
        update(world, mapping_id, default_contact_id="c2")
    update(world, mapping_id, client_id="birch-dental")
    assert world.mappings()["1"].default_contact_id is None
    update(world, mapping_id, client_id="acme", default_contact_id="c1")
    assert world.mappings()["1"].default_contact_id == "c1"
    assert audited(world)[-1].changes["defaultContact"] == [None, "Cora"]
    with pytest.raises(ConfigError, match="client before"):
        update(world, mapping_id, client_id=None, default_contact_id="c1")
    update(world, mapping_id, client_id=None)
    assert world.mappings()["1"].default_contact_id is None


def test_a_deleted_contact_is_cleared(world: World) -> None:
    world.map("1", "acme", default_contact_id="c1")
    world.map("2", "acme", default_contact_id="c2")
    with unit(world.rmm) as session:
        hooks.contact_deleted(session, world.tenant, "c1")
    assert [row.default_contact_id for _, row in sorted(world.mappings().items())] == [None, "c2"]


def test_strangers_are_refused(world: World) -> None:
    mapping_id = world.map("1", None)
    with pytest.raises(ConfigError, match="client does not exist"):
        update(world, mapping_id, client_id="nobody")
    with pytest.raises(mapping.UnknownMapping):
        update(world, uuid4(), client_id="acme")
    with pytest.raises(mapping.UnknownMapping):
        update(world, mapping_id, actor=Actor("eve", "Eve", "t2"), client_id="acme")


def test_bulk_changes_touch_only_what_differs(world: World) -> None:
    ids = [world.map(str(number), "acme", auto_sync=number > 0) for number in range(3)]
    with unit(world.rmm) as session:
        assert mapping.set_auto_sync(session, ADA, world.integration_id, ids, False) == 2
        assert mapping.set_auto_sync(session, ADA, world.integration_id, ids, False) == 0
        assert mapping.unmap(session, ADA, world.integration_id, ids[:2]) == 2
        assert mapping.unmap(session, Actor("eve", "Eve", "t2"), world.integration_id, ids) == 0
    rows = world.mappings()
    assert [rows[str(number)].client_id for number in range(3)] == [None, None, "acme"]
    assert [entry.action for entry in audited(world)] == [
        "organizations.sync_switched_off",
        "organizations.unmapped",
    ]
