"""The organizations of a connection, to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmm_extension.models import OrganizationMapping

from .paging import AnyRow


def organizations(session: Session, tenant_id: str, integration_id: UUID) -> Sequence[AnyRow]:
    """All of them by name, vanished ones too: columns ``external_id, name, client_id``. One statement."""
    row = OrganizationMapping
    return session.execute(
        select(row.external_id, row.name, row.client_id)
        .where(row.tenant_id == tenant_id, row.integration_id == integration_id)
        .order_by(func.lower(row.name), row.external_id)
    ).all()
