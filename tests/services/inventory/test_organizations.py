"""Organizations: upserted in one statement, never deleted."""

from __future__ import annotations

from typing import Any

import pytest

from rmm_extension.domain.errors import Unavailable
from rmm_extension.domain.types import Organization
from rmm_extension.services.inventory import sync_organizations

from .conftest import World


def sync(world: World) -> dict[str, int]:
    run = world.run("organization_sync")
    counts = sync_organizations(world.rmm, run)
    world.finish(run)
    return {name: count for name, count in counts.items() if count}


def organization(external_id: str, name: str = "", **metadata: Any) -> Organization:
    return Organization(external_id=external_id, name=name or f"Org {external_id}", metadata=metadata)


def test_listing_renaming_vanishing_and_returning(world: World) -> None:
    world.script.organizations = [organization("1"), organization("2"), organization("3", sites=4)]
    assert sync(world) == {"processed": 3, "created": 3}
    assert sync(world) == {"processed": 3, "unchanged": 3}
    assert world.mappings()["3"].vendor_metadata == {"sites": 4}
    world.script.organizations = [organization("1", "Renamed"), organization("3", sites=5)]
    assert sync(world) == {"processed": 2, "updated": 2, "vanished": 1}
    assert world.mappings()["1"].name == "Renamed"
    since = world.mappings()["2"].missing_since
    assert since is not None
    assert sync(world) == {"processed": 2, "unchanged": 2}
    assert world.mappings()["2"].missing_since == since
    world.script.organizations.append(organization("2"))
    assert sync(world) == {"processed": 3, "updated": 1, "unchanged": 2}
    assert world.mappings()["2"].missing_since is None


def test_a_choice_survives(world: World) -> None:
    mapping_id = world.map("1", "acme", auto_sync=False)
    world.script.organizations = [organization("1", "Renamed")]
    sync(world)
    row = world.mappings()["1"]
    assert (row.id, row.client_id, row.auto_sync) == (mapping_id, "acme", False)


def test_a_repeated_organization_is_taken_once(world: World) -> None:
    world.script.organizations = [organization("1", "a"), organization("1", "b")]
    assert sync(world) == {"processed": 1, "created": 1}


def test_statements_do_not_grow_with_the_list(world: World, statement_counter: Any) -> None:
    def cost(count: int) -> int:
        world.script.organizations = [organization(str(number)) for number in range(count)]
        with statement_counter() as sent:
            sync(world)
        return int(sent.count)

    assert cost(2) == cost(200)


def test_failure_is_told_and_changes_nothing(world: World) -> None:
    world.script.organizations = [organization("1")]
    sync(world)
    world.script.error = Unavailable("No answer from the vendor.")
    with pytest.raises(Unavailable):
        sync_organizations(world.rmm, world.run("organization_sync"))
    assert world.mappings()["1"].missing_since is None
    assert world.connection().last_error == "No answer from the vendor."
    assert [event["name"] for event in world.events()] == [
        "sync_started",
        "sync_finished",
        "sync_started",
        "sync_failed",
    ]


def test_no_transaction_is_open_while_the_vendor_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def organizations(*_: Any) -> list[Organization]:
        seen.append(world.rmm.db.session().in_transaction())
        return []

    monkeypatch.setattr(world.provider_type, "organizations", organizations)
    sync(world)
    assert seen == [False]


def test_tenants_do_not_meet(world: World) -> None:
    other = world.connect(tenant="t2")
    world.script.organizations = [organization("1")]
    other.script.organizations = [organization("1", "Other")]
    sync(world)
    sync(other)
    world.script.organizations = []
    assert sync(world) == {"vanished": 1}
    assert other.mappings()["1"].missing_since is None
