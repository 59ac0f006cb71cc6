"""Changing an open ticket as the system."""

from __future__ import annotations

from rmm_extension.host import Status, TicketChanges

from .base import UNKNOWN, Bench, ContractBase
from .rules import attempt, had_to_wait, is_sentence, rule

CALL = "tickets.update"


class Changing(ContractBase):
    """``tickets.update``: what is named changes, and nothing else."""

    def _change(self, bench: Bench, ticket: str, **changes: str) -> None:
        bench.tickets.update(bench.session, bench.tenant_id, ticket, TicketChanges(**changes))

    def _of_board(self, bench: Bench, ticket: str, *, closed: bool) -> list[Status]:
        board = self.read_ticket(bench.session, bench.tenant_id, ticket).board_id
        every = bench.catalog.statuses(bench.session, bench.tenant_id)
        return [one for one in every if one.board_id in (board, None) and one.is_closed is closed]

    def test_a_ticket_takes_its_changes(self, bench: Bench) -> None:
        """Title, status, priority and assignee, each by itself; nobody has touched it by that."""
        ticket = bench.ticket().id
        before = self.read_ticket(bench.session, bench.tenant_id, ticket)
        status = self._of_board(bench, ticket, closed=False)[-1]
        priority = bench.catalog.priorities(bench.session, bench.tenant_id)[0].id
        users = bench.users.active(bench.session, bench.tenant_id)
        assignee = next(user.id for user in users if user.takes_tickets)
        self._change(bench, ticket, title="Another title")
        self._change(bench, ticket, status_id=status.id)
        self._change(bench, ticket, priority_id=priority)
        self._change(bench, ticket, assignee_id=assignee)
        state, facts = bench.state(ticket), self.read_ticket(bench.session, bench.tenant_id, ticket)
        rule(facts.title == "Another title", CALL, "set the title.")
        rule(state.status_name == status.name and state.is_open, CALL, "set the status.")
        rule(facts.priority_id == priority, CALL, "set the priority.")
        rule(facts.assignee_id == assignee, CALL, "set the assignee.")
        rule(facts.description == before.description, CALL, "leave what is not named.")
        rule(not state.touched, CALL, "a change by the system does not count as a person's touch.")

    def test_what_a_ticket_cannot_have_is_refused_in_words(self, bench: Bench) -> None:
        """A status that closes it, and what is gone; nothing is changed then."""
        ticket = bench.ticket().id
        closing = self._of_board(bench, ticket, closed=True)[0].id
        before = self.read_ticket(bench.session, bench.tenant_id, ticket)
        for name, value in (
            ("status_id", closing),
            ("status_id", UNKNOWN),
            ("priority_id", UNKNOWN),
            ("assignee_id", UNKNOWN),
        ):
            changes = {"title": "Another title", name: value}
            outcome = attempt(lambda changes=changes: self._change(bench, ticket, **changes))  # type: ignore[misc]
            said = outcome.refusal is not None and is_sentence(outcome.refusal)
            rule(said, CALL, f"refuse a {name} the ticket cannot have with HostRejected and a sentence.")
        after = self.read_ticket(bench.session, bench.tenant_id, ticket)
        rule(after == before, CALL, "check everything before anything is written.")

    def test_closed_and_unknown_tickets_are_refused(self, bench: Bench) -> None:
        """Closing has a path of its own, and so has reopening."""
        ticket = bench.ticket().id
        bench.tickets.close(bench.session, bench.tenant_id, ticket, None)
        for one in (ticket, UNKNOWN):
            outcome = attempt(lambda one=one: self._change(bench, one, title="Another title"))  # type: ignore[misc]
            said = outcome.refusal is not None and is_sentence(outcome.refusal)
            rule(said, CALL, "refuse a ticket that is gone or closed with HostRejected and a sentence.")

    def test_a_ticket_under_change_is_locked(self, bench: Bench) -> None:
        """Nobody closes it meanwhile."""
        ticket = bench.in_own_transaction()
        self._change(bench, ticket, title="Another title")
        with bench.another_session() as session:
            waited = had_to_wait(session, lambda: self.close_as_person(session, bench.tenant_id, ticket))
        rule(waited, CALL, "lock the ticket's row (SELECT … FOR UPDATE) until the transaction ends.")
