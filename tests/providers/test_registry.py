"""Finding providers, and surviving the broken ones."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.labels import provider_label
from rmm_extension.providers.contract import Manifest, Provider, Runtime
from rmm_extension.providers.registry import ProviderRegistry
from tests.providers.conftest import RUNTIME


def make(key: str, label: str | None = None) -> type[Provider]:
    class Made(Provider):
        manifest = Manifest(
            key=key, label=label or key.title(), description="Made for a test.", auth_modes=()
        )

    return Made


def registry(**sources: Any) -> ProviderRegistry:
    return ProviderRegistry(
        RUNTIME, sources=[(name, partial(lambda one: one, found)) for name, found in sources.items()]
    )


def test_the_shipped_providers_are_found() -> None:
    found = ProviderRegistry(RUNTIME)
    assert found.broken() == {}
    assert next(one.manifest.key for one in found.all()) == "tacticalrmm"
    assert found.get("tacticalrmm").runtime is RUNTIME


def test_known_providers_first_then_by_label() -> None:
    found = registry(a=make("zeta", "alpha"), b=make("beta", "Beta"), c=make("teams"), d=make("ninjaone"))
    assert [one.manifest.key for one in found.all()] == ["ninjaone", "teams", "zeta", "beta"]


def test_texts_name_a_vendor_from_elsewhere_as_it_names_itself() -> None:
    registry(a=make("elsewhere", "Else Where"), b=make("tacticalrmm", "Another name"))
    assert provider_label("elsewhere") == "Else Where"
    assert provider_label("tacticalrmm") == "Tactical RMM"
    assert provider_label("never_heard_of") == "never_heard_of"


def test_a_broken_provider_is_listed_and_stops_nothing() -> None:
    def fails() -> Any:
        raise ImportError("no module named nothing")

    class Raises(make("raises")):  # type: ignore[misc]
        def __init__(self, runtime: Runtime) -> None:
            raise RuntimeError("cannot start")

    found = ProviderRegistry(
        RUNTIME,
        sources=[
            ("fails", fails),
            ("raises", lambda: Raises),
            ("nothing", lambda: "text"),
            ("bare", lambda: type("Bare", (Provider,), {})),
            ("good", lambda: make("good")),
        ],
    )
    assert [one.manifest.key for one in found.all()] == ["good"]
    assert found.broken() == {
        "bare": "It has no manifest.",
        "fails": "ImportError: no module named nothing.",
        "nothing": "It does not name a subclass of Provider.",
        "raises": "RuntimeError: cannot start.",
    }
    with pytest.raises(ConfigError, match="cannot start"):
        found.get("raises")


def test_the_second_of_two_with_one_key_is_broken() -> None:
    found = registry(first=make("same", "First"), second=make("same", "Second"))
    assert [one.manifest.label for one in found.all()] == ["First"]
    assert "taken" in found.broken()["second"]


def test_a_broken_namesake_does_not_hide_the_working_one() -> None:
    found = registry(same=make("same"))
    found._add("same", lambda: "text", RUNTIME)
    assert found.get("same").manifest.key == "same"
    assert list(found.broken()) == ["same (another)"]


def test_an_unknown_key_is_said_in_words() -> None:
    with pytest.raises(ConfigError, match="There is no provider “nope”"):
        registry().get("nope")
