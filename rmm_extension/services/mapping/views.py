"""The list of a connection's organizations, and the clients they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, and_, case, func, or_, select
from sqlalchemy.orm import Session

from rmm_extension.domain.matching import NameIndex, NameMatch
from rmm_extension.models import DeviceRow, OrganizationMapping
from rmm_extension.services.context import Rmm
from rmm_extension.services.queries.paths import SEPARATOR, paths

STATES = ("mapped", "inherited", "unmapped", "vanished", "error")
_ALL = 100_000
"""More clients than any tenant has."""
_Row = OrganizationMapping


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A client an unmapped organization may be; nothing is linked without a person."""

    client_id: str
    client_name: str
    score: float
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingView:
    """One organization as the list shows it; ``state`` is one of :data:`STATES`.

    ``above`` are the names of what it lies in, topmost first; ``follows`` is the name of the one that it has
    its client and switches of.
    """

    id: UUID
    external_id: str
    name: str
    above: Sequence[str]
    state: str
    follows: str | None
    client_id: str | None
    client_name: str | None
    default_contact_id: str | None
    default_contact_name: str | None
    auto_sync: bool
    auto_tickets: bool
    device_count: int
    failed_count: int
    last_error: str | None
    last_synced_at: datetime | None
    missing_since: datetime | None
    suggestion: Suggestion | None


