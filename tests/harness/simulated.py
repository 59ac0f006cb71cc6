"""What every simulated vendor with webhooks offers a test: control API, faults, webhooks, what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from flask import Flask

from simulators.common.courier import Courier
from simulators.common.misbehaviour import Fault
from simulators.testing import serve_in_thread


@dataclass
class Simulated:
    """A running simulator and its state."""

    url: str
    lab: Any

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request that follows no redirect."""
        options.setdefault("timeout", 20)
        options.setdefault("allow_redirects", False)
        return requests.request(method, self.url + path, **options)

    def control(self, path: str, **body: Any) -> Any:
        """A command of the control API."""
        reply = requests.post(f"{self.url}/_control/api/{path}", json=body, timeout=20)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def ask(self, path: str) -> Any:
        """A question to the control API."""
        return requests.get(f"{self.url}/_control/api/{path}", timeout=20).json()

    def fault(self, mode: str, **options: Any) -> None:
        """Put a fault in force."""
        self.lab.misbehaviours.add(Fault(mode=mode, **options))

    def deliver(self, *, reverse: bool = False, count: int | None = None) -> list[dict[str, Any]]:
        """Send the webhooks that wait, those for a further try too; what became of each."""
        found: list[dict[str, Any]] = self.lab.courier.deliver_now(reverse=reverse, count=count)
        return found

    def paths(self, prefix: str = "/") -> list[str]:
        """What was asked for so far, without queries."""
        found = [f"{entry['method']} {entry['path']}" for entry in list(self.lab.requests)]
        return [one for one in found if one.partition(" ")[2].startswith(prefix)]


@contextmanager
def serving() -> Iterator[Callable[[Flask, Courier], str]]:
    """Serves applications until the block ends; base address of each, without a slash."""
    stops: list[Callable[[], None]] = []

    def serve(app: Flask, courier: Courier) -> str:
        url, stop = serve_in_thread(app)
        stops.extend((stop, courier.stop))
        return url

    try:
        yield serve
    finally:
        for stop in stops:
            stop()
