"""A session that is left is ended at the vendor by a run, and what is kept for that does not outlast it."""

# ruff: noqa: F811 - fixtures are imported by name

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rmm_extension.domain.errors import AuthFailed, InvalidRequest, Unavailable
from rmm_extension.domain.types import Connection
from rmm_extension.jobs.execute import perform
from rmm_extension.services import connections, runs, schedule, sign_out
from rmm_extension.services.lease import STALE_AFTER
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.misbehaviour import Fault
from tests.harness.world import World
from tests.services.ingest.meanwhile import in_thread
from tests.services.test_sign_in import Vendor, _use_key, vendor  # noqa: F401
from tests.services.working import queued, take_run, work, work_one

KIND = "session_end"


def token_of(vendor: Vendor) -> str:
    found = vendor.stored().sessions.current()
    assert found is not None
    return found.value


def is_open(vendor: Vendor, token: str) -> bool:
    """Whether the vendor still takes the token."""
    return token in vendor.lab.tokens


def disconnect(vendor: Vendor) -> None:
    with vendor.world.unit() as session:
        connections.disconnect(vendor.world.rmm, session, vendor.world.admin, vendor.world.integration_id)


def set_aside(world: World) -> int:
    """How many sessions are kept to be ended."""
    return int(world.one("SELECT count(*) FROM rmm_secrets WHERE name LIKE 'left:%'"))


def told(world: World) -> list[str]:
    """What the connection's activity says of sessions, oldest first."""
    found = world.rows("SELECT * FROM rmm_audit WHERE action LIKE 'connection.session%' ORDER BY at, id")
    assert {row["actor_name"] for row in found} <= {world.admin.name}
    return [row["changes"]["session"] for row in found]


