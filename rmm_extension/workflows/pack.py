"""What adds actions of our own side: a module, who has it, and how its actions are done.

Vendors' actions come with their providers; a pack is for what happens in our database or the host's. It is
done in the transaction that writes down what came of it, so that it happens once or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.actions import Order, Outcome
from rmm_extension.domain.contracts.actions import ActionModule
from rmm_extension.host import Actor
from rmm_extension.services.context import Rmm

ENTRY_POINTS = "rmm_extension.actions"
"""The entry-point group; each entry names a :class:`Pack`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What an action of a pack works with.

    Everything is written by ``session``, which the caller commits together with the outcome; what is to
    happen after that goes into the outbox. ``key`` identifies this one doing, for the host's idempotency
    keys. ``run_id`` is the workflow's run, ``None`` where a person asked for the action by itself.
    """

    rmm: Rmm
    session: Session
    actor: Actor
    key: str
    run_id: UUID | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tenant_id(self) -> str:
        """The tenant it all happens in."""
        return self.actor.tenant_id


Perform = Callable[[StepContext, Order], Outcome]
"""Does an action. Its input was checked; an ``RMMError`` is a failure by its class, and rolls back what was
written for the action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A module and how it is done; ``available`` decides the module's availability key for a tenant."""

    module: ActionModule
    perform: Perform
    available: Callable[[Rmm, Session, str], bool]


def always(_rmm: Rmm, _session: Session, _tenant_id: str) -> bool:
    """For what needs nothing that could be missing."""
    return True
