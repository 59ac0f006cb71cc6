"""What a person decides on a connection's organizations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.matching import NameIndex
from rmm_extension.host import Actor
from rmm_extension.models import OrganizationMapping, utc_now
from rmm_extension.services import audit
from rmm_extension.services.context import Rmm
from rmm_extension.services.registration import mapping_changed

from .inheritance import hold, inherit, tell_mapped
from .views import all_clients, of_connection

_Row = OrganizationMapping


class UnknownMapping(LookupError):
    """No such organization in this tenant."""


def update_mapping(
    rmm: Rmm,
    session: Session,
    actor: Actor,
    mapping_id: UUID,
    *,
    client_id: str | msgspec.UnsetType | None = msgspec.UNSET,
    default_contact_id: str | msgspec.UnsetType | None = msgspec.UNSET,
    auto_sync: bool | msgspec.UnsetType = msgspec.UNSET,
    auto_tickets: bool | msgspec.UnsetType = msgspec.UNSET,
) -> OrganizationMapping:
    """Change what is given; ``None`` or "" unmaps or clears. Devices and assets follow at the next sync.

    A change of the client clears the contact unless a new one is given. One that follows another stands on
    its own with the client it is given, and follows again when it is unmapped; those below it follow it.
    Raises :class:`UnknownMapping`, and ``ConfigError`` for a client or contact that does not exist or does
    not belong together, and for switches of one that follows another.
    """
    row = get(session, actor.tenant_id, mapping_id)
    is_nested = hold(session, actor.tenant_id, row.integration_id)
    session.refresh(row)
    given = {
        "client_id": client_id,
        "default_contact_id": default_contact_id,
        "auto_sync": auto_sync,
        "auto_tickets": auto_tickets,
    }
    changes = _changes(row, {name: value for name, value in given.items() if value is not msgspec.UNSET})
    if not changes:
        return row
    if row.inherited_from is not None and "inherited_from" not in changes:
        raise ConfigError(_follows(session, row))
    _check(rmm, session, row, {name: new for name, (_, new) in changes.items()})
    said = _said(rmm, session, row, changes)
    _write(session, row, changes)
    if is_nested:
        inherit(session, row.tenant_id, row.integration_id)
        session.refresh(row)
    _audit(session, actor, row, said)
    return row


def apply_exact_matches(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> int:
    """Map every unmapped organization whose name is exactly one client's; how many were mapped.

    Only those that lie in no other: what is nested follows, and is often named after what is in it.
    """
    is_nested = hold(session, actor.tenant_id, integration_id)
    rows = _unmapped(session, actor.tenant_id, integration_id)
    clients = all_clients(rmm, session, actor.tenant_id) if rows else {}
    index = NameIndex(clients)
    chosen = {row.id: match.key for row in rows if (match := index.exact(row.name))}
    if not chosen:
        return 0
    now = utc_now()
    # By primary key, in one batch: the rows are locked, so none of them has been mapped meanwhile.
    session.execute(
        update(_Row),
        [
            {"tenant_id": actor.tenant_id, "id": row_id, "client_id": client_id, "updated_at": now}
            for row_id, client_id in chosen.items()
        ],
    )
    mapping_changed(session, actor.tenant_id, integration_id)
    mapped = [row for row in rows if row.id in chosen]
    tell_mapped(session, actor.tenant_id, integration_id, [row.external_id for row in mapped])
    if is_nested:
        inherit(session, actor.tenant_id, integration_id)
    _audit_bulk(
        session,
        actor,
        integration_id,
        "organizations.matched",
        {row.name: clients[chosen[row.id]] for row in mapped},
    )
    return len(chosen)


def set_auto_sync(
    session: Session, actor: Actor, integration_id: UUID, mapping_ids: Collection[UUID], value: bool
) -> int:
    """Switch the device sync of organizations on or off; how many changed, without those that follow them."""
    changed = _switch(session, actor, integration_id, mapping_ids, "auto_sync", value)
    action = "organizations.sync_switched_on" if value else "organizations.sync_switched_off"
    return _audit_names(session, actor, integration_id, action, changed)


def set_auto_tickets(
    session: Session, actor: Actor, integration_id: UUID, mapping_ids: Collection[UUID], value: bool
) -> int:
    """As :func:`set_auto_sync`, for whether alerts of the organizations may become tickets."""
    changed = _switch(session, actor, integration_id, mapping_ids, "auto_tickets", value)
    action = "organizations.tickets_switched_on" if value else "organizations.tickets_switched_off"
    return _audit_names(session, actor, integration_id, action, changed)


def unmap(session: Session, actor: Actor, integration_id: UUID, mapping_ids: Collection[UUID]) -> int:
    """Take organizations from their clients; devices and assets stay. How many changed.

    One that lies in another follows it from then on.
    """
    is_nested = hold(session, actor.tenant_id, integration_id)
    changed = _update_many(
        session,
        actor,
        integration_id,
        mapping_ids,
        _Row.client_id.is_not(None),
        client_id=None,
        default_contact_id=None,
        last_error=None,
    )
    if changed:
        mapping_changed(session, actor.tenant_id, integration_id)
    if changed and is_nested:
        inherit(session, actor.tenant_id, integration_id)
    return _audit_names(session, actor, integration_id, "organizations.unmapped", changed)


def _changes(row: OrganizationMapping, given: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What differs: the values before and after, by name."""
    patch = {name: value if isinstance(value, bool) else value or None for name, value in given.items()}
    if row.inherited_from is not None and "client_id" in patch:
        if patch["client_id"] is None:
            # It has none of its own that could be taken away.
            del patch["client_id"]
        else:
            patch["inherited_from"] = None
    if patch.get("client_id", row.client_id) != row.client_id:
        patch.setdefault("default_contact_id", None)
    return {name: [getattr(row, name), value] for name, value in patch.items() if getattr(row, name) != value}


