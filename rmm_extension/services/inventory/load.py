"""Opening a connection for work: all is read first, so that no transaction is open during a vendor call."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import refusal, works
from rmm_extension.domain.errors import ConfigError
from rmm_extension.domain.types import Connection
from rmm_extension.models import Integration
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections
from rmm_extension.services.context import Rmm


def open_connection(
    rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID | None
) -> tuple[Integration, Connection, Provider]:
    """The connection's row, the connection as its provider wants it, and the provider.

    Raises ``ConfigError`` with a sentence when it may not be worked with now. Commit, then call the vendor.
    """
    try:
        row = connections.get(session, tenant_id, integration_id)  # type: ignore[arg-type]
    except connections.UnknownConnection as error:
        raise ConfigError(str(error)) from error
    _check_state(row)
    _check_tenant(rmm, session, tenant_id)
    provider = rmm.providers.get(row.provider)
    if not connections.entitled(rmm, session, tenant_id, provider):
        raise ConfigError(f"{provider.manifest.label} is not part of this tenant's edition.")
    # Detached: a later commit must not expire what is used while no transaction is open.
    session.expunge(row)
    return row, connections.build(rmm, session, row, waits=True), provider


def _check_state(row: Integration) -> None:
    if not works(row.state):
        raise ConfigError(refusal(row.name, row.state))


def _check_tenant(rmm: Rmm, session: Session, tenant_id: str) -> None:
    tenant = rmm.host.tenants.get(session, tenant_id)
    if tenant is None or not tenant.is_active:
        raise ConfigError("The tenant is suspended.")
