"""Secrets at rest."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.errors import ConfigError
from rmm_extension.services.vault import Vault
from tests.harness.world import World

PLACE = ("tenant", UUID(int=1), "api_key")
OLD, NEW = b"o" * 32, b"n" * 32


class TestSealing:
    @given(st.text())
    def test_what_is_sealed_opens(self, value: str) -> None:
        vault = Vault({"k": NEW})
        assert vault.open(*PLACE, *vault.seal(*PLACE, value)) == value

    def test_the_same_value_never_looks_the_same(self) -> None:
        vault = Vault({"k": NEW})
        assert vault.seal(*PLACE, "value")[1] != vault.seal(*PLACE, "value")[1]

    def test_nothing_of_the_value_shows(self) -> None:
        assert b"hunter2" not in Vault({"k": NEW}).seal(*PLACE, "hunter2" * 5)[1]

    @pytest.mark.parametrize(
        "place",
        [
            ("other", UUID(int=1), "api_key"),
            ("tenant", UUID(int=2), "api_key"),
            ("tenant", UUID(int=1), "webhook_secret"),
        ],
    )
    def test_a_ciphertext_moved_to_another_place_is_refused(self, place: tuple[str, UUID, str]) -> None:
        vault = Vault({"k": NEW})
        with pytest.raises(ConfigError, match="cannot be decrypted: enter it again"):
            vault.open(*place, *vault.seal(*PLACE, "value"))

    @pytest.mark.parametrize("position", [0, 11, 12, -1])
    def test_a_changed_ciphertext_is_refused(self, position: int) -> None:
        vault = Vault({"k": NEW})
        key_id, ciphertext = vault.seal(*PLACE, "value")
        changed = bytearray(ciphertext)
        changed[position] ^= 1
        with pytest.raises(ConfigError):
            vault.open(*PLACE, key_id, bytes(changed))

    @pytest.mark.parametrize("length", [0, 5, 12, 20])
    def test_a_cut_ciphertext_is_refused(self, length: int) -> None:
        vault = Vault({"k": NEW})
        key_id, ciphertext = vault.seal(*PLACE, "value")
        with pytest.raises(ConfigError):
            vault.open(*PLACE, key_id, ciphertext[:length])

    def test_a_lost_key_is_named(self) -> None:
        sealed = Vault({"old": OLD}).seal(*PLACE, "value")
        with pytest.raises(
            ConfigError, match="api_key was encrypted with key old, missing in RMM_SECRET_KEYS"
        ):
            Vault({"new": NEW}).open(*PLACE, *sealed)

    def test_a_wrong_key_under_the_same_id_is_refused(self) -> None:
        sealed = Vault({"k": OLD}).seal(*PLACE, "value")
        with pytest.raises(ConfigError):
            Vault({"k": NEW}).open(*PLACE, *sealed)

    def test_the_first_key_seals_and_every_key_opens(self) -> None:
        both = Vault({"new": NEW, "old": OLD})
        assert both.active_key_id == "new"
        assert both.seal(*PLACE, "value")[0] == "new"
        assert both.open(*PLACE, *Vault({"old": OLD}).seal(*PLACE, "value")) == "value"


class TestStored:
    def test_a_second_value_takes_the_place_of_the_first(self, world: World) -> None:
        with world.unit() as session:
            for value in ("first-value", "second-value"):
                world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", value)
            found = world.rmm.vault.read(session, world.tenant, world.integration_id)
        assert found["api_key"] == "second-value"
        assert world.one("SELECT count(*) FROM rmm_secrets WHERE name = 'api_key'") == 1

    @pytest.mark.parametrize(
        "value, hint",
        [("api_abcdefghijklmnop", "•••• mnop"), ("12345678", "••••"), ("abcd", "••••"), ("", "••••")],
    )
    def test_hints_show_four_characters_of_long_ones_only(self, world: World, value: str, hint: str) -> None:
        with world.unit() as session:
            world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", value)
            assert world.rmm.vault.hints(session, world.tenant, world.integration_id)["api_key"] == hint

    def test_no_value_is_in_the_table(self, world: World) -> None:
        everything = str(world.rows("SELECT * FROM rmm_secrets"))
        assert world.secret not in everything
        assert world.token not in everything

    def test_a_row_copied_to_another_connection_is_refused(self, world: World) -> None:
        from rmm_extension.models import new_id

        other = World(world.app, integration_id=new_id()).connect(name="Second")
        world.do(
            "UPDATE rmm_secrets a SET key_id = b.key_id, ciphertext = b.ciphertext FROM rmm_secrets b"
            " WHERE a.name = b.name AND a.integration_id = :theirs AND b.integration_id = :ours",
            theirs=other.integration_id,
            ours=world.integration_id,
        )
        with pytest.raises(ConfigError), world.unit() as session:
            world.rmm.vault.read(session, world.tenant, other.integration_id)

    def test_other_tenants_see_nothing(self, world: World) -> None:
        with world.unit() as session:
            assert world.rmm.vault.read(session, "other", world.integration_id) == {}
            assert world.rmm.vault.hints(session, "other", world.integration_id) == {}
            world.rmm.vault.drop(session, "other", world.integration_id)
        assert world.one("SELECT count(*) FROM rmm_secrets") == 2

    def test_dropping_some_or_all(self, world: World) -> None:
        with world.unit() as session:
            world.rmm.vault.store(session, world.tenant, world.integration_id, "api_key", "x")
            world.rmm.vault.drop(session, world.tenant, world.integration_id, ["api_key"])
            assert len(world.rmm.vault.read(session, world.tenant, world.integration_id)) == 2
            world.rmm.vault.drop(session, world.tenant, world.integration_id)
            assert world.rmm.vault.read(session, world.tenant, world.integration_id) == {}


class TestRotation:
    def test_every_secret_gets_the_first_key_and_keeps_its_value(self, world: World) -> None:
        rotating = Vault({"new": NEW, **dict([old_key(world)])})
        with world.unit() as session:
            before = world.rmm.vault.read(session, world.tenant, world.integration_id)
            assert rotating.waiting_for_rotation(session) == 2
            assert [rotating.rotate(session, limit=1) for _ in range(3)] == [1, 1, 0]
            assert rotating.waiting_for_rotation(session) == 0
        with world.unit() as session:
            assert Vault({"new": NEW}).read(session, world.tenant, world.integration_id) == before

    def test_what_another_rotation_holds_is_left_to_it(self, world: World) -> None:
        from tests.services.ingest.meanwhile import in_thread

        rotating = Vault({"new": NEW, **dict([old_key(world)])})

        def other() -> int:
            with world.unit() as session:
                return rotating.rotate(session)

        with world.unit() as session:
            assert rotating.rotate(session, limit=1) == 1
            assert in_thread(other) == 1


def old_key(world: World) -> tuple[str, bytes]:
    ((key_id, key),) = world.rmm.settings.secret_keys.items()
    return key_id, key
