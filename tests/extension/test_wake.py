"""The workers are told when the host commits what it told the extension."""

from __future__ import annotations

import dataclasses

from tests.harness.world import World


def test_closing_a_ticket_wakes_the_workers_after_the_commit_only(world: World) -> None:
    told: list[str] = []
    mounted = dataclasses.replace(
        world.app.extensions["rmm"],
        services=dataclasses.replace(world.rmm, wake=lambda: told.append("wake")),
    )
    with world.app.app_context():
        session = world.rmm.db.session()
        mounted.ticket_closed(session, world.tenant, "t1", world.admin)
        assert told == []
        session.commit()
    assert told == ["wake"]
