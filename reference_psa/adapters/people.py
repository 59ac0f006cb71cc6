"""Clients, contacts and users."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from rmm_extension.host.types import Client, Contact, User

from ._sql import distinct, run

_SEARCH = """SELECT id, name, is_active FROM clients
WHERE tenant_id = %(tenant)s AND is_active AND strpos(lower(name), lower(%(text)s)) > 0
ORDER BY lower(name), id LIMIT %(limit)s"""
_CLIENTS = "SELECT id, name, is_active FROM clients WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s)"
_CONTACTS = """SELECT id, name, client_id, email, is_active FROM contacts
WHERE tenant_id = %(tenant)s AND client_id = ANY(%(ids)s) AND is_active ORDER BY lower(name), id"""
_FOR_TICKET = """SELECT k.id FROM clients c
JOIN contacts k ON k.tenant_id = c.tenant_id AND k.client_id = c.id
  AND k.id IN (%(preferred)s, c.primary_contact_id) AND k.is_active
WHERE c.tenant_id = %(tenant)s AND c.id = %(client)s
ORDER BY (k.id = %(preferred)s) IS TRUE DESC LIMIT 1"""
_USERS = """
SELECT id, name, email, is_enabled AS is_active, role <> 'read_only' AS takes_tickets
FROM users WHERE tenant_id = %(tenant)s"""
_BY_NAME = " ORDER BY lower(name), id"


class SqlClients:
    """The tenant's clients."""

    def search(self, session: Session, tenant_id: str, text: str = "", limit: int = 1000) -> Sequence[Client]:
        """Active clients by name, alphabetically; ``text`` is a case-insensitive part of the name."""
        found = run(session, _SEARCH, {"tenant": tenant_id, "text": text, "limit": limit})
        return [Client(*row) for row in found]

    def get_many(self, session: Session, tenant_id: str, ids: Collection[str]) -> Mapping[str, Client]:
        """The clients among ``ids`` that exist."""
        found = run(session, _CLIENTS, {"tenant": tenant_id, "ids": distinct(ids)})
        return {row.id: Client(*row) for row in found}


class SqlContacts:
    """The clients' people."""

    def for_clients(
        self, session: Session, tenant_id: str, client_ids: Collection[str]
    ) -> Mapping[str, Sequence[Contact]]:
        """Active contacts of each client, by name; a client without any has an empty list."""
        grouped: dict[str, list[Contact]] = {client_id: [] for client_id in client_ids}
        for row in run(session, _CONTACTS, {"tenant": tenant_id, "ids": distinct(client_ids)}):
            grouped[row.client_id].append(Contact(*row))
        return grouped

    def for_ticket(
        self, session: Session, tenant_id: str, client_id: str, preferred_id: str | None
    ) -> str | None:
        """The preferred contact if active and of this client, else the primary one, else ``None``."""
        params = {"tenant": tenant_id, "client": client_id, "preferred": preferred_id or ""}
        return run(session, _FOR_TICKET, params).scalar()


class SqlUsers:
    """The tenant's own people."""

    def active(self, session: Session, tenant_id: str) -> Sequence[User]:
        """Active internal users, by name."""
        return _users(session, _USERS + " AND is_enabled" + _BY_NAME, {"tenant": tenant_id})

    def get_many(self, session: Session, tenant_id: str, ids: Collection[str]) -> Mapping[str, User]:
        """The users among ``ids`` that exist."""
        found = _users(
            session, _USERS + " AND id = ANY(%(ids)s)", {"tenant": tenant_id, "ids": distinct(ids)}
        )
        return {user.id: user for user in found}


def technicians(session: Session, tenant_id: str) -> Sequence[User]:
    """Active users of the role technician, by name: those that can be booked."""
    return _users(
        session, _USERS + " AND is_enabled AND role = 'technician'" + _BY_NAME, {"tenant": tenant_id}
    )


def _users(session: Session, sql: str, params: dict[str, Any]) -> list[User]:
    return [User(*row) for row in run(session, sql, params)]
