"""What maintenance windows are for: connections, clients and assets, by id and by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rmm_extension.models import Integration
from rmm_extension.providers.capabilities import SetsMaintenance

from .connections import entitled
from .context import Rmm


@dataclass(frozen=True, slots=True)
class ScopeNames:
    """Names by id; what is gone has none."""

    connections: Mapping[UUID, str]
    providers: Mapping[UUID, str]
    clients: Mapping[str, str]
    assets: Mapping[str, str]


def scope_names(rmm: Rmm, session: Session, tenant_id: str, rows: Iterable[Any]) -> ScopeNames:
    """The names in the scopes of these windows: one statement, one call of each port that is named."""
    found = list(rows)
    connections = _connections(session, tenant_id, {row.integration_id for row in found} - {None})
    clients = {row.client_id for row in found if row.client_id}
    assets = {row.asset_id for row in found if row.asset_id}
    port = rmm.host.assets
    return ScopeNames(
        connections={row.id: row.name for row in connections},
        providers={row.id: row.provider for row in connections},
        clients=_names(rmm.host.clients.get_many(session, tenant_id, clients)) if clients else {},
        assets=_names(port.get_many(session, tenant_id, assets)) if port and assets else {},
    )


def wrong_scopes(
    rmm: Rmm,
    session: Session,
    tenant_id: str,
    integration_id: UUID | None,
    client_id: str | None,
    asset_id: str | None,
) -> dict[str, list[str]]:
    """What of a window's scope this tenant does not have, by setting."""
    errors: dict[str, list[str]] = {}
    if integration_id and not _connections(session, tenant_id, {integration_id}):
        errors["integrationId"] = ["This connection does not exist (any more). Choose another one."]
    if client_id and client_id not in rmm.host.clients.get_many(session, tenant_id, [client_id]):
        errors["clientId"] = ["This client does not exist (any more). Choose another one."]
    if asset_id and (wrong := _wrong_asset(rmm, session, tenant_id, client_id, asset_id)):
        errors["assetId"] = [wrong]
    return errors


def maintainable(rmm: Rmm, session: Session, tenant_id: str, only: UUID | None = None) -> Mapping[UUID, str]:
    """The connections whose vendor can put devices into maintenance, with the vendor's name; all of the
    tenant's, or ``only`` this one."""
    able = {one.manifest.key: one for one in rmm.providers.all() if isinstance(one, SetsMaintenance)}
    asked = select(Integration.id, Integration.provider).where(
        Integration.tenant_id == tenant_id, Integration.provider.in_(able)
    )
    if only is not None:
        asked = asked.where(Integration.id == only)
    found = session.execute(asked).all() if able else []
    allowed = {key for key in {row.provider for row in found} if entitled(rmm, session, tenant_id, able[key])}
    return {row.id: able[row.provider].manifest.label for row in found if row.provider in allowed}


def renew(session: Session, tenant_id: str, scopes: Collection[UUID | None]) -> None:
    """Move the configuration's version of these connections; ``None`` among them means all of the tenant."""
    which = [Integration.tenant_id == tenant_id]
    if None not in scopes:
        which.append(Integration.id.in_(scopes))
    # In the order of their ids, so that two changes never wait for each other in a circle; NO KEY, so that
    # arriving alerts do not wait at all.
    ordered = select(Integration.id).where(*which).order_by(Integration.id)
    ids = session.scalars(ordered.with_for_update(key_share=True)).all()
    session.execute(
        update(Integration)
        .where(Integration.tenant_id == tenant_id, Integration.id.in_(ids))
        .values(config_version=Integration.config_version + 1)
    )


def _wrong_asset(
    rmm: Rmm, session: Session, tenant_id: str, client_id: str | None, asset_id: str
) -> str | None:
    port = rmm.host.assets
    if port is None:
        return "There are no assets here. Choose a client instead."
    found = port.get_many(session, tenant_id, [asset_id]).get(asset_id)
    if found is None:
        return "This asset does not exist (any more). Choose another one."
    if client_id and found.client_id != client_id:
        return f"{found.name} belongs to another client. Choose one of the client's, or leave the client out."
    return None


def _connections(session: Session, tenant_id: str, ids: set[UUID]) -> Sequence[Any]:
    if not ids:
        return []
    statement = select(Integration.id, Integration.name, Integration.provider).where(
        Integration.tenant_id == tenant_id, Integration.id.in_(ids)
    )
    return session.execute(statement).all()


def _names(found: Mapping[str, Any]) -> dict[str, str]:
    return {key: value.name for key, value in found.items()}
