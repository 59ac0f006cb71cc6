"""Connections: made, renewed, renamed, at rest, ended; what is kept and what is told."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs
from sqlalchemy import select

from rmm_extension.domain.errors import ConfigError, Conflict, Forbidden
from rmm_extension.domain.types import Connection
from rmm_extension.models import Integration, new_id
from rmm_extension.services import connection_health, connections, credentials
from rmm_extension.services.vault import Vault
from tests.harness.world import World
from tests.services.ingest.meanwhile import once_before
from tests.services.working import relay_all

KEY = "SECRET-API-KEY-0123456789"


def typed(world: World, stored: Connection | None = None, **values: str) -> Connection:
    """What the form brings."""
    provider = world.rmm.providers.get("tacticalrmm")
    mode = credentials.auth_mode(provider, "api_key")
    given = {"instance_url": "https://127.0.0.1:9", "api_key": KEY} | values
    return credentials.typed(provider, mode, given, stored)


def create(world: World, name: str = "Second", *, catch_all: bool = False, **values: str) -> UUID:
    with world.unit() as session:
        row = connections.create(
            world.rmm, session, world.admin, name, typed(world, **values), catch_all=catch_all
        )
        return row.id


def row(world: World, integration_id: UUID | None = None) -> dict[str, Any]:
    (found,) = world.rows(
        "SELECT * FROM rmm_integrations WHERE id = :id", id=integration_id or world.integration_id
    )
    return found


def secrets(world: World, integration_id: UUID | None = None) -> dict[str, str]:
    with world.unit() as session:
        return world.rmm.vault.read(session, world.tenant, integration_id or world.integration_id)


def audits(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM rmm_audit ORDER BY at, id")


class TestCreate:
    def test_it_is_connected_and_told(self, world: World) -> None:
        made = create(world, "  Second \n one ", catch_all=True)
        stored = row(world, made)
        assert (stored["name"], stored["state"], stored["webhook_enabled"]) == (
            "Second one",
            "connected",
            False,
        )
        assert stored["connected_at"] is not None
        assert secrets(world, made) == {"api_key": KEY}
        (rule,) = world.rows("SELECT * FROM rmm_alert_rules WHERE integration_id = :id", id=made)
        assert (rule["conditions"], rule["actions"]["createTicket"]) == ({}, True)
        assert "integration_connected" in [name for name, _ in relay_all(world)]

    def test_no_rule_unless_asked(self, world: World) -> None:
        made = create(world)
        assert world.rows("SELECT 1 FROM rmm_alert_rules WHERE integration_id = :id", id=made) == []

    def test_a_name_that_is_taken_is_refused_in_words_and_leaves_nothing(self, world: World) -> None:
        before = world.one("SELECT count(*) FROM rmm_secrets")
        with pytest.raises(Conflict, match="There is a connection named “Tactical” already"):
            create(world, "Tactical")
        assert world.one("SELECT count(*) FROM rmm_integrations") == 1
        assert world.one("SELECT count(*) FROM rmm_secrets") == before

    @pytest.mark.parametrize("name", ["", "  ", "x" * 256])
    def test_a_name_that_is_none(self, world: World, name: str) -> None:
        with pytest.raises(ConfigError, match="name of 1 to 255"):
            create(world, name)

    def test_an_edition_without_the_vendor(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        port = world.rmm.host.entitlements
        assert port is not None
        monkeypatch.setattr(type(port), "provider_enabled", lambda *_: False)
        with pytest.raises(Forbidden, match="not part of this tenant's edition"):
            create(world)

    def test_missing_fields_are_named(self, world: World) -> None:
        with pytest.raises(ConfigError, match="Fill in: API address, API key"):
            typed(world, instance_url="", api_key=" ")

    def test_an_address_of_the_inside_is_refused(self, world: World) -> None:
        with pytest.raises(ConfigError):
            typed(world, instance_url="https://169.254.169.254")


class TestReconnect:
    def reconnect(self, world: World, made: UUID, connection: Connection) -> None:
        with world.unit() as session:
            connections.reconnect(world.rmm, session, world.admin, made, connection)

    def stored(self, world: World, made: UUID) -> Connection:
        with world.unit() as session:
            found = connections.get(session, world.tenant, made)
            return connections.build(world.rmm, session, found)

    def test_a_blank_secret_keeps_the_stored_one(self, world: World) -> None:
        made = create(world)
        new = typed(world, self.stored(world, made), api_key="", instance_url="https://127.0.0.1:9/path")
        self.reconnect(world, made, new)
        assert secrets(world, made) == {"api_key": KEY}
        assert row(world, made)["instance_url"] == "https://127.0.0.1:9/path"

    @pytest.mark.parametrize(
        "address", ["https://127.0.0.2:9", "https://127.0.0.1:8", "http://127.0.0.1:9", "https://127.0.0.1"]
    )
    def test_what_is_stored_is_for_one_server(self, world: World, address: str) -> None:
        stored = self.stored(world, create(world))
        with pytest.raises(credentials.SecretsNeeded, match=r"for 127\.0\.0\.1:9 only") as caught:
            typed(world, stored, api_key=" ", instance_url=address)
        assert caught.value.fields == ("api_key",)
        assert KEY not in str(caught.value)
        assert typed(world, stored, api_key="another", instance_url=address).secrets == {"api_key": "another"}

    def test_the_usual_port_is_the_same_server(self, world: World) -> None:
        stored = structs.replace(self.stored(world, create(world)), instance_url="https://127.0.0.1")
        assert typed(world, stored, api_key="", instance_url="https://127.0.0.1:443").secrets == {
            "api_key": KEY
        }

    def test_a_new_secret_takes_its_place(self, world: World) -> None:
        made = create(world)
        self.reconnect(world, made, typed(world, self.stored(world, made), api_key="another-key"))
        assert secrets(world, made) == {"api_key": "another-key"}

    def test_the_secret_of_one_server_is_never_built_with_the_address_of_another(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = create(world)
        moved = typed(world, instance_url="https://127.0.0.2:9", api_key="another-key")
        done = once_before(monkeypatch, Vault, "read_beside", lambda: self.reconnect(world, made, moved))
        built = self.stored(world, made)
        assert len(done) == 1
        assert (built.instance_url, built.secrets) == (moved.instance_url, {"api_key": "another-key"})

    def test_settings_and_schedules_stay(self, world: World) -> None:
        made = create(world)
        schedule = {"enabled": True, "intervalMinutes": 30}
        with world.unit() as session:
            connections.save_settings(session, world.admin, made, {"deviceSync": schedule})
            connections.disconnect(world.rmm, session, world.admin, made)
        self.reconnect(world, made, typed(world))
        assert row(world, made)["settings"]["deviceSync"] == schedule
        assert row(world, made)["state"] == "connected"

    def test_what_was_saved_while_the_vendor_was_tested_is_not_undone(self, world: World) -> None:
        """The form's connection was built before the test; somebody saved a setting meanwhile."""
        made = create(world)
        with world.unit() as session:
            connections.save_settings(session, world.admin, made, {"deletionPolicy": "never"})
        slow = typed(world, self.stored(world, made))
        with world.unit() as session:
            connections.save_settings(session, world.admin, made, {"deletionPolicy": "mark_inactive"})
        self.reconnect(world, made, slow)
        assert row(world, made)["settings"]["deletionPolicy"] == "mark_inactive"

    def test_another_way_to_sign_in_drops_the_secrets_of_the_other(self, world: World) -> None:
        made = create(world)
        provider = world.rmm.providers.get("tacticalrmm")
        password = credentials.auth_mode(provider, "password")
        values = {"instance_url": "https://127.0.0.1:9", "username": "ann", "password": " pw-123456789 "}
        self.reconnect(world, made, credentials.typed(provider, password, values))
        assert secrets(world, made) == {"password": " pw-123456789 "}, "a password is taken to the letter"
        assert row(world, made)["auth_mode"] == "password"
        assert row(world, made)["settings"]["username"] == "ann"
        self.reconnect(world, made, typed(world))
        assert secrets(world, made) == {"api_key": KEY}

    def test_the_webhook_keeps_its_address_and_secret(self, world: World) -> None:
        self.reconnect(world, world.integration_id, typed(world))
        assert world.post().status_code == 200


