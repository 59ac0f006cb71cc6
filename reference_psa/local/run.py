"""`make run`: database, queue, simulators, web, worker and scheduler in one terminal, ended by one Ctrl-C."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from reference_psa.local.banner import banner
from reference_psa.local.errors import LocalError
from reference_psa.local.lock import LockFile
from reference_psa.local.ports import free_port
from reference_psa.local.postgres import PostgresServer
from reference_psa.local.programs import SIMULATORS, Ports, Program, environment, prepare_database, programs
from reference_psa.local.secret_file import local_secrets
from reference_psa.local.supervisor import Supervisor
from reference_psa.local.valkey import ValkeyServer

PROJECT = Path(__file__).resolve().parents[2]
WEB_PORT = 8000
READY_SECONDS = 60.0

Plan = Callable[[Mapping[str, str], Ports], Sequence[Program]]


def main() -> int:
    """Run until Ctrl-C, SIGTERM or the closing of the terminal; return the exit code."""
    end_on_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode must not end the run
    try:
        return serve(PROJECT)
    except KeyboardInterrupt:
        return 0
    except LocalError as error:
        print(f"make run: {error}", file=sys.stderr, flush=True)
        return 1


def end_on_signals() -> None:
    """Turn the first end signal into KeyboardInterrupt; ignore later ones, the end is under way then."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, end)


def serve(
    project: Path, plan: Plan = programs, prepare: Callable[..., Program] | None = prepare_database
) -> int:
    """Start everything in order and tend it. `plan` and `prepare` are the programs; tests give their own."""
    data = data_folder(project)
    say = Printer()
    with ExitStack() as stack:
        lock = hold(data / "run.lock", stack)
        ports = choose_ports(say)
        lock.note(f"process {os.getpid()}, {ports.web_url}")
        urls = {**servers(data, stack, say), **local_secrets(data / "secrets.json")}
        env = environment(os.environ, ports, urls)
        supervisor = Supervisor(plan(env, ports), say, project)
        stack.callback(farewell, supervisor, say)
        if prepare is not None and supervisor.run_once(prepare(env)) != 0:
            raise LocalError("the database could not be prepared; the lines above say why.")
        supervisor.start()
        late = supervisor.wait_ready(READY_SECONDS)
        print(banner(ports, late), flush=True)
        supervisor.run()
    return 0


def data_folder(project: Path) -> Path:
    """`.data` in the project: others may pass through it (PostgreSQL's account must) but not look around."""
    folder = project / ".data"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder


def hold(path: Path, stack: ExitStack) -> LockFile:
    """Hold the lock that keeps a second `make run` out."""
    lock = LockFile(path)
    if not lock.acquire():
        raise LocalError(f"it is already running here ({lock.holder()}). End that one with Ctrl-C first.")
    stack.callback(lock.release)
    return lock


def choose_ports(say: Printer) -> Ports:
    """The usual ports, or the next free ones; none of them twice."""
    simulators: dict[str, int] = {}
    for vendor, usual in SIMULATORS.items():
        simulators[vendor] = free_port(max([usual, *(port + 1 for port in simulators.values())]))
    ports = Ports(free_port(WEB_PORT), simulators)
    chosen = zip((WEB_PORT, *SIMULATORS.values()), (ports.web, *simulators.values()), strict=True)
    for wanted, got in chosen:
        if wanted != got:
            say("run", f"port {wanted} is taken; using {got}")
    return ports


def servers(data: Path, stack: ExitStack, say: Printer) -> dict[str, str]:
    """Addresses of database and queue: those of the environment, else of servers started here."""
    urls = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "RMM_REDIS_URL")}
    if not urls["DATABASE_URL"]:
        say("run", "starting PostgreSQL")
        urls["DATABASE_URL"] = stack.enter_context(PostgresServer(data)).url()
    if not urls["RMM_REDIS_URL"]:
        say("run", "starting Valkey")
        urls["RMM_REDIS_URL"] = stack.enter_context(ValkeyServer(data, keep=True)).url()
    return urls


def farewell(supervisor: Supervisor, say: Printer) -> None:
    """End the programs; the servers below them follow."""
    say("run", "ending")
    supervisor.stop()


class Printer:
    """Prints log lines, each with the name of its program in front; for several threads."""

    def __init__(self) -> None:
        """Start with nothing printed."""
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        """Print one line."""
        with self._lock:
            print(f"{name:<11}| {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
