"""``flask rmm …``"""

from __future__ import annotations

from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from . import schema
from .cli_work import scheduler, worker
from .doctor import diagnose
from .domain.errors import RMMError
from .host import SYSTEM_ACTOR
from .models import Integration
from .services import connections, rotation, runs
from .services import replay as replay_
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
    rmm, done, count = _rmm(), 0, 1
    while count:
        with unit(rmm) as session:
            count = rotation.rotate(rmm, session)
            left = rotation.waiting(rmm, session)
        done += count
    click.echo(f"{_secrets(done)} re-encrypted with key {rmm.vault.active_key_id}.")
    if left:
        raise click.ClickException(
            f"{_secrets(left)} cannot be read: the key is missing in RMM_SECRET_KEYS or the row was changed."
            " Add the key, or enter the credentials again on the connection's page."
        )


def _secrets(count: int) -> str:
    return "1 secret" if count == 1 else f"{count} secrets"


@group.command("sync")
@click.argument("tenant")
@click.argument("connection")
@click.option("--full", is_flag=True, help="Bring the heavy hardware facts too.")
def sync(tenant: str, connection: str, full: bool) -> None:
    """Queue a device sync of CONNECTION (its id or name) in TENANT."""
    rmm = _rmm()
    try:
        with unit(rmm) as session:
            row = _connection(session, tenant, connection)
            run_id = runs.start(
                rmm,
                session,
                SYSTEM_ACTOR(tenant),
                "device_sync",
                integration_id=row.id,
                subject={"full": full or None},
            )
    except (RMMError, LookupError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Device sync of {row.name} is queued as run {run_id}.")


@group.command("reconcile")
@click.argument("tenant")
@click.argument("connection")
def reconcile(tenant: str, connection: str) -> None:
    """Queue a reconciliation of the alerts of CONNECTION (its id or name) in TENANT."""
    rmm = _rmm()
    try:
        with unit(rmm) as session:
            row = _connection(session, tenant, connection)
            actor = SYSTEM_ACTOR(tenant)
            run_id = runs.start(rmm, session, actor, "alert_reconcile", integration_id=row.id)
    except (RMMError, LookupError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Alert sync of {row.name} is queued as run {run_id}.")


@group.command("replay")
@click.argument("tenant")
@click.argument("delivery", required=False, type=click.UUID)
@click.option("--connection", help="Replay all stored deliveries of this connection (its id or name).")
@click.option("--state", type=click.Choice(replay_.REPLAYABLE), help="Only those in this state.")
def replay(tenant: str, delivery: UUID | None, connection: str | None, state: str | None) -> None:
    """Queue the replay of one stored DELIVERY in TENANT, or of a connection's failed and quarantined ones."""
    if (delivery is None) == (connection is None) or (delivery and state):
        raise click.UsageError(
            "Name one delivery, or a connection with --connection and, if wanted, --state."
        )
    rmm, actor = _rmm(), SYSTEM_ACTOR(tenant)
    try:
        with unit(rmm) as session:
            if delivery is not None:
                number, run_id = 1, replay_.start(rmm, session, actor, delivery)
            else:
                row = _connection(session, tenant, connection or "")
                states = (state,) if state else replay_.REPLAYABLE
                run_id, number = replay_.start_all(rmm, session, actor, row.id, states)
    except (RMMError, LookupError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"The replay of {number} {'delivery' if number == 1 else 'deliveries'} is queued as run {run_id}."
    )


@group.command("routes")
def routes() -> None:
    """List the extension's routes with the permission each asks for."""
    rules = sorted(current_app.url_map.iter_rules(), key=str)
    for rule in rules:
        if rule.endpoint.split(".")[0] in ("rmm", "rmm_webhooks", "rmm_messages"):
            view = current_app.view_functions[rule.endpoint]
            needs = getattr(
                view, "rmm_permission", "webhook secret" if "webhooks" in rule.endpoint else "none"
            )
            methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
            click.echo(f"{methods:10} {rule.rule:70} {needs}")


@group.command("doctor")
def doctor() -> None:
    """Check what the extension needs, in words; fails when something is wrong."""
    found = list(diagnose(_rmm()))
    for check in found:
        click.echo(
            f"{check.state:8} {check.name}: {check.message}{f' {check.remedy}' if check.remedy else ''}"
        )
    if any(check.state == "failed" for check in found):
        raise click.ClickException("Something needs to be mended.")


def _connection(session: Session, tenant: str, wanted: str) -> Integration:
    for row in connections.all_of(session, tenant):
        if wanted in (str(row.id), row.name):
            return row
    raise LookupError(f"Tenant {tenant} has no connection {wanted}.")
