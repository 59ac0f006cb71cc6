"""The demonstration data with a chat service connected, and browsers of its people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from reference_psa import create_app
from reference_psa.db import db
from tests.blueprints.conftest import said
from tests.harness.bot import Bot
from tests.harness.schema import app_config
from tests.harness.world import World


@dataclass
class Pages:
    """The pages of one connection, as people of the tenant see them."""

    bot: Bot

    @property
    def root(self) -> str:
        """What the addresses of its pages begin with."""
        return f"/rmm/connections/{self.bot.integration_id}"

    def user(self, role: str) -> str:
        """The id of somebody with this role."""
        found: str = self.bot.world.one(
            "SELECT id FROM users WHERE tenant_id = :tenant AND role = :role ORDER BY id LIMIT 1",
            tenant=self.bot.world.tenant,
            role=role,
        )
        return found

    def browser(self, role: str = "admin") -> FlaskClient:
        """A browser in which that person is signed in."""
        client = self.bot.world.app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = f"{self.bot.world.tenant}/{self.user(role)}"
            cookie["_fresh"] = True
        return client

    def get(self, part: str, role: str = "admin") -> TestResponse:
        """One page."""
        return self.browser(role).get(f"{self.root}/{part}".rstrip("/"))

    def words(self, part: str, role: str = "admin") -> str:
        """What one page says."""
        return said(self.get(part, role))

    def press(self, part: str, role: str = "admin", **fields: str) -> str:
        """Send a form; the words of the page that follows."""
        browser = self.browser(role)
        answer = browser.post(f"{self.root}/{part}", data=fields)
        assert answer.status_code == 303, said(answer)
        return said(browser.get(answer.location, follow_redirects=True))


@pytest.fixture
def pages(populated_url: str) -> Iterator[Pages]:
    app = create_app({**app_config(populated_url), "WTF_CSRF_ENABLED": False})
    yield Pages(Bot.connect(World(app)))
    with app.app_context():
        db.engine.dispose()
