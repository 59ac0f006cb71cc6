"""What a person decides on a connection's organizations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.matching import NameIndex
from rmm_extension.host import Actor
from rmm_extension.models import OrganizationMapping, Outbox, new_id, utc_now
from rmm_extension.services import audit, outbox
from rmm_extension.services.context import Rmm
from rmm_extension.services.registration import mapping_changed

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
) -> OrganizationMapping:
    """Change what is given; ``None`` or "" unmaps or clears. Devices and assets follow at the next sync.

    A change of the client clears the contact unless a new one is given. Raises :class:`UnknownMapping`, and
    ``ConfigError`` for a client or contact that does not exist or does not belong together.
    """
    row = get(session, actor.tenant_id, mapping_id, lock=True)
    given = {"client_id": client_id, "default_contact_id": default_contact_id, "auto_sync": auto_sync}
    patch: dict[str, Any] = {
        name: value if name == "auto_sync" else value or None
        for name, value in given.items()
        if value is not msgspec.UNSET
    }
    if patch.get("client_id", row.client_id) != row.client_id:
        patch.setdefault("default_contact_id", None)
    changes = {
        name: [getattr(row, name), value] for name, value in patch.items() if getattr(row, name) != value
    }
    if not changes:
        return row
    _check(rmm, session, row, {name: new for name, (_, new) in changes.items()})
    for name, (_, new) in changes.items():
        setattr(row, name, new)
    if "client_id" in changes:
        row.last_error = None
        _tell_mapped(session, row.tenant_id, row.integration_id, [row.external_id] if row.client_id else [])
        mapping_changed(session, row.tenant_id, row.integration_id)
    _audit(session, actor, row, _said(rmm, session, row, changes))
    return row


def apply_exact_matches(rmm: Rmm, session: Session, actor: Actor, integration_id: UUID) -> int:
    """Map every unmapped organization whose name is exactly one client's; how many were mapped."""
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
    _tell_mapped(session, actor.tenant_id, integration_id, [row.external_id for row in mapped])
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
    """Switch the device sync of organizations on or off; how many changed."""
    changed = _update_many(
        session, actor, integration_id, mapping_ids, _Row.auto_sync.is_not(value), auto_sync=value
    )
    action = "organizations.sync_switched_on" if value else "organizations.sync_switched_off"
    return _audit_names(session, actor, integration_id, action, changed)


def unmap(session: Session, actor: Actor, integration_id: UUID, mapping_ids: Collection[UUID]) -> int:
    """Take organizations from their clients; devices and assets stay. How many changed."""
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
    return _audit_names(session, actor, integration_id, "organizations.unmapped", changed)


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
    said = {"sync": changes["auto_sync"]} if "auto_sync" in changes else {}
    ids = {id_ for id_ in (row.client_id, *changes.get("client_id", ())) if id_}
    if "client_id" in changes:
        clients = rmm.host.clients.get_many(session, row.tenant_id, ids)
        names = {id_: client.name for id_, client in clients.items()}
        said["client"] = [names.get(id_, id_) for id_ in changes["client_id"]]
    if "default_contact_id" in changes and rmm.host.contacts is not None:
        found = rmm.host.contacts.for_clients(session, row.tenant_id, ids)
        names = {contact.id: contact.name for contacts in found.values() for contact in contacts}
        said["defaultContact"] = [names.get(id_, id_) for id_ in changes["default_contact_id"]]
    return said


def _unmapped(session: Session, tenant_id: str, integration_id: UUID) -> Sequence[OrganizationMapping]:
    statement = select(_Row).where(
        of_connection(tenant_id, integration_id), _Row.client_id.is_(None), _Row.missing_since.is_(None)
    )
    return session.scalars(statement.order_by(_Row.id).with_for_update()).all()


def _update_many(
    session: Session,
    actor: Actor,
    integration_id: UUID,
    mapping_ids: Collection[UUID],
    differs: ColumnElement[bool],
    **values: Any,
) -> list[str]:
    """Set values where they differ, in one statement; the names of the organizations that changed."""
    statement = (
        update(_Row)
        .where(of_connection(actor.tenant_id, integration_id), _Row.id.in_(list(mapping_ids)), differs)
        .values(**values)
        .returning(_Row.name)
        .execution_options(synchronize_session=False)
    )
    return sorted(session.scalars(statement))


def _tell_mapped(
    session: Session, tenant_id: str, integration_id: UUID, organizations: Sequence[str]
) -> None:
    """Alerts that waited for a client are to be looked at again."""
    if not organizations:
        return
    now = utc_now()
    rows = [
        {
            "tenant_id": tenant_id,
            "id": new_id(),
            "topic": "organization_mapped",
            "payload": {
                "integration_id": str(integration_id),
                "external_organization_id": organization,
            },
            "created_at": now,
            "due_at": now,
            "attempts": 0,
        }
        for organization in organizations
    ]
    session.execute(insert(Outbox).values(rows))
    outbox.mark_written(session)


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
