"""Whether a chat service can be used: its bot must have been put somewhere."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from rmm_extension.domain.connection_states import WORKING_STATES
from rmm_extension.models import Integration, TeamsConversation


def has_conversation(session: Session, tenant_id: str, provider: str) -> bool:
    """Whether a working connection of this provider has a living conversation."""
    living = exists().where(
        TeamsConversation.tenant_id == Integration.tenant_id,
        TeamsConversation.integration_id == Integration.id,
        TeamsConversation.dead_at.is_(None),
    )
    found: UUID | None = session.scalar(
        select(Integration.id)
        .where(
            Integration.tenant_id == tenant_id,
            Integration.provider == provider,
            Integration.state.in_(WORKING_STATES),
            living,
        )
        .limit(1)
    )
    return found is not None
