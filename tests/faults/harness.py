"""The whole installation as real processes, on servers that a test may stop and kill."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text, update

from reference_psa import create_app
from reference_psa.local.guarded import Command, Guarded
from reference_psa.local.ports import free_port
from reference_psa.local.postgres import PostgresServer
from reference_psa.local.programs import Ports, environment, flask, simulator, web_server
from reference_psa.local.valkey import ValkeyServer
from reference_psa.seed import LOGINS, tenant_id
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.domain.types import Connection
from rmm_extension.host import SYSTEM_ACTOR
from rmm_extension.models import OrganizationMapping
from rmm_extension.services import connections, credentials, runs, webhook_access
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit
from simulators.ninjaone import keys as ninjaone
from simulators.tacticalrmm import keys
from tests.harness.faults import PrivateServers
from tests.harness.schema import KEYS
from tests.harness.wait import until
from tests.jobs.processes import descendants, end

ROOT = Path(__file__).parents[2]
READY = 90.0
AGENTS = 60


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Stage:
    """Everything that runs for one test."""

    postgres: PostgresServer
    valkey: ValkeyServer
    ports: Ports
    env: dict[str, str]
    log: Path
    app: Flask
    tenant_id: str
    _running: dict[str, Guarded] = field(default_factory=dict)

    @property
    def rmm(self) -> Rmm:
        """The services, in this process; use inside ``with stage.app.app_context()``."""
        return self.app.extensions["rmm"].services

    def start(self, name: str, argv: Sequence[str] | None = None) -> None:
        """Start ``web``, ``worker``, ``scheduler``, ``simulator``, or another command under a name."""
        command = Command(argv or self._argv(name), env=self.env, cwd=ROOT)
        with self.log.open("ab") as log:
            self._running[name] = Guarded(command, log.fileno())

    def _argv(self, name: str) -> Sequence[str]:
        return {
            "web": web_server(self.ports.web),
            "worker": flask("rmm", "worker"),
            "scheduler": flask("rmm", "scheduler"),
            "simulator": (
                *simulator("tacticalrmm", self.ports.simulators["tacticalrmm"]),
                "--agents",
                str(AGENTS),
            ),
            "ninjaone": (*simulator("ninjaone", self.ports.simulators["ninjaone"]), "--devices", str(AGENTS)),
        }[name]

    def kill(self, name: str) -> None:
        """`kill -9` to a program and all it started."""
        self._running.pop(name).kill()

    def kill_worker(self, queue: str) -> None:
        """`kill -9` to the worker of a queue and its child in the middle of its job; its set goes on."""
        victims = self.worker_processes(queue)
        assert victims, f"nobody works on {queue}"
        for pid in victims:
            end(pid)

    def worker_processes(self, queue: str) -> list[int]:
        """The worker of a queue and the child that does its job."""
        found = []
        for pid in descendants(os.getpid()):
            try:
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            except FileNotFoundError:
                continue
            if "--queue" in words and queue in words:
                found.append(pid)
        return found

    def says(self, words: str, seconds: float = READY) -> None:
        """Wait until any program has printed this."""
        until(lambda: words in self.log.read_text(), f"“{words}” in the log", seconds)

    def web(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Ask the PSA; ``body`` makes it a POST of JSON."""
        return ask(f"{self.ports.web_url}{path}", body, headers)

    def vendor(self, path: str, body: Any, url: str | None = None) -> Reply:
        """Tell the control API of the simulator, or of the one at another address."""
        reply = ask(f"{url or self.ports.simulator_url('tacticalrmm')}/_control{path}", body)
        assert reply.status == 200, reply
        return reply

    def connect(self) -> Connected:
        """A tested connection to the simulator with all organizations mapped and its webhook on."""
        actor = SYSTEM_ACTOR(self.tenant_id)
        with self.app.app_context():
            rmm = self.rmm
            provider = rmm.providers.get("tacticalrmm")
            mode = credentials.auth_mode(provider, "api_key")
            typed = {"instance_url": self.ports.simulator_url("tacticalrmm"), "api_key": keys.INTEGRATION_KEY}
            with unit(rmm) as session:
                wanted = credentials.typed(provider, mode, typed)
                row = connections.create(rmm, session, actor, "Lab", wanted, catch_all=True)
                address = webhook_access.switch_on(rmm, session, actor, row.id)
                made = Connected(row.id, address.url.removeprefix(self.ports.web_url), str(address.secret))
        self.finish(self.begin("organization_sync", made.id))
        self._map_all(made.id)
        return made

    def connect_ninjaone(self) -> UUID:
        """A connection to a simulated NinjaOne, started now, with all organizations mapped; its id."""
        self.start("ninjaone")
        answers(self.ports.control_url("ninjaone"))
        typed = Connection(
            tenant_id=self.tenant_id,
            integration_id="",
            provider="ninjaone",
            instance_url=self.ports.simulator_url("ninjaone"),
            auth_mode="client_credentials",
            secrets={"client_secret": ninjaone.MACHINE_CLIENT_SECRET},
            settings={"client_id": ninjaone.MACHINE_CLIENT_ID},
        )
        actor = SYSTEM_ACTOR(self.tenant_id)
        with self.app.app_context(), unit(self.rmm) as session:
            made = connections.create(self.rmm, session, actor, "Lab", typed, catch_all=False).id
        self.finish(self.begin("organization_sync", made))
        self._map_all(made)
        return made

    def _map_all(self, integration_id: UUID) -> None:
        with self.app.app_context(), unit(self.rmm) as session:
            clients = self.rmm.host.clients.search(session, self.tenant_id)
            mapping = update(OrganizationMapping).where(OrganizationMapping.integration_id == integration_id)
            session.execute(mapping.values(client_id=clients[0].id))

    def begin(self, kind: str, integration_id: UUID, **subject: Any) -> UUID:
        """Start a run as a person would from a page."""
        actor = SYSTEM_ACTOR(self.tenant_id)
        with self.app.app_context(), unit(self.rmm) as session:
            return runs.start(self.rmm, session, actor, kind, integration_id=integration_id, subject=subject)

    def run(self, run_id: UUID) -> dict[str, Any]:
        """A run's row."""
        return self.rows("SELECT * FROM rmm_job_runs WHERE id = :id", id=run_id)[0]

    def finish(self, run_id: UUID, seconds: float = READY) -> dict[str, Any]:
        """Wait until a run has succeeded."""
        until(lambda: self.run(run_id)["status"] == "succeeded", "the run's success", seconds, 0.1)
        return self.run(run_id)

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of the database."""
        with self.app.app_context(), self.rmm.db.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), values).mappings()]

    def number(self, query: str, **values: Any) -> int:
        """The one number a query gives."""
        return int(next(iter(self.rows(query, **values)[0].values())))

    def start_postgres(self) -> None:
        """Start PostgreSQL again; this process forgets its dead connections, the programs have to cope."""
        self.postgres.start()
        with self.app.app_context():
            self.rmm.db.engine.dispose()

    def close(self) -> None:
        """End the programs."""
        for process in self._running.values():
            process.request_stop()
        for process in self._running.values():
            process.kill()
        with self.app.app_context():
            self.rmm.db.engine.dispose()


@dataclass(frozen=True)
class Connected:
    """A connection: its id, its webhook's path and secret."""

    id: UUID
    webhook: str
    secret: str

    def alert(self, stage: Stage, number: int) -> Reply:
        """A delivery of a new alert, as the vendor sends it."""
        agent = stage.rows("SELECT external_id FROM rmm_devices ORDER BY external_id LIMIT 1")
        body = {
            "agent_id": agent[0]["external_id"] if agent else "unknown",
            "alert_id": number,
            "event": "trigger",
            "severity": "error",
            "message": f"Fault {number}",
            "check_id": number,
        }
        return stage.web(self.webhook, body, {"X-RMM-Webhook-Secret": self.secret})


