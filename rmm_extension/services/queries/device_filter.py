"""What a list of devices, and a host's list of assets, can be narrowed to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    String,
    Text,
    cast,
    exists,
    func,
    literal,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from rmm_extension.domain.types import AgentStatus
from rmm_extension.models import OPEN_SQL, Alert, DeviceRow, Integration, PatchList
from rmm_extension.services.inventory.missing import LISTINGS

from .paging import AnySelect, contains

NOT_ONLINE = "not_online"
"""A status to ask for: any but online."""
FACT = {"yes": True, "no": False, "unknown": None}
"""A fact of a device, by the word to ask for it."""
NEVER = timedelta.max
"""Asked for as the time a device was not seen: it never was."""
SCAN_IS_OLD = timedelta(days=14)
"""A device whose patches were not looked for since then is told of what may be long over."""
UNTOLD = "untold"
"""An antivirus to ask for: of which the vendor says nothing at all."""

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter:
    """What devices are narrowed to; deleted ones are only shown when asked for.

    ``status`` is one of the agent's or :data:`NOT_ONLINE`; ``managed``: asset, none or unmapped; ``patches``
    and ``reboot``: yes, no or unknown, and ``patches`` also os or software (some of that kind are pending) or
    failed; ``antivirus``: protected, at_risk, unknown or :data:`UNTOLD`; ``old_scan``: patches not looked for
    since :data:`SCAN_IS_OLD`; ``missing``: once (not in the last list) or missing (in none of several);
    ``unseen``: not seen for so long.
    """

    status: str | None = None
    kind: str | None = None
    managed: str | None = None
    provider: str | None = None
    integration_id: Any = None
    client_id: str | None = None
    alerts: bool = False
    patches: str | None = None
    reboot: str | None = None
    antivirus: str | None = None
    threats: bool = False
    approval: bool = False
    old_scan: bool = False
    unseen: timedelta | None = None
    missing: str | None = None
    kept: bool = False
    version: str | None = None
    text: str | None = None
    deleted: bool = False


def conditions(session: Session, tenant_id: str, wanted: DeviceFilter) -> list[Condition]:
    """The filter in SQL, in words that the list's index knows."""
    found = [DeviceRow.tenant_id == tenant_id, _gone(wanted.deleted)]
    equal = (
        (DeviceRow.client_id, wanted.client_id),
        (DeviceRow.kind, wanted.kind),
        (DeviceRow.agent_version, wanted.version),
    )
    found += [column == value for column, value in equal if value]
    found += _of_connection(session, tenant_id, wanted)
    found += _facts(wanted)
    found += _safety(wanted)
    found += _standing(wanted)
    if wanted.alerts:
        found.append(alerting(tenant_id))
    if wanted.old_scan:
        found.append(scanned_long_ago(tenant_id))
    if wanted.text:
        found.append(DeviceRow.name.ilike(contains(wanted.text)))
    return found


def _gone(deleted: bool) -> Condition:
    return DeviceRow.deleted_at.is_not(None) if deleted else DeviceRow.deleted_at.is_(None)


def _of_connection(session: Session, tenant_id: str, wanted: DeviceFilter) -> list[Condition]:
    """One connection is asked for by ``=``, which keeps the index's order; several only where there are."""
    if wanted.integration_id:
        return [DeviceRow.integration_id == wanted.integration_id]
    if not wanted.provider:
        return []
    mine = (Integration.tenant_id == tenant_id, Integration.provider == wanted.provider)
    ids = session.scalars(select(Integration.id).where(*mine)).all()
    return [DeviceRow.integration_id == ids[0]] if len(ids) == 1 else [DeviceRow.integration_id.in_(ids)]


def _facts(wanted: DeviceFilter) -> Iterator[Condition]:
    if wanted.status == NOT_ONLINE:
        yield DeviceRow.status != "online"
    elif wanted.status:
        yield DeviceRow.status == wanted.status
    for column, word in (
        (DeviceRow.patches_pending, wanted.patches),
        (DeviceRow.needs_reboot, wanted.reboot),
    ):
        if word in FACT:
            yield column.is_(FACT[word])
    if wanted.patches in PATCHES_OF:
        yield PATCHES_OF[wanted.patches].is_(true())
    if wanted.unseen is not None:
        yield from unseen_for(wanted.unseen)


PATCHES_OF = {
    "os": DeviceRow.os_pending,
    "software": DeviceRow.software_pending,
    "failed": DeviceRow.patches_failed,
}
"""Further truths about a device's patches, by the word to ask for them."""


def _safety(wanted: DeviceFilter) -> Iterator[Condition]:
    """What the vendor says of the device's protection, and of whether it may take part at all."""
    if wanted.antivirus == UNTOLD:
        yield DeviceRow.antivirus.is_(None)
    elif wanted.antivirus:
        yield DeviceRow.antivirus == wanted.antivirus
    if wanted.threats:
        yield DeviceRow.threatened.is_(true())
    if wanted.approval:
        yield DeviceRow.awaits_approval.is_(true())


