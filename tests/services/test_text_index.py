"""The text indexes: made where they can be, lacked without harm, cleaned by the tick."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from rmm_extension import schema
from rmm_extension.doctor import diagnose
from rmm_extension.domain.types import Check
from rmm_extension.services import text_index
from rmm_extension.services.queries.alerts import AlertFilter, alert_page
from tests.harness.world import World

ALL = list(text_index.INDEXES)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url)
    yield made
    made.dispose()


def missing(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return text_index.missing(connection)


def execute(engine: Engine, *statements: str) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))


def without_extension(engine: Engine) -> None:
    execute(engine, "DROP EXTENSION pg_trgm CASCADE")


def text_search(world: World) -> Check:
    with world.app.app_context():
        return next(check for check in diagnose(world.rmm) if check.name == "Text search")


def test_an_upgrade_makes_them(engine: Engine) -> None:
    assert missing(engine) == []
    assert schema.drift(engine) == []


def test_a_downgrade_takes_them_away_and_an_upgrade_brings_them_back(engine: Engine) -> None:
    schema.downgrade(engine, "0001")
    assert missing(engine) == ALL
    schema.upgrade(engine)
    assert missing(engine) == []


def test_a_lost_or_broken_one_is_made_by_the_next_upgrade(engine: Engine) -> None:
    execute(
        engine,
        "DROP INDEX ix_rmm_devices_text",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_rmm_alerts_text'::regclass",
    )
    assert missing(engine) == ["ix_rmm_alerts_text", "ix_rmm_devices_text"]
    schema.upgrade(engine)
    assert missing(engine) == []


def test_while_somebody_builds_them_nobody_else_does(engine: Engine) -> None:
    execute(engine, "DROP INDEX ix_rmm_alerts_text")
    with engine.connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": text_index._BUILDING})
        schema.upgrade(engine)
        assert missing(engine) == ["ix_rmm_alerts_text"]


def test_without_the_right_to_make_the_extension_the_upgrade_goes_on(engine: Engine) -> None:
    """The owner of the tables may not make extensions: PostgreSQL asks for a right on the database."""
    without_extension(engine)
    schema.downgrade(engine)
    role = f"plain_{make_url(str(engine.url)).database}"
    execute(
        engine,
        f"CREATE ROLE {role} LOGIN",
        f"GRANT ALL ON SCHEMA public TO {role}",
        f"ALTER TABLE rmm_alembic_version OWNER TO {role}",
    )
    plain = create_engine(engine.url.set(username=role))
    try:
        schema.upgrade(plain)
        assert missing(plain) == ALL
        assert schema.drift(plain) == []
    finally:
        plain.dispose()
        execute(engine, f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


def test_an_extension_in_another_schema_is_used(engine: Engine) -> None:
    without_extension(engine)
    execute(engine, 'CREATE SCHEMA "other place"', 'CREATE EXTENSION pg_trgm SCHEMA "other place"')
    assert missing(engine) == ALL
    schema.upgrade(engine)
    assert missing(engine) == []


def test_the_doctor_says_what_is_missing(world: World) -> None:
    assert text_search(world).state == "ok"
    world.do("DROP INDEX ix_rmm_alerts_text")
    lost = text_search(world)
    assert (lost.state, lost.remedy) == ("warning", "Run `flask rmm upgrade`.")
    assert "ix_rmm_alerts_text" in lost.message
    world.do("DROP EXTENSION pg_trgm CASCADE")
    lacking = text_search(world)
    assert lacking.state == "warning"
    assert "CREATE EXTENSION pg_trgm" in (lacking.remedy or "")


def test_searching_works_without_them(world: World) -> None:
    world.post(world.body(1))
    world.do("UPDATE rmm_alerts SET message = 'Backup failed'")
    world.do("DROP EXTENSION pg_trgm CASCADE")
    with world.unit() as session:
        assert len(alert_page(session, world.tenant, AlertFilter(text="backup")).rows) == 1


def test_the_tick_sorts_in_what_is_pending(world: World) -> None:
    def pending() -> int:
        world.do("CREATE EXTENSION IF NOT EXISTS pgstattuple")
        return world.one("SELECT pending_tuples FROM pgstatginindex('ix_rmm_alerts_text')")

    for number in range(3):
        world.post(world.body(number))
    assert pending() == 3
    with world.app.app_context():
        assert text_index.clean_pending(world.rmm) > 0
        assert pending() == 0
        assert text_index.clean_pending(world.rmm) == 0


def test_the_tick_does_nothing_where_they_are_missing(world: World) -> None:
    world.do("DROP EXTENSION pg_trgm CASCADE")
    with world.app.app_context():
        assert text_index.clean_pending(world.rmm) == 0
