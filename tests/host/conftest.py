"""The reference PSA with its demonstration data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from reference_psa import create_app
from reference_psa.adapters import build_host
from reference_psa.db import db
from reference_psa.seed import LOGINS
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.host import PsaHost, port
from rmm_extension.testing.contract import Bench
from rmm_extension.testing.contract.base import make_bench
from tests.harness.databases import Databases
from tests.harness.schema import app_config
from tests.host.names import OTHER, TENANT
from tests.host.psa_contract import MakeBench

SignIn = Callable[..., FlaskClient]


class FullHost(Protocol):
    """A host with every port, as this PSA is."""

    tenants: port.Tenants
    actors: port.Actors
    permissions: port.Permissions
    clients: port.Clients
    contacts: port.Contacts
    assets: port.Assets
    tickets: port.Tickets
    catalog: port.Catalog
    time_entries: port.TimeEntries
    schedule: port.Schedule
    users: port.Users
    notifications: port.Notifications
    mails: port.Mails
    entitlements: port.Entitlements
    urls: port.Urls


@pytest.fixture
def app(populated_url: str) -> Iterator[Flask]:
    """The PSA, seeded, with CSRF protection on."""
    app = create_app(app_config(populated_url))
    with app.app_context(), db.engine.connect():
        pass  # an engine's first connection sends statements of its own, which are not the test's to count
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session of the app; what a test leaves open is rolled back."""
    with app.app_context():
        yield db.session()
        db.session.rollback()


@pytest.fixture
def host() -> FullHost:
    """All adapters."""
    return cast(FullHost, build_host())


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """`sign_in("technician")`: a client with a session of that role."""

    def sign_in(role: str = "admin", tenant: str = NORTHBEAM) -> FlaskClient:
        email, password = next(login[:2] for login in LOGINS if login[2:] == (role, tenant))
        client = app.test_client()
        answer = send(client, "/login", page="/login", email=email, password=password)
        assert answer == 302
        return client

    return sign_in


def token(client: FlaskClient, page: str) -> str:
    """The CSRF token on a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(page).text)
    assert found, page
    return found[1]


def send(client: FlaskClient, url: str, *, page: str, **fields: object) -> int:
    """The status of a form sent with the token of a page."""
    return client.post(url, data={"csrf_token": token(client, page), **fields}).status_code


@pytest.fixture(scope="module")
def psa(populated_databases: Databases) -> Iterator[Flask]:
    """The PSA with its demonstration data, once for all tests of the module."""
    with populated_databases.fresh() as url:
        app = create_app(app_config(url))
        with app.app_context(), db.engine.connect():
            pass  # an engine's first connection sends statements of its own, not the test's to count
        yield app
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def broken(psa: Flask) -> Iterator[MakeBench]:
    """`broken(assets=…)`: the bench of a host with some ports replaced."""
    with psa.app_context():

        def make(**ports: Any) -> Bench:
            host: PsaHost = replace(build_host(), **ports)
            return make_bench(psa, host, db.session(), TENANT, OTHER)

        yield make
        db.session.rollback()
        db.session.remove()
