"""A delivery from a vendor, from the token to the answer.

Nothing that was answered 2xx is lost: the event is processed in one transaction, or, when that failed, the
delivery is stored as it came and retried. While the database is away the vendor is asked to come again.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Any, cast

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import sleeps
from rmm_extension.domain.errors import ConfigError, HostError, WebhookRejected
from rmm_extension.domain.logline import line
from rmm_extension.domain.signals import DeviceSignal, OrganizationSignal, SignalOutcome, Told
from rmm_extension.domain.types import Channel, Outcome, WebhookRequest
from rmm_extension.providers.capabilities import ReceivesWebhooks, capabilities
from rmm_extension.providers.contract import Provider

from . import deliveries
from .connections import entitled
from .context import Rmm
from .driver import autocommitted
from .ingest import Ingested, ingest
from .ingest.facts import Facts, by_id, by_provider, by_token
from .ingest.pipeline import SimultaneousDelivery
from .organization_signals import take_organization_signal
from .signals import take_signal
from .unit import unit
from .webhook_access import PREVIOUS, SECRET, token_hash

log = logging.getLogger("rmm_extension.webhooks")
RETRY_AFTER = 5
ATTEMPTS = 5
"""How often an event is tried that others keep changing, or that PostgreSQL sacrificed in a deadlock."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP answer to a delivery."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery with what its provider read in it: what it tells, or the ``problem`` with its shape."""

    provider: Provider
    request: WebhookRequest
    events: Sequence[Told]
    problem: WebhookRejected | None

    @property
    def first(self) -> Told | None:
        """The one whose facts are read together with the connection."""
        return self.events[0] if self.events else None


Finder = Callable[[Session, Delivery], Facts | None]


class DatabaseAway(Exception):
    """PostgreSQL cannot be reached now."""


def receive(rmm: Rmm, provider_key: str, token: str, request: WebhookRequest) -> Answer:
    """Answer a delivery to ``/api/webhooks/<provider>/<token>``."""
    tenant_id = _storable(token.rpartition(".")[0])

    def find(session: Session, delivery: Delivery) -> Facts | None:
        return by_token(session, tenant_id, token_hash(token), delivery.first) if tenant_id else None

    return _answer(rmm, provider_key, request, find)


def receive_for_tenant(rmm: Rmm, provider_key: str, tenant_id: str, request: WebhookRequest) -> Answer:
    """Answer a delivery to the address with ``?tenant=``: the secret picks the connection."""

    def find(session: Session, delivery: Delivery) -> Facts | None:
        if not _storable(tenant_id):
            return None
        candidates = by_provider(session, tenant_id, provider_key, delivery.first)
        return next((facts for facts in candidates if _picks(rmm, delivery, facts)), None) or next(
            (facts for facts in candidates if facts.webhook_enabled), None
        )

    return _answer(rmm, provider_key, request, find)


def _storable(tenant_id: str) -> str:
    """The id, or nothing where PostgreSQL could hold none like it."""
    return "" if "\x00" in tenant_id else tenant_id


def _answer(rmm: Rmm, provider_key: str, request: WebhookRequest, find: Finder) -> Answer:
    started = perf_counter()
    seen: dict[str, Any] = {"provider": provider_key}
    try:
        answer = _process(rmm, provider_key, request, find, seen)
    except DatabaseAway:
        answer = _come_again("The database is away; send again.")
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
    refused: str | None = None
    tries = Tries(rmm)
    while True:
        try:
            return _attempt(rmm, delivery, find, seen, refused)
        except Exception as error:  # the webhook boundary: whatever went wrong, the delivery is kept
            if not tries.again_after(error, refused):
                if is_away(error):
                    raise DatabaseAway from error
                log_failure("webhook_failed", error, **seen)
                return _keep(rmm, delivery, find, error)
            refused = str(error) if isinstance(error, HostError) else refused


@dataclass(slots=True)
class Tries:
    """How often a transaction that failed is begun anew: after a race, a deadlock, a refused ticket."""

    rmm: Rmm
    left: int = ATTEMPTS
    lost_connection: bool = False

    def again_after(self, error: Exception, refused: str | None) -> bool:
        """Whether another try can end better. ``refused`` is set once the ticket is left out already."""
        if is_away(error):
            if self.lost_connection or isinstance(error, PoolTimeout):
                return False
            self.lost_connection = True
            self.rmm.db.engine.dispose()
            return True
        self.left -= 1
        if isinstance(error, HostError):
            return refused is None and self.left > 0
        return self.left > 0 and (isinstance(error, SimultaneousDelivery) or is_passing(error))


def _attempt(
    rmm: Rmm, delivery: Delivery, find: Finder, seen: dict[str, Any], ticket_failure: str | None = None
) -> Answer:
    """One try: everything that the first event changes, and its answer, in one transaction."""
    with unit(rmm) as session:
        with autocommitted(session):
            facts = find(session, delivery)
            refusal = _refuse(rmm, session, delivery, facts, seen)
        if refusal is not None:
            return refusal
        assert facts is not None
        assert delivery.first is not None
        received_at = delivery.request.received_at
        done = _take(rmm, session, facts, delivery.first, Channel.WEBHOOK, ticket_failure, received_at)
    for event in delivery.events[1:]:
        done = take(rmm, facts.tenant_id, facts.integration_id, event, Channel.WEBHOOK, received_at)
    return _recorded(done.outcome, done)


def take(
    rmm: Rmm,
    tenant_id: str,
    integration_id: Any,
    event: Told,
    channel: Channel,
    received_at: datetime | None = None,
) -> Ingested:
    """Take one event of a known connection in a transaction of its own; a refused ticket can wait."""
    refused: str | None = None
    tries = Tries(rmm)
    while True:
        try:
            with unit(rmm) as session:
                facts = by_id(session, tenant_id, integration_id, event)
                if facts is None:
                    return Ingested(Outcome.SKIPPED, None, None, reason="connection_gone")
                return _take(rmm, session, facts, event, channel, refused, received_at)
        except Exception as error:
            if not tries.again_after(error, refused):
                raise
            refused = str(error) if isinstance(error, HostError) else refused


def _take(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    event: Told,
    channel: Channel,
    ticket_failure: str | None,
    received_at: datetime | None,
) -> Ingested:
    if isinstance(event, DeviceSignal):
        return take_signal(rmm, session, facts, event, channel, received_at)
    if isinstance(event, OrganizationSignal):
        return take_organization_signal(rmm, session, facts, event, channel, received_at)
    return ingest(rmm, session, facts, event, channel, ticket_failure=ticket_failure, received_at=received_at)


def _read(rmm: Rmm, provider_key: str, request: WebhookRequest) -> Delivery | None:
    """The delivery as its provider reads it; ``None`` for a vendor that sends none."""
    try:
        provider = rmm.providers.get(provider_key)
    except ConfigError:
        return None
    if "webhook" not in capabilities(provider):
        return None
    try:
        return Delivery(provider, request, cast(ReceivesWebhooks, provider).parse_webhook(request), None)
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
        return _unproven()
    if delivery.problem is not None:
        deliveries.quarantine(session, facts, delivery.request, delivery.problem.reason)
        return Answer(400, {"error": str(delivery.problem), "reason": delivery.problem.reason})
    if not tenant.is_active:
        return _unused("tenant_suspended")
    if sleeps(facts.state):
        return _unused(f"connection_{facts.state}")
    if not entitled(rmm, session, facts.tenant_id, delivery.provider):
        return _unused("not_in_edition")
    return _unused("event_not_used") if delivery.first is None else None


def _is_proven(rmm: Rmm, delivery: Delivery, facts: Facts) -> bool:
    """Whether the delivery holds the connection's secret, or the one before it while that is accepted.

    Raises ``ConfigError`` when that cannot be told, because a key of the vault is missing.
    """
    receiver = cast(ReceivesWebhooks, delivery.provider)  # as _read found
    secrets, unreadable = [], None
    for column, name in (("secret", SECRET), ("previous", PREVIOUS)):
        key_id, ciphertext = facts.row[f"{column}_key_id"], facts.row[f"{column}_ciphertext"]
        if ciphertext is None:
            continue
        try:
            secrets.append(rmm.vault.open(facts.tenant_id, facts.integration_id, name, key_id, ciphertext))
        except ConfigError as error:
            unreadable = error
    if secrets and receiver.verify_webhook(delivery.request, secrets):
        return True
    if unreadable is not None:
        raise unreadable
    return False


def _picks(rmm: Rmm, delivery: Delivery, facts: Facts) -> bool:
    try:
        return _is_proven(rmm, delivery, facts)
    except ConfigError:
        return False


def _keep(rmm: Rmm, delivery: Delivery, find: Finder, error: Exception) -> Answer:
    """Store the delivery for a later try, if it is proven; in a transaction of its own."""
    try:
        with unit(rmm) as session:
            facts = find(session, delivery)
            if facts is None or not facts.webhook_enabled or facts.provider != delivery.provider.manifest.key:
                return _not_found()
            if not _is_proven(rmm, delivery, facts):
                return _unproven()
            deliveries.store_failed(session, facts, delivery.request, type(error).__name__)
    except ConfigError:
        return _come_again("The delivery cannot be checked now; send again.")
    except (DBAPIError, psycopg.Error, PoolTimeout) as away:
        raise DatabaseAway from away
    return Answer(202, {"recorded": True, "outcome": "stored_for_retry"})


def log_failure(event: str, error: BaseException, **about: Any) -> None:
    """Say what failed and where, without the error's words: a database quotes the row, body and all."""
    where = "".join(traceback.format_tb(error.__traceback__))
    original = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(original, "sqlstate", None) or ""
    log.error("%s\n%s", line(event, **about, error=type(error).__name__, sqlstate=state), where)


