"""A link that its vendor is called for: who gets it, for how long, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from redis import Redis

from rmm_extension.domain.errors import ConfigError, Conflict, Forbidden
from rmm_extension.domain.types import RemoteLink
from rmm_extension.host import Actor
from rmm_extension.jobs.execute import perform
from rmm_extension.jobs.short_store import RedisStore
from rmm_extension.models import DeviceRow, new_id, utc_now
from rmm_extension.providers.ninjaone import NinjaOne
from rmm_extension.services import remote_links
from rmm_extension.services.context import NoStore
from rmm_extension.services.inventory import UnknownDevice
from rmm_extension.services.remote_access import obstacles, open_remotely, with_connections
from rmm_extension.services.runs import UnknownRun
from rmm_extension.testing.statements import StatementCounter
from simulators.ninjaone.misbehaviour import Fault
from tests.harness.ninjaone_connection import NinjaConnection, server
from tests.harness.world import World

__all__ = ["server"]

KIND = "remote_link"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Desk:
    """A technician in front of a device of the simulated vendor."""

    ninja: NinjaConnection
    redis_url: str
    device_id: UUID
    external_id: str

    @property
    def world(self) -> World:
        """The world."""
        return self.ninja.world

    def person(self, name: str = "tech") -> Actor:
        """Somebody of the tenant."""
        (row,) = self.world.rows(
            "SELECT id, name FROM users WHERE email = :email", email=f"{name}@northbeam.example"
        )
        return Actor(id=row["id"], name=row["name"], tenant_id=self.world.tenant)

    def ask(self, actor: Actor | None = None) -> UUID:
        """Press the button."""
        with self.world.app.app_context():
            return remote_links.ask(self.world.rmm, actor or self.person(), self.device_id)

    def work(self, run_id: UUID) -> str:
        """Have a worker fetch the link."""
        attempt = self.world.one("SELECT attempt FROM rmm_job_runs WHERE id = :id", id=run_id)
        with self.world.app.app_context():
            return perform(self.world.rmm, self.world.tenant, run_id, attempt)

    def look(self, run_id: UUID, actor: Actor | None = None) -> RemoteLink | None:
        """What the tab finds."""
        with self.world.app.app_context():
            run = remote_links.asked(self.world.rmm, actor or self.person(), run_id)
            return remote_links.take(self.world.rmm, run)

    def error(self, run_id: UUID) -> str:
        """Why there is none."""
        return str(self.world.one("SELECT error FROM rmm_job_runs WHERE id = :id", id=run_id))

    def audited(self) -> list[dict[str, Any]]:
        """Lines of the audit about remote access."""
        return self.world.rows(
            "SELECT * FROM rmm_audit WHERE action = 'device.remote_access' ORDER BY at, id"
        )

    def obstacle(self) -> str | None:
        """What the page says."""
        with self.world.unit() as session:
            mine = with_connections(session, self.world.tenant, [self.device_id])
            found = obstacles(self.world.rmm, session, self.world.tenant, mine)[self.device_id]
        return found.reason if found else None

    def store(self, store: Any) -> None:
        """Hand links over through another store."""
        mounted = self.world.app.extensions["rmm"]
        services = replace(mounted.services, short=store)
        self.world.app.extensions["rmm"] = replace(mounted, services=services)


def device_of(ninja: NinjaConnection, **columns: Any) -> tuple[UUID, str]:
    """A device of the server that is online, as one of ours."""
    with ninja.lab.lock:
        found = next(one for one in ninja.lab.devices() if not one.offline)
    row = DeviceRow(
        tenant_id=ninja.tenant,
        id=new_id(),
        integration_id=ninja.integration_id,
        external_id=str(found.id),
        external_organization_id="1",
        name="SRV-1",
        **{"kind": "server", "status": "online", "last_seen_at": utc_now(), **columns},
    )
    made = row.id
    with ninja.world.unit() as session:
        session.add(row)
    return made, str(found.id)


@pytest.fixture
def desk(server: NinjaConnection, redis_url: str) -> Desk:
    """One device of one connection, and a store."""
    ninja = server.connect()
    made = Desk(ninja, redis_url, *device_of(ninja))
    made.store(RedisStore(redis_url))
    return made


def test_the_link_is_fetched_by_a_run_and_handed_over(desk: Desk) -> None:
    run_id = desk.ask()
    assert desk.ninja.lab.counters[f"GET /v2/device/{desk.external_id}/dashboard-url"] == 0
    assert desk.look(run_id) is None
    assert desk.work(run_id) == "succeeded"
    link = desk.look(run_id)
    assert link is not None
    assert link.url == f"{desk.ninja.url}/#/deviceDashboard/{desk.external_id}/overview"
    assert desk.look(run_id) == link, "within its time, as often as the person likes"


def test_it_is_audited_by_whom_and_without_the_link(desk: Desk) -> None:
    run_id = desk.ask()
    assert desk.audited() == []
    desk.work(run_id)
    (line,) = desk.audited()
    assert line["actor_name"] == desk.person().name
    assert (line["subject_id"], line["subject_name"]) == (str(desk.device_id), "SRV-1")
    assert line["changes"] == {"host": "127.0.0.1"}


def test_nobody_else_takes_it(desk: Desk) -> None:
    run_id = desk.ask()
    desk.work(run_id)
    for other in (desk.person("admin"), Actor(id=desk.person().id, name="T", tenant_id="another")):
        with pytest.raises(UnknownRun):
            desk.look(run_id, other)


def test_it_is_nowhere_but_in_redis_and_not_to_be_read_there(desk: Desk) -> None:
    run_id = desk.ask()
    desk.work(run_id)
    link = desk.look(run_id)
    assert link is not None
    tables = ("rmm_job_runs", "rmm_audit", "rmm_outbox", "rmm_devices")
    everything = str([desk.world.rows(f"SELECT * FROM {table}") for table in tables])
    assert link.url not in everything
    assert "deviceDashboard" not in everything
    redis = Redis.from_url(desk.redis_url)
    (key,) = redis.keys("rmm:short:*")
    assert b"deviceDashboard" not in redis.get(key)
    assert 0 < redis.ttl(key) <= 600
    redis.close()


def test_what_was_moved_to_another_run_opens_nothing(desk: Desk) -> None:
    run_id = desk.ask()
    desk.work(run_id)
    other = desk.ask(desk.person("admin"))
    desk.work(other)
    redis = Redis.from_url(desk.redis_url)
    mine, theirs = (f"rmm:short:{KIND}:{id_}" for id_ in (run_id, other))
    redis.set(theirs, redis.get(mine))
    redis.close()
    assert desk.look(other, desk.person("admin")) is None


def test_pressed_twice_it_is_fetched_once(desk: Desk) -> None:
    first = desk.ask()
    assert desk.ask() == first
    desk.work(first)
    assert desk.ask() == first
    assert desk.ninja.lab.counters[f"GET /v2/device/{desk.external_id}/dashboard-url"] == 1
    assert len(desk.audited()) == 2, "each time that somebody is let in"
    assert desk.ask(desk.person("admin")) != first


def test_one_that_ended_is_fetched_anew(desk: Desk) -> None:
    first = desk.ask()
    desk.work(first)
    Redis.from_url(desk.redis_url).flushdb()
    assert desk.look(first) is None
    second = desk.ask()
    assert second != first
    assert desk.work(second) == "succeeded"


@pytest.mark.parametrize(
    "ends_in, kept_for", [(None, 600), (timedelta(hours=9), 600), (timedelta(seconds=90), 90)]
)
def test_it_is_kept_no_longer_than_ten_minutes_or_the_vendors_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, ends_in: timedelta | None, kept_for: int
) -> None:
    def fetched(*_: Any) -> RemoteLink:
        return RemoteLink(url="https://a.example/x", expires_at=ends_in and utc_now() + ends_in)

    kept: list[int] = []
    monkeypatch.setattr(NinjaOne, "fetch_remote_link", fetched)
    monkeypatch.setattr(RedisStore, "put", lambda _, key, value, left: kept.append(left))
    desk.work(desk.ask())
    assert kept_for - 60 < kept[0] <= kept_for


@pytest.mark.parametrize(
    "link, words",
    [
        (RemoteLink(url="javascript:alert(1)"), "no https address"),
        (RemoteLink(url="http://elsewhere.example/x"), "no https address"),
        (RemoteLink(url="https:///dashboard"), "no https address"),
        (RemoteLink(url="https:dashboard"), "no https address"),
        (RemoteLink(url="https://a.example:port/"), "no https address"),
        (RemoteLink(url="https://SECRET@a\u2100b.example/"), "no https address"),
        (RemoteLink(url="https://a..example/"), "no https address"),
        (RemoteLink(url=f"https://a.example/{'x' * 10_000}"), "no https address"),
        (
            RemoteLink(url="https://a.example/x", expires_at=utc_now() - timedelta(days=1)),
            "has ended already",
        ),
    ],
)
def test_a_link_that_leads_nowhere_is_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, link: RemoteLink, words: str
) -> None:
    monkeypatch.setattr(NinjaOne, "fetch_remote_link", lambda *_: link)
    run_id = desk.ask()
    assert desk.work(run_id) == "failed"
    assert words in desk.error(run_id)
    assert desk.look(run_id) is None
    assert desk.audited() == []


@pytest.mark.parametrize(
    "fault, words, outcome",
    [
        (Fault(mode="forbidden", prefix="/v2/device"), "lacks the scope Control", "failed"),
        (Fault(mode="throttled", prefix="/v2/device"), "limits the number of requests", "failed"),
        (Fault(mode="server_error", prefix="/v2/device"), "failed inside", "rescheduled"),
    ],
)
def test_a_failure_is_told_in_words(desk: Desk, fault: Fault, words: str, outcome: str) -> None:
    desk.ninja.lab.misbehaviours.add(fault)
    run_id = desk.ask()
    assert desk.work(run_id) == outcome
    assert words in desk.error(run_id)
    if outcome == "rescheduled":
        assert desk.ask() == run_id, "it is under way"
        assert desk.work(run_id) == "failed"
    assert desk.look(run_id) is None


def test_a_device_that_is_gone_there_is_told(desk: Desk) -> None:
    with desk.ninja.lab.lock:
        del desk.ninja.lab.fleet.devices[int(desk.external_id)]
    run_id = desk.ask()
    assert desk.work(run_id) == "failed"
    assert "does not know" in desk.error(run_id)


@pytest.mark.parametrize(
    "change, words",
    [
        ("UPDATE rmm_devices SET status = 'offline'", "The device is offline."),
        ("UPDATE rmm_devices SET deleted_at = now()", "The device was deleted in NinjaOne."),
        ("UPDATE rmm_integrations SET state = 'paused'", "is paused"),
    ],
)
def test_what_stands_in_the_way_is_the_same_at_every_door(desk: Desk, change: str, words: str) -> None:
    before = desk.ask()
    desk.world.do(change)
    assert words in (desk.obstacle() or "")
    with pytest.raises(Conflict, match=words):
        desk.ask(desk.person("admin"))
    with desk.world.app.app_context(), pytest.raises(Conflict, match=words):
        open_remotely(desk.world.rmm, desk.person(), desk.device_id)
    assert desk.work(before) == "failed", "also for what was asked before"
    assert words in desk.error(before)


def test_without_the_scope_nobody_is_asked(server: NinjaConnection, redis_url: str) -> None:
    ninja = server.connect(scopes=("monitoring", "management", "offline_access"))
    desk = Desk(ninja, redis_url, *device_of(ninja))
    assert "did not grant the scope Control" in (desk.obstacle() or "")
    with pytest.raises(ConfigError, match="scope Control"):
        desk.ask()


def test_who_may_not_is_refused(desk: Desk) -> None:
    with pytest.raises(Forbidden):
        desk.ask(desk.person("viewer"))
    with desk.world.app.app_context(), pytest.raises(UnknownDevice):
        remote_links.ask(desk.world.rmm, desk.person(), new_id())


def test_somebody_who_may_no_longer_gets_none(desk: Desk) -> None:
    run_id = desk.ask()
    desk.world.do("UPDATE users SET role = 'read_only' WHERE id = :id", id=desk.person().id)
    assert desk.work(run_id) == "failed"
    assert desk.audited() == []


def test_without_redis_it_is_said_and_nothing_is_begun(desk: Desk) -> None:
    desk.store(NoStore())
    with pytest.raises(Conflict, match="without Redis"):
        desk.ask()
    desk.store(RedisStore("redis://127.0.0.1:1/0"))
    with pytest.raises(Conflict, match="Redis does not answer"):
        desk.ask()
    assert desk.world.rows("SELECT 1 FROM rmm_job_runs WHERE kind = :kind", kind=KIND) == []


def test_redis_that_goes_away_meanwhile_is_said(desk: Desk) -> None:
    run_id = desk.ask()
    desk.store(RedisStore("redis://127.0.0.1:1/0"))
    assert desk.work(run_id) == "failed"
    assert "Redis does not answer" in desk.error(run_id)


def test_nobody_waits_for_longer_than_a_tab_is_open(desk: Desk) -> None:
    run_id = desk.ask()
    desk.world.do("UPDATE rmm_job_runs SET queued_at = now() - interval '3 minutes'")
    assert desk.work(run_id) == "failed"
    assert "No worker was free in time" in desk.error(run_id)
    assert desk.ask() != run_id


def test_a_list_of_devices_costs_the_same_for_one_and_for_many(desk: Desk) -> None:
    ids = [desk.device_id]
    for at in range(9):
        other = desk.ninja.connect(f"Other {at}")
        ids.append(device_of(other)[0])

    def statements(wanted: list[UUID]) -> int:
        with desk.world.unit() as session, StatementCounter() as sent:
            found = with_connections(session, desk.world.tenant, wanted)
            assert set(obstacles(desk.world.rmm, session, desk.world.tenant, found)) == set(wanted)
        return sent.count

    statements(ids)
    assert statements(ids) == statements(ids[:1])
