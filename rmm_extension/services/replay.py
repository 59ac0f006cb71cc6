"""Stored deliveries once more: the later tries of failed ones, and replays that a person asks for.

Either goes through the pipeline as the connection is configured now, with the time at which the delivery
arrived. What is known already changes nothing, so a delivery may be processed any number of times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_, update
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import refusal, sleeps
from rmm_extension.domain.deliveries import NOT_USED, TAKEN_LATER, reason_in_words
from rmm_extension.domain.errors import ConfigError, Conflict, RMMError, WebhookRejected
from rmm_extension.domain.types import Channel, WebhookRequest
from rmm_extension.host import Actor
from rmm_extension.models import WebhookDelivery, utc_now
from rmm_extension.providers.capabilities import ReceivesWebhooks

from . import audit, connections, place, runs
from .context import Rmm
from .deliveries import GAPS
from .ingest import Ingested
from .lease import INTERRUPTIONS
from .runs import Run
from .unit import unit
from .webhooks import log_failure, take

REPLAYABLE = ("failed", "quarantined")
"""The states that many are replayed of at once. A single one is replayed in any state."""
MOST = 10_000
"""Deliveries one run replays."""
_PAGE = 200


class UnknownDelivery(LookupError, RMMError):
    """No such delivery in this tenant."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored delivery in the hands of a try."""

    integration_id: UUID
    provider: str
    request: WebhookRequest


@dataclass(frozen=True, slots=True)
class Tried:
    """What a try made of a delivery: its ``state`` now, the ``reason`` in words, the number of events."""

    state: str
    reason: str = ""
    events: int = 0


def get(session: Session, tenant_id: str, delivery_id: UUID) -> WebhookDelivery:
    """One stored delivery; raises :class:`UnknownDelivery`."""
    found: WebhookDelivery | None = session.scalar(_one(tenant_id, delivery_id))
    if found is None:
        raise UnknownDelivery("This delivery does not exist (any more).")
    return found


def start(rmm: Rmm, session: Session, actor: Actor, delivery_id: UUID) -> UUID:
    """Queue the replay of one delivery, whatever its state; ``Conflict`` while a try of it is under way."""
    row = get(session, actor.tenant_id, delivery_id)
    _refuse_sleeping(rmm, session, actor.tenant_id, row.integration_id)
    run_id = runs.start(
        rmm,
        session,
        actor,
        "delivery_retry",
        integration_id=row.integration_id,
        subject={"delivery_id": str(delivery_id), "replay": True},
        exclusive_key=exclusive_key(delivery_id),
    )
    audit.record(
        session,
        actor,
        "delivery.replayed",
        subject_type="delivery",
        subject_id=delivery_id,
        subject_name=_label(row.received_at),
        integration_id=row.integration_id,
    )
    return run_id


def start_all(
    rmm: Rmm, session: Session, actor: Actor, integration_id: UUID, states: Sequence[str] = REPLAYABLE
) -> tuple[UUID, int]:
    """Queue the replay of a connection's deliveries in these states: the run, and how many there are."""
    row = connections.get(session, actor.tenant_id, integration_id)
    _refuse_sleeping(rmm, session, actor.tenant_id, integration_id)
    number = waiting(session, actor.tenant_id, integration_id, states)
    if not number:
        raise Conflict("There is nothing to replay: no delivery of this connection failed or was put aside.")
    run_id = runs.start(
        rmm,
        session,
        actor,
        "delivery_replay",
        integration_id=integration_id,
        subject={"states": list(states)},
    )
    audit.record(
        session,
        actor,
        "deliveries.replayed",
        subject_type="connection",
        subject_id=integration_id,
        subject_name=row.name,
        integration_id=integration_id,
        changes={"states": list(states), "deliveries": number},
    )
    return run_id, number


def exclusive_key(delivery_id: UUID) -> str:
    """What two unfinished tries of one delivery may not share."""
    return f"delivery_retry:{delivery_id}"


