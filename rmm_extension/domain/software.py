"""Telling products apart by the names that vendors give them, and a changed list from a repeated one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import msgspec

from .types import InstalledSoftware

LONGEST_NAME = 300
LONGEST_PUBLISHER = 200
LONGEST_VERSION = 200
LONGEST_LOCATION = 1000
"""Characters that are kept. Name, publisher and version stand in indexes, which take no more."""
LARGEST_SIZE = 2**62
"""In bytes."""
_STRANGE = re.compile(r"[^\w\s.+-]")
_encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=16_384)
def normalized_name(name: str) -> str:
    """A product's name as it is compared: in lower case, with single spaces, of letters, digits and ``._+-``.

    ``Notepad++ (64-bit x64)`` is ``notepad++ 64-bit x64``. A name of nothing but other signs stays as it is.
    """
    lowered = " ".join(name.lower().split())
    kept = " ".join(_STRANGE.sub("", lowered).split())
    return (kept or lowered)[:LONGEST_NAME].rstrip()


def tidied(items: Iterable[InstalledSoftware]) -> list[InstalledSoftware]:
    """The items that have a name, each product, publisher and version once, cut to what can be kept."""
    found: dict[tuple[str, str, str], InstalledSoftware] = {}
    for item in map(_cut, items):
        if item.name:
            found.setdefault((normalized_name(item.name), item.publisher, item.version), item)
    return list(found.values())


def list_digest(items: Iterable[InstalledSoftware]) -> bytes:
    """16 bytes over a device's list, in whichever order the vendor tells it."""
    return blake2b(b"".join(sorted(map(_encode, items))), digest_size=16).digest()


NOTHING = list_digest(())
"""The digest of an empty list."""


def _cut(item: InstalledSoftware) -> InstalledSoftware:
    size = item.size_bytes
    return msgspec.structs.replace(
        item,
        name=_line(item.name, LONGEST_NAME),
        version=_line(item.version, LONGEST_VERSION),
        publisher=_line(item.publisher, LONGEST_PUBLISHER),
        location=(item.location or "").replace("\x00", "").strip()[:LONGEST_LOCATION] or None,
        size_bytes=size if size is not None and 0 < size <= LARGEST_SIZE else None,
    )


def _line(text: str, longest: int) -> str:
    return " ".join(text.replace("\x00", "").split())[:longest].rstrip()
