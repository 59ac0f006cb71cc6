"""Writing one page of software: a list that is as before costs nothing, one that differs a few rows.

The number of statements does not depend on the number of devices or products.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.errors import ForeignKeyViolation
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rmm_extension.domain.software import NOTHING, list_digest, normalized_name, tidied
from rmm_extension.domain.types import InstalledSoftware, SoftwareOfDevice
from rmm_extension.domain.versions import version_key
from rmm_extension.models import new_id, utc_now
from rmm_extension.services.driver import json_text
from rmm_extension.services.inventory.page import Overtaken
from rmm_extension.services.inventory.sql import execute, rows_planned_anew

from . import sql


@dataclass(frozen=True, slots=True)
class Place:
    """Whose devices are told.

    ``asked_at`` is when this attempt asked the vendor, ``began_at`` when the run's first attempt did.
    """

    tenant_id: str
    integration_id: UUID
    asked_at: datetime
    began_at: datetime

    @property
    def values(self) -> dict[str, Any]:
        """The parameters every statement begins with."""
        return {"tenant": self.tenant_id, "integration": self.integration_id}


class _Known(NamedTuple):
    """A device that is here, with what was last listed for it."""

    id: UUID
    digest: bytes | None
    changed_at: datetime | None
    empty_since: datetime | None


@dataclass(frozen=True, slots=True)
class _Changed:
    """A device whose list is to be written."""

    id: UUID
    digest: bytes
    items: Sequence[InstalledSoftware]


def write(session: Session, place: Place, devices: Sequence[SoftwareOfDevice]) -> Counter[str]:
    """Write a page in the caller's transaction; the counts by what happened. Raises :class:`Overtaken`."""
    known = _known(session, place, devices)
    mine = [(told, known[told.external_device_id]) for told in devices if told.external_device_id in known]
    counts = Counter(processed=len(mine), ignored=len(devices) - len(mine))
    sorted_out = _sort_out(place, mine)
    _note_empty(session, place, sorted_out.emptied, place.began_at)
    _note_empty(session, place, sorted_out.full_again, None)
    counts.update(_write_changed(session, place, sorted_out.changed))
    counts["updated"] = len(sorted_out.changed)
    counts["doubtful"] = sorted_out.doubtful
    counts["unchanged"] = len(mine) - len(sorted_out.changed) - sorted_out.doubtful
    return counts


def _known(session: Session, place: Place, devices: Sequence[SoftwareOfDevice]) -> dict[str, _Known]:
    if not devices:
        return {}
    ids = json_text([told.external_device_id for told in devices])
    found = rows_planned_anew(session, sql.KNOWN, {**place.values, "ids": ids})
    return {row[0]: _Known._make(row[1:]) for row in found}


class _SortedOut(NamedTuple):
    changed: list[_Changed]
    emptied: list[UUID]
    full_again: list[UUID]
    doubtful: int


def _sort_out(place: Place, mine: Sequence[tuple[SoftwareOfDevice, _Known]]) -> _SortedOut:
    """Tell lists that changed from those that are as before, and from those that are suddenly empty."""
    found = _SortedOut([], [], [], 0)
    doubtful = 0
    for told, known in mine:
        digest = list_digest(told.items)
        if digest == known.digest:
            if known.empty_since is not None:
                found.full_again.append(known.id)
        elif known.changed_at is not None and known.changed_at > place.asked_at:
            # Somebody has refreshed the device since the vendor was asked: that is the later word.
            continue
        elif digest == NOTHING and _is_doubtful(place, known):
            doubtful += 1
            if known.empty_since is None:
                found.emptied.append(known.id)
        else:
            found.changed.append(_Changed(known.id, digest, told.items))
    return found._replace(doubtful=doubtful)


def _is_doubtful(place: Place, known: _Known) -> bool:
    """An agent that could not read its software tells an empty list. It is believed the second time."""
    had_some = known.digest not in (None, NOTHING)
    return had_some and (known.empty_since is None or known.empty_since >= place.began_at)


def _note_empty(session: Session, place: Place, ids: Sequence[UUID], since: datetime | None) -> None:
    if ids:
        values = {"tenant": place.tenant_id, "devices": _texts(ids), "since": since}
        execute(session, sql.NOTE_EMPTY, values)


def _write_changed(session: Session, place: Place, changed: Sequence[_Changed]) -> dict[str, int]:
    if not changed:
        return {}
    values = {"tenant": place.tenant_id, "now": utc_now()}
    lists = json_text([{"id": one.id, "digest": "\\x" + one.digest.hex()} for one in changed])
    _note_lists(session, {**values, "lists": lists})
    items = [(one.id, item) for one in changed for item in tidied(one.items)]
    products = _products(session, values, [item for _, item in items])
    rows = json_text([_row(device_id, item, products) for device_id, item in items])
    devices = _texts([one.id for one in changed])
    ((new, back, gone),) = rows_planned_anew(session, sql.WRITE, {**values, "rows": rows, "devices": devices})
    return {"installed": new, "returned": back, "removed": gone}


def _note_lists(session: Session, values: Mapping[str, Any]) -> None:
    try:
        execute(session, sql.NOTE_LISTS, values)
    except IntegrityError as error:
        # The device has gone with its connection since it was looked for.
        if isinstance(error.orig, ForeignKeyViolation):
            raise Overtaken from error
        raise


def _products(
    session: Session, values: Mapping[str, Any], items: Sequence[InstalledSoftware]
) -> dict[tuple[str, str], UUID]:
    """The catalog's id of every product, by normalized name and publisher; new ones are added."""
    names: dict[tuple[str, str], str] = {}
    for item in items:
        names.setdefault(_key(item), item.name)
    keys = list(names)
    wanted = [
        {"id": new_id(), "number": number, "key": key[0], "publisher": key[1], "name": names[key]}
        for number, key in enumerate(keys)
    ]
    given = {**values, "products": json_text(wanted)}
    execute(session, sql.ADD_PRODUCTS, given)
    found = {keys[number]: id_ for number, id_ in rows_planned_anew(session, sql.PRODUCTS, given)}
    if len(found) != len(keys):
        # The nightly cleaning has just taken one that nobody had.
        raise Overtaken
    return found


def _key(item: InstalledSoftware) -> tuple[str, str]:
    return normalized_name(item.name), item.publisher


def _row(
    device_id: UUID, item: InstalledSoftware, products: Mapping[tuple[str, str], UUID]
) -> dict[str, object]:
    return {
        "id": new_id(),
        "device_id": device_id,
        "software_id": products[_key(item)],
        "version": item.version,
        "version_key": version_key(item.version),
        "installed_on": item.installed_on,
        "size_bytes": item.size_bytes,
        "location": item.location,
    }


def _texts(ids: Sequence[UUID]) -> list[str]:
    return [str(one) for one in ids]
