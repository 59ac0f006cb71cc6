"""A device fetched alone: what its vendor leaves out there is taken as it is known.

A vendor tells less of one device than its list does, and sometimes more. Held against the digest of the list,
either would make the device look changed, and so would the next list. So it is held against what is stored:
only what it tells, and tells otherwise, is a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from rmm_extension.domain import fingerprint
from rmm_extension.domain.types import Device, DeviceKind, Hardware

from . import sql
from .items import Known
from .scope import Scope

_DIGEST = 16
_UNTOLD = bytes(_DIGEST)
_KNOWN = len(Known._fields) - 1
_FACTS = frozenset(Device.__struct_fields__)
_COLUMNS = ("name", "kind", "serial", "offline_after_minutes", "overdue_after_minutes")


def known(session: Session, scope: Scope, device: Device) -> Known | None:
    """What is stored of it, its digests being those of the stored values themselves.

    One that says "look anew" stays as it is.
    """
    values = {**scope.place, "id": device.external_id}
    for row in sql.rows(session, sql.KNOWN_ALONE, values):
        *columns, facts = row[_KNOWN:]
        found = Known(*row[:_KNOWN])
        stored = _stored(found, device, dict(zip(_COLUMNS, columns, strict=True)), facts)
        core, hardware = _digests(found, stored)
        return found._replace(stored=stored, core_hash=core, hardware_hash=hardware)
    return None


def completed(device: Device, stored: Device) -> Device:
    """The device with what is stored where it tells nothing."""
    blanks = {
        name: getattr(stored, name) for name in Device.__struct_fields__ if getattr(device, name) is None
    }
    if device.hardware is None:
        blanks["hardware"] = None
    elif stored.hardware is not None:
        blanks["hardware"] = _merged(device.hardware, stored.hardware)
    if device.kind is DeviceKind.UNKNOWN:
        blanks["kind"] = stored.kind
    return msgspec.structs.replace(device, **blanks)


def _merged(told: Hardware, stored: Hardware) -> Hardware:
    blanks = {
        name: getattr(stored, name)
        for name in Hardware.__struct_fields__
        if getattr(told, name) in (None, ())
    }
    return msgspec.structs.replace(told, **blanks)


def _digests(row: Known, stored: Device) -> tuple[bytes | None, bytes | None]:
    core, hardware = row.core_hash, row.hardware_hash
    if core is not None and core[:_DIGEST] != _UNTOLD:
        core = fingerprint.core_digest(stored) + core[_DIGEST:]
    if hardware is not None:
        hardware = fingerprint.hardware_digest(stored) or hardware
    return core, hardware


def _stored(row: Known, device: Device, columns: Mapping[str, Any], facts: Mapping[str, Any]) -> Device:
    values = {
        **{key: value for key, value in facts.items() if key in _FACTS and value is not None},
        **columns,
        "external_id": device.external_id,
        "external_organization_id": row.organization,
        "status": row.status,
        "last_seen_at": row.last_seen_at,
    }
    try:
        return msgspec.convert(values, Device)
    except msgspec.ValidationError:
        # Facts of an earlier shape: whatever is told now is then a change.
        return msgspec.convert({key: value for key, value in values.items() if key not in facts}, Device)
