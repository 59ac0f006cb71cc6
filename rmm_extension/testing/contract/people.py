"""Tenants, clients, contacts, users, and what they are told."""

from __future__ import annotations

from rmm_extension.host import Client

from .base import UNKNOWN, Bench, ContractBase, unique
from .rules import attempt, is_sentence, rule


class People(ContractBase):
    """The ports about people and companies."""

    def test_tenants(self, bench: Bench) -> None:
        """Known, active, and nobody else."""
        port, session = bench.host.tenants, bench.session
        found = port.get(session, bench.tenant_id)
        rule(
            found and found.id == bench.tenant_id,
            "tenants.get",
            "it gives the tenant under the id asked for.",
        )
        rule(found and found.is_active, "tenants.get", "the contract's tenants are active.")
        rule(port.get(session, UNKNOWN) is None, "tenants.get", "an unknown tenant gives None.")
        ids = set(port.active_ids(session))
        both = {bench.tenant_id, bench.other_tenant_id} <= ids
        rule(both, "tenants.active_ids", "it names every tenant that is not suspended.")

    def _search(self, bench: Bench, text: str = "", limit: int = 1000) -> list[Client]:
        return list(bench.host.clients.search(bench.session, bench.tenant_id, text, limit))

    def test_clients_are_found_by_a_part_of_their_name(self, bench: Bench) -> None:
        """Active ones, alphabetically, whatever the case; ``%`` and ``_`` are letters like others."""
        every = self._search(bench)
        call = "clients.search"
        rule(all(client.is_active for client in every), call, "it gives active clients only.")
        first = every[0]
        part = first.name[1:5].swapcase()
        found = [client.id for client in self._search(bench, part)]
        rule(first.id in found, call, f"{part!r} is a part of {first.name!r}, whatever the case.")
        rule(len(self._search(bench, limit=1)) == 1, call, "limit bounds the list.")
        rule(not self._search(bench, unique("nobody")), call, "a text in no name finds nobody.")
        for mark in ("%", "_"):
            literal = [client.id for client in every if mark in client.name]
            same = [client.id for client in self._search(bench, mark)] == literal
            rule(same, call, f"{mark!r} is a letter, not a wildcard: escape it for LIKE, or use strpos.")

    def test_clients_come_alphabetically(self, bench: Bench) -> None:
        """Two clients that differ in their first letters keep their order."""
        names = [client.name.casefold() for client in self._search(bench)]
        plain = [name for name in names if name.isascii() and name[:1].isalpha()]
        initials = [name[0] for name in plain]
        rule(initials == sorted(initials), "clients.search", "sort by name, whatever the case.")

    def test_the_clients_that_exist_are_named(self, bench: Bench) -> None:
        """Under their own ids."""
        found = bench.host.clients.get_many(bench.session, bench.tenant_id, [bench.client_id, UNKNOWN])
        rule(found.keys() == {bench.client_id}, "clients.get_many", "name exactly the clients that exist.")
        rule(found[bench.client_id].id == bench.client_id, "clients.get_many", "each under its own id.")

    def _contact(
        self, bench: Bench, *, client: str | None = None, active: bool = True, primary: bool = False
    ) -> str:
        made = self.make_contact(
            bench.session, bench.tenant_id, client or bench.client_id, is_active=active, is_primary=primary
        )
        bench.session.flush()
        return made

    def _chosen(self, bench: Bench, preferred: str | None) -> str | None:
        return bench.contacts.for_ticket(bench.session, bench.tenant_id, bench.client_id, preferred)

    def test_the_contact_of_a_ticket(self, bench: Bench) -> None:
        """The preferred one if active and of the client, else the primary one, else nobody."""
        bench.contacts  # noqa: B018 - skips the test where there is no such port
        primary, good = self._contact(bench, primary=True), self._contact(bench)
        gone = self._contact(bench, active=False)
        strange = self._contact(bench, client=bench.other_client_id)
        call = "contacts.for_ticket"
        rule(self._chosen(bench, good) == good, call, "take the preferred contact of this client.")
        rule(
            self._chosen(bench, gone) == primary, call, "an inactive preferred one: take the primary contact."
        )
        rule(self._chosen(bench, strange) == primary, call, "another client's: take the primary contact.")
        rule(self._chosen(bench, UNKNOWN) == primary, call, "an unknown one: take the primary contact.")
        rule(self._chosen(bench, None) == primary, call, "none preferred: take the primary contact.")
        self._contact(bench, active=False, primary=True)
        rule(self._chosen(bench, None) is None, call, "an inactive primary contact: None.")

    def test_contacts_of_clients_are_the_active_ones(self, bench: Bench) -> None:
        """Each under its own client."""
        bench.contacts  # noqa: B018 - as above
        here, gone = self._contact(bench), self._contact(bench, active=False)
        there = self._contact(bench, client=bench.other_client_id)
        both = [bench.client_id, bench.other_client_id]
        found = bench.contacts.for_clients(bench.session, bench.tenant_id, both)
        mine = {contact.id for contact in found[bench.client_id]}
        theirs = {contact.id for contact in found[bench.other_client_id]}
        call = "contacts.for_clients"
        rule(here in mine and there in theirs, call, "each contact under its own client.")
        rule(there not in mine and here not in theirs, call, "no contact under another client.")
        rule(gone not in mine, call, "leave inactive contacts out.")

    def test_users(self, bench: Bench) -> None:
        """Active ones in the list; each found by id."""
        users = bench.users.active(bench.session, bench.tenant_id)
        rule(users, "users.active", "the contract's tenant needs an active user.")
        rule(all(user.is_active for user in users), "users.active", "it gives active users only.")
        found = bench.users.get_many(bench.session, bench.tenant_id, [users[0].id, UNKNOWN])
        rule(found.keys() == {users[0].id}, "users.get_many", "name exactly the users that exist.")

    def test_technicians_are_users(self, bench: Bench) -> None:
        """Whoever can be scheduled is somebody."""
        found = bench.schedule.technicians(bench.session, bench.tenant_id)
        known = {user.id for user in bench.users.active(bench.session, bench.tenant_id)}
        rule({user.id for user in found} <= known, "schedule.technicians", "technicians are active users.")

    def test_time_needs_a_ticket_and_a_user(self, bench: Bench) -> None:
        """A refusal is a sentence."""
        port, ticket = bench.time_entries, bench.ticket().id
        user = bench.users.active(bench.session, bench.tenant_id)[0].id
        for where, who, what in ((UNKNOWN, user, "ticket"), (ticket, UNKNOWN, "user")):
            outcome = attempt(
                lambda where=where, who=who: port.add(bench.session, bench.tenant_id, where, who, 5, "x")  # type: ignore[misc]
            )
            said = outcome.refusal is not None and is_sentence(outcome.refusal)
            rule(said, "time_entries.add", f"refuse an unknown {what} with HostRejected and a sentence.")
