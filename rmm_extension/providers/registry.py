"""Finding the providers: sub-packages of this package, and entry points of other distributions.

A provider that cannot be loaded is listed with its reason; it never stops the application.
"""

from __future__ import annotations

import logging
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from rmm_extension import providers
from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.labels import learn_label, provider_label
from rmm_extension.providers.contract import Manifest, Provider, Runtime

log = logging.getLogger(__name__)

ENTRY_POINTS = "rmm_extension.providers"
"""The entry-point group; each entry names a :class:`Provider` subclass."""
_ORDER = ("tacticalrmm", "ninjaone", "levelio", "huntress", "teams")

Source = tuple[str, Callable[[], Any]]
"""Where a provider comes from, in words, and how to load its class."""


class ProviderRegistry:
    """All providers of the process, each made once."""

    def __init__(self, runtime: Runtime, *, sources: Iterable[Source] | None = None) -> None:
        self._providers: dict[str, Provider] = {}
        self._broken: dict[str, str] = {}
        for name, load in _sources() if sources is None else sources:
            self._add(name, load, runtime)

    def get(self, key: str) -> Provider:
        """The provider with this key; raises ``ConfigError`` in words when there is none that works."""
        if key in self._providers:
            return self._providers[key]
        if key in self._broken:
            raise ConfigError(f"The provider {provider_label(key)} cannot be used: {self._broken[key]}")
        raise ConfigError(f"There is no provider “{key[:50]}”.")

    def all(self) -> tuple[Provider, ...]:
        """Every working provider: the well-known ones first, then the others by label."""
        return tuple(sorted(self._providers.values(), key=_position))

    def broken(self) -> Mapping[str, str]:
        """Name of each provider that could not be loaded, with the reason as a sentence."""
        return MappingProxyType(dict(sorted(self._broken.items())))

    def _add(self, name: str, load: Callable[[], Any], runtime: Runtime) -> None:
        try:
            provider = _checked(load())(runtime)
            key = provider.manifest.key
            if key in self._providers:
                raise ConfigError(f"Its key {key} is taken by another provider.")
            self._providers[key] = provider
            learn_label(key, provider.manifest.label)
        # The one boundary at which anything may go wrong: the code may be somebody else's.
        except Exception as error:
            log.warning("Provider %s could not be loaded: %s", name, type(error).__name__, exc_info=True)
            self._broken[f"{name} (another)" if name in self._providers else name] = _reason(error)


def _checked(found: Any) -> type[Provider]:
    if not (isinstance(found, type) and issubclass(found, Provider)):
        raise ConfigError("It does not name a subclass of Provider.")
    if not isinstance(getattr(found, "manifest", None), Manifest):
        raise ConfigError("It has no manifest.")
    return found


def _sources() -> Iterator[Source]:
    for module in sorted(pkgutil.iter_modules(providers.__path__), key=lambda found: found.name):
        if module.ispkg:
            yield module.name, partial(_load, module.name)
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda found: found.name):
        yield entry.name, entry.load


def _load(name: str) -> Any:
    return import_module(f"{providers.__name__}.{name}").PROVIDER


def _position(provider: Provider) -> tuple[int, str, str]:
    key = provider.manifest.key
    rank = _ORDER.index(key) if key in _ORDER else len(_ORDER)
    return rank, provider.manifest.label.casefold(), key


def _reason(error: Exception) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    return f"{type(error).__name__}: {str(error)[:300] or 'no further words'}."
