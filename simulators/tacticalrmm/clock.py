"""How the server writes a time."""

from __future__ import annotations

from datetime import datetime


def iso(moment: datetime | None) -> str | None:
    """`2026-01-31T02:06:45.678786Z`, the form of every time in the API; null stays null."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None
