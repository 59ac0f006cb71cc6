"""The health of a connection, line by line, and its sync settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from rmm_extension.models import Integration, WebhookDelivery, utc_now
from rmm_extension.services.unit import unit
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said

THEN = utc_now() - timedelta(hours=3, minutes=5)


def change(world: World, connection: UUID, **values: Any) -> None:
    with world.app.app_context(), unit(world.rmm) as session:
        session.execute(update(Integration).where(Integration.id == connection).values(**values))


def page(world: World, connection: UUID, role: str = "admin") -> str:
    answer = world.client(role).get(f"/rmm/connections/{connection}/health")
    assert answer.status_code == 200
    # A tag before a full stop reads as a space.
    return said(answer).replace(" .", ".").replace(" ,", ",")


def acme(world: World) -> UUID:
    """A connection to a vendor that lists alerts and sends webhooks."""
    return world.connect()


def well(world: World, connection: UUID) -> None:
    now = utc_now()
    change(
        world,
        connection,
        webhook_enabled=True,
        last_reconciled_at=now - timedelta(minutes=2),
        next_reconcile_at=now + timedelta(minutes=13),
    )
    alert = world.alerts(connection)[0]
    world.history(alert, connection, [{"code": "no_window"}])


def test_a_connection_that_is_well_says_so(world: World) -> None:
    connection = acme(world)
    well(world, connection)
    shown = page(world, connection, "technician")
    for words in (
        "Good Sign-in The credentials are accepted",
        "Good Acme RMM It answers.",
        "Good Webhook The last delivery arrived just now.",
        "Good Lost webhooks None noticed in 7 days.",
        "Good Deliveries None waits or was put aside.",
        "Good Polling The last complete list arrived 2 min ago, the next is due in",
        "Good Mapping Every organization has a client.",
        "Good Rules 1 rule is active.",
        "Good Requests The vendor limited none in 7 days.",
        "No run failed in the last 7 days.",
    ):
        assert words in shown, (words, shown)
    assert "Trouble" not in shown
    assert "Look at it" not in shown


@pytest.mark.parametrize(
    "values, words",
    [
        ({"state": "needs_reauth"}, "Trouble Sign-in The vendor refuses the credentials"),
        ({"state": "not_connected"}, "Off Sign-in There are no credentials"),
        ({"state": "paused"}, "Off Acme RMM Paused: nothing is polled or synced"),
        (
            {"state": "error", "last_error": "<b>It</b> does not answer.", "last_error_at": THEN},
            "Trouble Acme RMM The last talk failed: <b>It</b> does not answer 3 h ago.",
        ),
        ({"webhook_enabled": False}, "Off Webhook Off: alerts come by polling alone"),
        ({"settings": {"alertPolling": {"enabled": False}}}, "Off Polling Switched off"),
        (
            {"state": "not_connected"},
            "Off Polling No list is asked for; the last complete one arrived 2 min ago.",
        ),
        ({"state": "needs_reauth", "last_reconciled_at": None}, "Off Polling No list is asked for."),
        (
            {"next_reconcile_at": utc_now() - timedelta(seconds=9)},
            "Good Polling The last complete list arrived 2 min ago, the next is due now.",
        ),
        ({"last_reconciled_at": None}, "Look at it Polling No complete list of alerts has arrived yet."),
        (
            {"last_reconciled_at": utc_now() - timedelta(hours=2)},
            "Look at it Polling The last complete list arrived 2 h ago",
        ),
        (
            {
                "reconcile_state": {
                    "since": THEN.isoformat(),
                    "suspects": ["x"] * 30,
                    "open": 40,
                    "mass": True,
                }
            },
            "Look at it Doubtful list 30 of 40 open alerts were missing in the vendor's list 3 h ago.",
        ),
    ],
)
def test_what_is_not_well_says_what_to_do(world: World, values: dict[str, Any], words: str) -> None:
    connection = acme(world)
    well(world, connection)
    change(world, connection, **values)
    assert words in page(world, connection)


def test_what_was_lost_and_what_waits_is_counted(world: World) -> None:
    connection = acme(world)
    change(world, connection, webhook_enabled=True)
    other = world.connect("Other")
    world.alerts(connection, 2, webhook_lost=True)
    world.alerts(other, 1, webhook_lost=True)
    world.alerts(connection, 1, webhook_lost=True, triggered_at=utc_now() - timedelta(days=8))
    world.alerts(connection, 1, attention="no_client")
    world.alerts(connection, 1, attention="no_client", status="resolved")
    world.organizations(connection, ["Alpha", "Beta"])
    delivery = {
        "integration_id": connection,
        "provider": "acme",
        "received_at": utc_now() - timedelta(hours=1),
        "body": b"{}",
        "reason": "no luck",
    }
    world.insert(WebhookDelivery, [{**delivery, "state": "failed"}, {**delivery, "state": "quarantined"}])
    shown = page(world, connection)
    assert "Look at it Lost webhooks 2 alerts were found by polling in 7 days" in shown
    assert "Trouble Mapping 2 of 2 organizations have no client, and 1 alert waits for one." in shown
    assert "1 tried again by itself and 1 put aside as unreadable." in shown
    linked = f"/rmm/deliveries?connection={connection}&amp;outcome=stored"
    assert linked in world.client().get(f"/rmm/connections/{connection}/health").text
    assert "The last delivery arrived 1 h ago." in shown
    answer = world.client().get(f"/rmm/connections/{connection}/health")
    assert f"/rmm/alerts?connection={connection}&amp;lost=1&amp;time=7d" in answer.text
    listed = said(world.client().get(f"/rmm/alerts?connection={connection}&lost=1&time=7d"))
    assert "Disk 0 is full" in listed


def test_a_vendor_that_asks_for_patience_is_seen(world: World) -> None:
    connection = acme(world)
    assert "The vendor limited none in 7 days" in page(world, connection)
    world.run(connection, status="succeeded", counts={"throttled": 1}, queued_at=utc_now())
    assert "Good Requests The vendor asked for patience in a run that was queued just now." in page(
        world, connection
    )
    later = utc_now() + timedelta(minutes=5, seconds=30)
    world.run(connection, status="queued", error_kind="rate_limited", error="Later.", due_at=later)
    shown = page(world, connection)
    assert "Look at it Requests The vendor asked for patience; the next try is due in 5 min." in shown
    assert "Later." in shown


def test_latest_problems_are_listed(world: World) -> None:
    connection = acme(world)
    world.run(connection, status="failed", error="The disk <of> theirs is full.", queued_at=utc_now())
    world.run(connection, status="failed", error="Long ago.", queued_at=utc_now() - timedelta(days=9))
    shown = page(world, connection)
    assert "The disk <of> theirs is full." in shown
    assert "Long ago." not in shown


def test_a_sync_that_failed_last_is_a_line_of_its_own(world: World) -> None:
    connection = acme(world)

    def ran(kind: str, minutes: int, **values: Any) -> None:
        at = utc_now() - timedelta(minutes=minutes)
        key = f"{kind}:{connection}"
        world.run(connection, kind=kind, exclusive_key=key, queued_at=at, finished_at=at, **values)

    ran("activity_sync", 60, status="failed", error="The log of <then>.")
    ran("activity_sync", 30, status="failed", error="The log may not be read.")
    ran("activity_sync", 45, status="succeeded")
    ran("patch_sync", 30, status="failed", error="The patches may not be read.")
    ran("patch_sync", 15, status="succeeded")
    ran("device_refresh", 15, status="failed", error="No such device.")
    shown = page(world, connection)
    line = "Look at it Activity log The last one failed: The log may not be read 30 min ago."
    assert line in shown
    assert shown.count("The last one failed") == 1


def test_the_page_costs_the_same_however_much_there_is(world: World) -> None:
    connection = acme(world)
    client = world.client()
    address = f"/rmm/connections/{connection}/health"
    client.get(address)
    with StatementCounter() as few:
        client.get(address)
    world.alerts(connection, 30, webhook_lost=True)
    world.organizations(connection, [f"Org {at}" for at in range(30)])
    for at in range(10):
        world.run(connection, status="failed", error=f"Problem {at}", queued_at=utc_now())
    with StatementCounter() as many:
        client.get(address)
    assert few.count == many.count <= 12, many


def test_others_of_the_tenant_only(world: World) -> None:
    connection = acme(world)
    assert world.client(tenant="two").get(f"/rmm/connections/{connection}/health").status_code == 404


def settings_of(world: World, connection: UUID) -> dict[str, Any]:
    with world.app.app_context(), unit(world.rmm) as session:
        row = session.get(Integration, ("one", connection))
        assert row is not None
        return {**row.settings, "_next": row.next_reconcile_at}


@pytest.mark.parametrize(
    "minutes, status", [("4", 422), ("61", 422), ("soon", 422), ("", 422), ("5", 303), ("60", 303)]
)
def test_the_poll_interval(world: World, minutes: str, status: int) -> None:
    connection = acme(world)
    change(world, connection, next_reconcile_at=utc_now(), settings={"deviceSync": {"enabled": True}, "x": 1})
    data = {"polling": "y", "every": minutes}
    answer = world.client().post(f"/rmm/connections/{connection}/polling", data=data)
    assert answer.status_code == status
    stored = settings_of(world, connection)
    assert stored["deviceSync"] == {"enabled": True}
    if status == 303:
        assert stored["alertPolling"] == {"enabled": True, "intervalMinutes": int(minutes)}
        assert stored["_next"] is None
    else:
        assert "alertPolling" not in stored
        if minutes not in ("soon",):
            assert "Poll interval must be between 5 and 60 minutes" in said(answer)


def test_polling_is_on_until_it_is_switched_off(world: World) -> None:
    connection = acme(world)
    address = f"/rmm/connections/{connection}/sync"
    first = world.client().get(address).text
    assert 'id="polling"' in first
    assert 'value="15"' in first
    client = world.client()
    client.post(f"/rmm/connections/{connection}/polling", data={"every": "30"})
    assert settings_of(world, connection)["alertPolling"] == {"enabled": False, "intervalMinutes": 30}
    assert "A webhook that gets lost will not be noticed." in said(client.get(address))


def test_links_lead_only_where_one_may_go(world: World) -> None:
    connection = acme(world)
    for role, shown in (("admin", True), ("technician", False)):
        text = world.client(role).get(f"/rmm/connections/{connection}/health").text
        assert (f"/rmm/connections/{connection}/webhook" in text) is shown


def test_who_may_change_and_who_may_sync(world: World) -> None:
    connection = acme(world)
    address = f"/rmm/connections/{connection}"
    assert world.client("technician").get(f"{address}/sync").status_code == 403
    assert world.client("technician").post(f"{address}/polling", data={"every": "5"}).status_code == 403
    assert world.client("read_only").post(f"{address}/sync", data={"what": "alerts"}).status_code == 403
    answer = world.client().post(f"{address}/sync", data={"what": "alerts"})
    assert answer.status_code == 303
    assert "Alert sync" in said(world.client().get(answer.location))
    again = world.client().post(f"{address}/sync", data={"what": "alerts"})
    assert again.location == answer.location, "the one that is under way"


def test_a_vendor_that_lists_nothing_has_nothing_to_poll(world: World) -> None:
    connection = world.connect(provider="single")
    shown = said(world.client().get(f"/rmm/connections/{connection}/sync"))
    assert "Poll alerts" not in shown
    assert "Polling" not in page(world, connection)
