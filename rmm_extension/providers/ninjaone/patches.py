"""The patches: four reports of the whole fleet, and one device's four lists.

Facts by NinjaOne's OpenAPI 2.0.9 and its own PowerShell module, which has the words of ``status`` (MANUAL,
APPROVED, FAILED, REJECTED; tries INSTALLED and FAILED) and a device's lists of software patches. The reports
of patches hold what a device lacks, those of installs what was tried, with its time: rows of no order by
device. A patch may be in both, as waiting and as failed. Times are epoch seconds.

An account without patching of other software, or a sign-in whose role does not allow it, is refused those
lists: then the others are read, and nothing is said of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import msgspec

from rmm_extension.domain.errors import NotFound, PermissionMissing
from rmm_extension.domain.patches import KINDS, Patch, PatchesOfDevice, PatchKind, PatchPage, PatchStatus
from rmm_extension.providers.gathering import Gathering, in_pages
from rmm_extension.providers.ninjaone.client import NinjaOneClient
from rmm_extension.providers.ninjaone.errors import WrongHost
from rmm_extension.providers.ninjaone.own_rows import rows_of_device
from rmm_extension.providers.spool import Spool
from rmm_extension.providers.values import Scalar, epoch, identifier, text

T = TypeVar("T")

HISTORY = timedelta(days=90)
"""Tries that are older are not asked for, and left out where they come all the same."""
PAGE_DEVICES = 250
"""Most devices in one page."""
PAGE_ITEMS = 10_000
"""Most patches in one page, but for what a single device has."""
_LONGEST = 2000
"""Characters of a text that are passed on. What is kept of it is shorter."""

STATUSES: Mapping[str, PatchStatus] = MappingProxyType(
    {
        "MANUAL": PatchStatus.PENDING,
        "PENDING": PatchStatus.PENDING,
        "APPROVED": PatchStatus.APPROVED,
        "REJECTED": PatchStatus.REJECTED,
        "FAILED": PatchStatus.FAILED,
        "INSTALLED": PatchStatus.INSTALLED,
    }
)
"""NinjaOne's words. A patch under any other one is neither installed nor given up: it is pending."""


class Report(NamedTuple):
    """One of the reports: what its patches are for, and whether it holds tries."""

    name: str
    kind: PatchKind
    tries: bool


REPORTS = (
    Report("os-patches", PatchKind.OS, tries=False),
    Report("os-patch-installs", PatchKind.OS, tries=True),
    Report("software-patches", PatchKind.SOFTWARE, tries=False),
    Report("software-patch-installs", PatchKind.SOFTWARE, tries=True),
)


_SUBJECTS = {
    PatchKind.OS: "Patches of the operating system",
    PatchKind.SOFTWARE: "Patches of other software",
}
_Refused = dict[PatchKind, PermissionMissing | NotFound]


class Row(msgspec.Struct, rename="camel"):
    """One patch on a device, of the system (``name``, ``severity``) or of other software (``title``,
    ``impact``); in a device's own list without its id."""

    device_id: Scalar = None
    id: Scalar = None
    name: Scalar = None
    title: Scalar = None
    status: Scalar = None
    severity: Scalar = None
    impact: Scalar = None
    type: Scalar = None
    kb_number: Scalar = None
    installed_at: Scalar = None
    timestamp: Scalar = None


class _Kept(NamedTuple):
    """What is put aside of a row; ``seen_at`` is when NinjaOne collected it."""

    kind: PatchKind
    external_id: str
    name: str
    status: PatchStatus
    severity: str | None
    category: str | None
    kb: str | None
    changed_at: datetime | None
    seen_at: datetime | None


def listing(client: NinjaOneClient) -> Iterator[PatchPage]:
    """The patches of all devices that the sign-in may see, in bounded pages."""
    with Spool(_Kept) as spool:
        gathering = Gathering(client.report, spool)
        refused: _Refused = {}
        for report in REPORTS:
            for errors in _tolerantly(report, refused, partial(_gathered, gathering, report)):
                yield PatchPage(devices=(), errors=errors)
        unread = _unread(refused)
        if (errors := gathering.errors()) or unread:
            yield PatchPage(devices=(), errors=errors, unread=unread)
        yield from _pages(spool, unread)


