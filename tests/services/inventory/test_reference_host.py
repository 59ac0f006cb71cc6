"""The same syncs against the reference PSA's own adapters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from flask import current_app

from reference_psa import create_app
from reference_psa.db import db
from reference_psa.models import Asset, Client, Tenant, WorkstationAsset
from rmm_extension.domain.types import AgentStatus, Disk, Hardware
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services.inventory import (
    confirm_missing,
    decide_proposal,
    proposals,
    refresh_device,
    sync_devices,
)
from rmm_extension.services.unit import unit
from tests.harness.schema import app_config

from .conftest import World, device
from .fakes import FakeAssets, FakeClients, FakeContacts, FakeProvider, FakeTenants, Script
from .test_adoption import ADA
from .test_together import Meeting

HARDWARE = Hardware(
    memory_gb=15.74, disks=(Disk(name="C:", total_gb=100, free_gb=25.333),), macs=("00:11:22:33:44:55",)
)


@pytest.fixture
def psa(database_url: str) -> Iterator[World]:
    app = create_app(app_config(database_url))
    with app.app_context():
        db.session.add(Tenant(id="t1", name="One", edition="enterprise"))
        db.session.flush()
        db.session.add_all(Client(tenant_id="t1", id=key, name=key.title()) for key in ("acme", "birch"))
        db.session.commit()
        providers = ProviderRegistry(Runtime(), sources=[("fake", lambda: FakeProvider)])
        rmm = dataclasses.replace(app.extensions["rmm"].services, providers=providers)
        nowhere: Any = None
        unused = (FakeAssets(), FakeClients(), FakeContacts(), FakeTenants())
        yield World(rmm, "t1", nowhere, Script(), *unused).connect(
            settings={"deletionPolicy": "mark_inactive"}
        )
        db.session.remove()
        db.engine.dispose()
        db.session.remove()


def asset_of(world: World, external_id: str) -> Asset:
    return db.session.get_one(Asset, ("t1", world.device(external_id).asset_id), populate_existing=True)


def test_a_device_becomes_an_asset_with_its_vitals(psa: World) -> None:
    psa.map()
    psa.script.devices = [device("d1", os_type="Windows", custom_fields={"Rack": "A1"}, hardware=HARDWARE)]
    assert psa.sync() == {"processed": 1, "created": 1}
    asset = asset_of(psa, "d1")
    assert (asset.name, asset.client_id, asset.serial_number, asset.asset_tag) == (
        "D1",
        "acme",
        "SN-d1",
        "fake:d1",
    )
    assert asset.mac_addresses == ["00:11:22:33:44:55"]
    vitals = db.session.get_one(WorkstationAsset, ("t1", asset.id))
    assert (vitals.os_name, vitals.ram_gb, vitals.system_info) == ("Windows", 16, {"Rack": "A1"})
    assert vitals.disk_usage == [{"name": "C:", "total_gb": 100.0, "free_gb": 25.33}]


def test_changes_moves_and_removal_reach_the_asset(psa: World) -> None:
    psa.map("1", "acme")
    psa.map("2", "birch")
    psa.script.devices = [device(f"d{number}", "1") for number in range(10)]
    psa.sync()
    psa.script.replace("d1", status=AgentStatus.OFFLINE, external_organization_id="2")
    assert psa.sync() == {"processed": 10, "updated": 1, "unchanged": 9, "moved": 1}
    asset = asset_of(psa, "d1")
    assert (asset.client_id, asset.agent_status, asset.status) == ("birch", "offline", "active")
    psa.script.drop("d3")
    psa.sync()
    assert psa.sync()["removed"] == 1
    assert asset_of(psa, "d3").status == "inactive"
    psa.script.devices.append(device("d3", "1"))
    assert psa.sync()["returned"] == 1
    assert asset_of(psa, "d3").status == "active"


def test_adoption_and_proposal(psa: World) -> None:
    psa.map()
    db.session.add(Asset(tenant_id="t1", id="a1", client_id="acme", name="Reception", serial_number="sn-D1"))
    db.session.add(Asset(tenant_id="t1", id="a2", client_id="acme", name="d2"))
    db.session.commit()
    psa.script.devices = [device("d1"), device("d2")]
    assert psa.sync() == {"processed": 2, "created": 2, "adopted": 1, "proposed": 1}
    assert asset_of(psa, "d1").id == "a1"
    made = asset_of(psa, "d2")
    row = psa.device("d2")
    with unit(psa.rmm) as session:
        decide_proposal(psa.rmm, session, ADA, row.id, "a2")
    assert asset_of(psa, "d2").id == "a2"
    assert db.session.get_one(Asset, ("t1", made.id), populate_existing=True).status == "inactive"


def test_a_decision_waits_for_a_page_that_writes_the_same_asset_and_device(psa: World) -> None:
    """Either of them comes first, and what was decided stays."""
    psa.map()
    db.session.add(Asset(tenant_id="t1", id="a2", client_id="acme", name="d2"))
    db.session.commit()
    psa.script.devices = [device("d2")]
    psa.sync()
    made, row = asset_of(psa, "d2").id, psa.device("d2")
    psa.script.replace("d2", status=AgentStatus.OFFLINE)
    run, app = psa.run(), current_app._get_current_object()  # type: ignore[attr-defined]
    db.session.remove()

    def decide() -> None:
        with app.app_context(), unit(psa.rmm) as session:
            decide_proposal(psa.rmm, session, ADA, row.id, "a2")

    def sync() -> None:
        with app.app_context():
            sync_devices(psa.rmm, run)

    assert Meeting(psa).errors("d2", decide, sync) == []
    assert (psa.device("d2").asset_id, psa.device("d2").status) == ("a2", "offline")
    assert proposals(psa.rmm, db.session(), "t1", psa.integration_id) == []
    kept, left = (db.session.get_one(Asset, ("t1", key), populate_existing=True) for key in ("a2", made))
    assert (kept.agent_status, left.status) == ("offline", "inactive")


def test_a_device_that_comes_back_while_it_is_removed(psa: World) -> None:
    psa.map()
    psa.script.devices = [device("d1"), device("d2")]
    psa.sync()
    psa.script.drop("d1")
    psa.sync()
    psa.sync()
    psa.script.devices.append(device("d1"))
    run, app = psa.run("device_refresh", external_id="d1"), current_app._get_current_object()  # type: ignore[attr-defined]
    mapping = psa.mappings()["1"].id
    db.session.remove()

    def remove() -> None:
        with app.app_context(), unit(psa.rmm) as session:
            confirm_missing(psa.rmm, session, ADA, mapping)

    def refresh() -> None:
        with app.app_context():
            refresh_device(psa.rmm, run)

    assert Meeting(psa).errors("d1", remove, refresh) == []
    assert psa.device("d1").deleted_at is None
    assert asset_of(psa, "d1").status == "active"


def test_statements_with_the_host_do_not_grow(psa: World, statement_counter: Any) -> None:
    def cost(devices: int) -> list[int]:
        psa.script.page_size = 10_000
        psa.script.devices = [device(f"d{number}") for number in range(devices)]
        counts = []
        for _ in range(2):
            with statement_counter() as sent:
                psa.sync()
            counts.append(int(sent.count))
        return counts

    psa.map()
    # The very first sync takes devices for new without a look.
    psa.sync()
    assert cost(100) == cost(1000)


def test_a_device_that_came_before_the_first_sync_is_not_made_again(psa: World) -> None:
    psa.map()
    psa.script.devices = [device("d1")]
    run = psa.run("device_refresh", external_id="d1")
    assert refresh_device(psa.rmm, run)["created"] == 1
    psa.finish(run)
    psa.script.devices = [device("d1"), device("d2")]
    assert psa.sync() == {"processed": 2, "created": 1, "unchanged": 1}
    assert set(psa.devices()) == {"d1", "d2"}
    assert db.session.query(Asset).count() == 2


def test_a_device_that_two_pages_of_the_first_sync_name_is_made_once(psa: World) -> None:
    """It moved to the next page while the vendor was read."""
    psa.map()
    psa.script.page_size = 2
    psa.script.devices = [device("d1"), device("d2"), device("d2", name="renamed"), device("d3")]
    assert psa.sync() == {"processed": 4, "created": 3, "updated": 1}
    assert psa.device("d2").name == "renamed"
    assert db.session.query(Asset).count() == 3
