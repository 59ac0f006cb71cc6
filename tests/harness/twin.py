"""A second tenant whose rows are those of the first, ids included: only the tenant tells them apart."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table, insert, literal, select, text
from sqlalchemy.orm import Session

from rmm_extension.models import Base

TWIN = "twin"


def make_twin(session: Session, tenant_id: str) -> None:
    """Copy all that the tenant has to :data:`TWIN`."""
    for table in _tables():
        kept = [column for column in table.columns if column.computed is None and column.name != "tenant_id"]
        rows = select(literal(TWIN), *kept).where(table.c.tenant_id == tenant_id)
        session.execute(insert(table).from_select(["tenant_id", *(column.name for column in kept)], rows))


def rows_of(session: Session, tenant_id: str) -> dict[str, list[str]]:
    """Every row of the tenant in words, by table, without its tenant."""
    found = {}
    for table in _tables():
        statement = text(
            f"SELECT (to_jsonb(t) - 'tenant_id')::text FROM {table.name} t WHERE tenant_id = :t ORDER BY 1"
        )
        found[table.name] = list(session.scalars(statement, {"t": tenant_id}))
    return {name: rows for name, rows in found.items() if rows}


def _tables() -> Sequence[Table]:
    return Base.metadata.sorted_tables
