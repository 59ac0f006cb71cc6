"""Nested organizations: who has no client of its own is its nearest ancestor's that has one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.types import Organization
from rmm_extension.host import Contact
from rmm_extension.models import OrganizationMapping, new_id
from rmm_extension.services import hooks, mapping
from rmm_extension.services.queries.devices import device_detail
from rmm_extension.services.queries.organizations import organizations
from rmm_extension.services.unit import unit

from .conftest import World, device
from .test_mapping import ADA, audited, update
from .test_organizations import sync


def group(external_id: str, parent_id: str | None = None) -> Organization:
    return Organization(external_id=external_id, name=f"Group {external_id}", parent_id=parent_id)


def tree(world: World, **parents: str | None) -> None:
    """The vendor's groups, each with its parent, listed."""
    world.script.organizations = [group(name, parent) for name, parent in parents.items()]
    sync(world)


def give(world: World, name: str, client_id: str | None, **patch: Any) -> None:
    update(world, world.mappings()[name].id, client_id=client_id, **patch)


def owners(world: World) -> dict[str, tuple[str | None, str | None]]:
    """Each group's client, and the group that it has it of."""
    return {name: (row.client_id, row.inherited_from) for name, row in sorted(world.mappings().items())}


def versions(world: World) -> dict[str, str]:
    """The transaction that wrote each mapping last."""
    with unit(world.rmm) as session:
        found = session.execute(text("SELECT external_id, xmin::text FROM rmm_organization_mappings"))
        return dict(found.all())


def told(world: World) -> list[str]:
    return [event["external_organization_id"] for event in world.events("organization_mapped")]


def test_the_nearest_ancestor_counts(world: World) -> None:
    tree(world, a=None, b="a", c="b", d="c", z=None)
    give(world, "a", "acme")
    assert owners(world) == {
        "a": ("acme", None),
        "b": ("acme", "a"),
        "c": ("acme", "a"),
        "d": ("acme", "a"),
        "z": (None, None),
    }
    assert told(world) == ["a", "b", "c", "d"]
    give(world, "c", "cedar-law")
    assert owners(world) == {
        "a": ("acme", None),
        "b": ("acme", "a"),
        "c": ("cedar-law", None),
        "d": ("cedar-law", "c"),
        "z": (None, None),
    }
    assert told(world)[4:] == ["c", "d"]


def test_contact_and_switches_are_the_ancestors(world: World) -> None:
    world.contacts.contacts = [Contact("k1", "Cora", "acme")]
    tree(world, a=None, b="a")
    give(world, "a", "acme", default_contact_id="k1", auto_sync=False, auto_tickets=False)
    row = world.mappings()["b"]
    assert (row.default_contact_id, row.auto_sync, row.auto_tickets) == ("k1", False, False)
    with unit(world.rmm) as session:
        assert (
            mapping.set_auto_sync(session, ADA, world.integration_id, [world.mappings()["a"].id], True) == 1
        )
    row = world.mappings()["b"]
    assert (row.auto_sync, row.auto_tickets) == (True, False)
    with unit(world.rmm) as session:
        hooks.contact_deleted(session, world.tenant, "k1")
    assert world.mappings()["b"].default_contact_id is None


def test_one_that_is_unmapped_follows_again(world: World) -> None:
    tree(world, a=None, b="a", c="b")
    give(world, "a", "acme")
    give(world, "b", "birch-dental")
    give(world, "b", None)
    assert owners(world) == {"a": ("acme", None), "b": ("acme", "a"), "c": ("acme", "a")}
    ids = [row.id for row in world.mappings().values()]
    with unit(world.rmm) as session:
        assert mapping.unmap(session, ADA, world.integration_id, ids) == 1
    assert set(owners(world).values()) == {(None, None)}


