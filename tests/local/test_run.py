"""`make run` as a whole, with stand-ins for web, worker and the rest."""

from __future__ import annotations

import importlib
import os
import signal
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from reference_psa.local import run
from reference_psa.local.banner import banner
from reference_psa.local.lock import LockFile
from reference_psa.local.ports import free_port
from reference_psa.local.programs import SIMULATORS, Ports, environment, programs, simulated
from reference_psa.local.secret_file import local_secrets
from tests.harness.faults import PrivateServers
from tests.harness.wait import until
from tests.local.helpers import alive, script

RUN = """
    import sys, textwrap
    from pathlib import Path
    from reference_psa.local import run
    from reference_psa.local.errors import LocalError
    from reference_psa.local.programs import Program

    CHILD = '''
    import os, time
    print('pid', os.getpid(), os.environ['DATABASE_URL'], flush=True)
    time.sleep(600)
    '''
    def plan(env, ports):
        argv = (sys.executable, "-c", textwrap.dedent(CHILD))
        return [Program(name, argv, env) for name in ("web", "worker")]
    def prepare(env):
        return Program("init", (sys.executable, "-c", sys.argv[2]), env)
    run.PROJECT = Path(sys.argv[1])
    run.serve.__defaults__ = (plan, prepare)
    sys.exit(run.main())
"""

PORTS = Ports(8001, {"tacticalrmm": 8912, "ninjaone": 8913, "levelio": 8914, "huntress": 8915, "teams": 8916})


@pytest.fixture
def project(private_servers: PrivateServers) -> Path:
    return private_servers.folder()


