"""Every module there is, from providers, our own packs and other distributions; and who has which."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from sqlalchemy import text

from rmm_extension.domain.actions import Outcome, succeeded
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec
from rmm_extension.domain.contracts.strict import Strict
from rmm_extension.models import Integration, new_id
from rmm_extension.services.actions.registry import UnknownAction
from rmm_extension.workflows import catalog
from rmm_extension.workflows.pack import ENTRY_POINTS, Pack, always
from tests.harness.world import World

CORE = ["core:alerts", "core:mail", "core:notifications", "core:scheduling", "core:tickets"]


def done(*_: Any) -> Outcome:
    return succeeded("Done.", {})


def pack(key: str, label: str, action: str, *, availability: str = "", available: Any = always) -> Pack:
    spec = ActionSpec(
        id=action,
        module=key,
        label=action,
        description=action,
        input=Strict,
        output=Strict,
        side_effects=True,
        category="c",
        icon="i",
        on_device=False,
    )
    module = ActionModule(
        key=key,
        label=label,
        description=label,
        icon="i",
        default_action=action,
        availability=availability or key,
        actions=(spec,),
    )
    return Pack(module=module, perform=done, available=available)


def fails(_rmm: Any, session: Any, _tenant: str) -> bool:
    session.execute(text("SELECT 1 / 0"))
    return True


def asks(_rmm: Any, session: Any, _tenant: str) -> bool:
    return bool(session.scalar(text("SELECT 1")))


GOOD = pack("app:good", "Good", "good.things.do")
FAILS = pack("app:fails", "Fails", "fails.things.do", available=fails)
ASKS = pack("app:asks", "Zulu", "asks.things.do", available=asks)
SAME_ACTION = pack("app:thief", "Thief", "tacticalrmm.agents.reboot")
SAME_KEY = pack("app:ninjaone", "Other Ninja", "other.ninja.do")
SAME_AVAILABILITY = pack("app:third", "Third", "third.things.do", availability="rmm:levelio")
NO_PACK = "a text"


@pytest.fixture
def bring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`bring(names)`: other distributions whose entry points name these things of this module."""

    def install(*names: str) -> None:
        found = [EntryPoint(name, f"{__name__}:{name}", ENTRY_POINTS) for name in names]
        monkeypatch.setattr(catalog, "entry_points", lambda group: found if group == ENTRY_POINTS else [])
        catalog.brought_packs.cache_clear()

    yield install
    catalog.brought_packs.cache_clear()


def keys(world: World) -> list[str]:
    with world.app.app_context():
        return [entry.module.key for entry in catalog.entries(world.rmm)]


def available(world: World, tenant: str | None = None) -> set[str]:
    """The keys of the modules that the tenant has, without our own."""
    with world.unit() as session:
        offers = catalog.offers(world.rmm, session, tenant or world.tenant)
    return {one.entry.module.key for one in offers if one.available and not one.entry.is_core}


def connect(world: World, provider: str, state: str = "connected") -> None:
    row = Integration(
        tenant_id=world.tenant, id=new_id(), provider=provider, name=provider, state=state, instance_url=""
    )
    with world.unit() as session:
        session.add(row)


def test_our_own_come_first_then_the_others_by_label(world: World, bring: Any) -> None:
    bring("GOOD")
    found = keys(world)
    assert found[: len(CORE)] == CORE
    assert found[len(CORE) :] == [
        "app:good", "app:huntress", "app:levelio", "app:teams", "app:ninjaone", "app:tacticalrmm"
    ]  # fmt: skip


def test_a_pack_of_another_distribution_needs_no_line_here(world: World, bring: Any) -> None:
    bring("GOOD")
    with world.app.app_context():
        found = catalog.find(world.rmm, "good.things.do")
    assert (found.entry.pack, found.entry.provider) == (GOOD, None)
    assert "app:good" in available(world)


@pytest.mark.parametrize("name", ["NO_PACK", "NOT_THERE", "SAME_ACTION", "SAME_KEY", "SAME_AVAILABILITY"])
def test_one_that_is_broken_or_takes_a_name_is_left_out_and_told(
    world: World, bring: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    bring("GOOD", name)
    before = {"app:good", "app:huntress", "app:levelio", "app:teams", "app:ninjaone", "app:tacticalrmm"}
    with caplog.at_level(logging.WARNING):
        assert set(keys(world)) == {*CORE, *before}
    assert any(f"name={name}" in record.getMessage() for record in caplog.records)
    with world.app.app_context():
        assert catalog.find(world.rmm, "tacticalrmm.agents.reboot").entry.provider is not None


def test_two_of_ours_with_one_name_are_a_programming_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "own_packs", lambda: (GOOD, replace(GOOD)))
    with world.app.app_context(), pytest.raises(ValueError, match="same key or action"):
        catalog.entries(world.rmm)


def test_an_unknown_action_is_said_to_be(world: World) -> None:
    with world.app.app_context(), pytest.raises(UnknownAction, match=r"“good.things.do”"):
        catalog.find(world.rmm, "good.things.do")


def test_exactly_the_connected_vendors_are_there(world: World) -> None:
    connect(world, "levelio")
    connect(world, "huntress", "not_connected")
    assert available(world) == {"app:tacticalrmm", "app:levelio"}


@pytest.mark.parametrize("state, there", [("connected", True), ("error", True),
    ("paused", False), ("needs_reauth", False), ("not_connected", False)])  # fmt: skip
def test_a_vendors_module_is_there_while_a_connection_works(world: World, state: str, there: bool) -> None:
    world.do("UPDATE rmm_integrations SET state = :state", state=state)
    assert available(world) == ({"app:tacticalrmm"} if there else set())


def test_a_tenant_has_only_its_own_and_nobody_has_nothing(world: World) -> None:
    other = world.one("SELECT id FROM tenants WHERE id <> :tenant LIMIT 1", tenant=world.tenant)
    assert available(world, other) == set()
    with world.unit() as session:
        assert catalog.offers(world.rmm, session, None) == []


def test_one_that_fails_disturbs_no_other(world: World, bring: Any) -> None:
    bring("FAILS", "GOOD", "ASKS")
    assert available(world) == {"app:tacticalrmm", "app:good", "app:asks"}


def test_what_is_not_available_is_listed_all_the_same_for_the_steps_that_use_it(world: World) -> None:
    world.do("UPDATE rmm_integrations SET state = 'not_connected'")
    with world.unit() as session:
        offers = catalog.offers(world.rmm, session, world.tenant)
    assert {one.entry.module.key: one.available for one in offers}["app:tacticalrmm"] is False


def test_our_own_are_always_there_in_a_host_with_every_port(world: World) -> None:
    with world.unit() as session:
        offers = catalog.offers(world.rmm, session, world.tenant)
    assert [one.entry.module.key for one in offers if one.available and one.entry.is_core] == CORE


@pytest.mark.parametrize("ports, lacks", [
    (("notifications",), {"core:notifications"}),
    (("schedule",), {"core:scheduling"}),
    (("mails",), {"core:mail"}),
    (("tickets",), {"core:tickets"}),
])  # fmt: skip
def test_a_host_without_the_port_has_not_what_needs_it(
    world: World, ports: tuple[str, ...], lacks: set[str]
) -> None:
    host = replace(world.rmm.host, **dict.fromkeys(ports))
    rmm = replace(world.rmm, host=host)
    with world.unit() as session:
        offers = catalog.offers(rmm, session, world.tenant)
    assert {one.entry.module.key for one in offers if one.entry.is_core and not one.available} == lacks
