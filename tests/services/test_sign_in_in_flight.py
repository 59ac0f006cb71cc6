"""A run that has begun when its connection gets another address, user or key."""

# ruff: noqa: F811 - fixtures are imported by name

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from rmm_extension.domain.errors import ConfigError
from rmm_extension.jobs.execute import perform
from rmm_extension.services import connection_health, runs
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app, lab_of
from simulators.tacticalrmm.fleet import FleetOptions
from simulators.tacticalrmm.misbehaviour import Fault
from simulators.testing import serve_in_thread
from tests.harness.world import World
from tests.services.test_sign_in import Vendor, _use_key, never, vendor  # noqa: F401
from tests.services.working import work

REPLACED = "The connection got another sign-in meanwhile. Start again."


class Gate:
    """Stands before a simulated server: notes what signs each request, and lets something come between."""

    def __init__(self, wsgi: Callable[..., Iterable[bytes]]) -> None:
        self._wsgi = wsgi
        self.signed: list[str] = []
        self.first: Callable[[], object] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.signed.append(environ.get("HTTP_AUTHORIZATION", ""))
        first, self.first = self.first, None
        if first:
            first()
        return self._wsgi(environ, start_response)


Server = tuple[Vendor, Gate]


@pytest.fixture
def servers(world: World) -> Iterator[tuple[Server, Server]]:
    """Two servers; the world's connection is signed in to the first, by user and password."""
    with ExitStack() as stack:
        first, second = _serve(world, stack), _serve(world, stack)
        first[0].keep()
        yield first, second


def _serve(world: World, stack: ExitStack) -> Server:
    app = create_app(FleetOptions(10, 2, 7, 6))
    gate = Gate(app.wsgi_app)
    app.wsgi_app = gate  # type: ignore[method-assign]
    url, stop = serve_in_thread(app)
    stack.callback(stop)
    return Vendor(world, url, lab_of(app)), gate


def sync(world: World) -> tuple[str, str | None]:
    """A run that asks the vendor, and speaks for the connection: its outcome, and the error that it shows."""
    not_polled = """settings || '{"alertPolling": {"enabled": false}}'::jsonb"""
    world.do(f"UPDATE rmm_integrations SET settings = {not_polled}")
    with world.unit() as session:
        run_id = runs.start(
            world.rmm, session, world.admin, "organization_sync", integration_id=world.integration_id
        )
    with world.app.app_context():
        outcome = perform(world.rmm, world.tenant, run_id, 0)
    return outcome, world.one("SELECT error FROM rmm_job_runs WHERE id = :id", id=run_id)


def is_well(vendor: Vendor) -> bool:
    """Whether nothing is held against the connection, and nobody was told that it is down."""
    told = vendor.world.one("SELECT count(*) FROM rmm_outbox WHERE topic = 'connection_down'")
    return (vendor.column("state"), vendor.column("last_error"), told) == ("connected", None, 0)


def test_the_session_at_another_address_is_not_shown_to_the_one_left(
    servers: tuple[Server, Server],
) -> None:
    (old, gate), (new, _) = servers

    def move() -> None:
        new.keep()
        assert work(old.world, "session_end") == [{"ended": 1}]

    gate.first = move
    assert sync(old.world) == ("failed", REPLACED)
    token = new.stored().sessions.current()
    assert len(gate.signed) >= 2
    assert token.value not in str(gate.signed)
    assert is_well(new)
    assert new.call() == "ok"
    assert new.logins == (0, 0)


def test_another_user_of_the_same_server_takes_the_run_over(servers: tuple[Server, Server]) -> None:
    (vendor, gate), _ = servers

    def sign_in_another() -> None:
        vendor.keep(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
        work(vendor.world, "session_end")

    gate.first = sign_in_another
    assert sync(vendor.world) == ("succeeded", None)
    assert vendor.logins == (0, 0)
    assert gate.signed[-1] == f"Token {vendor.stored().sessions.current().value}"
    assert is_well(vendor)


def test_nobody_signs_in_with_credentials_that_were_replaced(vendor: Vendor) -> None:
    """Not even where the session of those that replaced them has ended, too."""
    late = vendor.stored()
    vendor.keep(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
    stored = vendor.stored().sessions.current()
    with pytest.raises(ConfigError, match=REPLACED):
        late.sessions.renew(stored.value, never)
    assert vendor.column("sign_in_lease_until") is None
    assert vendor.stored().sessions.current() == stored


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_withdrawn_key_condemns_only_itself(servers: tuple[Server, Server], is_replaced: bool) -> None:
    (vendor, gate), _ = servers
    _use_key(vendor)

    def withdraw() -> None:
        if is_replaced:
            vendor.keep()
        with vendor.lab.lock:
            vendor.lab.api_keys.clear()

    gate.first = withdraw
    outcome, error = sync(vendor.world)
    assert outcome == "failed"
    assert "key" in (error or "")
    assert is_well(vendor) == is_replaced
    assert vendor.column("state") == ("connected" if is_replaced else "needs_reauth")


@pytest.mark.parametrize("is_replaced", [True, False])
def test_what_makes_no_sense_condemns_only_its_server(
    servers: tuple[Server, Server], is_replaced: bool
) -> None:
    (old, gate), (new, _) = servers

    def move() -> None:
        old.lab.misbehaviours.add(Fault("wrong_shape"))
        if is_replaced:
            new.keep()

    gate.first = move
    outcome, error = sync(old.world)
    assert outcome == "failed"
    assert "unexpected shape" in (error or "")
    assert is_well(new) == is_replaced
    assert new.column("state") == ("connected" if is_replaced else "error")


def test_the_server_that_was_left_does_not_speak_well_of_the_other(servers: tuple[Server, Server]) -> None:
    (old, gate), (new, _) = servers

    def move() -> None:
        new.keep()
        with new.world.unit() as session:
            connection_health.mark_error(session, new.world.tenant, new.world.integration_id, "No answer.")

    gate.first = move
    assert sync(old.world) == ("succeeded", None)
    assert (new.column("state"), new.column("last_error")) == ("error", "No answer.")


def test_a_refused_password_condemns_only_itself(servers: tuple[Server, Server]) -> None:
    """The one who signs in with it may be answered after it was replaced."""
    (vendor, gate), _ = servers
    vendor.end_sessions()
    vendor.set_password(keys.PASSWORD_USER, "another one")

    def replace() -> None:
        # What ends the session comes first; the log-in with the old password comes after it.
        gate.first = lambda: vendor.keep(password="another one")

    gate.first = replace
    outcome, error = sync(vendor.world)
    assert outcome == "failed"
    assert "refuses this user name and password" in (error or "")
    assert is_well(vendor)
    assert vendor.call() == "ok"
