"""Fixtures for every test. The servers are started once per run, on first need, and shared by all workers."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.databases import Databases
from tests.harness.queues import RedisDatabase
from tests.harness.schema import populate, prepare
from tests.harness.servers import Addresses, SharedServers

if TYPE_CHECKING:
    # At run time these are imported by the fixtures that use them: a test of pure code needs none of it.
    from reference_psa.local.postgres import PostgresServer
    from reference_psa.local.valkey import ValkeyServer
    from rmm_extension.testing.statements import StatementCounter
    from tests.harness.faults import PrivateServers
    from tests.harness.world import World

SERVERS = pytest.StashKey[SharedServers]()
TOGETHER = ("browser", "faults", "lint", "packaging")
"""Folders whose tests are one worker's: they take turns with what they need, or mostly wait."""


def pytest_configure(config: pytest.Config) -> None:
    """The process that runs pytest owns the servers; workers are told where they are."""
    if not hasattr(config, "workerinput"):
        config.stash[SERVERS] = SharedServers()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist the addresses."""
    node.workerinput["addresses"] = node.config.stash[SERVERS].as_input()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of some folders on one worker each.

    Not by xdist's marks: it writes the group behind a test's id, and pytest takes no change of an id.
    """
    from xdist.scheduler import LoadGroupScheduling

    class ByFolder(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            folder = nodeid.split("/")[1] if nodeid.startswith("tests/") else ""
            return folder if folder in TOGETHER else nodeid

    return ByFolder(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers after the last worker."""
    servers = config.stash.get(SERVERS, None)
    if servers is None:
        return
    if servers.started and (addresses := servers.addresses()).foreign_postgres:
        for template in (addresses.template, addresses.populated):
            databases = Databases(addresses.postgres, template, "")
            databases.drop_template()
            databases.close()
    servers.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lint tests first: they are long and run on one worker while the others go on."""
    items.sort(key=lambda item: "lint" not in Path(item.path).parts)


def pytest_collection_finish() -> None:
    """Take what lives as long as the run (modules, collected tests) out of every later garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def cheap_apps() -> None:
    """Most tests make an application of their own."""
    from tests.harness.apps import make_cheap

    make_cheap()


@pytest.fixture(scope="session")
def addresses(request: pytest.FixtureRequest) -> Addresses:
    """Where PostgreSQL and Valkey of this run are."""
    if hasattr(request.config, "workerinput"):
        return Addresses(**request.config.workerinput["addresses"])
    return request.config.stash[SERVERS].addresses()


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """0 without xdist, else 1 for its first worker, 2 for its second."""
    if hasattr(request.config, "workerinput"):
        return int(request.config.workerinput["workerid"].removeprefix("gw")) + 1
    return 0


@pytest.fixture(scope="session")
def databases(addresses: Addresses, worker_number: int) -> Iterator[Databases]:
    """Makes databases; its template is migrated."""
    prefix = f"{addresses.template}_w{worker_number}"
    made = Databases(addresses.postgres, addresses.template, prefix, foreign=addresses.foreign_postgres)
    made.ensure_template(prepare)
    yield made
    made.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """SQLAlchemy URL of a fresh, migrated database of this test alone."""
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="session")
def populated_databases(
    addresses: Addresses, databases: Databases, worker_number: int
) -> Iterator[Databases]:
    """Makes databases with the demonstration data; these are added to one template, not to each of them."""
    prefix = f"{addresses.populated}_w{worker_number}"
    made = Databases(addresses.postgres, addresses.populated, prefix, foreign=addresses.foreign_postgres)
    made.ensure_template(populate, source=addresses.template)
    yield made
    made.close()


@pytest.fixture
def populated_url(populated_databases: Databases) -> Iterator[str]:
    """SQLAlchemy URL of a database of this test alone that holds the demonstration data and nothing else."""
    with populated_databases.fresh() as url:
        yield url


@pytest.fixture(scope="session")
def redis_database(addresses: Addresses, worker_number: int) -> Iterator[RedisDatabase]:
    """The numbered Redis database of this worker."""
    database = RedisDatabase(addresses.redis, worker_number, foreign=addresses.foreign_redis)
    yield database
    database.close()


@pytest.fixture
def redis_url(redis_database: RedisDatabase) -> str:
    """URL of an empty Redis database of this test alone."""
    redis_database.empty()
    return redis_database.url


@pytest.fixture
def private_servers() -> Iterator[PrivateServers]:
    """Starts servers that this test may stop, kill and freeze."""
    from tests.harness.faults import PrivateServers

    servers = PrivateServers()
    yield servers
    servers.close()


@pytest.fixture
def private_postgres(private_servers: PrivateServers) -> Callable[..., PostgresServer]:
    """`private_postgres(database="psa")`: started server with that database, migrated (None: none)."""
    return private_servers.postgres


@pytest.fixture
def private_valkey(private_servers: PrivateServers) -> Callable[..., ValkeyServer]:
    """`private_valkey(keep=False)`: started server; with `keep` its data survive a restart."""
    return private_servers.valkey


@pytest.fixture
def postgres_server(private_postgres: Callable[..., PostgresServer]) -> PostgresServer:
    """A PostgreSQL of this test alone, with the migrated database `psa`."""
    return private_postgres()


@pytest.fixture
def valkey_server(private_valkey: Callable[..., ValkeyServer]) -> ValkeyServer:
    """A Valkey of this test alone that keeps its data over a restart."""
    return private_valkey(keep=True)


@pytest.fixture
def statement_counter() -> type[StatementCounter]:
    """`with statement_counter() as sent:` counts the SQL statements sent meanwhile."""
    from rmm_extension.testing.statements import StatementCounter

    return StatementCounter


@pytest.fixture
def world(populated_url: str) -> Iterator[World]:
    """The reference PSA with demonstration data and a connected Tactical RMM with a webhook."""
    from reference_psa import create_app
    from reference_psa.db import db
    from tests.harness.schema import app_config
    from tests.harness.world import World

    app = create_app(app_config(populated_url))
    yield World(app).connect()
    with app.app_context():
        db.engine.dispose()
