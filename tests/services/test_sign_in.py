"""One session for all workers: renewed once, by whom, and what happens when that one fails or dies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pyotp
import pytest
from msgspec import structs

from rmm_extension.domain.errors import AuthFailed, ConfigError, RateLimited, RMMError, Unavailable
from rmm_extension.domain.sessions import SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.services import connections, credentials, sign_in
from rmm_extension.services.inventory.load import open_connection
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app, lab_of
from simulators.tacticalrmm.fleet import FleetOptions
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.misbehaviour import Fault
from simulators.testing import serve_in_thread
from tests.harness.wait import until
from tests.harness.webserver import ROOT, environment
from tests.harness.world import World

WORKERS = 6


@dataclass
class Vendor:
    """The simulated server, and the world's connection to it by user and password."""

    world: World
    url: str
    lab: Lab

    def typed(self, stored: Connection | None = None, **values: str) -> Connection:
        """What the form brings."""
        provider = self.world.rmm.providers.get("tacticalrmm")
        mode = credentials.auth_mode(provider, "password")
        given = {"instance_url": self.url, "username": keys.PASSWORD_USER, "password": keys.PASSWORD}
        return credentials.typed(provider, mode, given | values, stored)

    def keep(self, **values: str) -> None:
        """Test what was typed and keep it, as the pages do."""
        tested = self.typed(**values)
        checks = credentials.run_checks(self.world.rmm.providers.get("tacticalrmm"), tested)
        assert credentials.usable(checks), checks
        with self.world.unit() as session:
            connections.reconnect(
                self.world.rmm, session, self.world.admin, self.world.integration_id, tested
            )
        self.forget_calls()

    def stored(self, *, waits: bool = False) -> Connection:
        """The connection as it is stored."""
        with self.world.unit() as session:
            row = connections.get(session, self.world.tenant, self.world.integration_id)
            return connections.build(self.world.rmm, session, row, waits=waits)

    def call(self) -> str:
        """What a job gets: ``ok`` or the sentence of the error."""
        with self.world.app.app_context():
            with self.world.unit() as session:
                _, connection, provider = open_connection(
                    self.world.rmm, session, self.world.tenant, self.world.integration_id
                )
            return self.ask(provider, connection)

    def ask(self, provider: Any, connection: Connection) -> str:
        try:
            provider.organizations(connection)
        except RMMError as error:
            return f"{type(error).__name__}: {error}"
        return "ok"

    def together(self, number: int = WORKERS) -> list[str]:
        """So many workers that have read the connection ask at once."""
        barrier = Barrier(number)

        def work(_: int) -> str:
            with self.world.app.app_context():
                with self.world.unit() as session:
                    _, connection, provider = open_connection(
                        self.world.rmm, session, self.world.tenant, self.world.integration_id
                    )
                barrier.wait()
                return self.ask(provider, connection)

        with ThreadPoolExecutor(number) as pool:
            return list(pool.map(work, range(number)))

    def end_sessions(self) -> None:
        with self.lab.lock:
            self.lab.tokens.clear()

    def set_password(self, name: str, password: str) -> None:
        with self.lab.lock:
            self.lab.users[name] = replace(self.lab.users[name], password=password)

    def forget_calls(self) -> None:
        with self.lab.lock:
            self.lab.counters.clear()

    @property
    def logins(self) -> tuple[int, int]:
        """How often each step of the log-in was called."""
        return self.lab.counters["POST /v2/checkcreds/"], self.lab.counters["POST /v2/login/"]

    def column(self, name: str) -> Any:
        (row,) = self.world.rows(
            "SELECT * FROM rmm_integrations WHERE id = :id", id=self.world.integration_id
        )
        return row[name]

    def secrets(self) -> dict[str, str]:
        with self.world.unit() as session:
            found = self.world.rmm.vault.read(session, self.world.tenant, self.world.integration_id)
        return {name: value for name, value in found.items() if not name.startswith("webhook_")}


