"""What a host reads back for the contract: its own rows as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Note:
    """One comment on a ticket."""

    body: str
    is_internal: bool
    is_system: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """A ticket as the host's database has it. ``closed_by`` is ``None`` when the system closed it."""

    title: str
    description: str
    board_id: str | None = None
    priority_id: str | None = None
    category_id: str | None = None
    subcategory_id: str | None = None
    contact_id: str | None = None
    assignee_id: str | None = None
    asset_ids: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    closed_at: datetime | None = None
    closed_by: str | None = None


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """One thing a user was told in-app; ``mails`` are the texts of the e-mails that went with it."""

    title: str
    link: str | None
    mails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """An entry of the dispatch board; ``overlaps`` are the users for whom a conflict is kept with it."""

    title: str
    user_ids: tuple[str, ...]
    start: datetime
    end: datetime
    link_id: str | None = None
    notes: str | None = None
    overlaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFacts:
    """An asset as the host's database has it.

    ``vitals`` uses the names of :attr:`AssetChange.vitals`; the contract looks at ``current_user`` and
    ``lan_ip``. ``history`` is the number of entries in the asset's history.
    """

    name: str
    client_id: str | None
    serial: str | None = None
    agent_status: str | None = None
    rmm_device_id: str | None = None
    is_active: bool = True
    vitals: Mapping[str, Any] = field(default_factory=dict)
    history: int = 0
