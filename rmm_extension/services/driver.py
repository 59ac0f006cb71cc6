"""The psycopg connection under the session, for the few statements where every microsecond counts.

Statements run on it belong to the session's transaction like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import RowFactory, RowMaker
from sqlalchemy.orm import Session

_HELD = "rmm_driver_connection"
_UNSTORABLE = re.compile(r"(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})")


@contextmanager
def autocommitted(session: Session) -> Iterator[None]:
    """Run the block's statements each as a transaction of its own: nothing to begin and nothing to end.

    For the looks that precede a decision: at READ COMMITTED every statement has its own snapshot anyway, so a
    transaction around them adds two round trips and no safety. And for the only write of a unit. Where a
    transaction has begun already, the statements belong to it.
    """
    connection = _connection(session)
    if connection.info.transaction_status != TransactionStatus.IDLE:
        yield
        return
    connection.autocommit = True
    try:
        yield
    finally:
        _begin_again(session, connection)


def _begin_again(session: Session, connection: psycopg.Connection[Any]) -> None:
    """Statements form transactions from here on; a connection that cannot be told so never comes back."""
    if connection.closed:
        return
    if connection.info.transaction_status == TransactionStatus.IDLE:
        connection.autocommit = False
    else:
        # Interrupted in the midst of a statement. In the pool it would make every later unit half done.
        session.connection().invalidate()


@contextmanager
def held(session: Session) -> Iterator[None]:
    """Look the connection up once for all statements of the block: one transaction of the session."""
    session.info[_HELD] = None
    try:
        yield
    finally:
        session.info.pop(_HELD, None)


def _connection(session: Session) -> psycopg.Connection[Any]:
    held_one: psycopg.Connection[Any] | None = session.info.get(_HELD)
    if held_one is not None:
        return held_one
    found: Any = session.connection().connection.driver_connection
    if _HELD in session.info:
        session.info[_HELD] = found
    return found  # type: ignore[no-any-return]


def run(session: Session, statement: str, parameters: dict[str, Any]) -> psycopg.Cursor[dict[str, Any]]:
    """Execute on the session's own connection; rows come as dicts."""
    return _connection(session).cursor(row_factory=_by_name(statement)).execute(statement, parameters)


_names: dict[str, tuple[str, ...]] = {}


def _by_name(statement: str) -> RowFactory[dict[str, Any]]:
    """Rows as dicts. The names of a statement's columns are looked up once: psycopg does it every time."""

    def make(cursor: psycopg.Cursor[Any]) -> RowMaker[dict[str, Any]]:
        names = _names.get(statement)
        if names is None:
            names = tuple(column.name for column in cursor.description or ())
            if names:
                _names[statement] = names
        return lambda values: dict(zip(names, values, strict=True))

    return make


def json_text(value: Any) -> str:
    """JSON that PostgreSQL's jsonb takes: without NUL characters and lone surrogates."""
    try:
        encoded = msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        encoded = _ascii(value)
    return _UNSTORABLE.sub(r"\1", encoded) if "\\u" in encoded else encoded


def _ascii(value: Any) -> str:
    import json

    return json.dumps(value, default=str)
