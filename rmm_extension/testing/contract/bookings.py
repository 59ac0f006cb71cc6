"""The dispatch board: who is booked when, and that nobody is booked twice by accident."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rmm_extension.host import Actor, ScheduleDraft

from .base import UNKNOWN, Bench, ContractBase
from .rules import attempt, had_to_wait, is_sentence, rule

HOUR = timedelta(hours=1)
ZONED = datetime(2031, 5, 6, 9, tzinfo=UTC)
"""A time at which the contract's tenant has nothing on its board."""
BOOK, CONFLICTS = "schedule.book", "schedule.conflicts"


class Bookings(ContractBase):
    """The ``schedule`` port but for who can be scheduled."""

    def _people(self, bench: Bench) -> tuple[str, str]:
        found = [user.id for user in bench.schedule.technicians(bench.session, bench.tenant_id)]
        if len(found) < 2:
            pytest.skip("The tenant needs two technicians to test its board.")
        return found[0], found[1]

    def _taken(self, bench: Bench, start: datetime, end: datetime, *users: str) -> list[tuple[str, str]]:
        found = bench.schedule.conflicts(bench.session, bench.tenant_id, users, start, end)
        return sorted((one.user_id, one.entry_id) for one in found)

    def _book(self, bench: Bench, draft: ScheduleDraft) -> str:
        return bench.schedule.book(bench.session, bench.tenant_id, draft)

    def test_an_entry_is_booked_whole(self, bench: Bench) -> None:
        """For all of its users, at its time, for its ticket."""
        people = self._people(bench)
        draft = bench.booking(people, notes="Bring a cable.")
        if bench.host.tickets is not None:
            draft = replace(draft, link_type="ticket", link_id=bench.ticket().id)
        facts = self.read_entry(bench.session, bench.tenant_id, self._book(bench, draft))
        rule(sorted(facts.user_ids) == sorted(people), BOOK, "book one entry for all of its users.")
        rule((facts.title, facts.notes) == (draft.title, draft.notes), BOOK, "keep title and notes.")
        rule((facts.start, facts.end) == (draft.start, draft.end), BOOK, "keep the two instants.")
        rule(facts.link_id == draft.link_id, BOOK, "link the entry to its ticket.")
        rule(not facts.overlaps, BOOK, "no conflict is kept where nobody had anything.")

    def test_the_same_key_is_the_same_entry(self, bench: Bench) -> None:
        """A step that comes again books nobody twice."""
        draft = bench.booking(self._people(bench))
        first = self._book(bench, draft)
        again = self._book(bench, replace(draft, title="Something else"))
        rule(first == again, BOOK, "the same idempotency_key is the entry that is there.")
        taken = self._taken(bench, draft.start, draft.end, *draft.user_ids)
        rule(len(taken) == len(draft.user_ids), BOOK, "the same key wrote a second entry.")

    def test_what_somebody_has_is_found_half_open(self, bench: Bench) -> None:
        """Each user by themselves; an entry that ends as another begins is in nobody's way."""
        one, two = self._people(bench)
        draft = bench.booking((one,), start=ZONED, end=ZONED + HOUR)
        entry = self._book(bench, draft)
        minute = timedelta(minutes=1)
        inside = (ZONED - HOUR, ZONED + minute), (ZONED + HOUR - minute, ZONED + 2 * HOUR)
        for start, end in (*inside, (ZONED + minute, ZONED + 2 * minute), (ZONED - HOUR, ZONED + 2 * HOUR)):
            taken = self._taken(bench, start, end, one, two)
            rule(taken == [(one, entry)], CONFLICTS, "name what overlaps, for whom it is and nobody else.")
        for start, end in ((ZONED - HOUR, ZONED), (ZONED + HOUR, ZONED + 2 * HOUR)):
            free = not self._taken(bench, start, end, one)
            rule(free, CONFLICTS, "times are half open: an end is no conflict with a beginning.")
        (found,) = bench.schedule.conflicts(bench.session, bench.tenant_id, [one], ZONED, ZONED + HOUR)
        same = (found.title, found.start, found.end) == (draft.title, draft.start, draft.end)
        rule(
            same and found.start.tzinfo is not None, CONFLICTS, "tell the entry's title and its times, zoned."
        )

    def test_what_was_called_off_is_no_conflict(self, bench: Bench) -> None:
        """Nor what is called anything like it."""
        draft = bench.booking(self._people(bench)[:1])
        self.call_off_as_person(bench.session, bench.tenant_id, self._book(bench, draft))
        bench.session.flush()
        taken = self._taken(bench, draft.start, draft.end, *draft.user_ids)
        rule(not taken, CONFLICTS, "leave out what was called off.")

    def test_an_overlap_that_is_wanted_is_booked_and_kept(self, bench: Bench) -> None:
        """So that a dispatcher sees it."""
        one, two = self._people(bench)
        draft = bench.booking((one,))
        self._book(bench, draft)
        both = replace(bench.booking((one, two)), overlaps=(one,))
        facts = self.read_entry(bench.session, bench.tenant_id, self._book(bench, both))
        rule(facts.overlaps == (one,), BOOK, "keep a conflict for the users named in overlaps.")

    def test_what_cannot_be_booked_is_refused_in_words(self, bench: Bench) -> None:
        """Nobody, a stranger, no time, and a ticket that is gone."""
        usual = bench.booking(self._people(bench)[:1])
        wrong = {
            "no users": replace(usual, user_ids=()),
            "a user who is not there": replace(usual, user_ids=(*usual.user_ids, UNKNOWN)),
            "an end before the beginning": replace(usual, end=usual.start - HOUR),
            "a ticket that is gone": replace(usual, link_type="ticket", link_id=UNKNOWN),
        }
        for what, draft in wrong.items():
            outcome = attempt(lambda draft=draft: self._book(bench, draft))  # type: ignore[misc]
            said = outcome.refusal is not None and is_sentence(outcome.refusal)
            rule(said, BOOK, f"refuse {what} with HostRejected and a sentence.")

    def test_what_it_can_be_for_is_known(self, bench: Bench) -> None:
        """A ticket of the tenant."""
        exists, ticket = bench.schedule.link_exists, bench.ticket().id
        call = "schedule.link_exists"
        rule(exists(bench.session, bench.tenant_id, "ticket", ticket) is True, call, "the ticket is there.")
        for kind in ("ticket", "project_task"):
            found = exists(bench.session, bench.tenant_id, kind, UNKNOWN)
            rule(found is False, call, f"a {kind.replace('_', ' ')} nobody has is not there.")

    def test_held_schedules_are_held_until_the_end(self, bench: Bench) -> None:
        """Those asked for, in any order, and no others."""
        one, two = self._people(bench)
        bench.schedule.hold(bench.session, bench.tenant_id, [two, one])
        for user in (one, two):
            with bench.another_session() as session:
                waited = had_to_wait(
                    session,
                    lambda user=user: bench.schedule.hold(session, bench.tenant_id, [user]),  # type: ignore[misc]
                )
            rule(waited, "schedule.hold", "lock each user's schedule until the transaction ends.")

    def test_other_schedules_stay_free(self, bench: Bench) -> None:
        """Who books one technician keeps nobody from booking another."""
        one, two = self._people(bench)
        bench.schedule.hold(bench.session, bench.tenant_id, [one])
        with bench.another_session() as session:
            waited = had_to_wait(session, lambda: bench.schedule.hold(session, bench.tenant_id, [two]))
        rule(not waited, "schedule.hold", "lock only the users asked for.")

    def test_who_may_book_is_the_hosts_word(self, bench: Bench) -> None:
        """Somebody, and no stranger; nobody in a tenant that is not theirs."""
        may, users = bench.schedule.may_book, bench.users
        own = users.active(bench.session, bench.tenant_id)
        there = {user.id for user in users.active(bench.session, bench.other_tenant_id)}
        answers = [may(Actor(user.id, user.name, bench.tenant_id)) for user in own]
        call = "schedule.may_book"
        rule(all(one in (True, False) for one in answers) and any(answers), call, "nobody may book.")
        rule(may(Actor(UNKNOWN, "Nobody", bench.tenant_id)) is False, call, "a stranger may book.")
        foreign = [
            may(Actor(user.id, user.name, bench.other_tenant_id)) for user in own if user.id not in there
        ]
        rule(not any(foreign), call, "a user of another tenant may book. Look at tenant_id.")
