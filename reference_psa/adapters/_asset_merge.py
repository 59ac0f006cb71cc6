"""Deciding, row by row and without SQL, what a reported change does to an asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rmm_extension.host.types import AssetChange

from ._asset_columns import ASSET_COLUMNS, MEASUREMENTS, VITAL_COLUMNS, reported


@dataclass(slots=True)
class Batch:
    """What has to be written, by table.

    Rows of ``assets`` are whole, but for what is empty; those of the vitals only hold what changes. A new
    asset is ``made``: the database tells its history so.
    """

    assets: list[dict[str, Any]] = field(default_factory=list)
    workstation: list[dict[str, Any]] = field(default_factory=list)
    server: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    no_workstation: list[str] = field(default_factory=list)
    no_server: list[str] = field(default_factory=list)
    has_known: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.assets or self.workstation or self.server or self.history)


def merge(batch: Batch, asset_id: str, known: Mapping[str, Any], change: AssetChange) -> dict[str, Any]:
    """Add to the batch what the change does to a known asset; the asset as it is then."""
    batch.has_known = True
    asset, vitals = reported(change)
    new, changes, aside = _applied(known, asset | vitals)
    if change.reactivate and known["status"] == "inactive":
        changes["status"] = [known["status"], "active"]
        new |= {"status": "active", "status_reason": None}
    if new["review"] != known["review"] or not _ASSET_FIELDS.isdisjoint(changes):
        batch.assets.append(
            {"id": asset_id, **{column: new[column] for column in _ASSET_FIELDS if new[column] is not None}}
        )
    _merge_vitals(batch, asset_id, known, new, changes)
    _log(batch, asset_id, change.rmm_provider, changes, aside)
    return new


def create(batch: Batch, asset_id: str, change: AssetChange) -> None:
    """Add a new asset to the batch: only what is known, the rest stays empty."""
    asset, vitals = reported(change)
    asset.setdefault("name", change.rmm_device_id)
    asset.setdefault("mac_addresses", [])
    kind = _kind(asset.setdefault("asset_type", "unknown"))
    batch.assets.append({"id": asset_id, "made": True, "status": "active", "review": {}, **asset})
    if kind is not None and vitals:
        getattr(batch, kind).append({"asset_id": asset_id, **vitals})


_ASSET_FIELDS = frozenset({*ASSET_COLUMNS, "status", "status_reason", "review"})


def _applied(
    old: Mapping[str, Any], values: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The new row, what changed in it, and what was put aside because a person keeps the field."""
    new, kept = dict(old), old["kept_fields"]
    changes: dict[str, Any] = {}
    aside: dict[str, Any] = {}
    if kept:
        new["review"] = review = dict(old["review"])
        for column in [one for one in values if one in kept]:
            _put_aside(column, old[column], values.pop(column), review, aside)
    for column, value in values.items():
        if old[column] != value:
            new[column] = value
            changes[column] = [old[column], value]
    return new, changes, aside


def _put_aside(column: str, kept: Any, value: Any, review: dict[str, Any], aside: dict[str, Any]) -> None:
    plain = value.isoformat() if hasattr(value, "isoformat") else value
    if value == kept:
        review.pop(column, None)
    elif review.get(column) != plain:
        review[column] = plain
        aside[column] = [kept, plain]


def _merge_vitals(
    batch: Batch, asset_id: str, old: Mapping[str, Any], new: dict[str, Any], changes: Mapping[str, Any]
) -> None:
    kind = _kind(new["asset_type"])
    moved = old["vital_kind"] is not None and old["vital_kind"] != kind
    if moved:
        getattr(batch, f"no_{old['vital_kind']}").append(asset_id)
    if kind is None:
        return
    told = VITAL_COLUMNS if moved else VITAL_COLUMNS.keys() & changes.keys()
    if told:
        vitals = {column: new[column] for column in told if new[column] is not None}
        getattr(batch, kind).append({"asset_id": asset_id, **vitals})
        new["vital_kind"] = kind


def _kind(asset_type: str) -> str | None:
    # An asset whose type nobody knows yet still has facts; they move when the type becomes known.
    return {"workstation": "workstation", "server": "server", "unknown": "workstation"}.get(asset_type)


def _log(batch: Batch, asset_id: str, source: str, changes: dict[str, Any], aside: dict[str, Any]) -> None:
    told = {column: pair for column, pair in changes.items() if column not in MEASUREMENTS}
    if told:
        _entry(batch, asset_id, source, "changed", told)
    if aside:
        _entry(batch, asset_id, source, "kept", aside)


def _entry(batch: Batch, asset_id: str, source: str, kind: str, changes: dict[str, Any]) -> None:
    entry = {"asset_id": asset_id, "source": source, "kind": kind, "changes": changes}
    batch.history.append(entry)
