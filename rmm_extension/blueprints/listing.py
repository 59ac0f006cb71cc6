"""What the large lists have in common: a page by a cursor, a capped count, and names of what rows link to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy.orm import Session

from rmm_extension.host import AssetRef, TicketState
from rmm_extension.services.queries.paging import AnyRow, Count, Page, custom_plans

from .context import actor, current_rmm, session
from .narrowing import Options, argument

Wanted_contra = TypeVar("Wanted_contra", contravariant=True)
Wanted = TypeVar("Wanted")


class ReadsPage(Protocol[Wanted_contra]):
    """Reads the page of a tenant's list behind the cursor ``after`` or in front of ``before``; ``turned`` is
    the list in the opposite order."""

    def __call__(
        self,
        session: Session,
        tenant_id: str,
        wanted: Wanted_contra,
        /,
        *,
        after: str | None,
        before: str | None,
        turned: bool,
    ) -> Page[AnyRow]: ...


class Counts(Protocol[Wanted_contra]):
    """Counts a tenant's list, up to a cap."""

    def __call__(self, session: Session, tenant_id: str, wanted: Wanted_contra, /) -> Count: ...


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


def listing(read: ReadsPage[Wanted], count: Counts[Wanted], wanted: Wanted, *, turned: str) -> Listing:
    """The page the address asks for, of a list narrowed to ``wanted``.

    The parameter ``sort`` turns the order around by the word ``turned``; ``count`` is asked only where the
    page does not tell.
    """
    tenant_id = actor().tenant_id
    custom_plans(session())
    sort = argument("sort", [(turned, turned)])
    after, before = argument("after"), argument("before")
    page = read(session(), tenant_id, wanted, after=after, before=before, turned=sort is not None)
    known = page.count or count(session(), tenant_id, wanted)
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
