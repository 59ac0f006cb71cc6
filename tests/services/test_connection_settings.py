"""Saving one thing of a connection never wipes another."""

from __future__ import annotations

from rmm_extension.services import connections, credentials
from tests.harness.world import World


def test_new_credentials_leave_settings_that_were_saved_meanwhile(world: World) -> None:
    with world.unit() as session:
        row = connections.get(session, world.tenant, world.integration_id)
        stored = connections.build(world.rmm, session, row)
    provider = world.rmm.providers.get("tacticalrmm")
    mode = credentials.auth_mode(provider, "api_key")
    values = {"instance_url": "http://127.0.0.1:8911", "api_key": "A" * 32, "source": "standard"}
    tested = credentials.typed(provider, mode, values, stored)
    with world.unit() as session:
        schedule = {"deviceSync": {"enabled": True, "intervalMinutes": 30}}
        connections.save_settings(session, world.admin, world.integration_id, schedule)
    with world.unit() as session:
        connections.reconnect(world.rmm, session, world.admin, world.integration_id, tested)
    with world.unit() as session:
        row = connections.get(session, world.tenant, world.integration_id)
        assert row.settings["deviceSync"] == {"enabled": True, "intervalMinutes": 30}
        assert row.settings["source"] == "standard"