def waiting(session: Session, tenant_id: str, integration_id: UUID, states: Sequence[str]) -> int:
    """How many deliveries a replay would take, at most :data:`MOST`."""
    few = select(WebhookDelivery.id).where(*_of(tenant_id, integration_id, states)).limit(MOST).subquery()
    return session.scalar(select(func.count()).select_from(few)) or 0


def retry_delivery(rmm: Rmm, run: Run) -> dict[str, Any]:
    """One delivery once more: a later try of the tick, or a replay."""
    delivery_id, is_replay = UUID(run.subject["delivery_id"]), bool(run.subject.get("replay"))
    tried = try_again(rmm, run.tenant_id, delivery_id, replayed_by=run.actor.name if is_replay else None)
    if tried is None:
        return {"already_processed": 1}
    return {"quarantined": 1} if tried.state == "quarantined" else {"events": tried.events}


def replay_all(rmm: Rmm, run: Run) -> dict[str, Any]:
    """Every failed or quarantined delivery of a connection once more, oldest first, each for itself."""
    states = run.subject.get("states") or REPLAYABLE
    done, counts = run.done, {"processed": 0, "quarantined": 0, "failed": 0, **run.counts}
    cursor, until = place.read(run.cursor), run.queued_at or utc_now()
    while done < MOST:
        with unit(rmm) as session:
            _refuse_sleeping(rmm, session, run.tenant_id, _connection(run))
            total = run.total or waiting(session, run.tenant_id, _connection(run), states)
            page = _next(session, run, states, cursor, until)
        for row in page[: MOST - done]:
            tried = _try_or_log(rmm, run, row.id)
            cursor, done = (row.received_at, row.id), done + 1
            counts[tried.state] += 1
            problem = [{"name": _label(row.received_at), "message": tried.reason}] if tried.reason else []
            with unit(rmm) as session:
                run.report(
                    session,
                    done=done,
                    total=max(total, done),
                    doing="Replaying stored deliveries.",
                    counts=counts,
                    cursor=place.written(cursor),
                    errors=problem,
                )
        if len(page) < _PAGE:
            break
    return counts


def tell_failure(rmm: Rmm, session: Session, run: Run, message: str) -> None:
    """Say on the delivery why its last try ended without a result."""
    _note(session, run.tenant_id, UUID(run.subject["delivery_id"]), message)


def try_again(rmm: Rmm, tenant_id: str, delivery_id: UUID, *, replayed_by: str | None) -> Tried | None:
    """Process a stored delivery as if it came now with its old arrival time; ``None`` for one that is done.

    ``replayed_by`` names whoever asked for it: then it is processed whatever became of it before.
    """
    with unit(rmm) as session:
        stored = _begin(rmm, session, tenant_id, delivery_id, replayed_by)
    if stored is None:
        return None
    provider = rmm.providers.get(stored.provider)
    if not isinstance(provider, ReceivesWebhooks):
        raise ConfigError(f"{stored.provider} receives no webhooks.")
    try:
        events = provider.parse_webhook(stored.request)
    except WebhookRejected as problem:
        _put_aside(rmm, tenant_id, delivery_id, replayed_by, problem)
        return Tried("quarantined", str(problem))
    result = None
    for event in events:
        result = take(rmm, tenant_id, stored.integration_id, event, Channel.WEBHOOK)
    _close(rmm, tenant_id, delivery_id, replayed_by, len(events), result)
    return Tried("processed", events=len(events))


def _try_or_log(rmm: Rmm, run: Run, delivery_id: UUID) -> Tried:
    """Try one delivery of many: one that fails must not keep the others waiting."""
    try:
        tried = try_again(rmm, run.tenant_id, delivery_id, replayed_by=run.actor.name)
        return tried or Tried("processed")
    except tuple(INTERRUPTIONS):
        raise
    except RMMError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - the boundary of one delivery among many
        rmm.db.session.remove()
        log_failure("delivery.replay_failed", error, tenant=run.tenant_id, delivery=delivery_id)
        reason = reason_in_words("failed", type(error).__name__)
    with unit(rmm) as session:
        _note(session, run.tenant_id, delivery_id, reason)
    return Tried("failed", reason)


