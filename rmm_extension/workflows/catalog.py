"""What workflows can be made of: the modules of vendors that perform actions, and the packs of our own side.

A new vendor brings its module with its provider. A pack is one file and one line in :data:`PACKS`, or an
entry point of another distribution and no line.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import entry_points

from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec
from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.logline import line
from rmm_extension.providers.contract import Provider
from rmm_extension.services import kinds
from rmm_extension.services.actions import registry
from rmm_extension.services.actions.registry import Availability, UnknownAction
from rmm_extension.services.context import Rmm

from .pack import ENTRY_POINTS, Pack

log = logging.getLogger("rmm_extension")

PACKS = (
    "rmm_extension.workflows.core.alerts:PACK",
    "rmm_extension.workflows.core.mail:PACK",
    "rmm_extension.workflows.core.notifications:PACK",
    "rmm_extension.workflows.core.scheduling:PACK",
    "rmm_extension.workflows.core.tickets:PACK",
)
"""Where the packs of the extension are, as ``module:name``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A module and who does its actions: a provider or a pack, never both."""

    module: ActionModule
    provider: Provider | None = None
    pack: Pack | None = None

    @property
    def is_core(self) -> bool:
        """Whether it is the extension's own and stands before the vendors'."""
        return self.module.key.startswith("core:")


@dataclass(frozen=True, slots=True)
class Action:
    """One action with where it comes from."""

    spec: ActionSpec
    entry: Entry


@dataclass(frozen=True, slots=True)
class Offer:
    """A module as the palette shows it; one that is not available is kept for the steps that use it."""

    entry: Entry
    available: bool


def entries(rmm: Rmm) -> Sequence[Entry]:
    """Every module: the extension's own first, then the others by label."""
    found = [Entry(module, provider=provider) for module, provider in registry.modules(rmm)]
    found += [Entry(pack.module, pack=pack) for pack in own_packs()]
    registry.refuse_duplicates([name for entry in found for name in _names(entry)])
    for name, pack in brought_packs():
        entry = Entry(pack.module, pack=pack)
        if taken := _names(entry) & {one for known in found for one in _names(known)}:
            log.warning(line("workflow.pack_clashes", name=name, taken=",".join(sorted(taken))))
        else:
            found.append(entry)
    return sorted(found, key=lambda one: (not one.is_core, one.module.label.casefold(), one.module.key))


def find(rmm: Rmm, action_id: str) -> Action:
    """The action; raises ``UnknownAction``."""
    for entry in entries(rmm):
        for spec in entry.module.actions:
            if spec.id == action_id:
                return Action(spec, entry)
    raise UnknownAction(f"There is no action “{action_id[:100]}”.")


def specs(rmm: Rmm) -> Mapping[str, ActionSpec]:
    """Every action there is by its id."""
    return {spec.id: spec for entry in entries(rmm) for spec in entry.module.actions}


def offers(rmm: Rmm, session: Session, tenant_id: str | None) -> Sequence[Offer]:
    """Every module with whether the tenant has it; none without a tenant."""
    if not tenant_id:
        return []
    deciding = availability(rmm)
    return [
        Offer(entry, deciding.has(rmm, session, tenant_id, entry.module.availability))
        for entry in entries(rmm)
    ]


def availability(rmm: Rmm) -> Availability:
    """What decides for every module: a vendor's working connection, or what the pack says."""
    found = Availability()
    for entry in entries(rmm):
        if entry.pack is not None:
            found.register(entry.module.availability, entry.pack.available)
        elif entry.provider is not None:
            found.register(entry.module.availability, partial(registry.is_connected, provider=entry.provider))
    return found


@cache
def own_packs() -> tuple[Pack, ...]:
    """The packs of the extension."""
    return tuple(_checked(kinds.resolve(path)) for path in PACKS)


@cache
def brought_packs() -> tuple[tuple[str, Pack], ...]:
    """The packs that other distributions bring, by name; one that is broken is left out."""
    found = []
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda one: one.name):
        try:
            found.append((entry.name, _checked(entry.load())))
        # The one boundary at which anything may go wrong: the code is somebody else's.
        except Exception as error:  # noqa: BLE001
            log.warning(line("workflow.pack_broken", name=entry.name, error=type(error).__name__))
    return tuple(found)


def _checked(found: object) -> Pack:
    if not isinstance(found, Pack):
        raise ConfigError("It does not name a Pack.")
    return found


def _names(entry: Entry) -> set[str]:
    """The names that are a module's alone: its own, what decides whether it is there, its actions."""
    return {entry.module.key, entry.module.availability, *(one.id for one in entry.module.actions)}
