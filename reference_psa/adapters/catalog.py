"""Boards, statuses, priorities and categories."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from rmm_extension.host.types import Board, Category, Priority, Status

from ._sql import run

_BOARDS = """SELECT b.id, b.name, b.is_default, s.id FROM boards b
LEFT JOIN ticket_statuses s ON s.tenant_id = b.tenant_id AND s.board_id = b.id
  AND s.is_default AND NOT s.is_closed
WHERE b.tenant_id = %(tenant)s AND b.is_active ORDER BY b.position, lower(b.name), b.id"""
_STATUSES = """SELECT s.id, s.name, s.board_id, s.is_closed, s.position FROM ticket_statuses s
JOIN boards b ON b.tenant_id = s.tenant_id AND b.id = s.board_id
WHERE s.tenant_id = %(tenant)s ORDER BY b.position, b.id, s.position, s.id"""
_PRIORITIES = "SELECT id, name, position FROM priorities WHERE tenant_id = %(tenant)s ORDER BY position, id"


_CATEGORIES = """SELECT c.id, c.name, c.parent_id FROM categories c
LEFT JOIN categories p ON p.tenant_id = c.tenant_id AND p.id = c.parent_id
WHERE c.tenant_id = %(tenant)s
ORDER BY coalesce(p.position, c.position), coalesce(p.id, c.id), c.parent_id NULLS FIRST, c.position, c.id"""


class SqlCatalog:
    """What a ticket can be filed under."""

    def boards(self, session: Session, tenant_id: str) -> Sequence[Board]:
        """Active boards, in their order."""
        return [Board(*row) for row in run(session, _BOARDS, {"tenant": tenant_id})]

    def statuses(self, session: Session, tenant_id: str) -> Sequence[Status]:
        """All ticket statuses, board by board, in their order."""
        return [Status(*row) for row in run(session, _STATUSES, {"tenant": tenant_id})]

    def priorities(self, session: Session, tenant_id: str) -> Sequence[Priority]:
        """All priorities, the most urgent first."""
        return [Priority(*row) for row in run(session, _PRIORITIES, {"tenant": tenant_id})]


class SqlCategories:
    """What a ticket can be about."""

    def active(self, session: Session, tenant_id: str) -> Sequence[Category]:
        """All categories, in their order, each before its subcategories."""
        return [Category(*row) for row in run(session, _CATEGORIES, {"tenant": tenant_id})]
