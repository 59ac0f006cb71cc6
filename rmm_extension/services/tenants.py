"""Which tenants are worked for: those that are not suspended."""

from __future__ import annotations

from sqlalchemy import Text, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import CollectionAggregate

from .context import Rmm


def active(rmm: Rmm, session: Session) -> CollectionAggregate[bool]:
    """To be compared with a tenant's column: the tenants that are not suspended, asked of the host once."""
    return any_(literal(list(rmm.host.tenants.active_ids(session)), ARRAY(Text)))