class TestStates:
    def test_pause_and_resume(self, world: World) -> None:
        with world.unit() as session:
            connections.pause(session, world.admin, world.integration_id)
        assert world.post().json["reason"] == "connection_paused"
        with world.unit() as session:
            connections.resume(session, world.admin, world.integration_id)
        assert world.post().json["recorded"] is True

    @pytest.mark.parametrize("state", ["connected", "not_connected", "needs_reauth"])
    def test_only_a_paused_connection_resumes(self, world: World, state: str) -> None:
        world.do("UPDATE rmm_integrations SET state = :state", state=state)
        with pytest.raises(Conflict), world.unit() as session:
            connections.resume(session, world.admin, world.integration_id)

    def test_a_disconnected_connection_cannot_be_paused_and_so_not_resumed(self, world: World) -> None:
        with world.unit() as session:
            connections.disconnect(world.rmm, session, world.admin, world.integration_id)
        with pytest.raises(Conflict, match="not connected"), world.unit() as session:
            connections.pause(session, world.admin, world.integration_id)
        assert row(world)["state"] == "not_connected"

    def test_disconnect_deletes_every_secret_and_the_webhook_and_keeps_the_rest(self, world: World) -> None:
        world.device()
        world.post()
        with world.unit() as session:
            connections.disconnect(world.rmm, session, world.admin, world.integration_id)
        assert secrets(world) == {}
        stored = row(world)
        assert (stored["state"], stored["webhook_enabled"], stored["webhook_token_hash"]) == (
            "not_connected",
            False,
            None,
        )
        for table in ("rmm_alerts", "rmm_devices", "rmm_alert_rules", "rmm_organization_mappings"):
            assert world.one(f"SELECT count(*) FROM {table}") == 1

    def test_every_change_of_state_moves_the_version(self, world: World) -> None:
        versions = [row(world)["config_version"]]
        with world.unit() as session:
            connections.pause(session, world.admin, world.integration_id)
        versions.append(row(world)["config_version"])
        with world.unit() as session:
            connections.resume(session, world.admin, world.integration_id)
        versions.append(row(world)["config_version"])
        assert versions == sorted(set(versions))

    @pytest.mark.parametrize("act", ["get", "pause", "rename", "save_settings"])
    def test_another_tenants_connection_does_not_exist(self, world: World, act: str) -> None:
        from dataclasses import replace

        stranger = replace(world.admin, tenant_id=str(new_id()))
        calls: dict[str, Any] = {
            "get": lambda s: connections.get(s, stranger.tenant_id, world.integration_id),
            "pause": lambda s: connections.pause(s, stranger, world.integration_id),
            "rename": lambda s: connections.rename(s, stranger, world.integration_id, "Mine"),
            "save_settings": lambda s: connections.save_settings(s, stranger, world.integration_id, {"a": 1}),
        }
        with pytest.raises(connections.UnknownConnection), world.unit() as session:
            calls[act](session)
        assert (row(world)["name"], row(world)["state"]) == ("Tactical", "connected")


