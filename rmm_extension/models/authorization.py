"""Sign-ins that are under way in a browser."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, TenantRow, utc_now


class PendingSignIn(TenantRow, Base):
    """One person who was sent to a vendor, until they come back or ``expires_at``; taken once.

    ``state_hash`` finds it, ``browser_hash`` proves that the same browser comes back, ``actor_id`` the same
    person. ``ciphertext`` is what was typed and the code's verifier, sealed by the vault with this row's id.
    ``integration_id`` is the connection that signs in again; ``None`` makes a new one.
    """

    __tablename__ = "rmm_pending_sign_ins"
    __table_args__ = (
        UniqueConstraint("tenant_id", "state_hash"),
        Index(None, "tenant_id", "expires_at"),
    )

    state_hash: Mapped[bytes] = mapped_column(LargeBinary)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    actor_id: Mapped[str]
    provider: Mapped[str]
    auth_mode: Mapped[str]
    integration_id: Mapped[UUID | None]
    key_id: Mapped[str]
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
