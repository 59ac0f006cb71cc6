"""What StatementCounter counts and what it does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text

from rmm_extension.testing.statements import StatementCounter, is_control, is_write

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (id int PRIMARY KEY, text text)"))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TEMPORARY TABLE notes (id int PRIMARY KEY, text text)")
        connection.commit()
        yield connection


def test_sqlalchemy(engine: Engine) -> None:
    with StatementCounter() as sent, engine.connect() as connection:
        with connection.begin():
            connection.execute(text("INSERT INTO notes VALUES (1, 'a')"))
            with connection.begin_nested():
                connection.execute(text("SELECT 1"))
        connection.execute(text("SELECT 2"))
        connection.rollback()
    assert (sent.count, sent.writes, sent.commits, sent.rollbacks) == (3, 1, 1, 1), sent
    assert "INSERT INTO notes" in str(sent)


def test_executemany_counts_its_sets_and_copy_counts_one(
    connection: Connection,
) -> None:
    with StatementCounter() as sent, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO notes VALUES (%s, %s)", [(1, "a"), (2, "b"), (3, "c")])
        with cursor.copy("COPY notes FROM STDIN") as copy:
            copy.write_row((4, "d"))
        cursor.execute("SELECT count(*) FROM notes")
        assert cursor.fetchone() == (4,)
        connection.commit()
    assert (sent.count, sent.writes, sent.commits) == (5, 4, 1)


def test_a_write_outside_a_transaction_is_a_commit_and_a_read_is_none(connection: Connection) -> None:
    connection.autocommit = True
    with StatementCounter() as sent:
        connection.execute("SELECT 1")
        connection.commit()
        assert (sent.commits, sent.rollbacks) == (0, 0)
        connection.execute("INSERT INTO notes VALUES (1, 'a')")
        connection.execute("WITH b AS (UPDATE notes SET text = 'b' RETURNING 1) SELECT * FROM b")
        assert sent.commits == 2
        with connection.cursor() as cursor, cursor.copy("COPY notes FROM STDIN") as copy:
            copy.write_row((2, "b"))
        assert sent.commits == 3
        connection.execute("BEGIN")
        connection.execute("DELETE FROM notes")
        connection.rollback()
    assert (sent.commits, sent.rollbacks) == (3, 1), sent


def test_many_sets_outside_a_transaction_are_one_commit(connection: Connection) -> None:
    connection.autocommit = True
    with StatementCounter() as sent:
        connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", [(1, "a"), (2, "b")])
    assert (sent.count, sent.commits) == (2, 1)
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.cursor().executemany("INSERT INTO notes VALUES (%s, %s)", [(3, "c"), (1, "a")])
    remaining = connection.execute("SELECT id FROM notes ORDER BY id").fetchall()
    assert remaining == [(1,), (2,)], "the sets of one call are one transaction"


def test_nothing_is_counted_outside(connection: Connection) -> None:
    original = psycopg.Cursor.execute
    with StatementCounter() as outer:
        with StatementCounter() as inner:
            connection.execute("SELECT 1")
        connection.execute("SELECT 2")
    connection.execute("SELECT 3")
    assert (inner.count, outer.count) == (1, 2)
    assert psycopg.Cursor.execute is original


@pytest.mark.parametrize("this_thread, expected", [(True, 1), (False, 2)])
def test_other_threads(database_url: str, this_thread: bool, expected: int) -> None:
    def ask() -> None:
        with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
            connection.execute("SELECT 1")

    with StatementCounter(this_thread=this_thread) as sent:
        ask()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert sent.count == expected


@pytest.mark.parametrize(
    "statement", ["BEGIN", "commit;", "/* x */ ROLLBACK TO a", "SAVEPOINT s", "-- y\nRELEASE s"]
)
def test_transaction_control(statement: str) -> None:
    assert is_control(statement)


@pytest.mark.parametrize(
    "statement, expected",
    [
        ("INSERT INTO a SELECT 1", True),
        ("WITH b AS (UPDATE a SET x = 1 RETURNING 1) SELECT * FROM b", True),
        ("SELECT * FROM a FOR UPDATE SKIP LOCKED", False),
        ("COPY a FROM STDIN", True),
        ("COPY a TO STDOUT", False),
        ("SELECT 1", False),
    ],
)
def test_writes(statement: str, expected: bool) -> None:
    assert is_write(statement) is expected
