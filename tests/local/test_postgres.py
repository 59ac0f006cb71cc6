"""The embedded PostgreSQL: restarts, crashes of it and of its owner, awkward folders."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import psycopg
import pytest

from reference_psa.local.errors import InUse
from reference_psa.local.postgres import FAST, PostgresServer
from tests.harness.faults import PrivateServers
from tests.harness.wait import until
from tests.local.helpers import alive, script

pytestmark = pytest.mark.faults

OWNER = """
    import json, pathlib, sys, time
    from reference_psa.local.postgres import FAST, PostgresServer
    server = PostgresServer(pathlib.Path(sys.argv[1]), FAST)
    server.start()
    print(json.dumps({"pid": server.pid, "folder": str(server.socket_folder)}), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def home(private_servers: PrivateServers) -> Path:
    return private_servers.folder()


def write(server: PostgresServer, text: str) -> None:
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS notes (text text)")
        connection.execute("INSERT INTO notes VALUES (%s)", [text])


def read(server: PostgresServer) -> list[str]:
    with psycopg.connect(server.conninfo()) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM notes ORDER BY text")]


def test_stop_and_kill_keep_url_and_data(home: Path) -> None:
    with PostgresServer(home, FAST) as server:
        url = server.url("psa")
        write(server, "before")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            read(server)
        server.start()
        write(server, "between")
        server.kill()
        assert server.pid is None
        server.start()
        assert read(server) == ["before", "between"]
        assert server.url("psa") == url


def test_data_are_found_by_the_next_object(home: Path) -> None:
    with PostgresServer(home, FAST) as server:
        write(server, "kept")
    with PostgresServer(home, FAST) as server:
        assert read(server) == ["kept"]


def test_dies_with_its_owner_and_starts_again_on_the_same_data(home: Path) -> None:
    with script(OWNER, home) as owner:
        assert owner.stdout is not None
        told = json.loads(owner.stdout.readline())
        assert alive(told["pid"])
        owner.send_signal(signal.SIGKILL)
        until(lambda: not alive(told["pid"]), "the end of the server after its owner's")
        until(lambda: not Path(told["folder"]).exists(), "the end of the private folder")
    with PostgresServer(home, FAST) as server:
        write(server, "again")


def test_disposable_data_go_with_their_owner(home: Path) -> None:
    with script(OWNER.replace("FAST)", "FAST, disposable=True)"), home / "passing") as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline()
        owner.send_signal(signal.SIGKILL)
        until(lambda: not (home / "passing").exists(), "the end of the data")


def test_survivor_of_a_killed_guard_is_ended_by_the_next_start(home: Path) -> None:
    """What a platform without prctl would leave: the server alone, both its guard and its owner gone."""
    with PostgresServer(home, FAST) as first:
        survivor = first.pid
        assert survivor is not None
        first._lock.release()  # as the owner's death would
        with PostgresServer(home, FAST) as second:
            assert second.pid != survivor
            assert not alive(survivor)


def test_data_folder_in_use_is_refused_with_the_holder(home: Path) -> None:
    with PostgresServer(home, FAST), pytest.raises(InUse, match=f"in use by process {os.getpid()}"):
        PostgresServer(home, FAST).start()


def test_stale_pid_file_that_names_a_stranger_is_harmless(home: Path) -> None:
    with PostgresServer(home, FAST) as server:
        server.stop()
        (home / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
        server.start()
        assert server.pid != os.getpid()


def test_long_path(home: Path) -> None:
    with PostgresServer(home / ("long" * 30), FAST) as server:
        write(server, "far away")


def test_unreachable_folder(home: Path) -> None:
    """For root the folder is closed to PostgreSQL's account; data are then kept elsewhere and found again."""
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    elsewhere = closed / "postgres.location"
    try:
        for expected in ([], ["kept"]):
            with PostgresServer(closed, FAST) as server:
                write(server, "kept") if not expected else None
                assert read(server) == ["kept"]
        assert elsewhere.exists() == (os.geteuid() == 0)
    finally:
        if elsewhere.exists():
            shutil.rmtree(elsewhere.read_text().strip())


def test_interrupted_initdb_is_made_anew(home: Path) -> None:
    (home / "postgres" / "unfinished" / "base").mkdir(parents=True)
    with PostgresServer(home, FAST) as server:
        write(server, "fine")


def test_text_is_unicode_without_a_locale_of_the_system(home: Path) -> None:
    with PostgresServer(home, FAST) as server, psycopg.connect(server.conninfo()) as connection:
        row = connection.execute("SELECT lower('ÄÖ'), current_setting('server_encoding')").fetchone()
    assert row == ("äö", "UTF8")
