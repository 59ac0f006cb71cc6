"""Writing one page of devices: what is new or changed goes to assets and rows, the rest costs nothing.

The number of statements does not depend on the number of devices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rmm_extension.domain import assets, fingerprint
from rmm_extension.domain.types import Device
from rmm_extension.host import AssetChange
from rmm_extension.models import utc_now
from rmm_extension.services.driver import json_text

from . import adoption, device_events, sql
from .alone import completed
from .alone import known as known_alone
from .items import Item, Known
from .scope import Scope

T = TypeVar("T")
_ATTEMPTS = 3


class Overtaken(Exception):
    """Another transaction made a row of the page meanwhile: roll back and write the page again."""


def again_if_overtaken(work: Callable[[], T]) -> T:
    """Do the work, from the beginning when it was overtaken: what the other one made is then found."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(Overtaken):
            return work()
    return work()


@dataclass(slots=True)
class Written:
    """What became of a page. ``held`` are devices whose fate only the end of the listing decides."""

    counts: Counter[str] = field(default_factory=Counter)
    held: list[Device] = field(default_factory=list)


def write(session: Session, scope: Scope, devices: Collection[Device]) -> Written:
    """Write a page in the caller's transaction. Raises :class:`Overtaken`."""
    now = utc_now()
    result = Written()
    mine = _of_mapped(scope, devices, result)
    known = _known(session, scope, mine)
    sorted_out = _sort_out(scope, mine, known)
    items = adoption.settle(session, scope, sorted_out.items, result.held)
    items = _without_idle(scope, items, sorted_out.moved)
    _apply_assets(session, scope, items, now)
    heirs = adoption.heirs(session, scope, items)
    _hold(session, scope, [*(i.id for i in items if i.row), *(row["id"] for row in sorted_out.moved), *heirs])
    _tell_anew(session, scope, heirs)
    _write_rows(session, scope, items, now)
    device_events.tell(session, scope.tenant_id, items)
    _move_last_seen(session, scope, sorted_out.moved)
    _count(result.counts, sorted_out, items, len(mine) - sorted_out.skipped - len(result.held))
    return result


def _of_mapped(scope: Scope, devices: Collection[Device], result: Written) -> dict[str, Device]:
    """The devices by external id, the last of a repeated one, without those of organizations not synced."""
    mine = {d.external_id: d for d in devices if d.external_organization_id in scope.clients}
    skipped = sum(d.external_organization_id not in scope.clients for d in devices)
    if skipped:
        result.counts["skipped"] = skipped
    return mine


def _known(session: Session, scope: Scope, mine: dict[str, Device]) -> dict[str, Known]:
    if not mine or (scope.listing and scope.listing.is_first):
        return {}
    if scope.listing is None:
        alone = {name: known_alone(session, scope, device) for name, device in mine.items()}
        return {name: row for name, row in alone.items() if row is not None}
    found = sql.rows_planned_anew(session, sql.KNOWN, {**scope.place, "ids": json_text(list(mine))})
    return {row[0]: Known(*row[1:]) for row in found}


class _SortedOut(NamedTuple):
    items: list[Item]
    moved: list[dict[str, object]]
    skipped: int


def _sort_out(scope: Scope, mine: dict[str, Device], known: dict[str, Known]) -> _SortedOut:
    """Tell what needs writing from what only was seen again and from what is as it was."""
    items: list[Item] = []
    moved: list[dict[str, object]] = []
    skipped = 0
    has_assets = scope.rmm.host.assets is not None
    for external_id, device in mine.items():
        row = known.get(external_id)
        client_id = scope.clients[device.external_organization_id]
        whole = device if row is None or row.stored is None else completed(device, row.stored)
        core = fingerprint.core_digest(whole) + scope.owner(client_id)
        hardware = fingerprint.hardware_digest(whole)
        if row is None and client_id is None:
            skipped += 1
        elif row is None:
            items.append(Item(device, None, client_id, core, hardware))
        elif row.core_hash != core or hardware not in (None, row.hardware_hash):
            items.append(Item(device, row, client_id, core, hardware))
        elif row.is_missing or row.is_deleted:
            items.append(Item(device, row, client_id, core, hardware, is_changed=row.is_deleted))
        elif has_assets and row.asset_id is None:
            items.append(Item(device, row, client_id, core, hardware, is_changed=False, seeks=True))
        else:
            moved.extend(_moved(device, row))
    return _SortedOut(items, moved, skipped)


def _moved(device: Device, row: Known) -> Iterator[dict[str, object]]:
    """When a device that is as it was has been seen, where that is another time."""
    if device.last_seen_at is not None and device.last_seen_at != row.last_seen_at:
        yield {"id": row.id, "seen": device.last_seen_at}


