"""Who in this installation has the one webhook that a vendor keeps for an API application or the like.

Looks across tenants, because the vendor does not know them; what another tenant has is told without a name.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import Conflict
from rmm_extension.domain.labels import provider_label
from rmm_extension.models import Integration, JobRun
from rmm_extension.services.runs import UNFINISHED

LEAVING = "session_end"
"""The kind of run that removes the webhook of a connection that was left; ``scope`` is in its subject."""
_SCOPE = Integration.registration["scope"].astext


def claim(session: Session, row: Integration, scope: str) -> None:
    """Make sure that nobody else has it, until this transaction has written that this connection has.

    Raises ``Conflict`` that says who has it.
    """
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(scope, 0))))
    other = session.execute(
        select(Integration.tenant_id, Integration.name)
        .where(scope == _SCOPE, Integration.id != row.id)
        .limit(1)
    ).first()
    label = provider_label(row.provider)
    if other is not None:
        raise Conflict(_taken(label, other.name if other.tenant_id == row.tenant_id else None))
    leaving = select(JobRun.id).where(
        JobRun.kind == LEAVING, JobRun.status.in_(UNFINISHED), JobRun.subject["scope"].astext == scope
    )
    if session.execute(leaving.limit(1)).first() is not None:
        raise Conflict(
            f"The webhook of a sign-in that was left is still being removed at {label}. This one follows."
        )


def _taken(label: str, name: str | None) -> str:
    who = f"the connection “{name}”" if name else "a connection of another organization"
    remedy = f"or switch the webhook of “{name}” off" if name else "or have theirs switched off"
    return (
        f"{label} keeps one webhook for each application that signs in, and {who} has it already. Sign in"
        f" with an application of this connection's own, {remedy}."
    )
