"""Where a run that goes through rows by time has come to: what its cursor keeps, so that the next goes on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

Place = tuple[datetime, UUID]
"""Time and id of the last row that was looked at."""


def written(place: Place | None) -> dict[str, str]:
    """The place for a cursor; nothing where there is none."""
    return {"at": place[0].isoformat(), "id": str(place[1])} if place else {}


def read(cursor: Mapping[str, Any]) -> Place | None:
    """The place a cursor keeps; ``None`` at the beginning."""
    return (datetime.fromisoformat(cursor["at"]), UUID(cursor["id"])) if "at" in cursor else None