def of_device(client: NinjaOneClient, external_id: str) -> PatchesOfDevice | None:
    """One device's patches now; ``None`` where NinjaOne has none of its lists."""
    kept: list[_Kept] = []
    refused: _Refused = {}
    for report in REPORTS:
        kept += _tolerantly(report, refused, partial(_rows_of, client, external_id, report))
    try:
        unread = _unread(refused)
    except NotFound:
        return None
    told = _device(external_id, [one for one in kept if one.kind not in unread])
    return msgspec.structs.replace(told, unread=unread)


def _gathered(gathering: Gathering[_Kept], report: Report) -> Iterator[tuple[str, ...]]:
    since = _since()
    put = partial(_put, report, since)
    return gathering.read(f"/v2/queries/{report.name}", Row, put, _params(report, since))


def _rows_of(client: NinjaOneClient, external_id: str, report: Report) -> Iterator[_Kept]:
    since = _since()
    for row in rows_of_device(client, external_id, report.name, Row, _params(report, since)):
        found = _kept(report.kind, row)
        if found is not None and _is_wanted(report, found, since):
            yield found


def _tolerantly(report: Report, refused: _Refused, read: Callable[[], Iterator[T]]) -> Iterator[T]:
    """What is read of a report; a refusal is kept, and ends the reading of its kind alone."""
    if report.kind in refused:
        return
    try:
        yield from read()
    except WrongHost:
        raise
    except (PermissionMissing, NotFound) as error:
        refused[report.kind] = error


def _unread(refused: _Refused) -> dict[PatchKind, str]:
    """The refused kinds with a sentence; raises the refusal where there is no other kind."""
    if refused.keys() == KINDS:
        missing = (error for error in refused.values() if isinstance(error, PermissionMissing))
        raise next(missing, refused[PatchKind.OS])
    return {kind: f"{_SUBJECTS[kind]} were not read: {error}" for kind, error in refused.items()}


def _since() -> datetime:
    """From when on tries are asked for: a midnight, so that lists change by it once a day at most."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - HISTORY


def _params(report: Report, since: datetime) -> Mapping[str, Any]:
    return {"installedAfter": int(since.timestamp())} if report.tries else {}


def _is_wanted(report: Report, kept: _Kept, since: datetime) -> bool:
    return not report.tries or kept.changed_at is None or kept.changed_at >= since


def _pages(spool: Spool[_Kept], unread: Collection[PatchKind]) -> Iterator[PatchPage]:
    known = ((key, [one for one in rows if one.kind not in unread]) for key, rows in spool.devices())
    told = ((_device(key, kept), len(kept)) for key, kept in known if kept)
    return (PatchPage(devices=page) for page in in_pages(told, PAGE_DEVICES, PAGE_ITEMS))


def _device(external_id: str, kept: Sequence[_Kept]) -> PatchesOfDevice:
    items = tuple(Patch(**{name: getattr(one, name) for name in _PATCH}) for one in kept)
    seen = [one.seen_at for one in kept if one.seen_at is not None]
    return PatchesOfDevice(external_device_id=external_id, items=items, scanned_at=max(seen, default=None))


_PATCH = tuple(name for name in _Kept._fields if name != "seen_at")


def _put(report: Report, since: datetime, row: Row) -> tuple[str, _Kept] | None:
    device, kept = identifier(row.device_id), _kept(report.kind, row)
    if device is None:
        raise ValueError("it names no device")
    if kept is None:
        raise ValueError(f"it has neither id nor name (device {device})")
    return (device, kept) if _is_wanted(report, kept, since) else None


def _kept(kind: PatchKind, row: Row) -> _Kept | None:
    kb = article(row.kb_number)
    name = _text(row.name) or _text(row.title) or kb
    external_id = identifier(row.id) or kb or name
    if external_id is None:
        return None
    return _Kept(
        kind=kind,
        external_id=external_id,
        name=name or external_id,
        status=status(row.status),
        severity=_text(row.severity) or _text(row.impact),
        category=_text(row.type),
        kb=kb,
        changed_at=epoch(row.installed_at),
        seen_at=epoch(row.timestamp),
    )


def status(value: Scalar) -> PatchStatus:
    """Our word for NinjaOne's, in any case."""
    return STATUSES.get((text(value) or "").upper(), PatchStatus.PENDING)


def article(value: Scalar) -> str | None:
    """A Microsoft article with its letters: ``KB5034441`` from that, from ``kb5034441`` and from 5034441."""
    found = (identifier(value) or "").upper()
    return f"KB{found}" if found.isdecimal() else found[:_LONGEST] or None


def _text(value: Scalar) -> str | None:
    found = text(value)
    return found[:_LONGEST] if found else None
