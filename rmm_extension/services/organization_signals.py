"""What a vendor tells of its organizations: counted once, and their list is read anew.

A vendor tells of many at once, as when somebody moves a group with all that lies in it. So one run a little
later does for all of them, and what is told while it is listing has it list once more.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from rmm_extension.domain.signals import OrganizationSignal, SignalOutcome
from rmm_extension.domain.types import Channel
from rmm_extension.models import utc_now
from rmm_extension.providers.capabilities import capabilities

from . import kinds
from .context import Rmm
from .ingest import Ingested
from .ingest.facts import Facts
from .runs import Work
from .signals import ask_soon, write_down

KIND = "organization_sync"
TOLD = "organizations"
"""The kind of such a signal, among those of devices."""


def take_organization_signal(
    rmm: Rmm,
    session: Session,
    facts: Facts,
    signal: OrganizationSignal,
    channel: Channel,
    received_at: datetime | None = None,
) -> Ingested:
    """Take one signal in the session's transaction; the caller commits."""
    lists = "organizations" in capabilities(rmm.providers.get(facts.provider))
    outcome = SignalOutcome.ORGANIZATION_SYNC if lists else SignalOutcome.SKIPPED
    reason = None if lists else "lists_no_organizations"
    is_new = write_down(
        session,
        facts,
        channel,
        received_at,
        external_id=signal.external_id,
        kind=TOLD,
        device=None,
        device_id=None,
        words=signal.words,
        at=min(signal.occurred_at, utc_now()),
        outcome=outcome,
        reason=reason,
    )
    if not is_new:
        return Ingested(SignalOutcome.SKIPPED, None, None, reason="duplicate")
    if lists:
        key = kinds.get(KIND).exclusive_key(facts.integration_id)
        ask_soon(session, facts.tenant_id, KIND, Work(facts.integration_id, {}, key))
    return Ingested(outcome, None, None, reason=reason)
