"""What a vendor tells beside its alerts: that a device changed, was seen, was scanned or is gone, and that
its organizations are not what they were.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from .types import AgentStatus, AlertEvent


class SignalKind(StrEnum):
    """What follows from a signal: ``changed`` has the device fetched anew, ``patches`` and ``software`` their
    lists, ``seen`` moves its status and vitals, ``deleted`` proves it gone."""

    CHANGED = "changed"
    SEEN = "seen"
    PATCHES = "patches"
    SOFTWARE = "software"
    DELETED = "deleted"


class DeviceSignal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a vendor said about one device, the same whichever channel brought it.

    ``external_id`` is the vendor's id of this very message: it counts once, however often it comes. ``words``
    say what happened, for the device's activity ("Restarted"). ``status``, ``boot_at`` and ``current_user``
    (empty: nobody) are what it tells of the device, ``scanned_at`` when its patches were looked for.
    """

    kind: SignalKind
    external_id: str
    occurred_at: datetime
    external_device_id: str
    words: str
    external_organization_id: str | None = None
    device_name: str | None = None
    status: AgentStatus | None = None
    boot_at: datetime | None = None
    current_user: str | None = None
    scanned_at: datetime | None = None


class OrganizationSignal(msgspec.Struct, frozen=True, kw_only=True):
    """Organizations of a vendor were made, renamed, moved or deleted: their list is read anew.

    ``external_id`` is the vendor's id of this very message, ``words`` say what happened ("Group created").
    """

    external_id: str
    occurred_at: datetime
    words: str
    external_organization_id: str | None = None


Told: TypeAlias = AlertEvent | DeviceSignal | OrganizationSignal
"""One thing a vendor told, of an alert, a device or its organizations."""


class SignalOutcome(StrEnum):
    """What followed from a signal: a run that fetches, a change written at once, or nothing (``skipped``)."""

    DEVICE_REFRESH = "device_refresh"
    PATCH_REFRESH = "patch_refresh"
    SOFTWARE_REFRESH = "software_refresh"
    DEVICE_SEEN = "device_seen"
    DEVICE_DELETED = "device_deleted"
    ORGANIZATION_SYNC = "organization_sync"
    SKIPPED = "skipped"


class ActivityPage(msgspec.Struct, frozen=True, kw_only=True):
    """A bounded slice of a vendor's activity log, oldest first: what of it concerns us.

    ``position`` is what the next look goes on from once the page has been taken; ``errors`` are entries that
    could not be read, as sentences.
    """

    events: tuple[Told, ...]
    position: str
    errors: tuple[str, ...] = ()