def _write(session: Session, row: OrganizationMapping, changes: Mapping[str, Sequence[Any]]) -> None:
    for name, (_, new) in changes.items():
        setattr(row, name, new)
    if "client_id" in changes:
        row.last_error = None
        tell_mapped(session, row.tenant_id, row.integration_id, [row.external_id] if row.client_id else [])
        mapping_changed(session, row.tenant_id, row.integration_id)


def _follows(session: Session, row: OrganizationMapping) -> str:
    return f"“{row.name}” follows “{_source_name(session, row)}”: choose a client of its own first."


def _source_name(session: Session, row: OrganizationMapping) -> str:
    """The name of the one that a row follows."""
    of_source = (of_connection(row.tenant_id, row.integration_id), _Row.external_id == row.inherited_from)
    return session.scalar(select(_Row.name).where(*of_source)) or str(row.inherited_from)


def _switch(
    session: Session,
    actor: Actor,
    integration_id: UUID,
    mapping_ids: Collection[UUID],
    name: str,
    value: bool,
) -> list[str]:
    """Set a switch of those that have a client of their own, or none; the names of what changed.

    Raises ``ConfigError`` where all of them follow another.
    """
    is_nested = hold(session, actor.tenant_id, integration_id)
    if is_nested:
        _refuse_followers(session, actor.tenant_id, integration_id, mapping_ids)
    differs = getattr(_Row, name).is_not(value)
    changed = _update_many(session, actor, integration_id, mapping_ids, differs, **{name: value})
    if changed and is_nested:
        inherit(session, actor.tenant_id, integration_id)
    return changed


def _refuse_followers(
    session: Session, tenant_id: str, integration_id: UUID, mapping_ids: Collection[UUID]
) -> None:
    chosen = (of_connection(tenant_id, integration_id), _Row.id.in_(list(mapping_ids)))
    rows = session.scalars(select(_Row).where(*chosen).order_by(_Row.inherited_from.nulls_first())).all()
    if rows and rows[0].inherited_from is not None:
        raise ConfigError(_follows(session, rows[0]))


