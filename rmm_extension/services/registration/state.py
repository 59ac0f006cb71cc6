"""What a connection's row keeps of its registration: what the vendor was told last, and how that went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, update
from sqlalchemy.orm import Session

from rmm_extension.domain.registrations import RegistrationState
from rmm_extension.models import Integration, utc_now

ORGANIZATIONS, MAPPED = "webhookOrganizations", "mapped"
"""The setting for which organizations are told of, and its value for those that have a client; else all."""
GAPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 360, 1440))
"""Between a failure and the next try, after the first, second, … failure; the last one stays."""


class Registration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the registration stands, since ``at``; ``told_at`` is when the vendor was last told.

    ``scope`` is set while the vendor may hold a webhook of ours, from before it is first told of it: a digest
    of the provider's own scope. ``digest`` is of what it was told last, ``None`` where that is not sure;
    ``organizations`` are how many it tells of, ``None`` are all. ``basis`` is of what a release and its
    configuration bring. ``attempts`` are failures since the last success or wish.
    """

    state: RegistrationState = RegistrationState.NONE
    at: datetime | None = None
    told_at: datetime | None = None
    digest: str | None = None
    scope: str | None = None
    basis: str | None = None
    organizations: int | None = None
    error: str | None = None
    attempts: int = 0

    @property
    def gap(self) -> timedelta:
        """How long to wait after the latest failure."""
        return GAPS[min(self.attempts, len(GAPS)) - 1]


def read(row: Integration) -> Registration:
    """The registration of a connection."""
    return msgspec.convert(row.registration or {}, Registration)


def write(row: Integration, known: Registration, due_at: datetime | None = None) -> None:
    """Keep it; ``due_at`` is when to look at it again."""
    row.registration = msgspec.to_builtins(known)
    row.registration_due_at = due_at


def wish(row: Integration) -> None:
    """Something changed that the vendor may have to be told of: look at once, whatever failed before.

    Of a vendor that is told of nothing nobody looks.
    """
    write(row, msgspec.structs.replace(read(row), attempts=0), utc_now())


def again(row: Integration) -> None:
    """Tell the vendor also what it was told already: somebody may have changed it there."""
    write(row, msgspec.structs.replace(read(row), attempts=0, digest=None), utc_now())


def forget(row: Integration) -> None:
    """The connection is left, and what removes its webhook was set aside."""
    write(row, Registration())


def mapping_changed(session: Session, tenant_id: str, integration_id: UUID) -> None:
    """Organizations got or lost their client: look anew, where only those that have one are told of."""
    told: dict[str, Any] = {ORGANIZATIONS: MAPPED}
    session.execute(
        update(Integration)
        .where(
            Integration.tenant_id == tenant_id,
            Integration.id == integration_id,
            Integration.webhook_enabled,
            Integration.settings.contains(told),
        )
        .values(registration_due_at=func.now()),
        execution_options={"synchronize_session": False},
    )
