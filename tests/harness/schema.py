"""Makes the tables of the host and of the extension in an empty database."""

from __future__ import annotations

import base64
import importlib.util
from typing import Any

KEYS = f"test:{base64.b64encode(bytes(range(32))).decode()}"


def app_config(database_url: str, redis_url: str = "redis://127.0.0.1:1/0") -> dict[str, Any]:
    """Configuration of a reference PSA under test; the default queue is one that nobody answers."""
    return {
        "TESTING": True,
        "SECRET_KEY": "test",
        "SQLALCHEMY_DATABASE_URI": database_url,
        "RMM_REDIS_URL": redis_url,
        "RMM_SECRET_KEYS": KEYS,
        "RMM_PUBLIC_URL": "http://psa.example.com",
        "RMM_ALLOWED_NETWORKS": "127.0.0.0/8",
    }


def prepare(url: str) -> None:
    """Run both migration trees against a SQLAlchemy URL; the template of every test database is made so."""
    if importlib.util.find_spec("reference_psa.setup") is None:
        return
    from reference_psa import create_app, setup
    from reference_psa.db import db

    app = create_app(app_config(url))
    setup.upgrade_database(app)
    with app.app_context():
        db.engine.dispose()


def populate(url: str) -> None:
    """Add the demonstration data of the reference PSA, as whoever installs it gets them.

    The passwords are those of the demonstration, hashed by a method that costs no time.
    """
    from sqlalchemy import update
    from werkzeug.security import generate_password_hash

    from reference_psa import create_app, setup
    from reference_psa.db import db
    from reference_psa.models import User
    from reference_psa.seed_data import PASSWORD

    app = create_app(app_config(url))
    setup.seed_database(app)
    with app.app_context():
        quick = generate_password_hash(PASSWORD, "pbkdf2:sha256:1")
        db.session.execute(update(User).values(password_hash=quick))
        db.session.commit()
        db.engine.dispose()