def get(session: Session, tenant_id: str, mapping_id: UUID, *, lock: bool = False) -> OrganizationMapping:
    """One mapping; ``lock`` holds its row until the transaction ends. Raises :class:`UnknownMapping`."""
    key = (tenant_id, mapping_id)
    row = session.get(_Row, key, populate_existing=True, with_for_update=True if lock else None)
    if row is None:
        raise UnknownMapping("This organization does not exist (any more).")
    return row


def _check(rmm: Rmm, session: Session, row: OrganizationMapping, new: Mapping[str, Any]) -> None:
    """Client and contact exist, and the contact belongs to the client the organization will have."""
    client_id = new.get("client_id", row.client_id)
    if new.get("client_id") and client_id not in rmm.host.clients.get_many(
        session, row.tenant_id, [client_id]
    ):
        raise ConfigError("This client does not exist (any more): choose another one.")
    contact_id = new.get("default_contact_id", row.default_contact_id)
    if not contact_id or not {"client_id", "default_contact_id"} & set(new):
        return
    if not client_id or rmm.host.contacts is None:
        raise ConfigError("Choose a client before its contact.")
    contacts = rmm.host.contacts.for_clients(session, row.tenant_id, [client_id])
    if contact_id not in {contact.id for contact in contacts.get(client_id, ())}:
        raise ConfigError("This contact does not belong to the client, or is not active.")


def _said(rmm: Rmm, session: Session, row: OrganizationMapping, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes as people read them: client and contact by their names."""
    names = {"auto_sync": "sync", "auto_tickets": "tickets"}
    said = {word: changes[name] for name, word in names.items() if name in changes}
    if "inherited_from" in changes:
        said["follows"] = [_source_name(session, row), None]
    ids = {id_ for id_ in (row.client_id, *changes.get("client_id", ())) if id_}
    if "client_id" in changes:
        clients = rmm.host.clients.get_many(session, row.tenant_id, ids)
        said["client"] = [clients[id_].name if id_ in clients else id_ for id_ in changes["client_id"]]
    if "default_contact_id" in changes and rmm.host.contacts is not None:
        found = rmm.host.contacts.for_clients(session, row.tenant_id, ids)
        people = {contact.id: contact.name for contacts in found.values() for contact in contacts}
        said["defaultContact"] = [people.get(id_, id_) for id_ in changes["default_contact_id"]]
    return said


def _unmapped(session: Session, tenant_id: str, integration_id: UUID) -> Sequence[OrganizationMapping]:
    statement = select(_Row).where(
        of_connection(tenant_id, integration_id),
        _Row.client_id.is_(None),
        _Row.missing_since.is_(None),
        _Row.parent_external_id.is_(None),
    )
    return session.scalars(statement.order_by(_Row.id)).all()


def _update_many(
    session: Session,
    actor: Actor,
    integration_id: UUID,
    mapping_ids: Collection[UUID],
    differs: ColumnElement[bool],
    **values: Any,
) -> list[str]:
    """Set values where they differ and are its own, in one statement; the names of what changed."""
    chosen = (_Row.id.in_(list(mapping_ids)), _Row.inherited_from.is_(None), differs)
    statement = (
        update(_Row)
        .where(of_connection(actor.tenant_id, integration_id), *chosen)
        .values(**values)
        .returning(_Row.name)
        .execution_options(synchronize_session=False)
    )
    return sorted(session.scalars(statement))


def _audit(session: Session, actor: Actor, row: OrganizationMapping, changes: dict[str, Any]) -> None:
    audit.record(
        session,
        actor,
        "organization.mapping_changed",
        subject_type="organization",
        subject_id=row.id,
        subject_name=row.name,
        integration_id=row.integration_id,
        changes=changes,
    )


def _audit_names(
    session: Session, actor: Actor, integration_id: UUID, action: str, names: Sequence[str]
) -> int:
    if names:
        _audit_bulk(session, actor, integration_id, action, {"organizations": list(names)})
    return len(names)


def _audit_bulk(
    session: Session, actor: Actor, integration_id: UUID, action: str, changes: dict[str, Any]
) -> None:
    audit.record(
        session,
        actor,
        action,
        subject_type="connection",
        subject_id=integration_id,
        integration_id=integration_id,
        changes=changes,
    )
