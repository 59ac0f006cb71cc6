"""The tiny app on a fresh database, inside its app context."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from redis import Redis

from rmm_extension.services.context import Rmm
from tests.jobs import tiny, work


@pytest.fixture
def people() -> tiny.People:
    """Who is signed in."""
    return tiny.People()


@pytest.fixture
def app(database_url: str, redis_url: str, people: tiny.People) -> Iterator[Flask]:
    tiny.make_tables(database_url)
    app = tiny.make_app(database_url, redis_url, people)
    with app.app_context():
        yield app
        app.extensions["rmm"].services.db.session.remove()
        app.extensions["rmm"].services.db.engine.dispose()
    work.ACTIONS.clear()


@pytest.fixture
def rmm(app: Flask) -> Rmm:
    return app.extensions["rmm"].services


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client
