"""Who touched a ticket, and how it is closed."""

from __future__ import annotations

from sqlalchemy import text

from rmm_extension.host import Status

from .base import UNKNOWN, Bench, ContractBase
from .rules import attempt, is_sentence, rule

_OUTBOX = text(
    "SELECT count(*) FROM rmm_outbox WHERE tenant_id = :tenant AND topic = 'ticket_closed'"
    " AND payload->>'ticket_id' = :ticket"
)


class Closing(ContractBase):
    """A ticket is never closed under a person's hands; closing is the host's own."""

    def test_a_comment_is_a_touch(self, bench: Bench) -> None:
        """Any person's comment."""
        ticket = bench.ticket().id
        self.comment_as_person(bench.session, bench.tenant_id, ticket)
        self._is_touched(bench, ticket, "a comment by a person")

    def test_a_status_change_is_a_touch(self, bench: Bench) -> None:
        """Also when the status is back at the first one: it is the history that counts."""
        ticket = bench.ticket().id
        self.change_status_as_person(bench.session, bench.tenant_id, ticket)
        self._is_touched(bench, ticket, "a status change by a person")

    def test_booked_time_is_a_touch(self, bench: Bench) -> None:
        """Through the port itself."""
        port, ticket = bench.time_entries, bench.ticket().id
        user = bench.users.active(bench.session, bench.tenant_id)[0].id
        port.add(bench.session, bench.tenant_id, ticket, user, 15, "Looked at it.")
        self._is_touched(bench, ticket, "a time entry")

    def _is_touched(self, bench: Bench, ticket: str, what: str) -> None:
        bench.session.flush()
        state = bench.state(ticket)
        rule(state.touched, "tickets.state", f"{what} makes the ticket touched; judge it by your history.")
        said = (state.touched_by or "").split()
        rule(
            len(said) >= 2, "tickets.state", 'touched_by says who did what, as in "Mara commented at 14:02".'
        )

    def test_assignee_priority_and_board_are_no_touch(self, bench: Bench) -> None:
        """Sorting a ticket is not working on it."""
        ticket = bench.ticket().id
        self.edit_as_person(bench.session, bench.tenant_id, ticket)
        bench.session.flush()
        quiet = not bench.state(ticket).touched
        rule(quiet, "tickets.state", "a change of assignee, priority or board does not count as a touch.")

    def test_the_systems_notes_are_no_touch(self, bench: Bench) -> None:
        """Nor is its closing."""
        ticket = bench.ticket().id
        bench.tickets.add_note(bench.session, bench.tenant_id, ticket, "A note.")
        bench.tickets.note_if_open(bench.session, bench.tenant_id, ticket, None, "Another.")
        rule(not bench.state(ticket).touched, "tickets.state", "the system's notes do not count as a touch.")
        bench.tickets.close(bench.session, bench.tenant_id, ticket, None)
        rule(
            not bench.state(ticket).touched,
            "tickets.state",
            "the system's closing does not count as a touch.",
        )

    def test_closing_takes_the_hosts_own_path(self, bench: Bench) -> None:
        """The ticket is closed at a time, by nobody in person, in a status that is named."""
        ticket = bench.ticket().id
        result = bench.tickets.close(bench.session, bench.tenant_id, ticket, None)
        state, facts = bench.state(ticket), self.read_ticket(bench.session, bench.tenant_id, ticket)
        call = "tickets.close"
        rule(result.closed and not state.is_open, call, "the ticket is closed and the result says so.")
        rule(result.status_name == state.status_name, call, "the result names the status the ticket is in.")
        rule(facts.closed_at is not None, call, "set the time of closing, as your pages do.")
        rule(facts.closed_by is None, call, "the closer is the system, not a user.")
        seen = bench.tickets.get_many(bench.session, bench.tenant_id, [ticket])[ticket]
        rule(not seen.is_open, "tickets.get_many", "a closed ticket is not open.")

    def test_the_chosen_status_is_taken_if_it_closes(self, bench: Bench) -> None:
        """Else the first closed one of the ticket's board, else of the tenant."""
        ticket = bench.ticket().id
        board = self.read_ticket(bench.session, bench.tenant_id, ticket).board_id
        here = [s for s in self._statuses(bench) if s.board_id in (board, None)]
        closed = [s for s in here if s.is_closed]
        rule(closed, "catalog.statuses", "the default board needs a closed status to test closing.")
        self._closes_in(bench, closed[-1].id, closed[-1], "status_id is taken when it is a closed status.")
        opened = next(s for s in here if not s.is_closed)
        self._closes_in(bench, opened.id, closed[0], "an open status_id: take the board's first closed one.")
        self._closes_in(bench, UNKNOWN, closed[0], "an unknown status_id: take the board's first closed one.")
        self._closes_in(bench, None, closed[0], "no status_id: take the board's first closed status.")

    def _statuses(self, bench: Bench) -> list[Status]:
        return list(bench.catalog.statuses(bench.session, bench.tenant_id))

    def _closes_in(self, bench: Bench, status_id: str | None, expected: Status, sentence: str) -> None:
        ticket = bench.ticket().id
        result = bench.tickets.close(bench.session, bench.tenant_id, ticket, status_id)
        rule(result.closed and result.status_name == expected.name, "tickets.close", sentence)

    def test_without_a_closed_status_it_says_why(self, bench: Bench) -> None:
        """Not closed, with a reason; not an error."""
        ticket = bench.ticket().id
        self.without_closed_statuses(bench.session, bench.tenant_id)
        bench.session.flush()
        result = bench.tickets.close(bench.session, bench.tenant_id, ticket, None)
        rule(not result.closed, "tickets.close", "closed is False when there is no closed status.")
        rule(len((result.reason or "").split()) >= 3, "tickets.close", "say the reason in a sentence.")
        rule(bench.state(ticket).is_open, "tickets.close", "the ticket stays open when closed is False.")

    def test_closing_again_changes_nothing(self, bench: Bench) -> None:
        """Two alerts of one ticket may end at once."""
        ticket = bench.ticket().id
        bench.tickets.close(bench.session, bench.tenant_id, ticket, None)
        before = self.read_ticket(bench.session, bench.tenant_id, ticket)
        bench.tickets.close(bench.session, bench.tenant_id, ticket, None)
        after = self.read_ticket(bench.session, bench.tenant_id, ticket)
        rule(before == after, "tickets.close", "closing a closed ticket changes nothing.")

    def test_a_ticket_that_is_gone_is_not_closed(self, bench: Bench) -> None:
        """A result with a reason, or a refusal in words."""
        outcome = attempt(lambda: bench.tickets.close(bench.session, bench.tenant_id, UNKNOWN, None))
        if outcome.refusal is not None:
            rule(is_sentence(outcome.refusal), "tickets.close", "refuse in a sentence.")
            return
        closed = getattr(outcome.answer, "closed", None)
        rule(closed is False, "tickets.close", "a ticket that is gone: closed=False with a reason.")

    def test_a_persons_closing_is_told_and_ours_is_not(self, bench: Bench) -> None:
        """Otherwise every automatic closing would reset its own alerts."""
        ours, theirs = bench.ticket().id, bench.ticket().id
        bench.tickets.close(bench.session, bench.tenant_id, ours, None)
        self.close_as_person(bench.session, bench.tenant_id, theirs)
        bench.session.flush()
        rule(not self._told(bench, ours), "tickets.close", "must not call rmm.ticket_closed.")
        sentence = "where a person closes a ticket, call app.extensions['rmm'].ticket_closed once."
        rule(self._told(bench, theirs) == 1, "close_as_person", sentence)

    def _told(self, bench: Bench, ticket: str) -> int:
        found = bench.session.execute(_OUTBOX, {"tenant": bench.tenant_id, "ticket": ticket})
        return int(found.scalar_one())
