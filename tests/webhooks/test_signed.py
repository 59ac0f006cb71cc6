"""Deliveries that a vendor signs with a secret of its own: what proves them, and what each is answered."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reference_psa.adapters.tickets import SqlTickets
from rmm_extension.extension import Mounted
from rmm_extension.services import connections, schedule, webhook_access
from rmm_extension.services.vault import Vault
from tests.harness.signing import FIRST, SECOND, SIGNERS, BodySigner, MessageSigner, Sealed, install
from tests.harness.world import World
from tests.services.working import queued, work

REFUSED = (401, {"error": "The webhook secret is missing or wrong."})


@pytest.fixture(params=SIGNERS, ids=lambda signer: signer.manifest.key)
def waiting(request: pytest.FixtureRequest, world: World) -> Sealed:
    """A webhook that is switched on and whose secret was not pasted yet."""
    install(world.app, *SIGNERS)
    return Sealed.connect(world, request.param)


@pytest.fixture
def sealed(waiting: Sealed) -> Sealed:
    """The same with its secret."""
    waiting.paste(FIRST)
    return waiting


def told(answer: Any) -> tuple[int, Any]:
    return answer.status_code, answer.json


def state(world: World) -> list[Any]:
    """All that a delivery may change."""
    tables = ("rmm_alerts", "rmm_alert_events", "rmm_signals", "rmm_job_runs", "rmm_outbox", "comments")
    counts = [world.one(f"SELECT count(*) FROM {table}") for table in tables]
    return [*counts, world.rows("SELECT number, status_id FROM tickets ORDER BY number")]


def test_nothing_is_taken_until_the_secret_is_pasted(waiting: Sealed) -> None:
    before = state(waiting.world)
    assert told(waiting.send()) == REFUSED
    assert told(waiting.send(secret="")) == REFUSED
    assert waiting.world.one("SELECT count(*) FROM rmm_webhook_deliveries") == 0
    assert state(waiting.world) == before
    waiting.paste(FIRST)
    assert told(waiting.send()) == (200, {"recorded": True, "outcome": "ticket_created"})


def test_another_secret_is_taken_beside_the_former_until_that_is_dropped(sealed: Sealed) -> None:
    sealed.paste(SECOND)
    assert [sealed.send("test", secret=secret).status_code for secret in (FIRST, SECOND)] == [200, 200]
    sealed.call(webhook_access.drop_previous)
    assert [sealed.send("test", secret=secret).status_code for secret in (FIRST, SECOND)] == [401, 200]


def test_a_signature_is_of_this_very_body(sealed: Sealed) -> None:
    body = b'{"about":"triggered","id":"1","at":"2026-11-21T02:06:46+00:00"}'
    assert sealed.send(body=body).status_code == 200
    headers = sealed.signer.sign(FIRST, body, datetime.now(UTC), "1")
    url = f"/api/webhooks/{sealed.signer.manifest.key}/{sealed.token}"
    before = state(sealed.world)
    forged = sealed.world.http.post(url, data=body.replace(b'"1"', b'"2"'), headers=headers)
    bare = sealed.world.http.post(url, data=body)
    assert told(forged) == told(bare) == told(sealed.send(secret="whsec_another")) == REFUSED
    assert state(sealed.world) == before


@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_is_signed_for_another_time_is_refused(world: World, minutes: int) -> None:
    install(world.app, *SIGNERS)
    sealed = Sealed.connect(world, MessageSigner)
    sealed.paste(FIRST)
    assert told(sealed.send(sent_at=datetime.now(UTC) + timedelta(minutes=minutes))) == REFUSED
    assert sealed.send(sent_at=datetime.now(UTC) + timedelta(minutes=minutes * 0.5)).status_code == 200


class TestAnswers:
    """The table of answers holds for what is signed, too."""

    def test_200_what_is_not_used(self, sealed: Sealed) -> None:
        assert told(sealed.send("test")) == (200, {"recorded": False, "reason": "event_not_used"})

    @pytest.mark.parametrize("rest", ["paused", "not_connected"])
    def test_200_at_rest(self, sealed: Sealed, rest: str) -> None:
        sealed.world.do("UPDATE rmm_integrations SET state = :state", state=rest)
        assert told(sealed.send()) == (200, {"recorded": False, "reason": f"connection_{rest}"})
        assert told(sealed.send(secret=SECOND)) == REFUSED

    def test_202_what_fails_here_is_kept_with_the_id_of_its_message(
        self, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: Any) -> Any:
            raise RuntimeError("injected")

        with monkeypatch.context() as patched:
            patched.setattr(SqlTickets, "create", fails)
            answer = sealed.send(message_id="m-1")
            assert told(answer) == (202, {"recorded": True, "outcome": "stored_for_retry"})
            assert sealed.send(secret=SECOND).status_code == 401
        kept = sealed.world.one("SELECT headers FROM rmm_webhook_deliveries")
        assert {name for name in kept if "sign" in name or "time" in name} == set()
        assert kept.get("svix-id") == ("m-1" if sealed.signer is MessageSigner else None)
        # Long after the five minutes in which it could have been proven: it was, when it came.
        sealed.world.do(
            "UPDATE rmm_webhook_deliveries SET due_at = now(), received_at = now() - interval '9 h'"
        )
        with sealed.world.app.app_context():
            assert schedule.start_due_deliveries(sealed.world.rmm) == 1
        assert work(sealed.world, "delivery_retry") == [{"events": 1}]
        assert sealed.world.one("SELECT count(*) FROM rmm_alerts") == 1

    def test_400_only_with_a_signature(self, sealed: Sealed) -> None:
        answer = sealed.send(body=b"junk")
        assert (answer.status_code, answer.json["reason"]) == (400, "wrong_shape")
        assert told(sealed.send(body=b"junk", secret=SECOND)) == REFUSED
        assert sealed.world.one("SELECT count(*) FROM rmm_webhook_deliveries") == 1

    def test_404(self, sealed: Sealed) -> None:
        key = sealed.signer.manifest.key
        other = next(signer for signer in SIGNERS if signer is not sealed.signer).manifest.key
        for url in (f"/api/webhooks/{key}/{sealed.token}x", f"/api/webhooks/{other}/{sealed.token}"):
            assert sealed.send(url=url).status_code == 404
        sealed.call(webhook_access.switch_off)
        assert sealed.send().status_code == 404
        sealed.call(webhook_access.switch_on)
        assert sealed.send().status_code == 200, "the secret is kept"

    def test_413_before_anything_is_read(self, sealed: Sealed) -> None:
        size = sealed.world.rmm.settings.webhook_max_bytes
        assert sealed.send("test", text="x" * size).status_code == 413

    def test_503_while_the_secret_cannot_be_read(self, sealed: Sealed) -> None:
        lost = replace(sealed.world.rmm, vault=Vault({"other": b"o" * 32}))
        sealed.world.app.extensions["rmm"] = Mounted(lost)
        answer = sealed.send()
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0


class TestTheTenantsAddress:
    """One address for a tenant: the signature picks the connection."""

    def address(self, sealed: Sealed) -> str:
        return f"/api/webhooks/{sealed.signer.manifest.key}?tenant={sealed.world.tenant}"

    def test_the_signature_picks_the_connection(self, sealed: Sealed) -> None:
        other = Sealed.connect(sealed.world, sealed.signer, "Second")
        other.paste(SECOND)
        url = self.address(sealed)
        assert sealed.send(url=url).status_code == sealed.send(url=url, secret=SECOND).status_code == 200
        found = sealed.world.rows("SELECT integration_id FROM rmm_alerts")
        assert {row["integration_id"] for row in found} == {sealed.integration_id, other.integration_id}

    def test_one_that_waits_for_its_secret_shuts_nobody_out(self, waiting: Sealed) -> None:
        url = self.address(waiting)
        assert told(waiting.send(url=url)) == REFUSED
        Sealed.connect(waiting.world, waiting.signer, "Second").paste(SECOND)
        assert waiting.send(url=url, secret=SECOND).status_code == 200
        assert told(waiting.send(url=url)) == REFUSED


class TestReplays:
    @pytest.mark.parametrize("about", ["triggered", "reset", "device", "organization"])
    def test_a_message_that_comes_again_does_nothing(self, sealed: Sealed, about: str) -> None:
        sealed.world.do("UPDATE rmm_organization_mappings SET auto_sync = TRUE")
        if about == "reset":
            sealed.send()
        body = json.dumps({"about": about, "id": "m-1", "at": "2026-11-21T02:07:00+00:00"}).encode()
        assert sealed.send(message_id="m-1", body=body).json["recorded"] is True
        before = state(sealed.world)
        for sent_at in (datetime.now(UTC), datetime.now(UTC) + timedelta(minutes=2)):
            again = sealed.send(message_id="m-1", body=body, sent_at=sent_at)
            assert (again.status_code, again.json["outcome"]) == (200, "skipped")
        assert state(sealed.world) == before

    def test_organizations_are_listed_once_for_all_that_is_told_of_them(self, sealed: Sealed) -> None:
        for message_id in ("m-1", "m-2", "m-1"):
            assert sealed.send("organization", message_id=message_id).status_code == 200
        assert len(queued(sealed.world, "organization_sync")) == 1


def test_no_log_line_holds_a_secret_or_a_signature(sealed: Sealed, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        sealed.send(message_id="m-1")
        sealed.send(message_id="m-1", secret=SECOND)
    lines = [record.getMessage() for record in caplog.records if record.name == "rmm_extension.webhooks"]
    assert [line.split("status=")[1][:3] for line in lines] == ["200", "401"]
    signed = BodySigner.sign(FIRST, b"", datetime.now(UTC), "")["X-Signature"][:10]
    assert not any(word in line for line in lines for word in (FIRST, SECOND, signed, "v1,", sealed.token))


def test_a_disconnected_connection_forgets_its_secret(sealed: Sealed) -> None:
    sealed.call(connections.disconnect)
    assert (
        sealed.world.one(
            "SELECT count(*) FROM rmm_secrets WHERE integration_id = :id", id=sealed.integration_id
        )
        == 0
    )
    assert sealed.send().status_code == 404
