"""Whether a ticket is about devices."""

from __future__ import annotations

from uuid import UUID

import pytest

from rmm_extension.services.queries.targets import all_on_ticket
from tests.harness.world import World


@pytest.fixture
def ids(world: World) -> dict[str, UUID]:
    """Two devices with a ticket each, one that shares the asset of the first, and one without any."""
    found = {
        "one": world.device("agent-1", "PC-1", asset_id="a1"),
        "two": world.device("agent-2", "PC-2", asset_id="a2"),
        "twin": world.device("agent-3", "PC-3", asset_id="a1"),
        "none": world.device("agent-4", "PC-4"),
    }
    for number in (1, 2):
        world.post(world.body(500 + number, agent_id=f"agent-{number}"))
    return found


@pytest.mark.parametrize(
    "names, is_about",
    [
        (["one"], True),
        (["one", "one"], True),
        (["twin"], True),
        (["one", "twin"], True),
        (["two"], False),
        (["none"], False),
        (["one", "two"], False),
        (["one", "none"], False),
    ],
)
def test_a_ticket_is_about_the_devices_of_its_alerts(
    world: World, ids: dict[str, UUID], names: list[str], is_about: bool
) -> None:
    ticket = world.alert(501)["ticket_id"]
    assert ticket != world.alert(502)["ticket_id"]
    with world.unit() as session:
        assert all_on_ticket(session, world.tenant, ticket, [ids[name] for name in names]) is is_about
