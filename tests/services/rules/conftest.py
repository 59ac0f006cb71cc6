"""What the tests of rules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from rmm_extension.services import rules
from rmm_extension.services.rules import RuleDraft
from tests.harness.world import World

Create = Callable[..., UUID]


@pytest.fixture
def bare(world: World) -> World:
    """A connection without a rule."""
    world.do("DELETE FROM rmm_alert_rules")
    return world


@pytest.fixture
def create(bare: World) -> Create:
    """``create("Disks", {"keywords": ["disk"]}, boardId="…")`` makes a rule behind the others; its id."""

    def make(name: str = "Rule", conditions: dict[str, Any] | None = None, **actions: Any) -> UUID:
        draft = RuleDraft(name, conditions=conditions or {}, actions=actions)
        with bare.unit() as session:
            return rules.create(bare.rmm, session, bare.admin, bare.integration_id, draft).id

    return make
