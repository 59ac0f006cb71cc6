"""``flask rmm …``"""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from . import schema
from .cli_work import scheduler, worker
from .domain.errors import RMMError
from .services.context import Rmm
from .services.unit import unit

group = AppGroup("rmm", help="RMM integrations: migrations, workers, checks.")
group.add_command(worker)
group.add_command(scheduler)


def _rmm() -> Rmm:
    return current_app.extensions["rmm"].services  # type: ignore[no-any-return]


@group.command("upgrade")
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the extension's tables to REVISION."""
    schema.upgrade(_rmm().db.engine, revision)
    click.echo("The rmm_ tables are up to date.")


@group.command("downgrade")
@click.argument("revision")
@click.confirmation_option(prompt="This removes columns or tables with their data. Go on?")
def downgrade(revision: str) -> None:
    """Take the extension's tables back to REVISION."""
    schema.downgrade(_rmm().db.engine, revision)
    click.echo(f"The rmm_ tables are at {revision}.")


@group.command("check")
def check() -> None:
    """Fail when models and database differ."""
    differences = schema.drift(_rmm().db.engine)
    for difference in differences:
        click.echo(str(difference))
    if differences:
        raise click.ClickException("Models and database differ: run `flask rmm upgrade`.")
    click.echo("Models and database agree.")


@group.command("revision", hidden=True)
@click.argument("message")
def revision(message: str) -> None:
    """For developers: write a migration with the differences."""
    schema.new_revision(_rmm().db.engine, message)


@group.command("providers")
def providers() -> None:
    """List the providers, and the broken ones with their reason."""
    registry = _rmm().providers
    for provider in registry.all():
        click.echo(f"{provider.manifest.key:14} {provider.manifest.label}")
    for name, reason in registry.broken().items():
        click.echo(f"{name:14} broken: {reason}")


@group.command("rotate-keys")
def rotate_keys() -> None:
    """Re-encrypt every secret with the first key of RMM_SECRET_KEYS."""
    rmm, done = _rmm(), 0
    try:
        while True:
            with unit(rmm) as session:
                count = rmm.vault.rotate(session)
            done += count
            if not count:
                break
    except RMMError as error:
        raise click.ClickException(f"{done} secrets re-encrypted, then: {error}") from error
    click.echo(f"{done} secrets re-encrypted with key {rmm.vault.active_key_id}.")