@dataclass(frozen=True, slots=True)
class MappingPage:
    """A page of the list. ``counts`` has every state of the connection, ``total`` what the filter finds.

    ``is_nested``: some of the page lie in others.
    """

    items: Sequence[MappingView]
    total: int
    counts: Mapping[str, int]

    @property
    def is_nested(self) -> bool:
        return any(item.above for item in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingFilter:
    """What the list is narrowed to; ``text`` is part of the name of the organization, of one that it lies in,
    or of its client."""

    state: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Names:
    """What the host calls the things of a page."""

    clients: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    suggestions: Mapping[UUID, Suggestion] = field(default_factory=dict)
    followed: Mapping[str, str] = field(default_factory=dict)


def list_mappings(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    integration_id: UUID,
    filters: MappingFilter | None = None,
    *,
    limit: int = 50,
    offset: int = 0,
) -> MappingPage:
    """Organizations of a connection by name, nested ones behind what they lie in; a constant number of
    statements."""
    all_of_it = of_connection(tenant_id, integration_id)
    place = paths(all_of_it).subquery()
    # Name by name, so that what lies in one stands behind it and before the next.
    by_name = func.lower(func.cast(place.c.names, Text)).cast(ARRAY(Text))
    wanted = and_(all_of_it, *_conditions(rmm, session, tenant_id, filters or MappingFilter(), place.c.names))
    found = session.execute(
        select(_Row, place.c.names)
        .join(place, place.c.id == _Row.id)
        .where(wanted)
        .order_by(by_name, _Row.id)
        .limit(limit)
        .offset(offset)
    ).all()
    state = _state().label("state")
    counted = select(state, func.count(), func.count().filter(wanted)).join(place, place.c.id == _Row.id)
    states = session.execute(counted.where(all_of_it).group_by(state)).all()
    names = _names(rmm, session, tenant_id, integration_id, [row for row, _ in found])
    return MappingPage(
        items=[_view(row, place, names) for row, place in found],
        total=sum(matching for _, _, matching in states),
        counts=dict.fromkeys(STATES, 0) | {state: count for state, count, _ in states},
    )


def suggest(clients: Mapping[str, str], organizations: Mapping[UUID, str]) -> dict[UUID, Suggestion]:
    """The client each organization may be, where one fits well and no other nearly as well."""
    index = NameIndex(clients)
    found = {key: index.best(name) for key, name in organizations.items()}
    return {key: _suggestion(match, clients) for key, match in found.items() if match}


def _suggestion(match: NameMatch, clients: Mapping[str, str]) -> Suggestion:
    return Suggestion(match.key, clients[match.key], match.score, match.is_exact)


def of_connection(tenant_id: str, integration_id: UUID) -> ColumnElement[bool]:
    """The condition for the organizations of one connection."""
    return and_(_Row.tenant_id == tenant_id, _Row.integration_id == integration_id)


def _state() -> ColumnElement[str]:
    return case(
        (_Row.missing_since.is_not(None), "vanished"),
        (_Row.last_error.is_not(None), "error"),
        (_Row.client_id.is_(None), "unmapped"),
        (_Row.inherited_from.is_not(None), "inherited"),
        else_="mapped",
    )


def _conditions(
    rmm: Rmm, session: Session, tenant_id: str, filters: MappingFilter, names: ColumnElement[list[str]]
) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.state:
        wanted.append(_state() == filters.state)
    text = filters.text.strip()
    if text:
        clients = rmm.host.clients.search(session, tenant_id, text, _ALL)
        by_client = _Row.client_id.in_([client.id for client in clients])
        path = func.array_to_string(names, SEPARATOR)
        wanted.append(or_(path.icontains(text, autoescape=True), _Row.external_id == text, by_client))
    return wanted


def _names(
    rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID, rows: Sequence[OrganizationMapping]
) -> _Names:
    chosen = {row.client_id for row in rows if row.client_id}
    open_names = {row.id: row.name for row in rows if row.client_id is None and row.missing_since is None}
    found = rmm.host.clients.get_many(session, tenant_id, chosen) if chosen else {}
    return _Names(
        clients={client.id: client.name for client in found.values()},
        contacts=_contacts(rmm, session, tenant_id, rows),
        devices=_device_counts(session, tenant_id, integration_id, [row.external_id for row in rows]),
        suggestions=suggest(all_clients(rmm, session, tenant_id), open_names) if open_names else {},
        followed=_followed(session, of_connection(tenant_id, integration_id), rows),
    )


def _followed(
    session: Session, all_of_it: ColumnElement[bool], rows: Sequence[OrganizationMapping]
) -> dict[str, str]:
    """The names of those that the rows have their clients of, by the vendor's ids."""
    ids = {row.inherited_from for row in rows if row.inherited_from}
    if not ids:
        return {}
    found = session.execute(select(_Row.external_id, _Row.name).where(all_of_it, _Row.external_id.in_(ids)))
    return {external_id: name for external_id, name in found}  # noqa: C416 - rows are no pairs for mypy


def _contacts(
    rmm: Rmm, session: Session, tenant_id: str, rows: Sequence[OrganizationMapping]
) -> dict[str, str]:
    clients = {row.client_id for row in rows if row.client_id and row.default_contact_id}
    if not clients or rmm.host.contacts is None:
        return {}
    found = rmm.host.contacts.for_clients(session, tenant_id, clients)
    return {contact.id: contact.name for contacts in found.values() for contact in contacts}


def _device_counts(
    session: Session, tenant_id: str, integration_id: UUID, organizations: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Devices, and those with an error, of each organization."""
    if not organizations:
        return {}
    failed = func.count().filter(DeviceRow.last_error.is_not(None))
    rows = session.execute(
        select(DeviceRow.external_organization_id, func.count(), failed)
        .where(
            DeviceRow.tenant_id == tenant_id,
            DeviceRow.integration_id == integration_id,
            DeviceRow.deleted_at.is_(None),
            DeviceRow.external_organization_id.in_(organizations),
        )
        .group_by(DeviceRow.external_organization_id)
    )
    return {organization: (count, failures) for organization, count, failures in rows}


def all_clients(rmm: Rmm, session: Session, tenant_id: str) -> dict[str, str]:
    """Names of the active clients."""
    return {
        client.id: client.name
        for client in rmm.host.clients.search(session, tenant_id, limit=_ALL)
        if client.is_active
    }


def _view(row: OrganizationMapping, place: Sequence[str], names: _Names) -> MappingView:
    devices, failed = names.devices.get(row.external_id, (0, 0))
    return MappingView(
        id=row.id,
        external_id=row.external_id,
        name=row.name,
        above=place[:-1],
        state=state_of(row),
        follows=names.followed.get(row.inherited_from or ""),
        client_id=row.client_id,
        client_name=names.clients.get(row.client_id or ""),
        default_contact_id=row.default_contact_id,
        default_contact_name=names.contacts.get(row.default_contact_id or ""),
        auto_sync=row.auto_sync,
        auto_tickets=row.auto_tickets,
        device_count=devices,
        failed_count=failed,
        last_error=row.last_error,
        last_synced_at=row.last_synced_at,
        missing_since=row.missing_since,
        suggestion=names.suggestions.get(row.id),
    )


def state_of(row: OrganizationMapping) -> str:
    """Of :data:`STATES`, the one that matters most."""
    if row.missing_since is not None:
        return "vanished"
    if row.last_error is not None:
        return "error"
    if row.client_id is None:
        return "unmapped"
    return "inherited" if row.inherited_from else "mapped"
