"""Tickets get the asset of a device that became known after them."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from reference_psa.adapters.assets import SqlAssets
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host import Actor, AssetChange
from rmm_extension.services import alert_acts, manual, relay
from rmm_extension.services.inventory import alerts
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import AGENT, World
from tests.services.ingest.meanwhile import once_before


def asset(world: World, device: str, client_id: str | None = None) -> str:
    """An asset of the host, of the world's client unless it says otherwise."""
    change = AssetChange(
        asset_id=None,
        client_id=client_id or world.client_id,
        name=f"PC {device}",
        asset_type="server",
        serial=f"SN-{device}",
        location=None,
        rmm_provider="tacticalrmm",
        rmm_device_id=device,
        rmm_organization_id="1",
        agent_status="online",
        last_seen_at=None,
    )
    with world.unit() as session:
        return SqlAssets().apply(session, world.tenant, [change])[0].asset_id


def ticket(world: World, alert_id: int = 524, agent: str = AGENT) -> str:
    """The ticket of an alert whose device is not known."""
    assert world.post(world.body(alert_id, agent_id=agent, check_id=str(alert_id))).status_code == 200
    found = world.alert(alert_id)["ticket_id"]
    assert isinstance(found, str)
    assert linked(world, found) == []
    return found


def linked(world: World, ticket_id: str) -> list[str]:
    rows = world.rows("SELECT asset_id FROM ticket_assets WHERE ticket_id = :id", id=ticket_id)
    return [row["asset_id"] for row in rows]


def choose(world: World, ticket_id: str, asset_id: str) -> None:
    """A person links an asset."""
    world.do(
        "INSERT INTO ticket_assets (tenant_id, ticket_id, asset_id) VALUES (:tenant, :ticket, :asset)",
        tenant=world.tenant,
        ticket=ticket_id,
        asset=asset_id,
    )


def become_known(world: World, device: str, asset_id: str | None) -> None:
    """The device is written, and alerts get theirs, as at the end of a sync."""
    world.device(device, asset_id=asset_id)
    with world.unit() as session:
        alerts.link(session, world.tenant, world.integration_id)


def deliver(world: World) -> int:
    """Hand on what waits for tickets; how many rows."""
    with world.app.app_context():
        mine = [message for message in relay.claim(world.rmm, 500) if message.topic == alerts.TOPIC]
        assert all(relay.deliver(world.rmm, message) for message in mine)
        return len(mine)


def test_the_ticket_gets_the_asset_when_the_device_becomes_known(world: World) -> None:
    made, mine = ticket(world), asset(world, AGENT)
    become_known(world, AGENT, mine)
    assert world.alert()["asset_id"] == mine
    assert deliver(world) == 1
    assert linked(world, made) == [mine]
    with world.unit() as session:
        assert alerts.link(session, world.tenant, world.integration_id) == 0
    assert deliver(world) == 0


def test_the_ticket_gets_the_asset_that_its_device_becomes_later(world: World) -> None:
    device, made = world.device(AGENT, asset_id=None), ticket(world)
    mine = asset(world, AGENT)
    with world.unit() as session:
        assert alerts.link(session, world.tenant, world.integration_id) == 0
    world.do("UPDATE rmm_devices SET asset_id = :asset WHERE id = :id", asset=mine, id=device)
    with world.unit() as session:
        assert alerts.link(session, world.tenant, world.integration_id) == 1
    assert (world.alert()["device_id"], world.alert()["asset_id"]) == (device, mine)
    assert deliver(world) == 1
    assert linked(world, made) == [mine]


def test_a_ticket_made_by_hand_while_the_device_becomes_known_gets_it_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    world.post()
    mine = asset(world, AGENT)
    once_before(monkeypatch, alert_acts, "claim_condition", lambda: become_known(world, AGENT, mine))
    mara = Actor(id="mara", name="Mara Lindholm", tenant_id=world.tenant)
    with world.app.app_context():
        done = manual.create_tickets(world.rmm, mara, [world.alert()["id"]])
    assert [linked(world, one.id) for one in done.tickets] == [[]]
    with world.unit() as session:
        alerts.link(session, world.tenant, world.integration_id)
    deliver(world)
    assert world.alert()["asset_id"] == mine
    assert [linked(world, one.id) for one in done.tickets] == [[mine]]