@pytest.fixture
def vendor(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """A server, and the world's connection signed in by user and password."""
    monkeypatch.setattr(sign_in, "PAUSE", 0.01)
    app = create_app(FleetOptions(10, 2, 7, 6))
    url, stop = serve_in_thread(app)
    made = Vendor(world, url, lab_of(app))
    made.keep()
    yield made
    stop()


def never(_: SessionToken | None) -> SessionToken:
    raise AssertionError("nobody may sign in")


def test_the_session_of_the_test_is_kept_and_used(vendor: Vendor) -> None:
    assert vendor.call() == "ok"
    assert vendor.logins == (0, 0)
    assert set(vendor.secrets()) == {"password", "session"}
    hints = vendor.world.rows("SELECT name, hint FROM rmm_secrets WHERE name IN ('password', 'session')")
    assert {row["hint"] for row in hints} == {""}, "nobody sees the end of a password"


def test_a_session_that_ended_is_renewed_once_for_all(vendor: Vendor) -> None:
    vendor.end_sessions()
    assert vendor.together() == ["ok"] * WORKERS
    assert vendor.logins == (1, 0)
    assert vendor.column("sign_in_lease_until") is None
    vendor.forget_calls()
    assert vendor.call() == "ok"
    assert vendor.logins == (0, 0)


def test_with_a_seed_nobody_is_needed(vendor: Vendor) -> None:
    vendor.keep(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
    vendor.end_sessions()
    assert vendor.together() == ["ok"] * WORKERS
    assert vendor.logins == (1, 1)


def test_processes_share_the_session_too(vendor: Vendor) -> None:
    vendor.end_sessions()
    processes = [_process(vendor) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        answers.append(process.communicate(timeout=60)[0])
    assert answers == ["ok\n"] * 3
    assert vendor.logins == (1, 0)


def _process(vendor: Vendor) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "tests.harness.caller",
        vendor.world.tenant,
        str(vendor.world.integration_id),
    ]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment(vendor.world), cwd=ROOT, stdin=pipe, stdout=pipe, text=True
    )


def test_a_killed_holder_is_followed_by_another_when_its_lease_is_over(vendor: Vendor) -> None:
    vendor.end_sessions()
    vendor.lab.misbehaviours.add(Fault(mode="slow", prefix="/v2/checkcreds/", seconds=300, count=1))
    process = _process(vendor)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()
    until(lambda: vendor.logins == (1, 0), "the log-in that hangs", 30)
    process.kill()
    process.communicate()
    assert vendor.column("sign_in_lease_until") is not None
    sessions = vendor.stored().sessions
    current = sessions.current()
    with pytest.raises(Unavailable, match="Somebody else is signing in to Tactical RMM"):
        sessions.renew(current.value, never)
    vendor.world.do("UPDATE rmm_integrations SET sign_in_lease_until = now() - interval '1 s'")
    assert vendor.together() == ["ok"] * WORKERS
    assert vendor.logins == (2, 0)


def test_a_wrong_password_is_tried_once_by_all_and_asks_for_a_person(vendor: Vendor) -> None:
    vendor.end_sessions()
    vendor.set_password(keys.PASSWORD_USER, "another one")
    answers = vendor.together()
    assert vendor.logins == (1, 0)
    assert {answer.partition(":")[0] for answer in answers} <= {"PasswordRefused", "AuthFailed"}
    assert len({answer.partition(":")[2] for answer in answers}) == 1, "everybody tells the same"
    assert vendor.column("state") == "needs_reauth"
    assert "refuses this user name and password" in vendor.column("last_error")
    told = vendor.world.rows("SELECT 1 FROM rmm_outbox WHERE topic = 'connection_down'")
    assert len(told) == 1, "administrators are told once"
    with pytest.raises(ConfigError, match="waits for new credentials"):
        vendor.call()
    assert vendor.logins == (1, 0)


def test_without_a_seed_a_person_must_come_with_a_code(vendor: Vendor) -> None:
    code = pyotp.TOTP(keys.TOTP_SECRET).at(vendor.lab.clock.now())
    vendor.keep(username=keys.TOTP_USER, code=code)
    assert set(vendor.secrets()) == {"password", "session"}
    assert "code" not in vendor.column("settings")
    assert vendor.call() == "ok"
    vendor.end_sessions()
    assert vendor.call().startswith(
        "CodeNeeded: This user has two-step log-in in Tactical RMM. Sign in again"
    )
    assert vendor.logins == (1, 0)
    assert vendor.column("state") == "needs_reauth"


def test_a_throttled_log_in_is_remembered_for_all(vendor: Vendor) -> None:
    vendor.end_sessions()
    vendor.lab.misbehaviours.add(Fault(mode="throttled", prefix="/v2/", retry_after="57", count=1))
    assert "RateLimited: Tactical RMM takes no log-ins from here until" in vendor.call()
    assert vendor.logins == (1, 0)
    answers = vendor.together()
    assert {answer.partition(":")[0] for answer in answers} == {"RateLimited"}
    assert vendor.logins == (1, 0), "the server is not asked again"
    with pytest.raises(RateLimited) as caught:
        vendor.stored().sessions.renew(vendor.stored().sessions.current().value, never)
    assert 50 < caught.value.retry_after <= 57
    assert vendor.column("state") == "connected"
    vendor.world.do("UPDATE rmm_integrations SET sign_in_blocked_until = now() - interval '1 s'")
    assert vendor.call() == "ok"
    assert vendor.column("sign_in_blocked_until") is None


def test_a_server_that_is_away_leaves_the_lease_to_the_next(vendor: Vendor) -> None:
    vendor.end_sessions()
    vendor.lab.misbehaviours.add(Fault(mode="server_error", prefix="/v2/", count=1))
    assert vendor.call().startswith("Unavailable")
    assert vendor.column("sign_in_lease_until") is None
    assert vendor.call() == "ok"


def test_a_worker_that_is_told_to_stop_leaves_the_lease_to_the_next(vendor: Vendor) -> None:
    def stopped(ended: SessionToken | None) -> SessionToken:
        raise SystemExit

    stored = vendor.stored()
    with pytest.raises(SystemExit):
        stored.sessions.renew(stored.sessions.current().value, stopped)
    assert vendor.column("sign_in_lease_until") is None


def test_no_transaction_is_open_while_the_vendor_is_asked(vendor: Vendor) -> None:
    found: list[Any] = []

    def look(ended: SessionToken | None) -> SessionToken:
        found.extend(
            vendor.world.rows(
                "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%'"
            )
        )
        return SessionToken(value="new")

    stored = vendor.stored()
    assert stored.sessions.renew(stored.sessions.current().value, look).value == "new"
    assert found == []
    assert vendor.stored().sessions.current().value == "new"


def test_a_job_waits_for_the_one_who_is_signing_in_and_a_request_does_not(vendor: Vendor) -> None:
    entered, go_on = Event(), Event()

    def slowly(ended: SessionToken | None) -> SessionToken:
        entered.set()
        assert go_on.wait(30)
        return SessionToken(value="new")

    first, job, request = vendor.stored(), vendor.stored(waits=True), vendor.stored()
    stale = first.sessions.current().value
    with ThreadPoolExecutor(2) as pool:
        holder = pool.submit(first.sessions.renew, stale, slowly)
        assert entered.wait(30)
        waiter = pool.submit(job.sessions.renew, stale, never)
        with pytest.raises(Unavailable):
            request.sessions.renew(stale, never)
        assert not waiter.done()
        go_on.set()
        assert holder.result(30).value == waiter.result(30).value == "new"
    assert request.sessions.renew(stale, never).value == "new", "renewed meanwhile: just used"


def test_a_job_does_not_wait_for_ever(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "PATIENCE", 0.05)
    vendor.world.do("UPDATE rmm_integrations SET sign_in_lease_until = now() + interval '1 h'")
    job = vendor.stored(waits=True)
    with pytest.raises(Unavailable, match="Try again in a moment"):
        job.sessions.renew(job.sessions.current().value, never)


@pytest.mark.parametrize("change", ["disconnect", "api_key", "other"])
def test_who_signs_in_with_credentials_that_are_gone_brings_nothing_back(vendor: Vendor, change: str) -> None:
    world = vendor.world

    def meanwhile(ended: SessionToken | None) -> SessionToken:
        if change == "disconnect":
            with world.unit() as session:
                connections.disconnect(world.rmm, session, world.admin, world.integration_id)
        elif change == "api_key":
            _use_key(vendor)
        else:
            vendor.keep(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
        return SessionToken(value="of the old credentials")

    stored, late = vendor.stored(), vendor.stored()
    stale = stored.sessions.current().value
    stored.sessions.renew(stale, meanwhile)
    assert "of the old credentials" not in str(vendor.secrets())
    assert (
        set(vendor.secrets())
        == {
            "disconnect": set(),
            "api_key": {"api_key"},
            "other": {"password", "totp_seed", "session"},
        }[change]
    )
    if change == "other":
        assert late.sessions.renew(stale, never) == vendor.stored().sessions.current()
    else:
        with pytest.raises(ConfigError, match="another sign-in meanwhile"):
            late.sessions.renew(stale, never)


def _use_key(vendor: Vendor) -> None:
    world = vendor.world
    provider = world.rmm.providers.get("tacticalrmm")
    given = {"instance_url": vendor.url, "api_key": keys.INTEGRATION_KEY}
    tested = credentials.typed(provider, credentials.auth_mode(provider, "api_key"), given)
    with world.unit() as session:
        connections.reconnect(world.rmm, session, world.admin, world.integration_id, tested)


def test_a_refusal_that_comes_after_new_credentials_condemns_nobody(vendor: Vendor) -> None:
    def refused(ended: SessionToken | None) -> SessionToken:
        vendor.keep(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
        raise AuthFailed("The old password is wrong.")

    stored = vendor.stored()
    with pytest.raises(AuthFailed):
        stored.sessions.renew(stored.sessions.current().value, refused)
    assert vendor.column("state") == "connected"


def test_a_person_who_tests_refused_credentials_signs_in(vendor: Vendor) -> None:
    vendor.end_sessions()
    vendor.set_password(keys.PASSWORD_USER, "another one")
    assert vendor.call().startswith("PasswordRefused")
    vendor.set_password(keys.PASSWORD_USER, keys.PASSWORD)
    provider = vendor.world.rmm.providers.get("tacticalrmm")
    with vendor.world.app.app_context():
        assert credentials.usable(credentials.run_checks(provider, vendor.stored()))
    assert vendor.logins == (2, 0)


class TestTyped:
    """Whether the stored session goes on when the form is saved."""

    def token(self, vendor: Vendor, **values: str) -> SessionToken | None:
        blank = {"password": ""}
        typed = vendor.typed(vendor.stored(), **(blank | values))
        assert typed.sessions is not None
        return typed.sessions.current()

    @pytest.mark.parametrize(
        "values",
        [
            {},
            {"source": "standard"},
            {"password": keys.PASSWORD},
            {"dashboard_url": "https://rmm.example.com"},
        ],
    )
    def test_what_does_not_sign_in_leaves_it(self, vendor: Vendor, values: dict[str, str]) -> None:
        assert self.token(vendor, **values) == vendor.stored().sessions.current()

    @pytest.mark.parametrize(
        "values",
        [
            {"password": "another"},
            {"username": "another"},
            {"totp_seed": keys.TOTP_SECRET},
            {"code": "123456"},
            {"instance_url": "https://127.0.0.2", "password": keys.PASSWORD},
        ],
    )
    def test_another_sign_in_begins_another(self, vendor: Vendor, values: dict[str, str]) -> None:
        assert self.token(vendor, **values) is None

    def test_a_seed_that_is_not_typed_again_for_another_server_is_forgotten(self, vendor: Vendor) -> None:
        kept = vendor.stored()
        both = {"password": keys.PASSWORD, "totp_seed": keys.TOTP_SECRET}
        kept = structs.replace(kept, secrets=both)
        assert vendor.typed(kept, password="").secrets == both
        moved = vendor.typed(kept, instance_url="https://127.0.0.2", password="another")
        assert moved.secrets == {"password": "another"}

    def test_a_session_that_ended_meanwhile_is_renewed_by_the_test(self, vendor: Vendor) -> None:
        vendor.end_sessions()
        provider = vendor.world.rmm.providers.get("tacticalrmm")
        typed = vendor.typed(vendor.stored(), password="", source="standard")
        assert credentials.usable(credentials.run_checks(provider, typed))
        assert typed.sessions.current() != vendor.stored().sessions.current()


def test_a_lease_outlasts_a_sign_in_and_a_wait_fits_into_a_job() -> None:
    both_steps = timedelta(seconds=2 * (5 + 30))
    assert both_steps < sign_in.LEASE
    assert sign_in.PATIENCE < 60


def test_what_is_no_session_is_none(vendor: Vendor) -> None:
    with vendor.world.unit() as session:
        vendor.world.rmm.vault.store(
            session, vendor.world.tenant, vendor.world.integration_id, sign_in.SESSION, "{broken"
        )
    assert vendor.stored().sessions.current() is None
    assert vendor.call() == "ok"
