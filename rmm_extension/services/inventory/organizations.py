"""Organizations of a connection: listed completely, written in one statement, never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, HostError, ProviderError
from rmm_extension.domain.types import Organization
from rmm_extension.models import new_id, utc_now
from rmm_extension.providers.capabilities import ListsOrganizations
from rmm_extension.providers.contract import Provider
from rmm_extension.services import mapping
from rmm_extension.services.context import Rmm
from rmm_extension.services.driver import json_text
from rmm_extension.services.runs import Run
from rmm_extension.services.unit import unit

from . import events, sql
from .load import open_connection

SYNC_TYPE = "organizations"


def sync_organizations(rmm: Rmm, run: Run) -> dict[str, int]:
    """List the vendor's organizations and keep their mappings; the counts by what happened.

    Renamed ones follow, vanished ones are marked, returned ones cleared; an unchanged one costs no write.
    """
    with unit(rmm) as session:
        row, connection, provider = open_connection(rmm, session, run.tenant_id, run.integration_id)
        lister = _lister(provider)
        events.started(session, run, row, SYNC_TYPE)
    try:
        listed = lister.organizations(connection)
    except (ProviderError, ConfigError, HostError) as error:
        with unit(rmm) as session:
            events.failed(rmm, session, run, row, SYNC_TYPE, {}, error)
        raise
    with unit(rmm) as session:
        counts = write_organizations(session, run.tenant_id, row.id, listed)
        events.finished(rmm, session, run, row, SYNC_TYPE, counts, {})
        run.report(session, done=len(listed), total=len(listed), counts=counts)
    return counts


def write_organizations(
    session: Session, tenant_id: str, integration_id: UUID, listed: Sequence[Organization]
) -> dict[str, int]:
    """Write a complete listing in one statement; the counts by what happened.

    Nested ones then follow what they lie in now (:mod:`rmm_extension.services.mapping.inheritance`).
    """
    was_nested = mapping.hold(session, tenant_id, integration_id)
    distinct = {organization.external_id: organization for organization in listed}
    rows = [
        {
            "id": new_id(),
            "external_id": found.external_id,
            "name": found.name,
            "parent": found.parent_id,
            "metadata": found.metadata,
        }
        for found in distinct.values()
    ]
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "integration": integration_id,
        "rows": json_text(rows),
        "now": utc_now(),
    }
    created, updated, vanished = sql.rows(session, sql.WRITE_ORGANIZATIONS, values)[0]
    if was_nested or any(found.parent_id for found in listed):
        mapping.inherit(session, tenant_id, integration_id)
    return {
        "processed": len(rows),
        "created": created,
        "updated": updated,
        "unchanged": len(rows) - created - updated,
        "vanished": vanished,
    }


def _lister(provider: Provider) -> ListsOrganizations:
    if not isinstance(provider, ListsOrganizations):
        raise ConfigError(f"{provider.manifest.label} has no organizations to list.")
    return provider
