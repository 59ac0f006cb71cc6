"""A closed ticket goes on when its condition fires again soon after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rmm_extension.host import TicketRef

from .base import UNKNOWN, Bench, ContractBase
from .facts import Note
from .rules import rule

CALL = "tickets.reopen_if_closed_since"
NOTE = "Fired again."


class Reopening(ContractBase):
    """``tickets.reopen_if_closed_since``: the right tickets, and only those."""

    def test_a_ticket_closed_since_then_goes_on(self, bench: Bench) -> None:
        """By the host's own path: open, in the status of a new one, with an internal note of the system."""
        ticket = bench.ticket()
        first = bench.state(ticket.id).status_name
        bench.tickets.close(bench.session, bench.tenant_id, ticket.id, None)
        found = self._reopened(bench, ticket.id)
        state, facts = bench.state(ticket.id), self.read_ticket(bench.session, bench.tenant_id, ticket.id)
        rule(found == ticket, CALL, "it returns the TicketRef of the ticket it reopened.")
        rule(state.is_open, CALL, "the ticket is open afterwards.")
        rule(facts.closed_at is None and facts.closed_by is None, CALL, "clear who closed it and when.")
        rule(state.status_name == first, CALL, "it takes the open status that a new ticket of its board has.")
        rule(Note(NOTE, True, True) in facts.notes, CALL, "add the note as an internal one of the system.")
        rule(not state.touched, CALL, "it is the system's doing and no person's touch.")
        anyone = bench.ticket(client_id=bench.other_client_id)
        bench.tickets.close(bench.session, bench.tenant_id, anyone.id, None)
        rule(
            self._reopened(bench, anyone.id, None) == anyone, CALL, "client_id None means: whichever client."
        )

    def test_what_a_person_closed_goes_on_too(self, bench: Bench) -> None:
        """Their closing stays a touch: it is theirs now."""
        ticket = bench.ticket().id
        self.close_as_person(bench.session, bench.tenant_id, ticket)
        bench.session.flush()
        rule(self._reopened(bench, ticket) is not None, CALL, "it matters not who closed the ticket.")
        rule(bench.state(ticket).touched, CALL, "a person's closing stays in the history as a touch.")

    def test_no_other_ticket_is_reopened(self, bench: Bench) -> None:
        """Open, closed before, another client's or gone: ``None``, and nothing is written."""
        ticket = bench.ticket().id
        rule(self._reopened(bench, ticket) is None, CALL, "an open ticket: None.")
        bench.tickets.close(bench.session, bench.tenant_id, ticket, None)
        before = self.read_ticket(bench.session, bench.tenant_id, ticket)
        later = datetime.now(UTC) + timedelta(hours=1)
        rule(self._reopened(bench, ticket, since=later) is None, CALL, "a ticket closed before then: None.")
        stranger = self._reopened(bench, ticket, bench.other_client_id)
        rule(stranger is None, CALL, "another client's ticket: None.")
        rule(self._reopened(bench, UNKNOWN) is None, CALL, "a ticket that is gone: None, no error.")
        after = self.read_ticket(bench.session, bench.tenant_id, ticket)
        rule(after == before, CALL, "change nothing and write no note where it returns None.")

    def _reopened(
        self, bench: Bench, ticket_id: str, client_id: str | None = "", since: datetime | None = None
    ) -> TicketRef | None:
        wanted = bench.client_id if client_id == "" else client_id
        then = since or datetime.now(UTC) - timedelta(hours=1)
        return bench.tickets.reopen_if_closed_since(
            bench.session, bench.tenant_id, ticket_id, wanted, then, NOTE
        )
