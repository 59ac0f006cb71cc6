"""A connection's rules, windows and routing, compiled once per process and version.

The context statement re-reads ``config_version`` with every event, so an edit anywhere holds for the very
next event in every process, and nothing has to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from rmm_extension.domain.routing import Routing, read_routing
from rmm_extension.domain.rules import Rule, compile_rule
from rmm_extension.domain.windows import Window
from rmm_extension.models import AlertRule, Integration, MaintenanceWindow
from rmm_extension.services.context import Rmm

from .facts import Facts

CACHED_CONNECTIONS = 2_000


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """The active rules in their order, and the active windows that can hold for this connection.

    ``inactive`` rules take no alert any more, but say what becomes of those they took.
    """

    version: int
    rules: tuple[Rule, ...]
    inactive: tuple[Rule, ...]
    windows: tuple[Window, ...]
    routing: Routing

    def rule(self, rule_id: UUID | None) -> Rule | None:
        """The rule as it is now, active or not, if it still exists."""
        return next((rule for rule in (*self.rules, *self.inactive) if rule.id == rule_id), None)


def load(rmm: Rmm, session: Session, facts: Facts) -> PipelineConfig:
    """The configuration at the version the facts were read with."""
    return load_version(rmm, session, facts.tenant_id, facts.integration_id, facts.config_version)


def load_version(
    rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID, version: int
) -> PipelineConfig:
    """The configuration of a connection that was at this version a moment ago."""
    cache: dict[tuple[str, UUID], PipelineConfig] = rmm.caches.setdefault("pipeline", {})
    key = (tenant_id, integration_id)
    found = cache.get(key)
    if found is None or found.version != version:
        found = _read(session, tenant_id, integration_id, version)
        if len(cache) >= CACHED_CONNECTIONS:
            cache.clear()
        cache[key] = found
    return found


def _read(session: Session, tenant_id: str, integration_id: UUID, version: int) -> PipelineConfig:
    rules = session.execute(
        select(AlertRule.is_active, AlertRule.id, AlertRule.name, AlertRule.conditions, AlertRule.actions)
        .where(AlertRule.tenant_id == tenant_id, AlertRule.integration_id == integration_id)
        .order_by(AlertRule.priority_order, AlertRule.id)
    ).all()
    return PipelineConfig(
        version=version,
        rules=tuple(compile_rule(*row) for active, *row in rules if active),
        inactive=tuple(compile_rule(*row) for active, *row in rules if not active),
        windows=active_windows(session, tenant_id, integration_id),
        routing=_routing(session, tenant_id, integration_id),
    )


def _routing(session: Session, tenant_id: str, integration_id: UUID) -> Routing:
    mine = (Integration.tenant_id == tenant_id, Integration.id == integration_id)
    return read_routing(session.scalar(select(Integration.settings).where(*mine)) or {})


def active_windows(session: Session, tenant_id: str, integration_id: UUID) -> tuple[Window, ...]:
    """The active windows that can hold for this connection, oldest first."""
    columns = (
        MaintenanceWindow.id,
        MaintenanceWindow.name,
        MaintenanceWindow.integration_id,
        MaintenanceWindow.client_id,
        MaintenanceWindow.asset_id,
        MaintenanceWindow.starts_at,
        MaintenanceWindow.ends_at,
        MaintenanceWindow.recurrence,
    )
    found = session.execute(
        select(*columns)
        .where(
            MaintenanceWindow.tenant_id == tenant_id,
            MaintenanceWindow.is_active,
            or_(
                MaintenanceWindow.integration_id.is_(None),
                MaintenanceWindow.integration_id == integration_id,
            ),
        )
        .order_by(MaintenanceWindow.created_at, MaintenanceWindow.id)
    )
    return tuple(Window(*row) for row in found)
