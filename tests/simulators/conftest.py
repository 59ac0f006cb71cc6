"""A simulated Tactical RMM server and a receiver for its webhooks, both over HTTP on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from flask import Flask, Response, redirect, request

from simulators.tacticalrmm import keys
from simulators.tacticalrmm.app import create_app, lab_of
from simulators.tacticalrmm.fleet import FleetOptions
from simulators.tacticalrmm.lab import Lab
from simulators.testing import serve_in_thread


@dataclass
class Server:
    """A running simulator: calls with a key, control commands, and its state."""

    url: str
    lab: Lab

    def call(
        self, method: str, path: str, key: str | None = keys.ADMIN_KEY, **options: Any
    ) -> requests.Response:
        headers = {"X-API-KEY": key} if key else {}
        headers.update(options.pop("headers", {}))
        options.setdefault("timeout", 20)
        return requests.request(method, self.url + path, headers=headers, **options)

    def get(self, path: str, key: str | None = keys.ADMIN_KEY, **options: Any) -> requests.Response:
        return self.call("GET", path, key, **options)

    def control(self, path: str, **body: Any) -> Any:
        reply = requests.post(f"{self.url}/_control/api/{path}", json=body, timeout=20)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def ask(self, path: str) -> Any:
        return requests.get(f"{self.url}/_control/api/{path}", timeout=20).json()

    def agents(self, **wanted: Any) -> list[dict[str, Any]]:
        rows = self.ask("agents")
        return [row for row in rows if all(row[key] == value for key, value in wanted.items())]

    def agent(self, **wanted: Any) -> dict[str, Any]:
        return self.agents(**wanted)[0]


@dataclass
class Receiver:
    """An endpoint for webhooks that remembers what arrived."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    on_request: Callable[[], None] = lambda: None

    def app(self) -> Flask:
        app = Flask("receiver")

        @app.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
        def take(path: str) -> Any:
            query = f"?{request.query_string.decode()}" if request.query_string else ""
            entry = {"method": request.method, "path": request.path + query, "headers": list(request.headers)}
            self.got.append(entry | {"raw": request.get_data().decode()})
            self.on_request()
            if path == "redirect":
                return redirect("/hook", 302)
            return Response('{"ok":true}', self.status, content_type="application/json")

        return app

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(entry["raw"]) for entry in self.got]


def _run(**options: Any) -> Iterator[Server]:
    app = create_app(FleetOptions(agents=60, seed=7), time_scale=0.001, **options)
    url, stop = serve_in_thread(app)
    yield Server(url, lab_of(app))
    stop()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of its own for a test that changes it."""
    yield from _run()


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    """One server for the tests of a module that only read."""
    yield from _run()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.url, stop = serve_in_thread(made.app())
    yield made
    stop()
