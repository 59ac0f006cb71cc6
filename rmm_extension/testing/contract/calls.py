"""Every call of the port, ready to be made: for the rules that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from rmm_extension.host import (
    AssetApplied,
    AssetKey,
    AssetMatch,
    AssetRef,
    Board,
    Category,
    Client,
    CloseResult,
    Contact,
    Mail,
    Notice,
    Priority,
    ScheduleConflict,
    Status,
    Tenant,
    TicketAsset,
    TicketChanges,
    TicketRef,
    TicketState,
    User,
)

from .base import UNKNOWN, Bench, unique

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
Run = Callable[[str], Any]
"""The prepared call; its argument is the tenant to ask for."""


@dataclass(frozen=True, slots=True)
class Call:
    """A method of a port. ``prepare`` makes what it needs and returns the call itself.

    ``gives`` is the type of the answer or of its items; ``by_id`` says that the call names rows of the
    tenant, so that it must find nothing for another one.
    """

    name: str
    prepare: Callable[[Bench], Run]
    gives: type
    by_id: bool = False
    writes: bool = False


def _create(bench: Bench) -> Run:
    bench.tickets  # noqa: B018 - skips the test where there is no such port
    return lambda tenant: bench.tickets.create(bench.session, tenant, bench.draft())


def _note_if_open(bench: Bench) -> Run:
    ticket = bench.ticket().id
    return lambda tenant: bench.tickets.note_if_open(bench.session, tenant, ticket, None, "Again.")


def _reopen(bench: Bench) -> Run:
    ticket = bench.ticket().id
    bench.tickets.close(bench.session, bench.tenant_id, ticket, None)
    return lambda tenant: bench.tickets.reopen_if_closed_since(
        bench.session, tenant, ticket, None, LONG_AGO, "Again."
    )


def _add_note(bench: Bench) -> Run:
    ticket = bench.ticket().id
    return lambda tenant: bench.tickets.add_note(bench.session, tenant, ticket, "A note.")


def _state(bench: Bench) -> Run:
    ticket = bench.ticket().id
    return lambda tenant: bench.tickets.state(bench.session, tenant, ticket, lock=True)


def _tickets(bench: Bench) -> Run:
    ids = [bench.ticket().id, bench.ticket().id]
    return lambda tenant: bench.tickets.get_many(bench.session, tenant, ids)


def _close(bench: Bench) -> Run:
    ticket = bench.ticket().id
    return lambda tenant: bench.tickets.close(bench.session, tenant, ticket, None)


def _complete_text(bench: Bench) -> Run:
    draft = bench.draft()
    ticket = bench.tickets.create(bench.session, bench.tenant_id, draft).id
    texts = {"old_title": draft.title, "title": "New", "old_description": draft.description}
    return lambda tenant: bench.tickets.complete_text(
        bench.session, tenant, ticket, **texts, description="New text."
    )


def _set_priority(bench: Bench) -> Run:
    priority = bench.catalog.priorities(bench.session, bench.tenant_id)[-1].id
    ticket = bench.ticket().id
    return lambda tenant: bench.tickets.set_priority(bench.session, tenant, ticket, priority)


def _update(bench: Bench) -> Run:
    ticket = bench.ticket().id
    changes = TicketChanges(title="Another title")
    return lambda tenant: bench.tickets.update(bench.session, tenant, ticket, changes)


def _link(bench: Bench) -> Run:
    links = [TicketAsset(bench.ticket().id, bench.asset())]
    return lambda tenant: bench.ticket_assets.link(bench.session, tenant, links)


def _apply(bench: Bench) -> Run:
    bench.assets  # noqa: B018 - as above
    return lambda tenant: bench.assets.apply(bench.session, tenant, [bench.change()])


def _find(bench: Bench) -> Run:
    change = bench.change()
    bench.assets.apply(bench.session, bench.tenant_id, [change])
    key = AssetKey(client_id=bench.client_id, serial=change.serial, macs=(), name=change.name or "")
    return lambda tenant: bench.assets.find(bench.session, tenant, [key])


def _assets(bench: Bench) -> Run:
    asset = bench.asset()
    return lambda tenant: bench.assets.get_many(bench.session, tenant, [asset])


def _mark_inactive(bench: Bench) -> Run:
    asset = bench.asset()
    return lambda tenant: bench.assets.mark_inactive(bench.session, tenant, [asset], "Its device is gone.")


def _clients(bench: Bench) -> Run:
    ids = [bench.client_id, bench.other_client_id]
    return lambda tenant: bench.host.clients.get_many(bench.session, tenant, ids)


def _contacts(bench: Bench) -> Run:
    ids = [bench.client_id, bench.other_client_id]
    return lambda tenant: bench.contacts.for_clients(bench.session, tenant, ids)


def _for_ticket(bench: Bench) -> Run:
    bench.contacts  # noqa: B018 - as above
    return lambda tenant: bench.contacts.for_ticket(bench.session, tenant, bench.client_id, None)


def _own_user(bench: Bench) -> str:
    """A user of the tenant who does not work for the other one too."""
    shared = {user.id for user in bench.users.active(bench.session, bench.other_tenant_id)}
    mine = [u.id for u in bench.users.active(bench.session, bench.tenant_id) if u.id not in shared]
    if not mine:
        pytest.skip("The tenant needs an active user whom the other tenant does not have.")
    return mine[0]


def _users(bench: Bench) -> Run:
    ids = [_own_user(bench)]
    return lambda tenant: bench.users.get_many(bench.session, tenant, ids)


def _time_entry(bench: Bench) -> Run:
    user, ticket = _own_user(bench), bench.ticket().id
    return lambda tenant: bench.time_entries.add(bench.session, tenant, ticket, user, 15, "Looked at it.")


def _technicians(bench: Bench) -> list[str]:
    found = [user.id for user in bench.schedule.technicians(bench.session, bench.tenant_id)]
    if not found:
        pytest.skip("The tenant needs a technician.")
    return found[:2]


def _book(bench: Bench) -> Run:
    draft = bench.booking(_technicians(bench))
    return lambda tenant: bench.schedule.book(bench.session, tenant, draft)


def _conflicts(bench: Bench) -> Run:
    draft = bench.booking(_technicians(bench))
    bench.schedule.book(bench.session, bench.tenant_id, draft)
    return lambda tenant: bench.schedule.conflicts(
        bench.session, tenant, draft.user_ids, draft.start, draft.end
    )


def _hold(bench: Bench) -> Run:
    users = _technicians(bench)
    return lambda tenant: bench.schedule.hold(bench.session, tenant, users)


def _link_exists(bench: Bench) -> Run:
    bench.schedule  # noqa: B018 - as above
    ticket = bench.ticket().id
    return lambda tenant: bench.schedule.link_exists(bench.session, tenant, "ticket", ticket)


def _mail(bench: Bench) -> Run:
    bench.mails  # noqa: B018 - as above
    return lambda tenant: bench.mails.send(bench.session, tenant, mail("ops@client.example"))


def mail(*to: str, key: str | None = None) -> Mail:
    """An e-mail whose text looks like markup."""
    body = "<b>C:</b> has 1 GB left."
    return Mail(idempotency_key=key or unique("contract"), to=to, subject="C: is full", body=body)


def _send(bench: Bench) -> Run:
    users = [_own_user(bench)]
    return lambda tenant: send(bench, tenant, users)


def send(bench: Bench, tenant: str, users: list[str], key: str | None = None) -> None:
    """Tell some users something."""
    bench.notifications.send(bench.session, tenant, users, notice(key))


def notice(key: str | None = None) -> Notice:
    """What the users of a rule are told of a ticket; the device's name is text that looks like markup."""
    return Notice(
        category="RMM Alerts",
        subtype="RMM Alert Triggered",
        title="RMM Alert (critical): <b>PC-1</b>",
        body="Disk C: is full.",
        level="error",
        idempotency_key=key or unique("contract"),
        link="/tickets/1001",
        url="https://psa.example/tickets/1001",
        variables={
            "severity": "critical",
            "deviceName": "<b>PC-1</b>",
            "message": "Disk C: is full.",
            "provider": "Tactical RMM",
            "ticketNumber": "1001",
            "url": "https://psa.example/tickets/1001",
        },
    )


