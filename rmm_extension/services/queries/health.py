"""How a connection does: its channels, what they lost, its sign-in, what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmm_extension.domain.values import moment
from rmm_extension.models import Integration


@dataclass(frozen=True, slots=True)
class VanishGuard:
    """A connection whose vendor left most of the open alerts out of a list: nothing is reset until a second
    list says the same. ``suspects`` of ``open`` alerts were missing at ``since``."""

    integration_id: UUID
    provider: str
    name: str
    since: datetime | None
    suspects: int
    open: int


def vanish_guards(session: Session, tenant_id: str) -> Sequence[VanishGuard]:
    """The tenant's connections on which most alerts are in doubt, by name."""
    statement = (
        select(Integration.id, Integration.provider, Integration.name, Integration.reconcile_state)
        .where(Integration.tenant_id == tenant_id, Integration.reconcile_state.contains({"mass": True}))
        .order_by(Integration.name)
    )
    return [_guard(*row) for row in session.execute(statement)]


def _guard(integration_id: UUID, provider: str, name: str, state: dict[str, object]) -> VanishGuard:
    suspects, since, open_then = state.get("suspects"), state.get("since"), state.get("open")
    return VanishGuard(
        integration_id=integration_id,
        provider=provider,
        name=name,
        since=moment(since) if isinstance(since, str) else None,
        suspects=len(suspects) if isinstance(suspects, list) else 0,
        open=open_then if isinstance(open_then, int) else 0,
    )