def until_up(process: subprocess.Popen[str]) -> list[str]:
    """The log up to the point where the banner is there and both programs have said their pids."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if len(pids_in(lines)) == 2 and any("Ctrl-C ends everything" in said for said in lines):
            return lines
    raise AssertionError("\n".join(lines))


def pids_in(lines: list[str]) -> list[int]:
    """What the stand-ins said."""
    return [int(line.split()[3]) for line in lines if "| pid " in line]


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_ends_everything_with_code_0(project: Path, number: signal.Signals) -> None:
    with script(RUN, project, "print('tables made')") as process:
        lines = until_up(process)
        process.send_signal(number)
        assert process.wait(30) == 0
    assert any("init       | tables made" in line for line in lines)
    assert not any(map(alive, pids_in(lines)))
    assert not (project / ".data/postgres/data/postmaster.pid").exists()


@pytest.mark.faults
def test_killed_supervisor_leaves_nothing_and_the_next_run_works(project: Path) -> None:
    with script(RUN, project, "") as process:
        lines = until_up(process)
        postgres = int((project / ".data/postgres/data/postmaster.pid").read_text().split()[0])
        pids = [postgres, *pids_in(lines)]
        process.send_signal(signal.SIGKILL)
        until(lambda: not any(map(alive, pids)), "the end of all after their supervisor's")
    with script(RUN, project, "") as process:
        until_up(process)
        process.terminate()
        assert process.wait(30) == 0


@pytest.mark.faults
def test_second_run_says_that_one_is_running(project: Path) -> None:
    with script(RUN, project, "") as first:
        until_up(first)
        with script(RUN, project, "") as second:
            said, _ = second.communicate(timeout=30)
            assert second.returncode == 1
        assert "already running here (process" in said
        assert f"{first.pid}, http://127.0.0.1:" in said
        first.terminate()
        assert first.wait(30) == 0


@pytest.mark.faults
def test_failed_preparation_is_said_and_ends_the_run(project: Path) -> None:
    with script(RUN, project, "raise SystemExit('no such table')") as process:
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "init       | no such table" in said
    assert "make run: the database could not be prepared" in said


def test_given_servers_are_used_and_none_is_started(project: Path, database_url: str, redis_url: str) -> None:
    env = {**os.environ, "DATABASE_URL": database_url, "RMM_REDIS_URL": redis_url}
    with script(RUN, project, "", env=env) as process:
        lines = until_up(process)
        process.terminate()
        assert process.wait(30) == 0
    assert any(database_url in line for line in lines)
    assert not (project / ".data/postgres").exists()
    assert not (project / ".data/valkey").exists()


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    first = local_secrets(tmp_path / "secrets.json", given={})
    assert local_secrets(tmp_path / "secrets.json", given={}) == first
    assert local_secrets(tmp_path / "secrets.json", given={"SECRET_KEY": "mine"})["SECRET_KEY"] == "mine"
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_environment_of_the_programs() -> None:
    env = environment({"PATH": "/bin", "NO_PROXY": "lan"}, PORTS, {"DATABASE_URL": "d", "RMM_REDIS_URL": "r"})
    assert env["RMM_PUBLIC_URL"] == "http://127.0.0.1:8001"
    assert env["PSA_SIMULATOR_TACTICAL_URL"] == "http://127.0.0.1:8912"
    assert {name: url for name, url in env.items() if name.endswith("_BASE_URL")} == {
        "RMM_NINJAONE_BASE_URL": "http://127.0.0.1:8913",
        "RMM_LEVELIO_BASE_URL": "http://127.0.0.1:8914",
        "RMM_HUNTRESS_BASE_URL": "http://127.0.0.1:8915",
        "RMM_TEAMS_BASE_URL": "http://127.0.0.1:8916",
    }
    assert env["RMM_ALLOWED_NETWORKS"] == "127.0.0.0/8"
    assert env["NO_PROXY"] == "lan,127.0.0.1,localhost"
    assert {program.name for program in programs(env, PORTS)} == {
        "tacticalrmm",
        "ninjaone",
        "levelio",
        "huntress",
        "teams",
        "web",
        "worker",
        "scheduler",
    }


def test_banner_names_what_does_not_answer() -> None:
    text = banner(PORTS, ["web"])
    assert "http://127.0.0.1:8001" in text
    for port in PORTS.simulators.values():
        assert f"http://127.0.0.1:{port}/_control/" in text
    for key in ("admin@ninja.example", "SIMlevelWrite", "hk_SIMwriter", "hk_SIMreader", "SIM~teams~single"):
        assert key in text
    assert "Not answering yet: web" in text


def test_ninjaone_is_told_every_address_the_psa_may_be_opened_at() -> None:
    env = {"RMM_PUBLIC_URL": "https://psa.example/", "RMM_URL_PREFIX": "/tools"}
    assert [word for word in simulated("ninjaone", env, PORTS) if word.startswith("--redirect-uri")] == [
        "--redirect-uri=https://psa.example/tools/oauth/callback",
        "--redirect-uri=http://127.0.0.1:8001/tools/oauth/callback",
        "--redirect-uri=http://localhost:8001/tools/oauth/callback",
    ]


def test_simulators_get_different_ports_where_the_usual_one_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "free_port", lambda first: first + 1)
    said: list[str] = []
    ports = run.choose_ports(lambda name, line: said.append(line))  # type: ignore[arg-type]
    assert len({ports.web, *ports.simulators.values()}) == 6
    assert len(said) == 6


@pytest.mark.parametrize("vendor", SIMULATORS)
def test_a_simulator_takes_the_options_it_is_started_with(vendor: str) -> None:
    module = importlib.import_module(f"simulators.{vendor}.__main__")
    options = module.parse_arguments(list(simulated(vendor, {}, PORTS)[3:]))
    assert options.port == PORTS.simulators[vendor]
    assert module.parse_arguments([]).port == SIMULATORS[vendor]


def test_taken_port_gives_the_next_free_one() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


def test_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    first, second = LockFile(tmp_path / "lock"), LockFile(tmp_path / "lock")
    assert first.acquire()
    assert not second.acquire()
    assert second.holder() == str(os.getpid())
    first.release()
    assert second.acquire()
    second.release()


def test_fixture_databases_are_fresh(database_url: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT current_database()").fetchone()
    assert row is not None
    assert row[0].startswith("rmm_template_")
