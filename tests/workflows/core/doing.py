"""Doing an action of a pack as a step does: input checked, in a savepoint, an error as its outcome."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from reference_psa.seed_data import NORTHBEAM
from rmm_extension.domain.actions import Order, Outcome, failed
from rmm_extension.domain.contracts.actions import check_output, load_input
from rmm_extension.domain.errors import RMMError
from rmm_extension.host import Actor
from rmm_extension.models import new_id
from rmm_extension.services.actions.outcomes import code_of
from rmm_extension.workflows import catalog
from rmm_extension.workflows.pack import StepContext
from tests.harness.world import World
from tests.host.names import TENANT, known

PEOPLE = {"admin": "Mara Lindholm", "dispatch": "Jonas Petri", "tech": "Priya Raman", "tech2": "Elif Aydin"}


def user(name: str) -> str:
    """The id of a demonstration user."""
    return known("users", f"{name}@northbeam.example", NORTHBEAM)


def actor(name: str = "admin") -> Actor:
    """A demonstration user at work."""
    return Actor(id=user(name), name=PEOPLE[name], tenant_id=TENANT)


def act(world: World, action: str, given: dict[str, Any], *, by: str = "admin", key: str = "") -> Outcome:
    """Do it in a transaction of its own; what comes of it."""
    with world.unit() as session:
        return act_in(world, session, action, given, by=by, key=key)


def act_in(
    world: World, session: Session, action: str, given: dict[str, Any], *, by: str = "admin", key: str = ""
) -> Outcome:
    """Do it in this transaction; what comes of it, held to what the action promises."""
    found = catalog.find(world.rmm, action)
    assert found.entry.pack is not None
    context = StepContext(
        rmm=world.rmm, session=session, actor=actor(by), key=key or f"test:{new_id()}", run_id=new_id()
    )
    try:
        with session.begin_nested():
            order = Order(action=action, input=load_input(found.spec, given))
            outcome = found.entry.pack.perform(context, order)
    except RMMError as error:
        return failed(code_of(error), str(error))
    if outcome.output is not None:
        check_output(found.spec, outcome.output)
    return outcome
