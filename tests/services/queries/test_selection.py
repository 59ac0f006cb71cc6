"""What an action would do with selected alerts, told before it is done."""

from __future__ import annotations

from rmm_extension.services import manual
from rmm_extension.services.queries.selection import TicketPlan, selected, ticket_plan
from rmm_extension.testing.statements import StatementCounter
from tests.harness.world import World


def plan(world: World, *external: int) -> TicketPlan:
    ids = [world.alert(one)["id"] for one in external]
    with world.unit() as session:
        rows = selected(session, world.tenant, ids)
        assert len(rows) == len(ids)
        return ticket_plan(world.rmm, session, world.tenant, rows)


def without_rules(world: World) -> None:
    world.do("UPDATE rmm_alert_rules SET is_active = FALSE")
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")


def test_the_plan_is_what_happens(world: World) -> None:
    world.post(world.body(1, check_id="1"))
    without_rules(world)
    world.post(world.body(2, check_id="1"))  # the condition of the first, which has a ticket
    world.post(world.body(3, check_id="2"))
    world.post(world.body(4, check_id="2"))  # together with the third
    world.post(world.body(5, check_id="3", client_id="9"))  # an organization without a client
    number = f"T-{world.tickets()[0]['number']}"
    found = plan(world, 1, 2, 3, 4, 5)
    assert found == TicketPlan(created=1, together=1, joined={number: 1}, linked=1, unmapped=1)
    ids = [world.alert(one)["id"] for one in (5, 4, 3, 2, 1)]
    with world.app.app_context():
        done = manual.create_tickets(world.rmm, world.admin, ids)
    assert done.done == found.created + found.together + sum(found.joined.values())
    assert len(done.refused) == found.linked + found.unmapped
    assert len(world.tickets()) == 1 + found.created


def test_a_closed_ticket_is_not_joined(world: World) -> None:
    world.post(world.body(1))
    without_rules(world)
    world.post(world.body(2))
    assert plan(world, 2).joined
    world.do("UPDATE tickets SET closed_at = now() WHERE source = 'tacticalrmm'")
    assert plan(world, 2) == TicketPlan(created=1, together=0, joined={}, linked=0, unmapped=0)


def test_it_costs_the_same_for_one_and_for_many(world: World) -> None:
    without_rules(world)
    for number in range(12):
        world.post(world.body(number, check_id=str(number)))
    ids = [row["id"] for row in world.rows("SELECT id FROM rmm_alerts")]
    counts = []
    for chosen in (ids[:1], ids):
        with world.unit() as session, StatementCounter() as sent:
            ticket_plan(world.rmm, session, world.tenant, selected(session, world.tenant, chosen))
        counts.append(sent.count)
    assert counts[0] == counts[1] <= 2


def test_another_tenants_alerts_are_not_there(world: World) -> None:
    world.post(world.body(1))
    alert_id = world.alert(1)["id"]
    with world.unit() as session:
        assert selected(session, "another", [alert_id]) == []
        assert selected(session, world.tenant, []) == []
