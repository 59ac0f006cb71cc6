"""Eight workers with one OAuth session that is over, or nearly: the vendor is asked for a token once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import msgspec
import pytest

from rmm_extension.domain.errors import RMMError
from rmm_extension.domain.sessions import SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.providers.capabilities import ListsOrganizations
from rmm_extension.services import connections, credentials, sign_in
from rmm_extension.services.inventory.load import open_connection
from simulators.common.misbehaviour import Fault
from simulators.ninjaone import keys
from simulators.ninjaone.app import create_app, lab_of
from simulators.ninjaone.applications import Code
from simulators.ninjaone.fleet import FleetOptions
from simulators.ninjaone.lab import Lab
from simulators.testing import serve_in_thread
from tests.harness.webserver import ROOT, environment
from tests.harness.world import World

BACK = "http://psa.example.com/rmm/oauth/callback"
WORKERS = 8
SCOPES = ("monitoring", "management", "control", "offline_access")


@dataclass
class Account:
    """A simulated account of NinjaOne, and a connection that has signed in to it."""

    world: World
    url: str
    lab: Lab
    integration_id: UUID | None = None

    def connect(self, mode: str) -> None:
        """Sign in and keep the connection, as the pages do."""
        provider = self.world.rmm.providers.get("ninjaone")
        web = mode == "oauth"
        given = {
            "instance_url": self.url,
            "client_id": keys.WEB_CLIENT_ID if web else keys.MACHINE_CLIENT_ID,
            "client_secret": keys.WEB_CLIENT_SECRET if web else keys.MACHINE_CLIENT_SECRET,
        }
        typed = credentials.typed(provider, credentials.auth_mode(provider, mode), given)
        once = {"code": self.code(), "redirect_uri": BACK} if web else {}
        typed = msgspec.structs.replace(typed, once=once)
        checks = credentials.run_checks(provider, typed)
        assert credentials.usable(checks), checks
        with self.world.unit() as session:
            made = connections.create(
                self.world.rmm, session, self.world.admin, "Ninja", typed, catch_all=False
            )
            self.integration_id = made.id
        with self.lab.lock:
            self.lab.token_calls.clear()

    def code(self) -> str:
        """What the account gives a person who signs in."""
        with self.lab.lock:
            expires = self.lab.clock.timestamp() + 60
            self.lab.codes["a-code"] = Code(keys.WEB_CLIENT_ID, 1, SCOPES, BACK, expires)
        return "a-code"

    def opened(self) -> tuple[Connection, ListsOrganizations]:
        """What a job works with."""
        assert self.integration_id is not None
        with self.world.unit() as session:
            _, connection, provider = open_connection(
                self.world.rmm, session, self.world.tenant, self.integration_id
            )
        assert isinstance(provider, ListsOrganizations)
        return connection, provider

    def together(self, number: int) -> list[str]:
        """So many workers that have read the connection ask at once: ``ok`` or the sentence of the error."""
        barrier = Barrier(number)

        def work(_: int) -> str:
            with self.world.app.app_context():
                connection, provider = self.opened()
                barrier.wait()
                try:
                    provider.organizations(connection)
                except RMMError as error:
                    return f"{type(error).__name__}: {error}"
                return "ok"

        with ThreadPoolExecutor(number) as pool:
            return list(pool.map(work, range(number)))

    def stored(self) -> SessionToken:
        """The session as the vault holds it."""
        assert self.integration_id is not None
        with self.world.unit() as session:
            held = self.world.rmm.vault.read(session, self.world.tenant, self.integration_id)
        token = sign_in.decoded(held[sign_in.SESSION])
        assert token is not None
        return token

    def end(self) -> None:
        """The account takes the tokens no more; what they are renewed with stays good."""
        with self.lab.lock:
            self.lab.tokens.clear()

    def bring_near_its_end(self, left: timedelta = timedelta(minutes=4)) -> None:
        """The stored token has so long to live by its own word; the account takes it still."""
        assert self.integration_id is not None
        end = datetime.now(UTC) + left
        near = msgspec.structs.replace(self.stored(), expires_at=end, renew_at=end - timedelta(minutes=5))
        with self.world.unit() as session:
            text = msgspec.json.encode(near).decode()
            self.world.rmm.vault.store(
                session, self.world.tenant, self.integration_id, sign_in.SESSION, text, hinted=False
            )

    @property
    def token_calls(self) -> int:
        """How often the token endpoint was asked."""
        with self.lab.lock:
            return sum(self.lab.token_calls.values())

    def column(self, name: str) -> object:
        (row,) = self.world.rows("SELECT * FROM rmm_integrations WHERE id = :id", id=self.integration_id)
        return row[name]


@pytest.fixture
def account(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account whose refreshes bring new refresh tokens and end the old ones: a second one would fail."""
    monkeypatch.setattr(sign_in, "PAUSE", 0.01)
    app = create_app(FleetOptions(10, 2), redirect_uris=(BACK,), refresh_answer="rotate")
    url, stop = serve_in_thread(app)
    yield Account(world, url, lab_of(app))
    stop()


both_modes = pytest.mark.parametrize("mode", ["oauth", "client_credentials"])


@both_modes
def test_a_session_that_is_over_is_renewed_once(account: Account, mode: str) -> None:
    account.connect(mode)
    account.end()
    assert account.together(WORKERS) == ["ok"] * WORKERS
    assert account.token_calls == 1


@both_modes
def test_one_that_is_nearly_over_is_renewed_once_before_anybody_is_refused(
    account: Account, mode: str
) -> None:
    account.connect(mode)
    account.bring_near_its_end()
    before = account.stored()
    with account.lab.lock:
        account.lab.requests.clear()
    assert account.together(WORKERS) == ["ok"] * WORKERS
    assert account.token_calls == 1
    assert account.stored().value != before.value
    with account.lab.lock:
        assert 401 not in {entry["status"] for entry in account.lab.requests}
    assert account.together(WORKERS) == ["ok"] * WORKERS
    assert account.token_calls == 1


def test_processes_and_threads_ask_once_together(account: Account) -> None:
    account.connect("oauth")
    account.end()
    command = [
        sys.executable,
        "-m",
        "tests.harness.caller",
        account.world.tenant,
        str(account.integration_id),
    ]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(
            command, env=environment(account.world), cwd=ROOT, stdin=pipe, stdout=pipe, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert account.together(WORKERS - 3) == ["ok"] * (WORKERS - 3)
    assert [process.communicate(timeout=60)[0] for process in processes] == ["ok\n"] * 3
    assert account.token_calls == 1


def test_a_refusal_asks_for_a_person_once_also_ahead_of_the_end(account: Account) -> None:
    account.connect("oauth")
    account.bring_near_its_end()
    with account.lab.lock:
        account.lab.refresh_tokens.clear()
    answers = account.together(WORKERS)
    assert account.token_calls == 1
    assert {answer.partition(":")[0] for answer in answers} <= {"SignInEnded", "AuthFailed"}
    assert account.column("state") == "needs_reauth"
    assert "Sign in again" in str(account.column("last_error"))
    assert len(account.world.rows("SELECT 1 FROM rmm_outbox WHERE topic = 'connection_down'")) == 1


def test_a_token_endpoint_that_is_away_stops_nobody_while_the_token_is_good(account: Account) -> None:
    account.connect("oauth")
    account.bring_near_its_end()
    account.lab.misbehaviours.add(Fault(mode="server_error", prefix="/ws/oauth/token"))
    assert account.together(WORKERS) == ["ok"] * WORKERS
    assert account.column("state") == "connected"
    assert account.column("sign_in_lease_until") is None
