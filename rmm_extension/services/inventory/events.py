"""What is told of a sync, and what the connection remembers of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import AuthFailed, RMMError
from rmm_extension.models import Integration, utc_now
from rmm_extension.services import connection_health, events, voices
from rmm_extension.services.context import Rmm
from rmm_extension.services.runs import Run


def started(session: Session, run: Run, row: Integration, sync_type: str) -> None:
    """Tell that a sync begins."""
    _tell(session, run, row, "sync_started", sync_type, {})


def finished(
    rmm: Rmm,
    session: Session,
    run: Run,
    row: Integration,
    sync_type: str,
    counts: Mapping[str, int],
    changes: Mapping[str, Any],
) -> None:
    """Note that the vendor answers, set the connection's times (``changes``), and tell the counts.

    Where the sign-in is another one by now nothing is noted: what it leads to may not answer, and is not
    synced yet.
    """
    since = run.taken_at
    if row.state == "error":
        _note_recovery(rmm, session, run, row)
    still = connection_health.not_replaced_since(since)
    session.execute(_of(row).where(still).values(**_unless_in_trouble(), **changes))
    _tell(session, run, row, "sync_finished", sync_type, items(counts))


def failed(
    rmm: Rmm,
    session: Session,
    run: Run,
    row: Integration,
    sync_type: str,
    counts: Mapping[str, int],
    error: RMMError,
) -> None:
    """Keep the reason with the connection, unless its sign-in is another one by now.

    Its times stay, so that the next sync asks again, and so do the words of the trouble it is in.
    """
    message, since = str(error), run.taken_at
    if isinstance(error, AuthFailed):
        connection_health.mark_needs_reauth(session, row.tenant_id, row.id, message, since=since)
    still = connection_health.not_replaced_since(since)
    words: dict[str, Any] = {"last_error": message, "last_error_at": utc_now()}
    if not voices.speaks(rmm, session, run):
        words = _unless_in_trouble(**words)
    session.execute(_of(row).where(still).values(**words))
    _tell(session, run, row, "sync_failed", sync_type, {**items(counts), "error": {"message": message}})


def payload(
    integration_id: UUID, provider: str, sync_type: str, actor_id: str | None, more: Mapping[str, Any]
) -> dict[str, Any]:
    """What an event about a sync says; ``actor_id`` is the person's who asked for it."""
    actor = {"actorType": "USER", "actorUserId": actor_id} if actor_id else {"actorType": "SYSTEM"}
    return {
        "integrationId": str(integration_id),
        "provider": provider,
        "syncType": sync_type,
        **actor,
        **more,
    }


def items(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts of a run as an event says them."""
    return {
        "itemsProcessed": counts.get("processed", 0),
        "itemsCreated": counts.get("created", 0),
        "itemsUpdated": counts.get("updated", 0),
        "itemsFailed": counts.get("failed", 0),
    }


def _note_recovery(rmm: Rmm, session: Session, run: Run, row: Integration) -> None:
    if voices.speaks(rmm, session, run):
        connection_health.mark_well(session, row.tenant_id, row.id, since=run.taken_at)
    else:
        connection_health.look_again(session, row.tenant_id, row.id)


def _unless_in_trouble(
    last_error: str | None = None, last_error_at: datetime | None = None
) -> dict[str, Any]:
    """What the last talk left. Trouble keeps its words until whoever told of it says that it is over."""
    is_in_trouble = Integration.state == "error"
    return {
        "last_error": case((is_in_trouble, Integration.last_error), else_=last_error),
        "last_error_at": case((is_in_trouble, Integration.last_error_at), else_=last_error_at),
    }


def _of(row: Integration) -> Any:
    return (
        update(Integration)
        .where(Integration.tenant_id == row.tenant_id, Integration.id == row.id)
        .execution_options(synchronize_session=False)
    )


def _tell(
    session: Session, run: Run, row: Integration, name: str, sync_type: str, more: Mapping[str, Any]
) -> None:
    actor_id = None if run.actor.is_system else run.actor.id
    events.tell(session, row.tenant_id, name, payload(row.id, row.provider, sync_type, actor_id, more))