@pytest.mark.parametrize("chosen_first", [True, False])
def test_what_a_person_chose_stays(world: World, chosen_first: bool) -> None:
    made, mine, chosen = ticket(world), asset(world, AGENT), asset(world, "other")
    if chosen_first:
        choose(world, made, chosen)
    become_known(world, AGENT, mine)
    if not chosen_first:
        choose(world, made, chosen)
    deliver(world)
    assert linked(world, made) == [chosen]


@pytest.mark.parametrize("why", ["closed", "another client's", "no asset", "gone"])
def test_other_tickets_stay_as_they_are(world: World, why: str) -> None:
    made = ticket(world)
    strangers = world.one(
        "SELECT id FROM clients WHERE tenant_id = :t AND id <> :c LIMIT 1", t=world.tenant, c=world.client_id
    )
    if why == "closed":
        world.do("UPDATE tickets SET closed_at = now() WHERE id = :id", id=made)
    if why == "gone":
        world.do("UPDATE rmm_alerts SET ticket_id = 'gone'")
    mine = asset(world, AGENT, strangers if why == "another client's" else None)
    become_known(world, AGENT, None if why == "no asset" else mine)
    assert deliver(world) == (0 if why == "no asset" else 1)
    assert linked(world, made) == []


def test_a_sync_waits_for_no_ticket(world: World) -> None:
    """Whoever decides on an alert holds its ticket and then waits for the alert."""
    made, mine = ticket(world), asset(world, AGENT)
    with world.app.app_context(), world.rmm.db.engine.connect() as elsewhere:
        elsewhere.execute(text("SELECT 1 FROM tickets WHERE id = :id FOR UPDATE"), {"id": made})
        become_known(world, AGENT, mine)
        assert world.alert()["asset_id"] == mine
    deliver(world)
    assert linked(world, made) == [mine]


def test_many_cost_no_more_statements_than_one(world: World) -> None:
    counts = []
    for number, start in ((1, 1000), (40, 2000)):
        agents = [f"agent-{start + at}".ljust(40, "x") for at in range(number)]
        made = [ticket(world, start + at, agent) for at, agent in enumerate(agents)]
        assets = [asset(world, agent) for agent in agents]
        for agent, mine in zip(agents, assets, strict=True):
            world.device(agent, asset_id=mine)
        with world.unit() as session, StatementCounter() as sync:
            assert alerts.link(session, world.tenant, world.integration_id) == number
        with StatementCounter() as relayed:
            assert deliver(world) == 1
        assert [linked(world, one) for one in made] == [[mine] for mine in assets]
        counts.append((sync.count, relayed.count))
    assert counts[0] == counts[1]
    assert counts[0][0] == 2


def test_a_host_without_the_port_keeps_its_tickets(world: World) -> None:
    made, mine = ticket(world), asset(world, AGENT)
    object.__setattr__(world.rmm.host, "ticket_assets", None)
    become_known(world, AGENT, mine)
    deliver(world)
    assert linked(world, made) == []


def test_a_refusal_is_not_tried_for_ever(world: World, caplog: pytest.LogCaptureFixture) -> None:
    class Refusing:
        def link(self, session: object, tenant_id: str, links: object) -> None:
            raise HostRejected("Tickets take no assets here.")

    ticket(world)
    object.__setattr__(world.rmm.host, "ticket_assets", Refusing())
    become_known(world, AGENT, asset(world, AGENT))
    deliver(world)
    assert "ticket_assets.refused" in caplog.text
    assert world.one("SELECT count(*) FROM rmm_outbox WHERE topic = 'ticket_assets'") == 0