@contextmanager
def stage(
    folder: Path, programs: Sequence[str] = ("simulator", "web", "worker", "scheduler")
) -> Iterator[Stage]:
    """Migrated and seeded database, queue, and these programs."""
    with ExitStack() as stack:
        servers = PrivateServers()
        stack.callback(servers.close)
        made = _build(servers, folder)
        stack.callback(made.close)
        for name in programs:
            made.start(name)
        if "simulator" in programs:
            answers(f"{made.ports.simulator_url('tacticalrmm')}/_control/")
        if "web" in programs:
            answers(f"{made.ports.web_url}/")
        try:
            yield made
        finally:
            print(made.log.read_text()[-20_000:])  # pytest shows it with a failure


def _build(servers: PrivateServers, folder: Path) -> Stage:
    postgres, valkey = servers.postgres("psa"), servers.valkey(keep=True)
    # Far below the ports the system hands out, and apart from those of another worker's test.
    first = 20_000 + os.getpid() % 500 * 20
    simulators = {"tacticalrmm": free_port(first + 10, 5), "ninjaone": free_port(first + 15, 5)}
    ports = Ports(free_port(first, 10), simulators)
    urls = {
        "DATABASE_URL": postgres.url("psa"),
        "RMM_REDIS_URL": valkey.url(),
        "RMM_SECRET_KEYS": KEYS,
        "SECRET_KEY": "test",
    }
    env = environment(os.environ, ports, urls)
    configured = {key: value for key, value in env.items() if key.startswith(("RMM_", "PSA_"))}
    app = create_app({**configured, "SQLALCHEMY_DATABASE_URI": urls["DATABASE_URL"], "SECRET_KEY": "test"})
    made = Stage(postgres, valkey, ports, env, folder / "programs.log", app, tenant_id(NORTHBEAM))
    made.log.touch()
    made.start("init", (sys.executable, "-m", "flask", "--app", "wsgi", "psa", "init"))
    assert made._running.pop("init").collect() == 0, made.log.read_text()
    assert LOGINS
    return made


def answers(url: str) -> None:
    """Wait until something answers there."""

    def asked() -> bool:
        try:
            return ask(url).status < 500
        except OSError:
            return False

    until(asked, f"an answer from {url}", READY, 0.1)


def ask(url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
    """One HTTP request."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Reply(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, dict(error.headers), error.read())
