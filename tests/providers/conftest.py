"""A simulated Tactical RMM server, the provider that talks to it, and connections with any of its keys."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rmm_extension.domain.types import Connection
from rmm_extension.providers import http
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.tacticalrmm import TacticalRmm
from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app, lab_of
from simulators.tacticalrmm.fleet import FleetOptions
from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.misbehaviour import Fault
from simulators.testing import serve_in_thread
from tests.harness.recordings import recordings_of

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
RUNTIME = Runtime(allowed_networks=LOOPBACK, base_urls={}, connect_timeout=2, read_timeout=5)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without waiting."""
    monkeypatch.setattr(http, "BACKOFF", 0.0)


@dataclass
class Simulator:
    """A running simulator and its state."""

    url: str
    lab: Lab

    def fault(self, mode: str, **options: Any) -> None:
        """Put a fault in force."""
        self.lab.misbehaviours.add(Fault(mode=mode, **options))

    def paths(self) -> list[str]:
        """What was asked for so far, with the query."""
        return [f"{entry['method']} {entry['path']}?{entry['query']}" for entry in self.lab.requests]

    def connection(self, key: str = keys.INTEGRATION_KEY, **settings: Any) -> Connection:
        """A connection to this server."""
        return connection_to(self.url, key, **settings)


def connection_to(url: str, key: str = "K" * 32, **settings: Any) -> Connection:
    """A connection to any address."""
    return Connection(
        tenant_id="tenant",
        integration_id="1",
        provider="tacticalrmm",
        instance_url=url,
        secrets={"api_key": key},
        settings=settings,
    )


@pytest.fixture
def start() -> Iterator[Callable[..., Simulator]]:
    """Starts simulators with options of ``create_app``."""
    stops = []

    def run(agents: int = 40, clients: int = 4, row_kb: int = 6, **options: Any) -> Simulator:
        app = create_app(FleetOptions(agents, clients, 7, row_kb), **options)
        url, stop = serve_in_thread(app)
        stops.append(stop)
        return Simulator(url, lab_of(app))

    yield run
    for stop in stops:
        stop()


@pytest.fixture
def simulator(start: Callable[..., Simulator]) -> Simulator:
    """A small simulated server with the beta API on."""
    return start()


@pytest.fixture
def tactical() -> TacticalRmm:
    """The provider, allowed to call loopback."""
    return TacticalRmm(RUNTIME)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Recorded exchanges with a real server, where they are at hand."""
    folder = recordings_of("tacticalrmm")
    if not folder.is_dir():
        pytest.skip("no recordings of a real server at hand: name their folder in VENDOR_RECORDINGS")
    return folder
