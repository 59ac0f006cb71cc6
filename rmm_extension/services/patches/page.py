"""Writing one page of patches: a list that is as before costs nothing, one that differs a few rows.

The number of statements does not depend on the number of devices or patches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.errors import ForeignKeyViolation
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rmm_extension.domain import assets
from rmm_extension.domain.patches import NOTHING, Patch, PatchesOfDevice, PatchKind, list_digest, tidied
from rmm_extension.models import new_id, utc_now
from rmm_extension.services.driver import json_text
from rmm_extension.services.inventory.page import Overtaken
from rmm_extension.services.inventory.sql import execute, rows_planned_anew

from . import sql
from .facts import facts_of
from .filling import tell_assets
from .place import Place


class _Known(NamedTuple):
    """A device that is here, with what was last listed for it."""

    id: UUID
    os: bytes | None
    software: bytes | None
    changed_at: datetime | None
    scanned_at: datetime | None
    empty_since: datetime | None
    numbers: Mapping[str, int | None]

    def digest(self, kind: PatchKind) -> bytes | None:
        """Of its list of one kind; ``None`` where that could never be read."""
        return self.os if kind is PatchKind.OS else self.software


@dataclass(frozen=True, slots=True)
class _Changed:
    """A device whose list is to be written: ``items`` are tidied, and of the kinds that have a digest.

    ``facts`` are its numbers where they follow from the list.
    """

    id: UUID
    digests: Mapping[PatchKind, bytes]
    items: Sequence[Patch]
    scanned_at: datetime | None
    facts: Mapping[str, int | bool]


class _Seen(NamedTuple):
    """A list that stays as it is, seen again: as full as before, or told as empty since a time."""

    id: UUID
    scanned_at: datetime | None
    empty_since: datetime | None


def write(
    session: Session, place: Place, devices: Sequence[PatchesOfDevice], kinds: Collection[PatchKind]
) -> Counter[str]:
    """Write a page, which speaks for these kinds, in the caller's transaction; the counts by what happened.

    Raises :class:`Overtaken`.
    """
    known = _known(session, place, devices)
    mine = [(told, known[told.external_device_id]) for told in devices if told.external_device_id in known]
    counts = Counter(processed=len(mine), ignored=len(devices) - len(mine))
    sorted_out = _sort_out(place, mine, kinds)
    # Assets before devices, as a page of a device sync locks them.
    tell_assets(session, place, sorted_out.vitals)
    counts.update(_write_changed(session, place, sorted_out.changed, kinds))
    if sorted_out.seen:
        execute(session, sql.NOTE_SEEN, {"tenant": place.tenant_id, "seen": _seen(sorted_out.seen)})
    counts["updated"] = len(sorted_out.changed)
    counts["doubtful"] = sorted_out.doubtful
    counts["unchanged"] = len(mine) - len(sorted_out.changed) - sorted_out.doubtful
    return counts


def _known(session: Session, place: Place, devices: Sequence[PatchesOfDevice]) -> dict[str, _Known]:
    if not devices:
        return {}
    ids = json_text([told.external_device_id for told in devices])
    found = rows_planned_anew(session, sql.KNOWN, {**place.values, "ids": ids})
    return {row[0]: _Known._make(row[1:]) for row in found}


class _SortedOut(NamedTuple):
    changed: list[_Changed]
    seen: list[_Seen]
    doubtful: int
    vitals: dict[UUID, dict[str, Any]]


def _sort_out(
    place: Place, mine: Sequence[tuple[PatchesOfDevice, _Known]], kinds: Collection[PatchKind]
) -> _SortedOut:
    """Tell lists that changed from those that are as before, and from those that are suddenly empty."""
    changed: list[_Changed] = []
    seen: list[_Seen] = []
    vitals: dict[UUID, dict[str, Any]] = {}
    doubtful = 0
    for told, known in mine:
        items = [item for item in tidied(told.items) if item.kind in kinds]
        digests = {kind: list_digest(item for item in items if item.kind is kind) for kind in kinds}
        if _is_later(told.scanned_at, known.scanned_at):
            vitals[known.id] = {"last_patch_scan_at": told.scanned_at}
        elif place.alone and known.scanned_at is not None:
            # The vendor may have told of the scan by a message, which has this device asked for.
            vitals[known.id] = {"last_patch_scan_at": known.scanned_at}
        if all(known.digest(kind) == digest for kind, digest in digests.items()):
            if known.empty_since is not None or _is_later(told.scanned_at, known.scanned_at):
                seen.append(_Seen(known.id, told.scanned_at, None))
        elif known.changed_at is not None and known.changed_at > place.asked_at:
            # Somebody has refreshed the device since the vendor was asked: that is the later word.
            continue
        elif not items and _is_doubtful(place, known, kinds):
            doubtful += 1
            if known.empty_since is None:
                seen.append(_Seen(known.id, told.scanned_at, place.began_at))
        else:
            facts = facts_of(items, kinds, known.numbers) if place.counts else {}
            changed.append(_Changed(known.id, digests, items, told.scanned_at, facts))
            if facts:
                vitals.setdefault(known.id, {}).update(assets.patch_vitals(facts))
    return _SortedOut(changed, seen, doubtful, vitals)


def _is_later(told: datetime | None, known: datetime | None) -> bool:
    return told is not None and (known is None or told > known)


def _is_doubtful(place: Place, known: _Known, kinds: Collection[PatchKind]) -> bool:
    """A vendor in trouble tells an empty list, or leaves a device out. It is believed the second time."""
    had_some = any(known.digest(kind) not in (None, NOTHING) for kind in kinds)
    return had_some and (known.empty_since is None or known.empty_since >= place.began_at)


def _write_changed(
    session: Session, place: Place, changed: Sequence[_Changed], kinds: Collection[PatchKind]
) -> dict[str, int]:
    if not changed:
        return {}
    values = {"tenant": place.tenant_id, "now": utc_now(), "asked": place.asked_at}
    if place.counts:
        told = [{"id": one.id, "facts": one.facts} for one in changed]
        execute(session, sql.NOTE_NUMBERS, {**values, "numbers": json_text(told)})
    _note_lists(session, values, changed)
    rows = json_text([_row(one.id, item) for one in changed for item in one.items])
    devices = [str(one.id) for one in changed]
    values |= {"rows": rows, "devices": devices, "kinds": [*kinds]}
    ((new, other, gone),) = rows_planned_anew(session, sql.WRITE, values)
    return {"added": new, "changed": other, "removed": gone}


def _note_lists(session: Session, values: Mapping[str, Any], changed: Sequence[_Changed]) -> None:
    lists = json_text([_list(one) for one in changed])
    try:
        written = execute(session, sql.NOTE_LISTS, {**values, "lists": lists})
    except IntegrityError as error:
        # The device has gone with its connection since it was looked for.
        if isinstance(error.orig, ForeignKeyViolation):
            raise Overtaken from error
        raise
    if written != len(changed):
        # Somebody has refreshed one since it was looked for.
        raise Overtaken


def _list(one: _Changed) -> dict[str, object]:
    digests = {f"{kind}_digest": "\\x" + digest.hex() for kind, digest in one.digests.items()}
    return {"id": one.id, "scanned_at": one.scanned_at, **digests}


def _row(device_id: UUID, item: Patch) -> dict[str, object]:
    return {
        "id": new_id(),
        "device_id": device_id,
        "kind": item.kind,
        "external_id": item.external_id,
        "name": item.name,
        "status": item.status,
        "severity": item.severity,
        "category": item.category,
        "kb": item.kb,
        "changed_at": item.changed_at,
    }


def _seen(seen: Sequence[_Seen]) -> str:
    return json_text([one._asdict() for one in seen])
