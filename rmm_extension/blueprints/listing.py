"""What the large lists have in common: a page by a cursor, a capped count, and names of what rows link to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rmm_extension.host import AssetRef, TicketState
from rmm_extension.services.queries.paging import AnyRow, Count, Page, custom_plans

from .context import actor, current_rmm, session
from .narrowing import Options, argument

Find = Callable[[str | None, str | None, bool], Page[AnyRow]]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list with how many rows there are in all, and how it is sorted."""

    page: Page[AnyRow]
    count: Count
    sort: str | None

    @property
    def rows(self) -> Sequence[AnyRow]:
        """The rows of the page, in display order."""
        return self.page.rows


def listing(find: Find, count: Callable[[], Count], *, turned: str) -> Listing:
    """The page the address asks for.

    ``find`` takes the cursors and whether the order is turned around, which the parameter ``sort`` says by
    the word ``turned``; ``count`` is asked only where the page does not tell.
    """
    custom_plans(session())
    sort = argument("sort", [(turned, turned)])
    page = find(argument("after"), argument("before"), sort is not None)
    known = page.count or count()
    shown = known if known.number >= len(page.rows) else Count(len(page.rows), more=True)
    return Listing(page, shown, sort)


def tickets_of(rows: Sequence[Any]) -> Mapping[str, TicketState]:
    """The tickets the rows link to, in one call; none where the host has no ticket port."""
    port = current_rmm().host.tickets
    ids = {row.ticket_id for row in rows if row.ticket_id}
    return port.get_many(session(), actor().tenant_id, ids) if port and ids else {}


def assets_of(rows: Sequence[Any]) -> Mapping[str, AssetRef]:
    """The assets the rows link to, in one call."""
    port = current_rmm().host.assets
    ids = {row.asset_id for row in rows if row.asset_id}
    return port.get_many(session(), actor().tenant_id, ids) if port and ids else {}


def client_names(rows: Sequence[Any], known: Options = ()) -> Mapping[str, str]:
    """Names of the rows' clients, in one call for those that are not among the ``known`` ones."""
    names = dict(known)
    ids = {row.client_id for row in rows if row.client_id} - names.keys()
    if not ids:
        return names
    found = current_rmm().host.clients.get_many(session(), actor().tenant_id, ids)
    return names | {key: client.name for key, client in found.items()}
