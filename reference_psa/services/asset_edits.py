"""What people do with assets; each change is in the asset's history."""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from reference_psa.adapters._asset_columns import ASSET_COLUMNS
from reference_psa.models import Asset, AssetHistory, User

EDITED = ("name", "client_id", "asset_type", "serial_number", "location", "asset_tag", "status", "notes")


def save_asset(session: Session, user: User, asset: Asset, values: dict[str, Any]) -> list[str]:
    """Write a person's values; the names of the fields that changed."""
    session.add(asset)
    changes = {
        name: [getattr(asset, name), values[name]] for name in EDITED if getattr(asset, name) != values[name]
    }
    for name, (_, new) in changes.items():
        setattr(asset, name, new)
    asset.kept_fields = values["kept_fields"]
    asset.review = {name: value for name, value in (asset.review or {}).items() if name in asset.kept_fields}
    session.flush()
    _log(session, user, asset, changes)
    if "client_id" in changes:
        _tell_client(session, asset)
    return list(changes)


def take_reported(session: Session, user: User, asset: Asset, field: str) -> bool:
    """Stop keeping a field and take what the RMM reports for it; whether there was something to take."""
    if field not in asset.review or field not in ASSET_COLUMNS:
        return False
    old, new = getattr(asset, field), asset.review[field]
    setattr(asset, field, new)
    asset.kept_fields = [name for name in asset.kept_fields if name != field]
    asset.review = {name: value for name, value in asset.review.items() if name != field}
    session.flush()
    _log(session, user, asset, {field: [old, new]})
    if field == "client_id":
        _tell_client(session, asset)
    return True


def _log(session: Session, user: User, asset: Asset, changes: dict[str, Any]) -> None:
    if changes:
        entry = AssetHistory(tenant_id=asset.tenant_id, asset_id=asset.id, user_id=user.id)
        entry.source, entry.kind, entry.changes = "user", "changed", changes
        session.add(entry)


def _tell_client(session: Session, asset: Asset) -> None:
    current_app.extensions["rmm"].asset_client_changed(session, asset.tenant_id, asset.id, asset.client_id)
