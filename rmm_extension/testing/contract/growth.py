"""The number of statements must not depend on the number of rows: counted for 100 and for 1,000."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

import pytest

from rmm_extension.host import AssetChange, AssetKey, TicketAsset

from .base import Bench, ContractBase
from .calls import mail, send
from .rules import most_repeated, rule, statements

FEW, MANY = 100, 1_000
A_LOT = 3
"""Statements that a plain list may take."""

Sized = Callable[[int], object]
"""The call for so many rows."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A call that takes many rows at once."""

    name: str
    prepare: Callable[[Bench], Sized]


def _made(bench: Bench, number: int = MANY) -> list[AssetChange]:
    """Changes of that many assets, which exist."""
    changes = [bench.change() for _ in range(number)]
    applied = bench.assets.apply(bench.session, bench.tenant_id, changes)
    return [replace(change, asset_id=one.asset_id) for change, one in zip(changes, applied, strict=True)]


def _new_assets(bench: Bench) -> Sized:
    bench.assets  # noqa: B018 - skips the test where there is no such port
    return lambda n: bench.assets.apply(bench.session, bench.tenant_id, [bench.change() for _ in range(n)])


def _same_assets(bench: Bench) -> Sized:
    changes = _made(bench)
    return lambda n: bench.assets.apply(bench.session, bench.tenant_id, changes[:n])


def _changed_assets(bench: Bench) -> Sized:
    changes, turn = _made(bench), count(1)

    def run(n: int) -> object:
        facts = {"current_user": f"user {next(turn)}"}
        moved = [replace(c, location="Attic", agent_status="offline", vitals=facts) for c in changes[:n]]
        return bench.assets.apply(bench.session, bench.tenant_id, moved)

    return run


def _find(bench: Bench) -> Sized:
    keys = [AssetKey(c.client_id or "", c.serial, (), c.name or "") for c in _made(bench)]
    return lambda n: bench.assets.find(bench.session, bench.tenant_id, keys[:n])


def _assets(bench: Bench) -> Sized:
    ids = [change.asset_id or "" for change in _made(bench)]
    return lambda n: bench.assets.get_many(bench.session, bench.tenant_id, ids[:n])


def _mark_inactive(bench: Bench) -> Sized:
    ids = [change.asset_id or "" for change in _made(bench)]
    return lambda n: bench.assets.mark_inactive(bench.session, bench.tenant_id, ids[:n], "Gone.")


