"""Who is told of a ticket: the users of the rule, once a ticket, each on their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from reference_psa.adapters import SqlNotifications
from rmm_extension.domain.errors import HostRejected
from rmm_extension.domain.story import sentences
from rmm_extension.domain.types import Channel
from rmm_extension.host import Notice
from rmm_extension.jobs.relay import drain
from rmm_extension.models import MaintenanceWindow, OrganizationMapping, new_id, utc_now
from rmm_extension.services import attention, kinds, manual, notices, relay
from rmm_extension.services.context import Rmm
from rmm_extension.services.ingest import decide_again
from tests.harness.world import World
from tests.services.working import relay_all, work

PUBLIC = "https://psa.example"


def user(world: World, role: str) -> str:
    """The id of the tenant's first user with that role."""
    same = "SELECT id FROM users WHERE tenant_id = :t AND role = :r ORDER BY email LIMIT 1"
    found: str = world.one(same, t=world.tenant, r=role)
    return found


def told(world: World) -> list[str]:
    """Roles of those who were told of alerts, once for each time."""
    rows = world.rows(
        "SELECT u.role FROM notifications n JOIN users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id"
        " WHERE n.subtype = 'RMM Alert Triggered' ORDER BY u.role"
    )
    return [row["role"] for row in rows]


def mailed(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM email_outbox ORDER BY created_at")


def story(world: World, external_id: str = "524") -> list[str]:
    """What the alert's history says of notifications."""
    found = world.rows(
        "SELECT e.steps FROM rmm_alert_events e JOIN rmm_alerts a ON a.tenant_id = e.tenant_id"
        " AND a.id = e.alert_id WHERE a.external_id = :id AND e.kind = 'notification' ORDER BY e.id",
        id=external_id,
    )
    return [line for row in found for line in sentences(row["steps"])]


def notifying(world: World, *roles: str, **actions: Any) -> None:
    """The one rule of the connection tells these people."""
    world.do("DELETE FROM rmm_alert_rules")
    world.add_rule(0, notifyUserIds=[user(world, role) for role in roles], **actions)


@dataclass
class Reluctant(SqlNotifications):
    """Fails for some users, in the way given."""

    errors: dict[str, Exception] = field(default_factory=dict)

    def send(self, session: Session, tenant_id: str, user_ids: Collection[str], notice: Notice) -> None:
        super().send(session, tenant_id, user_ids, notice)
        for user_id in user_ids:
            if user_id in self.errors:
                raise self.errors[user_id]


def drained(world: World, port: SqlNotifications, **settings: Any) -> Rmm:
    """Relay all with this port, as the job does; what failed waits for its next try."""
    host = replace(world.rmm.host, notifications=port)
    rmm = replace(world.rmm, host=host, settings=replace(world.rmm.settings, **settings))
    with world.app.app_context():
        drain(rmm, world.app)
    return rmm


def test_the_rules_users_are_told_in_the_app_and_by_mail(world: World) -> None:
    notifying(world, "technician")
    world.device()
    world.post()
    drained(world, SqlNotifications(), public_url=PUBLIC)
    ticket = world.tickets()[0]
    (line,) = world.rows("SELECT * FROM notifications")
    assert (line["title"], line["level"]) == ("RMM Alert (critical): SERVER-01", "error")
    assert (line["category"], line["link"]) == ("RMM Alerts", f"/tickets/{ticket['id']}")
    (mail,) = mailed(world)
    assert mail["subject"] == "RMM Alert (critical): SERVER-01"
    assert f"{PUBLIC}/tickets/{ticket['id']}" in mail["body"]
    assert f"opened ticket T-{ticket['number']}" in mail["body"]
    name = world.one("SELECT name FROM users WHERE id = :id", id=user(world, "technician"))
    assert story(world) == [f"Notified: {name}."]


@pytest.mark.parametrize("severity, level", [("error", "error"), ("warning", "warning"), ("info", "warning")])
def test_only_a_critical_alert_is_an_error(world: World, severity: str, level: str) -> None:
    notifying(world, "technician")
    world.post(world.body(severity=severity))
    relay_all(world)
    assert world.one("SELECT level FROM notifications") == level


def test_markup_of_the_vendor_stays_text(world: World) -> None:
    notifying(world, "technician")
    world.device(name="<b>PC\n1</b>")
    world.post(world.body(message="<script>alert(1)</script>"))
    relay_all(world)
    (mail,) = mailed(world)
    assert mail["subject"] == "RMM Alert (critical): <b>PC 1</b>"
    assert "<script>" not in mail["html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in mail["html"]


def test_a_text_that_is_on_its_way_is_stood_in_for_by_the_tickets_title(world: World) -> None:
    notifying(world, "technician")
    world.device()
    world.post()
    relay_all(world)
    assert world.one("SELECT body FROM notifications") == world.tickets()[0]["title"]


def test_an_occurrence_on_the_ticket_tells_nobody(world: World) -> None:
    notifying(world, "technician")
    world.post()
    world.post(world.body(525))
    relay_all(world)
    assert len(world.tickets()) == 1
    assert told(world) == ["technician"]


def test_a_reopened_ticket_tells_nobody_again(world: World) -> None:
    notifying(world, "technician", reopenWithinMinutes=10_080)
    later = {"alert_time": "2026-11-21 05:00:00+00:00"}
    for body in (world.body(), world.resolved(), world.body(526, **later)):
        world.post(body)
        relay_all(world)
    assert len(world.tickets()) == 1
    assert told(world) == ["technician"]


def test_a_row_handled_twice_tells_once(world: World) -> None:
    notifying(world, "technician", "admin")
    world.post()
    kept = world.rows("SELECT topic, payload FROM rmm_outbox")
    relay_all(world)
    for row in kept:
        with world.unit() as session:
            kinds.resolve(relay.TOPICS[row["topic"]])(world.rmm, session, world.tenant, row["payload"])
    relay_all(world)
    assert told(world) == ["admin", "technician"]
    assert len(mailed(world)) == 2


def test_a_worker_that_dies_after_sending_tells_once(world: World) -> None:
    notifying(world, "technician")
    world.post()
    with world.app.app_context():
        (message,) = relay.claim(world.rmm)
        relay.deliver(world.rmm, message)
    (payload,) = [r["payload"] for r in world.rows("SELECT * FROM rmm_outbox WHERE topic = 'notify_user'")]
    with world.app.app_context():
        session = world.rmm.db.session()
        notices.notify_user(world.rmm, session, world.tenant, payload)
        session.rollback()
    assert told(world) == []
    relay_all(world)
    assert told(world) == ["technician"]


def test_one_user_who_cannot_be_told_stops_nobody(world: World) -> None:
    notifying(world, "admin", "technician", "dispatcher")
    failing = Reluctant(
        {user(world, "admin"): ValueError("a bug"), user(world, "dispatcher"): HostRejected("No.")}
    )
    world.post()
    drained(world, failing)
    assert told(world) == ["technician"]
    assert story(world)[1:] == ["A user could not be notified: No."]
    # The bug is mended: the one who waits is told, the others not again.
    world.do("UPDATE rmm_outbox SET due_at = now()")
    relay_all(world)
    assert told(world) == ["admin", "technician"]


def test_what_is_no_news_any_more_is_given_up(world: World) -> None:
    notifying(world, "technician")
    world.post(world.body(message="Disk full"))
    failing = Reluctant({user(world, "technician"): ValueError("a bug")})
    drained(world, failing)
    late = (utc_now() - notices.GIVE_UP - timedelta(minutes=1)).isoformat()
    world.do(
        "UPDATE rmm_outbox SET due_at = now(),"
        " payload = payload || jsonb_build_object('at', CAST(:at AS text)) WHERE topic = 'notify_user'",
        at=late,
    )
    drained(world, failing)
    assert world.rows("SELECT * FROM rmm_outbox") == []
    assert story(world)[-1] == "A user could not be notified within a day."


def test_users_who_are_gone_or_inactive_are_left_out_with_a_warning(world: World) -> None:
    notifying(world, "technician", "dispatcher")
    world.do(
        "UPDATE rmm_alert_rules SET actions = jsonb_set(actions, '{notifyUserIds}',"
        " actions->'notifyUserIds' || '[\"gone\"]')"
    )
    world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
    world.do("UPDATE users SET is_enabled = false WHERE role = 'dispatcher'")
    world.post()
    relay_all(world)
    assert told(world) == ["technician"]
    assert story(world)[1] == "2 users whom the rule notifies are gone or inactive and were left out."


def test_without_a_list_of_users_the_rules_ids_are_taken(world: World) -> None:
    notifying(world, "technician")
    world.post()
    rmm = replace(world.rmm, host=replace(world.rmm.host, users=None))
    with world.app.app_context():
        drain(rmm, world.app)
    assert told(world) == ["technician"]


def test_without_the_port_nobody_is_told(world: World) -> None:
    notifying(world, "technician")
    world.post(world.body(message="Disk full"))
    rmm = replace(world.rmm, host=replace(world.rmm.host, notifications=None))
    with world.app.app_context():
        drain(rmm, world.app)
    assert world.rows("SELECT * FROM notifications") == []
    assert world.rows("SELECT * FROM rmm_outbox") == []


def test_a_rule_without_ticket_and_a_ticket_by_hand_tell_nobody(world: World) -> None:
    notifying(world, "technician", createTicket=False)
    world.post()
    relay_all(world)
    with world.app.app_context():
        done = manual.create_tickets(world.rmm, world.admin, [world.alert()["id"]])
    assert done.done == 1
    relay_all(world)
    assert told(world) == []


class TestATicketThatIsMadeLater:
    """The users are told when it is made."""

    def test_when_a_window_ends(self, world: World) -> None:
        notifying(world, "technician")
        start = datetime(2026, 11, 21, 2, tzinfo=UTC)
        window = {"name": "Patch night", "starts_at": start, "ends_at": start + timedelta(hours=1)}
        with world.unit() as session:
            session.add(MaintenanceWindow(tenant_id=world.tenant, id=new_id(), **window))
        world.do("UPDATE rmm_integrations SET config_version = config_version + 1")
        assert world.post().json["outcome"] == "suppressed"
        relay_all(world)
        assert told(world) == []
        with world.unit() as session:
            decide_again(world.rmm, session, world.tenant, world.alert()["id"], channel=Channel.TICK)
        relay_all(world)
        assert told(world) == ["technician"]

    def test_when_a_hold_ends(self, world: World) -> None:
        notifying(world, "technician", holdMinutes=60)
        world.post(world.body(alert_time=utc_now().isoformat()))
        relay_all(world)
        assert (world.tickets(), told(world)) == ([], [])
        world.do("UPDATE rmm_alerts SET hold_until = now() - interval '1 second'")
        decide_waiting(world)
        assert (len(world.tickets()), told(world)) == (1, ["technician"])

    def test_when_its_organization_is_mapped(self, world: World) -> None:
        notifying(world, "technician")
        world.do("UPDATE rmm_organization_mappings SET client_id = NULL")
        world.post()
        relay_all(world)
        assert told(world) == []
        with world.unit() as session:
            session.query(OrganizationMapping).update({"client_id": world.client_id})
        decide_waiting(world)
        assert told(world) == ["technician"]


def decide_waiting(world: World) -> None:
    """What the tick and its run do with alerts whose time has come."""
    relay_all(world)
    with world.app.app_context():
        attention.retry_due(world.rmm)
    work(world, "alert_decisions")
    relay_all(world)