def _standing(wanted: DeviceFilter) -> Iterator[Condition]:
    """How the device stands to the host's assets and to the vendor's lists."""
    if wanted.managed == "asset":
        yield DeviceRow.asset_id.is_not(None)
    elif wanted.managed == "none":
        yield DeviceRow.asset_id.is_(None)
    elif wanted.managed == "unmapped":
        yield DeviceRow.client_id.is_(None)
    if wanted.missing:
        yield missing(wanted.missing)
    if wanted.kept:
        yield DeviceRow.kept == true()


def missing(word: str) -> Condition:
    """Devices that complete listings did not name: the last one (``once``), or as many as prove it."""
    bounds = f"BETWEEN 1 AND {LISTINGS - 1}" if word == "once" else f">= {LISTINGS}"
    # The number stands in the statement: a plan with a parameter cannot prove that the index applies.
    return literal_column(f"rmm_devices.missing_count {bounds}", Boolean)


def unseen_for(span: timedelta) -> Iterator[Condition]:
    """Devices that were not seen for so long; the week is in the list's index, the instant is not."""
    if span == NEVER:
        yield DeviceRow.seen_week.is_(None)
        return
    since = func.now() - literal(span)
    yield DeviceRow.seen_week <= cast(func.timezone("UTC", since), Date)
    yield DeviceRow.last_seen_at < since


def scanned_long_ago(tenant_id: str) -> Condition:
    """Devices whose patches were looked for, but not lately; no join, as with active alerts."""
    return DeviceRow.id.in_(select(PatchList.id).where(*old_scans(tenant_id))).is_(True)


def old_scans(tenant_id: str) -> tuple[Condition, ...]:
    """Lists of patches that were looked through, but not lately; the week stands in the index."""
    since = func.now() - literal(SCAN_IS_OLD)
    week = PatchList.scanned_week <= cast(func.timezone("UTC", since), Date)
    return PatchList.tenant_id == tenant_id, week, PatchList.scanned_at < since


def alerting(tenant_id: str) -> Condition:
    """Devices on which an alert is active. ``IS TRUE`` keeps the planner from joining: it then asks for the
    list's order first, and the few ids that have alerts are looked up in memory."""
    mine = select(Alert.device_id).where(Alert.tenant_id == tenant_id, *active())
    return DeviceRow.id.in_(mine).is_(True)


def active() -> tuple[Condition, ...]:
    """Active alerts, in the words of the index of the open ones of a device."""
    return (text(OPEN_SQL.replace("status", "rmm_alerts.status")), Alert.status == "active")  # type: ignore[return-value]


AssetColumn = Column[Any] | InstrumentedAttribute[Any]


def asset_conditions(tenant_id: str, asset_id: AssetColumn, args: Mapping[str, str]) -> list[Condition]:
    """Conditions of a host's list of assets, by the parameters of its filters.

    ``rmm_managed``: yes or no; the others are together true of one device of the asset: ``agent_status`` (one
    of the agent's or ``not_online``), ``rmm_provider``, ``rmm_alerts=active``, ``rmm_patches`` (yes, no or
    unknown). Whatever else they say is as if they were not there.
    """
    of_asset = _devices_of(tenant_id, asset_id)
    status, patches = args.get("agent_status"), args.get("rmm_patches")
    wanted = DeviceFilter(
        status=status if status in (*AgentStatus, NOT_ONLINE) else None,
        provider=args.get("rmm_provider") or None,
        alerts=args.get("rmm_alerts") == "active",
        patches=patches if patches in FACT else None,
    )
    found: list[Condition] = []
    if wanted != DeviceFilter():
        found.append(exists(of_asset.where(*_told_of_assets(tenant_id, wanted))))
    if args.get("rmm_managed") in ("yes", "no"):
        managed = exists(of_asset)
        found.append(managed if args["rmm_managed"] == "yes" else ~managed)
    return found


def _devices_of(tenant_id: str, asset_id: AssetColumn) -> AnySelect:
    id_ = asset_id if isinstance(asset_id.type, String) else cast(asset_id, Text)
    return select(DeviceRow.id).where(
        DeviceRow.tenant_id == tenant_id, DeviceRow.asset_id == id_, DeviceRow.deleted_at.is_(None)
    )


def _told_of_assets(tenant_id: str, wanted: DeviceFilter) -> Iterator[Condition]:
    yield from _facts(wanted)
    if wanted.provider:
        of_vendor = (Integration.tenant_id == tenant_id, Integration.provider == wanted.provider)
        yield DeviceRow.integration_id.in_(select(Integration.id).where(*of_vendor))
    if wanted.alerts:
        of_device = (Alert.tenant_id == tenant_id, Alert.device_id == DeviceRow.id)
        yield exists(select(Alert.id).where(*of_device, *active()))
