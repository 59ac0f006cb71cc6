"""How the devices of each client stand: patches, protection, alerts. Three statements in all.

A fact that no vendor tells of a device is not known of it, and never counted as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, text, true
from sqlalchemy.orm import Session

from rmm_extension.domain.types import AgentStatus
from rmm_extension.models import OPEN_SQL, Alert, DeviceRow, PatchList

from .device_filter import Condition, old_scans

STATUSES = tuple(status.value for status in AgentStatus if status != AgentStatus.UNKNOWN)
TRUTHS = {
    "patches": DeviceRow.patches_pending,
    "os": DeviceRow.os_pending,
    "software": DeviceRow.software_pending,
    "failed": DeviceRow.patches_failed,
    "threats": DeviceRow.threatened,
    "reboot": DeviceRow.needs_reboot,
}
"""Truths about a device that are counted, by the word for them."""
SHORT = ("patches", "failed", "at_risk", "reboot")
"""What is told of compliance where there is little room."""
ANTIVIRUS = {"at_risk": "at_risk", "antivirus_unknown": "unknown"}
"""States of the antivirus that are counted, by the word for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceFilter:
    """Whose devices are counted; ``integration_ids`` are those of all connections where it is ``None``."""

    integration_ids: Collection[UUID] | None = None
    client_id: str | None = None
    kind: str | None = None

    def devices(self, tenant_id: str) -> list[Condition]:
        """The conditions on a device; deleted ones never count."""
        found: list[Condition] = [DeviceRow.tenant_id == tenant_id, DeviceRow.deleted_at.is_(None)]
        if self.integration_ids is not None:
            found.append(DeviceRow.integration_id.in_(self.integration_ids))
        if self.client_id:
            found.append(DeviceRow.client_id == self.client_id)
        if self.kind:
            found.append(DeviceRow.kind == self.kind)
        return found


@dataclass(frozen=True, slots=True)
class Standing:
    """The devices of one client, of nobody that was found (``None``), or of all together.

    ``numbers`` are devices by the words of :data:`TRUTHS` and :data:`ANTIVIRUS`, by status, those whose
    patches were not looked for lately (``scan``), and active alerts (``alerts``). ``known`` says of how many
    devices the vendor tells that.
    """

    client_id: str | None
    devices: int
    numbers: Mapping[str, int]
    known: Mapping[str, int]

    def number(self, word: str) -> int | None:
        """How many; ``None`` where no vendor tells it of any of the devices."""
        return self.numbers.get(word, 0) if self.known.get(word, self.devices) else None


def standings(
    session: Session, tenant_id: str, wanted: ComplianceFilter, listing: Collection[UUID]
) -> list[Standing]:
    """By client, in no order; ``listing`` are the connections whose vendor lists patches, and so scans."""
    alerts = _alerts(session, tenant_id, wanted)
    scans = _scans(session, tenant_id, wanted) if listing else {}
    rows = session.execute(
        select(DeviceRow.client_id, func.count().label("devices"), *_counted(listing))
        .where(*wanted.devices(tenant_id))
        .group_by(DeviceRow.client_id)
    )
    return [_standing(row._mapping, alerts, scans) for row in rows]


def together(standings: Iterable[Standing]) -> Standing:
    """All of them as one."""
    numbers: Counter[str] = Counter()
    known: Counter[str] = Counter()
    devices = 0
    for one in standings:
        numbers.update(one.numbers)
        known.update(one.known)
        devices += one.devices
    return Standing(None, devices, numbers, known)


def overall(session: Session, tenant_id: str) -> Standing:
    """What somebody has to look after on all devices together (:data:`SHORT`), in one statement."""
    truths = {word: column for word, column in TRUTHS.items() if word in SHORT}
    at_risk = func.count().filter(DeviceRow.antivirus == ANTIVIRUS["at_risk"])
    numbers = [func.count().filter(column.is_(true())) for column in truths.values()]
    known = [func.count(column) for column in truths.values()]
    wanted = ComplianceFilter().devices(tenant_id)
    devices, *counted = session.execute(
        select(func.count(), *numbers, at_risk, *known, func.count(DeviceRow.antivirus)).where(*wanted)
    ).one()
    words = [*truths, "at_risk"]
    found, told = counted[: len(words)], counted[len(words) :]
    return Standing(None, devices, dict(zip(words, found, strict=True)), dict(zip(words, told, strict=True)))


def _counted(listing: Collection[UUID]) -> Sequence[ColumnElement[int]]:
    conditions: dict[str, Condition] = {status: DeviceRow.status == status for status in STATUSES}
    conditions |= {word: column.is_(true()) for word, column in TRUTHS.items()}
    conditions |= {word: DeviceRow.antivirus == state for word, state in ANTIVIRUS.items()}
    conditions["known_scan"] = DeviceRow.integration_id.in_(listing)
    known = {
        word: func.count(column) for word, column in {**TRUTHS, "antivirus": DeviceRow.antivirus}.items()
    }
    return [
        *(func.count().filter(which).label(word) for word, which in conditions.items()),
        *(number.label(f"known_{word}") for word, number in known.items()),
    ]


_ByClient = Mapping[str | None, int]


def _standing(row: Mapping[Any, Any], alerts: _ByClient, scans: _ByClient) -> Standing:
    client_id = row["client_id"]
    numbers = {word: row[word] for word in (*STATUSES, *TRUTHS, *ANTIVIRUS)}
    known = {word: row[f"known_{word}"] for word in (*TRUTHS, "scan")}
    return Standing(
        client_id,
        row["devices"],
        {**numbers, "alerts": alerts.get(client_id, 0), "scan": scans.get(client_id, 0)},
        {**known, **dict.fromkeys(ANTIVIRUS, row["known_antivirus"])},
    )


def _alerts(session: Session, tenant_id: str, wanted: ComplianceFilter) -> dict[str | None, int]:
    """Active alerts by client: read in the index of open ones, but for a kind, which only devices have."""
    found = select(Alert.client_id, func.count()).where(
        Alert.tenant_id == tenant_id, text(OPEN_SQL), Alert.status == "active"
    )
    if wanted.integration_ids is not None:
        found = found.where(Alert.integration_id.in_(wanted.integration_ids))
    if wanted.client_id:
        found = found.where(Alert.client_id == wanted.client_id)
    if wanted.kind:
        found = found.where(Alert.device_id.in_(select(DeviceRow.id).where(*wanted.devices(tenant_id))))
    return {row[0]: row[1] for row in session.execute(found.group_by(Alert.client_id))}


def _scans(session: Session, tenant_id: str, wanted: ComplianceFilter) -> dict[str | None, int]:
    same = and_(DeviceRow.tenant_id == PatchList.tenant_id, DeviceRow.id == PatchList.id)
    found = select(DeviceRow.client_id, func.count()).join_from(PatchList, DeviceRow, same)
    rows = session.execute(
        found.where(*old_scans(tenant_id), *wanted.devices(tenant_id)).group_by(DeviceRow.client_id)
    )
    return {row[0]: row[1] for row in rows}
