"""The extension's own tree of migrations, beside the host's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from reference_psa.db import Model
from rmm_extension import schema
from rmm_extension.models import Base
from tests.harness.world import World


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url)
    yield made
    made.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def ours(engine: Engine) -> set[str]:
    return {name for name in tables(engine) if name.startswith("rmm_")}


def test_up_down_up(engine: Engine) -> None:
    expected = set(Base.metadata.tables) | {schema.VERSION_TABLE}
    hosts = tables(engine) - ours(engine)
    assert ours(engine) == expected
    schema.downgrade(engine)
    assert ours(engine) == {schema.VERSION_TABLE}
    assert tables(engine) - ours(engine) == hosts
    schema.upgrade(engine)
    assert ours(engine) == expected
    assert schema.drift(engine) == []


def test_twice_up_is_once_up(engine: Engine) -> None:
    schema.upgrade(engine)
    assert schema.drift(engine) == []


def test_models_and_migrations_agree(engine: Engine) -> None:
    assert schema.drift(engine) == []


def test_pages_are_filled_as_the_models_say(engine: Engine) -> None:
    """What a comparison of models and tables does not look at."""
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND reloptions IS NOT NULL")
        )
        stored = {name: dict(option.split("=") for option in options) for name, options in found}
    wanted = {
        table.name: {key: str(value) for key, value in options.items()}
        for table in Base.metadata.tables.values()
        if (options := table.dialect_options["postgresql"]["with"])
    }
    assert {name: options for name, options in stored.items() if name in Base.metadata.tables} == wanted


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE rmm_alerts DROP COLUMN message",
        "ALTER TABLE rmm_alerts ADD COLUMN extra text",
        "ALTER TABLE rmm_alerts ALTER COLUMN severity TYPE varchar(5)",
        "DROP INDEX ix_rmm_alerts_time",
        "DROP TABLE rmm_audit",
        "CREATE TABLE rmm_stray (id int)",
    ],
)
def test_a_difference_is_seen(engine: Engine, change: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(change))
    assert schema.drift(engine) != []


def test_the_hosts_tables_are_none_of_our_business(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE something_of_the_host (id int)"))
        connection.execute(text("ALTER TABLE tickets ADD COLUMN extra text"))
    assert schema.drift(engine) == []


def test_each_tree_has_its_own_version_table(engine: Engine) -> None:
    with engine.connect() as connection:
        count = text("SELECT count(*) FROM alembic_version")
        hosts = connection.execute(count).scalar_one()
    schema.downgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(count).scalar_one() == hosts == 1
        assert connection.execute(text(f"SELECT count(*) FROM {schema.VERSION_TABLE}")).scalar_one() == 0


def test_a_hosts_autogenerate_leaves_our_tables_alone(engine: Engine) -> None:
    """With the filter that is offered to hosts it sees no difference; without it, it would drop ours."""

    def differences(**options: Any) -> list[Any]:
        with engine.connect() as connection:
            return list(
                compare_metadata(MigrationContext.configure(connection, opts=options), Model.metadata)
            )

    def offered(name: str | None, kind: str, parents: Any) -> bool:
        return schema.is_host_table(name, kind)

    assert differences(include_name=offered) == []
    assert any(
        found[0] == "remove_table" and found[1].name.startswith("rmm_")
        for found in differences()
        if isinstance(found, tuple)
    )


def test_a_table_that_stays_locked_fails_the_migration_and_changes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_TIMEOUT", "50ms")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE rmm_alembic_version RENAME TO kept"))
        connection.execute(text("CREATE TABLE rmm_alembic_version AS SELECT * FROM kept WHERE FALSE"))
    before = tables(engine)
    with engine.begin() as stranger:
        stranger.execute(text("LOCK TABLE rmm_alembic_version IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            schema.upgrade(engine)
    assert tables(engine) == before


def test_every_table_can_be_distributed_by_tenant() -> None:
    """Keys begin with the tenant, and no foreign key leads into the host."""
    for table in Base.metadata.tables.values():
        assert table.name.startswith("rmm_")
        assert next(column.name for column in table.primary_key) == "tenant_id", table.name
        for index in table.indexes:
            if index.unique:
                assert next(iter(index.columns)).name == "tenant_id", index.name
        for key in table.foreign_keys:
            assert key.target_fullname.startswith("rmm_"), key


def test_what_is_stored_survives_no_downgrade_but_the_hosts_does(world: World) -> None:
    world.post()
    with world.app.app_context():
        engine = world.rmm.db.engine
        schema.downgrade(engine)
        schema.upgrade(engine)
    assert len(world.tickets()) == 1
    assert world.one("SELECT count(*) FROM rmm_alerts") == 0


def test_the_first_software_syncs_after_an_upgrade_are_spread_over_a_day(engine: Engine) -> None:
    schema.downgrade(engine, "0002")
    with engine.begin() as connection:
        connection.execute(_CONNECTIONS, {"number": 48, "synced": True})
        connection.execute(_CONNECTIONS, {"number": 1, "synced": False})
    schema.upgrade(engine)
    with engine.begin() as connection:
        hours = connection.scalars(_HOURS_AHEAD).all()
    assert hours.count(None) == 1, "what never synced devices begins when it has"
    due = sorted(hour for hour in hours if hour is not None)
    assert 0 <= due[0] < due[-1] < 24
    assert all(sum(part * 6 <= hour < part * 6 + 6 for hour in due) < 24 for part in range(4))


_CONNECTIONS = text(
    """
    INSERT INTO rmm_integrations (tenant_id, id, provider, name, instance_url, auth_mode, state, settings,
        config_version, webhook_enabled, last_sync_at, created_at, updated_at)
    SELECT 't1', md5('connection ' || n || :synced)::uuid, 'tacticalrmm', n || ' ' || :synced, '', 'api_key',
        'connected', '{}', 1, false, CASE WHEN :synced THEN now() END, now(), now()
    FROM generate_series(1, :number) n
    """
)
_HOURS_AHEAD = text(
    "SELECT extract(epoch FROM next_software_sync_at - updated_at)::float8 / 3600 FROM rmm_integrations"
)
