"""Telling what happened: an event of the catalogue becomes an outbox row of the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.domain.contracts.events import CATALOGUE

from . import outbox


def tell(session: Session, tenant_id: str, name: str, payload: Mapping[str, Any]) -> None:
    """Put one event into the outbox; ``name`` is its signal's. What is absent is left out, never null."""
    outbox.put(session, tenant_id, "event", _message(tenant_id, name, payload))


def tell_many(session: Session, tenant_id: str, name: str, payloads: Iterable[Mapping[str, Any]]) -> None:
    """As :func:`tell`, for several events of one name, by one statement."""
    outbox.put_many(session, tenant_id, "event", [_message(tenant_id, name, one) for one in payloads])


def said(tenant_id: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as it is told: with its tenant, without what is absent."""
    return {"tenantId": tenant_id, **{key: value for key, value in payload.items() if value is not None}}


def _message(tenant_id: str, name: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    if name not in CATALOGUE:
        raise LookupError(f"There is no event {name}; add it to the catalogue first.")
    return {"name": name, "payload": said(tenant_id, payload)}
