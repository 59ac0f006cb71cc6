"""Patches of devices as their vendors list them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b

import msgspec

LONGEST_ID = 200
LONGEST_NAME = 500
LONGEST_WORD = 100
"""Characters that are kept. Id and name stand in indexes, which take no more."""


class PatchKind(StrEnum):
    """What a patch is for."""

    OS = "os"
    SOFTWARE = "software"


KINDS = frozenset(PatchKind)


class PatchStatus(StrEnum):
    """Where a patch is on its way; the first three wait, and nobody waits for a rejected one."""

    PENDING = "pending"
    APPROVED = "approved"
    FAILED = "failed"
    REJECTED = "rejected"
    INSTALLED = "installed"


WAITING = frozenset({PatchStatus.PENDING, PatchStatus.APPROVED})
"""What a device still is to get; what failed is counted on its own."""


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """One patch on one device.

    ``external_id`` identifies it on its device together with ``kind``; ``name``, ``severity`` and
    ``category`` are the vendor's words, ``kb`` a Microsoft article with its letters ("KB5034441").
    ``changed_at`` is when it was installed or found failed, where the vendor says it.
    """

    kind: PatchKind
    external_id: str
    name: str
    status: PatchStatus
    severity: str | None = None
    category: str | None = None
    kb: str | None = None
    changed_at: datetime | None = None


class PatchesOfDevice(msgspec.Struct, frozen=True, kw_only=True):
    """All patches of one device that the vendor lists; what is not in ``items`` is not on its list.

    ``scanned_at`` is the last time they were looked for, where the vendor says it. Of a device that was asked
    for alone, ``unread`` are the kinds whose list could not be read, each with a sentence: of them nothing is
    said here.
    """

    external_device_id: str
    items: tuple[Patch, ...]
    scanned_at: datetime | None = None
    unread: Mapping[PatchKind, str] = {}


class PatchNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """How many patches of a device wait, failed and are installed."""

    pending: int = 0
    failed: int = 0
    installed: int = 0


class PatchPage(msgspec.Struct, frozen=True, kw_only=True):
    """A bounded slice of a patch listing; ``errors`` are rows that could not be read, as sentences.

    ``strangers`` counts rows of devices that the vendor's own list of devices does not name. ``unread`` are
    the kinds that the whole listing says nothing of, each with a sentence why; they are told before any
    device is.
    """

    devices: tuple[PatchesOfDevice, ...]
    errors: tuple[str, ...] = ()
    strangers: int = 0
    unread: Mapping[PatchKind, str] = {}


def tidied(items: Iterable[Patch]) -> list[Patch]:
    """Each patch of a device once, cut to what can be kept; none without an id or a name.

    One patch is what has one id; and what has one name and article, for a vendor may know a patch that waits
    by another id than its tries.
    """
    kept = [item for item in map(_cut, items) if item.external_id and item.name]
    by_id = _joined_by(kept, lambda item: (item.kind, item.external_id))
    return _joined_by(by_id, lambda item: (item.kind, item.name, item.kb))


def joined(same: Sequence[Patch]) -> Patch:
    """The one word on a patch that a device's vendor lists several times, as waiting and as tried.

    Of the tries, told by their times, the last one counts; where a time is missing, the failed one. Then what
    is rejected stays so, for nobody waits for it; a failed try outweighs that the patch waits for another
    one; and a patch that waits again is not taken for installed. What the others tell beside is kept, and
    the id under which it waits.
    """
    same = sorted(same, key=_encode)
    tries = [patch for patch in same if patch.status in _TRIES]
    counted = [patch for patch in same if patch.status not in _TRIES]
    if tries:
        counted.append(_last(tries))
    first = max(counted, key=lambda patch: _WEIGHT[patch.status])
    others = [patch for patch in same if patch is not first]
    return msgspec.structs.replace(
        first,
        external_id=next((one.external_id for one in same if one.status not in _TRIES), first.external_id),
        severity=first.severity or _any(patch.severity for patch in others),
        category=first.category or _any(patch.category for patch in others),
        kb=first.kb or _any(patch.kb for patch in others),
        changed_at=first.changed_at or _latest(others, first.status),
    )


def numbers(items: Iterable[Patch], kind: PatchKind | None = None) -> PatchNumbers:
    """How a device stands by its tidied patches, or by those of one kind."""
    mine = [item.status for item in items if kind in (None, item.kind)]
    return PatchNumbers(
        pending=sum(status in WAITING for status in mine),
        failed=mine.count(PatchStatus.FAILED),
        installed=mine.count(PatchStatus.INSTALLED),
    )


def list_digest(items: Iterable[Patch]) -> bytes:
    """16 bytes over a device's tidied patches, in whichever order the vendor tells them."""
    return blake2b(b"".join(sorted(map(_encode, items))), digest_size=16).digest()


_TRIES = frozenset({PatchStatus.FAILED, PatchStatus.INSTALLED})
_WEIGHT = {
    status: weight
    for weight, status in enumerate(
        (
            PatchStatus.INSTALLED,
            PatchStatus.PENDING,
            PatchStatus.APPROVED,
            PatchStatus.FAILED,
            PatchStatus.REJECTED,
        )
    )
}
_encode = msgspec.json.Encoder().encode

NOTHING = list_digest(())
"""The digest of an empty list."""


def _joined_by(items: Iterable[Patch], key: Callable[[Patch], Hashable]) -> list[Patch]:
    found: dict[Hashable, list[Patch]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return [same[0] if len(same) == 1 else joined(same) for same in found.values()]


def _last(tries: Sequence[Patch]) -> Patch:
    """The try that decides; of two at one moment, and where a time is missing, the failed one."""
    by_weight = sorted(tries, key=lambda patch: _WEIGHT[patch.status])
    timed = [patch for patch in by_weight if patch.changed_at is not None]
    if len(timed) < len(by_weight):
        return by_weight[-1]
    return max(reversed(by_weight), key=lambda patch: patch.changed_at)  # type: ignore[arg-type, return-value]


def _any(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)


def _latest(patches: Iterable[Patch], status: PatchStatus) -> datetime | None:
    times = [one.changed_at for one in patches if one.status is status and one.changed_at is not None]
    return max(times, default=None)


def _cut(item: Patch) -> Patch:
    return msgspec.structs.replace(
        item,
        external_id=_line(item.external_id, LONGEST_ID),
        name=_line(item.name, LONGEST_NAME),
        severity=_line(item.severity or "", LONGEST_WORD) or None,
        category=_line(item.category or "", LONGEST_WORD) or None,
        kb=_line(item.kb or "", LONGEST_WORD) or None,
    )


def _line(text: str, longest: int) -> str:
    return " ".join(text.replace("\x00", "").split())[:longest].rstrip()
