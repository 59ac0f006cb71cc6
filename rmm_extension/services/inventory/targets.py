"""The organizations a device sync is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from rmm_extension.services.context import Rmm

from . import sql

CLIENT_GONE = "The client this organization is mapped to does not exist any more: choose another one."


class _Mapping(NamedTuple):
    id: UUID
    external_id: str
    client_id: str | None
    auto_sync: bool
    is_vanished: bool
    is_inherited: bool


@dataclass(frozen=True, slots=True)
class Targets:
    """``clients`` maps each organization to sync to its client, ``ids`` to its mapping.

    ``every_client`` names also the organizations that are not synced; ``None`` is an unmapped one. ``broken``
    are mappings that cannot be synced, with the reason; ``skipped`` counts all that are left out.
    """

    clients: Mapping[str, str | None]
    every_client: Mapping[str, str | None]
    ids: Mapping[str, UUID]
    broken: Mapping[UUID, str]
    skipped: int

    @classmethod
    def read(cls, rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID) -> Targets:
        """The mapped organizations that are not switched off and that the vendor still has."""
        found = sql.rows(session, sql.TARGETS, {"tenant": tenant_id, "integration": integration_id})
        mappings = [_Mapping._make(row) for row in found]
        wanted = [m for m in mappings if m.client_id and m.auto_sync and not m.is_vanished]
        chosen = {m.client_id for m in mappings if m.client_id}
        known = rmm.host.clients.get_many(session, tenant_id, chosen)
        targets = [m for m in wanted if m.client_id in known]
        return cls(
            clients={m.external_id: m.client_id for m in targets},
            every_client={m.external_id: m.client_id if m.client_id in known else None for m in mappings},
            ids={m.external_id: m.id for m in targets},
            # Of those that follow another one, that one says it.
            broken={m.id: CLIENT_GONE for m in wanted if m.client_id not in known and not m.is_inherited},
            skipped=len(mappings) - len(targets),
        )
