"""Updates of Level as patches: what devices lack.

Only available ones are listed. Those that are installed are many more, have no filter by time, and would be
read anew with every run, a hundred in a request; the action that lists updates tells them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rmm_extension.domain.errors import BadResponse, NotFound
from rmm_extension.domain.patches import Patch, PatchesOfDevice, PatchKind, PatchPage, PatchStatus
from rmm_extension.providers.gathering import Gathering, in_pages
from rmm_extension.providers.levelio.client import LevelClient
from rmm_extension.providers.levelio.errors import KEY
from rmm_extension.providers.levelio.rows import Update
from rmm_extension.providers.spool import Spool
from rmm_extension.providers.values import flag, identifier, text

PATH = "/v2/updates"
AVAILABLE = {"status": "available"}
PAGE_DEVICES = 250
"""Most devices in one page."""
PAGE_ITEMS = 10_000
"""Most patches in one page, but for what a single device has."""
_LONGEST = 2000
"""Characters of a text that are passed on. What is kept of it is shorter."""
_ARTICLE = re.compile(r"\bKB\d{6,8}\b", re.IGNORECASE)


class _Kept(NamedTuple):
    """What is put aside of a row."""

    external_id: str
    name: str
    category: str | None


def listing(client: LevelClient) -> Iterator[PatchPage]:
    """The available updates of all devices, in bounded pages."""
    with Spool(_Kept) as spool:
        gathering = Gathering(client.listing, spool)
        for errors in gathering.read(PATH, Update, _put, AVAILABLE):
            yield PatchPage(devices=(), errors=errors)
        if errors := gathering.errors():
            yield PatchPage(devices=(), errors=errors)
        yield from _pages(spool)


def of_device(client: LevelClient, external_id: str) -> PatchesOfDevice | None:
    """One device's available updates now; ``None`` where Level says that there is no such device."""
    errors: list[str] = []
    kept: list[_Kept] = []
    try:
        for page in client.listing(
            PATH, Update, errors=errors, params={**AVAILABLE, "device_id": external_id}
        ):
            kept += [one for row in page if (one := _of(row, external_id)) is not None]
    except NotFound:
        return None
    if errors:
        raise BadResponse(f"The list of updates is not complete. {errors[0]}", provider=KEY)
    return _device(external_id, kept)


def _put(row: Update) -> tuple[str, _Kept] | None:
    device, kept = identifier(row.device_id), _kept(row)
    if device is None:
        raise ValueError("it names no device")
    if kept is None:
        raise ValueError(f"it has neither id nor name (device {device})")
    return (device, kept) if _is_available(row) else None


def _of(row: Update, device: str) -> _Kept | None:
    """What is kept of a row of this device; of another one nothing, should the filter be passed over."""
    return _kept(row) if _is_available(row) and identifier(row.device_id) in (device, None) else None


def _is_available(row: Update) -> bool:
    return flag(row.is_available) is not False


def _kept(row: Update) -> _Kept | None:
    name = _text(row.name)
    external_id = identifier(row.id) or name
    return None if external_id is None else _Kept(external_id, name or external_id, _text(row.category))


def _text(value: str | float | bool | None) -> str | None:
    found = text(value)
    return found[:_LONGEST] if found else None


def _pages(spool: Spool[_Kept]) -> Iterator[PatchPage]:
    told = ((_device(external_id, kept), len(kept)) for external_id, kept in spool.devices())
    return (PatchPage(devices=page) for page in in_pages(told, PAGE_DEVICES, PAGE_ITEMS))


def _device(external_id: str, kept: Sequence[_Kept]) -> PatchesOfDevice:
    return PatchesOfDevice(external_device_id=external_id, items=tuple(map(_patch, kept)))


def _patch(kept: _Kept) -> Patch:
    """Level does not say whether an update is the system's; all of them are counted as such."""
    article = _ARTICLE.search(kept.name)
    return Patch(
        kind=PatchKind.OS,
        external_id=kept.external_id,
        name=kept.name,
        status=PatchStatus.PENDING,
        category=kept.category,
        kb=article[0].upper() if article else None,
    )
