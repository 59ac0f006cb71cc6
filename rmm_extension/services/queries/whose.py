"""Whose devices a list of software or patches is about."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, select, true
from sqlalchemy.orm import Session

from rmm_extension.models import DeviceRow

from .paging import capped_count

DEVICES = DeviceRow.__table__.c
FEW = 500
"""Up to so many devices of a client or a connection are asked for all they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose devices are asked about: everybody's, a client's, a connection's. Deleted ones never count."""

    client_id: str | None = None
    integration_id: UUID | None = None

    @property
    def everybody(self) -> bool:
        """Whether nothing is chosen."""
        return self.client_id is None and self.integration_id is None

    def devices(self, tenant_id: str) -> list[ColumnElement[bool]]:
        """The conditions on a device's row."""
        equal = ((DEVICES.client_id, self.client_id), (DEVICES.integration_id, self.integration_id))
        there = [DEVICES.tenant_id == tenant_id, DEVICES.deleted_at.is_(None)]
        return [*there, *(column == value for column, value in equal if value)]

    def listed(self, tenant_id: str) -> CTE:
        """The ids of these devices, or of the few deleted ones where nothing is chosen: read once."""
        conditions = self.devices(tenant_id)
        if self.everybody:
            conditions = [DEVICES.tenant_id == tenant_id, DEVICES.deleted_at.is_not(None)]
        ids = select(DEVICES.id).where(*conditions).cte("listed")
        return ids.prefix_with("MATERIALIZED", dialect="postgresql")

    def are_few(self, session: Session, tenant_id: str) -> bool:
        """Whether they are so few that they are asked for all they have."""
        if self.everybody:
            return False
        return capped_count(session, select(DEVICES.id).where(*self.devices(tenant_id)), FEW) <= FEW

    def on(self, listed: CTE, device_id: ColumnElement[UUID]) -> ColumnElement[bool]:
        """Whether a row with this ``device_id`` is on one of them.

        ``IS TRUE`` keeps PostgreSQL from making a join of it, which would read all rows there are.
        """
        among = device_id.in_(select(listed.c.id))
        return (~among if self.everybody else among).is_(true())