class TestSettings:
    def test_saving_one_never_wipes_another(self, world: World) -> None:
        """Two people save at the very same moment, again and again."""
        start = Barrier(2)

        def save(name: str) -> None:
            for number in range(15):
                start.wait(timeout=60)
                with world.unit() as session:
                    connections.save_settings(
                        session, world.admin, world.integration_id, {f"{name}{number}": 1}
                    )

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(save, ["a", "b"]))
        assert len(row(world)["settings"]) == 30

    def test_what_was_read_before_in_the_same_transaction_is_read_again(self, world: World) -> None:
        """A page shows the row, somebody else saves, then the page's own save comes."""
        with world.unit() as session:
            shown = connections.get(session, world.tenant, world.integration_id)
            assert shown.settings == {}
            with ThreadPoolExecutor(1) as pool:
                pool.submit(self.save, world, {"theirs": 1}).result(timeout=60)
            connections.save_settings(session, world.admin, world.integration_id, {"mine": 1})
        assert row(world)["settings"] == {"mine": 1, "theirs": 1}

    def test_none_removes_a_key(self, world: World) -> None:
        self.save(world, {"a": 1, "b": 2})
        self.save(world, {"a": None})
        assert row(world)["settings"] == {"b": 2}

    def test_arriving_alerts_do_not_wait_for_a_save(self, world: World) -> None:
        """The lock of a save is weak enough for the foreign keys of alerts that come in meanwhile."""
        with world.unit() as session:
            connections.save_settings(session, world.admin, world.integration_id, {"a": 1})
            with ThreadPoolExecutor(1) as pool:
                done = pool.submit(self.post_within, world).result(timeout=60)
        assert done == 200

    @staticmethod
    def post_within(world: World) -> int:
        with world.unit() as session:
            session.connection().exec_driver_sql("SET LOCAL lock_timeout = '2s'")
            alert = {"t": world.tenant, "i": world.integration_id, "id": new_id()}
            from sqlalchemy import text

            session.execute(
                text(
                    "INSERT INTO rmm_alert_conditions"
                    " (tenant_id, id, integration_id, dedup_key, occurrence_count)"
                    " VALUES (:t, :id, :i, 'x', 1)"
                ),
                alert,
            )
        return 200

    @staticmethod
    def save(world: World, changes: dict[str, Any]) -> None:
        with world.unit() as session:
            connections.save_settings(session, world.admin, world.integration_id, changes)


