"""Two tenants with the same ids never meet: what one reads and writes is its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionRefused
from rmm_extension.host import Actor
from rmm_extension.models import ActionInvocation, Base, JobRun, ScriptRow, utc_now
from rmm_extension.services import actions, remote_access
from rmm_extension.services.inventory import UnknownDevice
from rmm_extension.services.inventory.ageing import age_statuses
from rmm_extension.services.queries import actions as action_queries
from rmm_extension.services.queries import (
    device_activity,
    device_filter,
    device_software,
    devices,
    fleet,
    installs,
    software,
    targets,
)
from rmm_extension.services.queries.actions import ActionFilter
from rmm_extension.services.software import start_refresh
from rmm_extension.services.unit import unit
from tests.harness.programs import Program, install, product_id
from tests.harness.twin import TWIN, make_twin, rows_of
from tests.harness.world import World
from tests.services.inventory.conftest import World as Fleet
from tests.services.inventory.conftest import device as told
from tests.services.inventory.conftest import world as fleet_world  # noqa: F401 - a fixture
from tests.services.inventory.test_ageing import look_was_earlier, silent
from tests.services.patches.conftest import Scene as PatchScene
from tests.services.patches.conftest import patch
from tests.services.software.conftest import Scene, item

Read = Callable[[Session, str, dict[str, Any]], Any]


@pytest.fixture
def known(world: World) -> dict[str, Any]:
    """Something of everything, and its ids."""
    device = world.device(asset_id="a1", facts={"agent_version": "2.9", "needs_reboot": True})
    world.post()
    place = {"tenant_id": world.tenant, "integration_id": world.integration_id}
    who = {"actor_id": "u1", "actor_name": "Mara"}
    action = ActionInvocation(**place, **who, device_id=device, ticket_id="T", action="x.y", state="failed")
    run = JobRun(
        **place,
        **who,
        kind="script_list",
        queue="q",
        status="succeeded",
        exclusive_key=f"script_list:{world.integration_id}",
        finished_at=utc_now(),
    )
    words = dict.fromkeys(("description", "category", "shell"), "")
    script = ScriptRow(**place, external_id="7", name="Clean", **words, run_as_user=False, favorite=False)
    with world.unit() as session:
        session.add_all([action, run, script])
        session.flush()
        install(
            session, world.tenant, device, [Program("Tool", "1.2"), Program("Tool", "1.1", gone=utc_now())]
        )
        ids = {"device": device, "action": action.id, "connection": world.integration_id}
    return {**ids, "product": product_id(world.tenant, "Tool"), "ticket": world.tickets()[0]["id"]}


READS: dict[str, Read] = {
    "devices": lambda s, t, _: devices.device_page(s, t, device_filter.DeviceFilter()),
    "devices by text": lambda s, t, _: devices.device_page(s, t, device_filter.DeviceFilter(text="server")),
    "devices by vendor": lambda s, t, _: devices.device_page(
        s, t, device_filter.DeviceFilter(provider="tacticalrmm")
    ),
    "devices with alerts": lambda s, t, _: devices.device_page(s, t, device_filter.DeviceFilter(alerts=True)),
    "number of devices": lambda s, t, _: devices.device_count(s, t, device_filter.DeviceFilter()),
    "device": lambda s, t, k: devices.device_detail(s, t, k["device"]),
    "devices of an asset": lambda s, t, _: devices.devices_of_assets(s, t, ["a1"]),
    "alerts of a device": lambda s, t, k: devices.alerts_of_devices(s, t, [k["device"]]),
    "devices that are gone": lambda s, t, k: devices.gone_by_organization(s, t, k["connection"]),
    "activity": lambda s, t, k: device_activity.activity(s, t, [_device(s, t, k)]),
    "fleet": lambda s, t, _: fleet.fleet(s, t),
    "catalog": lambda s, t, _: software.catalog_page(s, t, software.CatalogFilter()),
    "catalog of a connection": lambda s, t, k: software.catalog_page(
        s, t, software.CatalogFilter(whose=software.Whose(integration_id=k["connection"]))
    ),
    "product": lambda s, t, k: software.product(s, t, k["product"], software.Whose()),
    "products by name": lambda s, t, _: installs.products_named(s, t, "tool"),
    "installs": lambda s, t, k: installs.install_page(
        s, t, installs.InstallFilter(software_ids=[k["product"]])
    ),
    "software": lambda s, t, k: device_software.software_of_devices(
        s, t, device_software.SoftwareFilter(device_ids=[k["device"]])
    ),
    "removed software": lambda s, t, k: device_software.software_of_devices(
        s, t, device_software.SoftwareFilter(device_ids=[k["device"]], removed=True)
    ),
    "known software": lambda s, t, k: device_software.known_of(s, t, [k["device"]]),
    "changes of software": lambda s, t, k: device_software.newest_changes(s, t, [k["device"]], 5),
    "action": lambda s, t, k: action_queries.invocation(s, t, k["action"]),
    "actions": lambda s, t, _: action_queries.list_page(s, t),
    "actions of a device": lambda s, t, k: action_queries.newest(s, t, ActionFilter(device_id=k["device"])),
    "actions of a ticket": lambda s, t, _: action_queries.newest(s, t, ActionFilter(ticket_id="T")),
    "scripts": lambda s, t, k: action_queries.scripts(s, t, k["connection"]),
    "script": lambda s, t, k: action_queries.script(s, t, k["connection"], "7"),
    "names of scripts": lambda s, t, k: action_queries.script_names(s, t, [(k["connection"], "7")]),
    "scripts listed at": lambda s, t, k: action_queries.scripts_listed_at(s, t, k["connection"]),
    "scripts due": lambda s, t, k: actions.scripts_due(s, t, k["connection"]),
    "targets": lambda s, t, k: targets.targets(s, t, [k["device"]]),
    "all on a ticket": lambda s, t, k: targets.all_on_ticket(s, t, k["ticket"], [k["device"]]),
}


def technician(world: World) -> Actor:
    """Somebody of the tenant who may act on devices."""
    statement = "SELECT id, name FROM users WHERE tenant_id = :t AND role = 'technician' LIMIT 1"
    (row,) = world.rows(statement, t=world.tenant)
    return Actor(id=row["id"], name=row["name"], tenant_id=world.tenant)


def _device(session: Session, tenant_id: str, known: dict[str, Any]) -> Any:
    found = devices.device_detail(session, tenant_id, known["device"])
    assert found is not None
    return found.device


def _plain(value: Any) -> Any:
    """A value that can be compared, its rows by all their columns."""
    if isinstance(value, Base):
        return {column.name: getattr(value, column.name) for column in value.__table__.columns}
    if isinstance(value, Row):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def test_what_a_tenant_reads_is_its_own(world: World, known: dict[str, Any]) -> None:
    def answers() -> dict[str, Any]:
        with world.unit() as session:
            return {name: _plain(read(session, world.tenant, known)) for name, read in READS.items()}

    before = answers()
    assert [name for name, answer in before.items() if not answer] == ["devices that are gone", "scripts due"]
    with world.unit() as session:
        make_twin(session, world.tenant)
        install(session, TWIN, known["device"], [Program("Not ours", "1.0", since=utc_now())])
        for table in ("rmm_devices", "rmm_integrations", "rmm_software_catalog", "rmm_scripts"):
            session.execute(text(f"UPDATE {table} SET name = 'Not ours' WHERE tenant_id = :t"), {"t": TWIN})
    assert answers() == before
    with world.unit() as session:
        session.execute(text("UPDATE rmm_alerts SET status = 'resolved' WHERE tenant_id <> :t"), {"t": TWIN})
        page = devices.device_page(session, world.tenant, device_filter.DeviceFilter(alerts=True))
    assert page.rows == [], "the alerts of another tenant's device are not ours"


def test_another_tenants_ids_are_nobodys(world: World, known: dict[str, Any]) -> None:
    """A device and an action that only the twin has."""
    with world.unit() as session:
        make_twin(session, world.tenant)
        for table in ("rmm_action_invocations", "rmm_scripts", "rmm_device_software", "rmm_software_lists",
                      "rmm_devices", "rmm_software_catalog"):  # fmt: skip
            session.execute(text(f"DELETE FROM {table} WHERE tenant_id = :t"), {"t": world.tenant})
    one = {"device", "product", "action", "script"}
    with world.unit() as session:
        found = {name: READS[name](session, world.tenant, known) for name in one}
        assert found == dict.fromkeys(one)
        found_devices = remote_access.with_connections(session, world.tenant, [known["device"]])
        assert remote_access.obstacles(world.rmm, session, world.tenant, found_devices) == {}
        with pytest.raises(UnknownDevice):
            start_refresh(world.rmm, session, world.admin, known["device"])
    actor = technician(world)
    with world.app.app_context():
        with pytest.raises(UnknownDevice):
            remote_access.open_remotely(world.rmm, actor, known["device"])
        with pytest.raises(ActionRefused, match="none of the connection's"), unit(world.rmm) as session:
            actions.request(
                world.rmm,
                session,
                actor,
                "tacticalrmm.agents.reboot",
                integration_id=known["connection"],
                device_id=known["device"],
                input={},
            )


def test_a_key_that_another_tenant_used_is_free(world: World, known: dict[str, Any]) -> None:
    """The same wish under the same key, at both."""
    actor = technician(world)

    def ask() -> Any:
        with world.app.app_context(), unit(world.rmm) as session:
            return actions.request(
                world.rmm,
                session,
                actor,
                "tacticalrmm.agents.ping",
                integration_id=known["connection"],
                device_id=known["device"],
                input={},
                idempotency_key="once",
            )

    first = ask()
    with world.unit() as session:
        make_twin(session, world.tenant)
        session.execute(text("DELETE FROM rmm_action_invocations WHERE tenant_id <> :t"), {"t": TWIN})
    second = ask()
    assert second != first
    assert ask() == second


def test_what_a_tenant_writes_is_its_own(fleet_world: Fleet) -> None:  # noqa: F811 - the fixture
    world, scene, patches = fleet_world, Scene(fleet_world), PatchScene(fleet_world)
    world.tenants.active = [world.tenant]
    world.map()
    with unit(world.rmm) as session:
        session.execute(
            text("""UPDATE rmm_integrations SET settings = '{"deletionPolicy": "mark_inactive"}'""")
        )
    world.script.devices = [silent("d0", 31), *(told(f"d{number}") for number in range(1, 8))]
    world.sync()
    for name in ("d0", "d1", "d2"):
        scene.tell(name, item("Zip"), item("Browser"))
        patches.tell(name, patch("Update"), patch("Other"))
    scene.sync()
    patches.sync()
    look_was_earlier(world)
    with unit(world.rmm) as session:
        make_twin(session, world.tenant)
        before = rows_of(session, TWIN)
    assert len(before["rmm_device_software"]) == len(before["rmm_device_patches"]) == 6

    assert age_statuses(world.rmm) == 1
    world.script.replace("d1", name="Another")
    world.script.drop("d7")
    assert world.sync()["missing"] == 1
    assert world.sync()["removed"] == 1
    scene.tell("d0", item("Zip", "2.0"), item("Browser"))
    scene.tell("d1", item("Browser"))
    scene.tell("d2")
    assert scene.sync()["removed"] == 2
    assert scene.sync()["removed"] == 2
    patches.tell("d0", patch("Update", "installed"), patch("Other"))
    patches.silence("d2")
    assert patches.sync()["doubtful"] == 1
    assert patches.sync()["removed"] == 2
    assert patches.refresh("d1") == {"processed": 1, "unchanged": 1}
    with unit(world.rmm) as session:
        assert rows_of(session, TWIN) == before
