"""What a provider's actions may ask of our side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import or_, select

from rmm_extension.domain.actions import Target
from rmm_extension.domain.types import Connection
from rmm_extension.models import DeviceRow
from rmm_extension.services.context import Rmm
from rmm_extension.services.queries.paging import contains
from rmm_extension.services.unit import unit

from . import invocations


class Context:
    """Looks at the devices of one connection, each look a short transaction of its own."""

    def __init__(self, rmm: Rmm, connection: Connection) -> None:
        self._rmm, self._connection = rmm, connection

    def find_devices(
        self,
        *,
        external_id: str | None = None,
        external_ids: Collection[str] | None = None,
        asset_id: str | None = None,
        text: str | None = None,
        limit: int = 50,
    ) -> Sequence[Target]:
        """Devices of the connection that were not deleted, by name; ``text`` is a part of name or serial."""
        wanted = [
            DeviceRow.tenant_id == self._connection.tenant_id,
            DeviceRow.integration_id == UUID(self._connection.integration_id),
            DeviceRow.deleted_at.is_(None),
        ]
        if external_id:
            wanted.append(DeviceRow.external_id == external_id)
        if external_ids is not None:
            wanted.append(DeviceRow.external_id.in_(external_ids))
        if asset_id:
            wanted.append(DeviceRow.asset_id == asset_id)
        if text:
            pattern = contains(text)
            wanted.append(or_(DeviceRow.name.ilike(pattern), DeviceRow.serial.ilike(pattern)))
        statement = select(DeviceRow).where(*wanted).order_by(DeviceRow.name, DeviceRow.id).limit(limit)
        with unit(self._rmm) as session:
            return [invocations.target(row) for row in session.scalars(statement)]
