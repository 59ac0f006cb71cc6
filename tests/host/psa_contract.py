"""The host contract as the reference PSA fills it in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reference_psa.models import (
    Asset,
    AssetHistory,
    Board,
    Client,
    Comment,
    Contact,
    Email,
    Notification,
    Priority,
    ScheduleConflict,
    ScheduledUser,
    ScheduleEntry,
    ServerAsset,
    Status,
    Ticket,
    TicketAsset,
    User,
    WorkstationAsset,
)
from reference_psa.services import scheduling
from reference_psa.services import tickets as desk
from rmm_extension.testing import AssetFacts, EntryFacts, HostContract, Note, NoticeFacts, TicketFacts
from rmm_extension.testing.contract import Bench

MakeBench = Callable[..., Bench]


def _mails(row: Notification) -> Any:
    same_user = (Email.tenant_id == row.tenant_id) & (Email.user_id == row.user_id)
    return select(Email.body).where(same_user, Email.idempotency_key == row.idempotency_key)


class PsaContract(HostContract):
    """What this PSA fills in."""

    def technician(self, session: Session, tenant: str) -> User:
        """Somebody who works on tickets."""
        found = select(User).where(User.tenant_id == tenant, User.role == "technician")
        return session.scalars(found.limit(1)).one()

    def read_ticket(self, session: Session, tenant_id: str, ticket_id: str) -> TicketFacts:
        session.expire_all()
        row = session.get_one(Ticket, (tenant_id, ticket_id))
        comments = session.scalars(select(Comment).where(Comment.ticket_id == ticket_id).order_by(Comment.at))
        linked = session.scalars(select(TicketAsset.asset_id).where(TicketAsset.ticket_id == ticket_id))
        return TicketFacts(
            title=row.title,
            description=row.description,
            board_id=row.board_id,
            priority_id=row.priority_id,
            category_id=row.category_id,
            subcategory_id=row.subcategory_id,
            contact_id=row.contact_id,
            assignee_id=row.assignee_id,
            asset_ids=tuple(linked),
            notes=tuple(Note(c.body, c.is_internal, c.is_system_generated) for c in comments),
            closed_at=row.closed_at,
            closed_by=row.closed_by,
        )

    def read_asset(self, session: Session, tenant_id: str, asset_id: str) -> AssetFacts:
        session.expire_all()
        row = session.get_one(Asset, (tenant_id, asset_id))
        kinds = (WorkstationAsset, ServerAsset)
        vitals = next((v for kind in kinds if (v := session.get(kind, (tenant_id, asset_id)))), None)
        entries = session.scalars(select(AssetHistory.id).where(AssetHistory.asset_id == asset_id)).all()
        return AssetFacts(
            name=row.name,
            client_id=row.client_id,
            serial=row.serial_number,
            agent_status=row.agent_status,
            rmm_device_id=row.rmm_device_id,
            is_active=row.status == "active",
            vitals={name: getattr(vitals, name, None) for name in ("current_user", "lan_ip")},
            history=len(entries),
        )

    def comment_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        person = self.technician(session, tenant_id)
        desk.add_comment(session, person, ticket_id, "I am looking at it.", is_internal=True)

    def change_status_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        row = session.get_one(Ticket, (tenant_id, ticket_id))
        others = select(Status).where(
            Status.board_id == row.board_id, Status.id != row.status_id, ~Status.is_closed
        )
        person = self.technician(session, tenant_id)
        desk.set_status(session, person, ticket_id, session.scalars(others.limit(1)).one())

    def edit_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        row = desk.locked(session, tenant_id, ticket_id)
        row.assignee_id = self.technician(session, tenant_id).id
        row.priority_id = session.scalars(select(Priority.id).where(Priority.tenant_id == tenant_id)).first()
        boards = select(Board.id).where(Board.tenant_id == tenant_id, Board.id != row.board_id)
        desk.move_to_board(session, row, session.scalars(boards.limit(1)).one())

    def close_as_person(self, session: Session, tenant_id: str, ticket_id: str) -> None:
        desk.close(session, self.technician(session, tenant_id), ticket_id, None)

    def without_boards(self, session: Session, tenant_id: str) -> None:
        session.execute(update(Board).where(Board.tenant_id == tenant_id).values(is_active=False))

    def without_closed_statuses(self, session: Session, tenant_id: str) -> None:
        session.execute(update(Status).where(Status.tenant_id == tenant_id).values(is_closed=False))

    def read_notices(self, session: Session, tenant_id: str, user_id: str) -> list[NoticeFacts]:
        told = select(Notification).where(
            Notification.tenant_id == tenant_id, Notification.user_id == user_id
        )
        return [
            NoticeFacts(row.title, row.link, tuple(session.scalars(_mails(row))))
            for row in session.scalars(told.order_by(Notification.created_at))
        ]

    def read_entry(self, session: Session, tenant_id: str, entry_id: str) -> EntryFacts:
        session.expire_all()
        row = session.get_one(ScheduleEntry, (tenant_id, entry_id))
        people = select(ScheduledUser.user_id).where(ScheduledUser.entry_id == entry_id)
        twice = select(ScheduleConflict.user_id).where(ScheduleConflict.entry_id == entry_id).distinct()
        return EntryFacts(
            title=row.title,
            user_ids=tuple(session.scalars(people)),
            start=row.starts_at,
            end=row.ends_at,
            link_id=row.ticket_id,
            notes=row.notes,
            overlaps=tuple(session.scalars(twice)),
        )

    def call_off_as_person(self, session: Session, tenant_id: str, entry_id: str) -> None:
        assert scheduling.call_off(session, tenant_id, entry_id)

    def read_mails(self, session: Session, tenant_id: str, address: str) -> list[str]:
        waiting = select(Email.body).where(Email.tenant_id == tenant_id, Email.recipient == address)
        return list(session.scalars(waiting.order_by(Email.created_at)))

    def decline_mail(self, session: Session, tenant_id: str, user_id: str) -> None:
        session.get_one(User, (tenant_id, user_id)).muted_subtypes = ["RMM Alert Triggered"]
        session.flush()

    def disable_user(self, session: Session, tenant_id: str, user_id: str) -> None:
        session.get_one(User, (tenant_id, user_id)).is_enabled = False
        session.flush()

    def make_contact(
        self, session: Session, tenant_id: str, client_id: str, *, is_active: bool, is_primary: bool
    ) -> str:
        made = Contact(tenant_id=tenant_id, client_id=client_id, name="Zoe Quill", is_active=is_active)
        session.add(made)
        session.flush()
        if is_primary:
            session.get_one(Client, (tenant_id, client_id)).primary_contact_id = made.id
        return made.id


CONTRACT = PsaContract()
