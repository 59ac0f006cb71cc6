"""What the host tells the extension: in the host's own transaction."""

from __future__ import annotations

from typing import Any

from rmm_extension.extension import Mounted
from rmm_extension.models import new_id
from tests.harness.world import World


def mounted(world: World) -> Mounted:
    found: Mounted = world.app.extensions["rmm"]
    return found


def test_a_closed_ticket_is_one_outbox_row(world: World) -> None:
    with world.unit() as session:
        mounted(world).ticket_closed(session, world.tenant, "t-1", world.admin)
    (row,) = world.rows("SELECT topic, payload, tenant_id FROM rmm_outbox")
    assert row == {
        "topic": "ticket_closed",
        "payload": {"ticket_id": "t-1", "actor": "Ada Admin", "actor_id": "admin"},
        "tenant_id": world.tenant,
    }


def test_what_the_host_rolls_back_was_never_told(world: World) -> None:
    with world.app.app_context():
        session = world.rmm.db.session()
        mounted(world).ticket_closed(session, world.tenant, "t-1", world.admin)
        session.rollback()
    assert world.one("SELECT count(*) FROM rmm_outbox") == 0


def test_closing_takes_no_lock_of_ours(world: World) -> None:
    """Alert and condition come before it in the order of locks: a host's close must wait for neither."""
    world.post()
    with world.unit() as session:
        mounted(world).ticket_closed(session, world.tenant, "t-1", world.admin)
        held = session.connection().exec_driver_sql(
            "SELECT DISTINCT relation::regclass::text, mode FROM pg_locks WHERE pid = pg_backend_pid()"
            " AND relation::regclass::text LIKE 'rmm_%%' AND relation::regclass::text NOT LIKE 'rmm_outbox%%'"
        )
        assert held.all() == []


def test_a_deleted_contact_is_nobodys_default_any_more(world: World) -> None:
    world.do("UPDATE rmm_organization_mappings SET default_contact_id = 'c-1'")
    with world.unit() as session:
        mounted(world).contact_deleted(session, "another tenant", "c-1")
        mounted(world).contact_deleted(session, world.tenant, "c-2")
    assert world.one("SELECT default_contact_id FROM rmm_organization_mappings") == "c-1"
    with world.unit() as session:
        mounted(world).contact_deleted(session, world.tenant, "c-1")
    assert world.one("SELECT default_contact_id FROM rmm_organization_mappings") is None


def test_an_asset_that_moves_takes_its_devices_along(world: World) -> None:
    world.device("a", asset_id="asset-1", client_id="old")
    world.device("b", asset_id="asset-2", client_id="old")

    def move(tenant: str, client: str | None) -> dict[str, Any]:
        with world.unit() as session:
            mounted(world).asset_client_changed(session, tenant, "asset-1", client)
        return {r["external_id"]: r["client_id"] for r in world.rows("SELECT * FROM rmm_devices")}

    assert move(str(new_id()), "new") == {"a": "old", "b": "old"}
    assert move(world.tenant, "new") == {"a": "new", "b": "old"}
    assert move(world.tenant, None) == {"a": None, "b": "old"}
