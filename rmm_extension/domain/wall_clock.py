"""Between what a clock on the wall shows and the instant it means."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def instant(shown: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant, in UTC, at which a clock of the zone shows this; the first one where it shows it twice.

    ``None`` where it never does, because the clocks are set forward over it.
    """
    meant = shown.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return meant if meant.astimezone(zone).replace(tzinfo=None) == shown else None


def find_zone(name: str) -> ZoneInfo | None:
    """The zone of this IANA name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
