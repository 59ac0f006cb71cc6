"""The fleet in figures: each statement reads one index once, whatever is asked of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, select, true
from sqlalchemy.orm import Session

from rmm_extension.domain.types import AgentStatus
from rmm_extension.models import DeviceRow

from .device_filter import NEVER, Condition, missing, unseen_for
from .paging import AnyRow, AnySelect

SPANS = (timedelta(days=7), timedelta(days=30), timedelta(days=90))
"""Devices that were not seen for so long are counted."""


@dataclass(frozen=True, slots=True)
class ClientDevices:
    """The devices of one client by status; ``client_id`` is ``None`` for those that nobody was found for."""

    client_id: str | None
    by_status: Mapping[str, int]

    @property
    def total(self) -> int:
        """Whatever the status."""
        return sum(self.by_status.values())

    @property
    def not_online(self) -> int:
        """Any status but online."""
        return self.total - self.by_status.get(AgentStatus.ONLINE, 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """What waits for somebody, in devices; ``patches_unknown`` is where the vendor does not say."""

    reboot: int = 0
    patches: int = 0
    patches_unknown: int = 0
    no_asset: int = 0
    no_client: int = 0
    unlisted: int = 0
    missing: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Fleet:
    """All devices of a tenant, in figures.

    ``clients``: most devices first; ``versions``: by agent version, most first, ``None`` where none is told;
    ``unseen``: not seen for each of :data:`SPANS`, :data:`NEVER` last; ``connections``: devices of each.
    """

    clients: Sequence[ClientDevices]
    versions: Sequence[tuple[str | None, int]]
    connections: Mapping[UUID, int]
    unseen: Mapping[timedelta, int]
    standing: Standing

    @property
    def by_status(self) -> Mapping[str, int]:
        """Of all clients together."""
        counted: Counter[str] = Counter()
        for one in self.clients:
            counted.update(one.by_status)
        return counted

    @property
    def total(self) -> int:
        """All devices."""
        return sum(one.total for one in self.clients)


def fleet(session: Session, tenant_id: str) -> Fleet:
    """The figures: three statements."""
    clients = _clients(session, tenant_id)
    rows = _by_agent(session, tenant_id)
    few = session.execute(_few(tenant_id)).one()
    versions: Counter[str | None] = Counter()
    connections: Counter[UUID] = Counter()
    for row in rows:
        versions[row.agent_version] += row.devices
        connections[row.integration_id] += row.devices
    return Fleet(
        clients=clients,
        versions=sorted(versions.items(), key=lambda pair: (-pair[1], pair[0] or "")),
        connections=connections,
        unseen={**dict(zip(SPANS, few, strict=False)), NEVER: sum(row.never for row in rows)},
        standing=Standing(
            reboot=sum(row.reboot for row in rows),
            patches=sum(row.patches for row in rows),
            patches_unknown=sum(row.patches_unknown for row in rows),
            no_asset=few.no_asset,
            no_client=next((one.total for one in clients if one.client_id is None), 0),
            unlisted=few.unlisted,
            missing=few.missing,
            kept=few.kept,
        ),
    )


def _present(tenant_id: str) -> tuple[Condition, Condition]:
    return DeviceRow.tenant_id == tenant_id, DeviceRow.deleted_at.is_(None)


def _clients(session: Session, tenant_id: str) -> list[ClientDevices]:
    statement = select(DeviceRow.client_id, DeviceRow.status, func.count()).where(*_present(tenant_id))
    found: dict[str | None, dict[str, int]] = {}
    for client_id, status, number in session.execute(
        statement.group_by(DeviceRow.client_id, DeviceRow.status)
    ):
        known = status if status in set(AgentStatus) else AgentStatus.UNKNOWN.value
        counted = found.setdefault(client_id, {})
        counted[known] = counted.get(known, 0) + number
    made = [ClientDevices(client_id, by_status) for client_id, by_status in found.items()]
    return sorted(made, key=lambda one: (-one.total, one.client_id or ""))


def _by_agent(session: Session, tenant_id: str) -> Sequence[AnyRow]:
    counted = {
        "reboot": DeviceRow.needs_reboot.is_(True),
        "patches": DeviceRow.patches_pending.is_(True),
        "patches_unknown": DeviceRow.patches_pending.is_(None),
        "never": DeviceRow.seen_week.is_(None),
    }
    numbers = [func.count().filter(which).label(name) for name, which in counted.items()]
    statement = select(
        DeviceRow.integration_id, DeviceRow.agent_version, func.count().label("devices"), *numbers
    ).where(*_present(tenant_id))
    return session.execute(statement.group_by(DeviceRow.integration_id, DeviceRow.agent_version)).all()


def _few(tenant_id: str) -> AnySelect:
    """What is rare, each by its own index; those that were not seen by one walk for all times."""
    here = _present(tenant_id)
    since = [func.count().filter(and_(*unseen_for(span))) for span in SPANS]
    stale = select(*since).where(*here, *unseen_for(SPANS[0])).cte("stale")
    rare = {
        "no_asset": DeviceRow.asset_id.is_(None),
        "unlisted": missing("once"),
        "missing": missing("missing"),
        "kept": DeviceRow.kept == true(),
    }
    named = [
        select(func.count()).where(*here, which).scalar_subquery().label(name) for name, which in rare.items()
    ]
    return select(stale, *named)
