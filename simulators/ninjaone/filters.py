"""The device filter `df`: `org = 30`, `loc in (1, 2)`, `class = MAC AND offline`. Anything else is a 500."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import request

from simulators.ninjaone.models import Device
from simulators.ninjaone.replies import failed

Predicate = Callable[[Device], bool]

TERM = re.compile(
    r"(?P<name>[a-z]+)\s*(?:(?P<not>!)?=\s*(?P<value>[\w-]+)|in\s*\((?P<values>[^()]*)\))", re.IGNORECASE
)
READERS: dict[str, Callable[[Device], str]] = {
    "org": lambda device: str(device.organization_id),
    "organization": lambda device: str(device.organization_id),
    "loc": lambda device: str(device.location_id),
    "location": lambda device: str(device.location_id),
    "class": lambda device: device.node_class,
    "status": lambda device: device.approval,
    "id": lambda device: str(device.id),
}


def wanted_devices() -> Predicate:
    """What the request's `df` selects; everything without one."""
    text = (request.args.get("df") or "").strip()
    if not text:
        return lambda device: True
    terms = [_term(part.strip()) for part in re.split(r"\s+AND\s+", text, flags=re.IGNORECASE)]
    return lambda device: all(term(device) for term in terms)


def _term(text: str) -> Predicate:
    if text.lower() in ("offline", "online"):
        return lambda device: device.offline == (text.lower() == "offline")
    found = TERM.fullmatch(text)
    if found is None or found["name"].lower() not in READERS:
        raise failed()
    read = READERS[found["name"].lower()]
    values = {one.strip().upper() for one in (found["values"] or found["value"] or "").split(",")}
    return lambda device: (read(device).upper() in values) != bool(found["not"])
