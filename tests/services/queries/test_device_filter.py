"""What devices and a host's assets are narrowed to, one filter at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text

from reference_psa.models import Asset
from rmm_extension.models import Alert, Integration, new_id, utc_now
from rmm_extension.services.queries.device_filter import NEVER, DeviceFilter, asset_conditions
from rmm_extension.services.queries.devices import device_count, device_page, devices_of_assets
from rmm_extension.services.queries.paging import custom_plans
from tests.harness.world import World

NOW = utc_now()
FLEET: dict[str, dict[str, Any]] = {
    "plain": {"asset_id": "a1"},
    "offline": {"status": "offline", "asset_id": "a1", "last_seen_at": NOW - timedelta(days=6)},
    "overdue": {"status": "overdue", "asset_id": "a2", "last_seen_at": NOW - timedelta(days=8)},
    "unknown": {"status": "unknown", "last_seen_at": None},
    "patches": {"facts": {"has_pending_patches": True, "needs_reboot": False}, "asset_id": "a2"},
    "done": {"facts": {"has_pending_patches": False, "agent_version": "2.9.1"}, "asset_id": "a3"},
    "reboot": {"facts": {"needs_reboot": True, "has_pending_patches": None}, "client_id": None},
    "slip": {"missing_count": 1, "missing_since": NOW},
    "missing": {"missing_count": 2, "missing_since": NOW, "kept": True},
    "old": {"last_seen_at": NOW - timedelta(days=40), "asset_id": "a4"},
    "gone": {"deleted_at": NOW, "asset_id": "a5", "status": "offline", "facts": {"needs_reboot": True}},
}
EVERY = {"plain", "offline", "overdue", "unknown", "patches", "done", "reboot", "slip", "missing", "old"}


def fleet(world: World) -> dict[str, Any]:
    """A device of each name; an active alert on three of them, an acknowledged one on another."""
    found = {name: world.device(name, name, **columns) for name, columns in FLEET.items()}
    for name, status in (
        ("plain", "active"),
        ("plain", "active"),
        ("overdue", "active"),
        ("gone", "active"),
        ("done", "acknowledged"),
        ("done", "resolved"),
    ):
        alert(world, found[name], status)
    return found


def alert(world: World, device: object, status: str) -> None:
    row = {
        "tenant_id": world.tenant,
        "id": new_id(),
        "integration_id": world.integration_id,
        "external_id": str(new_id()),
        "device_id": device,
        "status": status,
        "severity": "major",
        "dedup_key": "k",
        "first_channel": "poll",
        "triggered_at": utc_now(),
        "last_event_at": utc_now(),
        "raw": {},
    }
    with world.unit() as session:
        session.execute(insert(Alert), [row])


FOUND = [
    (DeviceFilter(), EVERY),
    (DeviceFilter(status="not_online"), {"offline", "overdue", "unknown"}),
    (DeviceFilter(status="overdue"), {"overdue"}),
    (DeviceFilter(managed="asset"), {"plain", "offline", "overdue", "patches", "done", "old"}),
    (DeviceFilter(managed="none"), {"unknown", "reboot", "slip", "missing"}),
    (DeviceFilter(managed="unmapped"), {"reboot"}),
    (DeviceFilter(alerts=True), {"plain", "overdue"}),
    (DeviceFilter(patches="yes"), {"patches"}),
    (DeviceFilter(patches="no"), {"done"}),
    (DeviceFilter(patches="unknown"), EVERY - {"patches", "done"}),
    (DeviceFilter(reboot="yes"), {"reboot"}),
    (DeviceFilter(reboot="no"), {"patches"}),
    (DeviceFilter(unseen=timedelta(days=5)), {"offline", "overdue", "old"}),
    (DeviceFilter(unseen=timedelta(days=7)), {"overdue", "old"}),
    (DeviceFilter(unseen=timedelta(days=30)), {"old"}),
    (DeviceFilter(unseen=timedelta(days=90)), set()),
    (DeviceFilter(unseen=NEVER), {"unknown"}),
    (DeviceFilter(missing="once"), {"slip"}),
    (DeviceFilter(missing="missing"), {"missing"}),
    (DeviceFilter(kept=True), {"missing"}),
    (DeviceFilter(version="2.9.1"), {"done"}),
    (DeviceFilter(version="2.9"), set()),
    (DeviceFilter(provider="tacticalrmm"), EVERY),
    (DeviceFilter(provider="ninjaone"), set()),
    (DeviceFilter(deleted=True), {"gone"}),
    (DeviceFilter(deleted=True, alerts=True, reboot="yes"), {"gone"}),
    (DeviceFilter(alerts=True, status="not_online", managed="asset", unseen=timedelta(days=7)), {"overdue"}),
    (DeviceFilter(text="e", patches="unknown", status="not_online"), {"offline", "overdue"}),
]


def test_each_filter_finds_its_devices_and_counts_them(world: World) -> None:
    fleet(world)
    with world.unit() as session:
        for wanted, names in FOUND:
            page = device_page(session, world.tenant, wanted)
            assert {row.name for row in page.rows} == names, wanted
            assert device_count(session, world.tenant, wanted).number == len(names), wanted
            assert device_page(session, "another", wanted).rows == [], wanted


def test_a_row_tells_what_it_was_found_by(world: World) -> None:
    fleet(world)
    with world.unit() as session:
        rows = {row.name: row for row in device_page(session, world.tenant, DeviceFilter()).rows}
    assert [rows[name].active_alerts for name in ("plain", "overdue", "done")] == [2, 1, 0]
    assert [rows[name].patches_pending for name in ("patches", "done", "reboot")] == [True, False, None]
    assert [rows[name].needs_reboot for name in ("reboot", "patches", "plain")] == [True, False, None]
    assert (rows["done"].agent_version, rows["missing"].kept) == ("2.9.1", True)


def test_a_vendor_with_two_connections(world: World) -> None:
    fleet(world)
    with world.unit() as session:
        second = Integration(tenant_id=world.tenant, id=new_id(), provider="tacticalrmm", name="Second")
        session.add(second)
    with world.unit() as session:
        page = device_page(session, world.tenant, DeviceFilter(provider="tacticalrmm"))
        assert {row.name for row in page.rows} == EVERY


@pytest.mark.parametrize(
    "wanted, index",
    [
        (DeviceFilter(missing="once"), "ix_rmm_devices_missing"),
        (DeviceFilter(missing="missing"), "ix_rmm_devices_missing"),
        (DeviceFilter(kept=True), "ix_rmm_devices_kept"),
        (DeviceFilter(managed="none"), "ix_rmm_devices_tenant_id_asset_id"),
        (DeviceFilter(client_id="few"), "ix_rmm_devices_client"),
        (DeviceFilter(unseen=timedelta(days=7)), "ix_rmm_devices_list"),
        (DeviceFilter(alerts=True), "ix_rmm_devices_list"),
    ],
)
def test_rare_ones_have_an_index(world: World, wanted: DeviceFilter, index: str) -> None:
    world.do(
        """
        INSERT INTO rmm_devices (tenant_id, id, integration_id, external_id, external_organization_id, name,
            kind, status, facts, last_seen_at, asset_id, client_id)
        SELECT :tenant, gen_random_uuid(), :integration, n::text, '1', 'PC-' || n, 'server', 'online',
            jsonb_build_object('text', repeat('x', 500)), now(), 'a' || n, 'c' || n % 3
        FROM generate_series(1, 4000) n
        """,
        tenant=world.tenant,
        integration=world.integration_id,
    )
    world.do("ANALYZE rmm_devices")
    assert index in planned(world, wanted)


def planned(world: World, wanted: DeviceFilter) -> str:
    """The plan of a page, made as a page makes it."""
    sent = []

    def hear(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        sent.append((statement, values))

    with world.unit() as session:
        custom_plans(session)
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", hear)
        device_page(session, world.tenant, wanted)
        ((statement, values),) = sent
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        return "\n".join(row[0] for row in rows)


ASSETS = [
    ({}, {"a1", "a2", "a3", "a4", "a5", "hand"}),
    ({"agent_status": "online"}, {"a1", "a2", "a3", "a4"}),
    ({"agent_status": "offline"}, {"a1"}),
    ({"agent_status": "not_online"}, {"a1", "a2"}),
    ({"agent_status": "not_online", "rmm_patches": "yes"}, set()),
    ({"agent_status": "nonsense", "rmm_patches": "nonsense", "rmm_managed": "x", "rmm_alerts": "x"}, None),
    ({"rmm_managed": "yes"}, {"a1", "a2", "a3", "a4"}),
    ({"rmm_managed": "no"}, {"a5", "hand"}),
    ({"rmm_provider": "tacticalrmm"}, {"a1", "a2", "a3", "a4"}),
    ({"rmm_provider": "ninjaone"}, set()),
    ({"rmm_alerts": "active"}, {"a1", "a2"}),
    ({"rmm_patches": "yes"}, {"a2"}),
    ({"rmm_patches": "no"}, {"a3"}),
    ({"rmm_patches": "unknown"}, {"a1", "a2", "a4"}),
    ({"rmm_alerts": "active", "rmm_managed": "yes", "agent_status": "overdue"}, {"a2"}),
]


def test_a_hosts_assets_are_narrowed_by_their_devices(world: World) -> None:
    fleet(world)
    names = {"a1", "a2", "a3", "a4", "a5", "hand"}
    with world.unit() as session:
        session.add_all(Asset(tenant_id=world.tenant, id=name, name=name) for name in names)
    with world.unit() as session:
        for args, expected in ASSETS:
            mine = select(Asset.id).where(Asset.tenant_id == world.tenant, Asset.id.in_(names))
            query = mine.where(*asset_conditions(world.tenant, Asset.id, args))
            assert set(session.scalars(query)) == (names if expected is None else expected), args
            foreign = mine.where(*asset_conditions("another", Asset.id, {**args, "rmm_managed": "yes"}))
            assert session.scalars(foreign).all() == [], args


def test_the_devices_of_assets_count_their_active_alerts(world: World) -> None:
    fleet(world)
    with world.unit() as session:
        found = devices_of_assets(session, world.tenant, ["a1", "a2", "a3", "a5"])
        counted = {row.name: row.active_alerts for row in found}
    assert counted == {"plain": 2, "offline": 0, "overdue": 1, "patches": 0, "done": 0}


def test_active_alerts_of_assets_are_read_by_the_index_of_open_ones(world: World) -> None:
    alert(world, world.device("d1", "LOUD", asset_id="a1"), "active")
    conditions = asset_conditions(world.tenant, Asset.id, {"rmm_alerts": "active"})
    with world.unit() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        query = select(Asset.id).where(Asset.tenant_id == world.tenant, *conditions)
        written = query.compile(session.connection(), compile_kwargs={"literal_binds": True})
        plan = "\n".join(row[0] for row in session.connection().exec_driver_sql(f"EXPLAIN {written}"))
    assert "ix_rmm_alerts_" in plan, plan
