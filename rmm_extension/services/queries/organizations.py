"""The organizations of a connection, to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmm_extension.models import OrganizationMapping

from .paging import AnyRow
from .paths import SEPARATOR, paths


def organizations(session: Session, tenant_id: str, integration_id: UUID) -> Sequence[AnyRow]:
    """All of them by name, vanished ones too: columns ``external_id, name, client_id``. One statement.

    The name of a nested one says what it lies in.
    """
    row = OrganizationMapping
    of_connection = (row.tenant_id == tenant_id, row.integration_id == integration_id)
    place = paths(*of_connection).subquery()
    name = func.array_to_string(place.c.names, SEPARATOR)
    return session.execute(
        select(row.external_id, name.label("name"), row.client_id)
        .join(place, place.c.id == row.id)
        .where(*of_connection)
        .order_by(func.lower(name), row.external_id)
    ).all()
