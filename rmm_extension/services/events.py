"""Telling what happened: an event of the catalogue becomes an outbox row of the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.events import CATALOGUE

from . import outbox


def tell(session: Session, tenant_id: str, name: str, payload: Mapping[str, Any]) -> None:
    """Put one event into the outbox; ``name`` is its signal's. What is absent is left out, never null."""
    if name not in CATALOGUE:
        raise LookupError(f"There is no event {name}; add it to the catalogue first.")
    said = {key: value for key, value in payload.items() if value is not None}
    outbox.put(session, tenant_id, "event", {"name": name, "payload": {"tenantId": tenant_id, **said}})