def _without_idle(scope: Scope, items: list[Item], moved: list[dict[str, object]]) -> list[Item]:
    """The items that need writing: not those that sought an asset in vain, where none is made for them."""
    if scope.makes_assets:
        return items
    for item in items:
        if item.is_idle and item.row is not None:
            moved.extend(_moved(item.device, item.row))
    return [item for item in items if not item.is_idle]


def _apply_assets(session: Session, scope: Scope, items: Sequence[Item], now: datetime) -> None:
    """Create and update the assets of the items; each item then knows its asset."""
    port = scope.rmm.host.assets
    if port is None:
        return
    due = [item for item in items if item.fills_asset and (item.asset_id or scope.makes_assets)]
    if not due:
        return
    changes = [_change(scope, item, now) for item in due]
    for item, applied in zip(due, port.apply(session, scope.tenant_id, changes), strict=True):
        item.asset_id = applied.asset_id


def _change(scope: Scope, item: Item, now: datetime) -> AssetChange:
    device = item.device
    is_new = item.asset_id is None
    return AssetChange(
        asset_id=item.asset_id,
        client_id=item.client_id if item.follows_client else None,
        name=device.name,
        asset_type=assets.asset_type(device, is_new=is_new),
        serial=device.serial,
        location=device.location,
        rmm_provider=scope.provider,
        rmm_device_id=device.external_id,
        rmm_organization_id=device.external_organization_id,
        agent_status=device.status.value,
        last_seen_at=device.last_seen_at,
        asset_tag=_tag(scope, device) if is_new else None,
        reactivate=item.row is not None and item.row.is_deleted,
        vitals=assets.vitals(device, now),
    )


def _tag(scope: Scope, device: Device) -> str:
    manifest = scope.manifest
    return assets.asset_tag(manifest.tag, device, by_serial=manifest.tags_by_serial)


def _hold(session: Session, scope: Scope, ids: Sequence[object]) -> None:
    """Lock all that the page writes, in one order with everybody else; of one row there is no order."""
    if len(ids) > 1:
        sql.rows(session, sql.HOLD, {**scope.place, "ids": json_text(ids)})


def _write_rows(session: Session, scope: Scope, items: Sequence[Item], now: datetime) -> None:
    new = [item for item in items if item.row is None]
    known = [item for item in items if item.row is not None]
    if new:
        _insert(session, scope, json_text([_row(item) for item in new]), now)
    if known:
        values = {**scope.place, "rows": json_text([_row(item) for item in known]), "now": now}
        if sql.execute(session, sql.UPDATE_DEVICES, values) != len(known):
            raise Overtaken


def _insert(session: Session, scope: Scope, rows: str, now: datetime) -> None:
    try:
        sql.execute(session, sql.INSERT_DEVICES, {**scope.place, "rows": rows, "now": now})
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        if scope.listing:
            scope.listing.is_first = False
        raise Overtaken from error


def _row(item: Item) -> dict[str, object]:
    """What is to be stored of a device; what has no key is not known, or is stored as it is."""
    device = item.device
    facts = assets.facts(device)
    hardware = device.hardware if item.has_new_hardware else None
    if hardware is None:
        facts.pop("hardware", None)
    if item.proposal:
        facts[adoption.PROPOSAL] = item.proposal
    row = {
        "id": item.id,
        "external_id": device.external_id,
        "organization": device.external_organization_id,
        "asset_id": item.asset_id,
        "client_id": item.client_id if item.follows_client else None,
        "name": device.name,
        "kind": device.kind,
        "status": device.status,
        "last_seen_at": device.last_seen_at,
        "serial": device.serial,
        "facts": facts,
        "core_hash": "\\x" + item.core_hash.hex(),
    }
    if item.row is not None:
        row["known_asset_id"], row["known_deleted"] = item.row.asset_id, item.row.is_deleted
    if hardware is not None and item.hardware_hash is not None:
        row["macs"] = hardware.macs or None
        row["hardware_hash"] = "\\x" + item.hardware_hash.hex()
        row["offline_after"] = device.offline_after_minutes
        row["overdue_after"] = device.overdue_after_minutes
    return row


def _move_last_seen(session: Session, scope: Scope, moved: Sequence[Mapping[str, object]]) -> None:
    if moved:
        sql.execute(session, sql.MOVE_LAST_SEEN, {**scope.place, "moved": json_text(moved)})


def _tell_anew(session: Session, scope: Scope, ids: Sequence[UUID]) -> None:
    if ids:
        sql.execute(session, sql.TELL_ANEW, {**scope.place, "ids": ids})


def _count(counts: Counter[str], sorted_out: _SortedOut, items: Sequence[Item], processed: int) -> None:
    counts["processed"] += processed
    counts["unchanged"] += processed - len(items)
    counts["skipped"] += sorted_out.skipped
    for item in items:
        counts["updated" if item.row else "created"] += 1
        counts.update(item.marks)
