"""Running hand-written SQL on the session's own connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import CursorResult
from sqlalchemy.orm import Session


def run(session: Session, sql: str, params: Mapping[str, Any]) -> CursorResult[*tuple[Any, ...]]:
    """The result of a statement with psycopg placeholders, in the session's transaction.

    It goes past SQLAlchemy's compiler, which is what makes it cheap on the paths that webhooks take.
    """
    return session.connection().exec_driver_sql(sql, dict(params))


def fetch_one(session: Session, sql: str, params: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The first row, by the driver itself: for what every single delivery asks."""
    driver: Any = session.connection().connection.driver_connection
    row: tuple[Any, ...] | None = driver.execute(sql, params).fetchone()
    return row


def distinct(values: Iterable[str | None]) -> list[str]:
    """The distinct non-empty ids, as the list psycopg turns into an array."""
    return sorted({value for value in values if value})