def is_away(error: BaseException) -> bool:
    """Whether the error means that PostgreSQL cannot be talked to, as opposed to a refused statement."""
    if isinstance(error, (PoolTimeout, InterfaceError, psycopg.InterfaceError)):
        return True
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, psycopg.OperationalError | OperationalError):
        return False
    # Without a state the connection itself broke; a statement that was ended by a time-out has one.
    state = getattr(original, "sqlstate", None) or ""
    return not state or state.startswith(("08", "57P")) or state == "53300"


def is_passing(error: BaseException) -> bool:
    """Whether PostgreSQL undid the transaction because of another one: trying again is right.

    A deadlock, a serialization failure, or a row that somebody else inserted in between.
    """
    original = error.orig if isinstance(error, DBAPIError) else error
    return getattr(original, "sqlstate", None) in ("40P01", "40001", "23505")


def _recorded(outcome: Outcome | SignalOutcome, done: Ingested | None = None) -> Answer:
    body: dict[str, Any] = {"recorded": True, "outcome": outcome}
    if done is not None and done.reason:
        body["reason"] = done.reason
    return Answer(200, body)


def _unused(reason: str) -> Answer:
    return Answer(200, {"recorded": False, "reason": reason})


def _unproven() -> Answer:
    return Answer(401, {"error": "The webhook secret is missing or wrong."})


def _come_again(message: str) -> Answer:
    return Answer(503, {"error": message}, {"Retry-After": str(RETRY_AFTER)})


def _not_found() -> Answer:
    return Answer(404, {"error": "There is no such webhook."})
