"""Making the database ready: both migration trees, and the demonstration data once."""

from __future__ import annotations

from flask import Flask
from flask_migrate import downgrade, upgrade

from reference_psa.db import db
from reference_psa.seed import seed
from rmm_extension import schema


def upgrade_database(app: Flask) -> None:
    """Bring the PSA's tables and the extension's to their newest revision."""
    with app.app_context():
        upgrade()
        schema.upgrade(db.engine)


def downgrade_database(app: Flask) -> None:
    """Remove the extension's tables and the PSA's, with their data."""
    with app.app_context():
        schema.downgrade(db.engine)
        downgrade(revision="base")


def seed_database(app: Flask) -> bool:
    """Add the demonstration data unless they are there; whether they were added."""
    with app.app_context():
        added = seed(db.session())
        db.session.commit()
        return added
