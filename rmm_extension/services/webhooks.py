"""A delivery from a vendor, from the token to the answer.

Nothing that was answered 2xx is lost: the event is processed in one transaction, or, when that failed, the
delivery is stored as it came and retried. While the database is away the vendor is asked to come again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from rmm_extension.domain.errors import ConfigError, HostError, WebhookRejected
from rmm_extension.domain.logline import line
from rmm_extension.domain.types import AlertEvent, Channel, Outcome, WebhookRequest
from rmm_extension.providers.contract import Provider, ReceivesWebhooks

from . import deliveries
from .connections import entitled
from .context import Rmm
from .ingest import Ingested, ingest
from .ingest.facts import Facts, by_id, by_provider, by_token
from .ingest.pipeline import SimultaneousDelivery
from .unit import unit
from .webhook_access import PREVIOUS, SECRET, token_hash

log = logging.getLogger("rmm_extension.webhooks")
RETRY_AFTER = 5
SLEEPING_STATES = frozenset({"paused", "not_connected"})


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP answer to a delivery."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery with what its provider read in it: events, or the ``problem`` with its shape."""

    provider: Provider
    request: WebhookRequest
    events: Sequence[AlertEvent]
    problem: WebhookRejected | None

    @property
    def first(self) -> AlertEvent | None:
        """The event whose facts are read together with the connection."""
        return self.events[0] if self.events else None


Finder = Callable[[Session, Delivery], Facts | None]


class DatabaseAway(Exception):
    """PostgreSQL cannot be reached now."""


def receive(rmm: Rmm, provider_key: str, token: str, request: WebhookRequest) -> Answer:
    """Answer a delivery to ``/api/webhooks/<provider>/<token>``."""
    tenant_id = token.rpartition(".")[0]

    def find(session: Session, delivery: Delivery) -> Facts | None:
        return by_token(session, tenant_id, token_hash(token), delivery.first) if tenant_id else None

    return _answer(rmm, provider_key, request, find)


def receive_for_tenant(rmm: Rmm, provider_key: str, tenant_id: str, request: WebhookRequest) -> Answer:
    """Answer a delivery to the address with ``?tenant=``: the secret picks the connection."""

    def find(session: Session, delivery: Delivery) -> Facts | None:
        candidates = by_provider(session, tenant_id, provider_key, delivery.first)
        proven = (facts for facts in candidates if _is_proven(rmm, delivery, facts))
        return next(proven, candidates[0] if candidates else None)

    return _answer(rmm, provider_key, request, find)


def _answer(rmm: Rmm, provider_key: str, request: WebhookRequest, find: Finder) -> Answer:
    started = perf_counter()
    seen: dict[str, Any] = {"provider": provider_key}
    try:
        answer = _process(rmm, provider_key, request, find, seen)
    except DatabaseAway:
        rmm.db.engine.dispose()
        answer = Answer(
            503, {"error": "The database is away; send again."}, {"Retry-After": str(RETRY_AFTER)}
        )
    if log.isEnabledFor(logging.INFO):
        _log(answer, seen, started)
    return answer


def _log(answer: Answer, seen: dict[str, Any], started: float) -> None:
    """One line a delivery: connection, outcome and time; never the body."""
    outcome = answer.body.get("outcome") or answer.body.get("reason") or answer.body.get("error", "")
    milliseconds = round((perf_counter() - started) * 1000, 1)
    log.info("%s", line("webhook", **seen, status=answer.status, outcome=outcome, ms=milliseconds))


def _process(
    rmm: Rmm, provider_key: str, request: WebhookRequest, find: Finder, seen: dict[str, Any]
) -> Answer:
    delivery = _read(rmm, provider_key, request)
    if delivery is None:
        return _not_found()
    try:
        return _attempt(rmm, delivery, find, seen)
    except SimultaneousDelivery:
        return _recorded(Outcome.SKIPPED)
    except HostError as error:
        return _keep_or_fail(rmm, delivery, find, seen, error, ticket_failure=str(error))
    except (DBAPIError, psycopg.Error, PoolTimeout) as error:
        if _is_away(error):
            rmm.db.engine.dispose()
        return _keep_or_fail(rmm, delivery, find, seen, error)
    except Exception as error:  # the webhook boundary: whatever went wrong, the delivery is kept
        log.exception("%s", line("webhook_failed", **seen, error=type(error).__name__))
        return _keep(rmm, delivery, find, error)


def _attempt(
    rmm: Rmm, delivery: Delivery, find: Finder, seen: dict[str, Any], ticket_failure: str | None = None
) -> Answer:
    """One try: everything about the first event, and its answer, in one transaction."""
    with unit(rmm) as session:
        facts = find(session, delivery)
        refusal = _refuse(rmm, session, delivery, facts, seen)
        if refusal is not None:
            return refusal
        assert facts is not None
        assert delivery.first is not None
        done = ingest(rmm, session, facts, delivery.first, Channel.WEBHOOK, ticket_failure=ticket_failure)
    for event in delivery.events[1:]:
        done = take(rmm, facts.tenant_id, facts.integration_id, event, Channel.WEBHOOK)
    return _recorded(done.outcome, done)


