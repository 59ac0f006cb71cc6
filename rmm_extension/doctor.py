"""What an installation needs, checked and told in words."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from . import schema
from .domain.types import Check
from .jobs.health import processes
from .services import rotation, text_index
from .services.context import Rmm
from .services.unit import unit

OLDEST_POSTGRESQL = 140000


def diagnose(rmm: Rmm) -> Iterator[Check]:
    """Database, tables, secrets, providers, public address, queue and processes, one by one."""
    try:
        yield from _database(rmm.db.engine)
        yield _secrets(rmm)
    except SQLAlchemyError as error:
        message = f"It cannot be reached ({type(error).__name__})."
        yield Check(
            name="PostgreSQL", state="failed", message=message, remedy="Check the database's address."
        )
    yield from _providers(rmm)
    yield _public_url(rmm)
    yield from processes(rmm.settings)


def _database(engine: Engine) -> Iterator[Check]:
    with engine.connect() as connection:
        number = int(connection.scalar(text("SHOW server_version_num")))
    driver = engine.driver
    if engine.dialect.name != "postgresql" or driver != "psycopg":
        yield Check(
            name="PostgreSQL",
            state="failed",
            message=f"The host uses {engine.dialect.name} with {driver}.",
            remedy="Use a URL that begins with postgresql+psycopg://.",
        )
    elif number < OLDEST_POSTGRESQL:
        yield Check(name="PostgreSQL", state="failed", message="It is older than 14.", remedy="Upgrade it.")
    else:
        yield Check(name="PostgreSQL", state="ok", message=f"Version {number // 10000}.")
    differences = schema.drift(engine)
    yield Check(
        name="Tables",
        state="failed" if differences else "ok",
        message=f"{len(differences)} differences." if differences else "As this version needs them.",
        remedy="Run `flask rmm upgrade`." if differences else None,
    )
    yield _text_search(engine)


def _text_search(engine: Engine) -> Check:
    with engine.connect() as connection:
        installed, missing = text_index.installed(connection), text_index.missing(connection)
    if not missing:
        return Check(name="Text search", state="ok", message="Its indexes are there.")
    if installed:
        message = f"{', '.join(missing)} is missing: searching long lists is slow."
        remedy = "Run `flask rmm upgrade`."
    else:
        message = "The database has no pg_trgm: searching long lists is slow."
        remedy = "As its owner or a superuser, run `CREATE EXTENSION pg_trgm`; then `flask rmm upgrade`."
    return Check(name="Text search", state="warning", message=message, remedy=remedy)


def _secrets(rmm: Rmm) -> Check:
    with unit(rmm) as session:
        waiting = rotation.waiting(rmm, session)
    if waiting:
        message = f"{waiting} are encrypted with an older key."
        return Check(name="Secrets", state="warning", message=message, remedy="Run `flask rmm rotate-keys`.")
    return Check(name="Secrets", state="ok", message=f"All use key {rmm.vault.active_key_id}.")


def _providers(rmm: Rmm) -> Iterator[Check]:
    labels = ", ".join(provider.manifest.label for provider in rmm.providers.all())
    yield Check(name="Providers", state="ok", message=f"{labels or 'None'}.")
    for name, reason in rmm.providers.broken().items():
        yield Check(name=f"Provider {name}", state="failed", message=reason, remedy="Mend or remove it.")


def _public_url(rmm: Rmm) -> Check:
    if rmm.settings.public_url:
        return Check(name="Public address", state="ok", message=rmm.settings.public_url)
    return Check(
        name="Public address",
        state="warning",
        message="RMM_PUBLIC_URL is not set: webhook pages can only show paths.",
        remedy="Set it to the address vendors reach this PSA at.",
    )