def test_the_followed_client_may_be_chosen(world: World) -> None:
    """It is then its own, whatever becomes of the one it followed."""
    world.contacts.contacts = [Contact("k1", "Cora", "acme")]
    tree(world, a=None, b="a")
    give(world, "a", "acme", default_contact_id="k1")
    give(world, "b", "acme")
    assert (owners(world)["b"], world.mappings()["b"].default_contact_id) == (("acme", None), "k1")
    assert audited(world)[-1].changes == {"follows": ["Group a", None]}
    give(world, "a", "birch-dental")
    assert owners(world)["b"] == ("acme", None)


def test_switches_of_one_that_follows_are_refused(world: World) -> None:
    tree(world, a=None, b="a", c=None)
    give(world, "a", "acme")
    rows = world.mappings()
    refusal = "“Group b” follows “Group a”: choose a client of its own first."
    with pytest.raises(ConfigError, match=refusal):
        update(world, rows["b"].id, auto_sync=False)
    with unit(world.rmm) as session:
        with pytest.raises(ConfigError, match=refusal):
            mapping.set_auto_tickets(session, ADA, world.integration_id, [rows["b"].id], False)
        both = [rows["a"].id, rows["b"].id, rows["c"].id]
        assert mapping.set_auto_tickets(session, ADA, world.integration_id, both, False) == 2
    assert [row.auto_tickets for _, row in sorted(world.mappings().items())] == [False, False, False]
    assert audited(world)[-1].changes == {"organizations": ["Group a", "Group c"]}
    # With a client of its own it has its own.
    give(world, "b", "cedar-law", auto_tickets=True)
    assert world.mappings()["b"].auto_tickets


def test_taking_away_what_it_does_not_have_changes_nothing(world: World) -> None:
    tree(world, a=None, b="a")
    give(world, "a", "acme")
    before = versions(world)
    give(world, "b", None)
    assert versions(world) == before


def test_exact_names_map_only_what_lies_in_nothing(world: World) -> None:
    tree(world, a=None, b="a")
    world.clients.add("t1", "Group a", "Group b")
    with unit(world.rmm) as session:
        assert mapping.apply_exact_matches(world.rmm, session, ADA, world.integration_id) == 1
    assert owners(world) == {"a": ("group-a", None), "b": ("group-a", "a")}
    assert told(world) == ["a", "b"]


def test_an_inherited_client_needs_no_suggestion(world: World) -> None:
    tree(world, a=None, b="a", c=None, d="c")
    world.clients.add("t1", "Group b", "Group d")
    give(world, "a", "acme")
    with unit(world.rmm) as session:
        page = mapping.list_mappings(world.rmm, session, world.tenant, world.integration_id)
    found = {item.name: item.suggestion and item.suggestion.client_id for item in page.items}
    assert (found["Group b"], found["Group d"]) == (None, "group-d")


def test_a_group_that_moves_follows_its_new_parent(world: World) -> None:
    tree(world, a=None, b=None, c="a", d="c")
    give(world, "a", "acme")
    give(world, "b", "birch-dental")
    tree(world, a=None, b=None, c="b", d="c")
    assert owners(world)["c"] == owners(world)["d"] == ("birch-dental", "b")
    assert told(world)[-2:] == ["c", "d"]
    tree(world, a=None, b=None, c=None, d="c")
    assert owners(world)["c"] == owners(world)["d"] == (None, None)


def test_what_was_nested_and_is_not_any_more_follows_nobody(world: World) -> None:
    tree(world, a=None, b="a")
    give(world, "a", "acme")
    tree(world, a=None, b=None)
    assert owners(world) == {"a": ("acme", None), "b": (None, None)}


def test_a_parent_that_is_gone_at_the_vendor(world: World) -> None:
    """While a child says that it lies in it, it does; what is deleted with its parent stays as it was."""
    tree(world, a=None, b="a", c="a")
    give(world, "a", "acme")
    tree(world, b="a")
    assert world.mappings()["a"].missing_since is not None
    assert owners(world) == {"a": ("acme", None), "b": ("acme", "a"), "c": ("acme", "a")}
    tree(world, b=None)
    assert owners(world) == {"a": ("acme", None), "b": (None, None), "c": ("acme", "a")}