def take(rmm: Rmm, tenant_id: str, integration_id: Any, event: AlertEvent, channel: Channel) -> Ingested:
    """Ingest one event of a known connection in a transaction of its own.

    A ticket the host refuses leaves the alert under Needs attention.
    """
    failure: str | None = None
    for _ in range(3):
        try:
            with unit(rmm) as session:
                facts = by_id(session, tenant_id, integration_id, event)
                if facts is None:
                    return Ingested(Outcome.SKIPPED, None, None, reason="connection_gone")
                return ingest(rmm, session, facts, event, channel, ticket_failure=failure)
        except SimultaneousDelivery:
            break
        except HostError as error:
            failure = str(error)
        except (DBAPIError, psycopg.Error) as error:
            if not is_deadlock(error):
                raise
    return Ingested(Outcome.SKIPPED, None, None, reason="simultaneous")


def _read(rmm: Rmm, provider_key: str, request: WebhookRequest) -> Delivery | None:
    """The delivery as its provider reads it; ``None`` for a vendor that sends none."""
    try:
        provider = rmm.providers.get(provider_key)
    except ConfigError:
        return None
    if not isinstance(provider, ReceivesWebhooks):
        return None
    try:
        return Delivery(provider, request, provider.parse_webhook(request), None)
    except WebhookRejected as problem:
        return Delivery(provider, request, (), problem)


def _refuse(
    rmm: Rmm, session: Session, delivery: Delivery, facts: Facts | None, seen: dict[str, Any]
) -> Answer | None:
    """The answer when the delivery goes no further; ``None`` when its first event is to be taken."""
    if facts is None or not facts.webhook_enabled or facts.provider != delivery.provider.manifest.key:
        return _not_found()
    seen |= {"tenant": facts.tenant_id, "connection": str(facts.integration_id)}
    tenant = rmm.host.tenants.get(session, facts.tenant_id)
    if tenant is None:
        return _not_found()
    if not _is_proven(rmm, delivery, facts):
        return Answer(401, {"error": "The webhook secret is missing or wrong."})
    if delivery.problem is not None:
        deliveries.quarantine(session, facts, delivery.request, delivery.problem.reason)
        return Answer(400, {"error": str(delivery.problem), "reason": delivery.problem.reason})
    if not tenant.is_active:
        return _unused("tenant_suspended")
    if facts.state in SLEEPING_STATES:
        return _unused(f"connection_{facts.state}")
    if not entitled(rmm, session, facts.tenant_id, delivery.provider):
        return _unused("not_in_edition")
    return _unused("event_not_used") if delivery.first is None else None


def _is_proven(rmm: Rmm, delivery: Delivery, facts: Facts) -> bool:
    assert isinstance(delivery.provider, ReceivesWebhooks)
    sealed = (("secret", SECRET), ("previous", PREVIOUS))
    secrets = [
        rmm.vault.open(
            facts.tenant_id,
            facts.integration_id,
            name,
            facts.row[f"{column}_key_id"],
            facts.row[f"{column}_ciphertext"],
        )
        for column, name in sealed
        if facts.row[f"{column}_ciphertext"] is not None
    ]
    return bool(secrets) and delivery.provider.verify_webhook(delivery.request, secrets)


def _keep_or_fail(
    rmm: Rmm,
    delivery: Delivery,
    find: Finder,
    seen: dict[str, Any],
    error: Exception,
    ticket_failure: str | None = None,
) -> Answer:
    """Once more: without the ticket the host refused, after a deadlock, or on a fresh connection."""
    try:
        return _attempt(rmm, delivery, find, seen, ticket_failure)
    except SimultaneousDelivery:
        return _recorded(Outcome.SKIPPED)
    except Exception as again:  # the webhook boundary
        if _is_away(again):
            raise DatabaseAway from again
        log.exception("%s", line("webhook_failed", **seen, error=type(again).__name__))
        return _keep(rmm, delivery, find, again)


def _keep(rmm: Rmm, delivery: Delivery, find: Finder, error: Exception) -> Answer:
    """Store the delivery for a later try, if it is proven; in a transaction of its own."""
    try:
        with unit(rmm) as session:
            facts = find(session, delivery)
            if facts is None or not facts.webhook_enabled:
                return _not_found()
            if not _is_proven(rmm, delivery, facts):
                return Answer(401, {"error": "The webhook secret is missing or wrong."})
            deliveries.store_failed(session, facts, delivery.request, type(error).__name__)
    except (DBAPIError, psycopg.Error, PoolTimeout) as away:
        raise DatabaseAway from away
    return Answer(202, {"recorded": True, "outcome": "stored_for_retry"})


def _is_away(error: BaseException) -> bool:
    """Whether the error means that PostgreSQL cannot be talked to, as opposed to a refused statement."""
    if isinstance(error, (PoolTimeout, InterfaceError, psycopg.InterfaceError)):
        return True
    original = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(original, psycopg.OperationalError | OperationalError) and not is_deadlock(error)


def is_deadlock(error: BaseException) -> bool:
    """Whether PostgreSQL sacrificed this transaction: trying again is right."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return getattr(original, "sqlstate", None) in ("40P01", "40001")


def _recorded(outcome: Outcome, done: Ingested | None = None) -> Answer:
    body: dict[str, Any] = {"recorded": True, "outcome": outcome}
    if done is not None and done.reason:
        body["reason"] = done.reason
    return Answer(200, body)


def _unused(reason: str) -> Answer:
    return Answer(200, {"recorded": False, "reason": reason})


def _not_found() -> Answer:
    return Answer(404, {"error": "There is no such webhook."})
