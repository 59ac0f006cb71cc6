"""What the asset pages read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from reference_psa.db import AnySelect
from reference_psa.models import (
    Asset,
    AssetHistory,
    Client,
    ServerAsset,
    Status,
    Ticket,
    TicketAsset,
    User,
    WorkstationAsset,
)

EXACT = {"client": Asset.client_id, "type": Asset.asset_type}


def with_client(tenant_id: str) -> AnySelect:
    """Assets of the tenant with their client's name."""
    owner = and_(Client.tenant_id == Asset.tenant_id, Client.id == Asset.client_id)
    query = select(Asset, Client.name.label("client")).outerjoin(Client, owner)
    return query.where(Asset.tenant_id == tenant_id)


def filtered(query: AnySelect, tenant_id: str, args: Mapping[str, str]) -> AnySelect:
    """The query narrowed by a list page's parameters."""
    for name, column in EXACT.items():
        if args.get(name):
            query = query.where(column == args[name])
    status = args.get("status") or "active"
    query = query if status == "all" else query.where(Asset.status == status)
    rmm = current_app.extensions["rmm"]
    query = query.where(*rmm.asset_conditions(tenant_id, Asset.id, args))
    text = (args.get("q") or "").strip()
    columns = (Asset.name, Asset.serial_number, Asset.asset_tag, Asset.location, Client.name)
    return (
        query.where(or_(*(column.icontains(text, autoescape=True) for column in columns))) if text else query
    )


def vitals(session: Session, asset: Asset) -> WorkstationAsset | ServerAsset | None:
    """What is known of the machine, if it is one."""
    key = (asset.tenant_id, asset.id)
    return session.get(WorkstationAsset, key) or session.get(ServerAsset, key)


def history(session: Session, asset: Asset, limit: int = 50) -> Sequence[Any]:
    """The newest changes with who made them."""
    person = and_(User.tenant_id == AssetHistory.tenant_id, User.id == AssetHistory.user_id)
    query = select(AssetHistory, User.name.label("person")).outerjoin(User, person)
    query = query.where(AssetHistory.tenant_id == asset.tenant_id, AssetHistory.asset_id == asset.id)
    return session.execute(query.order_by(AssetHistory.at.desc(), AssetHistory.id.desc()).limit(limit)).all()


def tickets(session: Session, asset: Asset, limit: int = 20) -> Sequence[Any]:
    """The newest tickets about the asset."""
    linked = and_(TicketAsset.tenant_id == Ticket.tenant_id, TicketAsset.ticket_id == Ticket.id)
    status = and_(Status.tenant_id == Ticket.tenant_id, Status.id == Ticket.status_id)
    query = select(Ticket, Status.name.label("status"), Status.is_closed, Status.is_default)
    query = query.join(TicketAsset, linked).join(Status, status)
    query = query.where(TicketAsset.tenant_id == asset.tenant_id, TicketAsset.asset_id == asset.id)
    return session.execute(query.order_by(Ticket.opened_at.desc()).limit(limit)).all()