def _begin(
    rmm: Rmm, session: Session, tenant_id: str, delivery_id: UUID, replayed_by: str | None
) -> Stored | None:
    """Count the try, and plan the next one before this one, so that a crash in between loses nothing."""
    row = session.scalar(_one(tenant_id, delivery_id).with_for_update())
    if row is None or (row.state == "processed" and replayed_by is None):
        return None
    if replayed_by is not None:
        _refuse_sleeping(rmm, session, tenant_id, row.integration_id)
    row.attempts += 1
    if row.due_at is not None or replayed_by is None:
        gap = GAPS[row.attempts] if row.attempts < len(GAPS) else None
        row.due_at = utc_now() + timedelta(seconds=gap) if gap else None
    request = WebhookRequest(headers=row.headers, body=bytes(row.body), received_at=row.received_at)
    return Stored(row.integration_id, row.provider, request)


def _close(
    rmm: Rmm, tenant_id: str, delivery_id: UUID, replayed_by: str | None, events: int, result: Ingested | None
) -> None:
    values: dict[str, Any] = {"state": "processed", "due_at": None, "processed_at": utc_now()}
    values["reason"] = TAKEN_LATER if events else NOT_USED
    if result is not None:
        values |= {"outcome": result.outcome, "alert_id": result.alert_id}
    if replayed_by is not None:
        values["replayed_by"] = replayed_by
    with unit(rmm) as session:
        session.execute(_change(tenant_id, delivery_id).values(**values))


def _put_aside(
    rmm: Rmm, tenant_id: str, delivery_id: UUID, replayed_by: str | None, problem: WebhookRejected
) -> None:
    """Keep one that cannot be read; what was processed once stays so, even if it cannot be read any more."""
    values: dict[str, Any] = {"state": "quarantined", "reason": str(problem), "due_at": None}
    if replayed_by is not None:
        values["replayed_by"] = replayed_by
    with unit(rmm) as session:
        unprocessed = _change(tenant_id, delivery_id).where(WebhookDelivery.state != "processed")
        session.execute(unprocessed.values(**values))


def _note(session: Session, tenant_id: str, delivery_id: UUID, reason: str) -> None:
    unprocessed = _change(tenant_id, delivery_id).where(WebhookDelivery.state != "processed")
    session.execute(unprocessed.values(reason=reason))


def _change(tenant_id: str, delivery_id: UUID) -> Any:
    return update(WebhookDelivery).where(
        WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.id == delivery_id
    )


def _refuse_sleeping(rmm: Rmm, session: Session, tenant_id: str, integration_id: UUID) -> None:
    """What would be turned away at the door now is not let in by a replay."""
    row = connections.get(session, tenant_id, integration_id)
    if sleeps(row.state):
        raise Conflict(refusal(row.name, row.state))
    connections.entitled_provider(rmm, session, tenant_id, row.provider)


def _next(
    session: Session, run: Run, states: Sequence[str], cursor: place.Place | None, until: datetime
) -> Sequence[Any]:
    """The next deliveries by age; what arrived after the run was asked for is not its business."""
    columns = (WebhookDelivery.received_at, WebhookDelivery.id)
    wanted = [*_of(run.tenant_id, _connection(run), states), WebhookDelivery.received_at <= until]
    if cursor is not None:
        wanted.append(tuple_(*columns) > cursor)
    return session.execute(select(*columns).where(*wanted).order_by(*columns).limit(_PAGE)).all()


def _of(tenant_id: str, integration_id: UUID, states: Sequence[str]) -> list[ColumnElement[bool]]:
    return [
        WebhookDelivery.tenant_id == tenant_id,
        WebhookDelivery.integration_id == integration_id,
        WebhookDelivery.state.in_(states),
    ]


def _one(tenant_id: str, delivery_id: UUID) -> Any:
    return select(WebhookDelivery).where(
        WebhookDelivery.tenant_id == tenant_id, WebhookDelivery.id == delivery_id
    )


def _connection(run: Run) -> UUID:
    assert run.integration_id is not None
    return run.integration_id


def _label(received_at: datetime) -> str:
    return f"received {received_at:%d %b %Y, %H:%M:%S} UTC"
