"""A simulated Huntress for any test: `huntress` is a server of its own, `start_huntress` starts some more.

    huntress.url, huntress.lab                   base address without a slash; the state: lab.agent(id=5001)
    huntress.key, huntress.secret                the key of a user who may write; reader_* is the account's,
                                                 limited_* of a user who may not write
    huntress.get("/v1/agents"), huntress.call("POST", "/v1/…", json=…, by="reader")     writer by default
    huntress.control("incidents/raise", agent_id=5001), huntress.ask("state")           the control API
    huntress.raise_incident(agent_id=5001, severity="critical")     its id; see the control command
    huntress.webhook(url)                        an endpoint for all categories; its row with id and secret
    huntress.deliver()                           sends the webhooks that wait; nothing is sent by itself here
    huntress.fault("throttled", prefix="/v1", count=1), huntress.lab.settings.change(rate_limit=5)
    huntress.rate()                              most_in_window, refused, above_limit, total
    huntress.paths("/v1")                        what was asked for so far: "GET /v1/agents"

Import them in a conftest: `from tests.harness.huntress import huntress as huntress`. There is no incident
and no escalation at the start. The rate limit is only counted, unless a test asks for `rate_enforced=True`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from simulators.huntress import keys
from simulators.huntress.app import create_app, lab_of
from simulators.huntress.fleet import FleetOptions
from simulators.huntress.lab import Lab
from simulators.ninjaone.fleet import Twin
from tests.harness.simulated import Simulated, serving


@dataclass
class Huntress(Simulated):
    """A running simulator, its state, and its credentials at the start."""

    lab: Lab
    key: str = keys.API_KEY
    secret: str = keys.API_SECRET
    reader_key: str = keys.READER_KEY
    reader_secret: str = keys.READER_SECRET
    limited_key: str = keys.LIMITED_KEY
    limited_secret: str = keys.LIMITED_SECRET

    def call(self, method: str, path: str, by: str = "writer", **options: Any) -> requests.Response:
        """A call of the API with the key of that label as it is now: writer, reader or limited."""
        one = self.lab.credentials[by]
        options.setdefault("auth", (one.key, one.secret))
        return self.send(method, path, **options)

    def get(self, path: str, by: str = "writer", **options: Any) -> requests.Response:
        """A GET of the API."""
        return self.call("GET", path, by, **options)

    def raise_incident(self, **wanted: Any) -> int:
        """A new incident's id; without a host or organization it is on the first host."""
        found: int = self.control("incidents/raise", **wanted)["id"]
        return found

    def webhook(self, url: str, categories: list[str] | None = None) -> dict[str, Any]:
        """A new endpoint: id, url, secret, categories."""
        found: dict[str, Any] = self.control("webhooks", url=url, categories=categories)
        return found

    def rate(self) -> dict[str, Any]:
        """What the server saw of the rate limit."""
        found: dict[str, Any] = self.ask("rate")
        return found


@contextmanager
def huntresses() -> Iterator[Callable[..., Huntress]]:
    """Starts simulators of any size; keywords beside the fleet's are switches and options of `create_app`."""
    with serving() as serve:

        def run(
            agents: int = 40,
            organizations: int = 4,
            seed: int = 7,
            twins: tuple[Twin, ...] = (),
            **options: Any,
        ) -> Huntress:
            given: dict[str, Any] = {"deliveries": "manual", "rate_enforced": False}
            given |= {"incidents_at_start": 0, "escalations_at_start": 0, **options}
            app = create_app(FleetOptions(agents, organizations, seed, twins), **given)
            return Huntress(serve(app, lab_of(app).courier), lab_of(app))

        yield run


@pytest.fixture
def huntress() -> Iterator[Huntress]:
    """A small simulated Huntress of this test alone; webhooks are sent by `deliver`."""
    with huntresses() as start:
        yield start()


@pytest.fixture
def start_huntress() -> Iterator[Callable[..., Huntress]]:
    """Starts simulated Huntresses with other options."""
    with huntresses() as start:
        yield start