def test_a_parent_that_is_not_listed_is_none(world: World) -> None:
    tree(world, b="nobody")
    assert owners(world) == {"b": (None, None)}


def test_a_ring_ends(world: World) -> None:
    tree(world, a="c", b="a", c="b", d="c", s="s")
    assert set(owners(world).values()) == {(None, None)}
    give(world, "b", "acme")
    assert owners(world) == {
        "a": ("acme", "b"),
        "b": ("acme", None),
        "c": ("acme", "b"),
        "d": ("acme", "b"),
        "s": (None, None),
    }
    give(world, "b", None)
    assert set(owners(world).values()) == {(None, None)}


def test_an_unchanged_listing_writes_nothing(world: World) -> None:
    tree(world, a=None, b="a", c="b", d=None)
    give(world, "a", "acme")
    before = versions(world)
    assert sync(world) == {"processed": 4, "unchanged": 4}
    assert versions(world) == before


def test_a_change_writes_only_what_follows_from_it(world: World) -> None:
    tree(world, a=None, b="a", c=None, d="c")
    give(world, "a", "acme")
    before = versions(world)
    give(world, "c", "cedar-law")
    assert {name for name, version in versions(world).items() if version != before[name]} == {"c", "d"}


def test_statements_do_not_grow_with_the_tree(world: World, statement_counter: Any) -> None:
    def cost(depth: int) -> int:
        tree(world, a=None, **{f"g{n}": f"g{n - 1}" if n else "a" for n in range(depth)})
        give(world, "a", None)
        with statement_counter() as sent:
            give(world, "a", "acme")
        return int(sent.count)

    assert cost(2) == cost(60)


def test_flat_connections_do_not_look_for_ancestors(world: World, statement_counter: Any) -> None:
    tree(world, a=None, b=None)
    with statement_counter() as sent:
        give(world, "a", "acme")
    assert not [statement for statement in sent.statements if "RECURSIVE" in statement]


def test_devices_follow_at_the_next_sync(world: World) -> None:
    tree(world, a=None, b="a")
    world.script.devices = [device("d1", "b")]
    give(world, "a", "acme")
    world.sync()
    assert world.asset_of("d1").client_id == "acme"
    asset_id = world.device("d1").asset_id
    give(world, "b", "cedar-law")
    world.sync()
    assert (world.device("d1").asset_id, world.asset_of("d1").client_id) == (asset_id, "cedar-law")
    give(world, "b", None)
    world.sync()
    assert world.asset_of("d1").client_id == "acme"


def test_a_client_that_is_gone_is_said_where_it_was_chosen(world: World) -> None:
    tree(world, a=None, b="a")
    give(world, "a", "acme")
    del world.clients.by_tenant["t1"]["acme"]
    world.sync()
    rows = world.mappings()
    assert "choose another one" in (rows["a"].last_error or "")
    assert rows["b"].last_error is None


def test_tenants_do_not_meet(world: World) -> None:
    other = world.connect(tenant="t2")
    for one in (world, other):
        tree(one, a=None, b="a")
    give(world, "a", "acme")
    assert set(owners(other).values()) == {(None, None)}


def nearest(name: str, parents: dict[str, str | None], own: dict[str, str]) -> tuple[str | None, str | None]:
    """What a group must have, by walking up."""
    if name in own:
        return own[name], None
    seen, above = {name}, parents[name]
    while above in parents and above not in seen:
        if above in own:
            return own[above], above
        seen.add(above)
        above = parents[above]
    return None, None


