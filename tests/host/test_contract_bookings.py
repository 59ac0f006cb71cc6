"""The contract catches hosts whose board, tickets or e-mails are careless."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from reference_psa.adapters.mails import SqlMails
from reference_psa.adapters.schedule import SqlSchedule
from reference_psa.adapters.tickets import SqlTickets
from reference_psa.db import new_id
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host import Actor, Mail, ScheduleConflict, ScheduleDraft, TicketChanges
from rmm_extension.testing import ContractBroken
from rmm_extension.testing.contract import Bench
from tests.host.psa_contract import CONTRACT, MakeBench

Check = Callable[[Bench], None]


class Forgetful(SqlSchedule):
    """Books anew at every call, and only the first of several."""

    def book(self, session: Session, tenant_id: str, draft: ScheduleDraft) -> str:
        alone = replace(draft, idempotency_key=new_id(), user_ids=draft.user_ids[:1], overlaps=())
        return super().book(session, tenant_id, alone)


class Lax(SqlSchedule):
    """Holds nothing, lets everybody book, and knows every task."""

    def hold(self, session: Session, tenant_id: str, user_ids: Collection[str]) -> None:
        pass

    def may_book(self, actor: Actor) -> bool:
        return True

    def link_exists(self, session: Session, tenant_id: str, link_type: str, link_id: str) -> bool:
        return True


class Closed(SqlSchedule):
    """Takes an end for a conflict with a beginning."""

    def conflicts(
        self, session: Session, tenant_id: str, user_ids: Collection[str], start: datetime, end: datetime
    ) -> Sequence[ScheduleConflict]:
        second = timedelta(seconds=1)
        return super().conflicts(session, tenant_id, user_ids, start - second, end + second)


class Greedy(SqlSchedule):
    """Holds the whole board."""

    def hold(self, session: Session, tenant_id: str, user_ids: Collection[str]) -> None:
        super().hold(session, tenant_id, [one.id for one in self.technicians(session, tenant_id)])


class Remembering(SqlSchedule):
    """Takes what was called off for a conflict."""

    def conflicts(
        self, session: Session, tenant_id: str, user_ids: Collection[str], start: datetime, end: datetime
    ) -> Sequence[ScheduleConflict]:
        session.execute(text("UPDATE schedule_entries SET status = 'scheduled'"))
        return super().conflicts(session, tenant_id, user_ids, start, end)


class Blunt(SqlSchedule):
    """Refuses with a word."""

    def book(self, session: Session, tenant_id: str, draft: ScheduleDraft) -> str:
        try:
            return super().book(session, tenant_id, draft)
        except HostRejected as error:
            raise HostRejected("no") from error


@pytest.mark.parametrize(
    "board, check, sentence",
    [
        (Forgetful, CONTRACT.test_an_entry_is_booked_whole, "for all of its users"),
        (Forgetful, CONTRACT.test_the_same_key_is_the_same_entry, "the same idempotency_key"),
        (Forgetful, CONTRACT.test_an_overlap_that_is_wanted_is_booked_and_kept, "keep a conflict"),
        (Lax, CONTRACT.test_held_schedules_are_held_until_the_end, "lock each user's schedule"),
        (Lax, CONTRACT.test_who_may_book_is_the_hosts_word, "a stranger may book"),
        (Lax, CONTRACT.test_what_it_can_be_for_is_known, "a ticket nobody has is not there"),
        (Greedy, CONTRACT.test_other_schedules_stay_free, "lock only the users asked for"),
        (Closed, CONTRACT.test_what_somebody_has_is_found_half_open, "half open"),
        (Remembering, CONTRACT.test_what_was_called_off_is_no_conflict, "called off"),
        (Blunt, CONTRACT.test_what_cannot_be_booked_is_refused_in_words, "with HostRejected and a sentence"),
    ],
)
def test_careless_boards_are_caught(
    broken: MakeBench, board: type[SqlSchedule], check: Check, sentence: str
) -> None:
    with pytest.raises(ContractBroken, match=sentence):
        check(broken(schedule=board()))


class Partial(SqlTickets):
    """Changes by statements of its own, one after the other, whatever the ticket."""

    def update(self, session: Session, tenant_id: str, ticket_id: str, changes: TicketChanges) -> None:
        whose: dict[str, Any] = {"tenant": tenant_id, "ticket": ticket_id}
        if changes.title:
            title = "UPDATE tickets SET title = :title WHERE tenant_id = :tenant AND id = :ticket"
            session.execute(text(title), {**whose, "title": changes.title})
        rest = replace(changes, title=None)
        if rest != TicketChanges():
            super().update(session, tenant_id, ticket_id, rest)


@pytest.mark.parametrize(
    "check, sentence",
    [
        (CONTRACT.test_what_a_ticket_cannot_have_is_refused_in_words, "before anything is written"),
        (CONTRACT.test_closed_and_unknown_tickets_are_refused, "gone or closed"),
    ],
)
def test_careless_changes_are_caught(broken: MakeBench, check: Check, sentence: str) -> None:
    with pytest.raises(ContractBroken, match=sentence):
        check(broken(tickets=Partial()))


class Unlocked(SqlTickets):
    """Looks and does not lock."""

    def update(self, session: Session, tenant_id: str, ticket_id: str, changes: TicketChanges) -> None:
        self.state(session, tenant_id, ticket_id)


def test_a_change_without_a_lock_is_caught(broken: MakeBench) -> None:
    with pytest.raises(ContractBroken, match="lock the ticket's row"):
        CONTRACT.test_a_ticket_under_change_is_locked(broken(tickets=Unlocked()))


class Twice(SqlMails):
    """Sends anew at every call, to whatever address."""

    def send(self, session: Session, tenant_id: str, mail: Mail) -> None:
        try:
            super().send(session, tenant_id, replace(mail, idempotency_key=new_id()))
        except HostRejected:
            return


@pytest.mark.parametrize(
    "check, sentence",
    [
        (CONTRACT.test_a_mail_waits_to_be_sent_once_a_key, "made 2 e-mails"),
        (CONTRACT.test_what_is_no_address_is_refused_in_words, "refuse 'nobody'"),
    ],
)
def test_careless_mails_are_caught(broken: MakeBench, check: Check, sentence: str) -> None:
    with pytest.raises(ContractBroken, match=sentence):
        check(broken(mails=Twice()))
