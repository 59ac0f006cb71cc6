"""What a delivery is answered, and what is kept of it."""

from __future__ import annotations

import json
import logging
from typing import Any
from uuid import UUID

import pytest

from rmm_extension.models import new_id
from rmm_extension.services import connections, webhook_access
from tests.harness.world import AGENT, World

NOT_FOUND = {"error": "There is no such webhook."}


def deliveries(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM rmm_webhook_deliveries ORDER BY received_at, id")


def nothing_stored(world: World) -> bool:
    tables = ("rmm_alerts", "rmm_webhook_deliveries", "rmm_outbox", "rmm_alert_events")
    return all(world.one(f"SELECT count(*) FROM {table}") == 0 for table in tables)


class TestNotFound:
    @pytest.mark.parametrize("change", ["other", "no_tenant", "other_tenant", "short", "nul"])
    def test_an_unknown_token(self, world: World, change: str) -> None:
        tenant, _, secret = world.token.rpartition(".")
        token = {
            "other": f"{tenant}.{'x' * 43}",
            "no_tenant": secret,
            "other_tenant": f"{new_id()}.{secret}",
            "short": f"{tenant}.",
            "nul": f"{tenant}%00.{secret}",
        }[change]
        answer = world.post(url=f"/api/webhooks/tacticalrmm/{token}")
        assert (answer.status_code, answer.json) == (404, NOT_FOUND)
        assert nothing_stored(world)

    def test_a_token_of_another_provider(self, world: World) -> None:
        world.do("UPDATE rmm_integrations SET provider = 'ninjaone'")
        assert world.post().status_code == 404
        assert nothing_stored(world)

    @pytest.mark.parametrize("provider", ["ninjaone", "nobody", "tacticalrmm%00"])
    def test_an_unknown_provider(self, world: World, provider: str) -> None:
        assert world.post(url=f"/api/webhooks/{provider}/{world.token}").status_code == 404

    def test_a_webhook_that_is_switched_off(self, world: World) -> None:
        with world.unit() as session:
            webhook_access.switch_off(world.rmm, session, world.admin, world.integration_id)
        assert world.post().status_code == 404
        with world.unit() as session:
            webhook_access.switch_on(world.rmm, session, world.admin, world.integration_id)
        assert world.post().status_code == 200

    def test_a_disconnected_connection_has_no_webhook(self, world: World) -> None:
        with world.unit() as session:
            connections.disconnect(world.rmm, session, world.admin, world.integration_id)
        assert world.post().status_code == 404

    def test_a_tenant_the_host_does_not_know(self, world: World) -> None:
        # The connection stays when a host forgets a tenant: there are no foreign keys into its tables.
        token = f"gone.{'x' * 20}"
        world.do(
            "INSERT INTO rmm_integrations (tenant_id, id, provider, name, instance_url, auth_mode, state,"
            " settings, config_version, webhook_enabled, webhook_token_hash)"
            " SELECT 'gone', id, provider, name, instance_url, auth_mode, state, settings, config_version,"
            " TRUE, :hash FROM rmm_integrations",
            hash=webhook_access.token_hash(token),
        )
        assert world.post(url=f"/api/webhooks/tacticalrmm/{token}").status_code == 404


class TestProof:
    def test_without_a_secret(self, world: World) -> None:
        answer = world.http.post(f"/api/webhooks/tacticalrmm/{world.token}", json=world.body())
        assert answer.status_code == 401
        assert nothing_stored(world)

    @pytest.mark.parametrize("secret", ["", "wrong", "ß€", "None"])
    def test_a_wrong_secret(self, world: World, secret: str) -> None:
        assert world.post(secret=secret.encode().decode("latin-1")).status_code == 401
        assert nothing_stored(world)

    @pytest.mark.parametrize("body", [b"junk", b"[]", b"", b"{}", b'{"agent_id": ""}'])
    def test_no_shape_is_judged_before_the_secret(self, world: World, body: bytes) -> None:
        assert world.post(body, secret="wrong").status_code == 401
        assert nothing_stored(world)

    @pytest.mark.parametrize(
        "name", ["X-RMM-Webhook-Secret", "x-alga-webhook-secret", "X-ALGA-WEBHOOK-SECRET"]
    )
    def test_either_header(self, world: World, name: str) -> None:
        url = f"/api/webhooks/tacticalrmm/{world.token}"
        assert world.http.post(url, json=world.body(), headers={name: world.secret}).status_code == 200

    def test_while_rotating_both_secrets_are_taken_until_the_old_one_is_dropped(self, world: World) -> None:
        old = world.secret
        with world.unit() as session:
            fresh = webhook_access.rotate(world.rmm, session, world.admin, world.integration_id).secret
        assert fresh is not None
        assert world.post(world.body(1), secret=old).status_code == 200
        assert world.post(world.body(2), secret=fresh).status_code == 200
        with world.unit() as session:
            webhook_access.drop_previous(world.rmm, session, world.admin, world.integration_id)
        assert world.post(world.body(3), secret=old).status_code == 401
        assert world.post(world.body(4), secret=fresh).status_code == 200

    def test_a_connection_without_a_secret_is_open_to_nobody(self, world: World) -> None:
        world.do("DELETE FROM rmm_secrets WHERE name = 'webhook_secret'")
        assert world.post().status_code == 401
        assert world.post(secret="").status_code == 401

    def test_the_secret_of_another_connection_opens_nothing(self, world: World) -> None:
        other = World(world.app, integration_id=new_id()).connect(name="Second")
        assert world.post(secret=other.secret).status_code == 401


class TestShape:
    @pytest.mark.parametrize(
        "body, reason",
        [
            (b"", "not_json"),
            (b"no json", "not_json"),
            (b"\xff\xfe\x00", "not_json"),
            (b"[]", "wrong_shape"),
            (b"[1]", "wrong_shape"),
            (b"5", "wrong_shape"),
            (b"null", "wrong_shape"),
            (b'"text"', "not_json"),
            (b"{}", "agent_id_missing"),
            (b'{"agent_id": "None", "alert_id": "5"}', "agent_id_missing"),
            (b'{"agent_id": ["x"]}', "wrong_shape"),
            (b'"{\\"agent_id\\": \\"A \\"quoted\\" one\\"}"', "not_json"),
        ],
    )
    def test_what_is_no_alert_is_kept_aside(self, world: World, body: bytes, reason: str) -> None:
        answer = world.post(body)
        assert (answer.status_code, answer.json["reason"]) == (400, reason)
        assert answer.json["error"].endswith(".")
        (row,) = deliveries(world)
        assert (row["state"], row["reason"], bytes(row["body"])) == ("quarantined", reason, body)
        assert row["due_at"] is None
        assert world.one("SELECT count(*) FROM rmm_alerts") == 0

    def test_a_body_that_came_as_one_text_is_recovered(self, world: World) -> None:
        wrapped = json.dumps(json.dumps(world.body())).encode()
        assert world.post(wrapped).json == {"recorded": True, "outcome": "ticket_created"}
        broken = json.dumps(json.dumps(world.body(525))[:-1] + ', "message": "a "b" c"}').encode()
        assert world.post(broken).json["recorded"] is True
        assert world.alert(525)["message"] is None

    def test_nulls_as_the_server_renders_them_are_absent(self, world: World) -> None:
        body = world.body(message="None", hostname="null", check_id="None", task_id="undefined", severity="")
        assert world.post(body).status_code == 200
        alert = world.alert()
        assert (alert["message"], alert["device_name"], alert["severity"]) == (None, None, "none")
        assert alert["dedup_key"] == f"{AGENT}|check"

    def test_the_content_type_does_not_matter(self, world: World) -> None:
        headers = {"X-RMM-Webhook-Secret": world.secret}
        url = f"/api/webhooks/tacticalrmm/{world.token}"
        data = json.dumps(world.body())
        for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
            answer = world.http.post(url, data=data, headers=headers, content_type=kind)
            assert answer.status_code == 200, kind
        assert world.one("SELECT count(*) FROM rmm_alerts") == 1


class TestNotTaken:
    def test_a_suspended_tenant(self, world: World) -> None:
        world.post()
        before = world.alert()
        world.do("UPDATE tenants SET is_active = FALSE WHERE id = :id", id=world.tenant)
        for body in (world.body(), world.body(600), world.resolved()):
            answer = world.post(body)
            assert (answer.status_code, answer.json) == (
                200,
                {"recorded": False, "reason": "tenant_suspended"},
            )
        assert world.alert() == before
        assert world.one("SELECT count(*) FROM rmm_alerts") == 1

    @pytest.mark.parametrize("state", ["paused", "not_connected"])
    def test_a_connection_at_rest(self, world: World, state: str) -> None:
        world.do("UPDATE rmm_integrations SET state = :state", state=state)
        answer = world.post()
        assert (answer.status_code, answer.json) == (
            200,
            {"recorded": False, "reason": f"connection_{state}"},
        )
        assert nothing_stored(world)

    @pytest.mark.parametrize("state", ["error", "needs_reauth"])
    def test_a_connection_in_trouble_still_takes_alerts(self, world: World, state: str) -> None:
        world.do("UPDATE rmm_integrations SET state = :state", state=state)
        assert world.post().json["recorded"] is True

    def test_the_test_button(self, world: World) -> None:
        body = world.body(AGENT, alert_type="SERVER-01 in Acme, HQ")
        assert world.post(body).json == {"recorded": False, "reason": "event_not_used"}
        assert nothing_stored(world)

    @pytest.mark.parametrize("event", ["failure", "resolved"])
    def test_the_test_button_with_the_number_of_a_real_alert(self, world: World, event: str) -> None:
        world.post()
        before = (world.alert(), world.tickets(), world.rows("SELECT * FROM rmm_alert_events"))
        body = world.body(alert_type="SERVER-01", severity="SERVER-01", event=event)
        assert body["alert_id"] == world.alert()["external_id"]
        assert world.post(body).json == {"recorded": False, "reason": "event_not_used"}
        assert (world.alert(), world.tickets(), world.rows("SELECT * FROM rmm_alert_events")) == before

    def test_what_the_edition_does_not_include(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        port = world.rmm.host.entitlements
        assert port is not None
        monkeypatch.setattr(type(port), "provider_enabled", lambda *_: False)
        assert world.post().json == {"recorded": False, "reason": "not_in_edition"}
        assert nothing_stored(world)

    def test_at_rest_the_secret_is_asked_for_all_the_same(self, world: World) -> None:
        world.do("UPDATE rmm_integrations SET state = 'paused'")
        assert world.post(secret="wrong").status_code == 401
        world.do("UPDATE tenants SET is_active = FALSE WHERE id = :id", id=world.tenant)
        assert world.post(secret="wrong").status_code == 401


class TestTheTenantsAddress:
    URL = "/api/webhooks/tacticalrmm"

    def test_the_secret_picks_the_connection(self, world: World) -> None:
        other = World(world.app, integration_id=new_id()).connect(name="Second")
        url = f"{self.URL}?tenant={world.tenant}"
        assert world.post(world.body(1), url=url).status_code == 200
        assert world.post(world.body(2), url=url, secret=other.secret).status_code == 200
        found = world.rows("SELECT external_id, integration_id FROM rmm_alerts ORDER BY external_id")
        assert [(row["external_id"], row["integration_id"]) for row in found] == [
            ("1", world.integration_id),
            ("2", other.integration_id),
        ]

    @pytest.mark.parametrize("query", ["", "?tenant=", "?tenant=%20", "?tenant_id=x"])
    def test_without_a_tenant(self, world: World, query: str) -> None:
        answer = world.post(url=self.URL + query)
        assert (answer.status_code, answer.json["reason"]) == (400, "tenant_missing")

    @pytest.mark.parametrize("tenant", [str(UUID(int=9)), "x' OR '1'='1", "%00", "a%00b"])
    def test_an_unknown_tenant(self, world: World, tenant: str) -> None:
        assert world.post(url=f"{self.URL}?tenant={tenant}").status_code == 404

    def test_a_wrong_secret(self, world: World) -> None:
        assert world.post(url=f"{self.URL}?tenant={world.tenant}", secret="wrong").status_code == 401

    def test_only_connections_with_an_open_webhook_count(self, world: World) -> None:
        World(world.app, integration_id=UUID(int=1)).connect(name="Second")
        world.do("UPDATE rmm_integrations SET webhook_enabled = FALSE WHERE name = 'Second'")
        url = f"{self.URL}?tenant={world.tenant}"
        assert world.post(url=url, secret="wrong").status_code == 401
        world.do("UPDATE rmm_integrations SET webhook_enabled = FALSE")
        assert world.post(url=url).status_code == 404

    def test_one_unreadable_secret_does_not_shut_out_another_connection(self, world: World) -> None:
        World(world.app, integration_id=UUID(int=1)).connect(name="Second")
        world.do("UPDATE rmm_secrets SET key_id = 'lost' WHERE integration_id = :id", id=UUID(int=1))
        assert world.post(url=f"{self.URL}?tenant={world.tenant}").status_code == 200

    def test_a_suspended_tenant(self, world: World) -> None:
        world.do("UPDATE tenants SET is_active = FALSE WHERE id = :id", id=world.tenant)
        answer = world.post(url=f"{self.URL}?tenant={world.tenant}")
        assert answer.json == {"recorded": False, "reason": "tenant_suspended"}


class TestSilence:
    """What no log and no table may hold."""

    SECRETS = ("hunter2-in-the-body", "hunter2-in-a-header")

    def send(self, world: World) -> None:
        headers = {
            "X-RMM-Webhook-Secret": world.secret,
            "Authorization": self.SECRETS[1],
            "X-Request-Id": "r-1",
        }
        url = f"/api/webhooks/tacticalrmm/{world.token}"
        good = json.dumps(world.body(message=self.SECRETS[0]))
        for body in (good, "[]", "junk " + self.SECRETS[0]):
            world.http.post(url, data=body, headers=headers)
        world.http.post(url, data=good, headers={**headers, "X-RMM-Webhook-Secret": "wrong"})

    def test_logs(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            self.send(world)
        lines = [record for record in caplog.records if record.name == "rmm_extension.webhooks"]
        assert len(lines) == 4
        for unwanted in (*self.SECRETS, world.secret, world.token):
            assert not any(unwanted in record.getMessage() for record in lines)
        assert str(world.integration_id) in lines[0].getMessage()
        assert "outcome=ticket_created" in lines[0].getMessage()

    def test_stored_headers(self, world: World) -> None:
        self.send(world)
        rows = deliveries(world)
        assert [sorted(row["headers"]) for row in rows] == [["user-agent", "x-request-id"]] * 2
        for row in rows:
            assert world.secret not in str(row)
            assert self.SECRETS[1] not in str(row)

    def test_a_failure_is_logged_without_what_the_database_quotes(
        self, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A host's statement fails: SQLAlchemy's error holds its parameters, the alert's text among them."""
        from sqlalchemy import text

        from reference_psa.adapters.tickets import SqlTickets

        def create(self: SqlTickets, session: Any, tenant_id: str, draft: Any) -> Any:
            session.execute(text("SELECT 1 / (length(:body) * 0)"), {"body": draft.description})

        monkeypatch.setattr(SqlTickets, "create", create)
        with caplog.at_level(logging.DEBUG, logger="rmm_extension"):
            answer = world.post(world.body(message=self.SECRETS[0]))
        assert answer.status_code == 202
        assert "webhook_failed" in caplog.text
        assert "22012" in caplog.text
        assert self.SECRETS[0] not in caplog.text
        assert world.secret not in caplog.text
