"""A technician's entries as iCalendar (RFC 5545), for whatever calendar they use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from reference_psa.models import ScheduleEntry
from reference_psa.models.schedule import CANCELLED

_LINE = 75
"""Octets of a line; a longer one goes on in the next, which begins with a blank."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def render(name: str, entries: Iterable[tuple[ScheduleEntry, str | None]]) -> str:
    """The calendar of that name; each entry comes with the address of its ticket, if there is one."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Reference PSA//Dispatch board//EN"]
    lines += ["CALSCALE:GREGORIAN", "METHOD:PUBLISH", f"X-WR-CALNAME:{_text(name)}"]
    for entry, url in entries:
        lines += _event(entry, url)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(entry: ScheduleEntry, url: str | None) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{entry.id}@dispatch"
    yield f"DTSTAMP:{_moment(entry.changed_at)}"
    yield f"LAST-MODIFIED:{_moment(entry.changed_at)}"
    yield f"SEQUENCE:{entry.sequence}"
    yield f"DTSTART:{_moment(entry.starts_at)}"
    yield f"DTEND:{_moment(entry.ends_at)}"
    yield f"SUMMARY:{_text(entry.title)}"
    yield f"STATUS:{'CANCELLED' if entry.status == CANCELLED else 'CONFIRMED'}"
    if entry.notes:
        yield f"DESCRIPTION:{_text(entry.notes)}"
    if url:
        yield f"URL:{url}"
    yield "END:VEVENT"


def _moment(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """The text with what ends a line or a value escaped, so that no title can add a line of its own."""
    plain = _CONTROL.sub("", "\n".join(value.splitlines()))
    for mark in ("\\", ";", ","):
        plain = plain.replace(mark, f"\\{mark}")
    return plain.replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """The line in parts of at most 75 octets, never within a letter."""
    part = b""
    for letter in line:
        octets = letter.encode()
        if len(part) + len(octets) > _LINE:
            yield part.decode()
            part = b" "
        part += octets
    yield part.decode()
