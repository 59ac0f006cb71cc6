"""The log of deliveries: one order over both sources, its filters, bodies without secrets, replay."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from reference_psa.db import db
from rmm_extension.models import AlertHistory, JobRun, WebhookDelivery, new_id, utc_now
from rmm_extension.services.kinds import KINDS
from rmm_extension.testing.statements import StatementCounter

from .conftest import World, said
from .test_lists import NEXT, OPEN, PREVIOUS, walk
from .vendor import SECRET

NOW = utc_now()


def taken(world: World, integration_id: UUID, number: int = 1, **more: Any) -> list[UUID]:
    """Lines of history that deliveries made, the first one the newest, a minute apart."""
    (alert,) = world.alerts(integration_id, 1, message="Disk C: is full", device_name="SERVER-07")
    rows = []
    for at in range(number):
        moment = NOW - timedelta(minutes=2 * at)
        row = {"id": new_id(), "alert_id": alert, "integration_id": integration_id, "channel": "webhook"}
        rows.append(row | {"at": moment, "occurred_at": moment, "kind": "triggered", "steps": []} | more)
    for row in rows:
        row.setdefault("outcome", "recorded_only")
    return world.insert(AlertHistory, rows)


def stored(world: World, integration_id: UUID, number: int = 1, **more: Any) -> list[UUID]:
    """Stored deliveries between those of :func:`taken`."""
    row = {"integration_id": integration_id, "provider": "acme", "state": "quarantined", "attempts": 0}
    row |= {"reason": "not_json", "body": b"{broken", "headers": {"user-agent": "acme/1"}, **more}
    rows = [{"received_at": NOW - timedelta(minutes=2 * at + 1), **row} for at in range(number)]
    return world.insert(WebhookDelivery, rows)


def shown(world: World, query: str = "", **who: str) -> list[str]:
    """The ids the log shows, in order."""
    links = OPEN.findall(world.client(**who).get(f"/rmm/deliveries{query}").text)
    return [link.rpartition("/")[2] for link in links]


def test_both_sources_are_one_list_by_time(world: World) -> None:
    connection = world.connect()
    first, second = taken(world, connection, 2), stored(world, connection, 2)
    expected = [first[0], second[0], first[1], second[1]]
    assert shown(world, role="read_only") == [str(id_) for id_ in expected]


def test_pages_hold_each_once_and_lead_back(world: World) -> None:
    connection = world.connect()
    outcomes = ["recorded_only", "ticket_created", "resolved", "suppressed"]
    for outcome in outcomes:
        taken(world, connection, 20, outcome=outcome)  # the same instants: only the id tells them apart
    stored(world, connection, 40)
    browser = world.client()
    forth = walk(browser, "/rmm/deliveries")
    assert [len(page) for page in forth] == [50, 50, 20]
    assert len({link for page in forth for link in page}) == 120
    last = "/rmm/deliveries"
    for _ in range(2):
        last = NEXT.search(browser.get(last).text)[1].replace("&amp;", "&")  # type: ignore[index]
    assert walk(browser, last, PREVIOUS) == list(reversed(forth))


def test_filters(world: World) -> None:
    one, two = world.connect("One"), world.connect("Two")
    (a,) = taken(world, one, outcome="ticket_created", duration_ms=12.4)
    (b,) = taken(world, one, outcome="occurrence_appended")
    (c,) = taken(world, two, outcome="suppressed")
    (d,) = stored(world, one)
    (e,) = stored(world, two, state="failed", reason="RuntimeError", due_at=NOW)
    (old,) = taken(world, two)
    with world.app.app_context():
        db.session.execute(
            update(AlertHistory).where(AlertHistory.id == old).values(at=NOW - timedelta(days=3))
        )
        alert = db.session.get(AlertHistory, ("one", a)).alert_id
        db.session.execute(update(WebhookDelivery).where(WebhookDelivery.id == d).values(alert_id=alert))
        db.session.commit()
    taken(world, one, channel="poll")
    expected: dict[str, set[UUID]] = {
        "": {a, b, c, d, e, old},
        "?outcome=ticket": {a, b},
        "?outcome=ticket_created": {a},
        "?outcome=stored": {d, e},
        "?outcome=failed": {e},
        "?outcome=quarantined": {d},
        "?outcome=processed": set(),
        f"?connection={one}": {a, b, d},
        f"?connection={two}&outcome=suppressed": {c},
        "?time=24h": {a, b, c, d, e},
        f"?alert={alert}": {a, d},
        f"?alert={alert}&outcome=stored": {d},
        "?q=server-07&outcome=suppressed": {c},
        "?q=nothing-like-it": set(),
        "?q=a": {a, b, c, d, e, old},
        "?outcome=nonsense&connection=nonsense&after=nonsense": {a, b, c, d, e, old},
    }
    for query, ids in expected.items():
        assert set(shown(world, query)) == {str(id_) for id_ in ids}, query
    assert "at least three characters" in said(world.client().get("/rmm/deliveries?q=a"))


def test_a_row_tells_what_became_of_it(world: World) -> None:
    connection = world.connect("Headquarters")
    taken(world, connection, outcome="ticket_created", duration_ms=12.4)
    stored(world, connection)
    due = NOW + timedelta(hours=2)
    stored(world, connection, state="failed", reason="RuntimeError", attempts=2, due_at=due)
    page = said(world.client().get("/rmm/deliveries"))
    for words in (
        "Ticket created Disk C: is full",
        "Acme RMM · Headquarters",
        "12 ms",
        "Put aside The body is not JSON.",
        "Failed Something unexpected went wrong here (RuntimeError); the log has the details.",
        "2 tries since.",
        "A repetition that changed nothing leaves no line.",
        "kept for 365 days",
    ):
        assert words in page


def test_an_empty_log_says_what_to_do(world: World) -> None:
    assert "No deliveries yet" in said(world.client().get("/rmm/deliveries"))
    assert "No delivery matches" in said(world.client().get("/rmm/deliveries?outcome=failed"))


def test_tenants_never_meet(world: World) -> None:
    connection = world.connect()
    (event,), (delivery,) = taken(world, connection), stored(world, connection)
    assert shown(world, tenant="two") == []
    assert shown(world, f"?connection={connection}", tenant="two") == []
    stranger = world.client(tenant="two")
    assert stranger.get(f"/rmm/deliveries/{delivery}").status_code == 404
    assert stranger.get(f"/rmm/deliveries/taken/{event}").status_code == 404
    assert stranger.post(f"/rmm/deliveries/{delivery}/replay").status_code in (303, 404)
    stranger.post("/rmm/deliveries/replay", data={"connection": str(connection)})
    assert runs(world) == []


def test_statements_do_not_grow_with_rows(world: World) -> None:
    connection = world.connect()
    browser, counted = world.client(), []
    for more in (3, 30):
        taken(world, connection, more, outcome="ticket_created")
        stored(world, connection, more)
        browser.get(f"/rmm/deliveries?connection={connection}")
        with StatementCounter() as sent:
            assert browser.get(f"/rmm/deliveries?connection={connection}").status_code == 200
        counted.append(sent.count)
        assert (sent.commits, sent.rollbacks) == (1, 0)
    assert counted[0] == counted[1], sent
    assert counted[0] <= 12


def test_a_stored_one_shows_body_headers_and_why_without_secrets(world: World) -> None:
    connection = world.connect()
    body = json.dumps({"api_key": "k-123456", "note": f"key {SECRET}", "html": "<script>alert(1)</script>"})
    (delivery,) = stored(world, connection, body=body.encode(), reason="wrong_shape", attempts=1)
    answer = world.client(role="read_only").get(f"/rmm/deliveries/{delivery}")
    page = said(answer)
    assert "The body is JSON of another shape than expected." in page
    assert "user-agent acme/1" in page
    assert "k-123456" not in answer.text
    assert SECRET not in answer.text
    assert "<script>alert" not in answer.text
    assert '"html": "<script>alert(1)</script>"' in page
    assert "Replay" not in re.sub("Replayed", "", page), "a reader may not replay"
    assert world.client(role="read_only").post(f"/rmm/deliveries/{delivery}/replay").status_code == 403


def test_a_taken_one_shows_what_it_did_and_the_alerts_body(world: World) -> None:
    connection = world.connect()
    (event,) = taken(world, connection, outcome="suppressed", steps=[{"code": "no_rule"}], duration_ms=3.21)
    page = said(world.client().get(f"/rmm/deliveries/taken/{event}"))
    for words in ("Suppressed", "No rule matched", "SERVER-07", "3.2 ms", "The body is empty."):
        assert words in page
    (polled,) = taken(world, connection, channel="poll")
    assert world.client().get(f"/rmm/deliveries/taken/{polled}").status_code == 404
    assert world.client().get(f"/rmm/deliveries/{new_id()}").status_code == 404


def test_a_delivery_whose_alert_is_gone_has_a_page(world: World) -> None:
    connection = world.connect()
    row = {"alert_id": new_id(), "integration_id": connection, "channel": "webhook", "at": NOW}
    row |= {"occurred_at": NOW, "kind": "triggered", "outcome": "resolved", "steps": []}
    (event,) = world.insert(AlertHistory, [row])
    (delivery,) = stored(world, connection, state="processed", alert_id=new_id(), processed_at=NOW)
    assert "no longer kept" in said(world.client().get(f"/rmm/deliveries/taken/{event}"))
    assert "No longer kept" in said(world.client().get(f"/rmm/deliveries/{delivery}"))
    assert len(shown(world)) == 2


def runs(world: World) -> list[tuple[str, str | None]]:
    with world.app.app_context():
        kinds = [name for name in KINDS if name.startswith("delivery")]
        found = db.session.execute(
            select(JobRun.kind, JobRun.actor_name).where(JobRun.kind.in_(kinds)).order_by(JobRun.id)
        )
        return [tuple(row) for row in found]


@pytest.mark.parametrize("role", ["admin", "dispatcher", "technician"])
def test_whoever_works_on_alerts_replays(world: World, role: str) -> None:
    connection = world.connect()
    (delivery,) = stored(world, connection)
    browser = world.client(role)
    assert "Replay" in said(browser.get(f"/rmm/deliveries/{delivery}"))
    answer = browser.post(f"/rmm/deliveries/{delivery}/replay")
    assert (answer.status_code, answer.location) == (303, f"/rmm/deliveries/{delivery}")
    assert runs(world) == [("delivery_retry", f"{role} of one")]
    page = said(browser.get(f"/rmm/deliveries/{delivery}"))
    assert "Waiting for a worker." in page
    again = browser.post(f"/rmm/deliveries/{delivery}/replay", follow_redirects=True)
    assert "is waiting for a worker" in said(again), "two at once are refused in words"
    assert len(runs(world)) == 1


def test_all_of_a_connection_are_replayed_at_once(world: World) -> None:
    connection = world.connect()
    stored(world, connection, 3)
    stored(world, connection, 2, state="failed", due_at=NOW)
    stored(world, connection, 4, state="processed")
    browser = world.client("technician")
    assert "Replay" not in said(browser.get("/rmm/deliveries")).replace("Replayed", "")
    assert "Replay all 5 stored ones" in said(browser.get(f"/rmm/deliveries?connection={connection}"))
    one = f"/rmm/deliveries?connection={connection}&outcome=quarantined"
    assert "Replay all 3 stored ones" in said(browser.get(one))
    data = {"connection": str(connection), "outcome": "quarantined"}
    answer = browser.post("/rmm/deliveries/replay", data=data, follow_redirects=True)
    page = said(answer)
    assert "3 deliveries are replayed, the oldest first." in page
    assert "Waiting for a worker." in page
    assert runs(world) == [("delivery_replay", "technician of one")]


def test_nothing_to_replay_is_said(world: World) -> None:
    connection = world.connect()
    data = {"connection": str(connection)}
    answer = world.client().post("/rmm/deliveries/replay", data=data, follow_redirects=True)
    assert "There is nothing to replay" in said(answer)
    assert world.client().post("/rmm/deliveries/replay", data={"connection": "x"}).status_code == 404


def test_an_alert_of_the_log_can_be_asked_for_by_anybody_who_may_see(world: World) -> None:
    world.connect()
    assert world.client("read_only").get("/rmm/deliveries").status_code == 200
    assert "Deliveries" in said(world.client("read_only").get("/rmm/"))


def test_a_connections_webhook_page_shows_the_last_few(world: World) -> None:
    connection, other = world.connect("One"), world.connect("Two")
    browser = world.client()
    browser.post(f"/rmm/connections/{connection}/webhook/on")
    assert "None yet." in said(browser.get(f"/rmm/connections/{connection}/webhook"))
    taken(world, connection, 4)
    stored(world, connection, 4)
    taken(world, other, 3)
    answer = browser.get(f"/rmm/connections/{connection}/webhook")
    assert len(OPEN.findall(answer.text)) == 5
    assert f'href="/rmm/deliveries?connection={connection}"' in answer.text


def test_what_is_kept_how_long_is_told_where_jobs_are(world: World) -> None:
    page = said(world.client().get("/rmm/jobs"))
    assert "Deliveries put aside, or failed for good 90 days since they arrived" in page
    assert "Audit 2,555 days" in page
    assert "the first one when the scheduler is started" in page
    world.run(None, kind="retention", status="succeeded")
    assert "the last one just now" in said(world.client().get("/rmm/jobs"))
