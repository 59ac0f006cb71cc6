"""Counts the SQL statements a piece of code really sends, whichever way it sends them.

    with StatementCounter() as sent:
        client.post("/api/webhooks/…")
    assert sent.count <= 3, sent

It looks at psycopg's cursors, below SQLAlchemy, so that raw psycopg, COPY and the host's own statements
count too. Transaction control (BEGIN, COMMIT, ROLLBACK, SAVEPOINT…) is not counted. `executemany` counts one
per parameter set, a COPY one.

`commits` and `rollbacks` count the transactions that `commit()` and `rollback()` ended. A write outside a
transaction, on a connection in autocommit, is a transaction of its own and a commit; a read there is none,
for it leaves nothing to commit. A `commit()` or `rollback()` with no transaction open counts for nothing.
What is sent counts, also where PostgreSQL then refuses it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, ClassVar, Self

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

LEADING = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\()+", re.DOTALL)
CONTROL = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"})
WRITING = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE|COPY\b.*\bFROM\s+STDIN)\b", re.I | re.S
)
LOCKING = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?UPDATE\b", re.I)


class StatementCounter:
    """Counts while it is entered. Counters may be nested; each sees everything."""

    _active: ClassVar[list[StatementCounter]] = []
    _guard: ClassVar[threading.RLock] = threading.RLock()
    _undo: ClassVar[list[Callable[[], None]]] = []

    def __init__(self, *, this_thread: bool = False) -> None:
        """Count for the whole process, or with `this_thread` only what the entering thread sends."""
        self.statements: list[str] = []
        """Text of every statement, in order, without its values."""
        self.commits = 0
        """How many transactions were committed, single writing statements among them."""
        self.rollbacks = 0
        """How many transactions were rolled back."""
        self._thread: int | None = None
        self._this_thread = this_thread

    @property
    def count(self) -> int:
        """How many statements were sent."""
        return len(self.statements)

    @property
    def writes(self) -> int:
        """How many of them write rows."""
        return sum(1 for statement in self.statements if is_write(statement))

    def __str__(self) -> str:
        lines = [
            f"{position:>3}. {' '.join(text.split())}" for position, text in enumerate(self.statements, 1)
        ]
        return "\n".join(
            [f"{self.count} statements, {self.commits} commits, {self.rollbacks} rollbacks:", *lines]
        )

    def __enter__(self) -> Self:
        with self._guard:
            self._thread = threading.get_ident() if self._this_thread else None
            if not self._active:
                self._undo.extend(watch_psycopg())
            self._active.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._active.remove(self)
            if not self._active:
                while self._undo:
                    self._undo.pop()()

    @classmethod
    def listening(cls) -> list[StatementCounter]:
        """The counters that count what the calling thread sends now."""
        here = threading.get_ident()
        return [counter for counter in list(cls._active) if counter._thread in (None, here)]


def note(query: object, cursor: psycopg.Cursor[Any]) -> None:
    """Count one statement."""
    counters = StatementCounter.listening()
    if counters and not is_control(text := text_of(query, cursor)):
        for counter in counters:
            counter.statements.append(text)


def note_commit(query: object, cursor: psycopg.Cursor[Any]) -> None:
    """Count the commit that PostgreSQL adds to a write outside a transaction."""
    connection = cursor.connection
    if not connection.autocommit or connection.pgconn.transaction_status != TransactionStatus.IDLE:
        return
    counters = StatementCounter.listening()
    if counters and is_write(text_of(query, cursor)):
        for counter in counters:
            counter.commits += 1


def text_of(query: object, cursor: psycopg.Cursor[Any]) -> str:
    """The text of whatever psycopg takes as a query."""
    if isinstance(query, bytes):
        return query.decode(errors="replace")
    return query.as_string(cursor) if isinstance(query, sql.Composable) else str(query)


def is_control(text: str) -> bool:
    """Whether a statement only opens, closes or divides a transaction."""
    words = bare(text).split(None, 1)
    return bool(words) and words[0].rstrip(";").upper() in CONTROL


def is_write(text: str) -> bool:
    """Whether a statement writes rows: an INSERT, UPDATE, DELETE, MERGE or COPY FROM, also inside WITH."""
    return bool(WRITING.search(LOCKING.sub("", bare(text))))


def bare(text: str) -> str:
    """The text without leading white space, comments and parentheses."""
    opening = LEADING.match(text)
    return text[opening.end() :] if opening else text


def watch_psycopg() -> Iterator[Callable[[], None]]:
    """Put our functions before psycopg's; yield what puts each back."""
    for owner in (psycopg.Cursor, psycopg.ServerCursor):
        for name, before in (
            ("execute", before_one),
            ("executemany", before_many),
            ("copy", before_one),
            ("stream", before_one),
        ):
            if name in vars(owner):
                yield replace(owner, name, before)
    yield replace(psycopg.Connection, "commit", before_end("commits"))
    yield replace(psycopg.Connection, "rollback", before_end("rollbacks"))


Before = Callable[..., tuple[Any, ...]]
"""Sees a method's arguments and returns the ones to go on with."""


def replace(owner: type, name: str, before: Before) -> Callable[[], None]:
    """Make a method of a class call `before` first; return what undoes it."""
    original = vars(owner)[name]

    @wraps(original)
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(self, *before(self, *args), **kwargs)

    setattr(owner, name, watched)
    return lambda: setattr(owner, name, original)


def before_one(cursor: psycopg.Cursor[Any], *args: Any) -> tuple[Any, ...]:
    """Count the statement of `execute` or `copy`."""
    if args:
        note(args[0], cursor)
        note_commit(args[0], cursor)
    return args


def before_many(cursor: psycopg.Cursor[Any], *args: Any) -> tuple[Any, ...]:
    """Count the statement of `executemany` once per parameter set, as psycopg takes the sets."""
    if len(args) < 2:
        return args
    query, sets, *rest = args

    def counted(sets: Iterable[Any]) -> Iterator[Any]:
        for position, values in enumerate(sets):
            note(query, cursor)
            if not position:  # psycopg sends all sets in one pipeline, which is one transaction
                note_commit(query, cursor)
            yield values

    return (query, counted(sets), *rest)


def before_end(kind: str) -> Before:
    """Count a commit or rollback, if there is a transaction to end."""

    def before(connection: psycopg.Connection[Any], *args: Any) -> tuple[Any, ...]:
        if connection.pgconn.transaction_status != TransactionStatus.IDLE and not connection.closed:
            for counter in StatementCounter.listening():
                setattr(counter, kind, getattr(counter, kind) + 1)
        return args

    return before