class TestRename:
    def test_a_name_of_another_connection_is_refused(self, world: World) -> None:
        made = create(world)
        with pytest.raises(Conflict), world.unit() as session:
            connections.rename(session, world.admin, made, "Tactical")
        assert row(world, made)["name"] == "Second"

    def test_its_own_name_is_fine(self, world: World) -> None:
        with world.unit() as session:
            connections.rename(session, world.admin, world.integration_id, " Tactical ")
        assert row(world)["name"] == "Tactical"


class TestTrouble:
    def told(self, world: World) -> list[str]:
        """Titles of the notifications one administrator has, oldest first."""
        relay_all(world)
        found = world.rows(
            "SELECT title, user_id FROM notifications WHERE tenant_id = :t AND category = 'RMM connections'"
            " ORDER BY created_at, id",
            t=world.tenant,
        )
        return [r["title"] for r in found if r["user_id"] == found[0]["user_id"]]

    def reauth(self, world: World) -> None:
        with world.unit() as session:
            connection_health.mark_needs_reauth(
                session, world.tenant, world.integration_id, "The API key was refused."
            )

    def note(self, world: World, error: str | None) -> None:
        with world.unit() as session:
            if error:
                connection_health.mark_error(session, world.tenant, world.integration_id, error)
            else:
                connection_health.mark_well(session, world.tenant, world.integration_id)

    def test_refused_credentials_are_told_once(self, world: World) -> None:
        for _ in range(3):
            self.reauth(world)
        assert row(world)["state"] == "needs_reauth"
        assert row(world)["last_error"] == "The API key was refused."
        assert self.told(world) == ["RMM connection Tactical needs attention"]

    @pytest.mark.parametrize("state", ["paused", "not_connected"])
    def test_at_rest_nothing_is_marked(self, world: World, state: str) -> None:
        world.do("UPDATE rmm_integrations SET state = :state", state=state)
        self.reauth(world)
        self.note(world, "Away.")
        assert row(world)["state"] == state
        assert world.one("SELECT count(*) FROM rmm_outbox") == 0

    def test_going_down_and_coming_back_are_told_once_each_every_time(self, world: World) -> None:
        for _ in range(2):
            for _ in range(3):
                self.note(world, "No answer.")
            for _ in range(3):
                self.note(world, None)
        down, up = "RMM connection Tactical needs attention", "RMM connection Tactical works again"
        assert self.told(world) == [down, up, down, up]

    def test_new_credentials_end_it(self, world: World) -> None:
        self.reauth(world)
        with world.unit() as session:
            connections.reconnect(world.rmm, session, world.admin, world.integration_id, typed(world))
        assert (row(world)["state"], row(world)["last_error"]) == ("connected", None)


class TestAudit:
    def test_every_change_is_written_down_without_a_secret(self, world: World) -> None:
        made = create(world, catch_all=True)
        with world.unit() as session:
            connections.rename(session, world.admin, made, "Third")
            connections.save_settings(session, world.admin, made, {"deletionPolicy": "never"})
            connections.pause(session, world.admin, made)
            connections.resume(session, world.admin, made)
            connections.reconnect(
                world.rmm, session, world.admin, made, typed(world, api_key="NEW-KEY-987654321")
            )
            connections.disconnect(world.rmm, session, world.admin, made)
        found = [entry for entry in audits(world) if entry["integration_id"] == made]
        assert [entry["action"] for entry in found] == [
            "rule.created",
            "connection.created",
            "connection.renamed",
            "connection.settings_saved",
            "connection.paused",
            "connection.resumed",
            "connection.credentials_saved",
            "connection.disconnected",
        ]
        assert {entry["actor_name"] for entry in found} == {"Ada Admin"}
        assert found[2]["changes"] == {"name": ["Second", "Third"]}
        assert found[3]["changes"] == {"deletionPolicy": [None, "never"]}
        everything = json.dumps(audits(world), default=str)
        assert KEY not in everything
        assert "NEW-KEY" not in everything

    def test_what_is_undone_leaves_no_entry(self, world: World) -> None:
        before = len(audits(world))

        def interrupted() -> None:
            with world.unit() as session:
                connections.pause(session, world.admin, world.integration_id)
                raise RuntimeError("injected")

        with pytest.raises(RuntimeError, match="injected"):
            interrupted()
        assert len(audits(world)) == before
        assert row(world)["state"] == "connected"


def test_connections_are_listed_by_vendor_and_name(world: World) -> None:
    create(world, "B")
    create(world, "A")
    with world.unit() as session:
        names = [found.name for found in connections.all_of(session, world.tenant)]
        assert session.scalars(select(Integration.id)).all()
    assert names == ["A", "B", "Tactical"]
