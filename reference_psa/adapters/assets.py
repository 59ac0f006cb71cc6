"""Assets found, created and kept up to date in bulk.

However many changes a batch has, :meth:`SqlAssets.apply` takes at most two statements: one that reads and
locks the assets it touches (none when all are new), one that writes every table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from reference_psa.db import new_id
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host.types import AssetApplied, AssetChange, AssetKey, AssetMatch, AssetRef

from . import _asset_sql as sql
from ._asset_merge import Batch, create, merge
from ._sql import distinct, run


class SqlAssets:
    """The PSA's assets."""

    def find(self, session: Session, tenant_id: str, keys: Sequence[AssetKey]) -> Sequence[AssetMatch]:
        """Existing assets of the keys' clients with an equal serial, MAC or name (case-insensitive)."""
        if not keys:
            return []
        wanted = [
            {"client_id": key.client_id, "serial": key.serial, "macs": key.macs, "name": key.name}
            for key in keys
        ]
        found = run(session, sql.FIND, {"tenant": tenant_id, "keys": _json(wanted)})
        return [AssetMatch(r.id, r.client_id, r.serial_number, tuple(r.mac_addresses), r.name) for r in found]

    def apply(
        self, session: Session, tenant_id: str, changes: Sequence[AssetChange]
    ) -> Sequence[AssetApplied]:
        """Create and update assets and their workstation or server rows; keeps a history of changed fields.

        An ``asset_id`` that no longer exists is created anew, under an id of its own.
        """
        known = _known(session, tenant_id, distinct(change.asset_id for change in changes))
        batch, applied = Batch(), []
        for change in changes:
            asset_id = change.asset_id
            old = known.get(asset_id) if asset_id else None
            if asset_id is None or old is None:
                asset_id = new_id()
                create(batch, asset_id, change)
            else:
                # A second change of the same asset in this batch goes on from the first.
                known[asset_id] = merge(batch, asset_id, old, change)
            applied.append(AssetApplied(asset_id=asset_id, created=old is None))
        _write(session, tenant_id, batch)
        return applied

    def mark_inactive(
        self, session: Session, tenant_id: str, asset_ids: Collection[str], reason: str
    ) -> None:
        """Set assets inactive because their device is gone."""
        run(session, sql.MARK_INACTIVE, {"tenant": tenant_id, "ids": distinct(asset_ids), "reason": reason})

    def get_many(self, session: Session, tenant_id: str, ids: Collection[str]) -> Mapping[str, AssetRef]:
        """The assets among ``ids`` that exist."""
        found = run(session, sql.GET_MANY, {"tenant": tenant_id, "ids": distinct(ids)})
        return {row.id: AssetRef(*row) for row in found}


def _known(session: Session, tenant_id: str, asset_ids: list[str]) -> dict[str | None, Mapping[str, Any]]:
    if not asset_ids:
        return {}
    found = run(session, sql.READ, {"tenant": tenant_id, "ids": _json(asset_ids)})
    columns = list(found.keys())
    return {row[0]: dict(zip(columns, row, strict=True)) for row in found.all()}


def _write(session: Session, tenant_id: str, batch: Batch) -> None:
    if batch.is_empty:
        return
    tables = {"assets": _json(_last(batch.assets)), "history": _json(batch.history)}
    vitals = {kind: _json(_joined(getattr(batch, kind))) for kind in ("workstation", "server")}
    moved = {"no_workstation": batch.no_workstation, "no_server": batch.no_server}
    statement = sql.WRITE if batch.has_known else sql.CREATE
    stranger = run(session, statement, {"tenant": tenant_id, **tables, **vitals, **moved}).scalar()
    if stranger is not None:
        raise HostRejected(f"The client chosen for {stranger!r} does not exist.")


def _last(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row an asset, the last one: ON CONFLICT refuses to touch a row twice."""
    return list({row["id"]: row for row in rows}.values())


def _joined(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row an asset, with what any of its rows holds, the last one's word."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row["asset_id"], {}).update(row)
    return list(found.values())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
