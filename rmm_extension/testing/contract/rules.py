"""How the contract looks at a call: what it returned, what it changed, what it sent, what it waited for."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

import psycopg
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from rmm_extension.domain.errors import HostError
from rmm_extension.testing.statements import StatementCounter

T = TypeVar("T")
PLAIN = (str, int, float, bool, datetime, type(None))
_TABLES = """SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
WHERE schemaname <> ALL ('{pg_catalog,information_schema}') AND NOT starts_with(tablename, 'rmm_')
ORDER BY 1"""


class ContractBroken(AssertionError):
    """The host breaks a rule of its ports; the message says which, and what to do."""


def rule(holds: object, call: str, sentence: str) -> None:
    """Fail with a sentence that begins with the port's method."""
    __tracebackhide__ = True
    if not holds:
        raise ContractBroken(f"{call}: {sentence}")


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a call did: its answer, or its refusal."""

    answer: object = None
    refusal: HostError | None = None


def attempt(call: Callable[[], object]) -> Outcome:
    """Call, and take a refusal in words for an answer."""
    try:
        return Outcome(call())
    except HostError as refusal:
        return Outcome(refusal=refusal)


def is_sentence(error: BaseException) -> bool:
    """Whether an administrator could read the message: some words, none of a driver's or a traceback's."""
    words = str(error).split()
    return len(words) >= 3 and not any(
        mark in str(error) for mark in ("psycopg", "sqlalchemy", "Traceback", "SELECT ", "INSERT ")
    )


def is_nothing(answer: object) -> bool:
    """Whether an answer tells of nothing: no row, no ticket, not closed, not changed."""
    if isinstance(answer, Mapping):
        return all(is_nothing(value) for value in answer.values())
    closed = getattr(answer, "closed", None)
    return answer is None or closed is False or answer is False or answer == [] or answer == ()


def oddity(value: object, name: str = "the answer") -> str | None:
    """What must not cross the port in a value, in words; ``None`` when all is plain and frozen."""
    if isinstance(value, PLAIN):
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _odd_dataclass(value)
    if isinstance(value, Mapping):
        keys = (f"a key of {name} is no string" for key in value if not isinstance(key, str))
        return next(keys, None) or _first(oddity(item, name) for item in value.values())
    if isinstance(value, (Sequence, AbstractSet)):
        return _first(oddity(item, name) for item in value)
    return f"{name} holds a {type(value).__module__}.{type(value).__name__}"


def _odd_dataclass(value: object) -> str | None:
    kind = type(value)
    if not kind.__module__.startswith("rmm_extension.host"):
        return f"a {kind.__name__} of your own came instead of the port's dataclass"
    for field in dataclasses.fields(value):  # type: ignore[arg-type]
        found = getattr(value, field.name)
        is_id = field.name == "id" or field.name.endswith("_id")
        if is_id and not isinstance(found, (str, type(None))):
            return f"{kind.__name__}.{field.name} is a {type(found).__name__}, not a string"
        odd = oddity(found, f"{kind.__name__}.{field.name}")
        if odd:
            return odd
    return None


def _first(found: Iterator[str | None]) -> str | None:
    return next((one for one in found if one), None)


def fingerprint(session: Session) -> dict[str, str]:
    """A digest of every table of the host as this transaction sees it."""
    found = {}
    for table in tables(session):
        digest = (
            f"SELECT count(*) || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"  # noqa: S608
        )
        found[table] = str(session.connection().exec_driver_sql(digest).scalar())
    return found


def row_counts(session: Session) -> Counter[str]:
    """The number of rows in every table of the host."""
    connection = session.connection()
    return Counter(
        {t: connection.exec_driver_sql(f"SELECT count(*) FROM {t}").scalar() for t in tables(session)}  # noqa: S608
    )


def tables(session: Session) -> Sequence[str]:
    """The host's tables, with their schema, as SQL takes them."""
    session.flush()
    return session.connection().exec_driver_sql(_TABLES).scalars().all()


def changed_tables(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The tables that differ, in words."""
    return ", ".join(sorted(name for name in after if before.get(name) != after[name]))


@contextmanager
def connections_taken() -> Iterator[list[object]]:
    """The connections that this thread takes out of any pool meanwhile."""
    here, taken = threading.get_ident(), list[object]()

    def note(connection: object, *_: object) -> None:
        if threading.get_ident() == here:
            taken.append(connection)

    event.listen(Pool, "checkout", note)
    try:
        yield taken
    finally:
        event.remove(Pool, "checkout", note)


def statements(call: Callable[[], object]) -> StatementCounter:
    """What a call sends."""
    with StatementCounter(this_thread=True) as sent:
        call()
    return sent


def most_repeated(sent: StatementCounter) -> str:
    """The statement sent most often, shortened, with its number."""
    if not sent.statements:
        return "none"
    text, times = Counter(" ".join(text.split()) for text in sent.statements).most_common(1)[0]
    return f"{times} × {text[:200]}"


@contextmanager
def short_patience(session: Session) -> Iterator[None]:
    """Have the transaction give up waiting for a lock at once instead of for ever."""
    session.connection().exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
    yield


def had_to_wait(session: Session, act: Callable[[], object]) -> bool:
    """Whether an act in this session met a lock that another transaction holds."""
    with short_patience(session):
        try:
            act()
            session.flush()
        except Exception as error:
            if _is_lock(error):
                return True
            raise
    return False


def _is_lock(error: BaseException | None) -> bool:
    while error is not None:
        origin = getattr(error, "orig", error)
        if isinstance(origin, psycopg.errors.LockNotAvailable):
            return True
        error = error.__cause__ or error.__context__
    return False


def backend(session: Session) -> int:
    """The number of the server process behind a session."""
    return int(session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar() or 0)
