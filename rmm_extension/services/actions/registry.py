"""Which actions there are: those of every provider that performs any, and which of them a tenant may use."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import WORKING_STATES
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec
from rmm_extension.domain.logline import line
from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import PerformsActions, ReceivesBotMessages
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections
from rmm_extension.services.context import Rmm
from rmm_extension.services.messaging import has_conversation

log = logging.getLogger("rmm_extension")

Resolver = Callable[[Rmm, Session, str], bool]
"""Tells whether a tenant has what an availability key stands for."""


class UnknownAction(LookupError):
    """No installed provider knows the action."""


def modules(rmm: Rmm) -> Sequence[tuple[ActionModule, Provider]]:
    """Every module with its provider, by label."""
    found = [
        (provider.action_module(), provider)
        for provider in rmm.providers.all()
        if isinstance(provider, PerformsActions)
    ]
    refuse_duplicates([module.key for module, _ in found])
    refuse_duplicates([action.id for module, _ in found for action in module.actions])
    return sorted(found, key=lambda one: (one[0].label.casefold(), one[0].key))


def all_actions(rmm: Rmm) -> Sequence[ActionSpec]:
    """Every action, by module and in the module's order."""
    return [action for module, _ in modules(rmm) for action in module.actions]


def get(rmm: Rmm, action_id: str) -> ActionSpec:
    """The action; raises :class:`UnknownAction`."""
    return find(rmm, action_id)[0]


def find(rmm: Rmm, action_id: str) -> tuple[ActionSpec, Provider]:
    """The action and the provider that performs it; raises :class:`UnknownAction`."""
    for module, provider in modules(rmm):
        for action in module.actions:
            if action.id == action_id:
                return action, provider
    raise UnknownAction(f"There is no action “{action_id[:100]}”.")


def for_provider(rmm: Rmm, key: str) -> Sequence[ActionSpec]:
    """The actions of one provider; none where it performs none."""
    return [action for module, one in modules(rmm) if one.manifest.key == key for action in module.actions]


class Availability:
    """What decides, key by key, whether a tenant has a module. A key that nobody decides is not available."""

    def __init__(self) -> None:
        self._resolvers: dict[str, Resolver] = {}

    def register(self, key: str, resolver: Resolver) -> None:
        """Add a resolver; a blank or taken key is a programming error, the same one again is not."""
        if not key.strip():
            raise ValueError("An availability needs a key.")
        if self._resolvers.setdefault(key, resolver) != resolver:
            raise ValueError(f"There is an availability {key} already.")

    def has(self, rmm: Rmm, session: Session, tenant_id: str, key: str) -> bool:
        """Whether the tenant has it; a resolver that fails says no and disturbs no other."""
        resolver = self._resolvers.get(key)
        if resolver is None:
            return False
        try:
            # What fails in the database must not take the others' transaction with it.
            with session.begin_nested():
                return resolver(rmm, session, tenant_id)
        except Exception:
            log.warning(line("action.availability_failed", key=key, tenant=tenant_id), exc_info=True)
            return False


def is_connected(rmm: Rmm, session: Session, tenant_id: str, *, provider: Provider) -> bool:
    """Whether the tenant may use the provider and has a connection of it that works.

    A chat service's bot must have been put somewhere, too: without that nobody can be reached.
    """
    if not connections.entitled(rmm, session, tenant_id, provider):
        return False
    if isinstance(provider, ReceivesBotMessages):
        return has_conversation(session, tenant_id, provider.manifest.key)
    found = session.scalar(
        select(Integration.id)
        .where(
            Integration.tenant_id == tenant_id,
            Integration.provider == provider.manifest.key,
            Integration.state.in_(WORKING_STATES),
        )
        .limit(1)
    )
    return found is not None


def refuse_duplicates(names: Sequence[str]) -> None:
    """A programming error, ``ValueError``, where two modules or actions have one name."""
    taken = [name for name, times in Counter(names).items() if times > 1]
    if taken:
        raise ValueError(f"Two modules have the same key or action: {', '.join(sorted(taken))}.")
