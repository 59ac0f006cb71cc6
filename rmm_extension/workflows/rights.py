"""The right to what a workflow does, of whoever turns it on again or has a step of it done again.

Runs of events have the rights of whoever published: nobody is to use these who could not do the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from rmm_extension.domain.workflows import Step
from rmm_extension.host import Actor
from rmm_extension.services.actions.check import require_right
from rmm_extension.services.actions.registry import UnknownAction
from rmm_extension.services.context import Rmm

from . import catalog


def require(rmm: Rmm, actor: Actor, steps: Iterable[Step]) -> None:
    """Raise ``Forbidden`` for the first step that the actor has no right to.

    A step whose action is gone needs none: it fails in words when it is done.
    """
    for action in dict.fromkeys(step.action for step in steps):
        try:
            spec = catalog.find(rmm, action).spec
        except UnknownAction:
            continue
        require_right(rmm, actor, spec)
