"""Which actions and modules there are, and which of them a tenant has."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from rmm_extension.domain.actions import Outcome
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, form_fields
from rmm_extension.domain.contracts.strict import Strict
from rmm_extension.providers.contract import Manifest, Provider, Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services.actions import registry
from rmm_extension.services.actions.registry import Availability
from rmm_extension.services.context import Rmm
from tests.harness.world import World


def spec(module: str, action: str) -> ActionSpec:
    return ActionSpec(
        id=action,
        module=module,
        label=action,
        description=action,
        input=Strict,
        output=Strict,
        side_effects=False,
        category="c",
        icon="i",
    )


def module(key: str, action: str, availability: str | None = None) -> ActionModule:
    return ActionModule(
        key=key,
        label=key.upper(),
        description=key,
        icon="i",
        default_action=action,
        availability=availability or f"rmm:{key}",
        actions=(spec(key, action),),
    )


def provider(key: str, found: ActionModule) -> type[Provider]:
    class Made(Provider):
        manifest: ClassVar = Manifest(key=key, label=key, description=key, auth_modes=(), editions=())

        def action_module(self) -> ActionModule:
            return found

        def perform_action(self, *args: Any) -> Outcome:
            raise NotImplementedError

    return Made


@pytest.fixture
def mounted(world: World) -> Any:
    """`mounted(modules)`: the world's extension with providers of these modules instead of its own."""
    import dataclasses

    def make(*modules: ActionModule) -> Rmm:
        sources = [
            (f"p{number}", lambda found=one, number=number: provider(f"p{number}", found))
            for number, one in enumerate(modules)
        ]
        return dataclasses.replace(world.rmm, providers=ProviderRegistry(Runtime(), sources=sources))

    return make


def test_tacticals_actions_have_a_name_a_form_and_the_right_they_need(world: World) -> None:
    found = {one.id: one for one in registry.for_provider(world.rmm, "tacticalrmm")}
    assert {name: (one.permission, one.side_effects, one.on_device) for name, one in found.items()} == {
        "tacticalrmm.agents.find": ("rmm.view", False, False),
        "tacticalrmm.agents.get": ("rmm.view", False, True),
        "tacticalrmm.agents.ping": ("rmm.execute", False, True),
        "tacticalrmm.agents.run_script": ("rmm.execute", True, True),
        "tacticalrmm.agents.run_command": ("rmm.execute", True, True),
        "tacticalrmm.agents.reboot": ("rmm.execute", True, True),
        "tacticalrmm.scripts.list": ("rmm.view", False, False),
    }
    for one in found.values():
        assert one.version == 1
        assert one.module == "app:tacticalrmm"
        assert all((one.label, one.description, one.category, one.icon))
        assert all(field.label for field in form_fields(one.input))
        assert (one.confirmation is not None) is one.side_effects
    assert set(found) < {one.id for one in registry.all_actions(world.rmm)}
    assert registry.for_provider(world.rmm, "nobody") == []


def test_an_unknown_action_is_said_to_be(world: World) -> None:
    with pytest.raises(registry.UnknownAction):
        registry.get(world.rmm, "tacticalrmm.agents.explode")


@pytest.mark.parametrize("second", [module("a", "b.x"), module("b", "a.x")])
def test_two_of_the_same_name_are_a_programming_error(mounted: Any, second: ActionModule) -> None:
    with pytest.raises(ValueError, match="same key or action"):
        registry.all_actions(mounted(module("a", "a.x"), second))


def test_modules_come_by_label(mounted: Any) -> None:
    rmm = mounted(module("b", "b.x"), module("a", "a.x"))
    assert [one.key for one, _ in registry.modules(rmm)] == ["a", "b"]


def test_an_availability_needs_a_key_of_its_own() -> None:
    deciding = Availability()

    def one(*_: Any) -> bool:
        return True

    def other(*_: Any) -> bool:
        return False

    deciding.register("a", one)
    deciding.register("a", one)
    with pytest.raises(ValueError, match="already"):
        deciding.register("a", other)
    with pytest.raises(ValueError, match="needs a key"):
        deciding.register(" ", one)
