"""A machine that both vendors have is one asset of the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from reference_psa import create_app
from reference_psa.db import db
from rmm_extension.domain.types import Connection
from rmm_extension.models import OrganizationMapping, new_id
from rmm_extension.services import connections
from rmm_extension.services.queries.devices import devices_of_assets
from rmm_extension.services.unit import unit
from simulators.ninjaone.twins import twins
from simulators.tacticalrmm.app import create_app as create_tactical
from simulators.tacticalrmm.app import lab_of
from simulators.testing import serve_in_thread
from tests.harness.ninjaone import Ninja, ninjas
from tests.harness.schema import app_config

from .fleet import ADA, Fleet
from .ninja import NinjaFleet

SHARED = (
    "SELECT a.id, a.client_id, count(*) AS devices, count(DISTINCT d.integration_id) AS vendors"
    " FROM assets a JOIN rmm_devices d ON d.tenant_id = a.tenant_id AND d.asset_id = a.id"
    " WHERE d.serial = ANY (:serials) GROUP BY a.id, a.client_id"
)


@pytest.fixture
def both(database_url: str) -> Iterator[tuple[Fleet, NinjaFleet]]:
    """The two connections of one tenant, mapped to the same clients by name."""
    app = create_app(app_config(database_url))
    simulator = create_tactical()
    url, stop = serve_in_thread(simulator)
    with app.app_context(), ninjas() as start:
        tactical = Fleet(app, url, lab_of(simulator)).connect()
        ninja = NinjaFleet(app, start(devices=10, organizations=12, twins=twins()))
        _connect(tactical, ninja)
        yield tactical, ninja
        db.session.remove()
        db.engine.dispose()
    stop()


def _connect(tactical: Fleet, ninja: NinjaFleet) -> None:
    clients = {one.name: f"c{one.id}" for one in tactical.lab.fleet.clients.values()}
    with unit(ninja.rmm) as session:
        row = connections.create(ninja.rmm, session, ADA, "NinjaOne", _alone(ninja.ninja), catch_all=False)
        ninja.integration_id = row.id
        for one in ninja.lab.fleet.organizations.values():
            session.add(
                OrganizationMapping(
                    tenant_id="t1",
                    id=new_id(),
                    integration_id=row.id,
                    external_id=str(one.id),
                    name=one.name,
                    client_id=clients[one.name],
                )
            )


def _alone(ninja: Ninja) -> Connection:
    """An API application alone."""
    return Connection(
        tenant_id="t1",
        integration_id="",
        provider="ninjaone",
        instance_url=ninja.url,
        auth_mode="client_credentials",
        secrets={"client_secret": ninja.client_secret},
        settings={"client_id": ninja.client_id},
    )


def test_a_machine_of_both_vendors_is_one_asset(both: tuple[Fleet, NinjaFleet]) -> None:
    tactical, ninja = both
    tactical.sync()
    ninja.sync()
    serials = [one.serial for one in twins()]
    rows = ninja.rows(SHARED, serials=serials)
    assert len(rows) == len(serials) == 20
    assert {row["vendors"] for row in rows} == {2}


def test_one_machine_of_two_vendors_is_one_asset(
    start: Callable[..., Fleet], start_ninja: Callable[..., NinjaFleet]
) -> None:
    """The device seen last fills the asset, whichever vendor tells it; the panel has both."""
    tactical = start(agents=20)
    fleet = start_ninja(devices=40, joins=True)
    agent = next(
        one for one in tactical.agents_of(2) if tactical.lab.status(one) == "online" and one.hardware
    )
    assert agent.hardware is not None
    twin = fleet.devices_of(2, node_class="WINDOWS_WORKSTATION", offline=False, approval="APPROVED")[0]
    agent.hardware.serial = twin.hardware.serial = "SAME-1"
    twin.last_contact = fleet.lab.now() - 7200
    tactical.sync(full=True)
    assert fleet.sync(full=True)["adopted"] >= 1
    asset = fleet.device(twin)["asset_id"]
    assert asset == tactical.device(agent)["asset_id"]
    assert fleet.asset(twin)["rmm_provider"] == "tacticalrmm"
    twin.last_contact = fleet.lab.now() + 3600
    twin.display_name = "Seen last"
    fleet.sync()
    filled = fleet.asset(twin)
    assert (filled["rmm_provider"], filled["name"]) == ("ninjaone", "Seen last")
    assert tactical.sync()["unchanged"] >= 19
    assert fleet.asset(twin)["name"] == "Seen last"
    with unit(fleet.rmm) as session:
        panel = devices_of_assets(session, "t1", [asset])
    assert sorted(row.provider for row in panel) == ["ninjaone", "tacticalrmm"]
