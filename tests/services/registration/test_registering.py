"""A vendor is told by a run where to send its webhook: when, what of, and how often after a failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rmm_extension.domain.registrations import Subscription
from rmm_extension.providers.ninjaone import NinjaOne
from rmm_extension.services import connections, mapping, runs, schedule, webhook_access
from rmm_extension.services.lease import STALE_AFTER
from rmm_extension.services.registration import due, work
from rmm_extension.services.registration.choice import tell_of
from rmm_extension.services.registration.state import GAPS
from rmm_extension.testing.statements import StatementCounter
from simulators.ninjaone.events import device_event
from simulators.ninjaone.misbehaviour import Fault
from tests.harness.ninjaone_connection import KIND, TECHNICIAN, NinjaConnection
from tests.harness.world import World
from tests.services.ingest.meanwhile import in_thread


def public_url(world: World, url: str | None) -> None:
    """Mount the extension under another address."""
    mounted = world.app.extensions["rmm"]
    settings = replace(mounted.services.settings, public_url=url)
    world.app.extensions["rmm"] = replace(mounted, services=replace(mounted.services, settings=settings))


def test_switching_on_has_the_vendor_told(ninja: NinjaConnection) -> None:
    assert ninja.webhooks() == []
    assert ninja.settle() == ["succeeded"]
    (found,) = ninja.webhooks()
    stored = ninja.secrets()
    assert found.url == f"http://psa.example.com/api/webhooks/ninjaone/{stored['webhook_token']}"
    assert found.headers == [("X-RMM-Webhook-Secret", stored["webhook_secret"])]
    assert found.expand == ["device", "organization", "location"]
    assert found.activities["CONDITION"] == ["*"]
    assert found.organization_ids == []
    assert ninja.state == "registered"
    assert ninja.row()["registration_due_at"] is None
    assert ninja.told() == ["webhook.switched_on", "webhook.registered"]


def test_what_the_vendor_knows_is_not_told_again(ninja: NinjaConnection) -> None:
    ninja.settle()
    assert ninja.tick() == 0
    ninja.switch_on()
    assert ninja.settle() == ["succeeded"]
    assert ninja.calls == 1
    assert ninja.state == "registered"


def test_what_is_sent_then_is_taken(ninja: NinjaConnection) -> None:
    ninja.settle()
    with ninja.lab.lock:
        device_event(ninja.lab, next(iter(ninja.lab.devices())), "SYSTEM_REBOOTED")
    (post,) = ninja.lab.courier._waiting
    answer = ninja.world.http.post(
        post.to.url.removeprefix("http://psa.example.com"), data=post.body, headers=dict(post.to.headers)
    )
    assert answer.status_code == 200
    assert answer.get_json()["recorded"]


@pytest.mark.parametrize("change", ["rotate", "address", "release"])
def test_what_changed_is_told(ninja: NinjaConnection, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ninja.settle()
    if change == "rotate":
        ninja.call(webhook_access.rotate)
    elif change == "address":
        public_url(ninja.world, "https://new.example.com")
    else:
        monkeypatch.setattr(NinjaOne, "subscription", lambda _: Subscription(version="next", words=()))
    assert ninja.settle() == ["succeeded"]
    assert ninja.calls == 2
    (found,) = ninja.webhooks()
    assert found.headers == [("X-RMM-Webhook-Secret", ninja.secrets()["webhook_secret"])]
    assert found.url.startswith("https://new.example.com/" if change == "address" else "http://psa.")
    assert ninja.tick() == 0


def test_a_secret_that_was_replaced_meanwhile_is_not_taken_for_told(
    ninja: NinjaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = NinjaOne.register_webhook

    def meanwhile(self: NinjaOne, *args: Any) -> None:
        register(self, *args)
        in_thread(lambda: ninja.call(webhook_access.rotate))

    with monkeypatch.context() as patched:
        patched.setattr(NinjaOne, "register_webhook", meanwhile)
        ninja.settle()
    assert ninja.state == "waiting"
    assert ninja.webhooks()[0].headers[0][1] != ninja.secrets()["webhook_secret"]
    assert ninja.settle() == ["succeeded"]
    assert ninja.state == "registered"
    assert ninja.webhooks()[0].headers[0][1] == ninja.secrets()["webhook_secret"]


def test_switching_off_has_it_removed(ninja: NinjaConnection) -> None:
    ninja.settle()
    ninja.call(webhook_access.switch_off)
    assert ninja.settle() == ["succeeded"]
    assert ninja.webhooks() == []
    assert ninja.state == "none"
    assert ninja.told()[-1] == "webhook.unregistered"
    assert ninja.tick() == 0


def test_switched_off_before_anybody_was_told_needs_nobody(ninja: NinjaConnection) -> None:
    ninja.call(webhook_access.switch_off)
    ninja.settle()
    assert ninja.lab.counters["DELETE /v2/webhook"] == 0
    assert ninja.state == "none"


def test_switched_on_again_while_it_is_removed(
    ninja: NinjaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ninja.settle()
    ninja.call(webhook_access.switch_off)
    unregister = NinjaOne.unregister_webhook

    def meanwhile(self: NinjaOne, *args: Any) -> None:
        unregister(self, *args)
        in_thread(ninja.switch_on)

    with monkeypatch.context() as patched:
        patched.setattr(NinjaOne, "unregister_webhook", meanwhile)
        ninja.settle()
    assert ninja.settle() == ["succeeded"]
    assert len(ninja.webhooks()) == 1
    assert ninja.state == "registered"


def test_a_removal_that_is_refused_is_told_and_not_repeated(ninja: NinjaConnection) -> None:
    ninja.settle()
    ninja.lab.settings.other_psa = True
    ninja.call(webhook_access.switch_off)
    assert ninja.settle() == ["succeeded"]
    assert ninja.state == "none"
    assert "another product has its webhook there" in ninja.registration["error"]
    assert ninja.told()[-1] == "webhook.left_behind"
    assert ninja.tick() == 0


def test_a_removal_without_an_answer_is_given_up_in_the_end(ninja: NinjaConnection) -> None:
    ninja.settle()
    ninja.call(webhook_access.switch_off)
    ninja.lab.misbehaviours.add(Fault(mode="server_error", prefix="/v2/webhook"))
    for _ in GAPS:
        ninja.later()
        assert ninja.settle() == ["failed"]
    assert ninja.state == "none"
    assert "failed inside" in ninja.registration["error"]
    assert ninja.tick() == 0


def test_who_is_no_administrator_is_told_what_to_do(server: NinjaConnection) -> None:
    ninja = server.connect(user=TECHNICIAN).switch_on()
    assert ninja.settle() == ["failed"]
    assert ninja.state == "failed"
    assert "only a System Administrator" in ninja.registration["error"]
    assert "Sign in again as one" in ninja.registration["error"]
    assert ninja.row()["state"] == "connected", "everything else works"
    assert ninja.told() == ["webhook.switched_on", "webhook.not_registered"]
    tested = ninja.typed()
    ninja.call(connections.reconnect, tested)
    assert ninja.settle() == ["succeeded"]
    assert ninja.state == "registered"


def test_failures_are_tried_again_with_growing_gaps(ninja: NinjaConnection) -> None:
    ninja.lab.misbehaviours.add(Fault(mode="server_error", prefix="/v2/webhook"))
    gaps = []
    for _ in range(len(GAPS) + 1):
        assert ninja.settle() == ["failed"]
        assert ninja.tick() == 0, "not before its time"
        gaps.append(ninja.gap())
        ninja.later()
    minutes = [round(gap / timedelta(minutes=1)) for gap in gaps]
    assert minutes == [1, 5, 15, 60, 360, 1440, 1440]
    assert ninja.told() == ["webhook.switched_on", "webhook.not_registered"], "said once"
    ninja.lab.misbehaviours.clear()
    assert ninja.settle() == ["succeeded"]
    assert ninja.registration.get("attempts", 0) == 0


def test_a_wish_begins_the_gaps_anew(ninja: NinjaConnection) -> None:
    ninja.lab.misbehaviours.add(Fault(mode="server_error", prefix="/v2/webhook"))
    for _ in range(3):
        ninja.settle()
        ninja.later()
    ninja.call(webhook_access.rotate)
    ninja.settle()
    assert round(ninja.gap() / timedelta(minutes=1)) == 1


def test_a_vendor_that_asks_for_patience_gets_it(ninja: NinjaConnection) -> None:
    ninja.lab.misbehaviours.add(Fault(mode="throttled", prefix="/v2/webhook", retry_after="30", count=1))
    assert ninja.settle() == ["rescheduled"]
    assert ninja.state == "waiting"
    assert ninja.tick() == 0, "one is under way"
    assert ninja.work() == ["succeeded"]


def test_a_vendor_is_not_asked_with_a_transaction_open(
    ninja: NinjaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    register, seen = NinjaOne.register_webhook, []

    def look(self: NinjaOne, *args: Any) -> None:
        seen.append(
            in_thread(
                lambda: ninja.world.one(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND state LIKE 'idle in transaction%'"
                )
            )
        )
        register(self, *args)

    monkeypatch.setattr(NinjaOne, "register_webhook", look)
    assert ninja.settle() == ["succeeded"]
    assert seen == [0]


def test_a_worker_killed_behind_the_call_is_followed_by_another(
    ninja: NinjaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dies(*_: Any) -> None:
        raise Killed

    ninja.tick()
    with monkeypatch.context() as patched:
        patched.setattr(work, "_registered", dies)
        with pytest.raises(Killed):
            ninja.work()
    assert len(ninja.webhooks()) == 1
    assert ninja.state == "waiting"
    assert ninja.registration["scope"], "whoever leaves the connection now removes it"
    ninja.world.do(
        "UPDATE rmm_job_runs SET heartbeat_at = now() - :silent WHERE kind = :kind",
        silent=STALE_AFTER * 2,
        kind=KIND,
    )
    with ninja.world.app.app_context():
        for lost in schedule.hopeless(ninja.world.rmm):
            schedule.give_up(ninja.world.rmm, lost)
    assert ninja.state == "failed"
    ninja.later()
    assert ninja.settle() == ["succeeded"]
    assert len(ninja.webhooks()) == 1
    assert ninja.state == "registered"


def test_a_cancelled_run_waits_for_a_person(ninja: NinjaConnection) -> None:
    ninja.tick()
    (run,) = ninja.world.rows("SELECT id FROM rmm_job_runs WHERE kind = :kind", kind=KIND)
    with ninja.world.unit() as session:
        runs.cancel(ninja.world.rmm, session, ninja.actor, run["id"])
    assert ninja.state == "failed"
    assert "cancelled" in ninja.registration["error"]
    assert ninja.tick() == 0
    ninja.switch_on()
    assert ninja.settle() == ["succeeded"]


class TestWithoutAnAddress:
    def test_nobody_is_told(self, ninja: NinjaConnection) -> None:
        public_url(ninja.world, None)
        ninja.settle()
        assert ninja.webhooks() == []
        assert ninja.state == "none"
        assert ninja.tick() == 0

    def test_what_the_vendor_has_stays(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        public_url(ninja.world, None)
        ninja.call(webhook_access.rotate)
        ninja.settle()
        assert len(ninja.webhooks()) == 1

    def test_one_that_is_set_later_is_told_by_itself(self, ninja: NinjaConnection) -> None:
        public_url(ninja.world, None)
        ninja.settle()
        public_url(ninja.world, "https://psa.example.com")
        assert ninja.settle() == ["succeeded"]
        assert ninja.webhooks()[0].url.startswith("https://psa.example.com/")


class TestConnectionsThatDoNotWork:
    def test_a_paused_one_keeps_its_webhook_and_changes_nothing(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        with ninja.world.unit() as session:
            connections.pause(session, ninja.actor, ninja.integration_id)
        ninja.call(webhook_access.rotate)
        assert ninja.tick() == 0
        assert len(ninja.webhooks()) == 1
        with ninja.world.unit() as session:
            connections.resume(session, ninja.actor, ninja.integration_id)
        assert ninja.settle() == ["succeeded"]
        assert ninja.webhooks()[0].headers[0][1] == ninja.secrets()["webhook_secret"]

    def test_one_that_was_paused_meanwhile_is_left_alone(self, ninja: NinjaConnection) -> None:
        ninja.tick()
        with ninja.world.unit() as session:
            connections.pause(session, ninja.actor, ninja.integration_id)
        assert ninja.work() == ["succeeded"]
        assert ninja.webhooks() == []

    def test_a_suspended_tenant_waits(self, ninja: NinjaConnection) -> None:
        ninja.world.do("UPDATE tenants SET is_active = false WHERE id = :id", id=ninja.tenant)
        assert ninja.tick() == 0

    def test_refused_credentials_wait_for_a_person(self, ninja: NinjaConnection) -> None:
        with ninja.lab.lock:
            ninja.lab.tokens.clear()
            ninja.lab.refresh_tokens.clear()
        assert ninja.settle() == ["failed"]
        assert ninja.row()["state"] == "needs_reauth"
        ninja.later()
        assert ninja.tick() == 0
        ninja.call(connections.reconnect, ninja.typed())
        assert ninja.settle() == ["succeeded"]


class TestMappedOrganizations:
    @pytest.fixture
    def mapped(self, ninja: NinjaConnection) -> NinjaConnection:
        ninja.map("1", ninja.world.client_id)
        ninja.map("2")
        ninja.settle()
        assert ninja.webhooks()[0].organization_ids == []
        with ninja.world.unit() as session:
            tell_of(session, ninja.actor, ninja.integration_id, mapped=True)
        ninja.settle()
        return ninja

    def test_only_they_are_told_of(self, mapped: NinjaConnection) -> None:
        assert mapped.webhooks()[0].organization_ids == [1]
        assert mapped.registration["organizations"] == 1

    def test_a_mapping_that_changes_is_told(self, mapped: NinjaConnection) -> None:
        (row,) = mapped.world.rows("SELECT id FROM rmm_organization_mappings WHERE external_id = '2'")
        with mapped.world.unit() as session:
            mapping.update_mapping(
                mapped.world.rmm, session, mapped.actor, row["id"], client_id=mapped.world.client_id
            )
        assert mapped.settle() == ["succeeded"]
        assert sorted(mapped.webhooks()[0].organization_ids) == [1, 2]

    def test_when_none_is_left_the_vendor_has_nothing_to_tell(self, mapped: NinjaConnection) -> None:
        """An empty list would be all of them."""
        rows = mapped.world.rows("SELECT id FROM rmm_organization_mappings WHERE external_id = '1'")
        with mapped.world.unit() as session:
            mapping.unmap(session, mapped.actor, mapped.integration_id, [row["id"] for row in rows])
        assert mapped.settle() == ["succeeded"]
        assert mapped.webhooks() == []
        assert mapped.tick() == 0

    def test_where_all_are_told_of_a_mapping_changes_nothing(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        mapping_id = ninja.map("5")
        with ninja.world.unit() as session:
            mapping.update_mapping(
                ninja.world.rmm, session, ninja.actor, mapping_id, client_id=ninja.world.client_id
            )
        assert ninja.tick() == 0


def test_a_tick_costs_the_same_for_many(server: NinjaConnection) -> None:
    first = server.connect("A").switch_on()
    first.settle()

    def statements() -> int:
        with StatementCounter() as sent:
            assert first.tick() == 0
        return sent.count

    one = statements()
    for at in range(4):
        server.application(f"app{at}")
        server.connect(f"B{at}", client_id=f"app{at}").switch_on().settle()
    assert statements() == one


def test_vendors_that_are_told_by_people_are_left_alone(world: World) -> None:
    with world.app.app_context():
        assert due.start_due(world.rmm) == 0
        due.start(world.rmm, world.admin, world.integration_id)
    assert world.rows("SELECT 1 FROM rmm_job_runs WHERE kind = :kind", kind=KIND) == []


def test_no_row_holds_the_secret(ninja: NinjaConnection) -> None:
    ninja.lab.misbehaviours.add(Fault(mode="forbidden", prefix="/v2/webhook", count=1))
    ninja.settle()
    ninja.later()
    ninja.settle()
    stored = ninja.secrets()
    tables = ("rmm_job_runs", "rmm_audit", "rmm_outbox")
    everything = str([ninja.world.rows(f"SELECT * FROM {table}") for table in tables])
    everything += str(ninja.row()["registration"])
    for secret in (stored["webhook_secret"], stored["webhook_token"]):
        assert secret not in everything
