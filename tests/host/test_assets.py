"""Assets through the host port."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from reference_psa.adapters._asset_sql import FIND
from reference_psa.models import Asset, AssetHistory, ServerAsset, WorkstationAsset
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host import AssetKey
from tests.host.conftest import FullHost
from tests.host.names import CLIENT, NAS, OTHER, OTHER_CLIENT, TENANT, change, known

SEEN = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def asset(session: Session, asset_id: str) -> Asset:
    return session.get_one(Asset, (TENANT, asset_id), populate_existing=True)


def kinds(session: Session, asset_id: str) -> list[str]:
    query = select(AssetHistory.kind).where(AssetHistory.asset_id == asset_id)
    return list(session.scalars(query.order_by(AssetHistory.at, AssetHistory.id)))


def create(session: Session, host: FullHost, **values: Any) -> str:
    (made,) = host.assets.apply(session, TENANT, [change(**values)])
    assert made.created
    return made.asset_id


def test_a_new_device_becomes_an_asset_with_its_vitals(session: Session, host: FullHost) -> None:
    vitals = {
        "os_name": "Windows 11 Pro",
        "ram_gb": 15.8,
        "cpu_usage_percent": 12.345,
        "disk_usage": [{"name": "C:", "total_gb": 237.5, "free_gb": 1.25, "utilization_percent": 99.47}],
        "last_reboot_at": SEEN,
        "cpu_cores": 8,
        "storage_gb": 475.9,
        "network_interfaces": [{"name": "Ethernet", "mac": "00:15:5d:01:02:03", "ips": ["10.0.0.7"]}],
        "antivirus_status": "at_risk",
        "antivirus_product": "Defender",
        "pending_os_patches": 3,
        "pending_software_patches": 2,
        "pending_patches": 5,
        "failed_patches": 1,
        "mac_addresses": ["00-15-5D-01-02-03"],
        "current_user": "CONTORA\\anna",
        "bios": "1.2",
    }
    asset_id = create(session, host, last_seen_at=SEEN, vitals=vitals)
    row = asset(session, asset_id)
    assert (row.name, row.status, row.agent_status, row.last_seen_at) == ("PC-1", "active", "online", SEEN)
    assert row.mac_addresses == ["00-15-5D-01-02-03"]
    machine = session.get_one(WorkstationAsset, (TENANT, asset_id))
    assert (machine.os_name, machine.ram_gb, machine.current_user) == ("Windows 11 Pro", 16, "CONTORA\\anna")
    assert float(machine.cpu_utilization_percent or 0) == 12.35
    assert machine.disk_usage == vitals["disk_usage"]
    assert (machine.cpu_cores, machine.storage_gb) == (8, 476)
    assert machine.network_interfaces == vitals["network_interfaces"]
    assert (machine.antivirus_status, machine.antivirus_product) == ("at_risk", "Defender")
    assert (machine.pending_os_patches, machine.pending_software_patches) == (3, 2)
    assert (machine.pending_patches, machine.failed_patches) == (5, 1)
    assert machine.system_info == {"bios": "1.2"}
    assert kinds(session, asset_id) == ["created"]


def test_absent_values_leave_what_is_known(session: Session, host: FullHost) -> None:
    asset_id = create(session, host, vitals={"os_name": "Windows", "lan_ip": "10.0.0.7"})
    nothing: dict[str, Any] = {
        "client_id": None,
        "name": None,
        "asset_type": None,
        "serial": None,
        "location": None,
    }
    host.assets.apply(session, TENANT, [change(asset_id=asset_id, **nothing, vitals={"lan_ip": None})])
    row = asset(session, asset_id)
    assert (row.name, row.serial_number, row.location, row.client_id) == (
        "PC-1",
        "SERIAL-1",
        "Main office",
        CLIENT,
    )
    assert session.get_one(WorkstationAsset, (TENANT, asset_id)).lan_ip == "10.0.0.7"
    assert kinds(session, asset_id) == ["created"]


def test_an_odd_value_does_not_lose_the_others(session: Session, host: FullHost) -> None:
    vitals = {"ram_gb": "lots", "last_reboot_at": "yesterday", "os_name": "nul\x00byte"}
    machine = session.get_one(WorkstationAsset, (TENANT, create(session, host, vitals=vitals)))
    assert (machine.ram_gb, machine.last_reboot_at, machine.os_name) == (None, None, "nulbyte")


def test_every_change_is_in_the_history_but_measurements(session: Session, host: FullHost) -> None:
    asset_id = create(session, host, last_seen_at=SEEN, vitals={"uptime_seconds": 5, "os_version": "22H2"})
    later = change(
        asset_id=asset_id,
        name="PC-renamed",
        last_seen_at=SEEN + timedelta(minutes=5),
        vitals={"uptime_seconds": 305, "os_version": "23H2"},
    )
    host.assets.apply(session, TENANT, [later])
    entry = session.scalars(select(AssetHistory).where(AssetHistory.asset_id == asset_id)).all()[-1]
    assert entry.changes == {"name": ["PC-1", "PC-renamed"], "os_version": ["22H2", "23H2"]}
    assert (entry.source, entry.user_id) == ("tacticalrmm", None)
    assert asset(session, asset_id).last_seen_at == SEEN + timedelta(minutes=5)


def test_a_kept_field_stays_and_is_logged_once_for_review(session: Session, host: FullHost) -> None:
    asset_id = create(session, host)
    row = asset(session, asset_id)
    row.location, row.kept_fields = "Board room", ["location"]
    session.flush()
    for _ in range(2):
        host.assets.apply(session, TENANT, [change(asset_id=asset_id, location="Annex", name="PC-2")])
    row = asset(session, asset_id)
    assert (row.location, row.review, row.name) == ("Board room", {"location": "Annex"}, "PC-2")
    assert sorted(kinds(session, asset_id)) == ["changed", "created", "kept"]
    host.assets.apply(session, TENANT, [change(asset_id=asset_id, location="Board room")])
    assert asset(session, asset_id).review == {}


def test_a_field_that_is_kept_twice_is_kept(session: Session, host: FullHost) -> None:
    asset_id = create(session, host)
    row = asset(session, asset_id)
    row.location, row.kept_fields = "Board room", ["location", "location"]
    session.flush()
    host.assets.apply(session, TENANT, [change(asset_id=asset_id, location="Annex", name="PC-2")])
    row = asset(session, asset_id)
    assert (row.location, row.review, row.name) == ("Board room", {"location": "Annex"}, "PC-2")


def test_a_changed_type_takes_its_facts_along(session: Session, host: FullHost) -> None:
    asset_id = create(session, host, vitals={"os_name": "Windows Server", "cpu_utilization_percent": 5})
    host.assets.apply(session, TENANT, [change(asset_id=asset_id, asset_type="server")])
    assert session.get(WorkstationAsset, (TENANT, asset_id)) is None
    machine = session.get_one(ServerAsset, (TENANT, asset_id))
    assert (machine.os_name, float(machine.cpu_usage_percent or 0)) == ("Windows Server", 5.0)


def test_inactive_until_the_device_returns(session: Session, host: FullHost) -> None:
    asset_id = create(session, host)
    host.assets.mark_inactive(session, TENANT, [asset_id, "gone"], "Missing in Tactical RMM")
    host.assets.apply(session, TENANT, [change(asset_id=asset_id)])
    assert asset(session, asset_id).status == "inactive"
    host.assets.apply(session, TENANT, [change(asset_id=asset_id, reactivate=True)])
    row = asset(session, asset_id)
    assert (row.status, row.status_reason) == ("active", None)


def test_a_deleted_asset_is_made_anew(session: Session, host: FullHost) -> None:
    (made,) = host.assets.apply(session, TENANT, [change(asset_id="gone")])
    assert made.created
    assert made.asset_id != "gone"


def test_the_same_asset_twice_in_a_batch(session: Session, host: FullHost) -> None:
    asset_id = create(session, host)
    batch = [change(asset_id=asset_id, name="A"), change(asset_id=asset_id, name="B", location=None)]
    host.assets.apply(session, TENANT, batch)
    assert asset(session, asset_id).name == "B"


@pytest.mark.parametrize("known_before", [False, True])
def test_statements_do_not_grow_with_the_batch(
    session: Session, host: FullHost, statement_counter: Callable[..., Any], known_before: bool
) -> None:
    counts = []
    for size in (100, 1000):
        ids: list[str | None] = [None] * size
        if known_before:
            made = host.assets.apply(session, TENANT, [change(number) for number in range(size)])
            ids = [one.asset_id for one in made]
        batch = [change(n, id_, vitals={"os_name": "New"}) for n, id_ in enumerate(ids)]
        with statement_counter() as sent:
            assert len(host.assets.apply(session, TENANT, batch)) == size
        counts.append(sent.count)
    assert counts == ([2, 2] if known_before else [1, 1])


def test_an_unchanged_batch_writes_nothing(
    session: Session, host: FullHost, statement_counter: Callable[..., Any]
) -> None:
    vitals = {"os_name": "Windows", "memory_usage_percent": 33.333, "system_info": {"a": [1]}}
    asset_id = create(session, host, last_seen_at=SEEN, vitals=vitals)
    with statement_counter() as sent:
        host.assets.apply(session, TENANT, [change(asset_id=asset_id, last_seen_at=SEEN, vitals=vitals)])
    assert (sent.count, sent.writes) == (1, 0), sent


def test_find_by_serial_mac_or_name_within_the_client(
    session: Session, host: FullHost, statement_counter: Callable[..., Any]
) -> None:
    with_mac = create(session, host, number=7, vitals={"mac_addresses": ["00:15:5d:01:02:03"]})
    keys = [
        AssetKey(CLIENT, "2110sbre7v7lm", (), "whatever"),
        AssetKey(CLIENT, None, ("00-15-5D-01-02-03",), "whatever"),
        AssetKey(CLIENT, None, (), "hdc-frontdesk-1"),
        AssetKey(known("clients", "Blue Finch Veterinary"), "PF3K9Q2T", (), "GRUBER-CAD-04"),
    ]
    with statement_counter() as sent:
        found = host.assets.find(session, TENANT, keys)
    assert sent.count == 1
    assert {match.asset_id for match in found} == {NAS, with_mac, known("assets", "HDC-FRONTDESK-1")}
    assert host.assets.find(session, OTHER, keys) == []


def test_finding_makes_its_sets_once_whatever_the_number_of_assets(session: Session, host: FullHost) -> None:
    changes = [change(n, vitals={"mac_addresses": [f"0200000000{n:02}"]}) for n in range(20)]
    host.assets.apply(session, TENANT, changes)
    wanted = [{"client_id": CLIENT, "serial": f"X{n}", "macs": [f"AA{n}"], "name": f"x{n}"} for n in range(9)]
    values = {"tenant": TENANT, "keys": json.dumps(wanted)}
    connection = session.connection()
    ((plan,),) = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {FIND}", values).all()
    scans = [node for node in _nodes(plan[0]["Plan"]) if node.get("CTE Name", "").startswith("wanted")]
    assert {node["Actual Loops"] for node in scans} <= {0, 1}
    assert len(scans) > 3


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def test_a_strangers_client_is_refused(session: Session, host: FullHost) -> None:
    with pytest.raises(HostRejected, match="does not exist"):
        host.assets.apply(session, TENANT, [change(1), change(2, client_id=OTHER_CLIENT)])


def test_another_tenant_reaches_no_asset(session: Session, host: FullHost) -> None:
    (made,) = host.assets.apply(
        session, OTHER, [change(asset_id=NAS, client_id=OTHER_CLIENT, name="Mine now")]
    )
    assert made.created
    host.assets.mark_inactive(session, OTHER, [NAS], "Gone")
    assert (asset(session, NAS).name, asset(session, NAS).status) == ("HDC-NAS", "active")
    assert host.assets.get_many(session, OTHER, [NAS]) == {}
