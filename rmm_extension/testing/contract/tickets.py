"""Tickets: made once, noted, judged, completed."""

from __future__ import annotations

from rmm_extension.domain.errors import HostRejected

from .base import UNKNOWN, Bench, ContractBase
from .facts import Note
from .rules import attempt, is_sentence, rule


class Tickets(ContractBase):
    """The ``tickets`` port but for closing and locks."""

    def test_a_new_ticket_is_whole(self, bench: Bench) -> None:
        """Title, description, client, note and asset link come with the one call."""
        asset = bench.asset() if bench.host.assets is not None else None
        draft = bench.draft(asset_id=asset)
        made = bench.tickets.create(bench.session, bench.tenant_id, draft)
        state, facts = bench.state(made.id), self.read_ticket(bench.session, bench.tenant_id, made.id)
        call = "tickets.create"
        rule(
            made.number and made.number == state.number,
            call,
            "the ticket needs a number, the same everywhere.",
        )
        rule(state.is_open and not state.touched, call, "a new ticket is open and nobody has touched it.")
        rule(state.client_id == draft.client_id, call, "the ticket belongs to the draft's client.")
        rule((state.title, facts.title) == (draft.title,) * 2, call, "the title is the draft's.")
        rule(facts.description == draft.description, call, "the description is the draft's.")
        rule(asset is None or asset in facts.asset_ids, call, "link the draft's asset to the ticket.")
        wanted = Note(body=draft.note or "", is_internal=True, is_system=True)
        rule(wanted in facts.notes, call, "the note becomes an internal comment of the system.")

    def test_what_the_rule_chose_is_taken(self, bench: Bench) -> None:
        """Board, priority and assignee of the draft."""
        board = bench.catalog.boards(bench.session, bench.tenant_id)[-1].id
        priority = bench.catalog.priorities(bench.session, bench.tenant_id)[0].id
        assignee = bench.users.active(bench.session, bench.tenant_id)[0].id
        made = bench.ticket(board_id=board, priority_id=priority, assignee_id=assignee)
        facts = self.read_ticket(bench.session, bench.tenant_id, made.id)
        rule(facts.board_id == board, "tickets.create", "board_id names the board.")
        rule(facts.priority_id == priority, "tickets.create", "priority_id names the priority.")
        rule(facts.assignee_id == assignee, "tickets.create", "assignee_id names the assignee.")

    def test_two_tickets_have_two_numbers(self, bench: Bench) -> None:
        """A number names one ticket of the tenant."""
        one, two = bench.ticket(), bench.ticket()
        rule(one.id != two.id and one.number != two.number, "tickets.create", "two keys make two tickets.")

    def test_the_same_key_gives_the_first_ticket(self, bench: Bench) -> None:
        """Even when the second draft differs."""
        draft = bench.draft()
        first = bench.tickets.create(bench.session, bench.tenant_id, draft)
        again = bench.draft(idempotency_key=draft.idempotency_key, title="Something else")
        second = bench.tickets.create(bench.session, bench.tenant_id, again)
        rule(first == second, "tickets.create", "the same idempotency_key returns the first ticket.")
        kept = bench.state(first.id).title
        rule(kept == draft.title, "tickets.create", "a second create changes nothing in the first ticket.")

    def test_a_key_belongs_to_its_tenant(self, bench: Bench) -> None:
        """Two tenants may use the same key."""
        draft = bench.draft()
        own = bench.tickets.create(bench.session, bench.tenant_id, draft)
        foreign = bench.draft(idempotency_key=draft.idempotency_key, client_id=bench.foreign_client_id)
        other = bench.tickets.create(bench.session, bench.other_tenant_id, foreign)
        rule(own.id != other.id, "tickets.create", "make idempotency keys unique per tenant.")

    def test_another_tenants_client_gets_no_ticket(self, bench: Bench) -> None:
        """The client of a draft is one of the tenant."""
        outcome = attempt(lambda: bench.ticket(client_id=bench.foreign_client_id))
        rule(outcome.refusal, "tickets.create", "refuse a client of another tenant with HostRejected.")

    def test_without_a_board_it_is_refused_in_words(self, bench: Bench) -> None:
        """The administrator reads why there is no ticket."""
        bench.tickets  # noqa: B018 - skips the test where there is no such port
        self.without_boards(bench.session, bench.tenant_id)
        bench.session.flush()
        outcome = attempt(bench.ticket)
        refused = isinstance(outcome.refusal, HostRejected)
        rule(refused, "tickets.create", "raise HostRejected when there is no board.")
        rule(
            outcome.refusal is not None and is_sentence(outcome.refusal),
            "tickets.create",
            f"say in a sentence what is missing, not {str(outcome.refusal)!r}.",
        )

    def test_a_note_reaches_the_open_ticket_of_the_client(self, bench: Bench) -> None:
        """It is internal and the system's."""
        made = bench.ticket()
        found = self._noted(bench, made.id, bench.client_id)
        rule(found == made, "tickets.note_if_open", "it returns the TicketRef of the open ticket.")
        facts = self.read_ticket(bench.session, bench.tenant_id, made.id)
        rule(
            Note("Again.", True, True) in facts.notes, "tickets.note_if_open", "add an internal system note."
        )
        anyone = self._noted(bench, made.id, None)
        rule(anyone == made, "tickets.note_if_open", "client_id None means: whichever client.")

    def test_a_note_reaches_no_other_ticket(self, bench: Bench) -> None:
        """Closed, gone or another client's: ``None``, and nothing is written."""
        made = bench.ticket()
        call = "tickets.note_if_open"
        rule(
            self._noted(bench, made.id, bench.other_client_id) is None, call, "another client's ticket: None."
        )
        rule(self._noted(bench, UNKNOWN, None) is None, call, "a ticket that is gone: None, no error.")
        bench.tickets.close(bench.session, bench.tenant_id, made.id, None)
        rule(self._noted(bench, made.id, bench.client_id) is None, call, "a closed ticket: None.")
        bodies = [n.body for n in self.read_ticket(bench.session, bench.tenant_id, made.id).notes]
        rule("Again." not in bodies, call, "write no note where it returns None.")

    def _noted(self, bench: Bench, ticket_id: str, client_id: str | None) -> object:
        return bench.tickets.note_if_open(bench.session, bench.tenant_id, ticket_id, client_id, "Again.")

    def test_notes_go_to_closed_tickets_too(self, bench: Bench) -> None:
        """add_note is for receipts, which come late."""
        made = bench.ticket()
        bench.tickets.close(bench.session, bench.tenant_id, made.id, None)
        bench.tickets.add_note(bench.session, bench.tenant_id, made.id, "Receipt.")
        notes = self.read_ticket(bench.session, bench.tenant_id, made.id).notes
        rule(Note("Receipt.", True, True) in notes, "tickets.add_note", "a closed ticket takes notes too.")

    def test_an_unknown_ticket_has_no_state(self, bench: Bench) -> None:
        """``None``, not an error."""
        state = bench.tickets.state(bench.session, bench.tenant_id, UNKNOWN, lock=True)
        rule(state is None, "tickets.state", "an unknown ticket gives None.")

    def test_states_of_many_are_those_of_each(self, bench: Bench) -> None:
        """``touched`` aside, which lists do not need."""
        made = [bench.ticket(), bench.ticket()]
        found = bench.tickets.get_many(bench.session, bench.tenant_id, [*(t.id for t in made), UNKNOWN])
        rule(found.keys() == {t.id for t in made}, "tickets.get_many", "name exactly the tickets that exist.")
        for one in made:
            state = bench.state(one.id)
            same = (found[one.id].number, found[one.id].title) == (state.number, state.title)
            rule(same, "tickets.get_many", "it tells the same of a ticket as tickets.state.")

    def test_text_is_completed_where_nobody_changed_it(self, bench: Bench) -> None:
        """Each of title and description is compared with the old one and set, or left."""
        draft = bench.draft()
        ticket = bench.tickets.create(bench.session, bench.tenant_id, draft).id
        call = "tickets.complete_text"
        rule(
            self._completed(bench, ticket, draft.title, "T2", "other", "D2"), call, "the title was still old."
        )
        facts = self.read_ticket(bench.session, bench.tenant_id, ticket)
        left = facts.description == draft.description
        rule(facts.title == "T2" and left, call, "replace each text only where it is still the old one.")
        again = self._completed(bench, ticket, draft.title, "T3", "other", "D3")
        rule(again is False, call, "return False when neither text was the old one.")
        unchanged = self.read_ticket(bench.session, bench.tenant_id, ticket) == facts
        rule(unchanged, call, "change nothing when neither text was the old one.")
        rule(not bench.state(ticket).touched, call, "completing a text is no person's touch.")

    def _completed(self, bench: Bench, ticket: str, old: str, title: str, before: str, text: str) -> bool:
        return bench.tickets.complete_text(
            bench.session,
            bench.tenant_id,
            ticket,
            old_title=old,
            title=title,
            old_description=before,
            description=text,
        )

    def test_a_priority_is_set_as_the_system(self, bench: Bench) -> None:
        """It counts as nobody's touch."""
        priority = bench.catalog.priorities(bench.session, bench.tenant_id)[-1].id
        ticket = bench.ticket().id
        bench.tickets.set_priority(bench.session, bench.tenant_id, ticket, priority)
        facts = self.read_ticket(bench.session, bench.tenant_id, ticket)
        rule(facts.priority_id == priority, "tickets.set_priority", "the ticket has the priority afterwards.")
        rule(not bench.state(ticket).touched, "tickets.set_priority", "it is no person's touch.")
