"""Reading the loose texts vendors send, and writing values as texts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

_DEEPEST = 20
_ABSENT = frozenset({"", "none", "null", "undefined"})


def text(value: Any) -> str | None:
    """The value as trimmed text; ``None`` for null, blank and the words None, null and undefined."""
    if value is None or isinstance(value, (dict, list)):
        return None
    stripped = str(value).strip().replace("\x00", "")
    return None if stripped.lower() in _ABSENT else stripped


def identifier(value: Any) -> str | None:
    """An id as text: ``"7"`` from 7, 7.0 and ``" 7 "``; ``None`` for what names nothing."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else None
    return text(value)


def storable(value: Any, depth: int = 0) -> Any:
    """The value without what PostgreSQL cannot store (NUL, half surrogates), at most 20 levels deep."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if depth >= _DEEPEST:
        return None if isinstance(value, (dict, list)) else value
    if isinstance(value, dict):
        return {storable(key): storable(found, depth + 1) for key, found in value.items()}
    if isinstance(value, list):
        return [storable(found, depth + 1) for found in value]
    return value


def moment(value: Any) -> datetime | None:
    """An instant from ISO 8601 text or from epoch seconds or milliseconds; ``None`` if it is neither.

    Text without a zone is UTC. Instants outside the years 2000 to 2100 are not believed.
    """
    if isinstance(value, datetime):
        found: datetime | None = value if value.tzinfo else value.replace(tzinfo=UTC)
    else:
        cleaned = text(value)
        found = _read(cleaned) if cleaned else None
    return found.astimezone(UTC) if found and 2000 <= found.year <= 2100 else None


def read_uuid(value: object) -> UUID | None:
    """An id of ours from its text; ``None`` for nothing and for what is none."""
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


def iso(moment: datetime | None) -> str | None:
    """The instant as ISO 8601 text, for JSON; ``None`` stays."""
    return moment.isoformat() if moment else None


def shortened(text: str, longest: int) -> str:
    """The text, with … in place of its end where it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def one_line(text: str, longest: int) -> str:
    """The text on one line, without needless blanks, at most so long."""
    return shortened(" ".join(text.split()), longest)


def _read(value: str) -> datetime | None:
    # Nearly every time has the dashes of a date, which no believable number has.
    return _from_iso(value) if "-" in value else _epoch(value) or _from_iso(value)


def _epoch(value: str) -> datetime | None:
    try:
        number = float(value)
        return datetime.fromtimestamp(number / 1000 if number >= 1e11 else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _from_iso(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
