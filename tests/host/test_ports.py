"""The smaller ports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reference_psa.adapters import build_host
from reference_psa.db import utcnow
from reference_psa.models import AddOn, Client, Contact, Email, Notification, Tenant, User
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host import PERMISSIONS, SYSTEM_ACTOR, Actor, Mail, Notice
from tests.host.conftest import FullHost
from tests.host.names import (
    ADMIN,
    BOARD,
    CLIENT,
    OPEN_TICKET,
    OTHER,
    OTHER_CLIENT,
    PRIMARY,
    SECOND,
    TECHNICIAN,
    TENANT,
    known,
    status,
)

Counter = Callable[..., Any]


def test_all_ports_are_there() -> None:
    host = build_host()
    assert all(getattr(host, port.name) is not None for port in fields(host))


def test_a_tenant_is_read_once_a_transaction(
    session: Session, host: FullHost, statement_counter: Counter
) -> None:
    with statement_counter() as sent:
        tenant = host.tenants.get(session, TENANT)
        assert tenant is not None
        assert tenant.is_active
        assert host.entitlements.provider_enabled(session, TENANT, "ninjaone", {"enterprise"})
        assert host.tenants.get(session, TENANT) is tenant
    assert sent.count == 1, sent
    session.get_one(Tenant, TENANT).is_active = False
    session.commit()
    suspended = host.tenants.get(session, TENANT)
    assert suspended is not None
    assert not suspended.is_active
    assert host.tenants.active_ids(session) == [OTHER]
    assert host.tenants.get(session, "nobody") is None


def test_editions_and_addons(session: Session, host: FullHost) -> None:
    allowed = host.entitlements.provider_enabled
    assert allowed(session, OTHER, "tacticalrmm", {"community", "enterprise"})
    assert not allowed(session, OTHER, "ninjaone", {"enterprise"})
    assert host.entitlements.addon_active(session, TENANT, "teams")
    assert not host.entitlements.addon_active(session, OTHER, "teams")
    session.get_one(AddOn, (TENANT, "teams")).expires_at = utcnow() - timedelta(days=1)
    session.flush()
    assert not host.entitlements.addon_active(session, TENANT, "teams")


@pytest.mark.parametrize(
    "email, rights",
    [
        ("admin", set(PERMISSIONS)),
        (
            "dispatch",
            {"rmm.view", "rmm.alerts.manage", "rmm.sync", "rmm.jobs.view", "rmm.remote_access"},
        ),
        ("tech", {"rmm.view", "rmm.alerts.manage", "rmm.execute", "rmm.remote_access"}),
        ("viewer", {"rmm.view"}),
    ],
)
def test_what_each_role_may(session: Session, host: FullHost, email: str, rights: set[str]) -> None:
    actor = Actor(id=known("users", f"{email}@northbeam.example"), name="", tenant_id=TENANT)
    assert {right for right in PERMISSIONS if host.permissions.allows(actor, right)} == rights


def test_strangers_and_the_disabled_may_nothing_the_system_all(session: Session, host: FullHost) -> None:
    assert not host.permissions.allows(Actor(ADMIN, "", OTHER), "rmm.view")
    session.get_one(User, (TENANT, ADMIN)).is_enabled = False
    session.flush()
    assert not host.permissions.allows(Actor(ADMIN, "", TENANT), "rmm.view")
    assert host.permissions.allows(SYSTEM_ACTOR(TENANT), "rmm.execute")


def test_nobody_is_at_work_outside_a_request(session: Session, host: FullHost) -> None:
    assert host.actors.current() is None


def test_clients_by_part_of_the_name(session: Session, host: FullHost) -> None:
    assert [client.name for client in host.clients.search(session, TENANT, "DENT")] == ["Harbour Dental Care"]
    assert host.clients.search(session, TENANT, "%") == []
    assert len(host.clients.search(session, TENANT, limit=3)) == 3
    session.get_one(Client, (TENANT, CLIENT)).is_active = False
    session.flush()
    assert host.clients.search(session, TENANT, "dent") == []
    assert set(host.clients.get_many(session, TENANT, [CLIENT, OTHER_CLIENT, "gone"])) == {CLIENT}


def test_the_contact_of_a_ticket(session: Session, host: FullHost) -> None:
    chosen = host.contacts.for_ticket
    assert chosen(session, TENANT, CLIENT, SECOND) == SECOND
    assert chosen(session, TENANT, CLIENT, None) == PRIMARY
    assert chosen(session, TENANT, known("clients", "Kestrel Architects LLP"), SECOND) != SECOND
    session.get_one(Contact, (TENANT, SECOND)).is_active = False
    session.flush()
    assert chosen(session, TENANT, CLIENT, SECOND) == PRIMARY
    session.get_one(Contact, (TENANT, PRIMARY)).is_active = False
    session.flush()
    assert chosen(session, TENANT, CLIENT, SECOND) is None
    assert chosen(session, OTHER, CLIENT, None) is None


def test_contacts_of_many_clients(session: Session, host: FullHost, statement_counter: Counter) -> None:
    with statement_counter() as sent:
        found = host.contacts.for_clients(session, TENANT, [CLIENT, OTHER_CLIENT])
    assert sent.count == 1
    assert [contact.name for contact in found[CLIENT]] == ["Nadia Brook", "Owen Pike"]
    assert found[OTHER_CLIENT] == []


def test_the_catalog_in_its_order(session: Session, host: FullHost) -> None:
    boards = host.catalog.boards(session, TENANT)
    assert [(board.name, board.is_default) for board in boards] == [
        ("Service desk", True),
        ("Projects", False),
    ]
    assert boards[0].default_status_id == status("New")
    names = [each.name for each in host.catalog.statuses(session, TENANT) if each.board_id == BOARD]
    assert names == ["New", "In progress", "Waiting", "Closed", "Resolved"]
    priorities = [each.name for each in host.catalog.priorities(session, TENANT)]
    assert priorities == ["Urgent", "High", "Medium", "Low"]


def test_people_and_who_can_be_booked(session: Session, host: FullHost) -> None:
    assert len(host.users.active(session, TENANT)) == 5
    assert set(host.users.get_many(session, OTHER, [ADMIN])) == set()
    booked = {user.name for user in host.schedule.technicians(session, TENANT)}
    assert booked == {"Elif Aydin", "Priya Raman"}


def test_time_is_booked_by_active_users_on_existing_tickets(session: Session, host: FullHost) -> None:
    assert host.time_entries.add(session, TENANT, OPEN_TICKET, TECHNICIAN, 5, "Looked")
    for ticket_id, user_id, minutes in (
        ("gone", TECHNICIAN, 5),
        (OPEN_TICKET, "gone", 5),
        (OPEN_TICKET, TECHNICIAN, 0),
    ):
        with pytest.raises(HostRejected):
            host.time_entries.add(session, TENANT, ticket_id, user_id, minutes, "")


def test_who_may_book_and_what_for(session: Session, host: FullHost) -> None:
    people = {name: known("users", f"{name}@northbeam.example") for name in ("admin", "dispatch", "tech")}
    may = {name for name, one in people.items() if host.schedule.may_book(Actor(one, "", TENANT))}
    assert may == {"admin", "dispatch"}
    assert host.schedule.link_exists(session, TENANT, "ticket", OPEN_TICKET)
    assert not host.schedule.link_exists(session, OTHER, "ticket", OPEN_TICKET)
    assert not host.schedule.link_exists(session, TENANT, "project_task", OPEN_TICKET)


def test_a_mail_to_an_address_waits_for_that_address_alone(session: Session, host: FullHost) -> None:
    mail = Mail(idempotency_key="k", to=("a@client.example", "b@client.example"), subject="S", body="B")
    for _ in range(2):
        host.mails.send(session, TENANT, mail)
    host.mails.send(session, OTHER, mail)
    waiting = session.execute(select(Email.tenant_id, Email.recipient, Email.user_id)).all()
    assert sorted(waiting) == sorted(
        (tenant, address, None) for tenant in (TENANT, OTHER) for address in mail.to
    )


def tell(host: FullHost, session: Session, *users: str, level: str = "error", key: str = "k") -> None:
    notice = Notice(
        category="RMM Alerts",
        subtype="RMM Alert Triggered",
        title="RMM Alert (critical): <b>PC-1</b>",
        body="<script>C: is full.</script>",
        level=level,
        idempotency_key=key,
        link="/tickets/1",
        url="https://psa.example/tickets/1",
        variables={
            "severity": "critical",
            "deviceName": "<b>PC-1</b>",
            "message": "<script>C: is full.</script>",
            "provider": "Tactical RMM",
            "ticketNumber": "T-1001",
            "url": "https://psa.example/tickets/1",
        },
    )
    host.notifications.send(session, TENANT, users, notice)


def count(session: Session, kind: Any, user_id: str) -> int:
    query = select(func.count()).select_from(kind).where(kind.tenant_id == TENANT, kind.user_id == user_id)
    return session.scalar(query) or 0


def test_a_user_is_told_once_a_key(session: Session, host: FullHost, statement_counter: Counter) -> None:
    with statement_counter() as sent:
        tell(host, session, TECHNICIAN)
    assert sent.count == 1
    tell(host, session, TECHNICIAN)
    tell(host, session, TECHNICIAN, key="another")
    assert (count(session, Notification, TECHNICIAN), count(session, Email, TECHNICIAN)) == (2, 2)


def test_nobody_named_means_the_administrators(session: Session, host: FullHost) -> None:
    tell(host, session)
    everybody = session.scalars(select(Notification.user_id)).all()
    assert everybody == [ADMIN]


def test_mail_follows_the_users_wish(session: Session, host: FullHost) -> None:
    user = session.get_one(User, (TENANT, TECHNICIAN))
    tell(host, session, TECHNICIAN, level="info", key="1")
    assert count(session, Email, TECHNICIAN) == 0
    user.muted_subtypes = ["RMM Alert Triggered"]
    session.flush()
    tell(host, session, TECHNICIAN, key="2")
    user.muted_subtypes, user.email_notifications = [], False
    session.flush()
    tell(host, session, TECHNICIAN, key="3")
    assert count(session, Email, TECHNICIAN) == 0
    assert count(session, Notification, TECHNICIAN) == 3


def test_mail_follows_the_tenants_settings(session: Session, host: FullHost) -> None:
    tenant = session.get_one(Tenant, TENANT)
    for key, (enabled, muted) in enumerate([(False, []), (True, ["RMM Alert Triggered"])]):
        tenant.email_enabled, tenant.muted_subtypes = enabled, muted
        session.flush()
        tell(host, session, TECHNICIAN, key=str(key))
    assert count(session, Email, TECHNICIAN) == 0
    assert count(session, Notification, TECHNICIAN) == 2
    tenant.muted_subtypes = ["RMM Connection Down"]
    session.flush()
    tell(host, session, TECHNICIAN, key="another")
    assert count(session, Email, TECHNICIAN) == 1


def test_a_user_without_an_address_gets_no_mail(session: Session, host: FullHost) -> None:
    session.get_one(User, (TENANT, TECHNICIAN)).email = ""
    session.flush()
    tell(host, session, TECHNICIAN)
    assert (count(session, Notification, TECHNICIAN), count(session, Email, TECHNICIAN)) == (1, 0)


def test_a_mail_says_all_and_escapes_it(session: Session, host: FullHost) -> None:
    tell(host, session, TECHNICIAN)
    mail = session.scalars(select(Email).where(Email.user_id == TECHNICIAN)).one()
    assert mail.subject == "RMM Alert (critical): <b>PC-1</b>"
    for part in ("T-1001", "critical", "Tactical RMM", "https://psa.example/tickets/1"):
        assert part in mail.body
        assert part in (mail.html or "")
    assert "<script>C: is full.</script>" in mail.body
    assert "&lt;script&gt;C: is full.&lt;/script&gt;" in (mail.html or "")
    assert "<b>" not in (mail.html or "")


def test_paths(host: FullHost) -> None:
    assert host.urls.ticket("a b") == "/tickets/a%20b"
    assert host.urls.login("/rmm/?a=b") == "/login?next=%2Frmm%2F%3Fa%3Db"
