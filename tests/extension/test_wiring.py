"""Mounting the extension on an app."""

from __future__ import annotations

import pytest
from flask import Flask

from reference_psa.adapters import build_host
from reference_psa.db import db
from rmm_extension import RmmExtension
from rmm_extension.domain.errors import ConfigError
from tests.harness.schema import app_config
from tests.harness.world import World

URL = "postgresql+psycopg://nobody@127.0.0.1:1/none"


def bare(**config: object) -> Flask:
    app = Flask(__name__)
    app.config.from_mapping({**app_config(URL), **config})
    return app


def test_it_needs_a_database_object_and_a_host() -> None:
    with pytest.raises(TypeError, match="needs db= and host="):
        RmmExtension(bare())


def test_mounting_reaches_for_no_server() -> None:
    """Neither PostgreSQL nor Redis is there; an app must start all the same."""
    app = bare()
    RmmExtension(app, db=db, host=build_host())
    assert app.extensions["rmm"].services.settings.public_url == "http://psa.example.com"


@pytest.mark.parametrize(
    "config, key",
    [
        ({"RMM_SECRET_KEYS": None}, "RMM_SECRET_KEYS"),
        ({"RMM_DETAIL_WAIT": "soon"}, "RMM_DETAIL_WAIT"),
        ({"RMM_TYPO": 1}, "RMM_TYPO"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_names_its_key(config: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        RmmExtension(bare(**config), db=db, host=build_host())


def test_one_object_serves_several_apps() -> None:
    extension = RmmExtension()
    apps = [bare(RMM_PUBLIC_URL=f"https://psa{number}.example.com") for number in (1, 2)]
    for app in apps:
        extension.init_app(app, db=db, host=build_host())
    found = [app.extensions["rmm"].services.settings.public_url for app in apps]
    assert found == ["https://psa1.example.com", "https://psa2.example.com"]
    assert apps[0].extensions["rmm"].services is not apps[1].extensions["rmm"].services


def test_webhooks_are_there_under_their_own_addresses_whatever_the_prefix() -> None:
    app = bare(RMM_URL_PREFIX="/tools/rmm")
    RmmExtension(app, db=db, host=build_host())
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert {"/api/webhooks/<provider>/<token>", "/api/webhooks/<provider>"} <= rules
    assert any(rule.startswith("/tools/rmm/") for rule in rules)
    assert not any(rule.startswith("/rmm/") for rule in rules)


def test_the_context_shows_no_secret(world: World) -> None:
    shown = repr(world.rmm.settings) + repr(world.rmm.vault)
    assert "secret_keys" not in shown
