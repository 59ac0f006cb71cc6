"""What is counted by client, what devices are narrowed to by it, and that both agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from reference_psa.db import db
from rmm_extension.models import Integration, new_id, utc_now
from rmm_extension.services.queries import compliance
from rmm_extension.services.queries.compliance import ComplianceFilter, Standing
from rmm_extension.services.queries.device_filter import UNTOLD, DeviceFilter
from rmm_extension.services.queries.devices import device_page
from rmm_extension.services.queries.paging import custom_plans
from tests.harness.patches import give
from tests.harness.world import World

from .test_device_filter import alert

NOW = utc_now()
FLEET: dict[str, dict[str, Any]] = {
    "silent": {"client_id": "a", "facts": {}},
    "nulls": {"client_id": "a", "facts": {"os_patches_pending": None, "antivirus": None, "threats": None}},
    "well": {
        "client_id": "a",
        "facts": {
            "os_patches_pending": 0,
            "os_patches_failed": 0,
            "software_patches_pending": 0,
            "software_patches_failed": 0,
            "has_pending_patches": False,
            "needs_reboot": False,
            "antivirus": "protected",
            "threats": 0,
            "approval": "approved",
        },
    },
    "os": {"client_id": "a", "facts": {"os_patches_pending": 3, "has_pending_patches": True}},
    "software": {"client_id": "b", "facts": {"software_patches_pending": 1, "has_pending_patches": True}},
    "failed_os": {"client_id": "b", "facts": {"os_patches_failed": 1}, "status": "offline"},
    "failed_software": {
        "client_id": "b",
        "facts": {"os_patches_failed": 0, "software_patches_failed": 2},
        "kind": "workstation",
    },
    "none_failed": {"client_id": "b", "facts": {"software_patches_failed": 0}, "status": "overdue"},
    "risk": {"client_id": None, "facts": {"antivirus": "at_risk", "threats": 2}},
    "unsure": {"client_id": None, "facts": {"antivirus": "unknown", "needs_reboot": True}},
    "new": {"client_id": None, "facts": {"approval": "pending"}, "status": "unknown"},
    "odd": {"client_id": None, "facts": {"os_patches_pending": "many", "threats": "2", "approval": 5}},
    "gone": {"client_id": "a", "facts": {"os_patches_pending": 3}, "deleted_at": NOW},
}
SCANS = {"well": 1, "os": 13, "software": 15, "risk": 400, "gone": 30, "silent": None}
"""How many days ago, ``None`` for a list without a scan."""


def fleet(world: World) -> dict[str, UUID]:
    found = {name: world.device(name, name, **columns) for name, columns in FLEET.items()}
    with world.unit() as session:
        for name, days in SCANS.items():
            scanned = None if days is None else NOW - timedelta(days=days)
            give(session, world.tenant, found[name], (), scanned_at=scanned)
    for name, status in (("os", "active"), ("os", "active"), ("risk", "active"), ("well", "resolved")):
        alert(world, found[name], status)
    return found


@pytest.mark.parametrize(
    "wanted, names",
    [
        (DeviceFilter(patches="os"), {"os"}),
        (DeviceFilter(patches="software"), {"software"}),
        (DeviceFilter(patches="failed"), {"failed_os", "failed_software"}),
        (DeviceFilter(patches="yes"), {"os", "software"}),
        (DeviceFilter(antivirus="at_risk"), {"risk"}),
        (DeviceFilter(antivirus="unknown"), {"unsure"}),
        (DeviceFilter(antivirus="protected"), {"well"}),
        (DeviceFilter(antivirus=UNTOLD), set(FLEET) - {"risk", "unsure", "well", "gone"}),
        (DeviceFilter(threats=True), {"risk"}),
        (DeviceFilter(approval=True), {"new"}),
        (DeviceFilter(old_scan=True), {"software", "risk"}),
        (DeviceFilter(old_scan=True, client_id="b"), {"software"}),
        (DeviceFilter(old_scan=True, deleted=True), {"gone"}),
        (DeviceFilter(patches="failed", status="offline"), {"failed_os"}),
    ],
)
def test_devices_are_narrowed_to_what_is_counted(world: World, wanted: DeviceFilter, names: set[str]) -> None:
    fleet(world)
    with world.unit() as session:
        assert {row.name for row in device_page(session, world.tenant, wanted).rows} == names
        assert device_page(session, "another", wanted).rows == []


def standings(world: World, wanted: ComplianceFilter | None = None) -> dict[str | None, Standing]:
    with world.unit() as session:
        listing = [world.integration_id]
        found = compliance.standings(session, world.tenant, wanted or ComplianceFilter(), listing)
        assert compliance.standings(session, "another", ComplianceFilter(), listing) == []
    return {one.client_id: one for one in found}


def numbers(one: Standing, *words: str) -> list[int | None]:
    return [one.number(word) for word in words]


def test_each_client_is_counted_by_what_its_vendor_tells(world: World) -> None:
    fleet(world)
    found = standings(world)
    assert {key: one.devices for key, one in found.items()} == {"a": 4, "b": 4, None: 4}
    a, b, nobody = found["a"], found["b"], found[None]
    assert numbers(a, "online", "offline", "patches", "os", "software", "failed") == [4, 0, 1, 1, 0, 0]
    assert [a.known[word] for word in ("patches", "os", "software", "failed", "at_risk")] == [2, 2, 1, 1, 1]
    assert numbers(b, "offline", "overdue", "os", "software", "failed", "scan") == [1, 1, None, 1, 2, 1]
    assert [b.known[word] for word in ("failed", "software", "scan")] == [3, 1, 4]
    assert numbers(b, "at_risk", "antivirus_unknown", "threats", "reboot") == [None, None, None, None]
    assert numbers(nobody, "at_risk", "antivirus_unknown", "threats", "reboot", "scan") == [1, 1, 1, 1, 1]
    assert nobody.known["at_risk"] == 2


def test_alerts_are_those_of_the_client_and_only_active_ones(world: World) -> None:
    fleet(world)
    world.do("UPDATE rmm_alerts SET client_id = d.client_id FROM rmm_devices d WHERE d.id = device_id")
    assert {key: one.number("alerts") for key, one in standings(world).items()} == {"a": 2, "b": 0, None: 1}
    servers = standings(world, ComplianceFilter(kind="server"))
    assert servers["a"].number("alerts") == 2
    world.do("UPDATE rmm_devices SET kind = 'workstation' WHERE name = 'os'")
    assert standings(world, ComplianceFilter(kind="server"))["a"].number("alerts") == 0


@pytest.mark.parametrize(
    "wanted, devices",
    [
        (ComplianceFilter(client_id="b"), {"b": 4}),
        (ComplianceFilter(kind="workstation"), {"b": 1}),
        (ComplianceFilter(integration_ids=[]), {}),
        (ComplianceFilter(integration_ids=[new_id()]), {}),
        (ComplianceFilter(client_id="nobody"), {}),
    ],
)
def test_whose_devices_are_counted(world: World, wanted: ComplianceFilter, devices: dict[str, int]) -> None:
    fleet(world)
    assert {key: one.devices for key, one in standings(world, wanted).items()} == devices


def test_a_connection_that_lists_no_patches_has_no_old_scans(world: World) -> None:
    fleet(world)
    with world.unit() as session:
        other = Integration(tenant_id=world.tenant, id=new_id(), provider="other", name="Other")
        session.add(other)
        session.flush()
        found = compliance.standings(session, world.tenant, ComplianceFilter(), [])
        assert {one.number("scan") for one in found} == {None}
        found = compliance.standings(session, world.tenant, ComplianceFilter(), [other.id])
        assert {one.number("scan") for one in found} == {None}


def test_all_together_and_in_short(world: World) -> None:
    fleet(world)
    total = compliance.together(standings(world).values())
    with world.unit() as session:
        short = compliance.overall(session, world.tenant)
        nothing = compliance.overall(session, "another")
    assert short.devices == total.devices == 12
    for word in compliance.SHORT:
        assert (short.number(word), short.known[word]) == (total.number(word), total.known[word]), word
        assert nothing.number(word) is None, word


def test_counting_reads_one_index_and_no_rows(world: World) -> None:
    world.do(
        """
        INSERT INTO rmm_devices (tenant_id, id, integration_id, external_id, external_organization_id, name,
            kind, status, facts, last_seen_at, client_id)
        SELECT :tenant, gen_random_uuid(), :integration, n::text, '1', 'PC-' || n, 'server', 'online',
            jsonb_build_object('text', repeat('x', 500), 'os_patches_pending', n % 2), now(), 'c' || n % 3
        FROM generate_series(1, 4000) n
        """,
        tenant=world.tenant,
        integration=world.integration_id,
    )
    with world.app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as bare:
        bare.exec_driver_sql("VACUUM ANALYZE rmm_devices")
    with world.unit() as session:
        custom_plans(session)
        sent: list[tuple[str, Any]] = []
        engine = session.get_bind()
        event.listen(
            engine, "before_cursor_execute", lambda _c, _u, sql, values, *_: sent.append((sql, values))
        )
        compliance.standings(session, world.tenant, ComplianceFilter(), [world.integration_id])
        sql, values = next(pair for pair in sent if "os_pending" in pair[0])
        rows = session.connection().exec_driver_sql(f"EXPLAIN {sql}", values).all()
    plan = "\n".join(row[0] for row in rows)
    assert "Index Only Scan using ix_rmm_devices_client" in plan, plan


def test_a_sync_that_moves_no_fact_writes_no_index(world: World) -> None:
    """Facts that lists ask for are kept in columns; one that is as before must not cost an index entry."""
    fleet(world)
    world.do("ANALYZE rmm_devices")

    def hot() -> int:
        world.do("SELECT pg_stat_force_next_flush()")
        return int(world.one("SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'rmm_devices'"))

    before = hot()
    world.do(
        "UPDATE rmm_devices SET last_seen_at = last_seen_at + interval '1 second',"
        ' facts = facts || \'{"current_user": "anna"}\''
    )
    assert hot() - before == len(FLEET)
