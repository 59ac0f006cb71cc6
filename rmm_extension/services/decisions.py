"""Deciding on a stored alert from outside a delivery: with patience, in a unit of its own."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from rmm_extension.domain.errors import HostError
from rmm_extension.domain.logline import line
from rmm_extension.domain.types import Channel

from .context import Rmm
from .ingest import Ingested, decide_again
from .ingest.pipeline import SimultaneousDelivery
from .lease import INTERRUPTIONS
from .unit import unit
from .webhooks import is_passing

TRIES = 5

log = logging.getLogger("rmm_extension")


def decide_stored(
    rmm: Rmm,
    tenant_id: str,
    alert_id: UUID,
    *,
    channel: Channel,
    waiting_for: str | None = None,
    changes: dict[str, Any] | None = None,
    steps: tuple[dict[str, Any], ...] = (),
    actor: str | None = None,
) -> Ingested | None:
    """As :func:`~.ingest.decide_again`, again where another transaction was in the way.

    A ticket that the host refuses is kept for Needs attention.
    """
    failure: str | None = None
    for _ in range(TRIES):
        try:
            with unit(rmm) as session:
                return decide_again(
                    rmm,
                    session,
                    tenant_id,
                    alert_id,
                    channel=channel,
                    waiting_for=waiting_for,
                    changes=changes,
                    steps=steps,
                    actor=actor,
                    ticket_failure=failure,
                )
        except HostError as error:
            failure = str(error)
        except SimultaneousDelivery:
            continue
        except (DBAPIError, psycopg.Error) as error:
            if not is_passing(error):
                raise
    return None


def decide_or_log(
    rmm: Rmm,
    tenant_id: str,
    alert_id: UUID,
    *,
    channel: Channel,
    waiting_for: str,
    steps: tuple[dict[str, Any], ...] = (),
) -> Ingested | None:
    """Decide one alert of many: one that cannot be decided must not keep the others waiting."""
    try:
        return decide_stored(rmm, tenant_id, alert_id, channel=channel, waiting_for=waiting_for, steps=steps)
    except tuple(INTERRUPTIONS):
        raise
    except Exception as error:
        log.exception("%s", line("alert.decide_failed", alert=alert_id, error=type(error).__name__))
        return None
