"""The dispatch board."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from reference_psa.services import scheduling
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host.types import Actor, ScheduleConflict, ScheduleDraft, User

from .actors import RolePermissions
from .people import technicians


class SqlSchedule:
    """Booked by the same path as people take, so that calendars show it alike."""

    def technicians(self, session: Session, tenant_id: str) -> Sequence[User]:
        """Active users that can be scheduled: those of the role technician."""
        return technicians(session, tenant_id)

    def may_book(self, actor: Actor) -> bool:
        """Whether the actor may put entries on the board: dispatchers and administrators."""
        return RolePermissions().allows(actor, "psa.dispatch")

    def hold(self, session: Session, tenant_id: str, user_ids: Collection[str]) -> None:
        """Lock the schedules of these users until the transaction ends."""
        scheduling.hold(session, tenant_id, user_ids)

    def conflicts(
        self, session: Session, tenant_id: str, user_ids: Collection[str], start: datetime, end: datetime
    ) -> Sequence[ScheduleConflict]:
        """What these users have between the two times, without what was called off."""
        return scheduling.conflicts(session, tenant_id, user_ids, start, end)

    def link_exists(self, session: Session, tenant_id: str, link_type: str, link_id: str) -> bool:
        """Whether there is such a ticket; this PSA has no project tasks."""
        return link_type == "ticket" and scheduling.has_ticket(session, tenant_id, link_id)

    def book(self, session: Session, tenant_id: str, draft: ScheduleDraft) -> str:
        """Put one entry for all of its users on the board; its id."""
        try:
            return scheduling.book(session, tenant_id, draft)
        except scheduling.NotBookable as problem:
            raise HostRejected(str(problem)) from problem
