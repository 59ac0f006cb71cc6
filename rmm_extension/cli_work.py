"""``flask rmm worker`` and ``flask rmm scheduler``."""

from __future__ import annotations

import logging
import os
import sys

import click
from flask import Flask
from flask.cli import ScriptInfo

from .jobs import scheduler as cron
from .jobs import supervisor
from .jobs.worker import work
from .services import kinds
from .services.context import Rmm


@click.command("worker")
@click.option(
    "--queue", "names", multiple=True, type=click.Choice(kinds.QUEUES), help="Work on these queues only."
)
@click.option("--parent", type=int, hidden=True, help="End when this process does.")
@click.pass_context
def worker(ctx: click.Context, names: tuple[str, ...], parent: int | None) -> None:
    """Do background work: one process per queue (three for actions), restarted when they end.

    Any number of these may run, on any number of machines.
    """
    info = ctx.ensure_object(ScriptInfo)
    if len(names) == 1:
        if parent is not None:
            supervisor.end_with_parent(parent)
        app = info.load_app()
        work(app, names[0], _prepare(app))
        return
    _prepare(info.load_app())
    commands = {
        f"{name} {number}": _command(info, name)
        for name in names or kinds.QUEUES
        for number in range(1, kinds.PROCESSES.get(name, 1) + 1)
    }
    supervisor.Supervisor(commands).run()


@click.command("scheduler")
@click.pass_context
def scheduler(ctx: click.Context) -> None:
    """Tick every 30 seconds: finds what is due and hands it to the workers. A second one does no harm."""
    cron.run(_prepare(ctx.ensure_object(ScriptInfo).load_app()), cron.EVERY)


def _prepare(app: Flask) -> str:
    """Let our log lines be seen; Redis's address."""
    rmm: Rmm = app.extensions["rmm"].services
    if rmm.settings.redis_url is None:
        raise click.ClickException("Background work needs Redis: set RMM_REDIS_URL.")
    _show_log_lines()
    return rmm.settings.redis_url


def _show_log_lines() -> None:
    """On a process that nobody else configured logging for, write our lines to the standard error."""
    logger = logging.getLogger("rmm_extension")
    if logger.hasHandlers():
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _command(info: ScriptInfo, name: str) -> list[str]:
    app = ["--app", info.app_import_path] if info.app_import_path else []
    flask = [sys.executable, "-m", "flask", *app]
    return [*flask, "rmm", "worker", "--queue", name, "--parent", str(os.getpid())]
