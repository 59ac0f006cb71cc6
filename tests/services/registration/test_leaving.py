"""One webhook for each API application: who has it, and what becomes of it when a connection is left."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from reference_psa.models import Tenant
from rmm_extension.providers.ninjaone import NinjaOne
from rmm_extension.services import connections, webhook_access
from rmm_extension.services.sign_out import LeftSession
from simulators.ninjaone import keys
from simulators.ninjaone.misbehaviour import Fault
from tests.harness.ninjaone_connection import TECHNICIAN, NinjaConnection
from tests.services.ingest.meanwhile import in_thread

END = "session_end"


def disconnect(ninja: NinjaConnection) -> None:
    ninja.call(connections.disconnect)


def said(ninja: NinjaConnection) -> list[dict[str, Any]]:
    """What the activity says of leaving, oldest first."""
    found = ninja.world.rows(
        "SELECT * FROM rmm_audit WHERE action = 'connection.session_end' ORDER BY at, id"
    )
    return [row["changes"] for row in found]


def is_open(ninja: NinjaConnection) -> bool:
    """Whether the server takes any token still."""
    with ninja.lab.lock:
        return any(not grant.revoked for grant in ninja.lab.tokens.values())


class TestOneForEachApplication:
    def test_another_connection_is_refused_and_told_whose_it_is(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        second = ninja.connect("Second").switch_on()
        assert second.settle() == ["failed"]
        assert "the connection “Ninja” has it already" in second.registration["error"]
        assert "scope" not in second.registration
        assert ninja.calls == 1
        assert ninja.webhooks()[0].url.endswith(ninja.secrets()["webhook_token"])

    def test_one_that_has_none_removes_none(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        second = ninja.connect("Second").switch_on()
        second.settle()
        second.call(webhook_access.switch_off)
        second.settle()
        disconnect(second)
        second.work(END)
        assert len(ninja.webhooks()) == 1
        assert ninja.lab.counters["DELETE /v2/webhook"] == 0

    def test_another_tenants_is_not_named(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        with ninja.world.unit() as session:
            session.execute(insert(Tenant).values(id="other", name="Other", edition="enterprise"))
        other = ninja.connect("Theirs", tenant="other").switch_on()
        assert other.settle() == ["failed"]
        assert "a connection of another organization" in other.registration["error"]
        assert "“Ninja”" not in other.registration["error"]

    def test_another_application_has_a_webhook_of_its_own(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        ninja.application("second")
        second = ninja.connect("Second", client_id="second").switch_on()
        assert second.settle() == ["succeeded"]
        assert len(ninja.webhooks("second")) == len(ninja.webhooks()) == 1

    def test_it_is_free_once_the_other_is_off(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        second = ninja.connect("Second").switch_on()
        second.settle()
        ninja.call(webhook_access.switch_off)
        ninja.settle()
        second.later()
        assert second.settle() == ["succeeded"]
        assert ninja.webhooks()[0].url.endswith(second.secrets()["webhook_token"])

    def test_a_call_that_is_under_way_counts(
        self, ninja: NinjaConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        second = ninja.connect("Second").switch_on()
        second.tick()
        register, outcomes = NinjaOne.register_webhook, []

        def meanwhile(self: NinjaOne, *args: Any) -> None:
            if not outcomes:
                outcomes.append("")
                outcomes.extend(in_thread(second.work))
            register(self, *args)

        monkeypatch.setattr(NinjaOne, "register_webhook", meanwhile)
        assert ninja.work() == ["succeeded"]
        assert outcomes == ["", "failed"]
        assert ninja.webhooks()[0].url.endswith(ninja.secrets()["webhook_token"])


class TestLeaving:
    def test_the_webhook_goes_before_the_session(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        disconnect(ninja)
        assert len(ninja.webhooks()) == 1, "nobody is asked within the request"
        assert ninja.work(END) == ["succeeded"]
        assert ninja.webhooks() == []
        assert not is_open(ninja)
        assert said(ninja) == [{"webhook": "removed at NinjaOne"}, {"session": "ended at NinjaOne"}]
        assert ninja.registration == {}
        assert ninja.world.one("SELECT count(*) FROM rmm_secrets WHERE name LIKE 'left:%'") == 0

    def test_one_that_is_off_leaves_its_session_alone_to_end(self, ninja: NinjaConnection) -> None:
        disconnect(ninja)
        ninja.work(END)
        assert ninja.lab.counters["DELETE /v2/webhook"] == 0
        assert said(ninja) == [{"session": "ended at NinjaOne"}]

    def test_an_access_token_that_ended_is_renewed_for_it(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        with ninja.lab.lock:
            ninja.lab.tokens.clear()
        disconnect(ninja)
        assert ninja.work(END) == ["succeeded"]
        assert ninja.webhooks() == []
        assert not is_open(ninja)

    def test_a_renewal_is_not_lost_between_two_attempts(self, ninja: NinjaConnection) -> None:
        """Where each renewal ends the one before, the first attempt's is the one that counts."""
        ninja.settle()
        ninja.lab.settings.refresh_answer = "rotate"
        with ninja.lab.lock:
            ninja.lab.tokens.clear()
        disconnect(ninja)
        ninja.lab.misbehaviours.add(Fault(mode="server_error", prefix="/v2/webhook", after=1, count=1))
        assert ninja.work(END) == ["rescheduled"]
        with ninja.lab.lock:
            ninja.lab.tokens.clear()
        assert ninja.work(END) == ["succeeded"]
        assert ninja.webhooks() == []
        assert not any(not grant.revoked for grant in ninja.lab.refresh_tokens.values())

    def test_another_application_takes_the_place_of_the_first(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        ninja.application("second")
        ninja.call(connections.reconnect, ninja.typed(client_id="second"))
        assert ninja.settle() == ["succeeded"]
        assert ninja.work(END) == ["succeeded"]
        assert ninja.webhooks() == []
        assert len(ninja.webhooks("second")) == 1

    def test_the_same_application_keeps_its_webhook(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        ninja.call(connections.reconnect, ninja.typed())
        assert ninja.work(END) == ["succeeded"]
        assert len(ninja.webhooks()) == 1
        assert ninja.settle() == ["succeeded"]
        assert ninja.told().count("webhook.registered") == 2, "somebody may have removed it there"
        assert ninja.state == "registered"

    def test_who_comes_back_waits_until_the_old_one_is_gone(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        disconnect(ninja)
        ninja.call(connections.reconnect, ninja.typed())
        ninja.switch_on()
        assert ninja.settle() == ["failed"]
        assert "still being removed" in ninja.registration["error"]
        ninja.work(END)
        ninja.later()
        assert ninja.settle() == ["succeeded"]
        assert len(ninja.webhooks()) == 1

    def test_one_under_way_is_waited_for(
        self, ninja: NinjaConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        register, outcomes = NinjaOne.register_webhook, []

        def meanwhile(self: NinjaOne, *args: Any) -> None:
            in_thread(lambda: disconnect(ninja))
            outcomes.extend(in_thread(lambda: ninja.work(END)))
            register(self, *args)

        monkeypatch.setattr(NinjaOne, "register_webhook", meanwhile)
        ninja.settle()
        assert outcomes == ["rescheduled"]
        assert len(ninja.webhooks()) == 1
        assert ninja.registration == {}
        assert ninja.work(END) == ["succeeded"]
        assert ninja.webhooks() == []

    @pytest.mark.parametrize("trouble", ["another product", "no answer", "refused session"])
    def test_nobody_is_kept_from_leaving(self, ninja: NinjaConnection, trouble: str) -> None:
        ninja.settle()
        if trouble == "another product":
            ninja.lab.settings.other_psa = True
        elif trouble == "no answer":
            ninja.lab.misbehaviours.add(Fault(mode="server_error", prefix="/v2/webhook"))
        else:
            with ninja.lab.lock:
                ninja.lab.tokens.clear()
                ninja.lab.refresh_tokens.clear()
        disconnect(ninja)
        outcomes = [outcome for _ in range(5) for outcome in ninja.work(END)]
        assert outcomes[-1] == "succeeded"
        assert len(outcomes) == (5 if trouble == "no answer" else 1)
        first, *rest = said(ninja)
        assert first["webhook"].startswith("not removed at NinjaOne: ")
        assert [next(iter(line)) for line in rest] == ["session"]
        assert not is_open(ninja)
        assert ninja.row()["state"] == "not_connected"

    def test_a_provider_that_is_gone_removes_nothing_and_that_is_said(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        disconnect(ninja)
        ninja.world.do(
            "UPDATE rmm_integrations SET provider = 'forgotten' WHERE id = :id", id=ninja.integration_id
        )
        assert ninja.work(END) == ["failed"]
        first, second = said(ninja)
        assert first["webhook"].startswith("not removed at ")
        assert second["session"].startswith("not ended at ")
        assert ninja.world.one("SELECT count(*) FROM rmm_secrets WHERE name LIKE 'left:%'") == 0

    def test_an_application_that_signs_in_by_itself_signs_in_for_it(self, server: NinjaConnection) -> None:
        server.lab.settings.machine_registers_webhooks = True
        more = {"auth_mode": "client_credentials", "client_id": keys.MACHINE_CLIENT_ID, "sessions": None}
        ninja = server.connect(**more).switch_on()
        ninja.settle()
        with ninja.world.unit() as session:
            ninja.world.rmm.vault.drop(session, ninja.tenant, ninja.integration_id, ["session"])
        assert len(ninja.webhooks(keys.MACHINE_CLIENT_ID)) == 1
        disconnect(ninja)
        assert ninja.work(END) == ["succeeded"]
        assert ninja.webhooks(keys.MACHINE_CLIENT_ID) == []

    def test_what_is_set_aside_is_seen_by_nobody(self, ninja: NinjaConnection) -> None:
        ninja.settle()
        token = ninja.typed().sessions
        assert token is not None
        stored = ninja.secrets()
        disconnect(ninja)
        ninja.work(END)
        everything = str(
            ninja.world.rows("SELECT * FROM rmm_job_runs") + ninja.world.rows("SELECT * FROM rmm_audit")
        )
        for secret in (stored["client_secret"], stored["webhook_secret"], stored["webhook_token"]):
            assert secret not in everything


def test_a_technicians_connection_leaves_nothing_behind(server: NinjaConnection) -> None:
    """It may not have been told: it is removed all the same, or that is said."""
    ninja = server.connect(user=TECHNICIAN).switch_on()
    ninja.settle()
    disconnect(ninja)
    assert ninja.work(END) == ["succeeded"]
    assert said(ninja)[-1] == {"session": "ended at NinjaOne"}


def test_the_struct_shows_nothing() -> None:
    left = LeftSession(instance_url="u", auth_mode="m", settings={}, secrets={"client_secret": "hush"})
    assert "hush" not in repr(left)
