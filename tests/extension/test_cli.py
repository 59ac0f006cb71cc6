"""``flask rmm …``"""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import Result

from rmm_extension import schema
from rmm_extension.extension import Mounted
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.registry import ProviderRegistry
from rmm_extension.services.vault import Vault
from tests.harness.world import World

NEW = b"n" * 32


def run(world: World, *words: str, answer: str = "") -> Result:
    return world.app.test_cli_runner().invoke(args=["rmm", *words], input=answer)


def with_vault(world: World, keys: dict[str, bytes]) -> None:
    world.app.extensions["rmm"] = Mounted(replace(world.rmm, vault=Vault(keys)))


class TestTables:
    def test_check(self, world: World) -> None:
        good = run(world, "check")
        assert (good.exit_code, good.output) == (0, "Models and database agree.\n")
        world.do("ALTER TABLE rmm_alerts ADD COLUMN extra text")
        bad = run(world, "check")
        assert bad.exit_code == 1
        assert "extra" in bad.output
        assert "run `flask rmm upgrade`" in bad.output

    def test_down_and_up(self, world: World) -> None:
        assert run(world, "downgrade", "base", answer="n\n").exit_code == 1
        assert world.one("SELECT to_regclass('rmm_alerts') IS NOT NULL")
        assert run(world, "downgrade", "base", "--yes").exit_code == 0
        assert world.one("SELECT to_regclass('rmm_alerts') IS NULL")
        up = run(world, "upgrade")
        assert (up.exit_code, up.output) == (0, "The rmm_ tables are up to date.\n")
        with world.app.app_context():
            assert schema.drift(world.rmm.db.engine) == []


class TestProviders:
    def test_they_are_listed(self, world: World) -> None:
        shown = run(world, "providers")
        assert shown.exit_code == 0
        assert "tacticalrmm    Tactical RMM" in shown.output

    def test_a_broken_one_is_listed_with_its_reason(self, world: World) -> None:
        def broken() -> type:
            raise ImportError("no module named nothing")

        registry = ProviderRegistry(Runtime(), sources=[("nobody", broken)])
        world.app.extensions["rmm"] = Mounted(replace(world.rmm, providers=registry))
        shown = run(world, "providers")
        assert shown.exit_code == 0
        assert "nobody" in shown.output
        assert "no module named nothing" in shown.output


class TestRotateKeys:
    def test_every_secret_gets_the_first_key(self, world: World) -> None:
        with_vault(world, {"new": NEW, **world.rmm.settings.secret_keys})
        shown = run(world, "rotate-keys")
        assert (shown.exit_code, shown.output) == (0, "2 secrets re-encrypted with key new.\n")
        with_vault(world, {"new": NEW})
        assert world.post().status_code == 200
        assert run(world, "rotate-keys").output == "0 secrets re-encrypted with key new.\n"

    @pytest.mark.parametrize(
        "damage", ["key_id = 'lost'", "ciphertext = decode('00112233445566778899aabbccddeeff', 'hex')"]
    )
    def test_one_that_cannot_be_read_does_not_keep_the_others(self, world: World, damage: str) -> None:
        world.do(f"UPDATE rmm_secrets SET {damage} WHERE name = 'webhook_secret'")
        with_vault(world, {"new": NEW, **world.rmm.settings.secret_keys})
        shown = run(world, "rotate-keys")
        assert shown.exit_code == 1
        assert "1 secret" in shown.output
        keys = world.rows("SELECT name, key_id FROM rmm_secrets ORDER BY name")
        assert {"name": "webhook_token", "key_id": "new"} in keys
        assert "enter" in shown.output
        assert world.secret not in shown.output


def test_routes_say_what_each_asks_for(world: World) -> None:
    shown = run(world, "routes")
    assert shown.exit_code == 0
    lines = [line for line in shown.output.splitlines() if "/api/webhooks/" in line]
    assert len(lines) == 2
    assert all("webhook secret" in line for line in lines)


class TestReplay:
    def store(self, world: World, count: int = 1) -> list[str]:
        for _ in range(count):
            assert world.post(b"junk").status_code == 400
        return [str(row["id"]) for row in world.rows("SELECT id FROM rmm_webhook_deliveries ORDER BY id")]

    def test_one(self, world: World) -> None:
        (delivery,) = self.store(world)
        done = run(world, "replay", world.tenant, delivery)
        assert (done.exit_code, done.output[:39]) == (0, "The replay of 1 delivery is queued as run"[:39])
        subject = world.one("SELECT subject FROM rmm_job_runs WHERE kind = 'delivery_retry'")
        assert subject == {"delivery_id": delivery, "replay": True}
        assert "is waiting for a worker" in run(world, "replay", world.tenant, delivery).output

    def test_all_of_a_connection(self, world: World) -> None:
        self.store(world, 2)
        named = run(world, "replay", world.tenant, "--connection", "Tactical", "--state", "quarantined")
        assert "The replay of 2 deliveries is queued" in named.output
        none = run(
            world, "replay", world.tenant, "--connection", str(world.integration_id), "--state", "failed"
        )
        assert (none.exit_code, "nothing to replay" in none.output) == (1, True)

    def test_wrong_words_are_refused(self, world: World) -> None:
        (delivery,) = self.store(world)
        for words in (
            (),
            (delivery, "--connection", "Tactical"),
            (delivery, "--state", "failed"),
            ("no-id",),
        ):
            assert run(world, "replay", world.tenant, *words).exit_code == 2
        assert run(world, "replay", "other", delivery).output == (
            "Error: This delivery does not exist (any more).\n"
        )
        assert (
            "has no connection nothing"
            in run(world, "replay", world.tenant, "--connection", "nothing").output
        )
        assert world.one("SELECT count(*) FROM rmm_job_runs") == 0


class TestReconcile:
    def test_a_run_is_queued(self, world: World) -> None:
        shown = run(world, "reconcile", world.tenant, "Tactical")
        assert shown.exit_code == 0
        (queued,) = world.rows("SELECT id, integration_id FROM rmm_job_runs WHERE kind = 'alert_reconcile'")
        assert shown.output == f"Alert sync of Tactical is queued as run {queued['id']}.\n"
        assert queued["integration_id"] == world.integration_id

    def test_one_that_is_under_way_is_named(self, world: World) -> None:
        run(world, "reconcile", world.tenant, "Tactical")
        shown = run(world, "reconcile", world.tenant, str(world.integration_id))
        assert shown.exit_code == 1
        assert "is waiting for a worker" in shown.output

    def test_a_connection_that_does_not_exist(self, world: World) -> None:
        shown = run(world, "reconcile", world.tenant, "nobody")
        assert shown.exit_code == 1
        assert "no connection nobody" in shown.output
