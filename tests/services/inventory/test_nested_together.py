"""Changes of nested organizations that meet: none waits in a ring, and none misses what another one did."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from rmm_extension.host import Contact
from rmm_extension.services import hooks, mapping
from rmm_extension.services.inventory import sync_devices, sync_organizations
from rmm_extension.services.unit import unit

from .conftest import World, device
from .test_mapping import ADA
from .test_nested_organizations import give, group, nearest, owners, tree
from .test_together import Meeting, database_url

__all__ = ["database_url"]

CHAIN: dict[str, str | None] = {"a": None, "b": "a", "c": "b", "d": "c"}


@pytest.fixture
def chain(world: World) -> Meeting:
    """Four groups, each in the one before, the first of them mapped, with a device in each."""
    world.contacts.contacts = [Contact("k1", "Cora", "acme")]
    tree(world, **CHAIN)
    give(world, "a", "acme", default_contact_id="k1")
    world.script.devices = [device(f"of-{name}", name) for name in CHAIN]
    world.sync()
    return Meeting(world)


def moving(world: World) -> Callable[[], Any]:
    """A listing that brings the last group under the first one, and a new one into it."""
    world.script.organizations = [
        group(name, parent) for name, parent in {**CHAIN, "d": "a", "e": "d"}.items()
    ]
    return partial(sync_organizations, world.rmm, world.run("organization_sync"))


def unmapping(world: World) -> Callable[[], Any]:
    ids = [row.id for name, row in world.mappings().items() if name in "ab"]

    def work() -> None:
        with unit(world.rmm) as session:
            mapping.unmap(session, ADA, world.integration_id, ids)

    return work


def clearing(world: World) -> Callable[[], Any]:
    def work() -> None:
        with unit(world.rmm) as session:
            hooks.contact_deleted(session, world.tenant, "k1")

    return work


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_move_and_two_choices(world: World, chain: Meeting, order: tuple[int, ...]) -> None:
    works: list[Callable[[], Any]] = [
        moving(world),
        partial(give, world, "a", "cedar-law"),
        partial(give, world, "c", "birch-dental"),
    ]
    assert chain.errors("b", *(works[at] for at in order), table="rmm_organization_mappings") == []
    parents = {**CHAIN, "d": "a", "e": "d"}
    own = {"a": "cedar-law", "c": "birch-dental"}
    assert owners(world) == {name: nearest(name, parents, own) for name in parents}


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_device_sync_and_whoever_else_writes_mappings(
    world: World, chain: Meeting, order: tuple[int, ...]
) -> None:
    """The sync notes at its end when each was synced."""
    works: list[Callable[[], Any]] = [
        partial(sync_devices, world.rmm, world.run()),
        moving(world),
        clearing(world),
        partial(give, world, "b", "birch-dental"),
    ]
    assert chain.errors("c", *(works[at] for at in order), table="rmm_organization_mappings") == []
    assert owners(world)["b"] == ("birch-dental", None)
    assert owners(world)["c"] == ("birch-dental", "b")
    assert owners(world)["e"] == ("acme", "a")
    assert world.mappings()["e"].default_contact_id is None
    assert world.mappings()["c"].last_synced_at is not None


def test_a_group_that_loses_its_client_while_its_child_does(world: World, chain: Meeting) -> None:
    """Whichever comes second sees what the first one left."""
    give(world, "b", "birch-dental")
    works: list[Callable[[], Any]] = [
        unmapping(world),
        partial(give, world, "a", "cedar-law"),
        partial(give, world, "b", None),
    ]
    assert chain.errors("d", *works, table="rmm_organization_mappings") == []
    assert owners(world) == {
        "a": ("cedar-law", None),
        "b": ("cedar-law", "a"),
        "c": ("cedar-law", "a"),
        "d": ("cedar-law", "a"),
    }


def test_a_choice_that_waits_behind_the_first_nested_listing(world: World) -> None:
    """It finds out that groups are nested only once the listing has said so."""
    tree(world, a=None)
    world.script.organizations = [group("a"), group("b", "a")]
    works: list[Callable[[], Any]] = [
        partial(sync_organizations, world.rmm, world.run("organization_sync")),
        partial(give, world, "a", "acme"),
    ]
    assert Meeting(world).errors("a", *works, table="rmm_organization_mappings") == []
    assert owners(world) == {"a": ("acme", None), "b": ("acme", "a")}
