"""A message to a bot, from the token of its address to the answer.

It is verified by keys that are here already: nobody is asked while the vendor waits. What it tells of
conversations is written before it is answered; nothing else of a message is kept.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any

import msgspec
import psycopg
from sqlalchemy import and_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from rmm_extension.domain import values
from rmm_extension.domain.errors import ConfigError, WebhookRejected
from rmm_extension.domain.logline import line
from rmm_extension.domain.messaging import BotActivity, Conversation, KeyUnknown
from rmm_extension.domain.types import Connection, WebhookRequest
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import Integration, SigningKeys, utc_now
from rmm_extension.providers.capabilities import ReceivesBotMessages
from rmm_extension.providers.contract import Provider
from rmm_extension.services import connections
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from rmm_extension.services.webhook_access import token_hash
from rmm_extension.services.webhooks import RETRY_AFTER, Answer, Tries, is_away, log_failure

from . import conversations, links
from .keys import AGAIN, want_keys

log = logging.getLogger("rmm_extension.webhooks")

LONGEST = 1000
"""Characters of an id, a name or an address; the vendor's have a tenth of it."""


@dataclass(frozen=True, slots=True)
class _Door:
    """The connection behind an address, and the keys that are known of its vendor."""

    row: Integration
    provider: Provider
    keys: list[Any]
    fetched_at: datetime | None


def receive_message(rmm: Rmm, token: str, request: WebhookRequest) -> Answer:
    """Answer a message to ``/api/messages/<token>``."""
    started = perf_counter()
    seen: dict[str, Any] = {}
    answer = _process(rmm, token, request, seen)
    if log.isEnabledFor(logging.INFO):
        outcome = answer.body.get("outcome") or answer.body.get("reason") or answer.body.get("error", "")
        milliseconds = round((perf_counter() - started) * 1000, 1)
        log.info("%s", line("bot_message", **seen, status=answer.status, outcome=outcome, ms=milliseconds))
    return answer


def _process(rmm: Rmm, token: str, request: WebhookRequest, seen: dict[str, Any]) -> Answer:
    tries = Tries(rmm)
    while True:
        try:
            return _attempt(rmm, token, request, seen)
        except (DBAPIError, psycopg.Error, PoolTimeout) as error:
            if tries.again_after(error, None):
                continue
            if not is_away(error):
                log_failure("bot_message_failed", error, **seen)
            return _come_again("database", "The message cannot be taken now; send it again.")


def _attempt(rmm: Rmm, token: str, request: WebhookRequest, seen: dict[str, Any]) -> Answer:
    """One try, in one transaction."""
    with unit(rmm) as session:
        door = _find(rmm, session, token)
        if door is None:
            return Answer(404, {"error": "There is no bot at this address."})
        seen |= {"tenant": door.row.tenant_id, "connection": str(door.row.id)}
        try:
            activity = _verified(door, request)
        except KeyUnknown as error:
            return _ask_for_keys(session, door, error)
        except WebhookRejected as error:
            return Answer(403, {"error": str(error), "reason": error.reason})
        if (reason := _why_unused(rmm, session, door, activity)) is not None:
            return Answer(200, {"recorded": False, "reason": reason})
        assert activity is not None
        return Answer(200, {"recorded": True, "outcome": _take(rmm, session, door.row, activity)})


def _find(rmm: Rmm, session: Session, token: str) -> _Door | None:
    tenant_id = token.rpartition(".")[0]
    if not tenant_id or "\x00" in token:
        return None
    joined = and_(
        SigningKeys.tenant_id == Integration.tenant_id, SigningKeys.integration_id == Integration.id
    )
    found = session.execute(
        select(Integration, SigningKeys.keys, SigningKeys.fetched_at)
        .outerjoin(SigningKeys, joined)
        .where(Integration.tenant_id == tenant_id, Integration.webhook_token_hash == token_hash(token))
    ).first()
    if found is None:
        return None
    try:
        provider = rmm.providers.get(found.Integration.provider)
    except ConfigError:
        return None
    if not isinstance(provider, ReceivesBotMessages):
        return None
    return _Door(found.Integration, provider, found.keys or [], found.fetched_at)


def _verified(door: _Door, request: WebhookRequest) -> BotActivity | None:
    """What the message says, by the vendor's signature; no secret of the connection is needed for it."""
    connection = Connection(
        tenant_id=door.row.tenant_id,
        integration_id=str(door.row.id),
        provider=door.row.provider,
        instance_url=door.row.instance_url,
        auth_mode=door.row.auth_mode,
        settings=dict(door.row.settings),
    )
    assert isinstance(door.provider, ReceivesBotMessages)
    activity = door.provider.verify_bot_message(connection, request.headers, request.body, door.keys)
    if activity is None:
        return None
    told = values.storable(msgspec.to_builtins(activity.conversation))
    if any(isinstance(value, str) and len(value) > LONGEST for value in told.values()):
        raise WebhookRejected("too_long", "An id or a name in the message is too long.")
    return msgspec.structs.replace(activity, conversation=msgspec.convert(told, Conversation))


def _ask_for_keys(session: Session, door: _Door, error: KeyUnknown) -> Answer:
    """Refuse where the keys were just fetched; else have them fetched, and the message sent again."""
    if door.fetched_at is not None and door.fetched_at > utc_now() - AGAIN:
        return Answer(403, {"error": str(error), "reason": error.reason})
    want_keys(session, SYSTEM_ACTOR(door.row.tenant_id), door.row.id, within=AGAIN)
    return _come_again(error.reason, "The key of the message is not known yet; send it again.")


def _why_unused(rmm: Rmm, session: Session, door: _Door, activity: BotActivity | None) -> str | None:
    """Why a genuine message goes no further.

    One to a paused connection is taken all the same: the vendor tells but once where its bot was put.
    """
    tenant = rmm.host.tenants.get(session, door.row.tenant_id)
    if tenant is None or not tenant.is_active:
        return "tenant_suspended"
    if not connections.entitled(rmm, session, door.row.tenant_id, door.provider):
        return "not_in_edition"
    return "message_not_used" if activity is None else None


def _take(rmm: Rmm, session: Session, row: Integration, activity: BotActivity) -> str:
    told = activity.conversation
    if activity.removed:
        conversations.forget(session, row.tenant_id, row.id, told)
        return "removed"
    conversations.keep(session, row.tenant_id, row.id, told)
    if activity.text and links.redeem(rmm, session, row, told, activity.text):
        return "linked"
    return "installed" if activity.installed else "kept"


def _come_again(reason: str, message: str) -> Answer:
    return Answer(503, {"error": message, "reason": reason}, {"Retry-After": str(RETRY_AFTER)})