NAMES = "abcdefg"
PARENTS = st.fixed_dictionaries({name: st.sampled_from([None, *NAMES, "nobody"]) for name in NAMES})
MOVE = text("UPDATE rmm_organization_mappings SET parent_external_id = :parent WHERE external_id = :name")
OWN = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["acme", "cedar-law"]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=PARENTS, second=PARENTS, own=OWN)
def test_every_forest_and_ring(
    world: World, first: dict[str, str | None], second: dict[str, str | None], own: dict[str, str]
) -> None:
    """Whatever the groups were before, each has what walking up finds now."""
    with unit(world.rmm) as session:
        session.execute(delete(OrganizationMapping))
        session.add_all(row(world, name, parent, own.get(name)) for name, parent in first.items())
    for parents in (first, second):
        with unit(world.rmm) as session:
            for name, parent in parents.items():
                session.execute(
                    text(
                        "UPDATE rmm_organization_mappings SET parent_external_id = :p WHERE external_id = :n"
                    ),
                    {"p": parent, "n": name},
                )
            mapping.inherit(session, world.tenant, world.integration_id)
        assert owners(world) == {name: nearest(name, parents, own) for name in NAMES}


def row(world: World, name: str, parent: str | None, client_id: str | None) -> OrganizationMapping:
    return OrganizationMapping(
        tenant_id=world.tenant,
        id=new_id(),
        integration_id=world.integration_id,
        external_id=name,
        name=name,
        parent_external_id=parent,
        client_id=client_id,
    )


def listed(world: World, **narrowed: Any) -> list[tuple[str, str, str | None]]:
    """Path, state and whom it follows, of each in the list."""
    with unit(world.rmm) as session:
        page = mapping.list_mappings(
            world.rmm, session, world.tenant, world.integration_id, mapping.MappingFilter(**narrowed)
        )
    return [(" / ".join([*item.above, item.name]), item.state, item.follows) for item in page.items]


def named_groups(world: World, **places: tuple[str, str | None]) -> None:
    world.script.organizations = [
        Organization(external_id=name, name=called, parent_id=parent)
        for name, (called, parent) in places.items()
    ]
    sync(world)


def test_the_list_names_what_each_lies_in(world: World) -> None:
    named_groups(
        world, x=("Servers", "y"), y=("alpine", None), z=("Alpine B", None), w=("Office", "y"), v=("Old", "x")
    )
    give(world, "y", "acme")
    assert listed(world) == [
        ("alpine", "mapped", None),
        ("alpine / Office", "inherited", "alpine"),
        ("alpine / Servers", "inherited", "alpine"),
        ("alpine / Servers / Old", "inherited", "alpine"),
        ("Alpine B", "unmapped", None),
    ]
    assert [path for path, *_ in listed(world, text="servers")] == [
        "alpine / Servers",
        "alpine / Servers / Old",
    ]
    assert [path for path, *_ in listed(world, state="mapped")] == ["alpine"]
    assert len(listed(world, state="inherited")) == 3
    give(world, "x", "cedar-law")
    assert ("alpine / Servers / Old", "inherited", "Servers") in listed(world)


def test_a_ring_has_a_path_too(world: World) -> None:
    named_groups(world, x=("X", "y"), y=("Y", "x"), z=("Z", "y"))
    assert {path for path, *_ in listed(world)} == {"Y / X", "X / Y", "X / Y / Z"}


def test_an_organization_is_named_with_what_it_lies_in(world: World) -> None:
    named_groups(world, x=("Servers", "y"), y=("Alpine", None))
    with unit(world.rmm) as session:
        offered = organizations(session, world.tenant, world.integration_id)
    assert [(row.external_id, row.name) for row in offered] == [("y", "Alpine"), ("x", "Alpine / Servers")]
    world.script.devices = [device("d1", "x")]
    give(world, "x", "acme")
    world.sync()
    with unit(world.rmm) as session:
        found = device_detail(session, world.tenant, world.device("d1").id)
    assert found is not None
    assert found.organization_name == "Alpine / Servers"
