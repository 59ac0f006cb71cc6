"""What a vendor tells of its organizations: their list is read anew, by one run for all that is told at once."""

from __future__ import annotations

from sqlalchemy.orm import Session

from rmm_extension.domain.signals import OrganizationSignal, SignalOutcome
from rmm_extension.host import SYSTEM_ACTOR

from . import runs
from .ingest import Ingested
from .ingest.facts import Facts


def take_organization_signal(session: Session, facts: Facts, signal: OrganizationSignal) -> Ingested:
    """Have the organizations listed anew, in the session's transaction; the caller commits."""
    runs.try_start(
        session, SYSTEM_ACTOR(facts.tenant_id), "organization_sync", integration_id=facts.integration_id
    )
    return Ingested(SignalOutcome.ORGANIZATION_SYNC, None, None)
