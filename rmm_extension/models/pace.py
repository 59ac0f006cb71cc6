"""The turns of requests to vendors that count them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from .base import Base, TenantRow


class PaceRow(TenantRow, Base):
    """One account at a vendor: ``following_at`` is when it is back at its even pace.

    It moves with every request, so nothing else stands here.
    """

    __tablename__ = "rmm_paces"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account"),
        {"postgresql_with": {"fillfactor": 50}},
    )

    account: Mapped[str]
    following_at: Mapped[datetime]
