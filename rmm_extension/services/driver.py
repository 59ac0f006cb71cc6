"""The psycopg connection under the session, for the few statements where every microsecond counts.

Statements run on it belong to the session's transaction like any other.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row
from sqlalchemy.orm import Session

_UNSTORABLE = re.compile(r"(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})")


def run(session: Session, statement: str, parameters: dict[str, Any]) -> psycopg.Cursor[dict[str, Any]]:
    """Execute on the session's own connection; rows come as dicts."""
    connection: psycopg.Connection[Any] = session.connection().connection.driver_connection  # type: ignore[assignment]
    return connection.cursor(row_factory=dict_row).execute(statement, parameters)


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