@pytest.mark.parametrize("way", ["disconnect", "api_key", "other user"])
def test_a_session_that_is_left_is_ended_at_the_vendor(vendor: Vendor, way: str) -> None:
    token = token_of(vendor)
    if way == "disconnect":
        disconnect(vendor)
    elif way == "api_key":
        _use_key(vendor)
    else:
        vendor.keep(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
    assert is_open(vendor, token), "nobody is asked within the request"
    assert vendor.lab.counters["POST /logout/"] == 0
    assert work(vendor.world, KIND) == [{"ended": 1}]
    assert not is_open(vendor, token)
    assert set_aside(vendor.world) == 0
    assert told(vendor.world) == ["ended at Tactical RMM"]
    if way == "other user":
        assert is_open(vendor, token_of(vendor))
        assert vendor.call() == "ok"


def test_what_goes_on_is_not_ended(vendor: Vendor) -> None:
    tested = vendor.typed(vendor.stored(), password="", source="standard")
    with vendor.world.unit() as session:
        connections.reconnect(
            vendor.world.rmm, session, vendor.world.admin, vendor.world.integration_id, tested
        )
    assert queued(vendor.world, KIND) == []
    assert vendor.call() == "ok"


def test_a_key_has_no_session_to_end(vendor: Vendor) -> None:
    _use_key(vendor)
    work(vendor.world, KIND)
    disconnect(vendor)
    assert queued(vendor.world, KIND) == []


def test_another_servers_session_is_ended_there(vendor: Vendor) -> None:
    token = token_of(vendor)
    moved = vendor.typed(password=keys.PASSWORD, instance_url="http://127.0.0.2:9")
    with vendor.world.unit() as session:
        connections.reconnect(
            vendor.world.rmm, session, vendor.world.admin, vendor.world.integration_id, moved
        )
    assert work(vendor.world, KIND) == [{"ended": 1}]
    assert not is_open(vendor, token)


def test_nothing_but_the_session_is_kept_and_nobody_sees_it(vendor: Vendor) -> None:
    token = token_of(vendor)
    disconnect(vendor)
    world = vendor.world
    with world.unit() as session:
        (run_id,) = queued(world, KIND)
        kept = json.loads(
            world.rmm.vault.take(session, world.tenant, world.integration_id, f"left:{run_id}") or ""
        )
        assert world.rmm.vault.hints(session, world.tenant, world.integration_id) == {}
    assert kept["token"]["value"] == token
    assert kept["secrets"] == {}
    assert vendor.secrets() == {}
    assert vendor.stored().secrets == {}
    rows = world.rows("SELECT * FROM rmm_job_runs") + world.rows("SELECT * FROM rmm_audit")
    assert token not in str(rows)
    work(world, KIND)
    rows = world.rows("SELECT * FROM rmm_job_runs") + world.rows("SELECT * FROM rmm_audit")
    assert token not in str(rows)


def test_two_that_are_left_at_once_are_both_ended(vendor: Vendor) -> None:
    first = token_of(vendor)
    disconnect(vendor)
    vendor.keep()
    second = token_of(vendor)
    disconnect(vendor)
    assert set_aside(vendor.world) == 2
    assert work(vendor.world, KIND) == [{"ended": 1}, {"ended": 1}]
    assert not is_open(vendor, first)
    assert not is_open(vendor, second)
    assert set_aside(vendor.world) == 0


def test_one_that_is_over_already_is_well(vendor: Vendor) -> None:
    vendor.end_sessions()
    disconnect(vendor)
    assert work(vendor.world, KIND) == [{"over": 1}]
    assert told(vendor.world) == ["was over at Tactical RMM already"]
    assert set_aside(vendor.world) == 0
    assert vendor.logins == (0, 0)


def test_a_refusal_condemns_no_new_credentials(vendor: Vendor) -> None:
    vendor.end_sessions()
    vendor.keep(username=keys.TOTP_USER, totp_seed=keys.TOTP_SECRET)
    (run_id,) = queued(vendor.world, KIND)
    with vendor.world.app.app_context():
        assert perform(vendor.world.rmm, vendor.world.tenant, run_id, 0) == "succeeded"
    assert vendor.column("state") == "connected"


def test_a_vendor_that_fails_is_asked_again_and_at_last_given_up(vendor: Vendor) -> None:
    token, world = token_of(vendor), vendor.world
    disconnect(vendor)
    vendor.lab.misbehaviours.add(Fault(mode="server_error", prefix="/logout/"))
    (run_id,) = queued(world, KIND)
    with world.app.app_context():
        outcomes = [perform(world.rmm, world.tenant, run_id, attempt) for attempt in range(5)]
    assert outcomes == [*["rescheduled"] * 4, "failed"]
    assert is_open(vendor, token)
    assert set_aside(world) == 0
    (message,) = told(world)
    assert message.startswith("not ended at Tactical RMM: Tactical RMM failed inside")
    assert vendor.column("state") == "not_connected"


def test_a_disconnect_succeeds_whatever_becomes_of_the_session(vendor: Vendor) -> None:
    world = vendor.world
    world.do("UPDATE rmm_secrets SET key_id = 'lost' WHERE name = 'password'")
    disconnect(vendor)
    assert vendor.column("state") == "not_connected"
    assert queued(world, KIND) == []


def test_a_provider_that_is_gone_ends_nothing(vendor: Vendor) -> None:
    world = vendor.world
    disconnect(vendor)
    world.do("UPDATE rmm_integrations SET provider = 'forgotten'")
    (message,) = work(world, KIND)
    assert "no provider" in message
    assert set_aside(world) == 0
    assert told(world)[0].startswith("not ended at ")


def test_a_killed_worker_is_followed_by_another(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    token, world = token_of(vendor), vendor.world
    disconnect(vendor)
    (run_id,) = queued(world, KIND)
    killed = take_run(world, run_id)

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, world.app.app_context():
        patched.setattr(sign_out, "_say", dies)
        with pytest.raises(KeyboardInterrupt):
            sign_out.end_session(world.rmm, killed)
    assert not is_open(vendor, token)
    assert set_aside(world) == 1
    silent = STALE_AFTER * 2
    world.do(
        "UPDATE rmm_job_runs SET heartbeat_at = now() - :silent WHERE id = :id", silent=silent, id=run_id
    )
    assert work_one(world, run_id) == {"over": 1}
    assert set_aside(world) == 0
    assert told(world) == ["was over at Tactical RMM already"]


def test_one_that_comes_again_after_it_is_done_does_nothing(vendor: Vendor) -> None:
    world = vendor.world
    disconnect(vendor)
    (run_id,) = queued(world, KIND)
    run = take_run(world, run_id)
    with world.app.app_context():
        assert sign_out.end_session(world.rmm, run) == {"ended": 1}
        assert sign_out.end_session(world.rmm, run) == {}
    assert vendor.lab.counters["POST /logout/"] == 1


def test_a_run_that_is_cancelled_takes_the_session_with_it(vendor: Vendor) -> None:
    world = vendor.world
    disconnect(vendor)
    (run_id,) = queued(world, KIND)
    with world.unit() as session:
        runs.cancel(world.rmm, session, world.admin, run_id)
    assert set_aside(world) == 0


def test_a_run_cancelled_under_way_takes_the_session_with_it(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor has trouble, and no other attempt follows."""
    world = vendor.world
    disconnect(vendor)
    (run_id,) = queued(world, KIND)
    vendor.lab.misbehaviours.add(Fault(mode="server_error", prefix="/logout/"))
    provider = type(world.rmm.providers.get("tacticalrmm"))
    end = provider.end_session

    def cancel() -> None:
        with world.unit() as session:
            runs.cancel(world.rmm, session, world.admin, run_id)

    def meanwhile(self: Any, connection: Connection) -> None:
        in_thread(cancel)
        end(self, connection)

    monkeypatch.setattr(provider, "end_session", meanwhile)
    with world.app.app_context():
        assert perform(world.rmm, world.tenant, run_id, 0) == "cancelled"
    assert set_aside(world) == 0


def test_a_worker_killed_in_a_cancelled_run_leaves_nothing(vendor: Vendor) -> None:
    world = vendor.world
    disconnect(vendor)
    (run_id,) = queued(world, KIND)
    take_run(world, run_id)
    world.do("UPDATE rmm_job_runs SET cancel_requested = true, heartbeat_at = now() - interval '1 hour'")
    with world.app.app_context():
        for run in schedule.hopeless(world.rmm):
            schedule.give_up(world.rmm, run)
    assert world.one("SELECT status FROM rmm_job_runs WHERE id = :id", id=run_id) == "cancelled"
    assert set_aside(world) == 0


def test_nothing_is_kept_longer_than_a_day(vendor: Vendor) -> None:
    """Not even what no run is left for."""
    world = vendor.world
    disconnect(vendor)
    world.do("DELETE FROM rmm_job_runs WHERE kind = :kind", kind=KIND)
    with world.app.app_context():
        assert sign_out.forget_left(world.rmm) == 0
        world.do("UPDATE rmm_secrets SET updated_at = now() - interval '25 hours'")
        before = world.one("SELECT count(*) FROM rmm_secrets WHERE name NOT LIKE 'left:%'")
        assert sign_out.forget_left(world.rmm) == 1
    assert set_aside(world) == 0
    assert world.one("SELECT count(*) FROM rmm_secrets") == before
    assert "rmm_extension.services.sign_out:forget_left" in schedule.TICK_HOOKS


def test_no_transaction_is_open_while_the_vendor_is_asked(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = vendor.world
    disconnect(vendor)
    provider = world.rmm.providers.get("tacticalrmm")
    seen = []

    def ask(connection: Connection) -> None:
        seen.append(world.rmm.db.session().in_transaction())

    monkeypatch.setattr(type(provider), "end_session", lambda self, connection: ask(connection))
    assert work(world, KIND) == [{"ended": 1}]
    assert seen == [False]


class TestOtherVendors:
    """What a vendor needs that revokes OAuth's tokens."""

    @pytest.fixture
    def asked(self, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
        provider = vendor.world.rmm.providers.get("tacticalrmm")
        modes = tuple(replace(mode, ends_with=("password",)) for mode in provider.manifest.auth_modes)
        monkeypatch.setattr(type(provider), "manifest", replace(provider.manifest, auth_modes=modes))
        got: list[Connection] = []
        monkeypatch.setattr(type(provider), "end_session", lambda self, connection: got.append(connection))
        return got

    def test_named_secrets_and_all_settings_come_along(self, vendor: Vendor, asked: list[Connection]) -> None:
        before = vendor.stored()
        disconnect(vendor)
        vendor.world.do("UPDATE rmm_integrations SET settings = '{}', instance_url = 'https://other.example'")
        work(vendor.world, KIND)
        (connection,) = asked
        assert connection.secrets == {"password": keys.PASSWORD}
        assert (connection.instance_url, connection.settings) == (before.instance_url, before.settings)
        assert (connection.auth_mode, connection.provider) == ("password", "tacticalrmm")
        assert connection.sessions is not None
        assert connection.sessions.current() == before.sessions.current()

    @pytest.mark.parametrize(
        "error,expected",
        [
            (AuthFailed("It is over."), {"over": 1}),
            (InvalidRequest("The vendor ends none."), "The vendor ends none."),
            (Unavailable("Nobody answers."), "Nobody answers."),
        ],
    )
    def test_what_the_vendor_says(
        self, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, error: Exception, expected: object
    ) -> None:
        def refuse(self: object, connection: Connection) -> None:
            raise error

        provider = vendor.world.rmm.providers.get("tacticalrmm")
        monkeypatch.setattr(type(provider), "end_session", refuse)
        disconnect(vendor)
        assert work(vendor.world, KIND) == [expected]
        assert set_aside(vendor.world) == 0

    def test_a_vendor_that_ends_none_is_not_asked(
        self, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sign_out, "EndsSessions", type("NobodyDoes", (), {}))
        disconnect(vendor)
        assert queued(vendor.world, KIND) == []
        assert set_aside(vendor.world) == 0
