"""What the host tells the extension, in the host's transaction."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rmm_extension.host import Actor
from rmm_extension.models import DeviceRow, OrganizationMapping

from . import outbox
from .device_locks import held_devices


def ticket_closed(session: Session, tenant_id: str, ticket_id: str, actor: Actor) -> None:
    """Only an outbox row: taking alert or condition rows here would turn the lock order around."""
    outbox.put(
        session,
        tenant_id,
        "ticket_closed",
        {"ticket_id": ticket_id, "actor": actor.name, "actor_id": actor.id},
    )


def contact_deleted(session: Session, tenant_id: str, contact_id: str) -> None:
    """Clear the contact where it is an organization's default."""
    row = OrganizationMapping
    chosen = (row.tenant_id == tenant_id, row.default_contact_id == contact_id)
    # Held first, in the order of their ids, as whoever changes mappings does: an organization that has just
    # come to follow one of these is seen only afterwards.
    if session.scalars(select(row.id).where(*chosen).order_by(row.id).with_for_update()).all():
        session.execute(update(row).where(*chosen).values(default_contact_id=None))


def asset_client_changed(session: Session, tenant_id: str, asset_id: str, client_id: str | None) -> None:
    """Keep the devices' copy of the client true."""
    held = held_devices(DeviceRow.tenant_id == tenant_id, DeviceRow.asset_id == asset_id)
    session.execute(
        update(DeviceRow)
        .where(DeviceRow.tenant_id == tenant_id, DeviceRow.id.in_(select(held.c.id)))
        .values(client_id=client_id)
    )
