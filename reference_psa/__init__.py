"""A small PSA that mounts the RMM extension: what a host looks like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_migrate import Migrate

from reference_psa.adapters import build_host
from reference_psa.cli import psa_cli
from reference_psa.config import driver_url, load_config
from reference_psa.db import db
from reference_psa.errors import init_errors
from reference_psa.presentation import init_presentation
from reference_psa.reads import init_reads
from reference_psa.security import init_security
from reference_psa.views import register_views
from rmm_extension import RmmExtension
from rmm_extension.dashboard import mount_rq_dashboard

MIGRATIONS = Path(__file__).parent / "migrations"

rmm = RmmExtension()


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The PSA with the extension mounted; ``config`` goes over what the environment says.

    Needs no reachable database to start.
    """
    app = Flask(__name__)
    app.config.from_mapping(load_config())
    app.config.from_mapping(config or {})
    app.config["SQLALCHEMY_DATABASE_URI"] = driver_url(app.config["SQLALCHEMY_DATABASE_URI"])
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS), compare_type=True, render_as_batch=False)
    Bootstrap5(app)
    init_security(app)
    init_errors(app)
    init_presentation(app)
    init_reads(app)
    register_views(app)
    app.cli.add_command(psa_cli)
    rmm.init_app(app, db=db, host=build_host())
    if app.config.get("RMM_REDIS_URL"):
        mount_rq_dashboard(app)
    return app
