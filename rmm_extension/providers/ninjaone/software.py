"""The installed software: ``/v2/queries/software``, one report of the whole fleet, and one device's.

Facts by NinjaOne's OpenAPI 2.0.9. A row is one program on one device, in no order by device; a device with
much software is on many pages. ``installDate`` is documented as an instant and comes as a day, too; ``size``
is in bytes. A device without rows is not named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import msgspec

from rmm_extension.domain.errors import NotFound
from rmm_extension.domain.types import InstalledSoftware, SoftwareOfDevice, SoftwarePage
from rmm_extension.providers.gathering import Gathering, in_pages
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.own_rows import rows_of_device
from rmm_extension.providers.spool import Spool
from rmm_extension.providers.values import Scalar, epoch, identifier, number, text

PATH = "/v2/queries/software"
PAGE_DEVICES = 250
"""Most devices in one page."""
PAGE_ITEMS = 25_000
"""Most programs in one page, but for what a single device has."""
_LONGEST = 2000
"""Characters of a text that are passed on. What is kept of it is shorter."""
_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?![0-9])")


class Row(msgspec.Struct, rename="camel"):
    """One program on a device; in a device's own list without its id."""

    device_id: Scalar = None
    name: Scalar = None
    version: Scalar = None
    publisher: Scalar = None
    install_date: Scalar = None
    location: Scalar = None
    size: Scalar = None


class _Kept(NamedTuple):
    """What is put aside of a row."""

    name: str
    version: str
    publisher: str
    installed_on: date | None
    size_bytes: int | None
    location: str | None


def listing(client: NinjaOneClient) -> Iterator[SoftwarePage]:
    """The software of all devices that the sign-in may see, in bounded pages."""
    with Spool(_Kept) as spool:
        gathering = Gathering(client.report, spool)
        for errors in gathering.read(PATH, Row, _put):
            yield SoftwarePage(devices=(), errors=errors)
        if errors := gathering.errors():
            yield SoftwarePage(devices=(), errors=errors)
        yield from _pages(spool)


def of_device(client: NinjaOneClient, external_id: str) -> SoftwareOfDevice | None:
    """One device's software now; ``None`` where NinjaOne knows no such device."""
    try:
        rows = rows_of_device(client, external_id, "software", Row)
    except NotFound:
        return None
    kept = [found for row in rows if (found := _kept(row)) is not None]
    return SoftwareOfDevice(external_device_id=external_id, items=_items(kept))


def _pages(spool: Spool[_Kept]) -> Iterator[SoftwarePage]:
    told = (
        (SoftwareOfDevice(external_device_id=device, items=_items(kept)), len(kept))
        for device, kept in spool.devices()
    )
    return (SoftwarePage(devices=page) for page in in_pages(told, PAGE_DEVICES, PAGE_ITEMS))


def _items(kept: Sequence[_Kept]) -> tuple[InstalledSoftware, ...]:
    return tuple(InstalledSoftware(**one._asdict()) for one in kept)


def _put(row: Row) -> tuple[str, _Kept]:
    device, kept = identifier(row.device_id), _kept(row)
    if device is None:
        raise ValueError("it names no device")
    if kept is None:
        raise ValueError(f"it has no name (device {device})")
    return device, kept


def _kept(row: Row) -> _Kept | None:
    name = _text(row.name)
    if name is None:
        return None
    return _Kept(
        name=name,
        version=_text(row.version) or "",
        publisher=_text(row.publisher) or "",
        installed_on=day(row.install_date),
        size_bytes=_size(row.size),
        location=_text(row.location),
    )


def _text(value: Scalar) -> str | None:
    found = text(value)
    return found[:_LONGEST] if found else None


def _size(value: Scalar) -> int | None:
    """Bytes; ``None`` for zero, which says that nobody knows."""
    found = number(value)
    return int(found) if found is not None and 0 < found < 2.0**62 else None


@lru_cache(maxsize=4096)
def day(value: Scalar) -> date | None:
    """The day of ``2024-06-09``, ``2024-06-09T00:00:00.000Z``, ``20240609`` or epoch seconds."""
    match = _DAY.match(str(value).strip())
    if match is None:
        found = epoch(value)
        return found.date() if found else None
    try:
        told = date(*map(int, match.groups()))
    except ValueError:
        return None
    return told if 1990 <= told.year <= 2100 else None