def _padded(real: list[str], n: int) -> list[str]:
    """``n`` ids: of ten, one is real as long as there are enough."""
    known = real[: max(1, len(real) * n // MANY)]
    return [*known, *(f"no-such-{number}" for number in range(n - len(known)))]


def _tickets(bench: Bench) -> Sized:
    ids = [bench.ticket().id for _ in range(30)]
    return lambda n: bench.tickets.get_many(bench.session, bench.tenant_id, _padded(ids, n))


def _links(bench: Bench) -> Sized:
    bench.ticket_assets  # noqa: B018 - as above
    asset, tickets = bench.asset(), [bench.ticket().id for _ in range(30)]
    padded = {n: [TicketAsset(ticket, asset) for ticket in _padded(tickets, n)] for n in (FEW, MANY)}
    return lambda n: bench.ticket_assets.link(bench.session, bench.tenant_id, padded[n])


def _client_ids(bench: Bench) -> list[str]:
    return [client.id for client in bench.host.clients.search(bench.session, bench.tenant_id)]


def _clients(bench: Bench) -> Sized:
    ids = _client_ids(bench)
    return lambda n: bench.host.clients.get_many(bench.session, bench.tenant_id, _padded(ids, n))


def _contacts(bench: Bench) -> Sized:
    ids, port = _client_ids(bench), bench.contacts
    return lambda n: port.for_clients(bench.session, bench.tenant_id, _padded(ids, n))


def _users(bench: Bench) -> Sized:
    ids = [user.id for user in bench.users.active(bench.session, bench.tenant_id)]
    return lambda n: bench.users.get_many(bench.session, bench.tenant_id, _padded(ids, n))


def _told(bench: Bench) -> Sized:
    ids = [user.id for user in bench.users.active(bench.session, bench.tenant_id)]
    bench.notifications  # noqa: B018 - as above
    return lambda n: send(bench, bench.tenant_id, _padded(ids, n))


def _conflicts(bench: Bench) -> Sized:
    people = [user.id for user in bench.schedule.technicians(bench.session, bench.tenant_id)]
    when = bench.booking(people)
    return lambda n: bench.schedule.conflicts(
        bench.session, bench.tenant_id, _padded(people, n), when.start, when.end
    )


def _mails(bench: Bench) -> Sized:
    bench.mails  # noqa: B018 - as above
    to = [f"person-{number}@client.example" for number in range(MANY)]
    return lambda n: bench.mails.send(bench.session, bench.tenant_id, mail(*to[:n]))


LISTINGS = (
    Listing("assets.apply (new)", _new_assets),
    Listing("assets.apply (unchanged)", _same_assets),
    Listing("assets.apply (changed)", _changed_assets),
    Listing("assets.find", _find),
    Listing("assets.get_many", _assets),
    Listing("assets.mark_inactive", _mark_inactive),
    Listing("tickets.get_many", _tickets),
    Listing("ticket_assets.link", _links),
    Listing("clients.get_many", _clients),
    Listing("contacts.for_clients", _contacts),
    Listing("users.get_many", _users),
    Listing("notifications.send", _told),
    Listing("schedule.conflicts", _conflicts),
    Listing("mails.send", _mails),
)
PLAIN_LISTS = (
    Listing("tenants.active_ids", lambda b: lambda _: b.host.tenants.active_ids(b.session)),
    Listing("clients.search", lambda b: lambda _: b.host.clients.search(b.session, b.tenant_id)),
    Listing("catalog.boards", lambda b: lambda _: b.catalog.boards(b.session, b.tenant_id)),
    Listing("catalog.statuses", lambda b: lambda _: b.catalog.statuses(b.session, b.tenant_id)),
    Listing("catalog.priorities", lambda b: lambda _: b.catalog.priorities(b.session, b.tenant_id)),
    Listing("categories.active", lambda b: lambda _: b.categories.active(b.session, b.tenant_id)),
    Listing("users.active", lambda b: lambda _: b.users.active(b.session, b.tenant_id)),
    Listing("schedule.technicians", lambda b: lambda _: b.schedule.technicians(b.session, b.tenant_id)),
)


class Growth(ContractBase):
    """List calls are set-based."""

    @pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
    def test_statements_do_not_grow_with_the_rows(self, bench: Bench, listing: Listing) -> None:
        """As many statements for 1,000 rows as for 100."""
        run = listing.prepare(bench)
        run(FEW)  # whatever is cached per transaction is cached now
        few, many = statements(lambda: run(FEW)), statements(lambda: run(MANY))
        rule(
            many.count <= few.count,
            listing.name,
            f"{FEW} rows take {few.count} statements and {MANY} rows take {many.count}. Handle the batch in"
            " one statement (= ANY(…), jsonb_to_recordset, multi-row INSERT)."
            f" Sent most often: {most_repeated(many)}",
        )

    @pytest.mark.parametrize("listing", PLAIN_LISTS, ids=lambda listing: listing.name)
    def test_a_plain_list_takes_few_statements(self, bench: Bench, listing: Listing) -> None:
        """A list is one query, not one per row."""
        run = listing.prepare(bench)
        run(0)
        bench.session.expire_all()
        sent = statements(lambda: run(0))
        rule(
            sent.count <= A_LOT,
            listing.name,
            f"it takes {sent.count} statements. Read the list in one. Sent most often: {most_repeated(sent)}",
        )