CALLS = (
    Call("tenants.get", lambda b: lambda t: b.host.tenants.get(b.session, t), Tenant),
    Call("tenants.active_ids", lambda b: lambda t: b.host.tenants.active_ids(b.session), str),
    Call(
        "entitlements.provider_enabled",
        lambda b: lambda t: b.entitlements.provider_enabled(b.session, t, "tacticalrmm", ("community",)),
        bool,
    ),
    Call(
        "entitlements.addon_active",
        lambda b: lambda t: b.entitlements.addon_active(b.session, t, UNKNOWN),
        bool,
    ),
    Call("clients.search", lambda b: lambda t: b.host.clients.search(b.session, t), Client),
    Call("clients.get_many", _clients, Client, by_id=True),
    Call("contacts.for_clients", _contacts, Contact, by_id=True),
    Call("contacts.for_ticket", _for_ticket, str, by_id=True),
    Call("assets.find", _find, AssetMatch, by_id=True),
    Call("assets.apply", _apply, AssetApplied, by_id=True, writes=True),
    Call("assets.mark_inactive", _mark_inactive, type(None), by_id=True, writes=True),
    Call("assets.get_many", _assets, AssetRef, by_id=True),
    Call("tickets.create", _create, TicketRef, by_id=True, writes=True),
    Call("tickets.note_if_open", _note_if_open, TicketRef, by_id=True, writes=True),
    Call("tickets.reopen_if_closed_since", _reopen, TicketRef, by_id=True, writes=True),
    Call("tickets.add_note", _add_note, type(None), by_id=True, writes=True),
    Call("tickets.state", _state, TicketState, by_id=True),
    Call("tickets.get_many", _tickets, TicketState, by_id=True),
    Call("tickets.close", _close, CloseResult, by_id=True, writes=True),
    Call("tickets.complete_text", _complete_text, bool, by_id=True, writes=True),
    Call("tickets.set_priority", _set_priority, type(None), by_id=True, writes=True),
    Call("tickets.update", _update, type(None), by_id=True, writes=True),
    Call("ticket_assets.link", _link, type(None), by_id=True, writes=True),
    Call("catalog.boards", lambda b: lambda t: b.catalog.boards(b.session, t), Board),
    Call("catalog.statuses", lambda b: lambda t: b.catalog.statuses(b.session, t), Status),
    Call("catalog.priorities", lambda b: lambda t: b.catalog.priorities(b.session, t), Priority),
    Call("categories.active", lambda b: lambda t: b.categories.active(b.session, t), Category),
    Call("time_entries.add", _time_entry, str, by_id=True, writes=True),
    Call("schedule.technicians", lambda b: lambda t: b.schedule.technicians(b.session, t), User),
    Call("schedule.hold", _hold, type(None), by_id=True),
    Call("schedule.conflicts", _conflicts, ScheduleConflict, by_id=True),
    Call("schedule.link_exists", _link_exists, bool, by_id=True),
    Call("schedule.book", _book, str, by_id=True, writes=True),
    Call("users.active", lambda b: lambda t: b.users.active(b.session, t), User),
    Call("users.get_many", _users, User, by_id=True),
    Call("notifications.send", _send, type(None), by_id=True, writes=True),
    Call("mails.send", _mail, type(None), writes=True),
)
"""Every method of the port that works in a session."""
