"""``flask psa …``"""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from reference_psa import setup
from reference_psa.mail import send_waiting
from reference_psa.seed_rmm import seed_connection

psa_cli = AppGroup("psa", help="The reference PSA: its database and its mails.")


@psa_cli.command("init")
@click.option("--seed/--no-seed", default=True, help="Add the demonstration data unless they are there.")
def init(seed: bool) -> None:
    """Run all migrations and add the demonstration data; safe to run again."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    setup.upgrade_database(app)
    click.echo("The database is up to date.")
    if seed:
        added = setup.seed_database(app)
        click.echo("Demonstration data added." if added else "Demonstration data were there already.")
        if seed_connection(app):
            click.echo("A connection to the simulated vendor is prepared.")


@psa_cli.command("send-mail")
@click.option("--limit", default=200, show_default=True, help="At most so many in one run.")
def send_mail(limit: int) -> None:
    """Send the waiting mails through PSA_SMTP_URL; without it, write them to the log."""
    click.echo(f"{send_waiting(limit)} mails sent.")
